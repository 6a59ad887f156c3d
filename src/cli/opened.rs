//! A project that a command opens to ask something of it.
//!
//! It is opened as an observer: it rings no bell, carries nothing out, and leaves when it has its answer.

use std::io;
use std::process::ExitCode;

use super::process::{block_on, log_to_stderr};
use super::project::Chosen;
use super::{complain, tell};
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::exec::GuardProgram;
use crate::rpc::backend::{Backend, Host};
use crate::rpc::initialize::{ConfigFile, InitializeParams};
use crate::sidecar::config::Environment;
use crate::sidecar::{Sidecar, SidecarHost};

/// What is logged if nobody chooses.
const LOGGED: &str = "warn";

/// Who asks.
pub(super) struct Asker {
    pub(super) environment: Environment,
    /// What it calls itself where windows are shown who is there.
    pub(super) client: &'static str,
    /// What becomes of a project that nobody has opened yet.
    pub(super) unopened: Unopened,
}

/// What becomes of a project that has no ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unopened {
    /// It gets one.
    Opened,
    /// There is nothing to ask about, and nothing is made.
    Refused,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What was named cannot be used: the arguments are to be changed.
    Unusable(String),
    /// Something else went wrong.
    Failed(String),
}

impl Trouble {
    /// Tells it on stderr. The exit code is 2 where the arguments are to be changed, and 1 otherwise.
    pub(super) fn told(self) -> ExitCode {
        match self {
            Trouble::Unusable(why) => complain(&why),
            Trouble::Failed(why) => {
                tell(&why);
                ExitCode::FAILURE
            }
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InvalidParams(_) | Refusal::InvalidAutomation(_) | Refusal::NotFound { .. } => {
                Trouble::Unusable(refusal.of_arguments())
            }
            Refusal::AutomationConflict { .. }
            | Refusal::ActiveRunStillRunning { .. }
            | Refusal::WriterBusy { .. }
            | Refusal::BlockerGone { .. }
            | Refusal::InsideRun { .. }
            | Refusal::Closing { .. }
            | Refusal::CloseFailed { .. }
            | Refusal::Overloaded(_)
            | Refusal::Cancelled
            | Refusal::Storage { .. }
            | Refusal::InvalidRequest(_)
            | Refusal::Internal(_) => Trouble::Failed(refusal.to_string()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Failed(error.to_string())
    }
}

/// Opens the project, asks, and leaves.
pub(super) fn ask<T>(
    asker: Asker,
    chosen: Chosen,
    question: impl AsyncFnOnce(&Sidecar) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let Asker { environment, client, unopened } = asker;
    log_to_stderr(&environment, LOGGED);
    let params = chosen.introduce(&environment, client, Role::Observer).map_err(Trouble::Unusable)?;
    // It is gone before a change of the configuration could matter.
    let params = InitializeParams { config_file: ConfigFile::ReadWhenAsked, ..params };
    let host = SidecarHost::new(environment, std::env::current_dir()?, GuardProgram::this_binary()?);
    let host = host.map_err(Trouble::Unusable)?;
    match unopened {
        Unopened::Opened => {}
        Unopened::Refused => {
            if let Some(state) = host.missing_ledger(&params)? {
                return Err(Trouble::Unusable(format!(
                    "no window has opened this project yet: there is nothing at {}; name the project with --project, and where its ledger is kept with --state-directory",
                    state.display()
                )));
            }
        }
    }
    block_on(async {
        let opened = host.initialize(params).await;
        let (_, sidecar) = match opened {
            Ok(opened) => opened,
            Err(refusal @ Refusal::InvalidParams(_)) => return Ok(Err(Trouble::from(refusal))),
            Err(refusal) => {
                return Ok(Err(Trouble::Failed(format!("the project cannot be opened: {refusal}"))));
            }
        };
        let answer = question(&sidecar).await;
        sidecar.shutdown().await;
        Ok(answer)
    })?
}
