//! What is due.

use super::{Context, assign, deadlines, derive, settle};
use crate::domain::refusal::Refusal;
use crate::ledger::Tx;

/// Automations that one tick settles. A tick is one transaction, and other windows wait for it.
pub const AUTOMATIONS_PER_TICK: usize = 256;

/// Whether a tick did all there was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It did.
    Done,
    /// There is more that is due by now: tick again.
    More,
}

/// Settles every slot that is due by now, and every wait and limit that is over. Only the owner of the bell
/// calls this.
///
/// # Errors
/// When the ledger fails; nothing has been settled then.
pub fn tick(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<Progress, Refusal> {
    let due = tx.due_automations(context.now, AUTOMATIONS_PER_TICK)?;
    let slots = if due.len() == AUTOMATIONS_PER_TICK { Progress::More } else { Progress::Done };
    for mut automation in due {
        settle::settle_due(tx, context, &mut automation)?;
    }
    let waits = deadlines::settle(tx, context)?;
    assign::assign(tx, context)?;
    Ok(if slots == Progress::Done { waits } else { slots })
}

/// Stores what is due next of an automation in which nothing else has changed.
pub(super) fn look_again(tx: &Tx<'_>, automation: &mut crate::ledger::AutomationRow) -> Result<(), Refusal> {
    automation.next_fire_at = derive::next_fire(automation);
    tx.update_automation(automation)?;
    Ok(())
}
