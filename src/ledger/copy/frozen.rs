//! The runs that have not ended, as they are at an instant: with all times counted from it, so that what is the same at
//! two instants is recognised, and can be put back at a third.

use std::collections::BTreeSet;

use rusqlite::params_from_iter;
use rusqlite::types::Value;
use serde_json::Value as Json;

use super::{FRESH, MemoryCopy};
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;
use crate::ledger::column::to_json;
use crate::ledger::error::LedgerError;

/// The columns of runs and processes that hold a time.
const TIMES: [&str; 16] = [
    "slots_from",
    "slots_to",
    "scheduled_at",
    "triggered_at",
    "seen_at",
    "wait_until",
    "not_before",
    "joins_at",
    "started_at",
    "completed_at",
    "given_at",
    "deadline_at",
    "active_at",
    "wall_at",
    "tell_at",
    "begun_at",
];

/// Those with JSON in which there are times, by the names that the contract gives them.
const WITH_TIMES: [&str; 4] = ["waiting", "stopping", "blocker", "skipped"];

/// Those that name a run, or tell of one.
const NAMING_RUNS: [&str; 3] = ["trigger", "waiting", "behind"];

/// Those from which nothing follows: who the runs are, how often they were told of, and what is only searched for.
const WITHOUT_MEANING: [&str; 5] = ["row", "id", "run", "seen_at", "revision"];

/// See the module.
pub struct Frozen {
    runs: Vec<Vec<Value>>,
    processes: Vec<Vec<Value>>,
    /// Who they are, oldest first.
    pub ids: Vec<RunId>,
    /// To which automations they belong.
    pub automations: BTreeSet<i64>,
    /// What is the same wherever the same follows.
    pub meaning: Vec<u8>,
}

impl MemoryCopy {
    /// The runs that have not ended, with all times counted from this one.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn freeze(&self, at: Timestamp) -> Result<Frozen, LedgerError> {
        let run_columns = self.columns("runs")?;
        let process_columns = self.columns("processes")?;
        let sql = "completed_at IS NULL ORDER BY row";
        let runs = self.frozen_rows("runs", &run_columns, sql, at)?;
        let processes = self.frozen_rows("processes", &process_columns, "true ORDER BY run", at)?;
        let mut frozen =
            Frozen { runs, processes, ids: Vec::new(), automations: BTreeSet::new(), meaning: Vec::new() };
        for run in &frozen.runs {
            for (name, value) in run_columns.iter().zip(run) {
                match (name.as_str(), value) {
                    ("id", Value::Text(id)) => frozen.ids.push(RunId::from_text(id.clone())),
                    ("automation", Value::Integer(place)) => drop(frozen.automations.insert(*place)),
                    (_, _) => {}
                }
            }
        }
        let mut meaning = Vec::new();
        for (columns, rows) in [(&run_columns, &frozen.runs), (&process_columns, &frozen.processes)] {
            for row in rows {
                meaning.push(b'\n');
                for (name, value) in columns.iter().zip(row) {
                    if !WITHOUT_MEANING.contains(&name.as_str()) {
                        write_meaning(&mut meaning, name, value, &frozen.ids);
                    }
                }
            }
        }
        frozen.meaning = meaning;
        Ok(frozen)
    }

    /// Has these be the runs that have not ended, as they were, but at this time.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn thaw(&self, frozen: &Frozen, at: Timestamp) -> Result<(), LedgerError> {
        self.connection.execute_batch("DELETE FROM processes; DELETE FROM runs")?;
        for (table, rows) in [("runs", &frozen.runs), ("processes", &frozen.processes)] {
            let columns = self.columns(table)?;
            let mut insert = self.insertion(table, &columns)?;
            for row in rows {
                let moved =
                    columns.iter().zip(row).map(|(name, value)| moved(name, value.clone(), at.as_millis()));
                insert.execute(params_from_iter(moved.collect::<Result<Vec<_>, _>>()?))?;
            }
        }
        Ok(())
    }

    fn frozen_rows(
        &self,
        table: &str,
        columns: &[String],
        condition: &str,
        at: Timestamp,
    ) -> Result<Vec<Vec<Value>>, LedgerError> {
        let sql = format!("SELECT {} FROM {table} WHERE {condition}", columns.join(", "));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let (mut found, mut rows) = (statement.query([])?, Vec::new());
        while let Some(row) = found.next()? {
            let values = columns.iter().enumerate();
            let values = values.map(|(place, name)| moved(name, row.get(place)?, -at.as_millis()));
            rows.push(values.collect::<Result<Vec<_>, LedgerError>>()?);
        }
        Ok(rows)
    }
}

