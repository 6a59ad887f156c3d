//! How runs are spoken of: what they waited for, and what they came to.

use super::words::{counted, inserted};
use crate::domain::run::machine::StopReason;
use crate::domain::run::{Ended, Phase, Run, SlotRange, WaitingFor};
use crate::domain::time::Timestamp;

/// A start so much after the slot is told as late, in milliseconds, though it is within the grace.
pub(super) const NOTICED_MS: i64 = 1000;

pub(super) fn stop_reason(run: &Run) -> Option<StopReason> {
    match &run.phase {
        Phase::Stopped { reason, .. } => Some(*reason),
        Phase::Scheduled { .. }
        | Phase::Running { .. }
        | Phase::AwaitingInput { .. }
        | Phase::Succeeded { .. }
        | Phase::Failed { .. } => None,
    }
}

/// When the last thing happened to a run that matters here: its end, its start, or its beginning.
pub(super) fn since(run: &Run) -> Timestamp {
    let ended = run.ended().map(|Ended { completed_at, .. }| *completed_at);
    ended.or(run.started_at()).unwrap_or(run.triggered_at)
}

/// `it and …`, of a run that stands for several times.
pub(super) fn and_others(slots: SlotRange) -> String {
    match slots.count.saturating_sub(1) {
        1 => "1 other".to_owned(),
        others => format!("{others} others"),
    }
}

pub(super) fn times(slots: SlotRange) -> String {
    counted(slots.count, "scheduled time")
}

/// What it waited for, as somebody says who looks back.
pub(super) fn waited(what: WaitingFor) -> &'static str {
    match what {
        WaitingFor::Directory => "for its directory",
        WaitingFor::Previous => "for its previous run to go",
        WaitingFor::Capacity => "for room: as many runs were at work as may be at once",
        WaitingFor::Close => "for a window that was being closed",
        WaitingFor::CatchUp => "for its turn among what was missed",
        WaitingFor::Executor => "for somebody who could carry it out",
        WaitingFor::Retry => "to be tried again",
    }
}

/// How a run that has started went on: `succeeded`.
pub(super) fn how_it_went(run: &Run, at: &str) -> String {
    match &run.phase {
        Phase::Scheduled { .. } | Phase::Running { .. } => "is still at work".to_owned(),
        Phase::AwaitingInput { .. } => "waits for a person".to_owned(),
        Phase::Succeeded { .. } => "succeeded".to_owned(),
        Phase::Failed { error, .. } => format!("failed: {}", inserted(&error.message)),
        Phase::Stopped { reason, .. } => format!("was stopped at {at}: {}", word(reason)),
    }
}

pub(super) fn end(run: &Run) -> String {
    match &run.phase {
        Phase::Scheduled { .. } | Phase::Running { .. } | Phase::AwaitingInput { .. } => "goes on".to_owned(),
        Phase::Succeeded { .. } => "succeeded".to_owned(),
        Phase::Failed { error, .. } => format!("failed: {}", inserted(&error.message)),
        Phase::Stopped { reason, .. } => format!("was stopped: {}", word(reason)),
    }
}

/// What of a run's failure goes behind a clause.
pub(super) fn failure_of(run: &Run) -> String {
    match &run.phase {
        Phase::Failed { error, .. } => format!(" ({})", inserted(&error.message)),
        Phase::Scheduled { .. }
        | Phase::Running { .. }
        | Phase::AwaitingInput { .. }
        | Phase::Succeeded { .. }
        | Phase::Stopped { .. } => String::new(),
    }
}

/// Why a run was stopped, for people.
pub(super) fn word(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::MissedSchedule => "it was missed",
        StopReason::PreviousRunActive => "the previous run was active",
        StopReason::PreviousRunAwaitingInput => "the previous run was waiting for a person",
        StopReason::Paused => "the automation was paused",
        StopReason::Cancelled => "it was cancelled",
        StopReason::Superseded => "it made way for the next one",
        StopReason::WriterBusy => "its directory was busy",
        StopReason::Capacity => "there was no room for it",
        StopReason::Expired => "it had waited for too long",
        StopReason::Ended => "the automation had had all its runs",
        StopReason::PrecheckSkipped => "its precheck said that there was nothing to do",
        StopReason::Interrupted => "its window had gone",
        StopReason::Shutdown => "its window was closed",
        StopReason::BlockerLost => "the window had gone that could have passed on an answer",
    }
}
