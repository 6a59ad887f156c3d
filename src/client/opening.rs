//! Which sidecar is started, and what it opens.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::domain::scheduler::Role;

/// Which sidecar is started, and what it opens.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The program: `sexton`, or where it is.
    pub program: PathBuf,
    /// The project's directory; without one the working directory.
    pub project: Option<PathBuf>,
    /// Where ledgers are kept; without one the usual place of this user.
    pub state_directory: Option<PathBuf>,
    /// Whether it rings the bell, or only looks and asks.
    pub role: Role,
    /// What the client calls itself.
    pub name: String,
    /// The client's version, if it has one that tells anything.
    pub version: Option<String>,
    /// Whether changes of the user's configuration file count at once.
    pub follow_config_file: bool,
    /// What else stands in `initializationOptions`: `environment`, `limits`, `providers`.
    pub options: Map<String, Value>,
}

impl Opening {
    /// A window of this client on the working directory.
    pub fn new(program: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        Opening {
            program: program.into(),
            project: None,
            state_directory: None,
            role: Role::Participant,
            name: name.into(),
            version: None,
            follow_config_file: true,
            options: Map::new(),
        }
    }

    /// What is said in `initialize`.
    pub(super) fn params(&self) -> Value {
        let mut options = self.options.clone();
        options.insert("role".to_owned(), json!(self.role));
        options.insert("followConfigFile".to_owned(), json!(self.follow_config_file));
        if let Some(project) = &self.project {
            options.insert("projectDirectory".to_owned(), json!(project));
        }
        if let Some(directory) = &self.state_directory {
            options.insert("stateDirectory".to_owned(), json!(directory));
        }
        let mut client = json!({"name": self.name});
        if let Some(version) = &self.version {
            client["version"] = json!(version);
        }
        json!({"processId": std::process::id(), "clientInfo": client, "initializationOptions": options})
    }
}

/// What a sidecar says when it has opened a project.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// The version of the contract.
    pub protocol_version: u32,
    /// Which sidecar this is, among those that have the project open.
    #[serde(rename = "instanceID")]
    pub instance_id: String,
    /// The ledger's identity.
    #[serde(rename = "ledgerID")]
    pub ledger_id: String,
    /// The project.
    pub project: Project,
    /// Where its ledger is.
    pub state_directory: PathBuf,
    /// The newest event when it was opened.
    pub seq: i64,
    /// What a person should know, a sentence each.
    pub warnings: Vec<String>,
}

/// The project that is open.
#[derive(Clone, Debug, Deserialize)]
pub struct Project {
    /// Its identity.
    pub id: String,
    /// Its directory.
    pub directory: PathBuf,
    /// What keeps its history: `git`, or nothing.
    pub vcs: Option<String>,
}
