//! Ended runs that are no longer kept: finding them, folding them into the daily account, forgetting them.
//!
//! Nothing here walks over all runs. Each automation's ended runs are numbered in the order in which they ended,
//! so the ones that are too many are those whose number is too low, and the ones that are too old are at the low
//! end as well. When the low end of an automation is to be looked at is written into the automation, so that the
//! few that are due are found by an index.

use rusqlite::OptionalExtension;

use super::column::{Columns, Tx, View, from_json, is_counted};
use super::error::LedgerError;
use super::runs::newest_ended_number;
use crate::domain::id::RunId;
use crate::domain::policy::Keep;
use crate::domain::time::Timestamp;

/// What is kept of an automation's ended runs, and between which numbers they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedRuns {
    /// What its policy says now, or said when it was deleted.
    pub keep: Keep,
    /// The number of the run that ended last.
    pub newest: i64,
    /// The number of the run that ended first.
    pub oldest: i64,
    /// When that one ended.
    pub oldest_completed_at: Timestamp,
}

/// An ended run that may be pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedRun {
    /// Its place.
    pub row: i64,
    /// Counts the ended runs of its automation in the order in which they ended.
    pub number: i64,
    /// When it ended.
    pub completed_at: Timestamp,
    /// When it was asked for, if that was done with a key.
    pub keyed_at: Option<Timestamp>,
    /// Who still needs it.
    pub need: Need,
}

/// Why an ended run may still be needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It is not.
    None,
    /// Its automation shows it as its last run.
    LastRun,
    /// Its guard or its directory has not been given up, or another run says that it waits behind it.
    Unsettled,
}

