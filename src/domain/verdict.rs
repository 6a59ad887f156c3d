//! What became of a scheduled time, in one word.
//!
//! One function tells it of a run, whether that has happened or is foretold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run::machine::StopReason;
use super::run::{Phase, Run, Trigger};
use super::time::Timestamp;

/// What became of a scheduled time, or of a time that somebody asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its work was started when it was due, or within the grace.
    Ran,
    /// Its work was started later than that; or a later run made up for it.
    RanLate,
    /// Its time has come and nothing was started yet: its run is there and waits, or nobody has decided about it.
    Waiting,
    /// Its run is there and has ended before its work could start, for a reason that is none of the next ones.
    NotStarted,
    /// Nobody was there in time to start it.
    Missed,
    /// Another run of the same automation was active, or took its place.
    Overlapped,
    /// Other work held its directory, or all room, for too long.
    Busy,
    /// The automation was paused.
    Paused,
    /// The schedule was over.
    Ended,
    /// The automation was deleted.
    Deleted,
    /// It was answered for; what is left of that is the account of its day.
    Pruned,
    /// It is still to come.
    Future,
    /// It was never one of the automation's times.
    NotScheduled,
}

impl Verdict {
    /// All of them, in the order of the contract.
    pub const ALL: [Verdict; 13] = [
        Verdict::Ran,
        Verdict::RanLate,
        Verdict::Waiting,
        Verdict::NotStarted,
        Verdict::Missed,
        Verdict::Overlapped,
        Verdict::Busy,
        Verdict::Paused,
        Verdict::Ended,
        Verdict::Deleted,
        Verdict::Pruned,
        Verdict::Future,
        Verdict::NotScheduled,
    ];

    /// What became of this slot, as the run tells that answers for it.
    pub fn of_run(run: &Run, slot: Timestamp, grace_ms: i64) -> Verdict {
        match (run.started_at(), &run.phase) {
            (Some(_), _) if run.trigger == Trigger::CatchUp => Verdict::RanLate,
            (Some(started), _) if started.since_ms(slot) > grace_ms => Verdict::RanLate,
            (Some(_), _) => Verdict::Ran,
            (None, Phase::Scheduled { .. }) => Verdict::Waiting,
            (None, Phase::Stopped { reason, .. }) => Verdict::of_stop(*reason),
            (
                None,
                Phase::Running { .. }
                | Phase::AwaitingInput { .. }
                | Phase::Succeeded { .. }
                | Phase::Failed { .. },
            ) => Verdict::NotStarted,
        }
    }

    /// What it means for a slot that its run was stopped before its work could start.
    const fn of_stop(reason: StopReason) -> Verdict {
        match reason {
            StopReason::MissedSchedule => Verdict::Missed,
            StopReason::PreviousRunActive | StopReason::PreviousRunAwaitingInput | StopReason::Superseded => {
                Verdict::Overlapped
            }
            StopReason::WriterBusy | StopReason::Capacity => Verdict::Busy,
            StopReason::Paused => Verdict::Paused,
            StopReason::Ended => Verdict::Ended,
            StopReason::Cancelled
            | StopReason::Expired
            | StopReason::PrecheckSkipped
            | StopReason::Interrupted
            | StopReason::Shutdown
            | StopReason::BlockerLost => Verdict::NotStarted,
        }
    }
}
