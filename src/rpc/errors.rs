//! Refusals as the contract writes them: a code, a kind to match on, and a sentence.

use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Value, json};

use crate::domain::refusal::Refusal;
use crate::domain::run::Ahead;

/// What a client matches on (protocol, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the contract's word for itself, in `code_and_word`")]
pub enum Kind {
    InvalidAutomation,
    NotFound,
    AutomationConflict,
    ActiveRunStillRunning,
    BlockerGone,
    WriterBusy,
    InsideRun,
    Closing,
    Overloaded,
    CloseFailed,
    StorageUnavailable,
    NotInitialized,
    InvalidRequest,
    MethodNotFound,
    InvalidParams,
    Internal,
    ParseError,
    Cancelled,
    RequestTooLarge,
    ResponseTooLarge,
}

impl Kind {
    /// All of them, in the order of the contract.
    pub const ALL: [Kind; 20] = [
        Kind::InvalidAutomation,
        Kind::NotFound,
        Kind::AutomationConflict,
        Kind::ActiveRunStillRunning,
        Kind::BlockerGone,
        Kind::WriterBusy,
        Kind::InsideRun,
        Kind::Closing,
        Kind::Overloaded,
        Kind::CloseFailed,
        Kind::StorageUnavailable,
        Kind::NotInitialized,
        Kind::InvalidRequest,
        Kind::MethodNotFound,
        Kind::InvalidParams,
        Kind::Internal,
        Kind::ParseError,
        Kind::Cancelled,
        Kind::RequestTooLarge,
        Kind::ResponseTooLarge,
    ];

    /// Its number and its word.
    pub const fn code_and_word(self) -> (i32, &'static str) {
        match self {
            Kind::InvalidAutomation => (-32010, "invalid_automation"),
            Kind::NotFound => (-32011, "not_found"),
            Kind::AutomationConflict => (-32012, "automation_conflict"),
            Kind::ActiveRunStillRunning => (-32013, "active_run_still_running"),
            Kind::BlockerGone => (-32014, "blocker_gone"),
            Kind::WriterBusy => (-32015, "writer_busy"),
            Kind::InsideRun => (-32016, "inside_run"),
            Kind::Closing => (-32017, "closing"),
            Kind::Overloaded => (-32018, "overloaded"),
            Kind::CloseFailed => (-32019, "close_failed"),
            Kind::StorageUnavailable => (-32020, "storage_unavailable"),
            Kind::NotInitialized => (-32002, "not_initialized"),
            Kind::InvalidRequest => (-32600, "invalid_request"),
            Kind::MethodNotFound => (-32601, "method_not_found"),
            Kind::InvalidParams => (-32602, "invalid_params"),
            Kind::Internal => (-32603, "internal"),
            Kind::ParseError => (-32700, "parse_error"),
            Kind::Cancelled => (-32800, "cancelled"),
            Kind::RequestTooLarge => (-32007, "request_too_large"),
            Kind::ResponseTooLarge => (RESPONSE_TOO_LARGE, "response_too_large"),
        }
    }

    /// What it means, and what to do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Kind::InvalidAutomation => {
                "The draft, the patch or the schedule has faults: `details` has all of them. Nothing was changed; mend them and ask again."
            }
            Kind::NotFound => "There is no such automation, run or provider: list again.",
            Kind::AutomationConflict => {
                "Somebody else has changed the automation since `ifRevision`, or is deleting it: `current` is how it is now. Show that, and ask again with its revision."
            }
            Kind::ActiveRunStillRunning => {
                "A run of the automation stands in the way, and the automation does not let two run at once, or it has not gone in time: wait for `runID` or cancel it."
            }
            Kind::BlockerGone => "The run does not wait for this answer any more: look at `runID`.",
            Kind::WriterBusy => {
                "With `ifBusy: \"skip\"`: another run (`runID`) or a person (`holdID`) is at work in the directory. Wait, or say `queue`."
            }
            Kind::InsideRun => {
                "The request comes out of a run, which may look and pause its own automation, and nothing else."
            }
            Kind::Closing => {
                "The window is about to give up the project (`lifecycleActionID`): ask in another one."
            }
            Kind::CloseFailed => {
                "The close could not be carried out, nothing is closing, and the old configuration holds. The message says why."
            }
            Kind::Overloaded => {
                "More is asked at once than can wait, or more is open than may be: the message says what, and what to wait for or to close. Nothing was changed."
            }
            Kind::StorageUnavailable => {
                "The ledger could not be read or written, for this `reason`. The message says what to do; nothing was changed."
            }
            Kind::NotInitialized => "`initialize` comes first.",
            Kind::InvalidRequest => {
                "No request: another `jsonrpc`, an id that is neither text nor a whole number or that is in use, or a request that is not allowed now or here."
            }
            Kind::MethodNotFound => {
                "This version has no such method: `capabilities.methods` has those that there are."
            }
            Kind::InvalidParams => {
                "The parameters have faults: `details` has all of them, unless the parameters were no object."
            }
            Kind::Internal => "A fault of the sidecar's own. Its log on stderr has more; please report it.",
            Kind::ParseError => {
                "No JSON. The next line is read as usual; after a header that cannot be read the process ends with 1."
            }
            Kind::Cancelled => "`$/cancelRequest` came in time: nothing was changed.",
            Kind::RequestTooLarge => {
                "The message was longer than `limits.maxMessageBytes`, and has not been read."
            }
            Kind::ResponseTooLarge => {
                "The answer would be longer than `limits.maxMessageBytes`: ask for less. A change that was asked for has been made."
            }
        }
    }
}

