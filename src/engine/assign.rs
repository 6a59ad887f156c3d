//! Who carries out what, and what the others wait for.
//!
//! A run is given to an instance when its time has come, its directory is free and there is room. Nothing is
//! started here: an instance that has been given a run begins it under the fence of [`super::report::begin`].

use super::{Context, derive};
use crate::domain::automation::Access;
use crate::domain::id::{InstanceId, RunId};
use crate::domain::refusal::Refusal;
use crate::domain::run::{Phase, Waiting, WaitingFor};
use crate::ledger::{RunRow, Tx};

/// Gives every run that waits for nothing any more to an instance, oldest first.
pub(super) fn assign(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    while let Some(run) = next_to_give(tx, context)? {
        give(tx, context, run, Telling::IfItWaited)?;
    }
    Ok(())
}

/// Finds the place of a new run, and tells of it: given at once, or waiting.
pub(super) fn place(tx: &Tx<'_>, context: &mut Context<'_>, new: RunRow) -> Result<RunRow, Refusal> {
    while let Some(run) = next_to_give(tx, context)? {
        if run.row == new.row {
            return give(tx, context, run, Telling::Always);
        }
        give(tx, context, run, Telling::IfItWaited)?;
    }
    let mut new = tx.run_at(new.row)?;
    set_waiting(tx, context, &mut new)?;
    derive::publish_run(tx, &mut new, context.now)?;
    Ok(new)
}

/// What waited behind a run that is out of the way waits behind another, or for something else.
pub(super) fn move_up(tx: &Tx<'_>, context: &mut Context<'_>, behind: &RunId) -> Result<(), Refusal> {
    for mut run in tx.waiting_behind(behind)? {
        if set_waiting(tx, context, &mut run)? {
            derive::publish_run(tx, &mut run, context.now)?;
        }
    }
    Ok(())
}

/// Looks again at what a run waits for whose turn has come but that could not be given to anybody.
pub(super) fn wait_on(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow) -> Result<(), Refusal> {
    if set_waiting(tx, context, &mut run)? {
        derive::publish_run(tx, &mut run, context.now)?;
    }
    Ok(())
}

fn next_to_give(tx: &Tx<'_>, context: &Context<'_>) -> Result<Option<RunRow>, Refusal> {
    if tx.given_runs()? >= context.limits.max_concurrent_runs {
        return Ok(None);
    }
    Ok(tx.next_to_give(context.now)?)
}

/// Whether a run that is given is news: a new run is; an old one only if it was seen to wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    Always,
    IfItWaited,
}

fn give(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut run: RunRow,
    telling: Telling,
) -> Result<RunRow, Refusal> {
    run.given_to = Some(executor(tx, context, &run)?);
    run.given_at = Some(context.now);
    run.holds_directory = run.definition.access == Access::Write;
    run.deadline_at = Some(context.now.plus_ms(run.definition.policy.start_ms));
    let waited = match &mut run.run.phase {
        Phase::Scheduled { waiting, .. } => waiting.take().is_some(),
        Phase::Running { .. }
        | Phase::AwaitingInput { .. }
        | Phase::Succeeded { .. }
        | Phase::Failed { .. }
        | Phase::Stopped { .. } => false,
    };
    if waited || telling == Telling::Always {
        derive::publish_run(tx, &mut run, context.now)?;
    } else {
        tx.update_run(&run)?;
    }
    Ok(run)
}

/// A manual run is for the window that asked, if it is still there; everything else for whoever decides.
fn executor(tx: &Tx<'_>, context: &Context<'_>, run: &RunRow) -> Result<InstanceId, Refusal> {
    if let Some(asked) = &run.asked_by
        && tx.is_instance(asked)?
    {
        return Ok(asked.clone());
    }
    Ok(context.me.instance.clone())
}

/// Writes into the run what it waits for, and gives whether that has changed.
fn set_waiting(tx: &Tx<'_>, context: &Context<'_>, run: &mut RunRow) -> Result<bool, Refusal> {
    let early = run.not_before.is_some_and(|not_before| not_before > context.now);
    let ahead = match run.definition.access {
        Access::Write => tx.ahead_in_directory(&run.run.directory, run.row)?,
        Access::Read => None,
    };
    let (what, behind) = match (early, ahead) {
        (true, _) => (WaitingFor::CatchUp, None),
        (false, Some(ahead)) => (WaitingFor::Directory, Some(ahead)),
        (false, None) => (WaitingFor::Capacity, None),
    };
    let until_at = run.wait_until;
    let Phase::Scheduled { waiting, .. } = &mut run.run.phase else { return Ok(false) };
    let since = match waiting {
        Some(waiting) if waiting.what == what => waiting.since,
        Some(_) | None => context.now,
    };
    let new = Some(Waiting { what, behind, since, until_at });
    let changed = *waiting != new;
    *waiting = new;
    Ok(changed)
}
