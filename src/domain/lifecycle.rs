//! Closes: a window lets go of a project or of some of its directories, for a moment or for good. And holds: work of
//! the user's own that closes and runs wait for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{LifecycleActionId, RunId, SubscriptionId};
use super::time::Timestamp;

/// What a close is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CloseKind {
    /// Configuration and providers are read anew.
    Reload,
    /// The window gives up the project, or these directories, until a reload.
    Dispose,
    /// The sidecar ends.
    Shutdown,
}

/// What becomes of the runs in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CloseMode {
    /// They are waited for.
    Maintenance,
    /// They are stopped.
    Force,
}

/// Which directories a close concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All in which this window works.
    Project,
    /// These: absolute paths, sorted, at least one.
    Directories(Vec<String>),
}

impl Extent {
    /// Whether this directory belongs to it.
    pub fn has(&self, directory: &str) -> bool {
        match self {
            Extent::Project => true,
            Extent::Directories(directories) => directories.iter().any(|one| one == directory),
        }
    }

    /// Whether all of the other belongs to it.
    pub fn covers(&self, other: &Extent) -> bool {
        match (self, other) {
            (Extent::Project, _) => true,
            (Extent::Directories(_), Extent::Project) => false,
            (Extent::Directories(_), Extent::Directories(directories)) => {
                directories.iter().all(|directory| self.has(directory))
            }
        }
    }

    /// What is left of it without the other, if anything is. The whole project is more than any directories.
    pub fn without(&self, other: &Extent) -> Option<Extent> {
        match (self, other) {
            (_, Extent::Project) => None,
            (Extent::Project, Extent::Directories(_)) => Some(Extent::Project),
            (Extent::Directories(directories), Extent::Directories(_)) => {
                let left: Vec<String> =
                    directories.iter().filter(|directory| !other.has(directory)).cloned().collect();
                (!left.is_empty()).then_some(Extent::Directories(left))
            }
        }
    }
}

/// What a window wants to let go of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseRequest {
    /// What for.
    pub kind: CloseKind,
    /// What becomes of the runs in its way.
    pub mode: CloseMode,
    /// Where.
    pub extent: Extent,
}

/// A close as events tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lifecycle {
    /// Its identity.
    pub id: LifecycleActionId,
    /// What it is for.
    pub kind: CloseKind,
    /// What becomes of the runs in its way.
    pub mode: CloseMode,
    /// Which directories it concerns, as `Run.directory`.
    pub directories: Vec<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it was over.
    pub completed_at: Timestamp,
    /// Why it failed, as a sentence, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a close is answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloseResult {
    /// Whether it has happened.
    pub status: CloseStatus,
    /// Its identity: events name it when it has happened.
    #[serde(rename = "lifecycleActionID")]
    pub id: LifecycleActionId,
    /// Which directories it concerns, as `Run.directory`.
    pub affected_directory_keys: Vec<String>,
    /// What it waits for.
    pub waiting_for: WaitedFor,
}

/// Whether a close has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CloseStatus {
    /// It has.
    Completed,
    /// It waits.
    Deferred,
}

/// What a close waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitedFor {
    /// Runs that this window carries out.
    pub runs: Vec<RunId>,
    /// Work of the user's own.
    pub holds: Vec<SubscriptionId>,
}

/// Work of the user's own in a directory: runs that write there wait for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hold {
    /// The subscription that it lives as long as.
    pub id: SubscriptionId,
    /// Where: an absolute path, as `Run.directory`.
    pub directory: String,
    /// What it is, for people.
    pub title: String,
    /// Since when.
    pub since: Timestamp,
}

/// A run that a window carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActiveRunHere {
    /// The run.
    #[serde(rename = "runID")]
    pub run: RunId,
    /// Where it works.
    pub directory: String,
    /// The title of its automation.
    pub title: String,
}

/// A close that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingClose {
    /// Its identity.
    #[serde(rename = "lifecycleActionID")]
    pub id: LifecycleActionId,
    /// What it is for.
    pub kind: CloseKind,
    /// Which directories it concerns, as `Run.directory`.
    pub directories: Vec<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// What it waits for.
    pub waiting_for: WaitedFor,
}

/// What `lifecycle/status` tells of this window: what an application shows before it closes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleStatus {
    /// The runs that this window carries out, oldest first.
    pub active_runs: Vec<ActiveRunHere>,
    /// The work of the user's own that this window told of.
    pub holds: Vec<Hold>,
    /// The closes that wait, oldest first.
    pub pending: Vec<PendingClose>,
}
