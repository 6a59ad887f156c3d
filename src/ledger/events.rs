//! Events: rows like all others, in the order in which they were committed.

use rusqlite::types::Value;

use super::column::{Columns, Tx, View, to_json};
use super::error::LedgerError;
use crate::domain::event::Event;
use crate::domain::id::AutomationId;
use crate::domain::time::Timestamp;

/// An event as it was stored.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Its place in the ledger, from 1, without gaps.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// The contract's word for what happened.
    pub kind: String,
    /// Whether a person should be shown it at once.
    pub important: bool,
    /// The members that its kind carries, as a JSON object.
    pub payload: String,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only these kinds; all if empty.
    pub kinds: Vec<String>,
    /// Only those that concern this automation.
    pub automation: Option<AutomationId>,
}

impl View<'_> {
    /// The newest event's place, 0 when there is none.
    pub fn newest_seq(&self) -> Result<i64, LedgerError> {
        let sql = "SELECT coalesce(max(seq), 0) FROM events";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// The next events after a place, oldest first.
    pub fn events_after(
        &self,
        after: i64,
        filter: &EventFilter,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        let mut sql = "SELECT seq, at, kind, important, payload FROM events WHERE seq > ?".to_owned();
        let mut params: Vec<Value> = vec![after.into()];
        if let Some(automation) = &filter.automation {
            sql += " AND automation_id = ?";
            params.push(automation.as_str().to_owned().into());
        }
        if !filter.kinds.is_empty() {
            sql += &format!(" AND kind IN ({})", vec!["?"; filter.kinds.len()].join(", "));
            params.extend(filter.kinds.iter().map(|kind| Value::from(kind.clone())));
        }
        sql += " ORDER BY seq LIMIT ?";
        params.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            events.push(StoredEvent {
                seq: columns.take()?,
                at: Timestamp::from_millis(columns.take()?),
                kind: columns.take()?,
                important: columns.take()?,
                payload: columns.take()?,
            });
        }
        Ok(events)
    }
}

impl Tx<'_> {
    /// Writes an event into the transaction of what it tells, and gives its place.
    pub fn publish(&self, event: &Event, now: Timestamp) -> Result<i64, LedgerError> {
        let sql =
            "INSERT INTO events (at, kind, important, automation_id, payload) VALUES (?1, ?2, ?3, ?4, ?5)";
        let automation = event.automation_id().map(AutomationId::as_str);
        let payload = to_json(event)?;
        self.execute(sql, (now.as_millis(), event.kind(), event.is_important(), automation, payload))?;
        Ok(self.connection.last_insert_rowid())
    }
}
