//! What is due.

use super::{Context, Progress, assign, deadlines, settle};
use crate::domain::refusal::Refusal;
use crate::ledger::Tx;

/// Automations that one tick settles. A tick is one transaction, and other windows wait for it.
pub const AUTOMATIONS_PER_TICK: usize = 256;

/// Settles every slot that is due by now, and every wait and limit that is over. Only the owner of the bell
/// calls this.
///
/// # Errors
/// When the ledger fails; nothing has been settled then.
pub fn tick(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<Progress, Refusal> {
    // Those whose turn has come go before what is due only now.
    assign::assign(tx, context)?;
    let due = tx.due_automations(context.now, AUTOMATIONS_PER_TICK)?;
    let slots = if due.len() == AUTOMATIONS_PER_TICK { Progress::More } else { Progress::Done };
    for automation in due {
        settle_apart(tx, context, automation)?;
    }
    let waits = deadlines::settle(tx, context)?;
    Ok(if slots == Progress::Done { waits } else { slots })
}

/// Settles one automation. If that cannot be decided, because its rows say what this version does not
/// understand, it is set aside and nothing of it changes: it must not keep the others from firing. The next owner
/// tries again.
fn settle_apart(tx: &Tx<'_>, context: &mut Context<'_>, automation: i64) -> Result<(), Refusal> {
    let settled = tx.savepoint(|| settle::settle_due(tx, context, &mut tx.automation_at(automation)?))?;
    match settled {
        Ok(()) => Ok(()),
        Err(refusal) if refusal.is_about_the_rows() => {
            tx.set_aside(automation)?;
            context.troubles.push(format!("automation row {automation} does not fire: {refusal}"));
            Ok(())
        }
        Err(refusal) => Err(refusal),
    }
}
