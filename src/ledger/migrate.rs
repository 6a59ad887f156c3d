//! Brings a database to the format of this build.
//!
//! `user_version` is `breaking * 1000 + additive`. Formats with the same breaking number work side by side:
//! additive migrations only add tables, nullable columns and indexes. A higher breaking number is refused.

use std::path::Path;

use rusqlite::Connection;

use super::error::LedgerError;
use super::open::{APPLICATION_ID, OpenError};

/// The migrations in order: the format each leads to, and its file.
const MIGRATIONS: [(i64, &str); 1] = [(1_001, include_str!("../../schema/ledger/0001_foundation.sql"))];

/// The format that this build writes.
pub(super) const OURS: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error: LedgerError| OpenError::failed(path, error);
    if refuse_strangers(connection, path)? >= OURS {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| failed(error.into()))?;
    // Another process may have migrated between the look and the transaction.
    let done = refuse_strangers(connection, path)
        .and_then(|found| apply(connection, found).map_err(failed))
        .and_then(|()| connection.execute_batch("COMMIT").map_err(|error| failed(error.into())));
    if done.is_err() {
        // The transaction is gone with the connection at the latest; the first error is the one to report.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

fn apply(connection: &Connection, found: i64) -> Result<(), LedgerError> {
    for (format, sql) in MIGRATIONS.iter().filter(|(format, _)| *format > found) {
        connection.execute_batch(sql)?;
        connection.pragma_update(None, "user_version", format)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(())
}

/// Whether this build must not touch a database of this format.
pub(super) fn is_newer(format: i64) -> bool {
    format / 1000 > OURS / 1000
}

/// The format of the database.
pub(super) fn format(connection: &Connection) -> Result<i64, LedgerError> {
    let mut statement = connection.prepare_cached("PRAGMA user_version")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Refuses if another sidecar has brought the open database to a format that this build does not know.
pub(super) fn refuse_newer(connection: &Connection) -> Result<(), LedgerError> {
    let found = format(connection)?;
    match is_newer(found) {
        true => Err(LedgerError::NewerVersion { found, ours: OURS }),
        false => Ok(()),
    }
}

/// The format of the database, 0 for an empty one.
pub(super) fn refuse_strangers(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let failed = |error: LedgerError| OpenError::failed(path, error);
    let pragma = |name: &str| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        value.map_err(|error| failed(error.into()))
    };
    let found = pragma("user_version")?;
    let application = pragma("application_id")?;
    if application != i64::from(APPLICATION_ID) {
        let tables =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
        let tables = tables.map_err(|error| failed(error.into()))?;
        if application != 0 || found != 0 || tables != 0 {
            return Err(OpenError::NotALedger { path: path.to_owned() });
        }
    }
    if application == i64::from(APPLICATION_ID) && !(1_000..).contains(&found) {
        // The two are written at once, so that no ledger ever was like this.
        let why = format!("it is marked as a ledger, and its format is said to be {found}, which is none");
        return Err(failed(LedgerError::Unsound { path: path.to_owned(), why }));
    }
    if is_newer(found) {
        return Err(OpenError::NewerVersion { path: path.to_owned(), found, ours: OURS, by: String::new() });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn an_empty_database_becomes_a_ledger_of_this_format() {
        let connection = open();
        migrate(&connection, Path::new("x")).unwrap();
        assert_eq!(refuse_strangers(&connection, Path::new("x")).unwrap(), OURS);
        migrate(&connection, Path::new("x")).unwrap();
    }

    #[test]
    fn a_newer_breaking_format_is_refused_and_left_alone() {
        let connection = open();
        migrate(&connection, Path::new("x")).unwrap();
        connection.pragma_update(None, "user_version", OURS + 1000).unwrap();
        let refused = migrate(&connection, Path::new("x")).unwrap_err();
        assert!(matches!(refused, OpenError::NewerVersion { found, .. } if found == OURS + 1000));
    }

    #[test]
    fn a_newer_additive_format_is_used_as_it_is() {
        let connection = open();
        migrate(&connection, Path::new("x")).unwrap();
        connection.pragma_update(None, "user_version", OURS + 7).unwrap();
        migrate(&connection, Path::new("x")).unwrap();
        assert_eq!(refuse_strangers(&connection, Path::new("x")).unwrap(), OURS + 7);
    }

    #[test]
    fn the_database_of_another_program_is_left_alone() {
        let connection = open();
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        let refused = migrate(&connection, Path::new("x")).unwrap_err();
        assert!(matches!(refused, OpenError::NotALedger { .. }));
    }
}
