//! `sexton list`: the automations of a project.

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::ago::{clock, relative, relative_and_clock};
use super::named::{title_of, zone_of};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::run_words::{outcome, outcome_at};
use super::show::{Page, Shown, Style, Tone};
use super::standing::{pause_reason, when};
use super::table::{Cell, Column, Table};
use crate::client::model::{Automation, Run};
use crate::client::{Client, Error};
use crate::domain::automation::folded;
use crate::domain::id::{AutomationId, RunId};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "list";

/// The newest runs of the project that are asked for together. Most automations have their last one among them; the
/// others are asked for one by one.
const NEWEST_RUNS: usize = 100;

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only those whose title contains this.
    #[arg(value_name = "QUERY")]
    query: Option<String>,
    /// Only those that are paused.
    #[arg(long, conflicts_with = "active")]
    paused: bool,
    /// Only those that are not paused.
    #[arg(long)]
    active: bool,
    /// With their ids, also on a terminal.
    #[arg(long)]
    ids: bool,
    /// Answers with the automations as `automation/list` tells them, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Lists them. The exit code is 2 where what was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: ListArgs) -> ExitCode {
    let page = Page::of_stdout(&environment);
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let listed = ask(asker, chosen, async |client| {
        let found: Vec<Value> = client.all("automation/list", wanted(&args)).await?;
        if args.json {
            return Ok(Shown::Json(Value::Array(found)));
        }
        let automations: Vec<Automation> = found.into_iter().map(read).collect::<Result<_, Trouble>>()?;
        if automations.is_empty() {
            return Ok(Shown::Text(nothing(&args, page.style)));
        }
        let last = last_runs(client, &automations).await?;
        let written = Written { now: Clock.now(), width: page.width, with_ids: args.ids };
        Ok(Shown::Text(written.list(&automations, &last).written(page.style, page.width)))
    });
    match listed {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

fn wanted(args: &ListArgs) -> Value {
    let mut wanted = json!({});
    if let Some(query) = &args.query {
        wanted["query"] = json!(query);
    }
    if args.paused || args.active {
        wanted["paused"] = json!(args.paused);
    }
    wanted
}

/// What is said where there is nothing to list.
fn nothing(args: &ListArgs, style: Style) -> String {
    if args.query.is_some() || args.paused || args.active {
        return "No automation is like that.\n".to_owned();
    }
    let command = "sexton add \"Morning tests\" --cron \"0 9 * * 1-5\" -- cargo test";
    format!("This project has no automations yet. Add one:\n\n    {}\n", style.toned(Tone::Accent, command))
}

/// The last run of each, where there was one and it has not been pruned.
async fn last_runs(
    client: &Client,
    automations: &[Automation],
) -> Result<HashMap<AutomationId, Run>, Trouble> {
    let (newest, _): (Vec<Run>, bool) = client.first("run/list", json!({}), NEWEST_RUNS).await?;
    let mut newest: HashMap<RunId, Run> = newest.into_iter().map(|run| (run.id.clone(), run)).collect();
    let mut last = HashMap::new();
    for automation in automations {
        let Some(id) = automation.last_run() else { continue };
        let run = match newest.remove(id) {
            Some(run) => run,
            None => match client.ask("run/get", json!({"id": id})).await {
                Ok(run) => run,
                Err(Error::Refused(refused)) if refused.kind == "not_found" => continue,
                Err(error) => return Err(error.into()),
            },
        };
        last.insert(automation.id().clone(), run);
    }
    Ok(last)
}

struct Written {
    now: Timestamp,
    width: Option<usize>,
    with_ids: bool,
}

impl Written {
    fn list(&self, automations: &[Automation], last: &HashMap<AutomationId, Run>) -> Table {
        let with_ids = self.with_ids || self.width.is_none() || have_namesakes(automations);
        let ids = with_ids.then(|| Column::left("ID"));
        let columns = [
            Column::left("TITLE").cut_to(14),
            Column::left("WHEN").cut_to(12),
            Column::left("NEXT"),
            Column::left("").spared_below(12),
            Column::left("LAST RUN").spared_below(9),
        ];
        let mut table = Table::of(ids.into_iter().chain(columns));
        for automation in automations {
            let id = with_ids.then(|| Cell::from(automation.id().as_str()).toned(Tone::Accent));
            let [next, beside] = self.next(automation);
            let cells = [
                Cell::from(title_of(automation)).toned(Tone::Strong),
                Cell::from(when(automation)),
                next,
                beside.toned(Tone::Faint),
                self.last_run(last.get(automation.id())),
            ];
            table.row(id.into_iter().chain(cells));
        }
        table
    }

    /// When it is due next, and what clocks show then; or why it is not due.
    fn next(&self, automation: &Automation) -> [Cell; 2] {
        let Some(known) = automation.known() else {
            return ["-".into(), "".into()];
        };
        if let Some(pause) = &known.pause {
            let (why, tone) = pause_reason(pause.reason);
            let tone = if tone == Tone::Bad { Tone::Bad } else { Tone::Warn };
            return [Cell::from("paused").toned(tone), why.into()];
        }
        let zone = zone_of(automation).unwrap_or_else(Zone::machine);
        match (known.state.next_fire_at, self.width) {
            (None, _) => ["-".into(), "over".into()],
            (Some(at), Some(_)) => {
                let (relative, clock) = (relative(at, self.now, &zone), clock(at, self.now, &zone));
                // Far away, both tell the date.
                match clock.strip_prefix(&relative) {
                    Some(time) => [relative.into(), time.trim_start().into()],
                    None => [relative.into(), clock.into()],
                }
            }
            (Some(at), None) => [relative_and_clock(at, self.now, &zone).into(), "".into()],
        }
    }

    fn last_run(&self, run: Option<&Run>) -> Cell {
        let Some(run) = run else { return "-".into() };
        let (word, tone) = outcome(run);
        let zone = Zone::machine();
        Cell::from(format!("{word} {}", relative(outcome_at(run), self.now, &zone))).toned(tone)
    }
}

/// Whether a title does not tell which one is meant.
fn have_namesakes(automations: &[Automation]) -> bool {
    let mut titles = HashSet::new();
    automations.iter().any(|automation| !titles.insert(folded(automation.title())))
}
