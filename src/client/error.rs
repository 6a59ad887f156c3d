//! Why there is no answer.

use jsonrpsee::core::client::Error as AskerError;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The sidecar has said no. Nothing was changed, unless the kind says so.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There is no sidecar to ask: it cannot be started, has ended, or does not speak the protocol.
    #[error("{0}")]
    Gone(String),
}

/// A refusal. Programs match on its kind, people read its message.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The number of the kind.
    pub code: i32,
    /// The contract's word for it, such as `not_found`.
    pub kind: String,
    /// What failed and the way out, as a sentence.
    pub message: String,
    /// What belongs to the kind, such as `runID`.
    pub data: Map<String, Value>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Detail {
    /// Its path, such as `rhythm.expression`.
    pub field: String,
    /// The contract's word for what is wrong, such as `out_of_range`.
    pub message: String,
    /// What is wrong and what would be right, as a clause.
    pub hint: Option<String>,
}

impl Refused {
    /// What is wrong with which fields, in the order of the contract; nothing where no field is.
    pub fn details(&self) -> Vec<Detail> {
        let details = self.data.get("details").cloned().unwrap_or_default();
        serde_json::from_value(details).unwrap_or_default()
    }
}

impl Error {
    /// The refusal's kind, if it is one.
    pub fn kind(&self) -> Option<&str> {
        match self {
            Error::Refused(refused) => Some(&refused.kind),
            Error::Gone(_) => None,
        }
    }

    pub(super) fn unreadable(method: &str, error: &serde_json::Error) -> Error {
        Error::Gone(format!("the sidecar's answer to {method} is not understood: {error}"))
    }
}

impl From<AskerError> for Error {
    fn from(error: AskerError) -> Self {
        match error {
            AskerError::Call(refusal) => {
                let data = refusal.data().and_then(|data| serde_json::from_str(data.get()).ok());
                let mut data: Map<String, Value> = data.unwrap_or_default();
                let kind = match data.remove("kind") {
                    Some(Value::String(kind)) => kind,
                    Some(_) | None => String::new(),
                };
                let message = refusal.message().to_owned();
                Error::Refused(Refused { code: refusal.code(), kind, message, data })
            }
            AskerError::RequestTimeout => Error::Gone("the sidecar does not answer".to_owned()),
            // What is behind it says more than that the conversation is over.
            AskerError::RestartNeeded(why) => Error::Gone(format!("the sidecar has gone: {why}")),
            other @ (AskerError::Transport(_)
            | AskerError::ParseError(_)
            | AskerError::InvalidSubscriptionId
            | AskerError::InvalidRequestId(_)
            | AskerError::Custom(_)
            | AskerError::HttpNotImplemented
            | AskerError::EmptyBatchRequest(_)
            | AskerError::RegisterMethod(_)
            | AskerError::ServiceDisconnect) => Error::Gone(format!("the sidecar cannot be asked: {other}")),
        }
    }
}
