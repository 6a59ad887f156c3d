//! A run of an automation is wanted while another one is active (schedules, "Overlap").
//!
//! Whatever the policy says, the work of two runs of one automation never overlaps: a run waits until the previous
//! one has gone (see [`super::assign`]). The policy says which runs there are at all.

use super::{Context, cancel, delete, derive};
use crate::domain::automation::Task;
use crate::domain::policy::Overlap;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::StopReason;
use crate::domain::run::{Urgency, Wish};
use crate::ledger::{AutomationRow, RunRow, Tx};

/// The active run on which slots are counted that are due by now, if they are not to have a run of their own: the
/// policy is to skip them, or the runs that are active may be the last that a count leaves.
pub(super) fn counting(tx: &Tx<'_>, automation: &AutomationRow) -> Result<Option<RunRow>, Refusal> {
    let Some(oldest) = tx.oldest_active_run(automation.row)? else { return Ok(None) };
    let counts = match automation.definition.policy.overlap {
        Overlap::Skip => true,
        Overlap::QueueOne | Overlap::CancelPrevious => {
            derive::slots_left(automation, tx.active_runs(automation.row)?.len()) == Some(0)
        }
    };
    Ok(counts.then_some(oldest))
}

/// Ends the runs in whose place a new one is wanted: with `queueOne` the one that still waits for the previous run,
/// with `cancelPrevious` all of them. The automation is what it is after that.
pub(super) fn make_way(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
) -> Result<(), Refusal> {
    let policy = &automation.definition.policy;
    let active = tx.active_runs(automation.row)?;
    // The newest first: no run is to move up that is about to end as well.
    for id in active.iter().rev() {
        let Some(run) = tx.run(id)? else { continue };
        let goes = match (policy.overlap, &automation.definition.task) {
            (Overlap::Skip, _) => false,
            // A reminder waits for nothing, so it takes nobody's place in the line.
            (Overlap::QueueOne, Task::Notify { .. }) => false,
            (Overlap::QueueOne, Task::Command(_) | Task::Prompt(_)) => {
                run.given_to.is_none() && tx.previous_run(automation.row, run.row)?.is_some()
            }
            (Overlap::CancelPrevious, _) => true,
        };
        if goes {
            cancel::wish(tx, context, run, Wish::Stop(StopReason::Superseded), Urgency::Ask)?;
        }
    }
    if !active.is_empty() {
        *automation = tx.automation_at(automation.row)?;
        delete::forget_void_wish(automation, context.now);
    }
    Ok(())
}
