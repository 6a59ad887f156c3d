//! What can go wrong between the sidecar and its database.

use crate::domain::refusal::{Refusal, StorageReason};

/// A failure of the database, or a row that this version cannot understand.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite reported an error.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The operating system reported an error.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A stored text is not what this version expects there.
    #[error("column {column} holds {found:?}, which this version does not understand: {why}")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// The start of its content.
        found: String,
        /// What is wrong with it.
        why: String,
    },
    /// The rules of the ledger do not allow what was to be written.
    #[error("{0}")]
    Broken(String),
}

impl LedgerError {
    /// The reason in the contract's words.
    pub fn reason(&self) -> StorageReason {
        use rusqlite::ErrorCode as Code;
        let error = match self {
            LedgerError::Sqlite(error) => error,
            LedgerError::Io(error) => return StorageReason::from(error),
            LedgerError::Unreadable { .. } | LedgerError::Broken(_) => return StorageReason::Damaged,
        };
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => StorageReason::Full,
            Some(Code::ReadOnly | Code::PermissionDenied) => StorageReason::ReadOnly,
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => StorageReason::Damaged,
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => StorageReason::Busy,
            Some(_) | None => StorageReason::Io,
        }
    }
}

/// What a person can do about it.
pub(super) fn way_out(reason: StorageReason) -> &'static str {
    match reason {
        StorageReason::Full => "free some space on the disk of the state directory and try again",
        StorageReason::ReadOnly => {
            "make the state directory writable, or choose another with SEXTON_STATE_DIR"
        }
        StorageReason::Damaged => "close all windows and look at the database before it is used again",
        StorageReason::NewerVersion => "update sexton",
        StorageReason::Busy => "another process holds the ledger; try again, or end that process",
        StorageReason::Io => "see whether the disk of the state directory works",
    }
}

impl From<&LedgerError> for Refusal {
    fn from(error: &LedgerError) -> Self {
        let reason = error.reason();
        Refusal::Storage { reason, message: format!("{error}; {}", way_out(reason)) }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Refusal::from(&error)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        LedgerError::from(error).into()
    }
}
