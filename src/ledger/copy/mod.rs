//! A copy in memory of what decides what happens next, to find out what would: nothing that is done to it is ever seen
//! by anybody else.
//!
//! What is over is left out, so that it is as large as what there is to do, however old the ledger. So are runs that
//! cannot be understood: what they come to cannot be known, and the others are told of without them.

mod frozen;

use std::collections::BTreeSet;

use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{CachedStatement, Connection, params_from_iter};

use super::column::{Columns, Tx, View};
use super::error::LedgerError;
use super::open::{self, OpenError};
use super::runs::{RunRow, readable_runs};
use crate::domain::id::{LedgerId, RunId};
use crate::domain::run::WaitingFor;
use crate::domain::time::Timestamp;
pub use frozen::Frozen;

/// Ended runs matter as long as something of them is there, another run tries them again, the next catch-up keeps its
/// distance from them (those after `?1`), or a session was worked in that goes on.
const RUNS: &str = "row IN (
    SELECT r.row FROM runs r INDEXED BY runs_active WHERE r.completed_at IS NULL
    UNION ALL SELECT run FROM processes
    UNION ALL SELECT h.row FROM runs h INDEXED BY runs_hold_directory WHERE h.holds_directory = 1
    UNION ALL SELECT b.row FROM runs b INDEXED BY runs_catch_ups
      WHERE b.not_before > ?1 AND b.trigger ->> '$.kind' = 'catchUp'
    UNION ALL SELECT o.row FROM runs r INDEXED BY runs_active CROSS JOIN runs o ON o.id = r.trigger ->> '$.of'
      WHERE r.completed_at IS NULL
    UNION ALL SELECT (SELECT max(n.row) FROM runs n INDEXED BY runs_in_session WHERE n.session_id = a.session_id)
      FROM automations a WHERE a.deleted_at IS NULL AND a.session_id IS NOT NULL)";

/// What is taken over: the tables, and of each the rows. Closes that wait and holds are not, and neither are questions to
/// agents: they are over soon.
const TAKEN: [(&str, &str); 11] = [
    ("instances", "true"),
    ("terms", "term = (SELECT max(term) FROM terms)"),
    ("automations", "deleted_at IS NULL"),
    ("runs", RUNS),
    ("processes", "true"),
    ("providers", "true"),
    ("servings", "true"),
    ("said", "true"),
    ("closes", "completed_at IS NOT NULL"),
    ("clock", "true"),
    ("answers", "true"),
];

/// What is taken over because of that, as far as it is named there: the tables, and how their rows are found.
const NAMED: [(&str, &str, &str); 2] = [
    ("definitions", "SELECT definition FROM automations UNION SELECT definition FROM runs", "row = ?1"),
    (
        "epochs",
        "SELECT row, epoch FROM automations UNION SELECT automation, epoch FROM runs",
        "automation = ?1 AND number = ?2",
    ),
];

/// The tables of which nothing is taken over.
#[cfg(test)]
const LEFT: [&str; 7] = ["ledger", "probes", "holds", "accounts", "pruned_outputs", "events", "disturbances"];

/// What identities begin with, after their kind, and sessions, that are made in a copy: they come after all others.
pub const FRESH: char = '~';

/// Statements that are kept prepared: those of the engine, and those of a copy.
const STATEMENTS: usize = 256;

/// See the module.
pub struct MemoryCopy {
    connection: Connection,
}

impl MemoryCopy {
    /// Copies what is seen here. A catch-up whose turn was up to `turns_after` keeps no other one waiting any more.
    ///
    /// # Errors
    /// When it cannot be read, or there is no memory.
    pub fn of(view: &View<'_>, turns_after: Timestamp) -> Result<MemoryCopy, LedgerError> {
        let id = LedgerId::from_unique("copy");
        let connection = open::open_in_memory(id).map_err(OpenError::of_memory)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // What is over is not here, though rows name it.
        connection.pragma_update(None, "foreign_keys", false)?;
        // It is never ended: all of it goes with the connection.
        connection.execute_batch("BEGIN")?;
        let copy = MemoryCopy { connection };
        for (table, rows) in TAKEN {
            let params: &[Value] = if rows == RUNS { &[turns_after.as_millis().into()] } else { &[] };
            copy.take(view, table, rows, &[params.to_vec()])?;
        }
        for (table, names, rows) in NAMED {
            let names = copy.names(names)?;
            copy.take(view, table, rows, &names)?;
        }
        copy.leave_out_what_is_not_understood()?;
        Ok(copy)
    }

