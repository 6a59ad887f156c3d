//! A stretch of time in which one schedule is in force: its slots are counted from when it began.

use super::{Context, derive};
use crate::domain::automation::EpochReason;
use crate::domain::refusal::Refusal;
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
    let now = context.now;
    automation.epoch.ended_at.get_or_insert(now);
    tx.update_automation(automation)?;
    let over = automation.pause.is_some() || derive::runs_left(automation) == Some(0);
    automation.epoch = Epoch {
        number: automation.epoch.number + 1,
        effective_at: now,
        answered_through: now,
        ended_at: over.then_some(now),
    };
    Ok(tx.insert_epoch(automation, reason, context.me, note)?)
}
