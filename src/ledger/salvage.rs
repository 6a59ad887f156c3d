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
    // All of it is one look: otherwise SQLite asks anew for each row whether anybody writes.
    connection.execute_batch("BEGIN")?;
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
        for place in self.places("automations", "row", ROWS) {
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
        for seq in self.places("events", "seq", EVENTS) {
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

    /// The places at which a table may have rows, the newest so many at most, in order. No single number in the file is
    /// believed: rows are found from either end as far as can be read, and what lies between is tried place by place.
    fn places(&self, table: &str, place: &str, most: i64) -> BTreeSet<i64> {
        let (newest, from_the_end) = self.found(table, place, "DESC", most);
        if from_the_end == Reached::TheOtherEnd {
            return newest;
        }
        let (mut places, _) = self.found(table, place, "ASC", most);
        let given = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
        let given = self.wreck.query_row(given, [table], |row| row.get::<_, i64>(0));
        let first = places.last().map_or(1, |last| last.saturating_add(1));
        let last = newest.first().map_or(given.unwrap_or(most), |first| first.saturating_sub(1));
        // Places are given one after the other, so that those next to what can be read are likelier than any others.
        places.extend(first..=last.min(first.saturating_add(most)));
        places.extend(newest);
        places
    }

    /// Where a table has rows, from one of its ends on, as far as can be read.
    fn found(&self, table: &str, place: &str, order: &str, most: i64) -> (BTreeSet<i64>, Reached) {
        let mut found = BTreeSet::new();
        let sql = format!("SELECT {place} FROM {table} ORDER BY {place} {order} LIMIT ?1");
        let mut read = || {
            let mut statement = self.wreck.prepare(&sql)?;
            let mut rows = statement.query([most])?;
            while let Some(row) = rows.next()? {
                found.insert(row.get(0)?);
            }
            Ok::<_, rusqlite::Error>(())
        };
        let reached = read().map_or(Reached::Damage, |()| Reached::TheOtherEnd);
        (found, reached)
    }
}

/// How far a table can be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// As far as it was to be.
    TheOtherEnd,
    /// Something is in the way.
    Damage,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::LedgerId;
    use crate::ledger::open::open_in_memory;

    /// The number up to which a table has given places, which is kept apart from its rows, is damaged.
    #[test]
    fn what_is_there_is_found_whatever_the_file_says_of_how_much_there_is() {
        let definition = r#"{"title":"t","kind":"oneshot","fireAt":1,"timezone":"UTC",
            "task":{"kind":"notify","text":"x"},"where":{},"access":"write"}"#;
        let mut definition: serde_json::Value = serde_json::from_str(definition).unwrap();
        definition["policy"] = serde_json::to_value(crate::domain::policy::Policy::default()).unwrap();
        for given in [1 << 40, i64::MAX, -7, 0] {
            let connection = open_in_memory(LedgerId::from_unique("a")).unwrap();
            let sql = "INSERT INTO definitions (row, automation, revision, body) VALUES (1, 3, 1, ?1)";
            connection.execute_batch("BEGIN").unwrap();
            connection.execute(sql, [definition.to_string()]).unwrap();
            let sql = r#"INSERT INTO automations (row, id, title_folded, definition, revision, created_at, updated_at,
                           created_by, epoch) VALUES (3, 'atm_a', 't', 1, 1, 1, 1, '{"instanceID":"i"}', 1)"#;
            connection.execute(sql, []).unwrap();
            let sql = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'automations'";
            assert_eq!(connection.execute(sql, [given]).unwrap(), 1);
            connection.execute_batch("COMMIT").unwrap();
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join("ledger.db");
            connection.execute("VACUUM INTO ?1", [path.to_str().unwrap()]).unwrap();
            let salvaged = salvage(place.path());
            let ids: Vec<&str> = salvaged.automations.iter().map(|one| one.id.as_str()).collect();
            assert_eq!((ids, salvaged.lost), (vec!["atm_a"], vec![]), "{given}");
        }
    }
}