    /// The transaction in which everything is decided here.
    pub fn tx(&self) -> Tx<'_> {
        Tx::new(&self.connection)
    }

    /// Grows with every row that is written.
    pub fn changes(&self) -> u64 {
        self.connection.total_changes()
    }

    /// Has no work ever be silent: nobody is there who would give signs of life.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn never_be_silent(&self) -> Result<(), LedgerError> {
        let sql = "UPDATE definitions SET body = json_set(body, '$.policy.idleMs', json('null'))
                   WHERE json_valid(body) AND body ->> '$.policy.idleMs' IS NOT NULL";
        self.connection.execute(sql, [])?;
        let sql = "UPDATE runs SET deadline_at = wall_at
                   WHERE completed_at IS NULL AND state = 'running' AND stopping IS NULL";
        self.connection.execute(sql, [])?;
        Ok(())
    }

    /// The runs that have ended, oldest first.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn ended_runs(&self) -> Result<Vec<RunRow>, LedgerError> {
        readable_runs(&View::new(&self.connection), "r.completed_at IS NOT NULL")
    }

    /// The runs that have not ended, oldest first.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn active_runs(&self) -> Result<Vec<RunRow>, LedgerError> {
        readable_runs(&View::new(&self.connection), "r.completed_at IS NULL")
    }

    /// What the runs wait for that nobody has been given.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn waits(&self) -> Result<Vec<(RunId, WaitingFor)>, LedgerError> {
        let sql = "SELECT id, waiting ->> '$.for' FROM runs
                   WHERE state = 'scheduled' AND given_to IS NULL AND waiting IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let (mut rows, mut waits) = (statement.query([])?, Vec::new());
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            waits.push((RunId::from_text(columns.take::<String>()?), columns.word("runs.waiting")?));
        }
        Ok(waits)
    }

    /// Forgets everything that was told, and the runs that have ended and that nothing depends on any more; gives those
    /// that have ended and that something does depend on.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn forget_what_is_over(&self, turns_after: Timestamp) -> Result<BTreeSet<RunId>, LedgerError> {
        self.connection.prepare_cached("DELETE FROM events")?.execute([])?;
        let sql = format!("DELETE FROM runs WHERE completed_at IS NOT NULL AND NOT {RUNS}");
        self.connection.prepare_cached(&sql)?.execute([turns_after.as_millis()])?;
        let sql = "SELECT id FROM runs WHERE completed_at IS NOT NULL";
        let kept = View::new(&self.connection).texts_by(sql, Vec::new())?;
        Ok(kept.into_iter().map(RunId::from_text).collect())
    }

    /// Leaves out the runs of which nothing can be said: those that cannot be read, and those that have not ended and whose
    /// automations cannot be.
    fn leave_out_what_is_not_understood(&self) -> Result<(), LedgerError> {
        let view = View::new(&self.connection);
        let mut statement =
            self.connection.prepare("SELECT row, automation, completed_at IS NOT NULL FROM runs")?;
        let runs = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for (run, automation, has_ended) in runs.collect::<Result<Vec<(i64, i64, bool)>, _>>()? {
            let stays = is_understood(view.run_at(run).map(drop))?
                && is_understood(self.has_values_only(run))?
                // Automations that were deleted are not here.
                && (has_ended || is_understood(view.automation_at(automation).map(drop))?);
            if !stays {
                self.connection.prepare_cached("DELETE FROM answers WHERE run = ?1")?.execute([run])?;
                self.connection.prepare_cached("DELETE FROM processes WHERE run = ?1")?.execute([run])?;
                self.connection.prepare_cached("DELETE FROM runs WHERE row = ?1")?.execute([run])?;
            }
        }
        Ok(())
    }

    /// Fails if a column of a run that is to hold text holds something else.
    fn has_values_only(&self, run: i64) -> Result<(), LedgerError> {
        let mut statement = self.connection.prepare_cached("SELECT * FROM runs WHERE row = ?1")?;
        let width = statement.column_count();
        Ok(statement.query_row([run], |row| {
            (0..width).try_for_each(|column| row.get::<_, Value>(column).map(drop))
        })?)
    }

    /// The columns of a table. What is generated from the others is generated here as well.
    fn columns(&self, table: &str) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    fn insertion(&self, table: &str, columns: &[String]) -> Result<CachedStatement<'_>, LedgerError> {
        let (names, places) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
        Ok(self.connection.prepare_cached(&format!("INSERT INTO {table} ({names}) VALUES ({places})"))?)
    }

    /// The values by which rows are named here.
    fn names(&self, sql: &str) -> Result<Vec<Vec<Value>>, LedgerError> {
        let mut statement = self.connection.prepare(sql)?;
        let width = statement.column_count();
        let (mut rows, mut names) = (statement.query([])?, Vec::new());
        while let Some(row) = rows.next()? {
            names.push((0..width).map(|column| row.get(column)).collect::<Result<_, _>>()?);
        }
        Ok(names)
    }

    /// Takes over the rows of a table that are found with each of these parameters.
    fn take(
        &self,
        view: &View<'_>,
        table: &str,
        rows: &str,
        params: &[Vec<Value>],
    ) -> Result<(), LedgerError> {
        let columns = self.columns(table)?;
        let mut insert = self.insertion(table, &columns)?;
        let sql = format!("SELECT {} FROM {table} WHERE {rows}", columns.join(", "));
        let mut select = view.connection.prepare(&sql)?;
        for params in params {
            let mut found = select.query(params_from_iter(params))?;
            while let Some(row) = found.next()? {
                // As it is: what is no text though it should be is found out where it is read.
                let values = (0..columns.len()).map(|column| row.get_ref(column).map(ToSqlOutput::Borrowed));
                insert.execute(params_from_iter(values.collect::<Result<Vec<_>, _>>()?))?;
            }
        }
        Ok(())
    }
}

/// Whether what was read is what this version understands.
fn is_understood(read: Result<(), LedgerError>) -> Result<bool, LedgerError> {
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.reason().is_about_single_rows() => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn of_every_table_it_is_said_whether_it_is_taken_over() {
        let connection = open::open_in_memory(LedgerId::from_unique("a")).unwrap();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut statement = connection.prepare(sql).unwrap();
        let there: BTreeSet<String> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let taken = TAKEN.iter().map(|(table, _)| *table);
        let said = taken.chain(NAMED.iter().map(|(table, _, _)| *table)).chain(LEFT);
        assert_eq!(there, said.map(str::to_owned).collect());
    }
}
