//! Events: rows like all others, in the order in which they were committed.

use rusqlite::OptionalExtension;
use rusqlite::types::Value;

use super::column::{Columns, Tx, View, to_json};
use super::error::LedgerError;
use crate::domain::event::{Event, Told};
use crate::domain::id::AutomationId;
use crate::domain::schedule::zone::Zone;
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
    /// The members that its kind carries, as a JSON object. Empty if what is stored is no text, so that one such
    /// row does not keep the others from being read.
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
    /// The newest event's place, also if it is no longer kept; 0 when there never was one.
    pub fn newest_seq(&self) -> Result<i64, LedgerError> {
        // SQLite remembers the last number that it gave out, so that it gives none out twice.
        let sql = "SELECT coalesce((SELECT max(seq) FROM events),
                                   (SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// The newest event that is no longer kept, 0 when all are. Every later one can still be read.
    pub fn pruned_through(&self) -> Result<i64, LedgerError> {
        let sql = "SELECT min(seq) FROM events";
        let oldest: Option<i64> = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        match oldest {
            Some(oldest) => Ok(oldest - 1),
            None => self.newest_seq(),
        }
    }

    /// The places and times of the oldest events up to a place, oldest first.
    pub fn oldest_events(&self, through: i64, limit: usize) -> Result<Vec<(i64, Timestamp)>, LedgerError> {
        let sql = "SELECT seq, at FROM events WHERE seq <= ?1 ORDER BY seq LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let events = statement
            .query_map([through, limit], |row| Ok((row.get(0)?, Timestamp::from_millis(row.get(1)?))))?;
        Ok(events.collect::<Result<_, _>>()?)
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
                at: columns.instant()?,
                kind: columns.text_or_nothing()?,
                important: columns.take()?,
                payload: columns.text_or_nothing()?,
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
        let text = match event.is_important() {
            true => event.text(self.zone_of(event)?.as_ref()),
            false => None,
        };
        let important = text.is_some();
        let payload = to_json(&Told { event, text })?;
        self.execute(sql, (now.as_millis(), event.kind(), important, automation, payload))?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The zone that an event's times are read in: that of the run's definition. `None` if it concerns no run, or this
    /// machine does not know the zone.
    fn zone_of(&self, event: &Event) -> Result<Option<Zone>, LedgerError> {
        let Event::RunUpdated { run } = event else { return Ok(None) };
        let sql = "SELECT d.body ->> '$.timezone' FROM runs r JOIN definitions d ON d.row = r.definition
                   WHERE r.id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let name: Option<String> =
            statement.query_row([run.id.as_str()], |row| row.get(0)).optional()?.flatten();
        Ok(name.and_then(|name| Zone::named(&name).ok()))
    }

    /// Forgets the events up to a place. What is left has no gaps.
    pub fn delete_events(&self, through: i64) -> Result<(), LedgerError> {
        self.execute("DELETE FROM events WHERE seq <= ?1", [through])?;
        Ok(())
    }
}
