//! What a ledger must not have lost: it is compared with its marker before anything is written.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::column::View;
use super::error::LedgerError;
use super::files;
use super::marker::{Found, NAME};
use super::migrate;
use super::open::OpenError;
use crate::domain::id::LedgerId;

/// What is missing though the marker tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// There is no database.
    Missing,
    /// The database is empty, or has less in it than any database.
    Empty,
    /// It is the database of another ledger.
    Another {
        /// Which.
        found: LedgerId,
        /// The one that the marker tells of.
        expected: LedgerId,
    },
    /// It does not have all events.
    Behind {
        /// The newest event that it has.
        found: i64,
        /// One that it had.
        expected: i64,
    },
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Missing => write!(f, "the database is missing"),
            Loss::Empty => write!(f, "the database is empty"),
            Loss::Another { found, expected } => {
                write!(f, "the database is that of the ledger {found}, not of {expected}")
            }
            Loss::Behind { found, expected } => write!(
                f,
                "the database knows the events up to {found} only, and there were {expected}: commits are lost"
            ),
        }
    }
}

/// Refuses if there has been a ledger and its database is not there, before anything could create one.
pub(super) fn refuse_missing(path: &Path, found: &Found) -> Result<(), OpenError> {
    let marker = match found {
        Found::Nothing => return Ok(()),
        Found::Unreadable(_) => None,
        Found::Marker(marker) => Some(marker),
    };
    if let Some(marker) = marker
        && migrate::is_newer(marker.format)
    {
        return Err(OpenError::NewerVersion {
            path: path.to_owned(),
            found: marker.format,
            ours: migrate::OURS,
            by: format!(" and was written by sexton {}", marker.written_by),
        });
    }
    match files::length_at(path).map_err(|error| OpenError::failed(path, error))? {
        None => Err(lost(path, Loss::Missing)),
        Some(length) if files::passes_for_new(length) => Err(lost(path, Loss::Empty)),
        Some(_) => Ok(()),
    }
}

/// Refuses if the database that has been opened is not the one that the marker tells of, or has lost commits.
pub(super) fn refuse_less(connection: &Connection, path: &Path, found: &Found) -> Result<(), OpenError> {
    let expected = match found {
        Found::Nothing => return Ok(()),
        Found::Unreadable(_) => None,
        Found::Marker(marker) => Some(marker),
    };
    let failed = |error: LedgerError| OpenError::failed(path, error.of_shape(path));
    let Some(ledger) = identity(connection).map_err(failed)? else {
        return Err(lost(path, Loss::Empty));
    };
    let Some(expected) = expected else { return Ok(()) };
    if ledger != expected.ledger {
        return Err(lost(path, Loss::Another { found: ledger, expected: expected.ledger.clone() }));
    }
    let newest = View::new(connection).newest_seq().map_err(failed)?;
    if newest < expected.newest_seq {
        return Err(lost(path, Loss::Behind { found: newest, expected: expected.newest_seq }));
    }
    Ok(())
}

/// The identity of the ledger in this database; none if it holds no ledger.
pub(super) fn identity(connection: &Connection) -> Result<Option<LedgerId>, LedgerError> {
    if !connection.table_exists(None, "ledger")? {
        return Ok(None);
    }
    let sql = "SELECT id FROM ledger WHERE only = 1";
    let id: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(id.map(LedgerId::from_text))
}

fn lost(path: &Path, loss: Loss) -> OpenError {
    let marker: PathBuf = path.with_file_name(NAME);
    OpenError::Lost { path: path.to_owned(), marker, loss }
}
