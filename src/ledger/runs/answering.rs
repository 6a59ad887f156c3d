//! Which run answers for a slot, and which were there beside it.

use super::RunRow;
use super::row::{COLUMNS, TABLES, from_row};
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;
use crate::ledger::column::View;
use crate::ledger::error::LedgerError;

impl View<'_> {
    /// The run that answers for a slot, if it is still kept.
    pub fn answering_run(
        &self,
        automation: i64,
        epoch: i64,
        slot: Timestamp,
    ) -> Result<Option<RunRow>, LedgerError> {
        // No two runs answer for the same slots, so the first that ends late enough is the one or there is none.
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES}
             WHERE r.automation = ?1 AND r.epoch = ?2 AND r.slots_to >= ?3 AND r.slots_to IS NOT NULL
             ORDER BY r.slots_to LIMIT 1"
        );
        let found =
            self.one_by(from_row, &sql, vec![automation.into(), epoch.into(), slot.as_millis().into()])?;
        Ok(found.filter(|run| run.run.slots.is_some_and(|slots| slots.from_at <= slot)))
    }

    /// The run that tries this one again.
    pub fn retry_of(&self, run: &RunId) -> Result<Option<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES}
             WHERE r.trigger ->> '$.of' = ?1 AND r.trigger ->> '$.kind' = 'retry' ORDER BY r.row LIMIT 1"
        );
        self.one_by(from_row, &sql, vec![run.as_str().to_owned().into()])
    }

    /// The runs of an automation before this one, the newest first. One that this version does not understand is left
    /// out.
    pub fn runs_before(&self, automation: i64, row: i64, limit: usize) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES} WHERE r.automation = ?1 AND r.row < ?2 ORDER BY r.row DESC"
        );
        self.readable_page_by(from_row, &sql, vec![automation.into(), row.into()], limit)
    }

    /// The first run of an automation after this one.
    pub fn run_after(&self, automation: i64, row: i64) -> Result<Option<RunRow>, LedgerError> {
        let sql =
            format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.automation = ?1 AND r.row > ?2 ORDER BY r.row");
        self.first_readable_by(from_row, &sql, vec![automation.into(), row.into()])
    }
}
