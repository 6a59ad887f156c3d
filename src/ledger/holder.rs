//! Who keeps the ledger from being written: a process that was stopped inside a transaction does, until it goes on or
//! ends.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::error::Trouble;
use super::files;
use super::open::{self, OpenError};
use crate::domain::refusal::StorageReason;

/// Tells which other process has locked this byte of this file, where that can be found out.
pub type WhoLocks = Box<dyn Fn(&Path, u64) -> Option<u32> + Send>;

/// The byte of the log's index that whoever writes has locked (`WAL_WRITE_LOCK` in the file format of SQLite, "The
/// WAL-Index File Format").
const WRITES: u64 = 120;

/// Names whoever writes, if that is what is in the way.
pub(super) fn name(
    trouble: Trouble,
    database: &Path,
    connection: &Connection,
    who_locks: &WhoLocks,
) -> Trouble {
    if trouble.reason != StorageReason::Busy {
        return trouble;
    }
    let Some(who) = who_writes(database, connection, who_locks) else { return trouble };
    let message = format!("the ledger cannot be written: {who}");
    Trouble { reason: StorageReason::Busy, message }
}

/// Does the same for a ledger that is being opened.
pub(super) fn at_opening(error: OpenError, who_locks: &WhoLocks) -> OpenError {
    let OpenError::Failed { path, source } = error else { return error };
    let reading = (source.reason() == StorageReason::Busy).then(|| open::for_reading(&path).ok()).flatten();
    match reading.and_then(|reading| who_writes(&path, &reading, who_locks)) {
        Some(why) => OpenError::Held { path, why },
        None => OpenError::Failed { path, source },
    }
}

/// Who writes, and what can be done about it, where that can be found out.
fn who_writes(database: &Path, connection: &Connection, who_locks: &WhoLocks) -> Option<String> {
    let pid = who_locks(&files::beside(database, files::INDEX), WRITES)?;
    let sql = "SELECT client FROM instances WHERE pid = ?1 ORDER BY since DESC LIMIT 1";
    // Looks go on while somebody writes; where one fails, the number alone has to do.
    let window = connection.query_row(sql, [pid], |row| row.get::<_, Option<String>>(0)).optional();
    let whose = match window {
        Ok(Some(Some(client))) => format!("the sidecar of {client}"),
        Ok(Some(None)) => "the sidecar of another window".to_owned(),
        Ok(None) | Err(_) => "no sidecar of this project".to_owned(),
    };
    Some(format!(
        "process {pid}, {whose}, has been writing for too long; let it go on if it is stopped (kill -CONT {pid}), or end it, and try again"
    ))
}
