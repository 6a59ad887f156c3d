//! What a run waits for before it begins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::id::{RunId, SubscriptionId};
use crate::domain::time::Timestamp;

/// What a scheduled run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// What.
    #[serde(rename = "for")]
    pub what: WaitingFor,
    /// What is directly ahead of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Ahead>,
    /// Since when.
    pub since: Timestamp,
    /// When the wait ends at the latest.
    pub until_at: Option<Timestamp>,
}

/// What is directly ahead of a run that waits. Both kinds of identity are told apart by how they begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Ahead {
    /// A run.
    Run(RunId),
    /// Work of the user's own.
    Hold(SubscriptionId),
}

impl Waiting {
    /// The run directly ahead of it, if it is a run that is there.
    pub fn run_ahead(&self) -> Option<&RunId> {
        match &self.behind {
            Some(Ahead::Run(run)) => Some(run),
            Some(Ahead::Hold(_)) | None => None,
        }
    }
}

impl Ahead {
    /// The identity as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Ahead::Run(run) => run.as_str(),
            Ahead::Hold(hold) => hold.as_str(),
        }
    }
}

impl From<String> for Ahead {
    fn from(text: String) -> Self {
        match text.starts_with(SubscriptionId::PREFIX) {
            true => Ahead::Hold(SubscriptionId::from_text(text)),
            false => Ahead::Run(RunId::from_text(text)),
        }
    }
}

impl From<Ahead> for String {
    fn from(ahead: Ahead) -> Self {
        ahead.as_str().to_owned()
    }
}

/// The kinds of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WaitingFor {
    /// Another run holds the directory, or is ahead in its line.
    Directory,
    /// The work of an earlier run of the automation has not gone.
    Previous,
    /// As many runs are at work as may be.
    Capacity,
    /// The windows that could carry it out are being closed there.
    Close,
    /// Catch-ups start one after the other.
    CatchUp,
    /// Nobody who is there can carry it out.
    Executor,
    /// A run that failed is tried again only after a while.
    Retry,
}
