//! What an audit asks of the rows. Nothing is collected that grows with the number of runs: rows are handed over one by
//! one.

use rusqlite::Row;

use crate::domain::automation::Definition;
use crate::domain::id::{AutomationId, RunId};
use crate::domain::run::{Skipped, SlotRange};
use crate::domain::time::Timestamp;
use crate::ledger::column::{Columns, Legible, View, from_json, is_counted};
use crate::ledger::error::LedgerError;

/// An epoch of a schedule, as far as its slots are concerned.
#[derive(Clone, Debug)]
pub struct AuditedEpoch {
    /// The place of its automation.
    pub automation: i64,
    /// Its automation.
    pub id: AutomationId,
    /// Its number.
    pub number: i64,
    /// Slots lie after this instant.
    pub effective_at: Timestamp,
    /// Every slot up to this instant is answered for.
    pub answered_through: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The schedule that was in force; none if this version does not understand it.
    pub definition: Option<Definition>,
    /// The slots that a run counts which has not ended. Only the newest epoch of an automation can have any.
    pub counted: Option<SlotRange>,
}

/// A run, and the slots that it answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The run.
    pub run: RunId,
    /// Its slots.
    pub slots: SlotRange,
}

/// The slots of pruned runs of one day, by whichever of them answered for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnsweredDay {
    /// Days since the Unix epoch, UTC.
    pub day: i64,
    /// The first and the last slot of all of them, and how many they answered for. Between the two there may be slots
    /// of runs that are still kept.
    pub slots: SlotRange,
}

/// Something that a run must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunRule {
    /// Given to an instance that has no row.
    GivenToNobody,
    /// At work without anything that carries it out.
    WorksWithoutProcess,
    /// Ended, with nothing of it left, and still holding its directory.
    HoldsAfterItsEnd,
    /// Holding its directory though nobody has it.
    HoldsUngiven,
    /// Ended according to its state and not according to its times, or the other way round.
    HalfEnded,
    /// Saying what is no JSON where JSON is stored, or a number that nothing can have counted to.
    Unreadable,
}

impl RunRule {
    /// All of them.
    pub const ALL: [RunRule; 6] = [
        RunRule::GivenToNobody,
        RunRule::WorksWithoutProcess,
        RunRule::HoldsAfterItsEnd,
        RunRule::HoldsUngiven,
        RunRule::HalfEnded,
        RunRule::Unreadable,
    ];

    /// The condition that a run breaks it.
    fn broken(self) -> String {
        let condition = match self {
            RunRule::GivenToNobody => {
                "completed_at IS NULL AND given_to IS NOT NULL AND given_to NOT IN (SELECT id FROM instances)"
            }
            RunRule::WorksWithoutProcess => {
                "completed_at IS NULL AND state IN ('running', 'awaiting_input')
                   AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = runs.row)"
            }
            RunRule::HoldsAfterItsEnd => {
                // Those that hold one are few and have an index; those that have ended are nearly all.
                "holds_directory = 1 AND +completed_at IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = runs.row)"
            }
            RunRule::HoldsUngiven => "holds_directory = 1 AND given_to IS NULL",
            // A later version may have states of its own.
            RunRule::HalfEnded => {
                "(completed_at IS NULL AND state IN ('succeeded', 'failed', 'stopped'))
                   OR (completed_at IS NOT NULL AND (skipped IS NOT NULL OR state IN ('scheduled', 'running', 'awaiting_input')))"
            }
            RunRule::Unreadable => {
                let counts = [
                    "definition_revision",
                    "epoch",
                    "revision",
                    "tries",
                    "steps",
                    "same_steps",
                    "given_number",
                    "output_bytes",
                ];
                return format!(
                    "NOT (json_valid(trigger)
                   AND (waiting IS NULL OR json_valid(waiting)) AND (stopping IS NULL OR json_valid(stopping))
                   AND (blocker IS NULL OR json_valid(blocker)) AND (error IS NULL OR json_valid(error))
                   AND (result IS NULL OR json_valid(result)) AND (process_end IS NULL OR json_valid(process_end))
                   AND (skipped IS NULL OR json_valid(skipped)) AND (cost IS NULL OR json_valid(cost))
                   AND (last_answered IS NULL OR json_valid(last_answered))
                   AND {})",
                    counts.map(is_counted).join(" AND ")
                );
            }
        };
        condition.to_owned()
    }
}

