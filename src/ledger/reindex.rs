//! Makes indexes and triggers anew that are not as they are to be.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::error::LedgerError;
use super::files::{self, BESIDE};
use super::open;
use super::replacement::{self, free};
use super::shape::{self, Fault, Misshapen, Part};
use crate::domain::time::Timestamp;

/// Makes all indexes and triggers of the ledger in this directory anew, after a copy of it as it was, and gives the place of the copy.
/// Nobody else has it open meanwhile.
///
/// # Errors
/// When that cannot be done, or does not mend everything: then the ledger is as it was.
pub fn rebuild_indexes(state: &Path, now: Timestamp) -> Result<std::path::PathBuf, LedgerError> {
    let path = state.join("ledger.db");
    let copies = free(&replacement::place_for(state, now));
    replacement::make(&copies)?;
    for file in
        std::iter::once(path.clone()).chain(BESIDE.into_iter().map(|suffix| files::beside(&path, suffix)))
    {
        if let Some(name) = file.file_name()
            && file.exists()
        {
            std::fs::copy(&file, copies.join(name))?;
        }
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags)?;
    open::settle(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for misshapen in shape::compare(&connection)? {
        let Misshapen { part, name, fault, sql } = &misshapen;
        match (part, fault) {
            (Part::Index | Part::Trigger, _) => {}
            // What is somebody else's and does nothing by itself is left to them.
            (Part::Table, Fault::Foreign) | (Part::View, _) => continue,
            // Nobody can say what was in it.
            (Part::Table, Fault::Missing | Fault::Changed) => {
                return Err(LedgerError::Unsound { path, why: misshapen.to_string() });
            }
        }
        if *fault != Fault::Missing {
            connection.execute_batch(&format!("DROP {part} \"{}\"", name.replace('"', "\"\"")))?;
        }
        if let Some(sql) = sql {
            connection.execute_batch(sql)?;
        }
    }
    connection.execute_batch("REINDEX")?;
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(LedgerError::Unsound { path, why: found });
    }
    connection.execute_batch("COMMIT")?;
    Ok(copies)
}