/// The value with all times in it moved.
fn moved(column: &str, value: Value, by_ms: i64) -> Result<Value, LedgerError> {
    Ok(match value {
        Value::Integer(at) if TIMES.contains(&column) => Value::Integer(at.saturating_add(by_ms)),
        Value::Text(text) if WITH_TIMES.contains(&column) => {
            let mut json: Json =
                serde_json::from_str(&text).map_err(|error| LedgerError::Broken(error.to_string()))?;
            move_times(&mut json, by_ms);
            Value::Text(to_json(&json)?)
        }
        value @ (Value::Null | Value::Integer(_) | Value::Real(_) | Value::Text(_) | Value::Blob(_)) => value,
    })
}

fn move_times(json: &mut Json, by_ms: i64) {
    match json {
        Json::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member.as_i64() {
                    Some(at) if name == "since" || name.ends_with("At") => {
                        *member = at.saturating_add(by_ms).into();
                    }
                    Some(_) | None => move_times(member, by_ms),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| move_times(item, by_ms)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Runs are told by their places among the others, and a session that was begun here is one that nobody else knows.
fn write_meaning(meaning: &mut Vec<u8>, column: &str, value: &Value, ids: &[RunId]) {
    match value {
        Value::Null => meaning.push(b'-'),
        Value::Integer(number) => {
            meaning.push(b'i');
            meaning.extend(number.to_le_bytes());
        }
        Value::Real(number) => {
            meaning.push(b'r');
            meaning.extend(number.to_bits().to_le_bytes());
        }
        Value::Text(text) if column == "session_id" && text.starts_with(FRESH) => meaning.push(b's'),
        Value::Text(text) if NAMING_RUNS.contains(&column) => {
            let named = ids
                .iter()
                .enumerate()
                .fold(text.clone(), |text, (place, id)| text.replace(id.as_str(), &format!("#{place}#")));
            write_bytes(meaning, named.as_bytes());
        }
        Value::Text(text) => write_bytes(meaning, text.as_bytes()),
        Value::Blob(bytes) => write_bytes(meaning, bytes),
    }
}

fn write_bytes(meaning: &mut Vec<u8>, bytes: &[u8]) {
    meaning.push(b't');
    meaning.extend(bytes.len().to_le_bytes());
    meaning.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::LedgerId;
    use crate::ledger::open::open_in_memory;

    /// Those that count, or name a row.
    const NUMBERS: [&str; 18] = [
        "row",
        "run",
        "automation",
        "definition",
        "definition_revision",
        "epoch",
        "revision",
        "tries",
        "slots_count",
        "ended_number",
        "holds_directory",
        "given_number",
        "wall_left_ms",
        "same_steps",
        "warned_of_budget",
        "warned_of_currency",
        "steps",
        "output_bytes",
    ];
    const OTHER_NUMBERS: [&str; 4] = ["asked_for", "output_truncated", "pid", "start_time"];

    #[test]
    fn of_every_number_it_is_said_whether_it_is_a_time() {
        let connection = open_in_memory(LedgerId::from_unique("a")).unwrap();
        for table in ["runs", "processes"] {
            let sql = "SELECT name FROM pragma_table_xinfo(?1) WHERE type = 'INTEGER' AND hidden = 0";
            let mut statement = connection.prepare(sql).unwrap();
            let names = statement.query_map([table], |row| row.get::<_, String>(0)).unwrap();
            for name in names.map(Result::unwrap) {
                let said = TIMES.iter().chain(&NUMBERS).chain(&OTHER_NUMBERS).filter(|said| **said == name);
                assert_eq!(said.count(), 1, "{table}.{name}");
            }
        }
    }

    #[test]
    fn times_are_moved_wherever_they_are_and_back_again() {
        let text = r#"{"for":"directory","since":1000,"untilAt":5000,"slots":[{"fromAt":1,"count":7}]}"#;
        let away = moved("waiting", Value::Text(text.to_owned()), -1000).unwrap();
        let Value::Text(found) = &away else { panic!("{away:?}") };
        let found: Json = serde_json::from_str(found).unwrap();
        let slots = serde_json::json!([{"fromAt": -999, "count": 7}]);
        assert_eq!(
            found,
            serde_json::json!({"for": "directory", "since": 0, "untilAt": 4000, "slots": slots})
        );
        let Value::Text(back) = moved("waiting", away, 1000).unwrap() else { panic!("no text") };
        let same: (Json, Json) = (serde_json::from_str(&back).unwrap(), serde_json::from_str(text).unwrap());
        assert_eq!(same.0, same.1);
    }
}
