//! Why something was not done. Each kind is what a client matches on; the sentence is for the person.

use super::fault::Fault;
use super::id::{LifecycleActionId, RunId};
use super::later::AnyAutomation;
use super::run::Ahead;

/// Why a request was refused. Nothing has been changed by a refused request.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Something is wrong with an automation's draft.
    #[error("the automation is not valid: {}", listed(.0))]
    InvalidAutomation(Vec<Fault>),
    /// Something is wrong with another parameter.
    #[error("the parameters are not valid: {}", listed(.0))]
    InvalidParams(Vec<Fault>),
    /// There is no such thing.
    #[error("there is no {what} {id} in this project; list them to see what there is")]
    NotFound {
        /// `automation` or `run`.
        what: &'static str,
        /// The identity that was asked for.
        id: String,
    },
    /// The automation is no longer as the client knew it.
    #[error("the automation has changed: {why}; look at `current` and decide again")]
    AutomationConflict {
        /// What has changed.
        why: String,
        /// The automation as it is now, as whoever asked is shown it.
        current: Box<AnyAutomation>,
    },
    /// A run of the automation stands in the way.
    #[error("run {run} of this automation is still active; wait for it or cancel it")]
    ActiveRunStillRunning {
        /// The run.
        run: RunId,
    },
    /// Something is ahead in the directory, and the run that was asked for is not to wait for it.
    #[error(
        "{} works in the directory or is next there; wait for it, or ask with `ifBusy: \"queue\"`", match ahead {
            Ahead::Run(run) => format!("run {run}"),
            Ahead::Hold(_) => "somebody".to_owned(),
        }
    )]
    WriterBusy {
        /// What is directly ahead.
        ahead: Ahead,
    },
    /// The run does not wait for this answer, or not any more.
    #[error("run {run} does not wait for this answer any more; look at it to see what became of it")]
    BlockerGone {
        /// The run.
        run: RunId,
    },
    /// It comes out of a run, and runs may not change what is scheduled.
    #[error(
        "run {run} may look but not change anything, except pause its own automation; ask a person for more"
    )]
    InsideRun {
        /// The run.
        run: RunId,
    },
    /// The window is giving up the project, or has given it up.
    #[error(
        "this window is giving up the project or has done so ({action}); ask another one, or open one. What was disposed of is taken back by a reload"
    )]
    Closing {
        /// The close that says so.
        action: LifecycleActionId,
    },
    /// A close has failed; nothing is closing because of it any more.
    #[error(
        "close {action} has failed, and this window goes on with the configuration that it had; runs that were stopped for it stay stopped: {why}"
    )]
    CloseFailed {
        /// Which.
        action: LifecycleActionId,
        /// Why, and what to do about it.
        why: String,
    },
    /// Too much of it is being done already. The sentence says what, and what to wait for.
    #[error("{0}")]
    Overloaded(String),
    /// Whoever asked has withdrawn the request before anything was committed.
    #[error("the request was cancelled; nothing was changed")]
    Cancelled,
    /// The ledger, or a file beside it, could not be written or read.
    #[error("{message}")]
    Storage {
        /// Why, in the contract's words.
        reason: StorageReason,
        /// What cannot be used, why, and what to do.
        message: String,
    },
    /// The message is no request that can be carried out now.
    #[error("{0}")]
    InvalidRequest(String),
    /// A fault of the sidecar itself.
    #[error("the sidecar failed: {0}; its log on stderr has more, please report it")]
    Internal(String),
}

impl Refusal {
    /// The same for whoever has named things on a command line: each fault begins with the option that it is about.
    pub fn of_arguments(&self) -> String {
        match self {
            Refusal::InvalidParams(faults) => {
                let one =
                    |fault: &Fault| format!("{} {}", fault.field, fault.hint.as_deref().unwrap_or_default());
                faults.iter().map(one).collect::<Vec<_>>().join("; ")
            }
            Refusal::InvalidAutomation(_)
            | Refusal::NotFound { .. }
            | Refusal::AutomationConflict { .. }
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
            | Refusal::Internal(_) => self.to_string(),
        }
    }