/// The code that the method table itself uses for an answer over the limit.
pub const RESPONSE_TOO_LARGE: i32 = -32008;

/// Why a request was not carried out, ready to be sent.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    /// Members of `data` beside `kind`.
    details: serde_json::Map<String, Value>,
}

impl Failure {
    /// A failure whose kind and sentence say it all.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into(), details: serde_json::Map::new() }
    }

    /// A method that does not exist.
    pub fn method_not_found(method: &str) -> Self {
        let method = shown(method);
        let why = format!(
            "there is no method {method}; `capabilities.methods` in the answer to `initialize` lists them"
        );
        Failure::new(Kind::MethodNotFound, why)
    }

    /// A handler that has panicked. What it said is in the log, and nowhere else.
    pub fn panicked() -> Self {
        let why =
            "the sidecar failed while it carried this out; its log on stderr has more, please report it";
        Failure::new(Kind::Internal, why)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Its number.
    pub fn code(&self) -> i32 {
        self.kind.code_and_word().0
    }

    /// The error member of an answer.
    pub fn to_error(&self) -> ErrorObjectOwned {
        let (code, word) = self.kind.code_and_word();
        let mut data = self.details.clone();
        data.insert("kind".to_owned(), word.into());
        ErrorObjectOwned::owned(code, self.message.clone(), Some(Value::Object(data)))
    }
}

/// A method's name as a sentence repeats it: a client may have sent one of any length.
pub fn shown(method: &str) -> String {
    /// Twice as long as any real one.
    const SHOWN: usize = 64;
    let start: String = method.chars().take(SHOWN).collect();
    let cut = if start.len() < method.len() { "\u{2026}" } else { "" };
    format!("{start:?}{cut}")
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::InvalidAutomation(faults) => {
                Failure::new(Kind::InvalidAutomation, message).with("details", json!(faults))
            }
            Refusal::InvalidParams(faults) => {
                Failure::new(Kind::InvalidParams, message).with("details", json!(faults))
            }
            Refusal::NotFound { what, id } => {
                Failure::new(Kind::NotFound, message).with("what", what).with("id", id)
            }
            Refusal::AutomationConflict { current, .. } => {
                Failure::new(Kind::AutomationConflict, message).with("current", json!(current))
            }
            Refusal::ActiveRunStillRunning { run } => {
                Failure::new(Kind::ActiveRunStillRunning, message).with("runID", run.as_str())
            }
            Refusal::WriterBusy { ahead } => {
                let name = match ahead {
                    Ahead::Run(_) => "runID",
                    Ahead::Hold(_) => "holdID",
                };
                Failure::new(Kind::WriterBusy, message).with(name, ahead.as_str())
            }
            Refusal::BlockerGone { run } => {
                Failure::new(Kind::BlockerGone, message).with("runID", run.as_str())
            }
            Refusal::InsideRun { run } => Failure::new(Kind::InsideRun, message).with("runID", run.as_str()),
            Refusal::Closing { action } => {
                Failure::new(Kind::Closing, message).with("lifecycleActionID", action.as_str())
            }
            Refusal::CloseFailed { action, .. } => {
                Failure::new(Kind::CloseFailed, message).with("lifecycleActionID", action.as_str())
            }
            Refusal::Overloaded(_) => Failure::new(Kind::Overloaded, message),
            Refusal::Cancelled => Failure::new(Kind::Cancelled, message),
            Refusal::Storage { reason, .. } => {
                Failure::new(Kind::StorageUnavailable, message).with("reason", json!(reason))
            }
            Refusal::InvalidRequest(_) => Failure::new(Kind::InvalidRequest, message),
            Refusal::Internal(_) => {
                tracing::error!(%message, "a request failed for a reason of ours");
                Failure::new(Kind::Internal, message)
            }
        }
    }
}
