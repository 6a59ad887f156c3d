//! A prompt: what an agent is asked to do, and which agent.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::ProviderId;

/// What an agent is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Prompt {
    /// What it is told, 1 to 20,000 characters.
    pub prompt: String,
    /// Who is told.
    pub model: Model,
    /// Which variant of the model, one of those that it offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Whether the agent remembers earlier runs.
    pub context: SessionContext,
    /// The session that is to be continued; without it, that of the automation's last run.
    #[serde(rename = "sessionID", default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// A model of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// The provider.
    #[serde(rename = "providerID")]
    pub provider: ProviderId,
    /// Which of its models.
    #[serde(rename = "modelID")]
    pub model: String,
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

/// Whether an agent remembers earlier runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionContext {
    /// It does not: each run has a session of its own.
    #[default]
    Fresh,
    /// It does: each run goes on where the one before it ended.
    Continue,
}