    /// Whether it comes from what single rows say, not from the ledger as a whole: trying again would fail in
    /// the same way, and others are not concerned.
    pub fn is_about_the_rows(&self) -> bool {
        match self {
            Refusal::Internal(_) => true,
            Refusal::Storage { reason, .. } => reason.is_about_single_rows(),
            Refusal::InvalidAutomation(_)
            | Refusal::InvalidParams(_)
            | Refusal::NotFound { .. }
            | Refusal::AutomationConflict { .. }
            | Refusal::ActiveRunStillRunning { .. }
            | Refusal::WriterBusy { .. }
            | Refusal::BlockerGone { .. }
            | Refusal::InsideRun { .. }
            | Refusal::Closing { .. }
            | Refusal::CloseFailed { .. }
            | Refusal::Overloaded(_)
            | Refusal::Cancelled
            | Refusal::InvalidRequest(_) => false,
        }
    }
}

/// Why the ledger could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorageReason {
    /// No space left.
    Full,
    /// It may not be written.
    ReadOnly,
    /// It is not a sound ledger, or has lost what it knew.
    Damaged,
    /// It is sound, but a row in it says what no version can have written. The contract has no other word
    /// for it; apart from that it is another thing, because it concerns that row alone.
    #[serde(rename = "damaged")]
    #[schemars(skip)]
    Unreadable,
    /// Its files were removed or replaced while it was open.
    Replaced,
    /// A later version of the binary wrote it.
    NewerVersion,
    /// The same of a row in it alone: the rest can be used.
    #[serde(rename = "newer_version")]
    #[schemars(skip)]
    NotUnderstood,
    /// Another process holds it.
    Busy,
    /// The operating system reported an error.
    Io,
}

impl StorageReason {
    /// The reason that is written as this word, if it is one that keeps the whole ledger from being used.
    pub fn of_word(word: &str) -> Option<StorageReason> {
        Some(match word {
            "full" => StorageReason::Full,
            "read_only" => StorageReason::ReadOnly,
            "damaged" => StorageReason::Damaged,
            "replaced" => StorageReason::Replaced,
            "newer_version" => StorageReason::NewerVersion,
            "busy" => StorageReason::Busy,
            "io" => StorageReason::Io,
            _ => return None,
        })
    }

    /// Whether single rows say what cannot be understood here, while the ledger as a whole can be used.
    pub fn is_about_single_rows(self) -> bool {
        match self {
            StorageReason::Unreadable | StorageReason::NotUnderstood => true,
            StorageReason::Full
            | StorageReason::ReadOnly
            | StorageReason::Damaged
            | StorageReason::Replaced
            | StorageReason::NewerVersion
            | StorageReason::Busy
            | StorageReason::Io => false,
        }
    }
}

impl From<&std::io::Error> for StorageReason {
    fn from(error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let is_any = |kinds: &[Kind]| kinds.contains(&error.kind());
        if is_any(&[Kind::PermissionDenied, Kind::ReadOnlyFilesystem]) {
            StorageReason::ReadOnly
        } else if is_any(&[Kind::StorageFull, Kind::QuotaExceeded]) {
            StorageReason::Full
        } else {
            StorageReason::Io
        }
    }
}

/// A refusal of one field of the parameters.
pub fn invalid_param(fault: Fault) -> Refusal {
    Refusal::InvalidParams(vec![fault])
}

/// Faults as a sentence lists them.
pub fn listed(faults: &[Fault]) -> String {
    let one = |fault: &Fault| {
        let word = serde_json::to_value(fault.message).ok().and_then(|word| word.as_str().map(str::to_owned));
        let word = word.unwrap_or_default().replace('_', " ");
        match &fault.hint {
            Some(hint) => format!("{}: {word} ({hint})", fault.field),
            None => format!("{}: {word}", fault.field),
        }
    };
    faults.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl From<super::run::machine::IllegalStep> for Refusal {
    fn from(step: super::run::machine::IllegalStep) -> Self {
        Refusal::Internal(step.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_as_the_word_that_it_is_written_as() {
        for reason in [
            StorageReason::Full,
            StorageReason::ReadOnly,
            StorageReason::Damaged,
            StorageReason::Replaced,
            StorageReason::NewerVersion,
            StorageReason::Busy,
            StorageReason::Io,
        ] {
            let word = serde_json::to_value(reason).unwrap();
            assert_eq!(StorageReason::of_word(word.as_str().unwrap()), Some(reason));
        }
        assert_eq!(StorageReason::of_word("melted"), None);
    }
}
