//! Carries out work: commands, each under a guard of its own, supervised from the sidecar's loop.
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
//! **Nothing of a run outlives the run, nor its sidecar.** The pipe to the guard is the life line: when it
//! closes, for whatever reason, the guard kills the tree at once. When the guard is killed, the kernel kills
//! the command and the sidecar sweeps the rest, which it knows by the run's token in their environment.
//!
//! What no process can be kept from: a guard and a sidecar that are both killed leave behind a child that
//! left the session *and* cleared its environment, until somebody calls [`end_leftovers`] while the tree
//! still hangs together; and programs that run as another user (`sudo`) cannot be killed by this one.

mod guard_protocol;
mod leftovers;
mod process;
mod supervise;
mod watched;

pub mod guard;
pub mod spool;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::id::RunId;
use crate::domain::policy::STOP_GRACE_MS;
pub use crate::domain::process::ProcessIdentity;
pub use crate::domain::run::StartFailure;
use crate::failpoint::Failpoints;

pub use leftovers::{Leftovers, end_leftovers};
pub use supervise::{Handle, prepare};
pub use watched::{Watched, stdin_hung_up};

/// How long a command that was asked to stop may take before it is killed.
pub const STOP_GRACE: Duration = Duration::from_millis(STOP_GRACE_MS.cast_unsigned());

/// The variable that carries a run's token in the environment of its guard and of everything below it.
pub const TOKEN_VARIABLE: &str = "SEXTON_RUN_TOKEN";

/// How many bytes of the end of an output are kept with a run.
pub const TAIL_BYTES: usize = 4096;

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

/// A command to carry out. It has no `Debug`: its environment and its input may be secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct CommandWork {
    /// The run this is the work of.
    pub run: RunId,
    /// Unique to this run and not to be guessed. Whatever carries it in its environment belongs to the run.
    pub token: String,
    /// The program: a name that is looked up in the command's own `PATH`, or a path. A relative path counts
    /// from `directory`.
    pub program: String,
    /// Its arguments, without the program itself.
    pub args: Vec<String>,
    /// Added in this order on top of the sidecar's own environment; of two with one name the later wins.
    pub environment: Vec<(String, String)>,
    /// What decides whether the command is started.
    pub precheck: Option<PrecheckWork>,
    /// What the command reads on its standard input; `None` is an empty one (`/dev/null`).
    pub stdin: Option<String>,
    /// The working directory. It must exist.
    pub directory: PathBuf,
    /// The spool: the file that receives standard output and standard error, merged; of the precheck first, of
    /// the command behind that. Created with mode 0600 before the first of them starts, emptied if it exists;
    /// missing parent directories are created with mode 0700.
    pub output: PathBuf,
    /// The most bytes that are spooled. What goes beyond is read and thrown away, so that the command never
    /// waits for a reader.
    pub output_limit: u64,
}

/// A program that is started before the command: in the same directory and environment, with an empty input. With
/// exit code 0 it lets the command start. What it leaves behind is killed before that.
#[derive(Clone, Serialize, Deserialize)]
pub struct PrecheckWork {
    /// The program, looked up like that of the command.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// How long it may take before it is ended like a command that is asked to stop.
    pub timeout: Duration,
}

/// What a supervisor tells about its run, in this order. `Ended` comes exactly once, and last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The guard is there and waits for [`Handle::go`]; nothing has been started.
    Ready(ProcessIdentity),
    /// The command is running: the program was found and executed.
    Started,
    /// All over: the guard has gone, and so has what it guarded.
    Ended(Ended),
}

/// How a run's work ended.
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
        /// The last [`TAIL_BYTES`] bytes of its output as text, also of an output that was truncated.
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
