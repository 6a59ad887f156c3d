//! Changes runs.

use super::{Begun, ProcessRow, RunRow, next_ended_number, seen_at};
use crate::domain::automation::{Access, Task};
use crate::domain::id::{InstanceId, LifecycleActionId, RunId};
use crate::domain::run::{Ahead, Phase, Trigger};
use crate::domain::time::Timestamp;
use crate::domain::worktree::WorktreeName;
use crate::ledger::column::{Tx, to_json, to_json_or_null, to_word};
use crate::ledger::error::LedgerError;

impl Tx<'_> {
    /// Stores a new run and gives its place.
    pub fn insert_run(&self, row: &RunRow) -> Result<i64, LedgerError> {
        let run = &row.run;
        let key = match &run.trigger {
            Trigger::Manual { key } => key.as_deref(),
            Trigger::Schedule | Trigger::CatchUp | Trigger::Retry { .. } => None,
        };
        let sql = format!(
            "INSERT INTO runs (id, automation, automation_id, definition, definition_revision, epoch,
               revision, trigger, run_key, attendance, asked_for, asked_by, slots_from, slots_to, slots_count,
               scheduled_at, triggered_at, seen_at, state, directory, access, wait_until, not_before, tries,
               if_busy, joins_at, provider, model, variant, context)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, {}, ?18,
               ?19, ?20, ?21, ?22, ?23, ?24, coalesce(?22, ?17), ?25, ?26, ?27, ?28)",
            seen_at("?17")
        );
        let access = match row.definition.access {
            Access::Write => "write",
            Access::Read => "read",
        };
        let prompt = match &row.definition.task {
            Task::Prompt(prompt) => Some(prompt),
            Task::Command(_) | Task::Notify { .. } => None,
        };
        let params = rusqlite::params![
            run.id.as_str(),
            row.automation,
            run.automation_id.as_str(),
            row.definition_row,
            run.definition_revision,
            row.epoch,
            run.revision,
            to_json(&run.trigger)?,
            key,
            to_word(&run.attendance)?,
            row.was_asked_for(),
            row.asker.window().map(InstanceId::as_str),
            run.slots.map(|slots| slots.from_at.as_millis()),
            run.slots.map(|slots| slots.to_at.as_millis()),
            run.slots.map(|slots| slots.count.cast_signed()),
            run.scheduled_at.map(Timestamp::as_millis),
            run.triggered_at.as_millis(),
            run.state().as_str(),
            run.directory,
            access,
            row.wait_until.map(Timestamp::as_millis),
            row.not_before.map(Timestamp::as_millis),
            row.tries,
            to_word(&row.if_busy)?,
            prompt.map(|prompt| prompt.model.provider.as_str()),
            prompt.map(|prompt| prompt.model.model.as_str()),
            prompt.and_then(|prompt| prompt.variant.as_deref()),
            row.context,
        ];
        self.execute(&sql, params)?;
        let place = self.connection.last_insert_rowid();
        self.update_run(&RunRow { row: place, ..row.clone() })?;
        Ok(place)
    }

    /// Stores what may have changed of a run.
    pub fn update_run(&self, row: &RunRow) -> Result<(), LedgerError> {
        let run = &row.run;
        let waiting = run.waiting();
        let (mut blocker, mut error, mut result, mut stop_reason) = (None, None, None, None);
        match &run.phase {
            Phase::Scheduled { .. } | Phase::Running { .. } => {}
            Phase::AwaitingInput { blocker: it, .. } => blocker = Some(to_json(it)?),
            Phase::Succeeded { result: it, .. } => result = Some(to_json(it)?),
            Phase::Failed { error: it, .. } => error = Some(to_json(it)?),
            Phase::Stopped { reason, .. } => stop_reason = Some(to_word(reason)?),
        }
        let ended = run.ended();
        // What a later version has added to a wish that stays is not ours to remove.
        let sql = format!(
            "UPDATE runs SET revision = ?2, state = ?3, waiting = ?4, behind = ?5, wait_until = ?6,
                     not_before = ?7, stopping = json_patch(coalesce(stopping, '{{}}'), ?8), blocker = ?9, started_at = ?10, completed_at = ?11,
                     stop_reason = ?12, error = ?13, result = ?14, process_end = ?15, closed_by = ?16,
                     skipped = ?17, holds_directory = ?18, given_to = ?19, given_at = ?20, deadline_at = ?21,
                     instance = ?22, session_id = ?23, continuity = ?24, worktree = ?25, steps = ?26, cost = ?27,
                     output_bytes = ?28, output_truncated = ?29, active_at = ?30, wall_at = ?31, wall_left_ms = ?32,
                     tell_at = ?33, last_step = ?34, same_steps = ?35, warned_of_budget = ?36,
                     warned_of_currency = ?37, last_answered = ?38, given_number = ?39,
                     ended_number = CASE WHEN ?11 IS NOT NULL THEN coalesce(ended_number, {}) END
                   WHERE row = ?1",
            next_ended_number()
        );
        let params = rusqlite::params![
            row.row,
            run.revision,
            run.state().as_str(),
            to_json_or_null(waiting)?,
            waiting.and_then(|waiting| waiting.behind.as_ref()).map(Ahead::as_str),
            row.wait_until.map(Timestamp::as_millis),
            row.not_before.map(Timestamp::as_millis),
            to_json_or_null(run.stopping())?,
            blocker,
            run.started_at().map(Timestamp::as_millis),
            ended.map(|ended| ended.completed_at.as_millis()),
            stop_reason,
            error,
            result,
            to_json_or_null(ended.and_then(|ended| ended.process.as_ref()))?,
            ended.and_then(|ended| ended.closed_by.as_ref()).map(LifecycleActionId::as_str),
            to_json_or_null(run.skipped.as_ref())?,
            row.holds_directory,
            row.given_to.as_ref().map(InstanceId::as_str),
            row.given_at.map(Timestamp::as_millis),
            row.deadline_at.map(Timestamp::as_millis),
            run.instance_id.as_ref().map(InstanceId::as_str),
            run.session_id,
            run.continuity.as_ref().map(to_word).transpose()?,
            run.worktree.as_ref().map(WorktreeName::as_str),
            run.steps,
            to_json_or_null(run.cost.as_ref())?,
            run.output.bytes.cast_signed(),
            run.output.truncated,
            row.work.active_at.map(Timestamp::as_millis),
            row.work.wall_at.map(Timestamp::as_millis),
            row.work.wall_left_ms,
            row.work.tell_at.map(Timestamp::as_millis),
            row.work.last_step,
            row.work.same_steps,
            row.work.warned_of_budget,
            row.work.warned_of_currency,
            to_json_or_null(row.work.last_answered.as_ref())?,
            row.given_number,
        ];
        self.execute(&sql, params)?;
        Ok(())
    }

    /// The run has begun.
    pub fn insert_process(&self, run: i64, process: &ProcessRow, now: Timestamp) -> Result<(), LedgerError> {
        let sql =
            "INSERT INTO processes (run, instance, serving, pid, start_time, boot_id, pid_namespace, token, begun_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let (serving, guard) = match &process.begun {
            Begun::Served(serving) => (Some(serving.as_str()), None),
            Begun::Guard(guard) => (None, Some(guard)),
        };
        let identity = guard.map(|guard| &guard.process);
        let params = rusqlite::params![
            run,
            process.instance.as_str(),
            serving,
            identity.map(|identity| identity.pid),
            identity.map(|identity| identity.start_time.cast_signed()),
            identity.map(|identity| &identity.boot_id),
            identity.map(|identity| &identity.pid_namespace),
            guard.map(|guard| &guard.token),
            now.as_millis(),
        ];
        self.execute(sql, params)?;
        Ok(())
    }

    /// An ended run holds its directory no more, and has no process any more. Gives whether it still had one or
    /// the other. What the run was to do need not be understood for that.
    pub fn release(&self, id: &RunId) -> Result<bool, LedgerError> {
        let sql = "DELETE FROM processes
                   WHERE run = (SELECT row FROM runs WHERE id = ?1 AND completed_at IS NOT NULL)";
        let had_process = self.execute(sql, [id.as_str()])? > 0;
        let sql = "UPDATE runs SET holds_directory = 0
                   WHERE id = ?1 AND completed_at IS NOT NULL AND holds_directory = 1";
        let held = self.execute(sql, [id.as_str()])? > 0;
        Ok(had_process || held)
    }

    /// The guard of the run has gone, and with it everything it started.
    pub fn delete_process(&self, run: i64) -> Result<(), LedgerError> {
        self.execute("DELETE FROM processes WHERE run = ?1", [run])?;
        Ok(())
    }
}
