//! Carries out work: commands and agents, each under a guard of its own, supervised from the sidecar's loop.
//!
//! ```text
//!   sidecar                      guard (`sexton guard`)            command
//!   prepare ── work ───────────► reads it
//!           ◄─ Ready(identity) ─ waits, nothing is started yet
//!   go ─────── go ─────────────► starts the precheck, if there is one
//!                                starts it, if that allows ──────► runs, in a session of its own
//!           ◄─ Started ───────── spools its output
//!   stop ───── stop ───────────► SIGTERM, 5 s, SIGKILL ──────────► ends
//!           ◄─ Ended ─────────── sweeps what was left, exits
//! ```
//!
//! **Nothing of a run outlives the run, nor its sidecar.** The socket to the guard is the life line: when its other
//! half closes, for whatever reason, the guard kills the tree at once. When the guard is killed, the kernel kills
//! the command and the sidecar sweeps the rest, which it knows by the run's token in their environment.
//!
//! An agent is guarded in the same way. Its standard input and output are pipes that lead straight to the sidecar; the
//! guard hands them on and keeps neither, so that each side hears when the other one ends.
//!
//! What no process can be kept from: a guard and a sidecar that are both killed leave behind a child that
//! left the session *and* cleared its environment, until somebody calls [`end_leftovers`] while the tree
//! still hangs together; and programs that run as another user (`sudo`) cannot be killed by this one.

mod git;
mod guard_protocol;
mod launch;
mod leftovers;
mod private;
mod process;
mod supervise;
mod watched;
mod work;

pub mod acp;
pub mod facts;
pub mod guard;
pub mod spool;
pub mod worktree;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::policy::STOP_GRACE_MS;
pub use crate::domain::process::ProcessIdentity;
pub use crate::domain::run::StartFailure;
use crate::failpoint::Failpoints;

pub use leftovers::{Leftovers, end_leftovers};
pub use process::AgentPipes;
pub use supervise::{Handle, prepare, prepare_agent};
pub use watched::{Watched, stdin_hung_up};
pub use work::{AgentWork, CommandWork, PrecheckWork};

/// How long a command that was asked to stop may take before it is killed.
pub const STOP_GRACE: Duration = Duration::from_millis(STOP_GRACE_MS.cast_unsigned());

/// The variable that carries a run's token in the environment of its guard and of everything below it.
pub const TOKEN_VARIABLE: &str = "SEXTON_RUN_TOKEN";

/// How many bytes of the end of an output are kept with a run.
pub const TAIL_BYTES: usize = 4096;

/// The most that is kept of what the precheck of an agent writes to its standard output: its beginning. It is meant for the
/// prompt, which is told the end of it, and a precheck that writes a page of facts should not lose that end.
pub const PRECHECK_OUTPUT_BYTES: u64 = 1024 * 1024;

/// This process, told apart from every other.
///
/// # Errors
/// When the system does not tell.
pub fn own_identity() -> std::io::Result<ProcessIdentity> {
    process::own_identity()
}

/// Which boot of which machine the clocks of this process count from; empty if the system does not tell.
pub fn boot_of_clocks() -> String {
    process::boot_of_clocks()
}

/// What this process starts to start itself anew: the very binary, also after the file on disk was replaced by an upgrade
/// (Linux). It means something else in other processes.
///
/// # Errors
/// Elsewhere than on Linux, when the system cannot tell where the binary is.
pub fn this_binary() -> std::io::Result<PathBuf> {
    process::this_binary()
}

/// The absolute path by which other processes find the binary of this one while it lives. On Linux that holds after an
/// upgrade as well: what was put in its place is named, which works beside this one, and if nothing was, the binary itself.
///
/// # Errors
/// When the system does not tell.
pub fn own_binary() -> std::io::Result<PathBuf> {
    process::own_binary()
}

/// Whether a process is still there. One of another pid namespace cannot be seen and is taken for alive.
pub fn is_alive(identity: &ProcessIdentity) -> bool {
    if identity.boot_id != process::boot_id() {
        return false;
    }
    if identity.pid_namespace != process::pid_namespace() {
        return true;
    }
    process::find(identity.pid)
        .is_some_and(|found| found.start_time == identity.start_time && found.state == process::State::Alive)
}

