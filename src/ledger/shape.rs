//! Whether a database has the tables, indexes and triggers of its format. What keeps two runs from answering for the same
//! time, or two of them from writing in one directory, is an index: a ledger without it looks sound and is not.

use std::collections::BTreeMap;
use std::fmt;

use rusqlite::{Connection, Params};

use super::error::LedgerError;
use super::migrate;
use super::open::{self, OpenError};
use crate::domain::id::LedgerId;

/// What the schema of a database may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Rows. A ledger that has not all of its tables, or has others in their place, has lost something.
    Table,
    /// Made of the rows, and can be made anew.
    Index,
    /// What is done with each change, and can be made anew.
    Trigger,
    /// A question under a name.
    View,
}

impl Part {
    fn named(word: &str) -> Option<Part> {
        match word {
            "table" => Some(Part::Table),
            "index" => Some(Part::Index),
            "trigger" => Some(Part::Trigger),
            "view" => Some(Part::View),
            _ => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Table => "table",
            Part::Index => "index",
            Part::Trigger => "trigger",
            Part::View => "view",
        })
    }
}

/// In what a part of the schema is not as it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// It is another one.
    Changed,
    /// No version has made it.
    Foreign,
}

/// A part of the schema that is not as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// What it is.
    pub part: Part,
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// As it is to be, if it is to be there.
    pub(super) sql: Option<String>,
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Misshapen { part, name, .. } = self;
        match self.fault {
            Fault::Missing => write!(f, "the {part} `{name}` is missing"),
            Fault::Changed => write!(f, "the {part} `{name}` is not the one of this format"),
            Fault::Foreign => write!(f, "the {part} `{name}` belongs to no version of sexton"),
        }
    }
}

type Parts = BTreeMap<(Part, String), String>;

/// Compares the schema of a database with that of its format. What a later version has added that works beside this one
/// is no fault.
pub(super) fn compare(connection: &Connection) -> Result<Vec<Misshapen>, LedgerError> {
    let example = open::open_in_memory(LedgerId::from_unique("shape")).map_err(OpenError::of_memory)?;
    let of_ours = migrate::format(connection)? == migrate::OURS;
    let (wanted, there) = (parts(&example)?, parts(connection)?);
    let mut misshapen = Vec::new();
    for ((part, name), sql) in &wanted {
        let found = there.get(&(*part, name.clone()));
        let fault = match found {
            None => Fault::Missing,
            Some(found) if in_short(found) == in_short(sql) => continue,
            Some(_) if *part == Part::Table && !of_ours && has_columns(connection, &example, name)? => {
                continue;
            }
            Some(_) => Fault::Changed,
        };
        misshapen.push(Misshapen { part: *part, name: name.clone(), fault, sql: Some(sql.clone()) });
    }
    let foreign = there.into_keys().filter(|key| of_ours && !wanted.contains_key(key));
    misshapen.extend(foreign.map(|(part, name)| Misshapen { part, name, fault: Fault::Foreign, sql: None }));
    Ok(misshapen)
}

/// Everything that somebody has made; what SQLite makes for itself is not asked for.
fn parts(connection: &Connection) -> Result<Parts, LedgerError> {
    let sql = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut statement = connection.prepare(sql)?;
    let (mut rows, mut parts) = (statement.query([])?, Parts::new());
    while let Some(row) = rows.next()? {
        if let Some(part) = Part::named(&row.get::<_, String>(0)?) {
            let sql = row.get::<_, Option<String>>(2)?.unwrap_or_default();
            parts.insert((part, row.get(1)?), sql);
        }
    }
    Ok(parts)
}

/// A statement without its comments and without what spaces it.
fn in_short(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).collect::<Vec<&str>>().join(" ")
}

/// Whether a table has all columns that it is to have, as they are to be.
fn has_columns(connection: &Connection, example: &Connection, table: &str) -> Result<bool, LedgerError> {
    let there = columns(connection, [table])?;
    Ok(columns(example, [table])?.iter().all(|column| there.contains(column)))
}

fn columns(
    connection: &Connection,
    table: impl Params,
) -> Result<Vec<(String, String, bool, i64)>, LedgerError> {
    let sql = "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1)";
    let mut statement = connection.prepare(sql)?;
    let columns =
        statement.query_map(table, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok(columns.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Connection {
        open::open_in_memory(LedgerId::from_unique("a")).unwrap()
    }

    fn found(connection: &Connection) -> Vec<String> {
        compare(connection).unwrap().iter().map(Misshapen::to_string).collect()
    }

    #[test]
    fn a_new_ledger_has_the_shape_of_its_format_and_each_change_of_it_is_found() {
        let connection = ledger();
        assert_eq!(found(&connection), Vec::<String>::new());
        for (change, told) in [
            ("DROP INDEX runs_hold_directory", "the index `runs_hold_directory` is missing"),
            (
                "CREATE INDEX runs_hold_directory ON runs (directory)",
                "the index `runs_hold_directory` is not the one of this format",
            ),
            (
                "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM runs; END",
                "the trigger `t` belongs to no version of sexton",
            ),
            ("DROP TABLE clock", "the table `clock` is missing"),
            ("ALTER TABLE events ADD COLUMN x INTEGER", "the table `events` is not the one of this format"),
        ] {
            connection.execute_batch(change).unwrap();
            let all = found(&connection);
            assert!(all.iter().any(|one| one == told), "{told:?} is not in {all:?}");
        }
    }

    #[test]
    fn what_a_later_version_has_added_is_no_fault() {
        let connection = ledger();
        connection
            .execute_batch(
                "ALTER TABLE events ADD COLUMN x TEXT; CREATE TABLE y (z); CREATE INDEX i ON y (z)",
            )
            .unwrap();
        connection.pragma_update(None, "user_version", migrate::OURS + 1).unwrap();
        assert_eq!(found(&connection), Vec::<String>::new());
        connection.execute_batch("DROP INDEX runs_of").unwrap();
        assert_eq!(found(&connection), ["the index `runs_of` is missing"]);
    }
}
