//! Ends runs that only a later version understands, in the words that every version knows.

use super::row::{COLUMNS, TABLES, stored_from_row};
use super::{StoredRun, next_ended_number, seen_at};
use crate::domain::id::{InstanceId, RunId};
use crate::domain::run::machine::StopReason;
use crate::domain::run::{OutputSize, ProcessEnd};
use crate::domain::time::Timestamp;
use crate::ledger::column::{Tx, View, to_json_or_null, to_word};
use crate::ledger::error::LedgerError;
use crate::ledger::later::{LaterRunRow, Stored};

impl View<'_> {
    /// The runs that were given to an instance, have not ended, and that only a later version understands.
    pub fn later_runs_given_to(&self, instance: &InstanceId) -> Result<Vec<LaterRunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES} WHERE r.given_to = ?1 AND r.completed_at IS NULL ORDER BY r.row"
        );
        let stored = self.readable_by(stored_from_row, &sql, vec![instance.as_str().to_owned().into()])?;
        let later = |stored: StoredRun| match stored {
            Stored::Known(_) => None,
            Stored::Later(run) => Some(*run),
        };
        Ok(stored.into_iter().filter_map(later).collect())
    }
}

impl Tx<'_> {
    /// A run that has not begun belongs to no window.
    pub fn hand_back_later(&self, run: i64) -> Result<(), LedgerError> {
        let sql = "UPDATE runs SET given_to = NULL, given_at = NULL, deadline_at = NULL, holds_directory = 0
                   WHERE row = ?1";
        self.execute(sql, [run])?;
        Ok(())
    }

    /// Stops a run, and gives it as it is afterwards. Its directory is held on.
    pub fn stop_later(
        &self,
        run: &LaterRunRow,
        reason: StopReason,
        process: Option<&ProcessEnd>,
        output: OutputSize,
        now: Timestamp,
    ) -> Result<Option<LaterRunRow>, LedgerError> {
        let sql = format!(
            "UPDATE runs SET revision = revision + 1, state = 'stopped', stop_reason = ?2,
               completed_at = max(?3, coalesce(started_at, triggered_at)), process_end = ?4,
               output_bytes = ?5, output_truncated = ?6, waiting = NULL, behind = NULL, stopping = NULL,
               blocker = NULL, skipped = NULL, deadline_at = NULL, ended_number = {}
             WHERE row = ?1 AND completed_at IS NULL",
            next_ended_number()
        );
        let process = to_json_or_null(process)?;
        let bytes = output.bytes.cast_signed();
        let params = (run.row, to_word(&reason)?, now.as_millis(), process, bytes, output.truncated);
        self.execute(&sql, params)?;
        self.later_run(&run.run.id)
    }

    /// The slots that were counted on a run become a record; gives it if there were any.
    pub fn record_counted_on_later(
        &self,
        run: &LaterRunRow,
        id: &RunId,
        now: Timestamp,
    ) -> Result<Option<LaterRunRow>, LedgerError> {
        let sql = format!(
            "INSERT INTO runs (id, automation, automation_id, definition, definition_revision, epoch, revision,
               trigger, attendance, slots_from, slots_to, slots_count, scheduled_at, triggered_at, seen_at,
               state, completed_at, stop_reason, directory, access, if_busy, ended_number)
             SELECT ?2, automation, automation_id, definition, definition_revision,
               (SELECT a.epoch FROM automations a WHERE a.row = runs.automation), 1, json_object('kind', 'schedule'),
               'unattended', skipped ->> '$.fromAt', skipped ->> '$.toAt', skipped ->> '$.count',
               skipped ->> '$.toAt', ?3, {}, 'stopped', ?3, skipped ->> '$.reason', directory, access, if_busy,
               {}
             FROM runs WHERE row = ?1 AND skipped IS NOT NULL",
            seen_at("?3"),
            next_ended_number()
        );
        self.execute(&sql, (run.row, id.as_str(), now.as_millis()))?;
        self.later_run(id)
    }

    fn later_run(&self, id: &RunId) -> Result<Option<LaterRunRow>, LedgerError> {
        Ok(match self.stored_run(id)? {
            Some(Stored::Later(run)) => Some(*run),
            Some(Stored::Known(_)) | None => None,
        })
    }
}
