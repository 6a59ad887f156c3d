//! Automations with their definitions and epochs.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::column::{COUNTED_MAX, Columns, Tx, View, member, to_json, to_json_or_null, to_word};
use super::error::LedgerError;
use super::later::{self, LaterAutomationRow, Stored};
use crate::domain::automation::{Actor, Definition, EpochEnd, EpochReason, Pause, folded};
use crate::domain::id::{AutomationId, ProviderId, RunId};
use crate::domain::request::{ActiveRun, ListAutomations};
use crate::domain::time::Timestamp;

/// An automation as it is stored.
#[derive(Clone, Debug)]
pub struct AutomationRow {
    /// Its place in the ledger's own order.
    pub row: i64,
    /// Its identity.
    pub id: AutomationId,
    /// What the user asked for.
    pub definition: Definition,
    /// Where that is stored.
    pub definition_row: i64,
    /// Counts what users changed.
    pub revision: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When a user last changed it.
    pub updated_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// Why it is paused, if it is.
    pub pause: Option<Pause>,
    /// The least slot that nothing answers for yet; none when nothing is due any more.
    pub next_fire_at: Option<Timestamp>,
    /// Failed runs since the last that succeeded.
    pub failure_streak: i64,
    /// Runs that count towards a stop by count.
    pub completed_runs: i64,
    /// The agent's session that the next run may continue.
    pub session_id: Option<String>,
    /// The wish to delete it.
    pub deleting: Option<DeleteWish>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// The newest epoch of its schedule.
    pub epoch: Epoch,
}

/// A stretch of time in which one schedule was in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Counts the epochs of one automation, from 1.
    pub number: i64,
    /// Slots lie after this instant.
    pub effective_at: Timestamp,
    /// Every slot up to this instant is answered for.
    pub answered_through: Timestamp,
    /// When it ended: later slots are not due.
    pub ended_at: Option<Timestamp>,
}

/// How an epoch begins.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// Why.
    pub reason: EpochReason,
    /// Whose doing that is.
    pub by: &'a Actor,
    /// What they wrote.
    pub note: Option<&'a str>,
    /// Why nothing is due in it, if it has ended at once.
    pub over: Option<&'a EpochEnd>,
}

/// Somebody wants an automation deleted, and work of it has to end first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteWish {
    /// Who.
    pub by: Actor,
    /// When the wish is void.
    pub until: Timestamp,
    /// What is to become of active runs.
    pub active_run: ActiveRun,
}

const COLUMNS: &str =
    "a.row, a.id, d.body, d.row, a.revision, a.created_at, a.updated_at, a.created_by, a.pause,
    a.next_fire_at, a.failure_streak, a.completed_runs, a.session_id, a.deleting, a.deleted_at,
    e.number, e.effective_at, e.answered_through, e.ended_at";
const TABLES: &str = "automations a JOIN definitions d ON d.row = a.definition
    JOIN epochs e ON e.automation = a.row AND e.number = a.epoch";

/// When the wish to delete an automation is void, in SQL: NULL of a wish that does not say it as a time.
pub(super) fn wish_is_void_at() -> String {
    format!("iif(typeof({0}) = 'integer', {0}, NULL)", member("deleting", "$.until"))
}

fn from_row(row: &Row<'_>) -> Result<AutomationRow, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(AutomationRow {
        row: columns.take()?,
        id: AutomationId::from_text(columns.take::<String>()?),
        definition: columns.json("definitions.body")?,
        definition_row: columns.take()?,
        revision: columns.count("automations.revision")?,
        created_at: columns.take()?,
        updated_at: columns.take()?,
        created_by: columns.json("automations.created_by")?,
        pause: columns.json_or_null("automations.pause")?,
        next_fire_at: columns.take()?,
        failure_streak: columns.count("automations.failure_streak")?,
        completed_runs: columns.count("automations.completed_runs")?,
        session_id: columns.take()?,
        deleting: columns.json_or_null("automations.deleting")?,
        deleted_at: columns.take()?,
        epoch: Epoch {
            number: columns.count("epochs.number")?,
            effective_at: columns.take()?,
            answered_through: columns.take()?,
            ended_at: columns.take()?,
        },
    })
}

/// An automation, whichever version wrote it.
pub type StoredAutomation = Stored<AutomationRow, LaterAutomationRow>;

impl StoredAutomation {
    /// Its place in the ledger's own order.
    pub fn row(&self) -> i64 {
        match self {
            Stored::Known(automation) => automation.row,
            Stored::Later(later) => later.row,
        }
    }
}

fn stored_from_row(row: &Row<'_>) -> Result<StoredAutomation, LedgerError> {
    Stored::read(row, from_row, later::automation_from_row)
}

