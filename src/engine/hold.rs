//! The user's own work in a directory. Runs that write there wait for it, and so do closes; what is at work there
//! already goes on.

use super::{Context, assign, close};
use crate::domain::id::SubscriptionId;
use crate::domain::lifecycle::Hold;
use crate::domain::refusal::Refusal;
use crate::ledger::Tx;

/// This window works in a directory, until [`release`].
///
/// # Errors
/// When the window gives up the project, or has given it up.
pub fn hold(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    id: SubscriptionId,
    directory: String,
    title: String,
) -> Result<(), Refusal> {
    let me = &context.me.instance;
    close::check_open(tx, me)?;
    // What could go before this came goes.
    assign::assign(tx, context)?;
    let hold = Hold { id, directory, title, since: context.now };
    tx.insert_hold(me, &hold)?;
    assign::line_up_in(tx, context, &hold.directory)
}

/// That work is over, or its window does not say any more that it goes on. A second time changes nothing.
///
/// # Errors
/// When the ledger fails.
pub fn release(tx: &Tx<'_>, context: &mut Context<'_>, id: &SubscriptionId) -> Result<(), Refusal> {
    if tx.delete_hold(&context.me.instance, id)? {
        assign::go_on(tx, context)?;
    }
    Ok(())
}
