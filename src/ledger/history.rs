//! What the rows still tell of a time that has passed: which schedule was in force, who owned the bell, and which run
//! answers for a slot.

use rusqlite::{OptionalExtension, Row};

use super::automations::Epoch;
use super::column::{Columns, View, from_json};
use super::error::LedgerError;
use crate::domain::automation::{Actor, Definition, EpochEnd, EpochReason};
use crate::domain::id::InstanceId;
use crate::domain::scheduler::SharedLimits;
use crate::domain::time::Timestamp;

const DAY_MS: i64 = 86_400_000;

/// An epoch with what is known of it. What is none in a place that each epoch fills is a word of a later version.
#[derive(Clone, Debug)]
pub struct PastEpoch {
    /// Which, and from when to when.
    pub epoch: Epoch,
    /// What was due in it, as it was when it began.
    pub definition: Definition,
    /// Why it began.
    pub reason: Option<EpochReason>,
    /// Whose doing that was.
    pub by: Option<Actor>,
    /// What they wrote.
    pub note: Option<String>,
    /// Why it ended, if it has.
    pub ended: Option<EpochEnd>,
}

impl PastEpoch {
    /// Whether this slot was due in it and has been answered for.
    #[must_use]
    pub fn answers_for(&self, slot: Timestamp) -> bool {
        self.epoch.effective_at < slot && slot <= self.epoch.answered_through
    }
}

/// A span in which one instance owned the bell.
#[derive(Clone, Debug)]
pub struct Term {
    /// Who.
    pub by: Actor,
    /// Since when.
    pub since: Timestamp,
    /// When it was over, if it is.
    pub ended_at: Option<Timestamp>,
    /// When its owner was found gone at `ended_at`: when anybody had written anything last.
    pub last_sign_at: Option<Timestamp>,
    /// What held for the whole ledger; none if only a later version understands it.
    pub limits: Option<SharedLimits>,
}

/// What is left of runs that are not kept any more: those of one day that came to the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its beginning, UTC.
    pub day: Timestamp,
    /// The state, and after a colon the stop reason or the error's code.
    pub outcome: String,
    /// How many.
    pub runs: i64,
    /// How many slots they answered for.
    pub slots: i64,
}

const EPOCH: &str =
    "e.number, e.effective_at, e.answered_through, e.ended_at, d.body, e.reason, e.began_by, e.note,
    e.ended_because";

fn epoch_from_row(row: &Row<'_>) -> Result<PastEpoch, LedgerError> {
    let mut columns = Columns::of(row);
    let epoch = Epoch {
        number: columns.count("epochs.number")?,
        effective_at: columns.take()?,
        answered_through: columns.take()?,
        ended_at: columns.take()?,
    };
    Ok(PastEpoch {
        epoch,
        definition: columns.json("definitions.body")?,
        reason: if_understood(columns.word_or_null("epochs.reason"))?,
        by: if_understood(columns.json_or_null("epochs.began_by"))?,
        note: columns.take()?,
        ended: if_understood(columns.json_or_null("epochs.ended_because"))?,
    })
}

fn term_from_row(row: &Row<'_>) -> Result<Term, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(Term {
        by: Actor { instance: InstanceId::from_text(columns.take::<String>()?), client: columns.take()? },
        since: columns.instant()?,
        ended_at: columns.instant_or_null()?,
        last_sign_at: columns.instant_or_null()?,
        limits: if_understood(columns.json_or_null("terms.limits"))?,
    })
}

/// What is beside the point is left out where only a later version understands it.
fn if_understood<T>(read: Result<Option<T>, LedgerError>) -> Result<Option<T>, LedgerError> {
    match read {
        Err(LedgerError::Unreadable { .. }) => Ok(None),
        read => read,
    }
}

