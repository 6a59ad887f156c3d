//! What a timeline is made of: plain words about runs and times, whoever told them.

use crate::domain::run::machine::StopReason;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;

/// Everything that is known of a span of time.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The span that is looked at.
    pub(super) from: Timestamp,
    /// Its end; after `from`.
    pub(super) to: Timestamp,
    pub(super) now: Timestamp,
    /// By whose clocks times are told.
    pub(super) zone: Zone,
    pub(super) automations: Vec<KnownAutomation>,
    pub(super) runs: Vec<KnownRun>,
    pub(super) fires: Vec<KnownFire>,
    /// When the machine slept.
    pub(super) sleeps: Vec<Sleep>,
    /// How many windows are open that carry out what is due.
    pub(super) windows: usize,
    /// The arguments by which another command finds the same project, each after a blank.
    pub(super) chosen: String,
    /// Which parts of it are not told.
    pub(super) gaps: Vec<Gap>,
}

/// A part of the span that is not told in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// There are more runs than are read: none before this is told.
    RunsBefore(Timestamp),
    /// Nothing is foretold after this.
    ForetoldUntil(Timestamp),
    /// More was recorded after the span than is read, so that something in it may have been missed that is not told.
    RecordedLater,
}

/// The machine slept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sleep {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// An automation that is there.
#[derive(Clone, Debug)]
pub(super) struct KnownAutomation {
    pub(super) id: String,
    /// As one line.
    pub(super) title: String,
    pub(super) paused: bool,
    pub(super) next_at: Option<Timestamp>,
}

/// A run.
#[derive(Clone, Debug)]
pub(super) struct KnownRun {
    pub(super) id: String,
    pub(super) automation: String,
    /// The automation's title when the run was created, as one line.
    pub(super) title: String,
    /// The scheduled time it stands for.
    pub(super) due: Option<Timestamp>,
    /// What it answers for.
    pub(super) slots: Option<Slots>,
    pub(super) triggered_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) stage: Stage,
    /// What overlap skipped behind it.
    pub(super) skipped: Option<Slots>,
}

/// Scheduled times that share a fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slots {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) count: u64,
}

/// Where a run is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not started.
    Waits {
        why: Option<String>,
    },
    Runs,
    /// It waits for a person.
    Asks {
        since: Timestamp,
        what: String,
    },
    Succeeded {
        note: Option<String>,
    },
    Failed {
        why: String,
    },
    Stopped {
        reason: StopReason,
    },
    /// It was stopped, or is something else, for what only a later version knows.
    Unknown {
        word: String,
    },
}

/// A scheduled time that is to come.
#[derive(Clone, Debug)]
pub(super) struct KnownFire {
    pub(super) automation: String,
    pub(super) at: Timestamp,
    pub(super) outcome: Verdict,
    pub(super) started_at: Option<Timestamp>,
    pub(super) why: Option<String>,
}
