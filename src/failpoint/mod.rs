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
    /// The one above each command.
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
    /// A run has begun, and its guard waits. Error: the guard's pipe breaks.
    BeforeGo = "before_go", Sidecar, [Abort, Error];
    /// A guard may start its command. Error: it cannot be heard any more.
    AfterGo = "after_go", Sidecar, [Abort, Error];
    /// A command was started. Error: that cannot be written.
    BeforeStartReport = "before_start_report", Sidecar, [Abort, Error];
    /// All work of a run has ended. Error: that cannot be written.
    BeforeEndReport = "before_end_report", Sidecar, [Abort, Error];
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
