//! Automations that only a later version understands. They are deleted like others, and the runs of them that this
//! version understands end like others; everything else about them is decided by whoever understands them.

use super::delete::Deletion;
use super::ending::Counts;
use super::{Context, derive, other_revision, records, retention};
use crate::domain::event::{Event, Tombstone};
use crate::domain::refusal::Refusal;
use crate::domain::request::DeleteRequest;
use crate::domain::run::Skipped;
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
    if let Some(run) = tx.active_runs(row.row)?.first() {
        return Err(Refusal::ActiveRunStillRunning { run: run.clone() });
    }
    let tombstone = bury(tx, context, &row)?;
    Ok(Deletion::Done { tombstone, runs: Vec::new() })
}

/// What follows from the end of a run. Whether the automation is to pause itself is asked by whoever understands it,
/// when its next run ends.
pub(super) fn follow_up(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut row: LaterAutomationRow,
    ended: &RunRow,
    skipped: Option<Skipped>,
    counts: Counts,
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
        Counts::Failure => {
            state.completed_runs += 1;
            state.failure_streak += 1;
        }
        Counts::Neither => {}
    }
    tx.count_for_later(&row)?;
    if row.deleting_until.is_some_and(|until| until > context.now) && tx.active_runs(row.row)?.is_empty() {
        return bury(tx, context, &row).map(drop);
    }
    let automation = Box::new(derive::later_automation(tx, row)?);
    tx.publish(&Event::LaterAutomationUpdated { automation }, context.now)?;
    Ok(())
}

/// The automation is gone. What it was due for since somebody last decided about it cannot be said here, so its
/// schedule ends where that was: later slots were never due.
fn bury(tx: &Tx<'_>, context: &Context<'_>, row: &LaterAutomationRow) -> Result<Tombstone, Refusal> {
    let tombstone = Tombstone { id: row.automation.id.clone(), revision: row.automation.revision + 1 };
    tx.bury_later(row.row, tombstone.revision, context.now)?;
    retention::note(tx, row.row)?;
    tx.publish(&Event::AutomationDeleted { tombstone: tombstone.clone() }, context.now)?;
    Ok(tombstone)
}
