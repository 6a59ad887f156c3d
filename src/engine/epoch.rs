//! A stretch of time in which one schedule is in force: its slots are counted from when it began.

use super::{Context, derive};
use crate::domain::automation::EpochReason;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ledger::{AutomationRow, Epoch, Tx};

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
    automation.epoch.ended_at.get_or_insert(context.due_by);
    tx.update_automation(automation)?;
    let over = automation.pause.is_some() || derive::runs_left(automation) == Some(0);
    automation.epoch = Epoch {
        number: automation.epoch.number + 1,
        effective_at: from,
        answered_through: from,
        ended_at: over.then_some(from),
    };
    Ok(tx.insert_epoch(automation, reason, context.me, note)?)
}
