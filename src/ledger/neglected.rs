//! What instances were given and do not do. All of it is found among the runs that are given and have not ended, of
//! which there are never more than may be at work at once.

use super::column::View;
use super::error::LedgerError;
use super::runs::ProcessRow;
use crate::domain::id::{InstanceId, RunId};
use crate::domain::time::Timestamp;

/// The runs `r` that another instance than `?1` was given.
const GIVEN_TO_OTHERS: &str = "r.completed_at IS NULL AND r.given_to IS NOT NULL AND r.given_to <> ?1";

/// How many times the patience with whoever was given a run is multiplied: by how often it was given to anybody, up
/// to eight. On a machine that is slow to begin anything, a run would else be taken from each before it can, again
/// and again, and what everybody prepares for it in vain makes the machine slower still.
const TIMES: &str = "max(1, min(r.given_number, 8))";

/// The condition that a run has begun.
const BEGUN: &str = "EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row)";

impl View<'_> {
    /// When another instance than this one will have neglected something: a run that it has not begun so long after
    /// it was given, times how often it was given to anybody; a limit that it has not acted on for so long; or a stop
    /// that it has not carried out.
    pub fn next_neglected(
        &self,
        me: &InstanceId,
        patience_ms: i64,
    ) -> Result<Option<Timestamp>, LedgerError> {
        let sql = format!(
            // A sum that is no integer any more is the greatest one.
            "SELECT CAST(min(CASE WHEN r.stopping IS NOT NULL THEN r.deadline_at
                             WHEN {BEGUN} THEN r.deadline_at + ?2
                             ELSE r.given_at + ?2 * {TIMES} END) AS INTEGER)
             FROM runs r INDEXED BY runs_given WHERE {GIVEN_TO_OTHERS}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let at: Option<i64> = statement.query_row((me.as_str(), patience_ms), |row| row.get(0))?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// The runs that another instance was given and has not begun for longer than there is patience with it: the longer, the
    /// more others have had it before.
    pub fn neglected_runs(
        &self,
        me: &InstanceId,
        now: Timestamp,
        patience_ms: i64,
    ) -> Result<Vec<RunId>, LedgerError> {
        let sql = format!(
            "SELECT r.id FROM runs r INDEXED BY runs_given
             WHERE {GIVEN_TO_OTHERS} AND r.given_at + ?3 * {TIMES} <= ?2 AND NOT {BEGUN}
             ORDER BY r.given_to, r.row"
        );
        let ids = self.texts_by(
            &sql,
            vec![me.as_str().to_owned().into(), now.as_millis().into(), patience_ms.into()],
        )?;
        Ok(ids.into_iter().map(RunId::from_text).collect())
    }

    /// The processes of runs that another instance carries out.
    pub fn begun_elsewhere(&self, me: &InstanceId) -> Result<Vec<(RunId, ProcessRow)>, LedgerError> {
        let sql = format!(
            "FROM runs r INDEXED BY runs_given JOIN processes p ON p.run = r.row
             WHERE {GIVEN_TO_OTHERS} ORDER BY r.given_to, r.row"
        );
        self.processes_by(&sql, vec![me.as_str().to_owned().into()])
    }

    /// The processes of runs that another instance should have ended by now.
    pub fn overdue_stops(
        &self,
        me: &InstanceId,
        now: Timestamp,
    ) -> Result<Vec<(RunId, ProcessRow)>, LedgerError> {
        let sql = format!(
            "FROM runs r INDEXED BY runs_given JOIN processes p ON p.run = r.row
             WHERE {GIVEN_TO_OTHERS} AND r.stopping IS NOT NULL AND r.deadline_at <= ?2 AND p.serving IS NULL
             ORDER BY r.given_to, r.row"
        );
        self.processes_by(&sql, vec![me.as_str().to_owned().into(), now.as_millis().into()])
    }
}
