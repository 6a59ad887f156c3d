//! What is due.

use super::{Context, Progress, assign, deadlines, settle, shared_limits, standby};
use crate::domain::id::InstanceId;
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::SharedLimits;
use crate::domain::time::Timestamp;
use crate::ledger::{Tx, View};

/// Automations that one tick settles. A tick is one transaction, and other windows wait for it.
pub const AUTOMATIONS_PER_TICK: usize = 256;

/// What an instance does for the whole project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It owns the bell: it settles what is due, at once.
    Owner,
    /// It could own the bell. It does what another one should have done and has not, `standbyMs` later.
    Standby,
    /// It claims nothing.
    Observer,
}

/// Settles every slot that this instance is to settle by now, and every wait and limit that is over.
///
/// # Errors
/// When the ledger fails; nothing has been settled then.
pub fn tick(tx: &Tx<'_>, context: &mut Context<'_>, duty: Duty) -> Result<Progress, Refusal> {
    let due_by = match duty {
        Duty::Owner => context.now,
        Duty::Standby => context.now.plus_ms(-shared_limits(tx, context)?.standby_ms),
        Duty::Observer => return deadlines::settle(tx, context),
    };
    standby::take_back(tx, context)?;
    // Those whose turn has come go before what is due only now.
    assign::assign(tx, context)?;
    let due = tx.due_automations(due_by, AUTOMATIONS_PER_TICK)?;
    let slots = if due.len() == AUTOMATIONS_PER_TICK { Progress::More } else { Progress::Done };
    for automation in due {
        settle_apart(tx, context, automation)?;
    }
    let waits = deadlines::settle(tx, context)?;
    Ok(if slots == Progress::Done { waits } else { slots })
}

/// When this instance has something to decide: now or in the past, if it has already.
///
/// # Errors
/// When the ledger fails.
pub fn next_at(
    view: &View<'_>,
    duty: Duty,
    me: &InstanceId,
    own_limits: SharedLimits,
    now: Timestamp,
) -> Result<Option<Timestamp>, Refusal> {
    let limits = view.owner_limits()?.unwrap_or(own_limits);
    let for_everybody = match duty {
        Duty::Owner => {
            // A run that another window gave back is due at once.
            let idle = match view.given_runs()? < own_limits.max_concurrent_runs {
                true => view.next_to_give(now)?.map(|_| now),
                false => None,
            };
            [view.next_fire()?, idle, view.next_neglected(me, limits.standby_ms)?]
        }
        Duty::Standby => {
            let fire = view.next_fire()?.map(|at| at.plus_ms(limits.standby_ms));
            [fire, None, view.next_neglected(me, limits.standby_ms)?]
        }
        Duty::Observer => [None; 3],
    };
    let times = [view.next_shared_deadline()?, view.next_own_deadline(me)?];
    Ok(times.into_iter().chain(for_everybody).flatten().min())
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
