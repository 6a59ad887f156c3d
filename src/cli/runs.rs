//! `sexton runs`: what has run, what runs, and what was not carried out.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::ago::{relative, span};
use super::named::{Intent, automation_named};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::run_words::{exit_of, outcome, took_ms, why};
use super::show::{Shown, Style, Tone, width_of_stdout};
use super::table::{Cell, Column, Table};
use crate::client::Client;
use crate::client::model::Run;
use crate::domain::one_line::one_line;
use crate::domain::run::machine::State;
use crate::domain::schedule::local_time;
use crate::domain::schedule::typed::{read_span, read_time};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "runs";

/// The most characters of a title, and of a reason.
const TITLE: usize = 160;
const REASON: usize = 400;

/// The most runs that are shown at once.
const MOST: u32 = 100_000;

#[derive(Args)]
pub(super) struct RunsArgs {
    /// Only those of this automation, by its id or title; one that was deleted by its id.
    #[arg(value_name = "ID")]
    automation: Option<String>,
    /// Only those in this state: scheduled, running, awaiting_input, succeeded, failed, stopped, or `active` for the first
    /// three. May be given several times.
    #[arg(long = "state", value_name = "STATE", value_parser = states)]
    states: Vec<States>,
    /// Only those that there were from this time on, such as `09:00`, `yesterday 09:00` or `2025-01-06 09:00`, or for so
    /// long, such as `2h` or `7d`.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only those that there were before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The most runs that are shown.
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
    most: u32,
    /// Answers with one array of runs, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// The states that a word stands for.
#[derive(Clone, Debug)]
struct States(Vec<State>);

fn states(word: &str) -> Result<States, String> {
    let wanted = word.to_lowercase().replace('-', "_");
    let named = |state: &State| match wanted.as_str() {
        "active" => state.is_active(),
        word => state.as_str() == word,
    };
    let states: Vec<State> = State::ALL.into_iter().filter(named).collect();
    match states.is_empty() {
        true => Err(format!("write one of: active, {}", State::ALL.map(State::as_str).join(", "))),
        false => Ok(States(states)),
    }
}

/// Lists them. The exit code is 2 where something that was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: RunsArgs) -> ExitCode {
    let style = Style::of_stdout(&environment);
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let listed = ask(asker, chosen, async |client| {
        let (now, zone) = (Clock.now(), Zone::machine());
        let wanted = wanted(client, &args, now, &zone).await?;
        let most = usize::try_from(args.most).unwrap_or(usize::MAX);
        let (runs, there_are_more) = client.first::<Value>("run/list", wanted, most).await?;
        if args.json {
            return Ok(Shown::Json(Value::Array(runs)));
        }
        let runs = runs.into_iter().map(read::<Run>).collect::<Result<Vec<Run>, Trouble>>()?;
        let columns = if args.automation.is_some() { Whose::One } else { Whose::Several };
        let mut text = written(&runs, columns, (now, &zone), style, width_of_stdout());
        if runs.is_empty() {
            text = "There are no such runs.\n".to_owned();
        } else if there_are_more {
            text.push_str(&style.faint(&match args.most.saturating_mul(2).min(MOST) {
                more if more > args.most => format!("There are more; -n {more} shows more of them."),
                _ => "There are more; --until shows those before a time.".to_owned(),
            }));
            text.push('\n');
        }
        Ok(Shown::Text(text))
    });
    match listed {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

async fn wanted(client: &Client, args: &RunsArgs, now: Timestamp, zone: &Zone) -> Result<Value, Trouble> {
    let mut wanted = json!({});
    if let Some(name) = &args.automation {
        wanted["automationID"] = json!(automation_named(client, name, Intent::Look).await?.id);
    }
    let mut states: Vec<&str> = Vec::new();
    for state in args.states.iter().flat_map(|states| &states.0).map(|state| state.as_str()) {
        if !states.contains(&state) {
            states.push(state);
        }
    }
    if !states.is_empty() {
        wanted["states"] = json!(states);
    }
    for (name, typed) in [("fromAt", &args.since), ("toAt", &args.until)] {
        if let Some(typed) = typed {
            wanted[name] = json!(time_or_span(typed, now, zone)?);
        }
    }
    Ok(wanted)
}

/// A time, or so long ago.
fn time_or_span(typed: &str, now: Timestamp, zone: &Zone) -> Result<Timestamp, Trouble> {
    match (read_time(typed, zone, now), read_span(typed)) {
        (Ok(at), _) => Ok(at),
        (Err(_), Ok(ms)) => Ok(now.plus_ms(-ms).max(Timestamp::EPOCH)),
        (Err(error), Err(_)) => Err(Trouble::Unusable(format!("{error}; or a span such as `2h` or `7d`"))),
    }
}

/// Whether the automation has to be told of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    One,
    Several,
}

fn written(
    runs: &[Run],
    whose: Whose,
    (now, zone): (Timestamp, &Zone),
    style: Style,
    width: Option<usize>,
) -> String {
    let mut columns = vec![Column::left("RUN")];
    if whose == Whose::Several {
        columns.push(Column::left("AUTOMATION").cut_to(10));
    }
    columns.extend([
        Column::left("OUTCOME"),
        Column::left("WHEN"),
        Column::right("TOOK").spared_below(5),
        Column::right("EXIT").spared_below(4),
        Column::left("WHY").spared_below(12),
    ]);
    let mut table = Table::of(columns);
    for run in runs {
        let (word, tone) = outcome(run);
        let at = run.started_at.or(run.scheduled_at).unwrap_or(run.triggered_at);
        // Who reads it elsewhere may read it later.
        let when = match width {
            Some(_) => relative(at, now, zone),
            None => local_time(zone, at),
        };
        let took = took_ms(run, now).map(span).unwrap_or_default();
        let mut cells = vec![Cell::from(run.id.as_str()).toned(Tone::Faint)];
        if whose == Whose::Several {
            cells.push(one_line(&run.automation_title, TITLE).into());
        }
        cells.extend([Cell::from(word).toned(tone), when.into(), took.into(), exit_of(run).into()]);
        cells.push(one_line(&why(run, now, zone), REASON).into());
        table.row(cells);
    }
    table.written(style, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_usual_terminal_each_run_has_one_line_with_all_of_its_id() {
        let id = "run_00000000000000000000000000000000";
        let run: Run = serde_json::from_value(json!({"id": id, "automationID": "atm_1",
            "automationTitle": "Tests of each night", "revision": 1, "triggeredAt": 0, "startedAt": 0,
            "completedAt": 754_000, "state": "failed", "end": {"exitCode": 101}, "directory": "/",
            "error": {"code": "EXECUTION_FAILED", "message": "the command ended with exit code 101"}}))
        .unwrap();
        for minutes in [0, 47, 60 * 47, 60 * 24 * 30] {
            let at = (Timestamp::EPOCH.plus_ms(754_000 + minutes * 60_000), &Zone::utc());
            for whose in [Whose::One, Whose::Several] {
                let page = written(std::slice::from_ref(&run), whose, at, Style::Plain, Some(80));
                assert_eq!(page.lines().count(), 2, "{page}");
                for line in page.lines() {
                    assert!(line.chars().count() <= 80, "{page}");
                }
                assert!(page.contains(id) && page.contains("failed"), "{page}");
            }
        }
    }
}
