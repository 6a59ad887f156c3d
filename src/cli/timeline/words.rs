//! What happened to runs that were stopped, as a clause about the past.

use crate::domain::run::SlotRange;
use crate::domain::run::machine::StopReason;

/// Why a run was stopped whose work had started.
pub(super) const fn stopped_at_work(reason: StopReason) -> &'static str {
    match reason {
        StopReason::MissedSchedule => "nobody was there to start it in time",
        StopReason::PreviousRunActive => "the run before it was still at work",
        StopReason::PreviousRunAwaitingInput => "the run before it waited for a person",
        StopReason::Paused => "the automation was paused",
        StopReason::Cancelled => "it was cancelled",
        StopReason::Superseded => "a newer run took its place",
        StopReason::WriterBusy => "its directory was in use",
        StopReason::Capacity => "as many runs as may be were at work for too long",
        StopReason::Expired => "nobody answered what it asked",
        StopReason::Ended => "the schedule was over",
        StopReason::PrecheckSkipped => "its precheck found nothing to do",
        StopReason::Interrupted => "the window that carried it out died",
        StopReason::Shutdown => "the window that carried it out was closed",
        StopReason::BlockerLost => "the window that asked a person for it died",
    }
}

/// Why a run was stopped before its work could start.
pub(super) const fn never_started(reason: StopReason) -> &'static str {
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
