//! When an instance has to look again.

use super::automations::wish_is_void_at;
use super::column::View;
use super::error::LedgerError;
use crate::domain::id::InstanceId;
use crate::domain::time::Timestamp;

impl View<'_> {
    /// The earliest slot that nothing answers for yet.
    pub fn next_fire(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.least(
            "SELECT min(next_fire_at) FROM automations WHERE next_fire_at IS NOT NULL AND set_aside = 0",
            [],
        )
    }

    /// The earliest time at which a wait ends, or a catch-up or a retry may start. A run that waits for nothing though
    /// nobody has it, because its window has gone, has been due since it was created.
    pub fn next_end_of_a_wait(&self) -> Result<Option<Timestamp>, LedgerError> {
        // The conditions are those of the indexes, which SQLite would not choose by itself: it takes all
        // scheduled runs and looks at each.
        let sql = "SELECT min(at) FROM (
            SELECT min(wait_until) AS at FROM runs INDEXED BY runs_waiting_until
              WHERE state = 'scheduled' AND given_to IS NULL AND wait_until IS NOT NULL
            UNION ALL SELECT min(not_before) FROM runs INDEXED BY runs_turns
              WHERE state = 'scheduled' AND given_to IS NULL AND waiting ->> '$.for' IN ('catchUp', 'retry')
                AND not_before IS NOT NULL
            UNION ALL SELECT min(triggered_at) FROM runs INDEXED BY runs_unplaced
              WHERE state = 'scheduled' AND given_to IS NULL AND waiting IS NULL)";
        self.least(sql, [])
    }

    /// The earliest time at which a wish to delete is void, or an agent has been asked for too long.
    pub fn next_shared_deadline(&self) -> Result<Option<Timestamp>, LedgerError> {
        let sql = format!(
            "SELECT min(at) FROM (
             SELECT min({}) AS at FROM automations
               WHERE deleting IS NOT NULL AND deleted_at IS NULL AND set_aside = 0
             UNION ALL SELECT min(deadline_at) FROM probes)",
            wish_is_void_at()
        );
        self.least(&sql, [])
    }

    /// The earliest time at which a run of this instance has taken too long, or progress of one is to be told.
    pub fn next_own_deadline(&self, instance: &InstanceId) -> Result<Option<Timestamp>, LedgerError> {
        // What a window carries out itself ends when it was not ended in time; a guard has a sweep that does it.
        let sql = "SELECT min(deadline_at) FROM runs r
                   WHERE completed_at IS NULL AND deadline_at IS NOT NULL AND given_to = ?1
                     AND (stopping IS NULL OR EXISTS
                          (SELECT 1 FROM processes p WHERE p.run = r.row AND p.serving IS NOT NULL))";
        let sql_to_tell = "SELECT min(tell_at) FROM runs INDEXED BY runs_to_tell
                   WHERE completed_at IS NULL AND tell_at IS NOT NULL AND given_to = ?1";
        let times = [self.least(sql, [instance.as_str()])?, self.least(sql_to_tell, [instance.as_str()])?];
        Ok(times.into_iter().flatten().min())
    }

    fn least(&self, sql: &str, params: impl rusqlite::Params) -> Result<Option<Timestamp>, LedgerError> {
        let least: Option<i64> = self.connection.prepare_cached(sql)?.query_row(params, |row| row.get(0))?;
        Ok(least.map(Timestamp::from_millis))
    }
}
