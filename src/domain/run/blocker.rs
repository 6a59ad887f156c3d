//! What a run waits for a person for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::secrets::Secrets;
use crate::domain::time::Timestamp;

/// What a run waits for a person for, since when and until when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// What it needs.
    #[serde(flatten)]
    pub need: Need,
    /// Since when.
    pub since: Timestamp,
    /// Until when it may be answered. Who asked for a permission is then told the first option of the kind
    /// `reject_once`, if one was offered, and otherwise nothing: what holds for later is chosen by a person alone.
    pub expires_at: Timestamp,
}

/// What an agent needs a person for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Need {
    /// It asks whether it may do something.
    Permission {
        /// The agent's request.
        #[serde(rename = "requestID")]
        request_id: String,
        /// What it asks for.
        title: String,
        /// What may be answered; at least one.
        options: Vec<PermissionOption>,
        /// What it wants to use, in the words of the agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool: Option<Map<String, Value>>,
    },
    /// It asks a question.
    Question {
        /// The agent's call.
        #[serde(rename = "callID")]
        call_id: String,
        /// The question.
        prompt: String,
        /// What may be chosen; without any, words are wanted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        options: Vec<QuestionOption>,
    },
}

impl Need {
    /// What an answer names.
    pub fn asked(&self) -> Asked {
        match self {
            Need::Permission { request_id, .. } => Asked::Request { request_id: request_id.clone() },
            Need::Question { call_id, .. } => Asked::Call { call_id: call_id.clone() },
        }
    }
}

impl Need {
    /// The same with all secrets hidden in what people read. What answers name stays.
    #[must_use]
    pub fn without(self, secrets: &Secrets) -> Need {
        match self {
            Need::Permission { request_id, title, options, tool } => Need::Permission {
                request_id,
                title: secrets.hide_in_part(&title),
                options: options
                    .into_iter()
                    .map(|option| PermissionOption { label: secrets.hide_in_part(&option.label), ..option })
                    .collect(),
                tool: tool
                    .map(|tool| tool.into_iter().map(|(name, value)| (name, hide(value, secrets))).collect()),
            },
            Need::Question { call_id, prompt, options } => Need::Question {
                call_id,
                prompt: secrets.hide_in_part(&prompt),
                options: options
                    .into_iter()
                    .map(|option| QuestionOption { label: secrets.hide_in_part(&option.label), ..option })
                    .collect(),
            },
        }
    }
}

fn hide(value: Value, secrets: &Secrets) -> Value {
    match value {
        Value::String(text) => Value::String(secrets.hide(&text)),
        Value::Array(items) => items.into_iter().map(|item| hide(item, secrets)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, hide(value, secrets))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// One answer to a request for a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionOption {
    /// What an answer names.
    pub id: String,
    /// What people read.
    pub label: String,
    /// What it means.
    pub kind: PermissionKind,
}

/// What an answer to a request for a permission means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PermissionKind {
    /// Yes, this time.
    AllowOnce,
    /// Yes, and do not ask again.
    AllowAlways,
    /// No, this time.
    RejectOnce,
    /// No, and do not ask again.
    RejectAlways,
}

/// One answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuestionOption {
    /// What an answer names.
    pub id: String,
    /// What people read.
    pub label: String,
}

/// What an answer is meant for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Asked {
    /// A request for a permission.
    Request {
        /// Which.
        #[serde(rename = "requestID")]
        request_id: String,
    },
    /// A question.
    Call {
        /// Which.
        #[serde(rename = "callID")]
        call_id: String,
    },
}

impl Asked {
    /// The agent's own word for it, whichever form it has.
    pub fn id(&self) -> &str {
        match self {
            Asked::Request { request_id } => request_id,
            Asked::Call { call_id } => call_id,
        }
    }
}