impl View<'_> {
    /// The epochs of an automation that began before a time, the last of them first.
    pub fn epochs_before(
        &self,
        automation: i64,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<PastEpoch>, LedgerError> {
        let sql = format!(
            "SELECT {EPOCH} FROM epochs e CROSS JOIN definitions d ON d.row = e.definition
             WHERE e.automation = ?1 AND e.effective_at < ?2
             ORDER BY e.effective_at DESC, e.number DESC LIMIT ?3"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query((automation, before.as_millis(), limit))?;
        let mut epochs = Vec::new();
        while let Some(row) = rows.next()? {
            epochs.push(epoch_from_row(row)?);
        }
        Ok(epochs)
    }

    /// One epoch of an automation.
    pub fn epoch(&self, automation: i64, number: i64) -> Result<Option<PastEpoch>, LedgerError> {
        let sql = format!(
            "SELECT {EPOCH} FROM epochs e CROSS JOIN definitions d ON d.row = e.definition
             WHERE e.automation = ?1 AND e.number = ?2"
        );
        self.one_by(epoch_from_row, &sql, vec![automation.into(), number.into()])
    }

    /// The terms that began up to a time, the last of them first.
    pub fn terms_until(&self, at: Timestamp, limit: usize) -> Result<Vec<Term>, LedgerError> {
        let sql = "SELECT instance, client, since, ended_at, last_sign_at, limits FROM terms
                   WHERE since <= ?1 ORDER BY since DESC, term DESC LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((at.as_millis(), limit))?;
        let mut terms = Vec::new();
        while let Some(row) = rows.next()? {
            terms.push(term_from_row(row)?);
        }
        Ok(terms)
    }

    /// Who has deleted an automation, if somebody has.
    pub fn who_deleted(&self, automation: i64) -> Result<Option<Actor>, LedgerError> {
        let sql = "SELECT deleted_by FROM automations WHERE row = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let by: Option<String> = statement.query_row([automation], |row| row.get(0)).optional()?.flatten();
        if_understood(by.map(|by| from_json("automations.deleted_by", &by)).transpose())
    }

    /// The account that answers for a slot of which no run is kept: what the first day from its own on tells that has any.
    pub fn account_of(
        &self,
        automation: i64,
        epoch: i64,
        slot: Timestamp,
    ) -> Result<Vec<Account>, LedgerError> {
        let sql = "SELECT day, outcome, runs, slots FROM accounts
                   WHERE automation = ?1 AND epoch = ?2 AND slots > 0 AND day =
                     (SELECT day FROM accounts WHERE automation = ?1 AND epoch = ?2 AND day >= ?4
                        AND slots_from <= ?3 AND slots_to >= ?3 ORDER BY day LIMIT 1)
                   ORDER BY outcome";
        let mut statement = self.connection.prepare_cached(sql)?;
        let day = slot.as_millis().div_euclid(DAY_MS);
        let accounts = statement.query_map((automation, epoch, slot.as_millis(), day), |row| {
            Ok(Account {
                day: Timestamp::from_millis(row.get::<_, i64>(0)?.saturating_mul(DAY_MS)),
                outcome: row.get(1)?,
                runs: row.get(2)?,
                slots: row.get(3)?,
            })
        })?;
        Ok(accounts.collect::<Result<_, _>>()?)
    }

    /// The place of the first event that is kept and was written at a time or later: found by halving, because events are
    /// written in the order of time. Where the clock went back it is one of those that are nearest.
    pub fn first_event_since(&self, at: Timestamp) -> Result<i64, LedgerError> {
        let (mut from, mut through) = (self.pruned_through()? + 1, self.newest_seq()? + 1);
        let sql = "SELECT at FROM events WHERE seq = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        while from < through {
            let middle = from + (through - from) / 2;
            let written: Option<i64> = statement.query_row([middle], |row| row.get(0)).optional()?;
            match written.is_none_or(|written| written >= at.as_millis()) {
                true => through = middle,
                false => from = middle + 1,
            }
        }
        Ok(from)
    }
}
