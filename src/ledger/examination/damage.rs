//! Damage of the database itself.

use super::Examination;
use crate::ledger::error::LedgerError;
use crate::ledger::shape::{self, Misshapen};

/// A row that refers to another one which is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreferenced {
    /// The table of the row.
    pub table: String,
    /// Its place in that table, where it has one.
    pub row: Option<i64>,
    /// The table of the one that is not there.
    pub refers_to: String,
}

impl Examination {
    /// What is wrong with pages and indexes, in SQLite's words, and at most so many of them. Takes as long as reading
    /// all of the database, and its indexes once more.
    ///
    /// # Errors
    /// When it is so much that the rest cannot even be looked at.
    pub fn damage(&self, at_most: usize) -> Result<Vec<String>, LedgerError> {
        let mut statement = self.connection.prepare(&format!("PRAGMA integrity_check({at_most})"))?;
        let found = statement.query_map([], |row| row.get::<_, String>(0))?;
        let found: Vec<String> = found.collect::<Result<_, _>>()?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// Where its tables, indexes and triggers are not those of its format.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn misshapen(&self) -> Result<Vec<Misshapen>, LedgerError> {
        shape::compare(&self.connection)
    }

    /// Hands over every row that refers to one which is not there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn each_unreferenced(&self, mut found: impl FnMut(Unreferenced)) -> Result<(), LedgerError> {
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found(Unreferenced { table: row.get(0)?, row: row.get(1)?, refers_to: row.get(2)? });
        }
        Ok(())
    }
}
