//! A project that a command opens to ask something of it.
//!
//! It is opened by a sidecar of the command's own, as an observer: it rings no bell, carries out only what the command
//! itself asks it to, and leaves when it has its answer.

use std::io;
use std::process::ExitCode;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::process::{block_on, log_to_stderr};
use super::project::Chosen;
use super::{complain, tell};
use crate::client::{Client, Detail, Error, Opening};
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::exec::{self, GuardProgram};
use crate::rpc::backend::{Backend, Host as _};
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

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refused) => match refused.kind.as_str() {
                "invalid_params" => {
                    let one =
                        |detail: Detail| format!("{} {}", detail.field, detail.hint.unwrap_or_default());
                    let details: Vec<String> = refused.details().into_iter().map(one).collect();
                    Trouble::Unusable(details.join("; "))
                }
                "invalid_automation" | "not_found" => Trouble::Unusable(refused.message),
                _ => Trouble::Failed(refused.message),
            },
            Error::Gone(why) => Trouble::Failed(why),
        }
    }
}

/// An answer for who reads it field by field.
pub(super) fn read<T: DeserializeOwned>(answer: Value) -> Result<T, Trouble> {
    let unreadable = |error| Trouble::Failed(format!("the sidecar's answer is not understood: {error}"));
    serde_json::from_value(answer).map_err(unreadable)
}

/// Opens the project with a sidecar of its own, asks, and leaves.
pub(super) fn ask<T>(
    asker: Asker,
    chosen: Chosen,
    question: impl AsyncFnOnce(&Client) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let name = asker.client;
    let opening = Opening {
        project: chosen.project.clone(),
        state_directory: chosen.state_directory.clone(),
        role: Role::Observer,
        // It is gone before a change of the configuration could matter.
        follow_config_file: false,
        ..Opening::new(exec::this_binary()?, name)
    };
    drop(Host::find(asker, chosen)?);
    block_on(async {
        let client = match Client::open(opening).await {
            Ok(client) => client,
            Err(Error::Refused(refused)) => {
                let why = format!("the project cannot be opened: {refused}");
                return Ok(Err(Trouble::Failed(why)));
            }
            Err(error) => return Ok(Err(error.into())),
        };
        let answer = question(&client).await;
        // Whoever has the answer is not kept from it by how the sidecar ends.
        if let Err(error) = client.close().await {
            tracing::warn!("{error}");
        }
        Ok(answer)
    })?
}

/// What opens a project in this very process.
struct Host {
    host: SidecarHost,
    params: InitializeParams,
}

impl Host {
    /// Finds the project's place. What is wrong with what was named is told of the options that name it.
    fn find(asker: Asker, chosen: Chosen) -> Result<Host, Trouble> {
        let Asker { environment, client, unopened } = asker;
        log_to_stderr(&environment, LOGGED);
        let params = chosen.introduce(&environment, client, Role::Observer).map_err(Trouble::Unusable)?;
        let params = InitializeParams { config_file: ConfigFile::ReadWhenAsked, ..params };
        let host = SidecarHost::new(environment, std::env::current_dir()?, GuardProgram::this_binary()?);
        let host = host.map_err(Trouble::Unusable)?;
        match (unopened, host.missing_ledger(&params)?) {
            (Unopened::Refused, Some(state)) => Err(Trouble::Unusable(format!(
                "no window has opened this project yet: there is nothing at {}; `sexton add` begins it, or name another with --project, and where its ledger is kept with --state-directory",
                state.display()
            ))),
            (Unopened::Opened | Unopened::Refused, _) => Ok(Host { host, params }),
        }
    }
}

/// Opens the project in this process, for what is no part of the contract, asks, and leaves.
pub(super) fn within<T>(
    asker: Asker,
    chosen: Chosen,
    question: impl AsyncFnOnce(&Sidecar) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let Host { host, params } = Host::find(asker, chosen)?;
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
