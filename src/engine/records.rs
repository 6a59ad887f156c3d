//! New runs: those that are to be carried out, and records of slots that were not.

use super::{Context, derive};
use crate::domain::automation::Definition;
use crate::domain::id::AutomationId;
use crate::domain::policy::IfBusy;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{BORN_STOPPED, StopReason};
use crate::domain::run::{Attendance, Ended, OutputSize, Phase, Run, Skipped, SlotRange, Trigger};
use crate::domain::time::Timestamp;
use crate::ledger::{Asker, AutomationRow, RunRow, Tx, Work};

/// What is particular to a new run.
pub(super) struct NewRun {
    pub(super) trigger: Trigger,
    pub(super) attendance: Attendance,
    pub(super) slots: Option<SlotRange>,
    pub(super) asker: Asker,
    pub(super) not_before: Option<Timestamp>,
    pub(super) if_busy: IfBusy,
    /// How many runs of its chain have failed before it.
    pub(super) tries: i64,
    /// What is told beside the prompt.
    pub(super) context: Option<String>,
}

/// Stores a run that is to be carried out. Nothing is told yet: whoever calls this has it assigned first.
pub(super) fn schedule(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &AutomationRow,
    new: NewRun,
) -> Result<RunRow, Refusal> {
    let phase = Phase::Scheduled { waiting: None, stopping: None };
    let mut row = blank(context, &Origin::of(automation), new, phase);
    let counted_from = row.not_before.unwrap_or(context.now);
    row.wait_until = Some(counted_from.plus_ms(row.definition.policy.queue_ms));
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
    record_of(tx, context, &Origin::of(automation), slots, reason)
}

/// The record of slots that were counted on a run whose automation only a later version understands: it shows what
/// that run shows, and belongs to the epoch that the automation is in.
pub(super) fn record_counted_on(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    counted_on: &RunRow,
    epoch: i64,
    skipped: Skipped,
) -> Result<(), Refusal> {
    record_of(tx, context, &Origin::of_run(counted_on, epoch), skipped.slots, skipped.reason)
}

fn record_of(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    origin: &Origin<'_>,
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
        asker: Asker::Nobody,
        not_before: None,
        if_busy: origin.definition.policy.if_busy,
        tries: 0,
        context: None,
    };
    let mut row = blank(context, origin, new, Phase::Stopped { ended, reason });
    row.row = tx.insert_run(&row)?;
    derive::publish_run(tx, &mut row, context.now)
}

/// What a new run is made of.
struct Origin<'a> {
    automation: i64,
    id: &'a AutomationId,
    definition: &'a Definition,
    definition_row: i64,
    revision: i64,
    epoch: i64,
}

impl<'a> Origin<'a> {
    fn of(automation: &'a AutomationRow) -> Self {
        Origin {
            automation: automation.row,
            id: &automation.id,
            definition: &automation.definition,
            definition_row: automation.definition_row,
            revision: automation.revision,
            epoch: automation.epoch.number,
        }
    }

    /// The same as an earlier run.
    fn of_run(run: &'a RunRow, epoch: i64) -> Self {
        Origin {
            automation: run.automation,
            id: &run.run.automation_id,
            definition: &run.definition,
            definition_row: run.definition_row,
            revision: run.run.definition_revision,
            epoch,
        }
    }
}

fn blank(context: &mut Context<'_>, origin: &Origin<'_>, new: NewRun, phase: Phase) -> RunRow {
    let definition = origin.definition;
    let worktree = definition.placement.worktree.clone();
    let directory = worktree.as_ref().map(|worktree| worktree.directory_in(context.project));
    let run = Run {
        id: context.ids.run(),
        automation_id: origin.id.clone(),
        automation_title: definition.title.clone(),
        task: definition.task.without_secrets(),
        definition_revision: origin.revision,
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
        directory: directory.unwrap_or_else(|| context.project.to_owned()),
        worktree,
        steps: 0,
        cost: None,
        output: OutputSize::default(),
        instance_id: None,
    };
    RunRow {
        row: 0,
        automation: origin.automation,
        definition: definition.clone(),
        definition_row: origin.definition_row,
        epoch: origin.epoch,
        run,
        tries: new.tries,
        context: new.context,
        asker: new.asker,
        wait_until: None,
        not_before: new.not_before,
        if_busy: new.if_busy,
        holds_directory: false,
        given_to: None,
        given_at: None,
        given_number: 0,
        deadline_at: None,
        begun: false,
        work: Work::default(),
    }
}