impl View<'_> {
    /// Hands over every epoch, those of one automation after each other and in their order.
    pub fn each_epoch<E: From<LedgerError>>(
        &self,
        mut look: impl FnMut(AuditedEpoch) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT e.automation, a.id, e.number, e.effective_at, e.answered_through, e.ended_at, d.body,
                     CASE WHEN e.number = a.epoch THEN
                       (SELECT r.skipped FROM runs r WHERE r.automation = e.automation AND r.completed_at IS NULL
                        ORDER BY r.row LIMIT 1) END
                   FROM epochs e JOIN automations a ON a.row = e.automation
                   LEFT JOIN definitions d ON d.row = e.definition
                   ORDER BY e.automation, e.number";
        let mut statement = self.connection.prepare(sql).map_err(LedgerError::from)?;
        let mut rows = statement.query([]).map_err(LedgerError::from)?;
        while let Some(row) = rows.next().map_err(LedgerError::from)? {
            look(epoch_from_row(row)?)?;
        }
        Ok(())
    }

    /// Hands over the runs that answer for slots of an epoch, in the order of those.
    pub fn each_answer(
        &self,
        automation: i64,
        epoch: i64,
        mut look: impl FnMut(Answer),
    ) -> Result<(), LedgerError> {
        let sql = "SELECT id, slots_from, slots_to, slots_count FROM runs
                   WHERE automation = ?1 AND epoch = ?2 AND slots_to IS NOT NULL ORDER BY slots_to";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([automation, epoch])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let Legible(run) = columns.take()?;
            let run = RunId::from_text(run);
            let (from, to, count): (Option<i64>, i64, Option<i64>) =
                (columns.take()?, columns.take()?, columns.take()?);
            // A range of which a part is missing answers for its last slot at least.
            look(Answer { run, slots: range(from.unwrap_or(to), to, count.unwrap_or(1)) });
        }
        Ok(())
    }

    /// The days of an epoch on which pruned runs have answered for slots, in their order.
    pub fn answered_days(&self, automation: i64, epoch: i64) -> Result<Vec<AnsweredDay>, LedgerError> {
        let sql = "SELECT day, min(slots_from), max(slots_to), sum(slots) FROM accounts
                   WHERE automation = ?1 AND epoch = ?2 AND slots > 0 GROUP BY day ORDER BY day";
        let mut statement = self.connection.prepare_cached(sql)?;
        let days = statement.query_map([automation, epoch], |row| {
            Ok(AnsweredDay { day: row.get(0)?, slots: range(row.get(1)?, row.get(2)?, row.get(3)?) })
        })?;
        Ok(days.collect::<Result<_, _>>()?)
    }

    /// Hands over every run that breaks one of these rules.
    pub fn each_run_against(
        &self,
        rules: &[RunRule],
        mut look: impl FnMut(RunRule, RunId, AutomationId),
    ) -> Result<(), LedgerError> {
        for rule in rules {
            let sql = format!("SELECT id, automation_id FROM runs WHERE {}", rule.broken());
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (Legible(run), Legible(automation)) = (row.get(0)?, row.get(1)?);
                look(*rule, RunId::from_text(run), AutomationId::from_text(automation));
            }
        }
        Ok(())
    }

    /// Hands over every run of which output is said to have been written.
    pub fn each_output(&self, mut look: impl FnMut(RunId)) -> Result<(), LedgerError> {
        let mut statement = self.connection.prepare("SELECT id FROM runs WHERE output_bytes > 0")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Legible(run) = row.get(0)?;
            look(RunId::from_text(run));
        }
        Ok(())
    }

    /// Whether this run may have output: it is there, or was pruned a moment ago.
    pub fn may_have_output(&self, run: &RunId) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM runs WHERE id = ?1)
                     OR EXISTS (SELECT 1 FROM pruned_outputs WHERE run = ?1)";
        Ok(self.connection.prepare_cached(sql)?.query_row([run.as_str()], |row| row.get(0))?)
    }

    /// How many runs there are, and how many of them have not ended.
    pub fn count_runs(&self) -> Result<(u64, u64), LedgerError> {
        let sql =
            "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM runs WHERE completed_at IS NULL)";
        let counts =
            self.connection.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        Ok((counts.0.unsigned_abs(), counts.1.unsigned_abs()))
    }

    /// How many runs have been given to this instance and have not ended.
    pub fn count_given(&self, instance: &crate::domain::id::InstanceId) -> Result<u64, LedgerError> {
        let sql = "SELECT count(*) FROM runs WHERE given_to = ?1 AND completed_at IS NULL";
        let count: i64 =
            self.connection.prepare_cached(sql)?.query_row([instance.as_str()], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// How many events are kept.
    pub fn count_events(&self) -> Result<i64, LedgerError> {
        Ok(self.connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?)
    }

    /// The number that was given to an event last; 0 when there never was one.
    pub fn last_seq_given(&self) -> Result<i64, LedgerError> {
        let sql = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Hands over the first and the last number of each span of events that is missing between two others.
    pub fn each_gap_of_events(&self, mut look: impl FnMut(i64, i64)) -> Result<(), LedgerError> {
        let sql =
            "SELECT before + 1, seq - 1 FROM (SELECT seq, lag(seq) OVER (ORDER BY seq) AS before FROM events)
                   WHERE seq <> before + 1";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            look(row.get(0)?, row.get(1)?);
        }
        Ok(())
    }

    /// Hands over the number of each event whose content is no JSON.
    pub fn each_unreadable_event(&self, mut look: impl FnMut(i64)) -> Result<(), LedgerError> {
        let mut statement =
            self.connection.prepare("SELECT seq FROM events WHERE NOT json_valid(payload)")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            look(row.get(0)?);
        }
        Ok(())
    }

    /// The identity of the automation at this place.
    pub fn automation_id_at(&self, row: i64) -> Result<AutomationId, LedgerError> {
        let sql = "SELECT id FROM automations WHERE row = ?1";
        let Legible(id) = self.connection.prepare_cached(sql)?.query_row([row], |row| row.get(0))?;
        Ok(AutomationId::from_text(id))
    }

    /// Whether an automation that has not been deleted works in a worktree.
    pub fn needs_git(&self) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM automations a JOIN definitions d ON d.row = a.definition
                     WHERE a.deleted_at IS NULL AND json_valid(d.body)
                       AND d.body ->> '$.where.worktree' IS NOT NULL)";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }
}

fn epoch_from_row(row: &Row<'_>) -> Result<AuditedEpoch, LedgerError> {
    let mut columns = Columns::of(row);
    let (automation, id, number) = (columns.take()?, columns.text_or_nothing()?, columns.take()?);
    let (effective_at, answered_through) = (columns.take()?, columns.take()?);
    let ended_at: Option<i64> = columns.take()?;
    let body = columns.text_or_nothing()?;
    let skipped = columns.text_or_nothing()?;
    // What cannot be understood is told of elsewhere.
    let definition = from_json("definitions.body", &body).ok();
    let skipped: Option<Skipped> = from_json("runs.skipped", &skipped).ok();
    Ok(AuditedEpoch {
        automation,
        id: AutomationId::from_text(id),
        number,
        effective_at: Timestamp::from_millis(effective_at),
        answered_through: Timestamp::from_millis(answered_through),
        ended_at: ended_at.map(Timestamp::from_millis),
        definition,
        counted: skipped.map(|skipped| skipped.slots),
    })
}

fn range(from: i64, to: i64, count: i64) -> SlotRange {
    SlotRange {
        from_at: Timestamp::from_millis(from),
        to_at: Timestamp::from_millis(to),
        count: count.max(0).unsigned_abs(),
    }
}
