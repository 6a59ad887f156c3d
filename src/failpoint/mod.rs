//! Points at which a test has a process die, or an operation fail: what follows has to come out right from there.
//!
//! Builds with debug assertions have them, others have none (`armed` and `disarmed` are twins). Which point fails, how,
//! and when is one choice for a sidecar and its guards: `SEXTON_FAILPOINT=<point>:<abort|error>:<n>` means the n-th
//! time that the point is reached; for a point of guards, the first time in the n-th guard that a sidecar starts.
//! `SEXTON_FAILPOINT_LOG` names a file that is told, a line each time, which points are reached: `<point>`, or
//! `<point> <effect>` where it fails.
//!
//! A layer that something may fail in is given [`Failpoints`]; nothing here knows where the choice comes from.

#[cfg(debug_assertions)]
mod armed;
#[cfg(not(debug_assertions))]
mod disarmed;

#[cfg(debug_assertions)]
pub use armed::{Failpoints, Injected, VARIABLES};
#[cfg(not(debug_assertions))]
pub use disarmed::{Failpoints, Injected, VARIABLES};

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The process ends as by SIGKILL: it tidies nothing up.
    Abort,
    /// What is about to be done fails, as it would in reality.
    Error,
}

/// Which process a point is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// The one that serves a window.
    Sidecar,
    /// The one above each command or agent.
    Guard,
}

macro_rules! failpoints {
    ($($(#[$doc:meta])+ $point:ident = $name:literal, $process:ident, [$($effect:ident),+];)+) => {
        /// A moment between two steps that nothing makes one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Failpoint {
            $($(#[$doc])+ $point,)+
        }

        impl Failpoint {
            /// Every point.
            pub const ALL: &[Failpoint] = &[$(Failpoint::$point,)+];

            /// What it is called where it is chosen.
            pub const fn name(self) -> &'static str {
                match self { $(Failpoint::$point => $name,)+ }
            }

            /// Where it is.
            pub const fn process(self) -> Process {
                match self { $(Failpoint::$point => Process::$process,)+ }
            }

            /// What can happen there. Where nothing is about to be done that could fail, only the process can die.
            pub const fn effects(self) -> &'static [Effect] {
                match self { $(Failpoint::$point => &[$(Effect::$effect,)+],)+ }
            }
        }
    };
}

failpoints! {
    /// A transaction is decided. Error: the disk does not take the commit.
    BeforeCommit = "before_commit", Sidecar, [Abort, Error];
    /// It is on disk, and nobody has been told.
    AfterCommit = "after_commit", Sidecar, [Abort];
    /// This window knows, and the others do not. Error: their doorbell cannot be rung.
    BeforeRing = "before_ring", Sidecar, [Abort, Error];
    /// A run was given to this window. Error: its guard cannot be spawned.
    BeforeGuard = "before_guard", Sidecar, [Abort, Error];
    /// A guard is ready, and no row tells of it. Error: the fence cannot be written.
    BeforeFence = "before_fence", Sidecar, [Abort, Error];
    /// A run has begun, and its guard waits. Error: the guard's socket breaks.
    BeforeGo = "before_go", Sidecar, [Abort, Error];
    /// A guard may start its command. Error: it cannot be heard any more.
    AfterGo = "after_go", Sidecar, [Abort, Error];
    /// A command was started. Error: that cannot be written.
    BeforeStartReport = "before_start_report", Sidecar, [Abort, Error];
    /// All work of a run has ended. Error: that cannot be written.
    BeforeEndReport = "before_end_report", Sidecar, [Abort, Error];
    /// There is room to tell a window of a run that it was given. Error: that the run begins cannot be written.
    BeforeServedBegin = "before_served_begin", Sidecar, [Abort, Error];
    /// A run has begun, and the window that is to carry it out has not been told.
    AfterServedBegin = "after_served_begin", Sidecar, [Abort];
    /// A window is to be told that its run is to end. Error: it cannot be told.
    BeforeCancelTold = "before_cancel_told", Sidecar, [Abort, Error];
    /// A window is to be handed what was answered to its run. Error: it cannot be handed that.
    BeforeAnswerTold = "before_answer_told", Sidecar, [Abort, Error];
    /// It was handed that, and the row still says otherwise. Error: that cannot be written.
    BeforeAnswerForgotten = "before_answer_forgotten", Sidecar, [Abort, Error];
    /// A window reports of its run. Error: that cannot be written.
    BeforeReport = "before_report", Sidecar, [Abort, Error];
    /// The report is on disk, and the window does not know.
    AfterReport = "after_report", Sidecar, [Abort];
    /// A window serves a provider no more. Error: that cannot be written.
    BeforeServingEnd = "before_serving_end", Sidecar, [Abort, Error];
    /// A directory is held no more. Error: that cannot be written.
    BeforeHoldEnd = "before_hold_end", Sidecar, [Abort, Error];
    /// Nothing is in the way of a close any more.
    BeforeClose = "before_close", Sidecar, [Abort];
    /// The configuration is to be read anew. Error: it cannot be read.
    BeforeReload = "before_reload", Sidecar, [Abort, Error];
    /// What a close takes has been done, and no row tells of it. Error: that cannot be written.
    BeforeCloseEnd = "before_close_end", Sidecar, [Abort, Error];
    /// A close is over, and what follows from it has not been done.
    AfterCloseEnd = "after_close_end", Sidecar, [Abort];
    /// This window holds the owner's lock. Error: its term cannot be written.
    BeforeTerm = "before_term", Sidecar, [Abort, Error];
    /// Its term has begun.
    AfterTerm = "after_term", Sidecar, [Abort];
    /// This window is to go. Error: that it hands on what it has cannot be written.
    BeforeHandOver = "before_hand_over", Sidecar, [Abort, Error];
    /// What it had not begun is anybody's, and the rest is to end.
    AfterHandOver = "after_hand_over", Sidecar, [Abort];
    /// All of its work has ended. Error: that it has gone cannot be written.
    BeforeDeparture = "before_departure", Sidecar, [Abort, Error];
    /// Its row has gone, and the file of its lock is still there.
    AfterDeparture = "after_departure", Sidecar, [Abort];
    /// A peer has died, and its lock is held here. Error: what it has left cannot be looked at.
    BeforeLeftovers = "before_leftovers", Sidecar, [Abort, Error];
    /// What a dead peer had begun is ended. Error: that cannot be written.
    BeforeBurial = "before_burial", Sidecar, [Abort, Error];
    /// The rows of a dead peer are settled, and the file of its lock is still there.
    AfterBurial = "after_burial", Sidecar, [Abort];
    /// A guard has its work, and nobody knows of it.
    GuardBeforeReady = "guard_before_ready", Guard, [Abort];
    /// A guard has heard the go. Error: the program cannot be executed.
    GuardBeforeStart = "guard_before_start", Guard, [Abort, Error];
    /// The command is there, and nobody knows.
    GuardAfterStart = "guard_after_start", Guard, [Abort];
    /// All work has ended, and nobody knows.
    GuardBeforeLastWord = "guard_before_last_word", Guard, [Abort];
}

impl Effect {
    /// What it is called where it is chosen.
    pub const fn name(self) -> &'static str {
        match self {
            Effect::Abort => "abort",
            Effect::Error => "error",
        }
    }
}
