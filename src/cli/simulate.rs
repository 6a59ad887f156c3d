//! `sexton simulate`: what will become of scheduled times.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::named::{automations, common_zone, named_to_foretell, quoted, title_of};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::show::{Shown, Style, width_of_stdout};
use super::table::{Cell, Column, Table};
use super::words;
use crate::client::Client;
use crate::client::model::Automation;
use crate::domain::draft::limits;
use crate::domain::id::AutomationId;
use crate::domain::one_line::one_line;
use crate::domain::schedule::typed::{read_span, read_time};
use crate::domain::schedule::zone::Zone;
use crate::domain::schedule::{local_time, weekday_of};
use crate::domain::simulation::{Fire, Outcomes, Reason, Simulation};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "simulate";

/// The most characters of a title in a table.
const TITLE: usize = 40;

/// As much of a title as a narrow terminal still shows.
const LEAST_TITLE: usize = 12;

/// The most kinds of what becomes of times that are told: more nobody reads, and `--json` has all.
const GROUPS: usize = 30;

/// The most times that are told of one kind.
const TIMES: usize = 3;

#[derive(Args)]
pub(super) struct SimulateArgs {
    /// Only these automations, by their ids or titles [default: all].
    #[arg(value_name = "ID")]
    automations: Vec<String>,
    /// How far to look, such as `12h` or `30d`.
    #[arg(long = "for", value_name = "SPAN", default_value = "7d", conflicts_with = "to")]
    span: String,
    /// Where to begin: `tomorrow 09:00`, `2025-01-06 09:00` [default: now].
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Where to end, instead of a span.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// How long each run takes, such as `5m` [default: what is known of each automation].
    #[arg(long, value_name = "SPAN")]
    assume_run: Option<String>,
    /// Answers as `automation/simulate` does, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Foretells it. The exit code is 2 where something that was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: SimulateArgs) -> ExitCode {
    let style = Style::of_stdout(&environment);
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let foretold = ask(asker, chosen, async |client| {
        let wanted = what_is_wanted(client, &args).await?;
        let answer: Value = client.ask("automation/simulate", &wanted.request).await?;
        Ok(if args.json {
            Shown::Json(answer)
        } else {
            Shown::Text(Foretold { simulation: read(answer)?, wanted }.written(style))
        })
    });
    match foretold {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

/// What somebody wants to have foretold.
struct Wanted {
    request: Value,
    from: Timestamp,
    to: Timestamp,
    zone: Zone,
    titles: HashMap<AutomationId, String>,
    /// What was named.
    named: Vec<Automation>,
}

struct Foretold {
    simulation: Simulation,
    wanted: Wanted,
}

async fn what_is_wanted(client: &Client, args: &SimulateArgs) -> Result<Wanted, Trouble> {
    let (ids, named) = named_to_foretell(client, &args.automations).await?;
    let all = automations(client, None).await?;
    let zone = common_zone(if named.is_empty() { &all } else { &named });
    let now = Clock.now();
    let unusable = |option: &str, error: String| Trouble::Unusable(format!("{option}: {error}"));
    let time = |option: &str, typed: &str| {
        read_time(typed, &zone, now).map_err(|error| unusable(option, error.to_string()))
    };
    let span = |option: &str, typed: &str| {
        let read = read_span(typed).map_err(|error| unusable(option, error.to_string()))?;
        match read <= limits::SPAN_MS {
            true => Ok(read),
            false => Err(unusable(
                option,
                format!("{typed:?} is longer than {} days", limits::SPAN_MS / 86_400_000),
            )),
        }
    };
    let from = args.from.as_deref().map_or(Ok(now), |from| time("--from", from))?;
    let to = match &args.to {
        Some(to) => time("--to", to)?,
        None => from.plus_ms(span("--for", &args.span)?).min(Timestamp::MAX),
    };
    if to < from {
        let (from, to) = (local_time(&zone, from), local_time(&zone, to));
        return Err(unusable("--to", format!("{to} comes before the beginning, {from}")));
    }
    let assume_run_ms = args.assume_run.as_deref().map(|typed| span("--assume-run", typed)).transpose()?;
    let mut request = json!({"from": from, "to": to});
    if !ids.is_empty() {
        request["ids"] = json!(ids);
    }
    if let Some(assumed) = assume_run_ms {
        request["assumeRunMs"] = json!(assumed);
    }
    let titles =
        all.iter().map(|automation| (automation.id().clone(), one_line(&title_of(automation), TITLE)));
    Ok(Wanted { request, from, to, zone, titles: titles.collect(), named })
}

impl Foretold {
    fn written(&self, style: Style) -> String {
        let local =
            |at| format!("{} {}", weekday_of(&self.wanted.zone, at), local_time(&self.wanted.zone, at));
        let heading =
            format!("From {} to {}, {}", local(self.wanted.from), local(self.wanted.to), self.wanted.zone);
        let mut text = format!("{}\n\n", style.strong(&heading));
        text.push_str(&self.table(style));
        text.push_str(&self.not_as_planned(style));
        for automation in &self.wanted.named {
            let is_due =
                self.simulation.totals.automations.iter().any(|totals| totals.id == *automation.id());
            if !is_due {
                text.push_str(&format!("{}\n", why_nothing(automation)));
            }
        }
        if let Some(costs) = &self.simulation.estimated_cost {
            let costs: Vec<String> =
                costs.iter().map(|cost| format!("{:.2} {}", cost.amount, cost.currency)).collect();
            text.push_str(&format!("\nCost: about {}\n", costs.join(" and ")));
        }
        let through = self.simulation.simulated_through;
        if through < self.wanted.to {
            text.push_str(&format!(
                "\nIt was worked out up to {} only: all of it would take too long.\n",
                local(through)
            ));
        }
        text
    }

    /// How many times there are of each automation, by what becomes of them.
    fn table(&self, style: Style) -> String {
        let totals = &self.simulation.totals;
        if totals.outcomes.is_empty() {
            // Of what was named each is told by itself.
            return if self.wanted.named.is_empty() {
                "Nothing is due in that time.\n".to_owned()
            } else {
                String::new()
            };
        }
        let verdicts: Vec<Verdict> = totals.outcomes.keys().copied().collect();
        let row = |name: &str, outcomes: &Outcomes| {
            let number = |verdict| match outcomes.get(verdict) {
                Some(count) => count.to_string(),
                None => "-".to_owned(),
            };
            let all: u64 = outcomes.values().sum();
            let counts = std::iter::once(all.to_string()).chain(verdicts.iter().map(number));
            std::iter::once(name.to_owned()).chain(counts).map(Cell::from).collect::<Vec<_>>()
        };
        let headings = verdicts.iter().map(|verdict| words::heading(*verdict));
        let numbers = std::iter::once("times").chain(headings).map(Column::right);
        let mut table = Table::of(std::iter::once(Column::left("").cut_to(LEAST_TITLE)).chain(numbers));
        for one in &totals.automations {
            table.row(row(self.title(&one.id), &one.outcomes));
        }
        if totals.automations.len() > 1 {
            table.row(row("all", &totals.outcomes));
        }
        table.written(style, width_of_stdout())
    }

    /// The times that do not simply run, those together that it becomes the same of.
    fn not_as_planned(&self, style: Style) -> String {
        let mut groups: Vec<(&Fire, Vec<&Fire>)> = Vec::new();
        for fire in self.simulation.fires.iter().filter(|fire| fire.outcome != Verdict::Ran) {
            let alike = |(first, _): &&mut (&Fire, Vec<&Fire>)| {
                (&first.id, first.outcome, first.reason) == (&fire.id, fire.outcome, fire.reason)
            };
            match groups.iter_mut().find(alike) {
                Some((_, fires)) => fires.push(fire),
                None => groups.push((fire, vec![fire])),
            }
        }
        if groups.is_empty() {
            return String::new();
        }
        let mut text = format!("\n{}\n", style.strong("Other than planned"));
        for (first, fires) in groups.iter().take(GROUPS) {
            text.push_str(&format!("{}, {}\n", self.title(&first.id), becomes(first)));
            let mut times: Vec<String> = fires.iter().take(TIMES).map(|fire| self.when(fire)).collect();
            if fires.len() > TIMES {
                times.push(format!("and {} more", fires.len() - TIMES));
            }
            text.push_str(&format!("    {}\n", times.join(", ")));
        }
        if groups.len() > GROUPS || self.simulation.truncated {
            text.push_str("There is more than can be told here; --json tells it.\n");
        }
        text
    }

    /// When it is due, and when it starts if that is another time.
    fn when(&self, fire: &Fire) -> String {
        let due = local_time(&self.wanted.zone, fire.at);
        match fire.started_at.filter(|started| *started != fire.at) {
            Some(started) => format!("{due} (starts at {})", local_time(&self.wanted.zone, started)),
            None => due,
        }
    }

    fn title<'a>(&'a self, id: &'a AutomationId) -> &'a str {
        self.wanted.titles.get(id).map_or_else(|| id.as_str(), String::as_str)
    }
}

/// What becomes of it, and why.
fn becomes(fire: &Fire) -> String {
    let heading = words::heading(fire.outcome);
    let Some(reason) = fire.reason else { return heading.to_owned() };
    let why = words::reason(reason);
    match reason {
        Reason::Waited(_) => format!("{heading}: it waits for {why}"),
        Reason::Stopped(_) | Reason::Failed(_) => format!("{heading}: {why}"),
    }
}

/// Why an automation that was named is not due.
fn why_nothing(automation: &Automation) -> String {
    let title = quoted(&title_of(automation));
    match (automation, automation.is_paused()) {
        (_, true) => format!("{title} is paused."),
        (Automation::Known(_), false) => format!("{title} is not due in that time."),
        (Automation::Later(_), false) => {
            format!("{title} is of a newer version of sexton: nothing is known of its schedule.")
        }
    }
}
