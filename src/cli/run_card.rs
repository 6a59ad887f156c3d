//! A run in full for a person.

use super::ago::{relative, relative_and_clock, span};
use super::card::Card;
use super::named::quoted;
use super::run_words::{outcome, outcome_at, times, waits_behind};
use super::show::{Page, Style, Tone};
use crate::client::model::Run;
use crate::domain::one_line::one_line;
use crate::domain::run::{Blocker, Need, ProcessEnd, RunResult, Trigger, Waiting};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// The most characters of one line that others wrote.
const LINE: usize = 400;

/// The most lines of what a run wrote last, and of what an agent said in the end.
const LINES: usize = 12;

/// The most files that are named.
const FILES: usize = 10;

/// What is known of a run, by the clocks of this zone.
pub(super) fn run_card(run: &Run, now: Timestamp, zone: &Zone, page: Page) -> String {
    let style = page.style;
    let at = |at: Timestamp| relative_and_clock(at, now, zone);
    let (word, tone) = outcome(run);
    let took = match (run.started_at, run.completed_at) {
        (Some(started), Some(ended)) => format!(", after {}", span(ended.since_ms(started))),
        (Some(_) | None, _) => String::new(),
    };
    let mut card = Card::default();
    card.add_toned("State", tone, format!("{word} {}{took}", relative(outcome_at(run), now, zone)));
    if let Some(waiting) = &run.waiting {
        card.add("Waits for", waited_for(waiting, &at));
    }
    if let Some(blocker) = &run.blocker {
        asks(&mut card, run, blocker, &at);
    }
    if let Some(stopping) = &run.stopping {
        card.add("Stopping", format!("asked to end {}", at(stopping.since)));
    }
    if let Some(error) = &run.error {
        card.add_toned("Error", Tone::Bad, lines_of(&error.message));
    }
    if let Some(result) = &run.result {
        came_out(&mut card, result);
    }
    if let Some(trigger) = &run.trigger {
        card.add("Because", because(trigger));
    }
    if let Some(scheduled) = run.scheduled_at {
        card.add("Due", at(scheduled));
    }
    if let Some(slots) = run.slots.filter(|slots| slots.count > 1) {
        card.add("Answers", format!("for {}", times(slots, zone)));
    }
    if let Some(skipped) = run.skipped {
        card.add("Skipped", format!("{} meanwhile", times(skipped.slots, zone)));
    }
    card.add("Created", at(run.triggered_at));
    card.entries_of_work(run, &at);
    let mut text = format!(
        "{}\n{}\n\n{}",
        style.strong(&format!("A run of {}", quoted(&run.automation_title))),
        style.faint(run.id.as_str()),
        card.written(page)
    );
    if let Some(end) = &run.end {
        text.push_str(&tail(end, style));
    }
    if run.output.bytes > 0 {
        text.push_str(&format!("\n{}\n", style.faint(&format!("All it wrote: sexton log {}", run.id))));
    }
    text
}

impl Card {
    /// When and where it worked, and what that took.
    fn entries_of_work(&mut self, run: &Run, at: &dyn Fn(Timestamp) -> String) {
        if let Some(started) = run.started_at {
            self.add("Started", at(started));
        }
        if let Some(ended) = run.completed_at {
            self.add("Ended", at(ended));
        }
        if let Some(end) = &run.end {
            let how = match (end.exit_code, end.signal) {
                (Some(code), _) => format!("exit code {code}"),
                (None, Some(signal)) => format!("killed by signal {signal}"),
                (None, None) => "its end was not seen".to_owned(),
            };
            let swept = match end.swept {
                0 => String::new(),
                1 => "; 1 process that it left behind was ended".to_owned(),
                several => format!("; {several} processes that it left behind were ended"),
            };
            self.add("Process", format!("{how}{swept}"));
        }
        let directory = one_line(&run.directory, LINE);
        self.add("Directory", directory);
        if run.steps > 0 || run.cost.is_some() {
            let steps = if run.steps == 1 { "1 step".to_owned() } else { format!("{} steps", run.steps) };
            let cost = run.cost.as_ref().map(|cost| format!(", {:.2} {}", cost.amount, cost.currency));
            self.add("Agent", format!("{steps}{}", cost.unwrap_or_default()));
        }
        if let Some(session) = &run.session_id {
            self.add("Session", one_line(session, LINE));
        }
    }
}

