//! What a sidecar is asked for a timeline, and what its answers are on one.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::known::{Gap, Known, KnownAutomation, KnownFire, KnownRun, Sleep, Slots, Stage};
use super::window::Window;
use crate::cli::named::title_of;
use crate::cli::opened::{Trouble, read};
use crate::cli::words;
use crate::client::Client;
use crate::client::model::{Automation, Run, RunState, Status};
use crate::domain::draft::limits;
use crate::domain::id::AutomationId;
use crate::domain::one_line::one_line;
use crate::domain::run::machine::{ErrorCode, State};
use crate::domain::run::{Need, SlotRange};
use crate::domain::schedule::zone::Zone;
use crate::domain::scheduler::Role;
use crate::domain::simulation::{Reason, Simulation};
use crate::domain::time::Timestamp;

/// The most runs that are read: more than a screen tells apart, and read in a second or two.
const RUNS: usize = 10_000;

/// How long before the span a run may have been created that has ended in it, in milliseconds: one that took longer is not
/// told. What has not ended is, whenever it was created.
const BEFORE_MS: i64 = 24 * 3_600_000;

/// How long after the span it may be recorded that something in it was missed, in milliseconds: a machine that was off over
/// a week's holiday.
const AFTER_MS: i64 = 7 * 24 * 3_600_000;

/// The most characters of a reason.
const WHY: usize = 200;

/// What was asked, as it was answered.
pub(super) struct Answers {
    automations: Vec<Value>,
    /// Newest first.
    runs: Vec<Value>,
    simulation: Option<Value>,
    status: Value,
    /// Since when all runs are there, if some are not.
    runs_since: Option<Timestamp>,
    recorded_later: Later,
}

/// How much of what was recorded after the span is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Later {
    All,
    Newest,
}

impl Answers {
    /// Asks for the automations that are named, or for all.
    pub(super) async fn of(
        client: &Client,
        named: &[AutomationId],
        window: Window,
        now: Timestamp,
    ) -> Result<Answers, Trouble> {
        let mut automations: Vec<Value> = client.all("automation/list", json!({})).await?;
        if !named.is_empty() {
            automations.retain(|automation| named.iter().any(|id| automation["id"] == id.as_str()));
        }
        let (runs, runs_since, recorded_later) = runs(client, named, window, now).await?;
        let simulation = match window.to >= now {
            true => {
                let mut request = json!({"from": window.from.max(now), "to": window.to});
                // One that was deleted will do nothing.
                let ids: Vec<&Value> = automations.iter().map(|automation| &automation["id"]).collect();
                if !named.is_empty() {
                    request["ids"] = json!(ids);
                }
                match named.is_empty() || !ids.is_empty() {
                    true => Some(client.ask("automation/simulate", request).await?),
                    false => None,
                }
            }
            false => None,
        };
        let status = client.ask("scheduler/status", json!({})).await?;
        Ok(Answers { automations, runs, simulation, status, runs_since, recorded_later })
    }

    /// For a program: each as the contract writes it.
    pub(super) fn into_json(self, window: Window, now: Timestamp) -> Value {
        json!({
            "from": window.from, "to": window.to, "now": now,
            "automations": self.automations, "runs": self.runs, "runsSince": self.runs_since,
            "simulation": self.simulation, "suspended": self.status["suspended"],
        })
    }

    /// For a timeline.
    pub(super) fn known(
        self,
        window: Window,
        now: Timestamp,
        zone: Zone,
        chosen: String,
    ) -> Result<Known, Trouble> {
        let Answers { automations, runs, simulation, status, runs_since, recorded_later } = self;
        let automations: Vec<Automation> = read(Value::Array(automations))?;
        let runs: Vec<Run> = read(Value::Array(runs))?;
        let status: Status = read(status)?;
        let simulation: Option<Simulation> = simulation.map(read).transpose()?;
        let mut gaps: Vec<Gap> =
            runs_since.filter(|since| *since > window.from).map(Gap::RunsBefore).into_iter().collect();
        if recorded_later == Later::Newest {
            gaps.push(Gap::RecordedLater);
        }
        let mut fires = Vec::new();
        if let Some(simulation) = simulation {
            let through = match simulation.fires.last() {
                Some(last) if simulation.truncated => last.at,
                Some(_) | None => simulation.simulated_through,
            };
            if through < window.to {
                gaps.push(Gap::ForetoldUntil(through));
            }
            fires.extend(simulation.fires.into_iter().map(|fire| KnownFire {
                automation: fire.id.to_string(),
                at: fire.at,
                outcome: fire.outcome,
                started_at: fire.started_at,
                why: fire.reason.map(why_foreseen),
            }));
        }
        Ok(Known {
            from: window.from,
            to: window.to,
            now,
            zone,
            automations: automations.iter().map(known_automation).collect(),
            runs: runs.iter().map(known_run).collect(),
            fires,
            sleeps: status.suspended.iter().map(|slept| Sleep { from: slept.from, to: slept.to }).collect(),
            windows: status.instances.iter().filter(|one| one.role == Some(Role::Participant)).count(),
            chosen,
            gaps,
        })
    }
}

