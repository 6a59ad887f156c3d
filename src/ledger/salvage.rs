//! What can still be read of a damaged ledger: the automations, row by row, and where their rows cannot be read, from
//! the newest events that told of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde::Deserialize;

use super::error::LedgerError;
use super::examination::immutable;
use super::files;
use crate::domain::automation::{Actor, Definition};
use crate::domain::id::AutomationId;
use crate::domain::time::Timestamp;

/// The newest automations that are tried, each by its place. More than this nobody has.
const ROWS: i64 = 100_000;

/// The newest events that are tried, each by its number. More are never kept, unless somebody raised the limit.
const EVENTS: i64 = 1_000_000;

/// An automation as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Salvage {
    /// Its identity.
    pub id: AutomationId,
    /// What the user asked for.
    pub definition: Definition,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// Runs that count towards a stop by count.
    pub completed_runs: i64,
}

/// All that could be read.
#[derive(Clone, Debug, Default)]
pub struct Salvaged {
    /// The automations, in the order of their identities.
    pub automations: Vec<Salvage>,
    /// What could not be read, a sentence each.
    pub lost: Vec<String>,
}

/// Reads what can be read of the ledger in this directory, and changes nothing.
pub fn salvage(directory: &Path) -> Salvaged {
    let path = directory.join("ledger.db");
    let nothing = |why: &str| Salvaged { automations: Vec::new(), lost: vec![why.to_owned()] };
    match files::length_at(&path) {
        Ok(Some(length)) if !files::passes_for_new(length) => {}
        Ok(Some(_)) => return nothing("the database is empty: nothing could be read of it"),
        Ok(None) => return nothing("there is no database: nothing could be read of it"),
        Err(error) => return nothing(&format!("the database cannot be looked at: {error}")),
    }
    // A log that spoils everything is left out.
    let wreck = open(&path, &path.to_string_lossy(), OpenFlags::empty())
        .or_else(|_| open(&path, &immutable(&path), OpenFlags::SQLITE_OPEN_URI));
    match wreck {
        Ok(wreck) => Reading { wreck, rows: BTreeMap::new(), deleted: BTreeSet::new(), unreadable: 0 }.all(),
        Err(error) => nothing(&format!("the database cannot be read at all: {error}")),
    }
}

fn open(path: &Path, address: &str, more: OpenFlags) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = match more.contains(OpenFlags::SQLITE_OPEN_URI) {
        true => Connection::open_with_flags(address, flags)?,
        false => Connection::open_with_flags(path, flags)?,
    };
    connection.pragma_update(None, "trusted_schema", false)?;
    // Without this, SQLite reads nothing of a file that is shorter than it says of itself.
    connection.pragma_update(None, "writable_schema", true)?;
    if !connection.table_exists(None, "automations")? {
        return Err(LedgerError::Broken("it has no automations in it".to_owned()));
    }
    Ok(connection)
}

/// What is read of a row beside its definition.
struct Row {
    created_at: i64,
    created_by: String,
    completed_runs: i64,
    definition: Option<String>,
}

/// What the newest event of an automation says, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(flatten)]
    definition: Definition,
    created_at: Timestamp,
    created_by: Actor,
    state: ToldState,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldState {
    completed_runs: i64,
}

struct Reading {
    wreck: Connection,
    rows: BTreeMap<AutomationId, Row>,
    deleted: BTreeSet<AutomationId>,
    unreadable: u64,
}

impl Reading {
    fn all(mut self) -> Salvaged {
        self.read_rows();
        let told = self.read_events();
        let mut salvaged = Salvaged::default();
        let known: BTreeSet<&AutomationId> = self.rows.keys().chain(told.keys()).collect();
        for id in known.into_iter().filter(|id| !self.deleted.contains(id)) {
            let row = self.rows.get(id).and_then(|row| from_row(id, row));
            let salvage = row.or_else(|| told.get(id).and_then(|payload| from_event(id, payload)));
            match salvage {
                Some(salvage) => salvaged.automations.push(salvage),
                None => salvaged.lost.push(format!("what {id} was to do cannot be read")),
            }
        }
        match self.unreadable {
            0 => {}
            1 => salvaged.lost.push("1 row of an automation cannot be read, and the events may not tell of it".to_owned()),
            rows => salvaged.lost.push(format!(
                "{rows} places for rows of automations cannot be read, and the events may not tell of all of them"
            )),
        }
        salvaged
    }