fn because(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Schedule => "it was due".to_owned(),
        Trigger::Manual { .. } => "somebody asked for it".to_owned(),
        Trigger::CatchUp => "what was missed is made up for".to_owned(),
        Trigger::Retry { of } => format!("{of} could not start, and this tries it again"),
    }
}

fn waited_for(waiting: &Waiting, at: &dyn Fn(Timestamp) -> String) -> String {
    let until = waiting.until_at.map(|until| format!("; at the latest {}", at(until)));
    format!("{}, since {}{}", waits_behind(waiting), at(waiting.since), until.unwrap_or_default())
}

/// The question, what may be answered, and how.
fn asks(card: &mut Card, run: &Run, blocker: &Blocker, at: &dyn Fn(Timestamp) -> String) {
    let (question, options, placeholder) = match &blocker.need {
        Need::Permission { title, options, .. } => {
            let options: Vec<(&str, &str)> =
                options.iter().map(|option| (option.id.as_str(), option.label.as_str())).collect();
            (format!("May it? {}", one_line(title, LINE)), options, "OPTION")
        }
        Need::Question { prompt, options, .. } => {
            let options: Vec<(&str, &str)> =
                options.iter().map(|option| (option.id.as_str(), option.label.as_str())).collect();
            let placeholder = if options.is_empty() { "'YOUR WORDS'" } else { "OPTION" };
            (lines_of(prompt), options, placeholder)
        }
    };
    card.add_toned("Asks you", Tone::Warn, question);
    for (id, label) in options {
        card.add("", format!("{}: {}", one_line(id, LINE), one_line(label, LINE)));
    }
    card.add("Answer", format!("sexton answer {} {placeholder}", run.id));
    card.add("", format!("at the latest {}", at(blocker.expires_at)));
}

fn came_out(card: &mut Card, result: &RunResult) {
    use crate::domain::run::ResultOutcome;
    if let Some(outcome) = result.outcome {
        let (words, tone) = match outcome {
            ResultOutcome::Changed => ("something was changed", Tone::Usual),
            ResultOutcome::Findings => ("something was found", Tone::Usual),
            ResultOutcome::Nothing => ("there was nothing to do", Tone::Usual),
            ResultOutcome::NeedsHuman => ("you have to look at it", Tone::Warn),
        };
        card.add_toned("Result", tone, words);
    }
    if let Some(said) = &result.text {
        card.add("Said", lines_of(said));
    }
    if let Some(files) = &result.files {
        let mut named: Vec<String> = files.iter().take(FILES).map(|file| one_line(file, LINE)).collect();
        match files.len().checked_sub(FILES) {
            None | Some(0) => {}
            Some(more) => named.push(format!("and {more} more")),
        }
        if !named.is_empty() {
            card.add("Changed", named.join("\n"));
        }
    }
}

/// Text of others, with its lines and without what could steer a terminal; not more than a person reads here.
fn lines_of(text: &str) -> String {
    let all: Vec<String> = text.trim_end().lines().map(|line| one_line(line, LINE)).collect();
    let mut shown: Vec<&str> = all.iter().take(LINES).map(String::as_str).collect();
    if all.len() > LINES {
        shown.push("…");
    }
    shown.join("\n")
}

/// The end of what it wrote.
fn tail(end: &ProcessEnd, style: Style) -> String {
    let lines: Vec<String> = end.tail.lines().map(|line| one_line(line, LINE)).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    if last.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", style.faint("It wrote last:"));
    for line in last {
        text.push_str(format!("  {line}").trim_end());
        text.push('\n');
    }
    text
}
