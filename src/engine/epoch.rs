//! A stretch of time in which one schedule is in force: its slots are counted from when it began.

use super::{Context, derive};
use crate::domain::automation::{EpochEnd, EpochReason};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ledger::{AutomationRow, Beginning, Epoch, Tx};

/// Ends the newest epoch, if that has not ended yet, and begins the next one now: nothing before now was ever due
/// in it. Whoever calls this has settled the slots of the one that ends.
///
/// Where nothing is due, because the automation rests or its count is reached, the new epoch has ended at once.
pub(super) fn begin(
    tx: &Tx<'_>,
    context: &Context<'_>,
    automation: &mut AutomationRow,
    reason: EpochReason,
    note: Option<&str>,
) -> Result<(), Refusal> {
    begin_at(tx, context, automation, context.now, reason, note)
}

/// The same, but nothing before or at this instant is due in it.
pub(super) fn begin_at(
    tx: &Tx<'_>,
    context: &Context<'_>,
    automation: &mut AutomationRow,
    from: Timestamp,
    reason: EpochReason,
    note: Option<&str>,
) -> Result<(), Refusal> {
    let before = match reason {
        // The one before a resume has ended with the pause.
        EpochReason::Created | EpochReason::Edited | EpochReason::Resumed => EpochEnd::Edited,
        EpochReason::Clock => EpochEnd::Clock,
    };
    tx.end_epoch(automation, context.due_by, &before)?;
    tx.update_automation(automation)?;
    let over = match &automation.pause {
        Some(pause) => Some(EpochEnd::Paused(pause.clone())),
        None => (derive::runs_left(automation) == Some(0)).then_some(EpochEnd::Count),
    };
    automation.epoch = Epoch {
        number: automation.epoch.number + 1,
        effective_at: from,
        answered_through: from,
        ended_at: over.as_ref().map(|_| from),
    };
    Ok(tx.insert_epoch(automation, &Beginning { reason, by: context.me, note, over: over.as_ref() })?)
}
