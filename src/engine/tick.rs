//! What is due.

use super::clock::{self, Claims};
use super::limits::{self, SignOfLife};
use super::{Context, Progress, assign, deadlines, settle, shared_limits, standby};
use crate::domain::clock::{Boot, Reading};
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

/// Settles every slot that this instance is to settle by now, and every wait and limit that is over. What it has seen
/// of work that seemed to be silent is noted before that.
///
/// # Errors
/// When the ledger fails; nothing has been settled then.
pub fn tick(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    duty: Duty,
    signs: &[SignOfLife],
) -> Result<Progress, Refusal> {
    limits::note(tx, context, signs)?;
    let claimed_through = match duty {
        Duty::Owner => context.now,
        Duty::Standby => context.now.plus_ms(-shared_limits(tx, context)?.standby_ms),
        Duty::Observer => return deadlines::settle(tx, context, signs),
    };
    standby::take_back(tx, context)?;
    // Those whose turn has come go before what is due only now.
    assign::assign(tx, context)?;
    let slots = match clock::claims(tx, context)? {
        Claims::Now => settle_slots(tx, context, claimed_through)?,
        Claims::Later => Progress::Done,
        Claims::AfterEpochs(remaining) => clock::begin_anew(tx, context, remaining)?,
    };
    let waits = deadlines::settle(tx, context, signs)?;
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
    boot: &Boot,
    reading: Reading,
) -> Result<Option<Timestamp>, Refusal> {
    let claim = match duty {
        Duty::Owner => clock::next_claim(view, boot, reading, 0)?,
        Duty::Standby => {
            let standby_ms = view.owner_limits()?.unwrap_or(own_limits).standby_ms;
            clock::next_claim(view, boot, reading, standby_ms)?
        }
        Duty::Observer => None,
    };
    let beside = next_beside_slots(view, duty, me, own_limits, reading.wall)?;
    Ok(claim.into_iter().chain(beside).min())
}

/// The same, but for slots and for what happens to the clock.
///
/// # Errors
/// When the ledger fails.
pub(super) fn next_beside_slots(
    view: &View<'_>,
    duty: Duty,
    me: &InstanceId,
    own_limits: SharedLimits,
    now: Timestamp,
) -> Result<Option<Timestamp>, Refusal> {
    let limits = view.owner_limits()?.unwrap_or(own_limits);
    let waiting = match view.has_waiting_runs()? {
        true => next_of_waiting(view, duty, own_limits, limits, now)?,
        false => None,
    };
    let neglected = match duty {
        Duty::Owner | Duty::Standby => view.next_neglected(me, limits.standby_ms)?,
        Duty::Observer => None,
    };
    let times = [waiting, neglected, view.next_shared_deadline()?, view.next_own_deadline(me)?];
    Ok(times.into_iter().flatten().min())
}

/// The same for runs that nobody has been given.
fn next_of_waiting(
    view: &View<'_>,
    duty: Duty,
    own_limits: SharedLimits,
    limits: SharedLimits,
    now: Timestamp,
) -> Result<Option<Timestamp>, Refusal> {
    let room = assign::agent_room(view, limits)?;
    // What a run is told wrongly is looked for by those who decide for the project, and has been due since the run was
    // created. Where there are only observers, it is theirs.
    let misplaced = match duty {
        Duty::Observer if view.has_participants()? => None,
        Duty::Owner | Duty::Standby | Duty::Observer => view.oldest_misplaced(room)?,
    };
    // A run that another window gave back is due at once.
    let idle = match duty {
        Duty::Owner if view.given_runs()? < own_limits.max_concurrent_runs => {
            view.next_to_give(now, room)?.map(|_| now)
        }
        Duty::Owner | Duty::Standby | Duty::Observer => None,
    };
    Ok([misplaced, idle, view.next_end_of_a_wait()?].into_iter().flatten().min())
}

fn settle_slots(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    claimed_through: Timestamp,
) -> Result<Progress, Refusal> {
    let due = tx.due_automations(claimed_through, AUTOMATIONS_PER_TICK)?;
    let progress = if due.len() == AUTOMATIONS_PER_TICK { Progress::More } else { Progress::Done };
    for row in due {
        apart(tx, context, row, |tx, context| settle::settle_due(tx, context, &mut tx.automation_at(row)?))?;
    }
    Ok(progress)
}

/// Decides about one automation. If that cannot be done, because its rows say what this version does not
/// understand, it is set aside and nothing of it changes: it must not keep the others from firing. The next owner
/// tries again.
pub(super) fn apart<T>(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: i64,
    decide: impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    match tx.savepoint(|| decide(tx, context))? {
        Ok(decided) => Ok(Some(decided)),
        Err(refusal) if refusal.is_about_the_rows() => {
            tx.set_aside(automation)?;
            context.troubles.push(format!("automation row {automation} does not fire: {refusal}"));
            Ok(None)
        }
        Err(refusal) => Err(refusal),
    }
}