/// Whether this process can see that one, if it is there: it is of the same boot and pid namespace.
pub fn can_see(identity: &ProcessIdentity) -> bool {
    identity.boot_id == process::boot_id() && identity.pid_namespace == process::pid_namespace()
}

/// How long git may take to tell its version.
const GIT_ANSWERS: Duration = Duration::from_secs(10);

/// What git calls itself and its version, asked in this directory.
///
/// # Errors
/// A sentence if it cannot be asked.
pub async fn git_version(directory: &std::path::Path) -> Result<String, String> {
    let git = git::Git::at(directory, GIT_ANSWERS);
    git.text(&["version"]).await.map_err(|why| why.into_failure("git cannot be used").message)
}

/// Which binary is started as `<binary> guard`.
#[derive(Clone, Debug)]
pub struct GuardProgram {
    path: PathBuf,
    failpoints: Failpoints,
}

impl GuardProgram {
    /// The binary of this very process, also after the file on disk was replaced by an upgrade (Linux).
    ///
    /// # Errors
    /// Elsewhere than on Linux, when the system cannot tell where the binary is.
    pub fn this_binary() -> std::io::Result<Self> {
        process::this_binary().map(Self::at)
    }

    /// The binary at this path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), failpoints: Failpoints::default() }
    }

    /// The same, where guards and what supervises them may fail.
    pub fn failing_at(self, failpoints: Failpoints) -> Self {
        Self { failpoints, ..self }
    }
}

/// What a supervisor tells about its run, in this order. `Ended` comes exactly once, and last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The guard is there and waits for [`Handle::go`]; nothing has been started.
    Ready(ProcessIdentity),
    /// The command or agent is running: the program was found and executed.
    Started,
    /// All over: the guard has gone, and so has what it guarded.
    Ended(Ended),
}

/// How a run's work ended. What is said here of a command is true of an agent; the output is then its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Stopped before it was told to go. Nothing was ever started.
    Withdrawn,
    /// The command, or the precheck before it, could not be started. Nothing was ever started.
    StartFailed(StartFailure),
    /// The precheck was started, and the command was not.
    PrecheckOnly {
        /// Why not.
        end: PrecheckEnd,
        /// How many processes the precheck had left behind, which were then killed.
        swept: u32,
        /// The last [`TAIL_BYTES`] bytes of its output as text, also of an output that was truncated. Of the precheck
        /// of an agent: of its standard error if it wrote any, of its standard output otherwise.
        tail: String,
        /// What the spool holds.
        output: OutputSize,
    },
    /// The command ended, by itself or because it was stopped.
    Exited {
        /// How.
        exit: Exit,
        /// How many processes the precheck and the command had left behind, which were then killed.
        swept: u32,
        /// The last [`TAIL_BYTES`] bytes of the output as text, also of an output that was truncated.
        tail: String,
        /// What the spool holds.
        output: OutputSize,
    },
    /// The guard died, or could not be understood, while its sidecar lived. The command may have done
    /// anything or nothing. What was left of it was killed.
    GuardLost {
        /// A sentence that says what happened to the guard.
        message: String,
        /// How many processes, the command included, were found alive and killed.
        swept: u32,
        /// The last [`TAIL_BYTES`] bytes of the spool as text.
        tail: String,
        /// What the spool holds.
        output: OutputSize,
    },
}

/// Why the precheck was all that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrecheckEnd {
    /// It ended like this. With exit code 0 only if the run was stopped meanwhile.
    Exited(Exit),
    /// It was ended after its time, and ended like this.
    TimedOut(Exit),
    /// It allowed the command, which could not be started.
    CommandNotStarted(StartFailure),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// With this exit code, 0 to 255 on Unix.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// What a spool holds of an output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSize {
    /// Bytes in the spool.
    pub bytes: u64,
    /// Whether the command wrote more than that.
    pub truncated: bool,
    /// Why the spool could not be written to its end, if a write failed: a sentence.
    pub write_error: Option<String>,
}
