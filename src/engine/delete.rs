//! An automation goes; its runs stay readable.

use super::{Context, cancel, check_revision, derive, later, no_automation, retention, settle};
use crate::domain::automation::EpochEnd;
use crate::domain::event::{Event, Tombstone};
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::domain::request::{ActiveRun, DeleteRequest};
use crate::domain::run::machine::StopReason;
use crate::domain::run::{Urgency, Wish};
use crate::domain::time::Timestamp;
use crate::ledger::{AutomationRow, DeleteWish, LedgerError, Stored, Tx};

/// How long cancelled work may take to go before the wish to delete is void, in milliseconds.
pub const PATIENCE_MS: i64 = 15_000;

/// How far a deletion has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The automation is gone.
    Done {
        /// What is left of it.
        tombstone: Tombstone,
        /// The runs whose work had not gone when it was asked for.
        runs: Vec<RunId>,
    },
    /// Work has to end first; whoever ends the last of it deletes the automation.
    Pending {
        /// The runs whose work has not gone.
        runs: Vec<RunId>,
        /// How long whoever asked waits for that.
        until: Timestamp,
    },
}

/// Deletes an automation, or writes down the wish. Who wishes it while somebody else does joins them: a second
/// cancel kills at once.
///
/// # Errors
/// When there is no such automation, it has another revision, or it has active runs and that is to be refused.
pub fn delete(tx: &Tx<'_>, context: &mut Context<'_>, request: &DeleteRequest) -> Result<Deletion, Refusal> {
    let mut automation = match tx.stored_automation(&request.automation) {
        Ok(Some(Stored::Known(automation))) => automation,
        Ok(Some(Stored::Later(automation))) => return later::delete(tx, context, request, *automation),
        // A part of it may be gone, so that it is not found as a whole.
        Ok(None) => {
            let why = no_automation(&request.automation);
            return later::delete_unreadable(tx, context, request, why);
        }
        Err(error @ LedgerError::Unreadable { .. }) => {
            return later::delete_unreadable(tx, context, request, error.into());
        }
        Err(error) => return Err(error.into()),
    };
    check_revision(tx, context, &automation, request.if_revision)?;
    let runs = tx.runs_with_work(automation.row)?;
    if let (Some(first), ActiveRun::Refuse) = (runs.first(), request.active_run) {
        return Err(Refusal::ActiveRunStillRunning { run: first.clone() });
    }
    if !runs.is_empty() {
        let until = match request.active_run {
            ActiveRun::Cancel | ActiveRun::Refuse => context.now.plus_ms(PATIENCE_MS),
            ActiveRun::Finish => Timestamp::MAX,
        };
        forget_void_wish(&mut automation, context.now);
        let earlier = automation.deleting.take();
        // Who cancels what somebody cancels already does not want to wait until it has ended by itself.
        let urgency = match earlier.as_ref().map(|wish| wish.active_run) {
            Some(ActiveRun::Cancel) => Urgency::Now,
            Some(ActiveRun::Finish | ActiveRun::Refuse) | None => Urgency::Ask,
        };
        let wish = DeleteWish { by: context.me.clone(), until, active_run: request.active_run };
        automation.deleting = Some(earlier.map_or(wish.clone(), |earlier| joined(earlier, wish)));
        derive::publish_next_fire(tx, &mut automation, context.now)?;
        if request.active_run == ActiveRun::Cancel {
            // The newest first: no run is to move up that is about to end as well.
            for id in runs.iter().rev() {
                if let Some(run) = tx.run(id)? {
                    let as_cancelled = Wish::Stop(StopReason::Cancelled);
                    cancel::wish(tx, context, run, as_cancelled, urgency)?;
                }
            }
        }
        // The end of the last run has buried the automation if nothing of them had begun.
        return Ok(match tx.automation_fate(&request.automation)? {
            Some((_, revision, true)) => {
                Deletion::Done { tombstone: Tombstone { id: automation.id, revision }, runs }
            }
            Some((_, _, false)) | None => Deletion::Pending { runs, until },
        });
    }
    // A wish without work to wait for is one that was given up, and somebody else's.
    automation.deleting = None;
    bury(tx, context, &mut automation)?;
    let tombstone = Tombstone { id: automation.id.clone(), revision: automation.revision };
    Ok(Deletion::Done { tombstone, runs })
}

/// Two wishes are one: what was cancelled stays cancelled, and the automation goes when its work has gone within
/// the longer of both times. Each of those who asked waits no longer than for their own.
fn joined(earlier: DeleteWish, later: DeleteWish) -> DeleteWish {
    let active_run = match (earlier.active_run, later.active_run) {
        (ActiveRun::Cancel, _) | (_, ActiveRun::Cancel) => ActiveRun::Cancel,
        (ActiveRun::Finish | ActiveRun::Refuse, ActiveRun::Finish | ActiveRun::Refuse) => ActiveRun::Finish,
    };
    DeleteWish { by: earlier.by, until: earlier.until.max(later.until), active_run }
}

/// The work of a run has gone after its run had ended: if that was the last of an automation that is to go, it goes.
pub(super) fn go_on(tx: &Tx<'_>, context: &mut Context<'_>, automation: i64) -> Result<(), Refusal> {
    match tx.stored_automation_at(automation)? {
        Stored::Known(mut automation) => {
            forget_void_wish(&mut automation, context.now);
            match automation.deleting.is_some() && tx.runs_with_work(automation.row)?.is_empty() {
                true => bury(tx, context, &mut automation),
                false => Ok(()),
            }
        }
        Stored::Later(automation) => later::go_on_deleting(tx, context, &automation).map(drop),
    }
}

/// The automation is gone. Its slots up to now are settled; nothing about it follows but news of its runs.
pub(super) fn bury(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
) -> Result<(), Refusal> {
    // The wish kept slots from firing; they are settled as what they were, slots of a living schedule.
    let by = automation.deleting.take().map_or_else(|| context.me.clone(), |wish| wish.by);
    settle::settle_closing(tx, context, automation, StopReason::Cancelled)?;
    tx.end_epoch(automation, context.due_by, &EpochEnd::Deleted)?;
    automation.deleted_at = Some(context.now);
    automation.next_fire_at = None;
    automation.revision += 1;
    tx.update_automation(automation)?;
    tx.note_who_deleted(automation.row, &by)?;
    retention::note(tx, automation.row)?;
    let tombstone = Tombstone { id: automation.id.clone(), revision: automation.revision };
    tx.publish(&Event::AutomationDeleted { tombstone }, context.now)?;
    Ok(())
}

/// The work did not end in time: the automation stays, and so do the wishes that its runs end.
pub(super) fn give_up(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut automation: AutomationRow,
) -> Result<(), Refusal> {
    automation.deleting = None;
    derive::publish_next_fire(tx, &mut automation, context.now)
}

/// A wish that was not fulfilled in time is void, also before a tick has given it up.
pub(super) fn forget_void_wish(automation: &mut AutomationRow, now: Timestamp) {
    automation.deleting.take_if(|wish| wish.until <= now);
}
