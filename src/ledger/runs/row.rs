//! How a row becomes a run.

use rusqlite::Row;

use super::{Asker, Begun, Guard, ProcessRow, RunRow, StoredRun, Work};
use crate::domain::automation::Definition;
use crate::domain::id::{AutomationId, InstanceId, LifecycleActionId, RunId, SubscriptionId};
use crate::domain::process::ProcessIdentity;
use crate::domain::run::machine::{State, StopReason};
use crate::domain::run::{Ended, OutputSize, Phase, Run, SlotRange};
use crate::domain::time::Timestamp;
use crate::ledger::column::Columns;
use crate::ledger::error::{LedgerError, Writer};
use crate::ledger::later::{self, Stored};

pub(super) const COLUMNS: &str = "r.row, r.id, r.automation, r.automation_id, d.body, d.row, r.definition_revision, r.epoch,
    r.revision, r.trigger, r.tries, r.attendance, r.asked_for, r.asked_by, r.slots_from, r.slots_to, r.slots_count,
    r.scheduled_at, r.triggered_at, r.state, r.waiting, r.wait_until, r.not_before, r.stopping, r.blocker, r.started_at,
    r.completed_at, r.stop_reason, r.error, r.result, r.process_end, r.closed_by, r.skipped, r.directory,
    r.if_busy, r.holds_directory, r.given_to, r.given_at, r.deadline_at, r.instance, r.session_id, r.continuity, r.worktree,
    r.steps, r.cost, r.output_bytes, r.output_truncated, EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row),
    r.active_at, r.wall_at, r.wall_left_ms, r.tell_at, r.last_step, r.same_steps, r.warned_of_budget,
    r.warned_of_currency, r.last_answered, r.given_number, r.context";
pub(super) const TABLES: &str = "runs r JOIN definitions d ON d.row = r.definition";