impl View<'_> {
    /// An automation that has not been deleted.
    pub fn automation(&self, id: &AutomationId) -> Result<Option<AutomationRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE a.id = ?1 AND a.deleted_at IS NULL");
        self.one_by(from_row, &sql, vec![id.as_str().to_owned().into()])
    }

    /// The same, whichever version wrote it.
    pub fn stored_automation(&self, id: &AutomationId) -> Result<Option<StoredAutomation>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE a.id = ?1 AND a.deleted_at IS NULL");
        self.one_by(stored_from_row, &sql, vec![id.as_str().to_owned().into()])
    }

    /// An automation by its place, also a deleted one.
    pub fn automation_at(&self, row: i64) -> Result<AutomationRow, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE a.row = ?1");
        let found = self.one_by(from_row, &sql, vec![row.into()])?;
        found.ok_or_else(|| LedgerError::Broken(format!("automation row {row} is missing")))
    }

    /// The same, whichever version wrote it.
    pub fn stored_automation_at(&self, row: i64) -> Result<StoredAutomation, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE a.row = ?1");
        let found = self.one_by(stored_from_row, &sql, vec![row.into()])?;
        found.ok_or_else(|| LedgerError::Broken(format!("automation row {row} is missing")))
    }

    /// The number of the newest epoch of an automation's schedule, also if nothing else of it can be read.
    pub fn epoch_of(&self, automation: i64) -> Result<i64, LedgerError> {
        let mut statement = self.connection.prepare_cached("SELECT epoch FROM automations WHERE row = ?1")?;
        Ok(statement.query_row([automation], |row| row.get(0))?)
    }

    /// What became of an automation: its place and its last revision, also if it has been deleted. A revision that cannot
    /// be is told as the nearest that can, so that what says it can be deleted.
    pub fn automation_fate(&self, id: &AutomationId) -> Result<Option<(i64, i64, bool)>, LedgerError> {
        let sql =
            "SELECT row, min(max(revision, 0), ?2), deleted_at IS NOT NULL FROM automations WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement
            .query_row((id.as_str(), COUNTED_MAX), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        Ok(found)
    }

    /// The automation that was created with this key at or after `since`.
    pub fn automation_by_key(
        &self,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<AutomationRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES} WHERE a.create_key = ?1 AND a.created_at >= ?2 AND a.deleted_at IS NULL"
        );
        self.one_by(from_row, &sql, vec![key.to_owned().into(), since.as_millis().into()])
    }

    /// Whether there are so many automations, without those that were deleted. Costs nothing where so many never were.
    pub fn has_automations(&self, count: i64) -> Result<bool, LedgerError> {
        let ever: i64 = self
            .connection
            .prepare_cached("SELECT coalesce(max(row), 0) FROM automations")?
            .query_row([], |row| row.get(0))?;
        if ever < count {
            return Ok(false);
        }
        let sql = "SELECT count(*) FROM (SELECT 1 FROM automations WHERE deleted_at IS NULL LIMIT ?1)";
        let now: i64 = self.connection.prepare_cached(sql)?.query_row([count], |row| row.get(0))?;
        Ok(now >= count)
    }

    /// A page of automations, newest first.
    pub fn list_automations(&self, wanted: &ListAutomations) -> Result<Vec<StoredAutomation>, LedgerError> {
        let mut sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE a.deleted_at IS NULL");
        let mut params: Vec<Value> = Vec::new();
        if let Some(before) = wanted.before {
            sql += " AND a.row < ?";
            params.push(before.into());
        }
        match wanted.paused {
            Some(true) => sql += " AND a.pause IS NOT NULL",
            Some(false) => sql += " AND a.pause IS NULL",
            None => {}
        }
        if let Some(query) = &wanted.query {
            sql += " AND instr(a.title_folded, ?) > 0";
            params.push(folded(query).into());
        }
        sql += " ORDER BY a.row DESC";
        self.readable_page_by(stored_from_row, &sql, params, wanted.limit)
    }

    /// The places of the automations that are due, the longest due first.
    pub fn due_automations(&self, now: Timestamp, limit: usize) -> Result<Vec<i64>, LedgerError> {
        let sql = "SELECT row FROM automations WHERE next_fire_at <= ?1 AND set_aside = 0
                   ORDER BY next_fire_at, row LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([now.as_millis(), limit], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The runs of an automation that have not ended, oldest first.
    pub fn active_runs(&self, automation: i64) -> Result<Vec<RunId>, LedgerError> {
        let sql = "SELECT id FROM runs WHERE automation = ?1 AND completed_at IS NULL ORDER BY row";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map([automation], |row| Ok(RunId::from_text(row.get::<_, String>(0)?)))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// The runs of an automation whose work has not gone: those that have ended and of which something may still be
    /// there, and then those that have not, which came after them. Each oldest first.
    pub fn runs_with_work(&self, automation: i64) -> Result<Vec<RunId>, LedgerError> {
        let sql = "SELECT r.id FROM processes p CROSS JOIN runs r ON r.row = p.run
                   WHERE r.automation = ?1 AND r.completed_at IS NOT NULL ORDER BY p.run";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ended = statement.query_map([automation], |row| row.get::<_, String>(0))?;
        let mut runs: Vec<RunId> =
            ended.map(|id| Ok(RunId::from_text(id?))).collect::<Result<_, LedgerError>>()?;
        runs.extend(self.active_runs(automation)?);
        Ok(runs)
    }

    /// The agent's session that the next run of an automation may continue, if it is one of this provider.
    pub fn session_of(&self, automation: i64, provider: &ProviderId) -> Result<Option<String>, LedgerError> {
        let sql = format!(
            "SELECT a.session_id FROM automations a JOIN definitions d ON d.row = a.definition
             WHERE a.row = ?1 AND {} = ?2",
            member("d.body", "$.task.model.providerID")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let session = statement.query_row((automation, provider.as_str()), |row| row.get(0)).optional()?;
        Ok(session.flatten())
    }

    /// The newest run of an automation.
    pub fn last_run(&self, automation: i64) -> Result<Option<RunId>, LedgerError> {
        let sql = "SELECT id FROM runs WHERE automation = ?1 ORDER BY row DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let id = statement.query_row([automation], |row| row.get::<_, String>(0)).optional()?;
        Ok(id.map(RunId::from_text))
    }

    /// The places of the automations with a wish to delete that is void by now.
    pub fn void_delete_wishes(&self, now: Timestamp, limit: usize) -> Result<Vec<i64>, LedgerError> {
        let sql = format!(
            "SELECT row FROM automations INDEXED BY automations_deleting
             WHERE deleting IS NOT NULL AND deleted_at IS NULL AND set_aside = 0 AND {} <= ?1
             ORDER BY row LIMIT ?2",
            wish_is_void_at()
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([now.as_millis(), limit], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    /// Stores a new automation with its definition and first epoch, and gives it back with its places filled in.
    pub fn insert_automation(
        &self,
        mut automation: AutomationRow,
        key: Option<&str>,
        reason: EpochReason,
        by: &Actor,
    ) -> Result<AutomationRow, LedgerError> {
        // A key is remembered for a day; an older automation that still carries it gives it up.
        if let Some(key) = key {
            self.execute("UPDATE automations SET create_key = NULL WHERE create_key = ?1", [key])?;
        }
        let sql =
            "INSERT INTO automations (id, title_folded, definition, revision, created_at, updated_at, created_by,
                     create_key, pause, epoch, next_fire_at)
                   VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let params = rusqlite::params![
            automation.id.as_str(),
            folded(&automation.definition.title),
            automation.revision,
            automation.created_at.as_millis(),
            automation.updated_at.as_millis(),
            to_json(&automation.created_by)?,
            key,
            to_json_or_null(automation.pause.as_ref())?,
            automation.epoch.number,
            automation.next_fire_at.map(Timestamp::as_millis),
        ];
        self.execute(sql, params)?;
        automation.row = self.connection.last_insert_rowid();
        automation.definition_row = self.insert_definition(&automation, to_json(&automation.definition)?)?;
        let sql = "UPDATE automations SET definition = ?2 WHERE row = ?1";
        self.execute(sql, (automation.row, automation.definition_row))?;
        let over = automation.pause.clone().map(EpochEnd::Paused);
        self.insert_epoch(&automation, &Beginning { reason, by, note: None, over: over.as_ref() })?;
        Ok(automation)
    }

    /// Stores the automation's epoch as a new one.
    pub fn insert_epoch(
        &self,
        automation: &AutomationRow,
        beginning: &Beginning<'_>,
    ) -> Result<(), LedgerError> {
        let sql =
            "INSERT INTO epochs (automation, number, effective_at, answered_through, definition, reason,
                     began_by, note, ended_at, ended_because)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let Beginning { reason, by, note, over } = beginning;
        let epoch = &automation.epoch;
        let params = rusqlite::params![
            automation.row,
            epoch.number,
            epoch.effective_at.as_millis(),
            epoch.answered_through.as_millis(),
            automation.definition_row,
            to_word(reason)?,
            to_json(by)?,
            note,
            epoch.ended_at.map(Timestamp::as_millis),
            to_json_or_null(*over)?,
        ];
        self.execute(sql, params)?;
        Ok(())
    }

    /// Stores what may have changed of an automation beside its definition and what its epoch says.
    pub fn update_automation(&self, automation: &AutomationRow) -> Result<(), LedgerError> {
        // What a later version has added to a pause or a wish that stays is not ours to remove.
        let sql = "UPDATE automations SET revision = ?2, updated_at = ?3,
                     pause = json_patch(coalesce(pause, '{}'), ?4), epoch = ?5,
                     next_fire_at = ?6, failure_streak = ?7, completed_runs = ?8, session_id = ?9,
                     deleting = json_patch(coalesce(deleting, '{}'), ?10), deleted_at = ?11
                   WHERE row = ?1";
        let params = rusqlite::params![
            automation.row,
            automation.revision,
            automation.updated_at.as_millis(),
            to_json_or_null(automation.pause.as_ref())?,
            automation.epoch.number,
            automation.next_fire_at.map(Timestamp::as_millis),
            automation.failure_streak,
            automation.completed_runs,
            automation.session_id,
            to_json_or_null(automation.deleting.as_ref())?,
            automation.deleted_at.map(Timestamp::as_millis),
        ];
        self.execute(sql, params)?;
        Ok(())
    }

    /// Ends the automation's epoch, unless it has ended already.
    pub fn end_epoch(
        &self,
        automation: &mut AutomationRow,
        at: Timestamp,
        why: &EpochEnd,
    ) -> Result<(), LedgerError> {
        let sql = "UPDATE epochs SET ended_at = ?3, ended_because = ?4
                   WHERE automation = ?1 AND number = ?2 AND ended_at IS NULL";
        let epoch = &mut automation.epoch;
        self.execute(sql, (automation.row, epoch.number, at.as_millis(), to_json(why)?))?;
        epoch.ended_at.get_or_insert(at);
        Ok(())
    }

    /// Stores who has deleted an automation.
    pub fn note_who_deleted(&self, automation: i64, by: &Actor) -> Result<(), LedgerError> {
        self.execute("UPDATE automations SET deleted_by = ?2 WHERE row = ?1", (automation, to_json(by)?))?;
        Ok(())
    }

    /// Keeps an automation whose rows cannot be understood from being due, until somebody takes it up again.
    pub fn set_aside(&self, automation: i64) -> Result<(), LedgerError> {
        self.execute("UPDATE automations SET set_aside = 1 WHERE row = ?1", [automation])?;
        Ok(())
    }

    /// Everything that was set aside is due again: whoever decides now may understand it.
    pub fn take_up_what_was_set_aside(&self) -> Result<(), LedgerError> {
        self.execute("UPDATE automations SET set_aside = 0 WHERE set_aside = 1", [])?;
        Ok(())
    }

    /// Stores what follows from the end of a run for an automation that only a later version understands.
    pub fn count_for_later(&self, automation: &LaterAutomationRow) -> Result<(), LedgerError> {
        let sql = "UPDATE automations SET failure_streak = ?2, completed_runs = ?3 WHERE row = ?1";
        let state = &automation.automation.state;
        self.execute(sql, (automation.row, state.failure_streak, state.completed_runs))?;
        Ok(())
    }

    /// An automation that only a later version understands is gone. Its epoch ends where its slots are answered for.
    pub fn bury_later(&self, automation: i64, revision: i64, now: Timestamp) -> Result<(), LedgerError> {
        let sql =
            "UPDATE automations SET revision = ?2, deleting = NULL, next_fire_at = NULL, deleted_at = ?3
                   WHERE row = ?1";
        self.execute(sql, (automation, revision, now.as_millis()))?;
        let sql = "UPDATE epochs SET ended_at = answered_through, ended_because = ?2
                   WHERE automation = ?1 AND number = (SELECT epoch FROM automations WHERE row = ?1)
                     AND ended_at IS NULL";
        self.execute(sql, (automation, to_json(&EpochEnd::Deleted)?))?;
        Ok(())
    }

    /// Moves the watermark of an automation's epoch from where the caller knows it to be.
    ///
    /// Only the transaction in which something answers for the slots between may do this. If the watermark is
    /// elsewhere, somebody else has answered for them, and nothing of this decision may stay.
    pub fn move_watermark(&self, automation: &mut AutomationRow, to: Timestamp) -> Result<(), LedgerError> {
        let sql = "UPDATE epochs SET answered_through = ?4
                   WHERE automation = ?1 AND number = ?2 AND answered_through = ?3";
        let epoch = &mut automation.epoch;
        let from = epoch.answered_through;
        let params = (automation.row, epoch.number, from.as_millis(), to.as_millis());
        if self.execute(sql, params)? != 1 {
            return Err(LedgerError::Broken(format!(
                "the slots of {} after {from} have been answered for by somebody else",
                automation.id
            )));
        }
        epoch.answered_through = to;
        Ok(())
    }
}