/// The runs that something of the window is told by, newest first, since when all are there if some are not, and whether
/// all are there that were recorded after it.
async fn runs(
    client: &Client,
    named: &[AutomationId],
    window: Window,
    now: Timestamp,
) -> Result<(Vec<Value>, Option<Timestamp>, Later), Trouble> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct When {
        id: String,
        triggered_at: Timestamp,
    }
    /// When runs were created, seen from the window.
    enum Told {
        Until,
        After,
    }
    let begin = window.from.plus_ms(-BEFORE_MS).max(Timestamp::EPOCH);
    let mut around = vec![
        (Told::Until, json!({"fromAt": begin, "toAt": window.to})),
        (Told::Until, json!({"states": ["scheduled", "running", "awaiting_input"]})),
    ];
    if window.to < now {
        let after = window.to.plus_ms(1);
        let recorded = json!({"fromAt": after, "toAt": after.plus_ms(AFTER_MS), "states": ["stopped"]});
        around.push((Told::After, recorded));
    }
    let of: Vec<Option<&AutomationId>> =
        if named.is_empty() { vec![None] } else { named.iter().map(Some).collect() };
    let (mut all, mut seen, mut since, mut later) = (Vec::new(), HashSet::new(), None, Later::All);
    for automation in of {
        for (told, wanted) in &around {
            let mut wanted = wanted.clone();
            if let Some(automation) = automation {
                wanted["automationID"] = json!(automation);
            }
            let (items, more): (Vec<Value>, bool) =
                client.first("run/list", wanted, RUNS / 1.max(named.len())).await?;
            let mut oldest = None;
            for item in items {
                let When { id, triggered_at } = read(item.clone())?;
                oldest = Some(triggered_at);
                if seen.insert(id) {
                    all.push((triggered_at, item));
                }
            }
            match told {
                Told::Until if more => since = since.max(oldest),
                Told::After if more => later = Later::Newest,
                Told::Until | Told::After => {}
            }
        }
    }
    all.sort_by_key(|(triggered_at, _)| std::cmp::Reverse(*triggered_at));
    Ok((all.into_iter().map(|(_, run)| run).collect(), since, later))
}

fn known_automation(automation: &Automation) -> KnownAutomation {
    KnownAutomation {
        id: automation.id().to_string(),
        title: title_of(automation),
        paused: automation.is_paused(),
        next_at: automation.next_fire_at(),
    }
}

fn known_run(run: &Run) -> KnownRun {
    KnownRun {
        id: run.id.to_string(),
        automation: run.automation_id.to_string(),
        title: one_line(&run.automation_title, limits::TITLE),
        due: run.scheduled_at,
        slots: run.slots.map(slots),
        triggered_at: run.triggered_at,
        started_at: run.started_at,
        completed_at: run.completed_at,
        stage: stage(run),
        skipped: run.skipped.map(|skipped| slots(skipped.slots)),
    }
}

fn slots(range: SlotRange) -> Slots {
    Slots { from: range.from_at, to: range.to_at, count: range.count }
}

fn stage(run: &Run) -> Stage {
    let unknown = |word: &str| Stage::Unknown { word: format!("{} in a newer version", one_line(word, WHY)) };
    let state = match &run.state {
        RunState::Known(state) => *state,
        RunState::Later(word) => return unknown(word),
    };
    match state {
        State::Scheduled => Stage::Waits {
            why: run
                .waiting
                .as_ref()
                .map(|waiting| format!("it waits for {}", words::reason(Reason::Waited(waiting.what)))),
        },
        State::Running => Stage::Runs,
        State::AwaitingInput => {
            let since = run.blocker.as_ref().map(|blocker| blocker.since);
            let what = run.blocker.as_ref().map_or("", |blocker| match &blocker.need {
                Need::Permission { title, .. } => title,
                Need::Question { prompt, .. } => prompt,
            });
            let since = since.or(run.started_at).unwrap_or(run.triggered_at);
            Stage::Asks { since, what: one_line(what, WHY) }
        }
        State::Succeeded => Stage::Succeeded {
            note: run
                .result
                .as_ref()
                .and_then(|result| result.text.as_deref())
                .map(|text| one_line(text, WHY)),
        },
        State::Failed => Stage::Failed { why: why_failed(run) },
        State::Stopped => match run.stop_reason {
            Some(reason) => Stage::Stopped { reason },
            None => unknown("stopped"),
        },
    }
}

/// How a command exited, and of everything else its message.
fn why_failed(run: &Run) -> String {
    let Some(error) = &run.error else { return "for a reason of a newer version".to_owned() };
    let exited = run.end.as_ref().filter(|_| error.code == ErrorCode::ExecutionFailed);
    match exited.map(|end| (end.exit_code, end.signal)) {
        Some((Some(code), _)) => format!("exit code {code}"),
        Some((None, Some(signal))) => format!("killed by signal {signal}"),
        Some((None, None)) | None => one_line(error.message.trim_end_matches('.'), WHY),
    }
}

fn why_foreseen(reason: Reason) -> String {
    let why = words::reason(reason);
    match reason {
        Reason::Waited(_) => format!("it waits for {why}"),
        Reason::Stopped(_) | Reason::Failed(_) => why.to_owned(),
    }
}
