//! What can go wrong between the sidecar and its database.

use std::path::{Path, PathBuf};

use crate::domain::refusal::{Refusal, StorageReason};
use crate::failpoint::Injected;

/// A failure of the database, or a row that this version cannot understand.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite reported an error.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
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
        /// Who may have written it.
        by: Writer,
    },
    /// The rules of the ledger do not allow what was to be written.
    #[error("{0}")]
    Broken(String),
    /// One of its files was removed or replaced while it was open.
    #[error("{path} {now}")]
    Replaced {
        /// The file.
        path: PathBuf,
        /// What is in its place.
        now: &'static str,
    },
    /// A part of the database is missing.
    #[error("{path} was {longest} bytes long and has only {length} now")]
    CutShort {
        /// The database.
        path: PathBuf,
        /// Its length.
        length: u64,
        /// What it was.
        longest: u64,
    },
    /// Looking through the database has found something that cannot be.
    #[error("{path} is damaged: {why}")]
    Unsound {
        /// The database.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// A later version has brought it to a format that this build does not know.
    #[error("a later version has brought the ledger to format {found}, and this build knows {ours}")]
    NewerVersion {
        /// Its format.
        found: i64,
        /// The newest format that this build knows.
        ours: i64,
    },
}

/// Who may have written what this version cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// A later version: it is sound, and says something else than what is known here.
    LaterVersion,
    /// No version: it is damaged.
    Nobody,
}

impl LedgerError {
    /// What is the matter with the database at this path, where SQLite says no more than that it could not do what every
    /// ledger allows: then it has not the tables and columns of one.
    pub(super) fn of_shape(self, database: &Path) -> LedgerError {
        if let LedgerError::Sqlite(error) = &self
            && error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_ERROR)
        {
            return LedgerError::Unsound { path: database.to_owned(), why: error.to_string() };
        }
        self
    }

    /// The reason in the contract's words.
    pub fn reason(&self) -> StorageReason {
        use rusqlite::ErrorCode as Code;
        let error = match self {
            LedgerError::Sqlite(error) => error,
            LedgerError::Io(error) => return StorageReason::from(error),
            LedgerError::Unreadable { by: Writer::LaterVersion, .. } => return StorageReason::NotUnderstood,
            LedgerError::Unreadable { by: Writer::Nobody, .. } | LedgerError::Broken(_) => {
                return StorageReason::Unreadable;
            }
            LedgerError::Replaced { .. } => return StorageReason::Replaced,
            LedgerError::CutShort { .. } | LedgerError::Unsound { .. } => return StorageReason::Damaged,
            LedgerError::NewerVersion { .. } => return StorageReason::NewerVersion,
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

/// Why the ledger could not be used, and what to do about it: what a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The reason in the contract's words.
    pub reason: StorageReason,
    /// What cannot be used, why, and what to do.
    pub message: String,
}

impl Trouble {
    /// The ledger itself cannot be used, because of this.
    pub(super) fn new(reason: StorageReason, why: &dyn std::fmt::Display) -> Self {
        Trouble::beside(reason, &format_args!("the ledger cannot be used: {why}"))
    }

    /// Something beside the ledger cannot be used: what and why is a whole sentence.
    pub(super) fn beside(reason: StorageReason, what: &dyn std::fmt::Display) -> Self {
        Trouble { reason, message: format!("{what}; {}", way_out(reason)) }
    }

    /// The trouble that a refusal tells of, if it tells of any.
    pub(super) fn behind(refusal: &Refusal) -> Option<Trouble> {
        match refusal {
            Refusal::Storage { reason, message } => {
                Some(Trouble { reason: *reason, message: message.clone() })
            }
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
            | Refusal::InvalidRequest(_)
            | Refusal::Internal(_) => None,
        }
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Trouble::new(error.reason(), &error)
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Refusal::Storage { reason: trouble.reason, message: trouble.message }
    }
}

/// What a person can do about it.
fn way_out(reason: StorageReason) -> &'static str {
    match reason {
        StorageReason::Full => "free some space on the disk of the state directory and try again",
        StorageReason::ReadOnly => {
            "make the state directory writable, or choose another with SEXTON_STATE_DIR"
        }
        StorageReason::Damaged => {
            "close all windows of this project, then restore its state directory from a backup, or run `sexton doctor --repair`"
        }
        StorageReason::NotUnderstood => {
            "a newer version of sexton wrote it: update sexton, or delete what it belongs to; nothing else is concerned"
        }
        StorageReason::Unreadable => {
            "use the version of sexton that wrote it, or delete what it belongs to; nothing else is concerned"
        }
        StorageReason::Replaced => {
            "put the files back as they were, or open the window anew to use what is there now"
        }
        StorageReason::NewerVersion => "update sexton and open the window anew",
        StorageReason::Busy => "another process holds the ledger; try again, or end that process",
        StorageReason::Io => {
            "see whether the disk of the state directory works and no limit on the size of files is in the way"
        }
    }
}

impl From<rusqlite::Error> for LedgerError {
    /// A text that is none, a number where a text is to be, or what a rule of the tables does not allow is what one row
    /// says, and nothing that is wrong with the database.
    fn from(error: rusqlite::Error) -> Self {
        let is_of_one_row = matches!(
            error,
            rusqlite::Error::Utf8Error(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        );
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            return LedgerError::Broken(error.to_string());
        }
        match is_of_one_row {
            true => LedgerError::Unreadable {
                column: "of a row",
                found: String::new(),
                why: error.to_string(),
                by: Writer::Nobody,
            },
            false => LedgerError::Sqlite(error),
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Trouble::from(error).into()
    }
}

impl From<Injected> for LedgerError {
    fn from(injected: Injected) -> Self {
        LedgerError::Io(injected.into())
    }
}

impl From<Injected> for Refusal {
    fn from(injected: Injected) -> Self {
        LedgerError::from(injected).into()
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        LedgerError::from(error).into()
    }
}
