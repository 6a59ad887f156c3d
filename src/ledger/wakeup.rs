//! When an instance has to look again.

use super::column::View;
use super::error::LedgerError;
use crate::domain::id::InstanceId;
use crate::domain::time::Timestamp;

impl View<'_> {
    /// The earliest slot that nothing answers for yet.
    pub fn next_fire(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.least("SELECT min(next_fire_at) FROM automations WHERE next_fire_at IS NOT NULL", [])
    }

    /// The earliest time at which a wait ends, a catch-up may start, or a wish to delete is void. A run that waits
    /// for nothing though nobody has it, because its window has gone, has been due since it was created.
    pub fn next_shared_deadline(&self) -> Result<Option<Timestamp>, LedgerError> {
        let sql = "SELECT min(at) FROM (
            SELECT min(wait_until) AS at FROM runs
              WHERE state = 'scheduled' AND wait_until IS NOT NULL AND given_to IS NULL
            UNION ALL SELECT min(CASE WHEN waiting IS NULL THEN triggered_at ELSE not_before END) FROM runs
              WHERE state = 'scheduled' AND given_to IS NULL
                AND (waiting IS NULL OR waiting ->> '$.for' = 'catchUp')
            UNION ALL SELECT min(deleting ->> '$.until') FROM automations
              WHERE deleting IS NOT NULL AND deleted_at IS NULL)";
        self.least(sql, [])
    }

    /// The earliest time at which a run of this instance has taken too long.
    pub fn next_own_deadline(&self, instance: &InstanceId) -> Result<Option<Timestamp>, LedgerError> {
        let sql = "SELECT min(deadline_at) FROM runs
                   WHERE completed_at IS NULL AND deadline_at IS NOT NULL AND given_to = ?1";
        self.least(sql, [instance.as_str()])
    }

    fn least(&self, sql: &str, params: impl rusqlite::Params) -> Result<Option<Timestamp>, LedgerError> {
        let least: Option<i64> = self.connection.prepare_cached(sql)?.query_row(params, |row| row.get(0))?;
        Ok(least.map(Timestamp::from_millis))
    }
}
