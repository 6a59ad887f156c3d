//! An automation in full for a person.

use super::ago::{relative, relative_and_clock, span};
use super::card::Card;
use super::named::{quoted, title_of, zone_of};
use super::run_words::{outcome, outcome_at};
use super::show::{Page, Tone};
use super::standing::{note, pause_reason, when_with_zone};
use super::table::{Cell, Column, Table};
use super::{policy_words, show_words};
use crate::client::model::{Automation, Run};
use crate::domain::automation::{Pause, PauseReason};
use crate::domain::one_line::one_line;
use crate::domain::schedule::rhythm::Stop;
use crate::domain::schedule::zone::Zone;
use crate::domain::shown::ShownAutomation;
use crate::domain::time::Timestamp;

/// The most characters of a warning.
const WARNING: usize = 1000;

/// What is known of an automation and of its last runs.
pub(super) fn automation_card(automation: &Automation, runs: &[Run], now: Timestamp, page: Page) -> String {
    let zone = zone_of(automation).unwrap_or_else(Zone::machine);
    let mut card = Card::default();
    match automation {
        Automation::Known(known) => describe(&mut card, known, now, &zone),
        Automation::Later(later) => {
            let says = later.rest.get("state").and_then(|state| state["warnings"][0].as_str());
            card.add_toned(
                "Warning",
                Tone::Warn,
                one_line(says.unwrap_or("a newer sexton wrote it"), WARNING),
            );
        }
    }
    let mut text = format!(
        "{}\n{}\n\n{}",
        page.style.strong(&title_of(automation)),
        page.style.faint(&format!("{}, revision {}", automation.id(), automation.revision())),
        card.written(page)
    );
    if !runs.is_empty() {
        text.push_str(&format!("\n{}", table(runs, now, &zone).written(page.style, page.width)));
    }
    text
}

fn describe(card: &mut Card, automation: &ShownAutomation, now: Timestamp, zone: &Zone) {
    use crate::domain::automation::When;
    let at = |at| relative_and_clock(at, now, zone);
    card.add("When", when_with_zone(automation));
    if let Some(pause) = &automation.pause {
        paused(card, automation, pause, &at);
    } else if automation.state.next_fires.is_empty() {
        card.add("Next", "never again: its schedule is over");
    } else {
        let fires: Vec<String> = automation.state.next_fires.iter().map(|fire| at(*fire)).collect();
        card.add("Next", fires.join("\n"));
    }
    if let When::Recurring { stop: Stop::Count(count), .. } = &automation.definition.when {
        let done = automation.state.completed_runs;
        card.add("Done", format!("{done} of {count}"));
    }
    let (name, line) = show_words::task(&automation.definition.task);
    card.add(name, line);
    for (name, line) in show_words::beside(automation) {
        card.add(name, line);
    }
    let default = automation.definition.task.default_policy();
    let chosen = policy_words::chosen(&automation.definition.policy, &default);
    if !chosen.is_empty() {
        card.add("Policy", chosen.join("\n"));
    }
    if automation.state.failure_streak > 0 {
        let streak = automation.state.failure_streak;
        let failed = if streak == 1 { "the last run".to_owned() } else { format!("the last {streak} runs") };
        card.add_toned("Failed", Tone::Bad, failed);
    }
    let client = automation.created_by.client.as_deref().map(|client| format!(" by {}", quoted(client)));
    card.add("Created", format!("{}{}", at(automation.created_at), client.unwrap_or_default()));
    for warning in &automation.state.warnings {
        card.add_toned("Warning", Tone::Warn, one_line(warning, WARNING));
    }
}

/// Why, since when, and what is to be done.
fn paused(card: &mut Card, automation: &ShownAutomation, pause: &Pause, at: &dyn Fn(Timestamp) -> String) {
    let (why, tone) = pause_reason(pause.reason);
    let tone = if tone == Tone::Bad { Tone::Bad } else { Tone::Warn };
    card.add_toned("Paused", tone, format!("{why}, {}", at(pause.at)));
    if let Some(note) = note(pause) {
        card.add("", note);
    }
    let first = match pause.reason {
        PauseReason::User | PauseReason::Run => "",
        PauseReason::Failures | PauseReason::Config => "Look at its last run, mend it, then: ",
        PauseReason::Auth => "Log in again, then: ",
        PauseReason::Quota => "When the quota is there again: ",
    };
    card.add("", format!("{first}sexton resume {}", automation.id));
}

fn table(runs: &[Run], now: Timestamp, zone: &Zone) -> Table {
    let mut table = Table::of([
        Column::left("LAST RUNS"),
        Column::left(""),
        Column::left("DUE").spared_below(10),
        Column::right("TOOK").spared_below(5),
        Column::left("ID"),
    ]);
    for run in runs {
        let (word, tone) = outcome(run);
        let took = match (run.started_at, run.completed_at) {
            (Some(started), Some(ended)) => span(ended.since_ms(started)),
            (Some(_) | None, _) => String::new(),
        };
        let due = run.scheduled_at.map(|due| crate::domain::schedule::local_time(zone, due));
        table.row([
            Cell::from(word).toned(tone),
            relative(outcome_at(run), now, zone).into(),
            due.unwrap_or_else(|| "by hand".to_owned()).into(),
            took.into(),
            Cell::from(run.id.as_str()).toned(Tone::Faint),
        ]);
    }
    table
}
