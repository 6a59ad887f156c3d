//! What carries runs out.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row};

use super::ProcessRow;
use super::row::{PROCESS_COLUMNS, process_from_row};
use crate::domain::id::{InstanceId, RunId, SubscriptionId};
use crate::ledger::column::View;
use crate::ledger::error::LedgerError;

impl View<'_> {
    /// The process that carries out a run, if it has begun.
    pub fn process(&self, run: i64) -> Result<Option<ProcessRow>, LedgerError> {
        let sql = format!("SELECT {PROCESS_COLUMNS} FROM processes p WHERE p.run = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_row([run], process_from_row).optional()?;
        Ok(found)
    }

    /// The runs that a window was told to carry out on this subscription and whose work has not gone, oldest first.
    pub fn served_on(&self, serving: &SubscriptionId) -> Result<Vec<RunId>, LedgerError> {
        let sql =
            "SELECT r.id FROM processes p JOIN runs r ON r.row = p.run WHERE p.serving = ?1 ORDER BY p.run";
        Ok(self
            .texts_by(sql, vec![serving.as_str().to_owned().into()])?
            .into_iter()
            .map(RunId::from_text)
            .collect())
    }

    /// The processes that a sidecar has started and that have not been seen to end, with their runs.
    pub fn processes_of(&self, instance: &InstanceId) -> Result<Vec<(RunId, ProcessRow)>, LedgerError> {
        let sql = "FROM processes p JOIN runs r ON r.row = p.run WHERE p.instance = ?1 ORDER BY p.run";
        self.processes_by(sql, vec![instance.as_str().to_owned().into()])
    }

    /// The processes whose sidecar has gone and that have not been seen to end, with their runs.
    pub fn orphaned_processes(&self) -> Result<Vec<(RunId, ProcessRow)>, LedgerError> {
        let sql = "FROM processes p JOIN runs r ON r.row = p.run
                   WHERE p.instance NOT IN (SELECT id FROM instances) ORDER BY p.run";
        self.processes_by(sql, Vec::new())
    }

    /// Whether anything is at work, or may be.
    pub fn has_processes(&self) -> Result<bool, LedgerError> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM processes")?.exists([])?)
    }

    /// The processes `p` of the runs `r` that this end of a statement finds.
    pub(in crate::ledger) fn processes_by(
        &self,
        from: &str,
        params: Vec<Value>,
    ) -> Result<Vec<(RunId, ProcessRow)>, LedgerError> {
        let sql = format!("SELECT {PROCESS_COLUMNS}, r.id {from}");
        let with_its_run =
            |row: &Row<'_>| Ok((RunId::from_text(row.get::<_, String>(7)?), process_from_row(row)?));
        self.readable_by(with_its_run, &sql, params)
    }
}
