//! A run in words for a line: what became of it, why, and what it waits for.

use super::ago::clock;
use super::named::quoted;
use super::show::Tone;
use super::words::{waits_for, was_stopped};
use crate::client::model::{Run, RunState};
use crate::domain::automation::PublicTask;
use crate::domain::one_line::one_line;
use crate::domain::run::machine::{ErrorCode, State, StopReason};
use crate::domain::run::{Ahead, Need, RunError, SlotRange, Waiting};
use crate::domain::schedule::local_time;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// The most characters that are told of what others wrote.
const SENTENCE: usize = 400;

/// What became of a run, in a word or two, and how that is for whoever looks over a list.
pub(super) fn outcome(run: &Run) -> (String, Tone) {
    let state = match &run.state {
        RunState::Later(word) => return (one_line(word, SENTENCE), Tone::Usual),
        RunState::Known(state) => *state,
    };
    let (word, tone) = match (state, run.stopping.is_some()) {
        (State::Scheduled | State::Running | State::AwaitingInput, true) => ("stopping", Tone::Warn),
        (State::Scheduled, false) => match run.waiting {
            Some(_) => ("waiting", Tone::Accent),
            None => ("starting", Tone::Accent),
        },
        (State::Running, false) => ("running", Tone::Accent),
        (State::AwaitingInput, false) => ("asks you", Tone::Warn),
        (State::Succeeded, _) => ("succeeded", Tone::Good),
        (State::Failed, _) => ("failed", Tone::Bad),
        (State::Stopped, _) => run.stop_reason.map_or(("stopped", Tone::Usual), stopped),
    };
    (word.to_owned(), tone)
}

/// When a run did what [`outcome`] says.
pub(super) fn outcome_at(run: &Run) -> Timestamp {
    run.completed_at.or(run.started_at).unwrap_or(run.triggered_at)
}

fn stopped(reason: StopReason) -> (&'static str, Tone) {
    match reason {
        StopReason::MissedSchedule => ("missed", Tone::Warn),
        StopReason::PreviousRunActive | StopReason::PreviousRunAwaitingInput => ("overlapped", Tone::Warn),
        StopReason::Paused => ("paused", Tone::Usual),
        StopReason::Cancelled => ("cancelled", Tone::Usual),
        StopReason::Superseded => ("superseded", Tone::Usual),
        StopReason::WriterBusy => ("directory busy", Tone::Warn),
        StopReason::Capacity => ("no room", Tone::Warn),
        StopReason::Expired => ("expired", Tone::Warn),
        StopReason::Ended => ("schedule over", Tone::Usual),
        StopReason::PrecheckSkipped => ("nothing to do", Tone::Usual),
        StopReason::Interrupted | StopReason::BlockerLost => ("interrupted", Tone::Bad),
        StopReason::Shutdown => ("window closed", Tone::Warn),
    }
}

/// The run with its automation: `run_1 of “Backup”`.
pub(super) fn named(run: &Run) -> String {
    format!("{} of {}", run.id, quoted(&run.automation_title))
}

/// Why it is as it is, and what else belongs to it, as clauses; nothing if its outcome says it all.
pub(super) fn why(run: &Run, now: Timestamp, zone: &Zone) -> String {
    let mut clauses = Vec::new();
    if let Some(waiting) = &run.waiting {
        clauses.push(format!("for {}", waits(waiting, now, zone)));
    }
    if let Some(blocker) = &run.blocker {
        let asked = match &blocker.need {
            Need::Permission { title, .. } => title,
            Need::Question { prompt, .. } => prompt,
        };
        clauses.push(one_line(asked, SENTENCE));
    }
    if let Some(error) = &run.error {
        clauses.push(by_itself(run, error).unwrap_or_else(|| one_line(&error.message, SENTENCE)));
    }
    // That somebody cancelled it is its outcome already.
    if let Some(reason) = run.stop_reason.filter(|reason| *reason != StopReason::Cancelled) {
        clauses.push(was_stopped(reason).to_owned());
    }
    if let Some(slots) = run.slots.filter(|slots| slots.count > 1) {
        clauses.push(format!("for {}", times(slots, zone)));
    }
    if let Some(skipped) = run.skipped {
        clauses.push(format!("skipped behind it: {}", times(skipped.slots, zone)));
    }
    clauses.join("; ")
}

/// How a command failed that failed by itself: the exit code says it all, and what it wrote is shown elsewhere.
fn by_itself(run: &Run, error: &RunError) -> Option<String> {
    let failed_itself = error.code == ErrorCode::ExecutionFailed;
    let is_command = matches!(run.task, Some(PublicTask::Command { .. }));
    let end = run.end.as_ref().filter(|_| failed_itself && is_command)?;
    match (end.exit_code, end.signal) {
        (Some(code), _) => Some(format!("the command exited with code {code}")),
        (None, Some(signal)) => Some(format!("the command was killed by signal {signal}")),
        (None, None) => None,
    }
}

/// What it waits for, behind what and until when.
pub(super) fn waits(waiting: &Waiting, now: Timestamp, zone: &Zone) -> String {
    let until = waiting.until_at.map(|until| format!(", until {}", clock(until, now, zone)));
    format!("{}{}", waits_behind(waiting), until.unwrap_or_default())
}

/// What it waits for, and behind what.
pub(super) fn waits_behind(waiting: &Waiting) -> String {
    let behind = match &waiting.behind {
        Some(Ahead::Run(run)) => format!(", behind {run}"),
        Some(Ahead::Hold(_)) => ", behind your own work".to_owned(),
        None => String::new(),
    };
    format!("{}{behind}", waits_for(waiting.what))
}

/// Scheduled times: how many, and from when to when.
pub(super) fn times(slots: SlotRange, zone: &Zone) -> String {
    let SlotRange { from_at, to_at, count } = slots;
    match count {
        1 => format!("the time {}", local_time(zone, from_at)),
        count => {
            let at_least = if count >= SlotRange::COUNTED { "at least " } else { "" };
            format!("{at_least}{count} times, {} to {}", local_time(zone, from_at), local_time(zone, to_at))
        }
    }
}

/// The exit code of its process, or the signal that killed it; nothing if there was none.
pub(super) fn exit_of(run: &Run) -> String {
    match run.end.as_ref().map(|end| (end.exit_code, end.signal)) {
        Some((Some(code), _)) => code.to_string(),
        Some((None, Some(signal))) => format!("signal {signal}"),
        Some((None, None)) | None => String::new(),
    }
}

/// How long its work took, or has taken so far, in milliseconds.
pub(super) fn took_ms(run: &Run, now: Timestamp) -> Option<i64> {
    let started = run.started_at?;
    Some(run.completed_at.unwrap_or(now).since_ms(started))
}
