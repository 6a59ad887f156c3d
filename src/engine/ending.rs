//! The one way in which a run ends, and what follows from it.

use super::{Context, assign, delete, derive, later, pause, records, rest, retry, tick};
use crate::domain::automation::EpochEnd;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{State, StopReason};
use crate::domain::run::{Outcome, Phase, ProcessEnd, Skipped, Trigger};
use crate::ledger::{AutomationRow, RunRow, Stored, Tx};

/// Whether everything that belonged to a run has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// It has: the directory is free.
    Nothing,
    /// Its guard may still be there: the directory is held until [`super::report::gone`].
    Guard,
}

/// Ends a run: its row, the record of what it skipped, what follows for its automation, and for those that
/// waited for it. Where nothing can be said of the automation, because its rows cannot be read, that one is set aside
/// and everything else goes on: a run that could not end would hold its directory and keep others waiting.
pub(super) fn end(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut run: RunRow,
    outcome: Outcome,
    process: Option<ProcessEnd>,
    remains: Remains,
) -> Result<(), Refusal> {
    run.run.end(outcome, process, context.now)?;
    let skipped = run.run.skipped.take();
    run.deadline_at = None;
    if remains == Remains::Nothing {
        run.holds_directory = false;
        tx.delete_process(run.row)?;
    }
    derive::publish_run(tx, &mut run, context.now)?;
    let followed =
        tick::apart(tx, context, run.automation, |tx, context| follow(tx, context, &run, skipped))?;
    let to_try_again = match followed {
        Some(to_try_again) => to_try_again,
        // A run has ended, whether or not it can be said what that means for its automation. What was counted on it is
        // on no other row, so it is written down all the same.
        None => {
            if let Some(skipped) = skipped {
                let epoch = tx.epoch_of(run.automation)?;
                records::record_counted_on(tx, context, &run, epoch, skipped)?;
            }
            None
        }
    };
    // The end of a run that only waited makes room for nobody but the next one of its automation.
    if run.given_to.is_some() || tx.is_waited_for(&run.run.id)? {
        assign::assign(tx, context)?;
    }
    if let Some(mut automation) = to_try_again {
        retry::again(tx, context, &mut automation, &run)?;
    }
    assign::move_up(tx, context, &run.run.id)
}

/// What follows from the end of a run for its automation; gives that if the run is to be tried again.
fn follow(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    run: &RunRow,
    skipped: Option<Skipped>,
) -> Result<Option<AutomationRow>, Refusal> {
    match tx.stored_automation_at(run.automation)? {
        Stored::Known(mut automation) => {
            if let Some(skipped) = skipped {
                records::record(tx, context, &automation, skipped.slots, skipped.reason)?;
            }
            delete::forget_void_wish(&mut automation, context.now);
            let tried_again = retry::follows(tx, &automation, run)?;
            let before = retry::tried_before(tx, run)?;
            let counts = if tried_again { Counts::Neither } else { counts(run, before.as_ref()) };
            follow_up(tx, context, &mut automation, counts)?;
            Ok(tried_again.then_some(automation))
        }
        Stored::Later(automation) => {
            later::follow_up(tx, context, *automation, run, skipped, counts(run, None))?;
            Ok(None)
        }
    }
}

/// How an end counts for the automation.
#[derive(Clone, Copy)]
pub(super) enum Counts<'a> {
    Success,
    /// With the run that says of what, if it is still there.
    Failure(Option<&'a RunRow>),
    Neither,
}

/// `before` is the run that this one has tried again.
fn counts<'a>(ended: &'a RunRow, before: Option<&'a RunRow>) -> Counts<'a> {
    match &ended.run.phase {
        Phase::Succeeded { .. } => Counts::Success,
        Phase::Failed { .. } => Counts::Failure(Some(ended)),
        Phase::Stopped { ended: end, reason } => match ended.run.trigger {
            Trigger::Retry { .. } if retry::leaves_the_failure(end, *reason) => Counts::Failure(before),
            Trigger::Retry { .. } | Trigger::Schedule | Trigger::Manual { .. } | Trigger::CatchUp => {
                Counts::Neither
            }
        },
        Phase::Scheduled { .. } | Phase::Running { .. } | Phase::AwaitingInput { .. } => Counts::Neither,
    }
}

pub(super) fn follow_up(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    counts: Counts<'_>,
) -> Result<(), Refusal> {
    match counts {
        Counts::Success => {
            automation.completed_runs += 1;
            automation.failure_streak = 0;
        }
        Counts::Failure(_) => {
            automation.completed_runs += 1;
            automation.failure_streak += 1;
        }
        Counts::Neither => {}
    }
    let finished = derive::runs_left(automation) == Some(0) && automation.epoch.ended_at.is_none();
    if finished {
        tx.end_epoch(automation, context.now, &EpochEnd::Count)?;
    }
    delete::forget_void_wish(automation, context.now);
    if automation.deleting.is_some() && tx.runs_with_work(automation.row)?.is_empty() {
        tx.update_automation(automation)?;
        return delete::bury(tx, context, automation);
    }
    let rest = match counts {
        Counts::Failure(failed) => rest::after_failure(automation, failed),
        Counts::Success | Counts::Neither => None,
    };
    match rest {
        Some(rest) => pause::pause_itself(tx, context, automation, rest)?,
        None => derive::publish_automation(tx, automation, context.now).map(drop)?,
    }
    if finished {
        stop_scheduled(tx, context, automation, StopReason::Ended)?;
    }
    Ok(())
}

/// Stops the runs of an automation that have not begun and that nobody has asked for: those of slots, and what
/// tries them again.
pub(super) fn stop_scheduled(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &AutomationRow,
    reason: StopReason,
) -> Result<(), Refusal> {
    // The newest first: no run is to move up that is about to end as well.
    for id in tx.active_runs(automation.row)?.into_iter().rev() {
        let Some(run) = tx.run(&id)? else { continue };
        if !run.was_asked_for() && !run.begun && run.run.state() == State::Scheduled {
            end(tx, context, run, Outcome::Stopped(reason), None, Remains::Nothing)?;
        }
    }
    Ok(())
}
