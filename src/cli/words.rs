//! What becomes of scheduled times and became of runs, in words for a table and for a line.

use crate::domain::run::WaitingFor;
use crate::domain::run::machine::{ErrorCode, StopReason};
use crate::domain::simulation::Reason;
use crate::domain::verdict::Verdict;

/// What stands above a column.
pub(super) fn heading(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ran => "run",
        Verdict::RanLate => "run late",
        Verdict::Waiting => "still waiting",
        Verdict::NotStarted => "not started",
        Verdict::Missed => "missed",
        Verdict::Overlapped => "overlapped",
        Verdict::Busy => "busy",
        Verdict::Paused => "paused",
        Verdict::Ended => "ended",
        Verdict::Deleted => "deleted",
        Verdict::Pruned => "pruned",
        Verdict::Future => "to come",
        Verdict::NotScheduled => "not scheduled",
    }
}

/// Why something will become of a scheduled time, as a clause; of what it waits for, only that.
pub(super) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Stopped(reason) => stopped(reason),
        Reason::Failed(code) => failed(code),
        Reason::Waited(what) => waits_for(what),
    }
}

fn stopped(reason: StopReason) -> &'static str {
    match reason {
        StopReason::MissedSchedule => "nobody is there to start it in time",
        StopReason::PreviousRunActive => "the run before it is still at work",
        StopReason::PreviousRunAwaitingInput => "the run before it waits for a person",
        StopReason::Paused => "the automation is paused",
        StopReason::Cancelled => "it is cancelled",
        StopReason::Superseded => "a newer run takes its place",
        StopReason::WriterBusy => "its directory is in use",
        StopReason::Capacity => "as many runs are at work as may be",
        StopReason::Expired => "it waits for too long",
        StopReason::Ended => "the schedule is over",
        StopReason::PrecheckSkipped => "its precheck finds nothing to do",
        StopReason::Interrupted => "the window that carries it out dies",
        StopReason::Shutdown => "the window that carries it out is closed",
        StopReason::BlockerLost => "the window that asks a person for it dies",
    }
}

fn failed(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::ExecutionFailed => "its work fails",
        ErrorCode::StepCap => "it takes too many steps",
        ErrorCode::LoopGate => "it does the same again and again",
        ErrorCode::TimedOut => "it takes too long",
        ErrorCode::BudgetExceeded => "it costs too much",
        ErrorCode::NeedsUserInput => "it needs a person",
        ErrorCode::StartFailed => "it cannot be started",
        ErrorCode::ProviderUnavailable => "nobody can carry it out",
        ErrorCode::Crashed => "what carries it out dies",
    }
}

/// What something waits for.
pub(super) fn waits_for(what: WaitingFor) -> &'static str {
    match what {
        WaitingFor::Directory => "its directory",
        WaitingFor::Previous => "the run before it",
        WaitingFor::Capacity => "other runs to end: as many are at work as may be",
        WaitingFor::Close => "a window to be closed",
        WaitingFor::CatchUp => "its turn: what was missed is made up for one by one",
        WaitingFor::Executor => "a window that can carry it out",
        WaitingFor::Retry => "its next try",
    }
}

/// Why a run was stopped, as a clause.
pub(super) fn was_stopped(reason: StopReason) -> &'static str {
    match reason {
        StopReason::MissedSchedule => "nobody was there to start it in time",
        StopReason::PreviousRunActive => "the run before it was still at work",
        StopReason::PreviousRunAwaitingInput => "the run before it waited for a person",
        StopReason::Paused => "the automation was paused",
        StopReason::Cancelled => "somebody cancelled it",
        StopReason::Superseded => "a newer run took its place",
        StopReason::WriterBusy => "its directory was in use",
        StopReason::Capacity => "as many runs were at work as may be for too long",
        StopReason::Expired => "it waited for too long",
        StopReason::Ended => "the schedule was over",
        StopReason::PrecheckSkipped => "its precheck found nothing to do",
        StopReason::Interrupted => "the window that carried it out died",
        StopReason::Shutdown => "the window that carried it out was closed",
        StopReason::BlockerLost => "the window that asked a person for it died",
    }
}