    /// Every row by its place, so that a page that cannot be read costs only what is on it.
    fn read_rows(&mut self) {
        let last = self.last("automations", "row", ROWS);
        for place in last.saturating_sub(ROWS).max(1)..=last {
            let sql = "SELECT id, created_at, created_by, completed_runs, deleted_at IS NOT NULL, definition
                       FROM automations WHERE row = ?1";
            let row = self.wreck.prepare_cached(sql).and_then(|mut statement| {
                let read = |row: &rusqlite::Row<'_>| {
                    let known = Row {
                        created_at: row.get(1)?,
                        created_by: row.get(2)?,
                        completed_runs: row.get(3)?,
                        definition: None,
                    };
                    Ok((row.get::<_, String>(0)?, known, row.get::<_, bool>(4)?, row.get::<_, i64>(5)?))
                };
                statement.query_row([place], read).optional()
            });
            match row {
                Ok(None) => {}
                Ok(Some((id, _, true, _))) => drop(self.deleted.insert(AutomationId::from_text(id))),
                Ok(Some((id, row, false, definition))) => {
                    let definition = self.definition(definition);
                    self.rows.insert(AutomationId::from_text(id), Row { definition, ..row });
                }
                Err(_) => self.unreadable += 1,
            }
        }
    }

    fn definition(&self, place: i64) -> Option<String> {
        let mut statement = self.wreck.prepare_cached("SELECT body FROM definitions WHERE row = ?1").ok()?;
        statement.query_row([place], |row| row.get(0)).ok()
    }

    /// What was told last of each automation.
    fn read_events(&mut self) -> BTreeMap<AutomationId, String> {
        let mut told = BTreeMap::new();
        let last = self.last("events", "seq", EVENTS);
        for seq in last.saturating_sub(EVENTS).max(1)..=last {
            let sql = "SELECT kind, automation_id, payload FROM events
                       WHERE seq = ?1 AND kind IN ('automation.updated', 'automation.deleted')";
            let event = self.wreck.prepare_cached(sql).and_then(|mut statement| {
                statement.query_row([seq], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
                })
            });
            // One that is missing or cannot be read tells nothing.
            let Ok((kind, id, payload)) = event else { continue };
            let id = AutomationId::from_text(id);
            match kind.as_str() {
                "automation.deleted" => drop(self.deleted.insert(id)),
                _ => drop(told.insert(id, payload)),
            }
        }
        told
    }

    /// The last place that a table has given to a row.
    fn last(&self, table: &str, place: &str, otherwise: i64) -> i64 {
        let given = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
        let given = self.wreck.query_row(given, [table], |row| row.get::<_, i64>(0));
        let newest = || {
            let sql = format!("SELECT coalesce(max({place}), 0) FROM {table}");
            self.wreck.query_row(&sql, [], |row| row.get::<_, i64>(0))
        };
        given.or_else(|_| newest()).unwrap_or(otherwise)
    }
}

fn from_row(id: &AutomationId, row: &Row) -> Option<Salvage> {
    Some(Salvage {
        id: id.clone(),
        definition: serde_json::from_str(row.definition.as_deref()?).ok()?,
        created_at: Timestamp::from_millis(row.created_at),
        created_by: serde_json::from_str(&row.created_by).ok()?,
        completed_runs: row.completed_runs,
    })
}

fn from_event(id: &AutomationId, payload: &str) -> Option<Salvage> {
    let mut payload: serde_json::Value = serde_json::from_str(payload).ok()?;
    let told: Told = serde_json::from_value(payload["automation"].take()).ok()?;
    Some(Salvage {
        id: id.clone(),
        definition: told.definition,
        created_at: told.created_at,
        created_by: told.created_by,
        completed_runs: told.state.completed_runs,
    })
}
