//! Who carries out what, and what the others wait for.
//!
//! A run is given to an instance when its time has come, its directory is free and there is room. Nothing is
//! started here: an instance that has been given a run begins it under the fence of [`super::report::begin`].

use super::{Context, derive, shared_limits};
use crate::domain::automation::Access;
use crate::domain::id::{InstanceId, RunId};
use crate::domain::refusal::Refusal;
use crate::domain::run::{Waiting, WaitingFor};
use crate::ledger::{RunRow, Tx};

/// Gives every run that waits for nothing any more to an instance, oldest first.
pub(super) fn assign(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    while has_room(tx, context)?
        && let Some(run) = tx.next_to_give(context.now)?
        && let Some(to) = executor(tx, context, &run)?
    {
        give(tx, context, run, to)?;
    }
    Ok(())
}

/// Finds the place of a new run, and tells of it: given at once, or waiting. Whoever calls this has given away
/// the older runs that could be.
pub(super) fn place(tx: &Tx<'_>, context: &mut Context<'_>, mut new: RunRow) -> Result<RunRow, Refusal> {
    if waits_for(tx, context, &new)?.is_none()
        && let Some(to) = executor(tx, context, &new)?
    {
        return give(tx, context, new, to);
    }
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

/// Looks again at what a run waits for whose turn has come but that could not be given to anybody. It has
/// joined the queue of its directory, so that others may now be behind it.
pub(super) fn wait_on(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow) -> Result<(), Refusal> {
    if !set_waiting(tx, context, &mut run)? {
        return Ok(());
    }
    derive::publish_run(tx, &mut run, context.now)?;
    match run.run.waiting().and_then(|waiting| waiting.behind.clone()) {
        Some(ahead) => move_up(tx, context, &ahead),
        None => Ok(()),
    }
}

fn has_room(tx: &Tx<'_>, context: &Context<'_>) -> Result<bool, Refusal> {
    Ok(tx.given_runs()? < shared_limits(tx, context)?.max_concurrent_runs)
}

/// Gives a run to an instance. That is news only if the run is new or was seen to wait.
fn give(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow, to: InstanceId) -> Result<RunRow, Refusal> {
    run.given_to = Some(to);
    run.given_at = Some(context.now);
    run.holds_directory = run.definition.access == Access::Write;
    run.deadline_at = Some(context.now.plus_ms(run.definition.policy.start_ms));
    let waited = run.run.set_waiting(None);
    if waited || run.run.revision == 0 {
        derive::publish_run(tx, &mut run, context.now)?;
    } else {
        tx.update_run(&run)?;
    }
    Ok(run)
}

/// A manual run is for the window that asked, everything else for whoever decides. Where these have gone or are
/// about to, the least busy of the others has it; nobody, if there is none.
fn executor(tx: &Tx<'_>, context: &Context<'_>, run: &RunRow) -> Result<Option<InstanceId>, Refusal> {
    for wanted in run.asked_by.iter().chain([&context.me.instance]) {
        if tx.takes_work(wanted)? {
            return Ok(Some(wanted.clone()));
        }
    }
    Ok(tx.least_busy_instance()?)
}

/// Writes into the run what it waits for, and gives whether that has changed.
fn set_waiting(tx: &Tx<'_>, context: &Context<'_>, run: &mut RunRow) -> Result<bool, Refusal> {
    let waiting = waits_for(tx, context, run)?.map(|(what, behind)| {
        let before = run.run.waiting().filter(|waiting| waiting.what == what);
        let since = before.map_or(context.now, |waiting| waiting.since);
        Waiting { what, behind, since, until_at: run.wait_until }
    });
    Ok(run.run.set_waiting(waiting))
}

/// What keeps a run from being given to somebody, and the run directly ahead of it.
fn waits_for(
    tx: &Tx<'_>,
    context: &Context<'_>,
    run: &RunRow,
) -> Result<Option<(WaitingFor, Option<RunId>)>, Refusal> {
    if run.not_before.is_some_and(|not_before| not_before > context.now) {
        return Ok(Some((WaitingFor::CatchUp, None)));
    }
    if run.definition.access == Access::Write
        && let Some(ahead) = tx.ahead_in_directory(&run.run.directory, run.row, context.now)?
    {
        return Ok(Some((WaitingFor::Directory, Some(ahead))));
    }
    Ok(if has_room(tx, context)? { None } else { Some((WaitingFor::Capacity, None)) })
}
