//! The project that the tools are about, opened by a sidecar of this server's own when it is first asked for.
//!
//! It is opened as an observer: it rings no bell and carries out only what was asked for here. Whatever happens to it, the
//! next call has one that lives.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::cli::opened::Trouble as Unanswered;
use crate::client::model::{Run, Status};
use crate::client::{Client, Error, Opening, Refused};
use crate::domain::id::{AutomationId, RunId};
use crate::domain::one_line::one_line;

/// How long a sidecar may take to open the project, or to say how things stand, with which each call begins. Both take a
/// moment, unless the machine is very busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long this process stays for a sidecar's end when the conversation has ended: hosts kill what does not end soon.
const FAREWELL: Duration = Duration::from_secs(3);

/// A project that can be opened.
pub(super) struct Project {
    opening: Opening,
    /// The run that this process was started by, as the environment says. It may be one of another ledger.
    inside: Option<RunId>,
    client: Mutex<Option<Arc<Client>>>,
}

/// A project that is open.
pub(super) struct Open {
    pub(super) client: Arc<Client>,
    /// Who else has it open, and how the scheduler is.
    pub(super) status: Status,
    inside: Option<RunId>,
}

/// The most characters of a project's directory that are told: more than any path has that somebody chose.
const DIRECTORY: usize = 1000;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What was asked cannot be: the sentence says why and what can.
    Refused(String),
    /// There is nobody to ask.
    Gone(String),
}

impl Project {
    pub(super) fn new(opening: Opening, inside: Option<RunId>) -> Project {
        Project { opening, inside, client: Mutex::new(None) }
    }

    /// The project, opened if it is not.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) async fn open(&self) -> Result<Open, Trouble> {
        let mut held = self.client.lock().await;
        if let Some(client) = held.as_ref() {
            match ask_status(client).await {
                Ok(status) => return Ok(self.opened(client.clone(), status)),
                Err(Error::Refused(refused)) => return Err(Error::Refused(refused).into()),
                // It has ended since it was asked last.
                Err(Error::Gone(why)) => tracing::info!("the sidecar is opened again: {why}"),
            }
        }
        if let Some(client) = held.take().and_then(Arc::into_inner) {
            // It has ended or is stuck: it would hold up the next one.
            let _ = client.close_within(Duration::ZERO).await;
        }
        let opened = timeout(PATIENCE, Client::open(self.opening.clone())).await;
        let client = Arc::new(opened.map_err(|_| cannot(silent()))?.map_err(cannot)?);
        let status = ask_status(&client).await.map_err(cannot)?;
        *held = Some(client.clone());
        Ok(self.opened(client, status))
    }

    fn opened(&self, client: Arc<Client>, status: Status) -> Open {
        Open { client, status, inside: self.inside.clone() }
    }

    /// Leaves the project, with what is carried out for it.
    pub(super) async fn close(&self) {
        // A call that has not ended yet keeps it; then it ends with this process, as a window that is closed.
        let Ok(mut held) = timeout(FAREWELL, self.client.lock()).await else { return };
        let Some(client) = held.take().and_then(Arc::into_inner) else { return };
        if let Err(error) = client.close_within(FAREWELL).await {
            tracing::info!("the sidecar was not closed: {error}");
        }
    }
}

fn silent() -> Error {
    Error::Gone(format!("The sidecar has not answered for {} seconds; call again.", PATIENCE.as_secs()))
}

fn cannot(error: Error) -> Trouble {
    let why = match &error {
        Error::Refused(refused) => in_options(refused),
        Error::Gone(_) => None,
    };
    let why = why.unwrap_or_else(|| error.to_string());
    Trouble::Gone(format!("The project cannot be opened, so nothing was done. {why}"))
}

/// What is wrong with the directories, by the options of this command where the contract names fields.
fn in_options(refused: &Refused) -> Option<String> {
    let details = refused.details();
    [("projectDirectory", "--project"), ("stateDirectory", "--state-directory")].into_iter().find_map(
        |(field, option)| {
            let field = format!("initializationOptions.{field}");
            let hint = details.iter().find(|detail| detail.field == field)?.hint.as_deref()?;
            Some(format!("{hint} with `{option}`, where this server is configured."))
        },
    )
}

async fn ask_status(client: &Client) -> Result<Status, Error> {
    let asked = client.ask("scheduler/status", json!({}));
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(silent()))
}

impl Open {
    /// The project's directory, as one line.
    pub(super) fn directory(&self) -> String {
        one_line(&self.client.opened().project.directory.to_string_lossy(), DIRECTORY)
    }

    /// The automation whose run this process was started by; none outside of a run of this project.
    ///
    /// # Errors
    /// When nobody can be asked.
    pub(super) async fn own_automation(&self) -> Result<Option<AutomationId>, Trouble> {
        let Some(run) = &self.inside else { return Ok(None) };
        match self.client.ask::<Run>("run/get", json!({"id": run})).await {
            Ok(run) => Ok(Some(run.automation_id)),
            Err(Error::Refused(refused)) if refused.kind == "not_found" => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Trouble {
    /// That it comes out of a run, which may not do this.
    pub(super) fn inside() -> Trouble {
        Trouble::Refused(INSIDE.to_owned())
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(Refused { kind, message, .. }) if kind == "inside_run" => {
                tracing::debug!("{message}");
                Trouble::inside()
            }
            Error::Refused(Refused { message, .. }) => Trouble::Refused(message),
            Error::Gone(why) => Trouble::Gone(format!(
                "The sidecar ended while it was asked, so it is not known what came of this; look with automate_manage {{\"action\": \"list\"}} and call again. {why}"
            )),
        }
    }
}

impl From<Unanswered> for Trouble {
    fn from(trouble: Unanswered) -> Self {
        match trouble {
            Unanswered::Unusable(why) | Unanswered::Failed(why) => Trouble::Refused(why),
        }
    }
}

/// What something that comes out of a run is told when it wants to change more than it may.
const INSIDE: &str = "This is inside a run of an automation, which may read but change nothing: automations are created and changed by people. Do now what this run is for, and if something is to be automated or changed say so at its end. One change is allowed: automate_manage {\"action\": \"pause\"} ends the repetition of this run's own automation.";
