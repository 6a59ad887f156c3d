//! Automations that only a later version understands. They are deleted like others, and the runs of them that this
//! version understands end like others; everything else about them is decided by whoever understands them.

use std::collections::HashMap;

use super::delete::Deletion;
use super::ending::{self, Counts, Remains};
use super::presence::Left;
use super::{Context, assign, derive, no_automation, other_revision, records, retention, tick};
use crate::domain::event::{Event, Tombstone};
use crate::domain::id::{InstanceId, RunId};
use crate::domain::refusal::Refusal;
use crate::domain::request::DeleteRequest;
use crate::domain::run::Skipped;
use crate::domain::run::machine::{State, StopReason};
use crate::ledger::{LaterAutomationRow, RunRow, Stored, Tx};

/// Deletes an automation without active runs.
///
/// # Errors
/// When it has another revision, or active runs: their ends would have to be asked for in words that are not known
/// here.
pub(super) fn delete(
    tx: &Tx<'_>,
    context: &Context<'_>,
    request: &DeleteRequest,
    row: LaterAutomationRow,
) -> Result<Deletion, Refusal> {
    let revision = row.automation.revision;
    if let Some(wanted) = request.if_revision.filter(|wanted| *wanted != revision) {
        let current = derive::any_automation(tx, Stored::Later(Box::new(row)), context.voice)?;
        return Err(other_revision(wanted, revision, current));
    }
    if let Some(run) = tx.runs_with_work(row.row)?.first() {
        return Err(Refusal::ActiveRunStillRunning { run: run.clone() });
    }
    let tombstone = bury(tx, context, &row)?;
    Ok(Deletion::Done { tombstone, runs: Vec::new() })
}

/// Deletes an automation without active runs of which nothing but its own row can be read, by nobody: what it was to do
/// is damaged, or is not there any more.
///
/// # Errors
/// When there is none, it has another revision, which cannot be shown, or active runs.
pub(super) fn delete_unreadable(
    tx: &Tx<'_>,
    context: &Context<'_>,
    request: &DeleteRequest,
    why_unreadable: Refusal,
) -> Result<Deletion, Refusal> {
    let Some((row, revision, false)) = tx.automation_fate(&request.automation)? else {
        return Err(no_automation(&request.automation));
    };
    if request.if_revision.is_some_and(|wanted| wanted != revision) {
        return Err(why_unreadable);
    }
    if let Some(run) = tx.runs_with_work(row)?.first() {
        return Err(Refusal::ActiveRunStillRunning { run: run.clone() });
    }
    let tombstone = Tombstone { id: request.automation.clone(), revision: revision + 1 };
    // How long its runs are to be kept cannot be read either, so that they stay.
    bury_row(tx, context, row, &tombstone)?;
    Ok(Deletion::Done { tombstone, runs: Vec::new() })
}

/// What follows from the end of a run. Whether the automation is to pause itself is asked by whoever understands it,
/// when its next run ends: what this one has failed of is not known to be what it is now.
pub(super) fn follow_up(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut row: LaterAutomationRow,
    ended: &RunRow,
    skipped: Option<Skipped>,
    counts: Counts<'_>,
) -> Result<(), Refusal> {
    if let Some(skipped) = skipped {
        records::record_counted_on(tx, context, ended, row.epoch, skipped)?;
    }
    let state = &mut row.automation.state;
    match counts {
        Counts::Success => {
            state.completed_runs += 1;
            state.failure_streak = 0;
        }
        Counts::Failure(_) => {
            state.completed_runs += 1;
            state.failure_streak += 1;
        }
        Counts::Neither => {}
    }
    tx.count_for_later(&row)?;
    tell(tx, context, row)
}

/// What a dead instance was given of runs that only a later version understands: what had not begun is anybody's, what
/// had was interrupted. Its processes have been ended like those of others.
pub(super) fn settle_runs_of(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    dead: &InstanceId,
    ended: &mut HashMap<RunId, Left>,
) -> Result<(), Refusal> {
    for run in tx.later_runs_given_to(dead)? {
        if tx.process(run.row)?.is_none() {
            tx.hand_back_later(run.row)?;
            continue;
        }
        let left = ended.remove(&run.run.id);
        let reason = match run.run.state == State::AwaitingInput.as_str() {
            true => StopReason::BlockerLost,
            false => StopReason::Interrupted,
        };
        let output = left.as_ref().map(|left| left.output).unwrap_or_default();
        let process = left.as_ref().and_then(|left| left.process.as_ref());
        let record = tx.record_counted_on_later(&run, &context.ids.run(), context.now)?;
        let stopped = tx.stop_later(&run, reason, process, output, context.now)?;
        for told in stopped.into_iter().chain(record) {
            tx.publish(&Event::LaterRunUpdated { run: Box::new(told.run) }, context.now)?;
        }
        retention::note(tx, run.automation)?;
        if left.is_some_and(|left| left.remains == Remains::Nothing) {
            tx.release(&run.run.id)?;
        }
        tick::apart(tx, context, run.automation, |tx, context| {
            match tx.stored_automation_at(run.automation)? {
                Stored::Known(mut automation) => {
                    ending::follow_up(tx, context, &mut automation, Counts::Neither)
                }
                Stored::Later(automation) => tell(tx, context, *automation),
            }
        })?;
        assign::move_up(tx, context, &run.run.id)?;
    }
    Ok(())
}

/// Something follows from the end of a run: the automation goes if that was waited for, and is told as it is if not.
fn tell(tx: &Tx<'_>, context: &Context<'_>, row: LaterAutomationRow) -> Result<(), Refusal> {
    if go_on_deleting(tx, context, &row)? == Gone::Yes {
        return Ok(());
    }
    let automation = Box::new(derive::later_automation(tx, row)?);
    tx.publish(&Event::LaterAutomationUpdated { automation }, context.now)?;
    Ok(())
}

/// Whether an automation has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// It has.
    Yes,
    /// It stays, for now at least.
    No,
}

/// The automation goes if that is wished and nothing of its work is left.
pub(super) fn go_on_deleting(
    tx: &Tx<'_>,
    context: &Context<'_>,
    row: &LaterAutomationRow,
) -> Result<Gone, Refusal> {
    let is_wished = row.deleting_until.is_some_and(|until| until > context.now);
    if is_wished && tx.runs_with_work(row.row)?.is_empty() {
        bury(tx, context, row)?;
        return Ok(Gone::Yes);
    }
    Ok(Gone::No)
}

/// The automation is gone. What it was due for since somebody last decided about it cannot be said here, so its
/// schedule ends where that was: later slots were never due.
fn bury(tx: &Tx<'_>, context: &Context<'_>, row: &LaterAutomationRow) -> Result<Tombstone, Refusal> {
    let tombstone = Tombstone { id: row.automation.id.clone(), revision: row.automation.revision + 1 };
    bury_row(tx, context, row.row, &tombstone)?;
    retention::note(tx, row.row)?;
    Ok(tombstone)
}

fn bury_row(tx: &Tx<'_>, context: &Context<'_>, row: i64, tombstone: &Tombstone) -> Result<(), Refusal> {
    tx.bury_later(row, tombstone.revision, context.now)?;
    tx.note_who_deleted(row, context.me)?;
    tx.publish(&Event::AutomationDeleted { tombstone: tombstone.clone() }, context.now)?;
    Ok(())
}