impl View<'_> {
    /// What there is of an automation's ended runs; none if no run of it has ended.
    pub fn ended_runs(&self, automation: i64) -> Result<Option<EndedRuns>, LedgerError> {
        let sql = "SELECT ended_number, completed_at FROM runs
                   WHERE automation = ?1 AND ended_number IS NOT NULL ORDER BY ended_number LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let oldest = statement.query_row([automation], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((oldest, completed_at)) = oldest else { return Ok(None) };
        let sql = format!("SELECT {}", newest_ended_number("?1"));
        let newest = self.connection.prepare_cached(&sql)?.query_row([automation], |row| row.get(0))?;
        let oldest_completed_at = Timestamp::from_millis(completed_at);
        Ok(Some(EndedRuns { keep: self.keep_of(automation)?, newest, oldest, oldest_completed_at }))
    }

    /// Only this part of the definition is looked at, so that the rest need not be understood.
    fn keep_of(&self, automation: i64) -> Result<Keep, LedgerError> {
        let sql = "SELECT CASE WHEN json_valid(d.body) THEN d.body -> '$.policy.keep' END
                   FROM automations a JOIN definitions d ON d.row = a.definition WHERE a.row = ?1";
        let keep: Option<Option<String>> =
            self.connection.prepare_cached(sql)?.query_row([automation], |row| row.get(0)).optional()?;
        from_json("definitions.body", &keep.flatten().unwrap_or_default())
    }

    /// The automations whose ended runs are to be looked at by now, the longest due first.
    pub fn automations_to_prune(&self, now: Timestamp, limit: usize) -> Result<Vec<i64>, LedgerError> {
        let sql = "SELECT row FROM automations WHERE prune_at <= ?1 ORDER BY prune_at LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([now.as_millis(), limit], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The ended runs of an automation, those that ended first before the others.
    pub fn oldest_ended_runs(&self, automation: i64, limit: usize) -> Result<Vec<EndedRun>, LedgerError> {
        // What a deleted automation shows nobody sees any more.
        let sql =
            "SELECT r.row, r.ended_number, r.completed_at, iif(r.run_key IS NULL, NULL, r.triggered_at),
                     r.holds_directory = 1 OR EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row)
                       OR EXISTS (SELECT 1 FROM runs b WHERE b.behind = r.id),
                     r.row = (SELECT max(n.row) FROM runs n WHERE n.automation = ?1)
                       AND (SELECT deleted_at FROM automations WHERE row = ?1) IS NULL
                   FROM runs r WHERE r.automation = ?1 AND r.ended_number IS NOT NULL
                   ORDER BY r.ended_number LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([automation, limit])?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            runs.push(EndedRun {
                row: columns.take()?,
                number: columns.take()?,
                completed_at: columns.instant()?,
                keyed_at: columns.instant_or_null()?,
                need: match (columns.take()?, columns.take()?) {
                    (true, _) => Need::Unsettled,
                    (false, true) => Need::LastRun,
                    (false, false) => Need::None,
                },
            });
        }
        Ok(runs)
    }

    /// Pruned runs whose output may still be there, in order of their identities, after this one.
    pub fn pruned_outputs(&self, after: &RunId, limit: usize) -> Result<Vec<RunId>, LedgerError> {
        let sql = "SELECT run FROM pruned_outputs WHERE run > ?1 ORDER BY run LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let runs = statement
            .query_map((after.as_str(), limit), |row| Ok(RunId::from_text(row.get::<_, String>(0)?)))?;
        Ok(runs.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    /// Writes down when the ended runs of an automation are to be looked at next.
    pub fn prune_later(&self, automation: i64, at: Option<Timestamp>) -> Result<(), LedgerError> {
        let sql = "UPDATE automations SET prune_at = ?2 WHERE row = ?1 AND prune_at IS NOT ?2";
        self.execute(sql, (automation, at.map(Timestamp::as_millis)))?;
        Ok(())
    }

    /// Folds an ended run into the account of its day and forgets it. What it says need not be understood for that.
    pub fn fold(&self, run: i64) -> Result<(), LedgerError> {
        let slots = is_counted("slots_count");
        let sql = format!(
            "INSERT INTO accounts (automation, epoch, day, outcome, runs, slots, slots_from, slots_to)
                   SELECT automation, epoch, coalesce(slots_to, triggered_at) / 86400000,
                     state || CASE WHEN stop_reason IS NOT NULL THEN ':' || stop_reason
                                   WHEN json_valid(error) THEN coalesce(':' || (error ->> '$.code'), '') ELSE '' END,
                     1, iif({slots}, slots_count, slots_to IS NOT NULL), slots_from, slots_to
                   FROM runs WHERE row = ?1 AND completed_at IS NOT NULL
                   ON CONFLICT DO UPDATE SET runs = runs + 1, slots = slots + excluded.slots,
                     slots_from = min(coalesce(slots_from, excluded.slots_from), coalesce(excluded.slots_from, slots_from)),
                     slots_to = max(coalesce(slots_to, excluded.slots_to), coalesce(excluded.slots_to, slots_to))"
        );
        if self.execute(&sql, [run])? != 1 {
            return Err(LedgerError::Broken(format!("run row {run} has not ended and cannot be pruned")));
        }
        // Only what was given to somebody can have written anything.
        let sql = "INSERT INTO pruned_outputs (run)
                   SELECT id FROM runs WHERE row = ?1 AND given_to IS NOT NULL ON CONFLICT DO NOTHING";
        self.execute(sql, [run])?;
        self.execute("DELETE FROM runs WHERE row = ?1", [run])?;
        Ok(())
    }

    /// Forgets old definitions of an automation that neither it nor a run nor an epoch refers to any more.
    pub fn delete_unused_definitions(&self, automation: i64, limit: usize) -> Result<(), LedgerError> {
        // Runs are created with the newest definition, or with that of the run which they try again, so that hardly any
        // has an older one than the oldest of them: few are looked at that are still needed.
        let sql = "DELETE FROM definitions WHERE row IN (
                     SELECT d.row FROM definitions d
                     WHERE d.automation = ?1
                       AND d.row < coalesce((SELECT definition FROM runs WHERE automation = ?1 ORDER BY row LIMIT 1),
                                            (SELECT definition FROM automations WHERE row = ?1))
                       AND d.row <> (SELECT definition FROM automations WHERE row = ?1)
                       AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.definition = d.row)
                       AND NOT EXISTS (SELECT 1 FROM epochs e WHERE e.definition = d.row)
                     LIMIT ?2)";
        self.execute(sql, (automation, i64::try_from(limit).unwrap_or(i64::MAX)))?;
        Ok(())
    }

    /// The output of these pruned runs has gone.
    pub fn forget_outputs(&self, runs: &[RunId]) -> Result<(), LedgerError> {
        for run in runs {
            self.execute("DELETE FROM pruned_outputs WHERE run = ?1", [run.as_str()])?;
        }
        Ok(())
    }
}
