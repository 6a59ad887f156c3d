//! `sexton status`: how a project stands, on one screen.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::ago::{relative, relative_and_clock, span};
use super::named::{quoted, title_of};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::run_words::{exit_of, outcome, took_ms, why};
use super::show::{Shown, Style, Tone, width_of_stdout};
use super::standing::{note, pause_reason};
use super::table::{Cell, Column, Table, wrapped};
use crate::client::Client;
use crate::client::model::{Automation, Instance, Run, RunState, Status};
use crate::domain::automation::PauseReason;
use crate::domain::one_line::one_line;
use crate::domain::run::machine::{State, StopReason};
use crate::domain::schedule::zone::Zone;
use crate::domain::scheduler::Role;
use crate::domain::time::Timestamp;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "status";

/// Ended runs that are looked through for what went wrong.
const LOOKED_THROUGH: usize = 50;

/// The most of a kind that are shown: all has to fit one screen.
const SHOWN: usize = 5;
const DUE: usize = 3;
const WENT_WRONG: usize = 3;

/// The most characters of what others wrote.
const LINE: usize = 400;

#[derive(Args)]
pub(super) struct StatusArgs {
    /// Answers with the contract's own objects, for programs: `scheduler`, `due`, `activeRuns`, `paused`,
    /// `pausedByThemselves` and `wentWrong`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Shows it. The exit code is 2 where something that was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: StatusArgs) -> ExitCode {
    let style = Style::of_stdout(&environment);
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let shown = ask(asker, chosen, async |client| {
        let found = Found::of(client).await?;
        if args.json {
            return Ok(Shown::Json(found.json()));
        }
        let page = Page {
            style,
            width: width_of_stdout(),
            now: Clock.now(),
            zone: Zone::machine(),
            me: client.opened().instance_id.clone(),
        };
        Ok(Shown::Text(page.written(client, &found.understood()?)))
    });
    match shown {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

/// What the sidecar has answered: as the contract has it, or as it is understood here.
struct Found<S, A, R> {
    scheduler: S,
    /// What is due next, the earliest first.
    due: Vec<A>,
    active: Vec<R>,
    /// What rests because a person, or a run of its own, has said so.
    resting: Vec<A>,
    /// What rests because of what its runs came to.
    paused: Vec<A>,
    went_wrong: Vec<R>,
}

impl Found<Value, Value, Value> {
    async fn of(client: &Client) -> Result<Self, Trouble> {
        let scheduler = client.ask("scheduler/status", json!({})).await?;
        let automations: Vec<Value> = client.all("automation/list", json!({})).await?;
        let active =
            client.all("run/list", json!({"states": ["scheduled", "running", "awaiting_input"]})).await?;
        let (ended, _): (Vec<Value>, bool) =
            client.first("run/list", json!({"states": ["failed", "stopped"]}), LOOKED_THROUGH).await?;
        let mut due = Vec::new();
        let mut resting = Vec::new();
        let mut paused = Vec::new();
        for value in automations {
            let automation: Automation = read(value.clone())?;
            let reason = automation.known().and_then(|known| known.pause.as_ref()).map(|pause| pause.reason);
            match (automation.next_fire_at(), reason) {
                (_, Some(PauseReason::User | PauseReason::Run)) => resting.push(value),
                (
                    _,
                    Some(
                        PauseReason::Failures | PauseReason::Config | PauseReason::Auth | PauseReason::Quota,
                    ),
                ) => {
                    paused.push(value);
                }
                (Some(at), None) => due.push((at, value)),
                (None, None) => {}
            }
        }
        due.sort_by_key(|(at, _)| *at);
        let due = due.into_iter().take(DUE).map(|(_, value)| value).collect();
        let mut went_wrong = Vec::new();
        for value in ended {
            let run: Run = read(value.clone())?;
            if has_gone_wrong(&run) && went_wrong.len() < WENT_WRONG {
                went_wrong.push(value);
            }
        }
        Ok(Found { scheduler, due, active, resting, paused, went_wrong })
    }

    fn json(self) -> Value {
        json!({"scheduler": self.scheduler, "due": self.due, "activeRuns": self.active, "paused": self.resting,
            "pausedByThemselves": self.paused, "wentWrong": self.went_wrong})
    }

    fn understood(self) -> Result<Found<Status, Automation, Run>, Trouble> {
        let automations = |values: Vec<Value>| values.into_iter().map(read).collect::<Result<_, Trouble>>();
        let runs = |values: Vec<Value>| values.into_iter().map(read).collect::<Result<_, Trouble>>();
        Ok(Found {
            scheduler: read(self.scheduler)?,
            due: automations(self.due)?,
            active: runs(self.active)?,
            resting: automations(self.resting)?,
            paused: automations(self.paused)?,
            went_wrong: runs(self.went_wrong)?,
        })
    }
}

/// Whether a person may have to do something about how it ended.
fn has_gone_wrong(run: &Run) -> bool {
    match run.stop_reason {
        None => run.state == RunState::Known(State::Failed),
        Some(
            StopReason::Interrupted
            | StopReason::BlockerLost
            | StopReason::MissedSchedule
            | StopReason::Expired
            | StopReason::Capacity
            | StopReason::WriterBusy,
        ) => true,
        Some(
            StopReason::PreviousRunActive
            | StopReason::PreviousRunAwaitingInput
            | StopReason::Paused
            | StopReason::Cancelled
            | StopReason::Superseded
            | StopReason::Ended
            | StopReason::PrecheckSkipped
            | StopReason::Shutdown,
        ) => false,
    }
}

/// How it is written.
struct Page {
    style: Style,
    width: Option<usize>,
    now: Timestamp,
    zone: Zone,
    /// The sidecar that was asked, which is gone when this is read.
    me: String,
}

impl Page {
    fn written(&self, client: &Client, found: &Found<Status, Automation, Run>) -> String {
        let opened = client.opened();
        let mut text = self.line("Project", Tone::Strong, &opened.project.directory.display().to_string());
        text.push_str(&self.of_the_bell(&found.scheduler));
        text.push_str(&self.of_its_health(&found.scheduler, &opened.warnings));
        text.push_str(&self.of_what_is_due(&found.due));
        let (asking, rest): (Vec<&Run>, Vec<&Run>) =
            found.active.iter().partition(|run| run.blocker.is_some());
        let (waiting, at_work): (Vec<&Run>, Vec<&Run>) =
            rest.into_iter().partition(|run| run.waiting.is_some());
        text.push_str(&self.section("Asks you", Tone::Warn, &asking, |run| {
            vec![
                quoted(&run.automation_title),
                why(run, self.now, &self.zone),
                format!("sexton answer {}", run.id),
            ]
        }));
        text.push_str(&self.section("At work", Tone::Accent, &at_work, |run| {
            let took = took_ms(run, self.now).map(|took| format!("for {}", span(took)));
            let by = self.window_of(run, &found.scheduler);
            let stopping = run.stopping.as_ref().map_or("", |_| "is asked to end");
            vec![
                quoted(&run.automation_title),
                took.unwrap_or_default(),
                by,
                stopping.to_owned(),
                run.id.to_string(),
            ]
        }));
        text.push_str(&self.section("Waits", Tone::Usual, &waiting, |run| {
            vec![quoted(&run.automation_title), why(run, self.now, &self.zone), run.id.to_string()]
        }));
        let paused: Vec<&Automation> = found.paused.iter().collect();
        text.push_str(&self.section("Paused", Tone::Bad, &paused, |automation| {
            self.of_a_pause(automation, "too many failures in a row")
        }));
        let resting: Vec<&Automation> = found.resting.iter().collect();
        let label = if paused.is_empty() { "Paused" } else { "" };
        text.push_str(&self.section(label, Tone::Usual, &resting, |automation| {
            let pause = automation.known().and_then(|known| known.pause.as_ref());
            self.of_a_pause(automation, pause.map_or("", |pause| pause_reason(pause.reason).0))
        }));
        let went_wrong: Vec<&Run> = found.went_wrong.iter().collect();
        text.push_str(&self.section("Went wrong", Tone::Bad, &went_wrong, |run| {
            let at = run.completed_at.unwrap_or(run.triggered_at);
            let exit =
                Some(exit_of(run)).filter(|exit| !exit.is_empty()).map(|exit| match exit.parse::<i32>() {
                    Ok(_) => format!("exit {exit}"),
                    Err(_) => exit,
                });
            let how = format!("{} {}", outcome(run).0, exit.unwrap_or_default());
            let when = relative(at, self.now, &self.zone);
            vec![
                quoted(&run.automation_title),
                how.trim_end().to_owned(),
                when,
                why(run, self.now, &self.zone),
                run.id.to_string(),
            ]
        }));
        text
    }

    /// Who rings it, and who else is there.
    fn of_the_bell(&self, status: &Status) -> String {
        let owner = status.owner.as_ref().map(|owner| &owner.instance);
        let is_other = |there: &&Instance| there.id.as_str() != self.me && Some(&there.id) != owner;
        let others: Vec<&Instance> = status.instances.iter().filter(is_other).collect();
        let mut text = match &status.owner {
            Some(owner) => {
                let who = client_name(owner.client.as_deref());
                let since = span(self.now.since_ms(owner.since));
                self.line("Bell", Tone::Good, &format!("rung by {who} (pid {}) for {since}", owner.pid))
            }
            None => {
                let nobody =
                    "nobody rings it: nothing fires until a window opens, or `sexton serve --headless`";
                self.line("Bell", Tone::Warn, nobody)
            }
        };
        text.push_str(&self.section("Also open", Tone::Usual, &others, |there| {
            let role = match there.role {
                Some(Role::Participant) => "takes part",
                Some(Role::Observer) => "observes",
                None => "",
            };
            let since = format!("for {}", span(self.now.since_ms(there.since)));
            vec![client_name(there.client.as_deref()), format!("pid {}", there.pid), since, role.to_owned()]
        }));
        text
    }

    fn of_its_health(&self, status: &Status, warnings: &[String]) -> String {
        let (tone, word) = match status.health.as_str() {
            "ok" => (Tone::Good, "all is well"),
            _ => (Tone::Bad, "something cannot be done:"),
        };
        let mut text = self.line("Health", tone, word);
        for sentence in status.reasons.iter().chain(warnings) {
            text.push_str(&self.line("", Tone::Usual, &one_line(sentence, LINE)));
        }
        text
    }

    fn of_what_is_due(&self, due: &[Automation]) -> String {
        let due: Vec<&Automation> = due.iter().collect();
        if due.is_empty() {
            return self.line("Due next", Tone::Usual, "nothing");
        }
        self.section("Due next", Tone::Usual, &due, |automation| {
            let at = automation.next_fire_at().map(|at| relative_and_clock(at, self.now, &self.zone));
            vec![quoted(&title_of(automation)), at.unwrap_or_default()]
        })
    }

    /// What rests, since when, why, and how it goes on. This stands where nothing was noted.
    fn of_a_pause(&self, automation: &Automation, why: &str) -> Vec<String> {
        let pause = automation.known().and_then(|known| known.pause.as_ref());
        let since = pause.map(|pause| relative(pause.at, self.now, &self.zone)).unwrap_or_default();
        let note = pause.and_then(note).unwrap_or_else(|| why.to_owned());
        vec![quoted(&title_of(automation)), since, note, format!("sexton resume {}", automation.id())]
    }

    /// The window that carries it out.
    fn window_of(&self, run: &Run, status: &Status) -> String {
        let Some(instance) = &run.instance_id else { return String::new() };
        let window = status.instances.iter().find(|there| there.id == *instance);
        window.map(|window| format!("in {}", client_name(window.client.as_deref()))).unwrap_or_default()
    }

    /// A sentence behind what it is about.
    fn line(&self, label: &str, tone: Tone, text: &str) -> String {
        let room = self.width.map(|width| width.saturating_sub(LABEL + 2).max(LABEL));
        let mut lines = String::new();
        for (place, line) in wrapped(text, room).iter().enumerate() {
            let label = if place == 0 { label } else { "" };
            let label = self.style.faint(&format!("{label:<LABEL$}"));
            lines.push_str(&format!("{label}  {}\n", self.style.toned(tone, line)));
        }
        lines
    }

    /// Several things of a kind, a line each, and how many more there are; nothing if there are none.
    fn section<T>(&self, label: &str, tone: Tone, all: &[&T], cells: impl Fn(&T) -> Vec<String>) -> String {
        let rows: Vec<Vec<String>> = all.iter().take(SHOWN).map(|one| cells(one)).collect();
        let Some(first) = rows.first() else { return String::new() };
        // In the first one stands what it is, and in the last one what is copied: an id, or a command.
        let columns = (1..=first.len()).map(|place| match place {
            last if last == first.len() => Column::left(""),
            1 => Column::left("").cut_to(8),
            _ => Column::left("").spared_below(8),
        });
        let mut table = Table::of(std::iter::once(Column::left("")).chain(columns));
        for (place, row) in rows.into_iter().enumerate() {
            let label = if place == 0 { label } else { "" };
            let mut line = vec![Cell::from(format!("{label:<LABEL$}")).toned(Tone::Faint)];
            let toned = |(place, text): (usize, String)| match place {
                0 => Cell::from(text).toned(tone),
                _ => Cell::from(text),
            };
            line.extend(row.into_iter().enumerate().map(toned));
            table.row(line);
        }
        let mut text = table.written(self.style, self.width);
        if all.len() > SHOWN {
            let more = format!("and {} more", all.len() - SHOWN);
            text.push_str(&self.line("", Tone::Faint, &more));
        }
        text
    }
}

/// How wide the column is in which stands what a line is about.
const LABEL: usize = 10;

fn client_name(client: Option<&str>) -> String {
    client.map_or_else(|| "a window".to_owned(), |client| one_line(client, LINE))
}