pub(super) fn from_row(row: &Row<'_>) -> Result<RunRow, LedgerError> {
    let mut c = Columns::of(row);
    let place = c.take()?;
    let id = RunId::from_text(c.take::<String>()?);
    let automation = c.take()?;
    let automation_id = AutomationId::from_text(c.take::<String>()?);
    let definition: Definition = c.json("definitions.body")?;
    let definition_row = c.take()?;
    let definition_revision = c.count("runs.definition_revision")?;
    let epoch = c.count("runs.epoch")?;
    let revision = c.count("runs.revision")?;
    let trigger = c.json("runs.trigger")?;
    let tries = c.count("runs.tries")?;
    let attendance = c.word("runs.attendance")?;
    let asker = match (c.take()?, c.take::<Option<String>>()?) {
        (_, Some(window)) => Asker::Window(InstanceId::from_text(window)),
        (true, None) => Asker::Visitor,
        (false, None) => Asker::Nobody,
    };
    let slots = match (c.take()?, c.take()?, c.count_or_null("runs.slots_count")?) {
        (Some(from_at), Some(to_at), Some(count)) => {
            Some(SlotRange { from_at, to_at, count: count.unsigned_abs() })
        }
        (_, _, _) => None,
    };
    let scheduled_at = c.take()?;
    let triggered_at = c.take()?;
    let state: State = c.word("runs.state")?;
    let waiting = c.json_or_null("runs.waiting")?;
    let wait_until = c.take()?;
    let not_before = c.take()?;
    let stopping = c.json_or_null("runs.stopping")?;
    let blocker = c.json_or_null("runs.blocker")?;
    let started_at = c.take()?;
    let completed_at: Option<Timestamp> = c.take()?;
    let stop_reason: Option<StopReason> = c.word_or_null("runs.stop_reason")?;
    let error = c.json_or_null("runs.error")?;
    let result = c.json_or_null("runs.result")?;
    let process = c.json_or_null("runs.process_end")?;
    let closed_by = c.take::<Option<String>>()?.map(LifecycleActionId::from_text);
    let torn = || LedgerError::Unreadable {
        column: "runs.state",
        found: state.as_str().to_owned(),
        why: "what belongs to it is missing".to_owned(),
        by: Writer::Nobody,
    };
    let ended = || {
        let completed_at = completed_at.ok_or_else(torn)?;
        Ok::<_, LedgerError>(Ended { started_at, completed_at, process, closed_by })
    };
    let phase = match state {
        State::Scheduled => Phase::Scheduled { waiting, stopping },
        State::Running => Phase::Running { started_at: started_at.ok_or_else(torn)?, stopping },
        State::AwaitingInput => Phase::AwaitingInput {
            started_at: started_at.ok_or_else(torn)?,
            blocker: blocker.ok_or_else(torn)?,
            stopping,
        },
        State::Succeeded => Phase::Succeeded { ended: ended()?, result: result.ok_or_else(torn)? },
        State::Failed => Phase::Failed { ended: ended()?, error: error.ok_or_else(torn)? },
        State::Stopped => Phase::Stopped { ended: ended()?, reason: stop_reason.ok_or_else(torn)? },
    };
    let skipped = c.json_or_null("runs.skipped")?;
    let directory = c.take()?;
    let if_busy = c.word("runs.if_busy")?;
    let holds_directory = c.flag("runs.holds_directory")?;
    let given_to = c.take::<Option<String>>()?.map(InstanceId::from_text);
    let given_at = c.take()?;
    let deadline_at = c.take()?;
    let instance_id = c.take::<Option<String>>()?.map(InstanceId::from_text);
    let run = Run {
        id,
        automation_id,
        automation_title: definition.title.clone(),
        task: definition.task.without_secrets(),
        definition_revision,
        revision,
        trigger,
        attendance,
        slots,
        scheduled_at,
        triggered_at,
        phase,
        skipped,
        directory,
        instance_id,
        session_id: c.take()?,
        continuity: c.word_or_null("runs.continuity")?,
        worktree: c.word_or_null("runs.worktree")?,
        steps: c.count("runs.steps")?,
        cost: c.json_or_null("runs.cost")?,
        output: OutputSize {
            bytes: c.count("runs.output_bytes")?.unsigned_abs(),
            truncated: c.flag("runs.output_truncated")?,
        },
    };
    Ok(RunRow {
        row: place,
        automation,
        definition,
        definition_row,
        epoch,
        run,
        tries,
        asker,
        wait_until,
        not_before,
        if_busy,
        holds_directory,
        given_to,
        given_at,
        deadline_at,
        begun: c.take()?,
        work: Work {
            active_at: c.take()?,
            wall_at: c.take()?,
            wall_left_ms: c.take()?,
            tell_at: c.take()?,
            last_step: c.take()?,
            same_steps: c.count("runs.same_steps")?,
            warned_of_budget: c.flag("runs.warned_of_budget")?,
            warned_of_currency: c.flag("runs.warned_of_currency")?,
            last_answered: c.json_or_null("runs.last_answered")?,
        },
        given_number: c.count("runs.given_number")?,
        context: c.take()?,
    })
}

pub(super) fn stored_from_row(row: &Row<'_>) -> Result<StoredRun, LedgerError> {
    Stored::read(row, from_row, later::run_from_row)
}

/// What [`process_from_row`] reads, of the process `p`.
pub(super) const PROCESS_COLUMNS: &str =
    "p.instance, p.serving, p.pid, p.start_time, p.boot_id, p.pid_namespace, p.token";

pub(super) fn process_from_row(row: &Row<'_>) -> Result<ProcessRow, rusqlite::Error> {
    let instance = InstanceId::from_text(row.get::<_, String>(0)?);
    let begun = match row.get::<_, Option<String>>(1)? {
        Some(serving) => Begun::Served(SubscriptionId::from_text(serving)),
        None => Begun::Guard(Guard {
            process: ProcessIdentity {
                pid: row.get(2)?,
                start_time: row.get::<_, i64>(3)?.cast_unsigned(),
                boot_id: row.get(4)?,
                pid_namespace: row.get(5)?,
            },
            token: row.get(6)?,
        }),
    };
    Ok(ProcessRow { instance, begun })
}
