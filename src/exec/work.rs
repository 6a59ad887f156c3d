//! What a guard is given to do.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::id::RunId;

/// A command to carry out. It has no `Debug`: its environment and its input may be secret.
#[derive(Clone)]
pub struct CommandWork {
    /// The run this is the work of. Reports are told with it; the guard does not know it.
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

/// An agent to be started: a program that speaks with the sidecar on its standard input and output. It has no `Debug`:
/// its environment may be secret.
#[derive(Clone)]
pub struct AgentWork {
    /// What reports are told with. An agent that is only asked something belongs to no run; any name does for it.
    pub run: RunId,
    /// As of a command.
    pub token: String,
    /// A path, or a name that is looked up in the absolute directories of the agent's `PATH`.
    pub program: String,
    /// Its arguments, without the program itself.
    pub args: Vec<String>,
    /// As of a command; the precheck has the same.
    pub environment: Vec<(String, String)>,
    /// What decides whether the agent is started.
    pub precheck: Option<PrecheckWork>,
    /// The working directory. It must exist.
    pub directory: PathBuf,
    /// A spool, as of a command, that receives the standard error of the precheck, and that of the agent behind it.
    pub log: PathBuf,
    /// The most bytes that are kept in it. What goes beyond is read and thrown away.
    pub log_limit: u64,
    /// A spool of at most [`PRECHECK_OUTPUT_BYTES`](super::PRECHECK_OUTPUT_BYTES) that receives the standard output of
    /// the precheck. Without a precheck there is none.
    pub precheck_output: PathBuf,
}

/// A program that is started before the command or the agent: in the same directory and environment, with an empty
/// input. With exit code 0 it lets them start. What it leaves behind is killed before that.
#[derive(Clone, Serialize, Deserialize)]
pub struct PrecheckWork {
    /// The program, looked up like that of the command.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// How long it may take before it is ended like a command that is asked to stop.
    pub timeout: Duration,
}

/// Work as its guard hears of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Work {
    pub(super) token: String,
    pub(super) program: String,
    pub(super) args: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) precheck: Option<PrecheckWork>,
    pub(super) directory: PathBuf,
    /// What is spooled of the work: all output of a command, the log of an agent.
    pub(super) spool: PathBuf,
    pub(super) spool_limit: u64,
    pub(super) kind: Kind,
}

/// What is carried out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// A command that reads this.
    Command { stdin: Option<String> },
    /// An agent, whose standard input and output are what the guard itself was started with.
    Agent { precheck_output: PathBuf },
}

impl Kind {
    /// What it is called in a sentence.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Kind::Command { .. } => "command",
            Kind::Agent { .. } => "agent",
        }
    }
}

impl From<CommandWork> for Work {
    fn from(work: CommandWork) -> Self {
        let CommandWork {
            run: _,
            token,
            program,
            args,
            environment,
            precheck,
            stdin,
            directory,
            output: spool,
            output_limit: spool_limit,
        } = work;
        let kind = Kind::Command { stdin };
        Work { token, program, args, environment, precheck, directory, spool, spool_limit, kind }
    }
}

impl From<AgentWork> for Work {
    fn from(work: AgentWork) -> Self {
        let AgentWork {
            run: _,
            token,
            program,
            args,
            environment,
            precheck,
            directory,
            log: spool,
            log_limit: spool_limit,
            precheck_output,
        } = work;
        let kind = Kind::Agent { precheck_output };
        Work { token, program, args, environment, precheck, directory, spool, spool_limit, kind }
    }
}
