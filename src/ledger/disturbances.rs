//! When the machine slept, when its clock was set, and when the ledger could not be written.
//!
//! Events tell of it as well, and are forgotten after a week. What was missed can be asked about for much longer.

use super::column::{Columns, Tx, View, to_word};
use super::error::LedgerError;
use crate::domain::clock::{ClockSet, Suspended};
use crate::domain::disturbance::{Disturbance, Outage};
use crate::domain::refusal::StorageReason;
use crate::domain::time::Timestamp;

/// How many of each kind are kept: those of a year, for a machine that sleeps ten times a day. They are rare, so whoever
/// writes one down forgets the oldest.
const KEPT: i64 = 4096;

/// Outages that follow each other in less than this are one, in milliseconds: a disk that is nearly full lets a little
/// through now and then, and each window comes upon the same one at another moment.
const SAME_OUTAGE_MS: i64 = 60_000;

/// The words for what has happened.
const SLEPT: &str = "slept";
const CLOCK: &str = "clock";
const STORAGE: &str = "storage";

/// A disturbance as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedDisturbance {
    /// What.
    pub what: Disturbance,
    /// The event that told it, which may not be kept any more.
    pub event: Option<i64>,
}

impl View<'_> {
    /// The last times that the machine slept, the newest first.
    pub fn newest_suspends(&self, limit: usize) -> Result<Vec<Suspended>, LedgerError> {
        let sql = "SELECT from_at, to_at FROM disturbances WHERE kind = ?1 ORDER BY row DESC LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let suspends = statement.query_map((SLEPT, limit), |row| {
            let instant = |column| row.get(column).map(Timestamp::from_millis);
            Ok(Suspended { from: instant(0)?, to: instant(1)? })
        })?;
        Ok(suspends.collect::<Result<_, _>>()?)
    }

    /// What was in the way at some moment from one time to another, in the order in which it was over. What only a later
    /// version knows is left out.
    pub fn disturbances_between(
        &self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<NotedDisturbance>, LedgerError> {
        let sql = "SELECT kind, from_at, to_at, reason, event FROM disturbances
                   WHERE max(from_at, to_at) >= ?1 AND min(from_at, to_at) <= ?2
                   ORDER BY max(from_at, to_at) LIMIT ?3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((from.as_millis(), to.as_millis(), limit))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let kind: String = columns.take()?;
            let from = columns.instant()?;
            let to = columns.instant()?;
            let reason: Option<String> = columns.take()?;
            let what = match kind.as_str() {
                SLEPT => Disturbance::Slept(Suspended { from, to }),
                CLOCK => Disturbance::ClockSet(ClockSet { from, to }),
                STORAGE => {
                    let reason = reason.as_deref().and_then(StorageReason::of_word);
                    Disturbance::Unwritable(Outage { from, to, reason })
                }
                _ => continue,
            };
            found.push(NotedDisturbance { what, event: columns.take()? });
        }
        Ok(found)
    }
}

impl Tx<'_> {
    /// Stores a disturbance, and the event that tells it if one does.
    pub fn note_disturbance(&self, what: &Disturbance, event: Option<i64>) -> Result<(), LedgerError> {
        let (kind, from, to, reason) = match what {
            Disturbance::Slept(Suspended { from, to }) => (SLEPT, from, to, None),
            Disturbance::ClockSet(ClockSet { from, to }) => (CLOCK, from, to, None),
            Disturbance::Unwritable(outage) => {
                let reason = outage.reason.as_ref().map(to_word).transpose()?;
                if self.goes_on(outage, reason.as_deref())? {
                    return Ok(());
                }
                (STORAGE, &outage.from, &outage.to, reason)
            }
        };
        let sql =
            "INSERT INTO disturbances (kind, from_at, to_at, reason, event) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.execute(sql, (kind, from.as_millis(), to.as_millis(), reason, event))?;
        let sql = "DELETE FROM disturbances WHERE kind = ?1 AND row <=
                     (SELECT row FROM disturbances WHERE kind = ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2)";
        self.execute(sql, (kind, KEPT))?;
        Ok(())
    }

    /// Whether this is more of the last outage that is known: then that lasts as long as both.
    fn goes_on(&self, outage: &Outage, reason: Option<&str>) -> Result<bool, LedgerError> {
        let sql = "UPDATE disturbances SET from_at = min(from_at, ?2), to_at = max(to_at, ?3)
                   WHERE row = (SELECT max(row) FROM disturbances WHERE kind = ?1)
                     AND reason IS ?4 AND from_at <= ?3 + ?5 AND to_at >= ?2 - ?5";
        let params = (STORAGE, outage.from.as_millis(), outage.to.as_millis(), reason, SAME_OUTAGE_MS);
        Ok(self.execute(sql, params)? == 1)
    }
}
