//! Waits that are over, limits that are reached, and progress that was held back for long enough.

use super::ending::{self, Remains};
use super::limits::{self, Limit, SignOfLife};
use super::{
    AT_ONCE, Context, Progress, assign, blocker, cancel, delete, probe, progress, shared_limits, tick,
};
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{ErrorCode, StopReason};
use crate::domain::run::{Outcome, Urgency, WaitingFor, Wish};
use crate::ledger::{RunRow, Tx};

/// Ends the waits that are over, asks runs to end that have reached a limit, tells progress, and gives up wishes to delete that
/// were not fulfilled in time.
///
/// # Errors
/// When the ledger fails.
pub fn settle(tx: &Tx<'_>, context: &mut Context<'_>, looked_at: &[SignOfLife]) -> Result<Progress, Refusal> {
    let [waits, turns, unplaced, misplaced] = waiting(tx, context)?;
    let limits = tx.deadlines_over(context.now, AT_ONCE)?;
    let overdue = tx.served_stops_over(context.now, AT_ONCE)?;
    let untold = tx.progress_to_tell(context.now, AT_ONCE)?;
    let wishes = tx.void_delete_wishes(context.now, AT_ONCE)?;
    let found = [&waits, &limits, &overdue, &untold, &turns, &unplaced, &misplaced];
    let is_full = found.iter().any(|runs| runs.len() == AT_ONCE) || wishes.len() == AT_ONCE;
    let progress = if is_full { Progress::More } else { Progress::Done };
    // Those whose turn has come go, or join the line, before waits end: one that may not wait at all can still go at
    // its time, and one that has to end did wait for what it would wait for now.
    assign::assign(tx, context)?;
    wait_on(tx, context, turns)?;
    // What happens to one run may change another: each is read again when it is looked at.
    for run in waits {
        let run = tx.run_at(run.row)?;
        if run.given_to.is_none() && run.run.state().is_active() {
            let reason = end_of_wait(&run);
            ending::end(tx, context, run, Outcome::Stopped(reason), None, Remains::Nothing)?;
        }
    }
    for run in limits {
        end_at_limit(tx, context, run.row, looked_at)?;
    }
    for run in overdue {
        let run = tx.run_at(run.row)?;
        if let Some(stopping) = run.run.stopping().cloned() {
            let outcome = cancel::outcome_of(&stopping, &run);
            // The window may still be at it.
            ending::end(tx, context, run, outcome, None, Remains::Guard)?;
        }
    }
    for run in untold {
        progress::tell(tx, context, run.row)?;
    }
    probe::give_up(tx, context)?;
    for automation in wishes {
        tick::apart(tx, context, automation, |tx, context| {
            delete::give_up(tx, context, tx.automation_at(automation)?)
        })?;
    }
    assign::assign(tx, context)?;
    wait_on(tx, context, unplaced)?;
    wait_on(tx, context, misplaced)?;
    Ok(progress)
}

/// Of the runs that nobody has been given: those whose wait is over, those whose turn has come, those that wait for
/// nothing, and those that are told wrongly what they wait for.
fn waiting(tx: &Tx<'_>, context: &Context<'_>) -> Result<[Vec<RunRow>; 4], Refusal> {
    if !tx.has_waiting_runs()? {
        return Ok(Default::default());
    }
    let room = assign::agent_room(tx, shared_limits(tx, context)?)?;
    Ok([
        tx.waits_over(context.now, AT_ONCE)?,
        tx.turns_come(context.now, AT_ONCE)?,
        tx.unplaced_runs(AT_ONCE)?,
        tx.misplaced_runs(AT_ONCE, room)?,
    ])
}

/// Asks a run to end that has reached a limit. What has a guard and has become silent since it was
/// looked for may have written meanwhile: it is looked at first.
fn end_at_limit(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    row: i64,
    looked_at: &[SignOfLife],
) -> Result<(), Refusal> {
    let run = tx.run_at(row)?;
    let has_spool = tx.process(run.row)?.is_some_and(|process| process.guard().is_some());
    let is_known = !has_spool || looked_at.iter().any(|sign| sign.run == run.run.id);
    match limits::reached(&run, context.now) {
        Some(Limit::Idle) if !is_known => Ok(()),
        Some(Limit::Start | Limit::Idle | Limit::Wall) => {
            cancel::wish(tx, context, run, Wish::Fail(ErrorCode::TimedOut), Urgency::Ask)
        }
        Some(Limit::Answer) => blocker::expire(tx, context, run),
        None => Ok(()),
    }
}

fn wait_on(tx: &Tx<'_>, context: &mut Context<'_>, runs: Vec<RunRow>) -> Result<(), Refusal> {
    for run in runs {
        assign::wait_on(tx, context, run)?;
    }
    Ok(())
}

fn end_of_wait(run: &RunRow) -> StopReason {
    let Some(waiting) = run.run.waiting() else { return StopReason::Expired };
    match waiting.what {
        WaitingFor::Directory => StopReason::WriterBusy,
        WaitingFor::Capacity => StopReason::Capacity,
        WaitingFor::Previous => StopReason::PreviousRunActive,
        WaitingFor::CatchUp | WaitingFor::Retry | WaitingFor::Executor | WaitingFor::Close => {
            StopReason::Expired
        }
    }
}
