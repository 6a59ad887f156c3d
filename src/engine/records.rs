//! New runs: those that are to be carried out, and records of slots that were not.

use super::{Context, derive};
use crate::domain::id::InstanceId;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{BORN_STOPPED, StopReason};
use crate::domain::run::{Attendance, Ended, OutputSize, Phase, Run, SlotRange, Trigger};
use crate::domain::time::Timestamp;
use crate::ledger::{AutomationRow, RunRow, Tx};

/// What is particular to a new run.
pub(super) struct NewRun {
    pub(super) trigger: Trigger,
    pub(super) attendance: Attendance,
    pub(super) slots: Option<SlotRange>,
    pub(super) asked_by: Option<InstanceId>,
    pub(super) not_before: Option<Timestamp>,
}

/// Stores a run that is to be carried out. Nothing is told yet: whoever calls this has it assigned first.
pub(super) fn schedule(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &AutomationRow,
    new: NewRun,
) -> Result<RunRow, Refusal> {
    let phase = Phase::Scheduled { waiting: None, stopping: None };
    let mut row = blank(context, automation, new, phase);
    let counted_from = row.not_before.unwrap_or(context.now);
    row.wait_until = Some(counted_from.plus_ms(automation.definition.policy.queue_ms));
    row.row = tx.insert_run(&row)?;
    Ok(row)
}

/// Stores and tells a record: a run that is born stopped and answers for slots that were not carried out.
pub(super) fn record(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &AutomationRow,
    slots: SlotRange,
    reason: StopReason,
) -> Result<(), Refusal> {
    if !BORN_STOPPED.contains(&reason) {
        return Err(Refusal::Internal(format!("a record of slots cannot be {reason:?}")));
    }
    let ended = Ended { started_at: None, completed_at: context.now, process: None, closed_by: None };
    let new = NewRun {
        trigger: Trigger::Schedule,
        attendance: Attendance::Unattended,
        slots: Some(slots),
        asked_by: None,
        not_before: None,
    };
    let mut row = blank(context, automation, new, Phase::Stopped { ended, reason });
    row.row = tx.insert_run(&row)?;
    derive::publish_run(tx, &mut row, context.now)
}

fn blank(context: &mut Context<'_>, automation: &AutomationRow, new: NewRun, phase: Phase) -> RunRow {
    let definition = &automation.definition;
    let run = Run {
        id: context.ids.run(),
        automation_id: automation.id.clone(),
        automation_title: definition.title.clone(),
        task: definition.task.without_secrets(),
        definition_revision: automation.revision,
        revision: 0,
        trigger: new.trigger,
        attendance: new.attendance,
        slots: new.slots,
        scheduled_at: new.slots.map(|slots| slots.to_at),
        triggered_at: context.now,
        phase,
        skipped: None,
        session_id: None,
        continuity: None,
        directory: context.project.to_owned(),
        worktree: None,
        steps: 0,
        cost: None,
        output: OutputSize::default(),
        instance_id: None,
    };
    RunRow {
        row: 0,
        automation: automation.row,
        definition: definition.clone(),
        definition_row: automation.definition_row,
        epoch: automation.epoch.number,
        run,
        asked_by: new.asked_by,
        wait_until: None,
        not_before: new.not_before,
        holds_directory: false,
        given_to: None,
        given_at: None,
        deadline_at: None,
        begun: false,
    }
}
