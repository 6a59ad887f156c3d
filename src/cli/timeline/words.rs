//! What happened to runs that were stopped, as a clause about the past.

use super::super::words::was_stopped;
use crate::domain::run::SlotRange;
use crate::domain::run::machine::StopReason;

/// Why a run was stopped whose work had started.
pub(super) fn stopped_at_work(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Cancelled => "it was cancelled",
        StopReason::Capacity => "as many runs as may be were at work for too long",
        StopReason::Expired => "nobody answered what it asked",
        StopReason::MissedSchedule
        | StopReason::PreviousRunActive
        | StopReason::PreviousRunAwaitingInput
        | StopReason::Paused
        | StopReason::Superseded
        | StopReason::WriterBusy
        | StopReason::Ended
        | StopReason::PrecheckSkipped
        | StopReason::Interrupted
        | StopReason::Shutdown
        | StopReason::BlockerLost => was_stopped(reason),
    }
}

/// Why a run was stopped before its work could start.
pub(super) fn never_started(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Expired => "it had waited too long to be started",
        StopReason::MissedSchedule
        | StopReason::PreviousRunActive
        | StopReason::PreviousRunAwaitingInput
        | StopReason::Paused
        | StopReason::Cancelled
        | StopReason::Superseded
        | StopReason::WriterBusy
        | StopReason::Capacity
        | StopReason::Ended
        | StopReason::PrecheckSkipped
        | StopReason::Interrupted
        | StopReason::Shutdown
        | StopReason::BlockerLost => stopped_at_work(reason),
    }
}

/// What is said of runs that answer for so many missed times too; of none, nothing.
pub(super) fn also(missed: u64) -> Option<String> {
    match missed {
        0 => None,
        _ if missed >= SlotRange::COUNTED => Some(format!("also for at least {missed} missed")),
        _ => Some(format!("also for {missed} missed")),
    }
}

/// `once`, `3 times`; from so many on that are counted `at least`.
pub(super) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        _ if count >= SlotRange::COUNTED => format!("at least {count} times"),
        _ => format!("{count} times"),
    }
}
