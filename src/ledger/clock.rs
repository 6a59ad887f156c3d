//! What is known of the machine's clock.

use rusqlite::OptionalExtension;

use super::automations::AutomationRow;
use super::column::{Columns, Tx, View, moved};
use super::error::LedgerError;
use crate::domain::automation::EpochReason;
use crate::domain::clock::{Anew, Boot, Doubt, Known};
use crate::domain::time::Timestamp;

/// The clock as it is stored.
#[derive(Clone, Debug)]
pub struct ClockRow {
    /// What is known of it.
    pub known: Known,
    /// What is still to be done because it went back.
    pub anew: Option<Remaining>,
    /// When this was written.
    pub noted_at: Timestamp,
}

/// Schedules that have yet to begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// Whose do.
    pub whose: Anew,
    /// The automations up to this row have been seen to.
    pub after: i64,
}

impl View<'_> {
    /// What is known of the clock; nothing before anybody has decided anything.
    pub fn clock(&self) -> Result<Option<ClockRow>, LedgerError> {
        let sql = "SELECT boot, offset_ms, slept_ms, stable_at, doubt_offset_ms, doubt_from, doubt_to,
                     doubt_until, anew_after, anew_every, noted_at
                   FROM clock WHERE only = 1";
        let read = |row: &rusqlite::Row<'_>| {
            let mut columns = Columns::of(row);
            let boot = Boot::from_text(columns.take::<String>()?);
            // Both are differences of times, and lie where times do.
            let offset_ms = columns.instant()?.as_millis();
            let slept_ms = columns.instant()?.as_millis();
            let mut instant = || columns.instant_or_null();
            let (stable_at, believed) = (instant()?, instant()?);
            let doubt = match (believed, instant()?, instant()?, instant()?) {
                (Some(believed), Some(from), Some(to), Some(until)) => {
                    Some(Doubt { believed_offset_ms: believed.as_millis(), from, to, until })
                }
                (_, _, _, _) => None,
            };
            let (after, every): (Option<i64>, bool) = (columns.take()?, columns.take()?);
            let whose = if every { Anew::Every } else { Anew::Ahead };
            Ok(ClockRow {
                known: Known { boot, offset_ms, slept_ms, stable_at, doubt },
                anew: after.map(|after| Remaining { whose, after }),
                noted_at: columns.instant()?,
            })
        };
        Ok(self.connection.prepare_cached(sql)?.query_row([], read).optional()?)
    }

    /// When the newest event was written, if any is kept.
    pub fn newest_event_at(&self) -> Result<Option<Timestamp>, LedgerError> {
        let sql = "SELECT at FROM events WHERE seq = (SELECT max(seq) FROM events)";
        let at = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// Why the newest epoch of an automation began.
    pub fn epoch_reason(&self, automation: &AutomationRow) -> Result<EpochReason, LedgerError> {
        let sql = "SELECT reason FROM epochs WHERE automation = ?1 AND number = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([automation.row, automation.epoch.number])?;
        match rows.next()? {
            Some(row) => Columns::of(row).word("epochs.reason"),
            None => Err(LedgerError::Broken(format!("an epoch of {} is missing", automation.id))),
        }
    }

    /// From when on the slots of an epoch are counted.
    pub fn epoch_effective_at(&self, automation: i64, number: i64) -> Result<Timestamp, LedgerError> {
        let sql = "SELECT effective_at FROM epochs WHERE automation = ?1 AND number = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([automation, number], |row| row.get(0)).optional()?;
        let missing =
            || LedgerError::Broken(format!("epoch {number} of automation row {automation} is missing"));
        found.map(Timestamp::from_millis).ok_or_else(missing)
    }

    /// The automations after this row that have not been deleted, in the ledger's own order.
    pub fn automations_after(&self, row: i64, limit: usize) -> Result<Vec<i64>, LedgerError> {
        let sql = "SELECT row FROM automations WHERE deleted_at IS NULL AND row > ?1 ORDER BY row LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([row, limit], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    /// Stores what is known of the clock.
    pub fn keep_clock(&self, clock: &ClockRow) -> Result<(), LedgerError> {
        let sql =
            "INSERT INTO clock (only, boot, offset_ms, slept_ms, stable_at, doubt_offset_ms, doubt_from,
                     doubt_to, doubt_until, anew_after, anew_every, noted_at)
                   VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                   ON CONFLICT DO UPDATE SET boot = ?1, offset_ms = ?2, slept_ms = ?3, stable_at = ?4,
                     doubt_offset_ms = ?5, doubt_from = ?6, doubt_to = ?7, doubt_until = ?8, anew_after = ?9,
                     anew_every = ?10, noted_at = ?11";
        let ClockRow { known, anew, noted_at } = clock;
        let params = rusqlite::params![
            known.boot.as_str(),
            known.offset_ms,
            known.slept_ms,
            known.stable_at.map(Timestamp::as_millis),
            known.doubt.map(|doubt| doubt.believed_offset_ms),
            known.doubt.map(|doubt| doubt.from.as_millis()),
            known.doubt.map(|doubt| doubt.to.as_millis()),
            known.doubt.map(|doubt| doubt.until.as_millis()),
            anew.map(|anew| anew.after),
            anew.is_some_and(|anew| anew.whose == Anew::Every),
            noted_at.as_millis(),
        ];
        self.execute(sql, params)?;
        Ok(())
    }

    /// The turns of catch-ups and the times of retries that are still to come are as far away as before the clock was
    /// set by so much. Those that lay ahead of the clock at either time are: a turn that has come stays one that has.
    pub fn move_turns(&self, now: Timestamp, by_ms: i64) -> Result<(), LedgerError> {
        let sql = format!(
            "UPDATE runs SET not_before = max(?1, {})
             WHERE not_before > min(?1, ?1 - ?2) AND completed_at IS NULL",
            moved("not_before", "?2")
        );
        self.execute(&sql, (now.as_millis(), by_ms))?;
        Ok(())
    }

    /// The waits of runs for their start end as much later. What is shown of them is another matter.
    pub fn move_waits(&self, by_ms: i64) -> Result<(), LedgerError> {
        let sql = format!(
            "UPDATE runs INDEXED BY runs_active SET wait_until = {}
             WHERE completed_at IS NULL AND wait_until IS NOT NULL",
            moved("wait_until", "?1")
        );
        self.execute(&sql, [by_ms])?;
        Ok(())
    }

    /// What instances were given, runs as well as agents to ask, they were given as much later, and its limits are
    /// reached as much later.
    pub fn move_limits(&self, by_ms: i64) -> Result<(), LedgerError> {
        let limits = ["given_at", "deadline_at", "active_at", "wall_at", "tell_at"];
        let sql = format!(
            "UPDATE runs INDEXED BY runs_given SET {} WHERE completed_at IS NULL AND given_to IS NOT NULL",
            limits.map(|column| format!("{column} = {}", moved(column, "?1"))).join(", ")
        );
        self.execute(&sql, [by_ms])?;
        let sql = format!(
            "UPDATE probes SET deadline_at = {} WHERE deadline_at IS NOT NULL",
            moved("deadline_at", "?1")
        );
        self.execute(&sql, [by_ms])?;
        Ok(())
    }

    /// Nobody's place in a line changes when the clock is set by so much: what joined before comes before what joins
    /// from now on.
    pub fn move_lines(&self, by_ms: i64) -> Result<(), LedgerError> {
        let sql = format!(
            "UPDATE runs INDEXED BY runs_active SET joins_at = {} WHERE completed_at IS NULL",
            moved("joins_at", "?1")
        );
        self.execute(&sql, [by_ms])?;
        Ok(())
    }
}
