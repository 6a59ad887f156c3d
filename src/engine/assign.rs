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
    match turn(tx, context, &new)? {
        Turn::Give(to) => give(tx, context, new, to),
        wait @ Turn::Wait(_, _) => {
            set_waiting(context, &mut new, wait);
            derive::publish_run(tx, &mut new, context.now)?;
            Ok(new)
        }
    }
}

/// What waited behind a run that is out of the way waits behind another, or for something else.
pub(super) fn move_up(tx: &Tx<'_>, context: &mut Context<'_>, behind: &RunId) -> Result<(), Refusal> {
    let mut out_of_the_way = vec![behind.clone()];
    while let Some(behind) = out_of_the_way.pop() {
        for mut run in tx.waiting_behind(&behind)? {
            let turn = turn(tx, context, &run)?;
            if !set_waiting(context, &mut run, turn) {
                continue;
            }
            derive::publish_run(tx, &mut run, context.now)?;
            // One that nobody can carry out any more is not in the line of its directory either.
            if run.run.waiting().is_some_and(|waiting| waiting.what == WaitingFor::Executor) {
                out_of_the_way.push(run.run.id);
            }
        }
    }
    Ok(())
}

/// Looks again at what a run waits for that could not be given to anybody: its turn has come, or it is another
/// matter now whether anybody can carry it out. It has joined the line of its directory or has left it, so that
/// others may now be behind it, or no longer.
pub(super) fn wait_on(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow) -> Result<(), Refusal> {
    let turn = turn(tx, context, &run)?;
    if !set_waiting(context, &mut run, turn) {
        return Ok(());
    }
    derive::publish_run(tx, &mut run, context.now)?;
    match run.run.waiting().and_then(|waiting| waiting.behind.clone()) {
        Some(ahead) => move_up(tx, context, &ahead),
        None => move_up(tx, context, &run.run.id),
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
    run.deadline_at = Some(context.now.plus_ms(run.definition.policy.start_limit_ms()));
    let waited = run.run.set_waiting(None);
    if waited || run.run.revision == 0 {
        derive::publish_run(tx, &mut run, context.now)?;
    } else {
        tx.update_run(&run)?;
    }
    Ok(run)
}

/// Gives a run that another instance has not begun to this one. Nobody sees that, and nothing of it begins anew.
pub(super) fn pass_on(tx: &Tx<'_>, context: &Context<'_>, mut run: RunRow) -> Result<(), Refusal> {
    run.given_to = Some(context.me.instance.clone());
    run.given_at = Some(context.now);
    Ok(tx.update_run(&run)?)
}

/// A manual run is for the window that asked, everything else for whoever decides, unless that is an observer.
/// Where these have gone or are about to, the least busy participant has it; nobody, if there is none.
fn executor(tx: &Tx<'_>, context: &Context<'_>, run: &RunRow) -> Result<Option<InstanceId>, Refusal> {
    if let Some(asked) = &run.asked_by
        && tx.takes_own_work(asked)?
    {
        return Ok(Some(asked.clone()));
    }
    let me = &context.me.instance;
    if tx.takes_any_work(me)? {
        return Ok(Some(me.clone()));
    }
    Ok(tx.least_busy_participant()?)
}

/// Writes into the run what it waits for, and gives whether that has changed.
fn set_waiting(context: &Context<'_>, run: &mut RunRow, turn: Turn) -> bool {
    let waiting = match turn {
        Turn::Give(_) => None,
        Turn::Wait(what, behind) => {
            let before = run.run.waiting().filter(|waiting| waiting.what == what);
            let since = before.map_or(context.now, |waiting| waiting.since);
            Some(Waiting { what, behind, since, until_at: run.wait_until })
        }
    };
    run.run.set_waiting(waiting)
}

/// What may become of a run that nobody has.
enum Turn {
    /// Nothing keeps it from being given to this instance.
    Give(InstanceId),
    /// It waits for this, and for the run directly ahead of it.
    Wait(WaitingFor, Option<RunId>),
}

fn turn(tx: &Tx<'_>, context: &Context<'_>, run: &RunRow) -> Result<Turn, Refusal> {
    if run.not_before.is_some_and(|not_before| not_before > context.now) {
        return Ok(Turn::Wait(WaitingFor::CatchUp, None));
    }
    // Before the directory: whom nobody can carry out is in nobody's way.
    let Some(to) = executor(tx, context, run)? else {
        return Ok(Turn::Wait(WaitingFor::Executor, None));
    };
    if run.definition.access == Access::Write
        && let Some(ahead) = tx.ahead_in_directory(&run.run.directory, run.row, context.now)?
    {
        return Ok(Turn::Wait(WaitingFor::Directory, Some(ahead)));
    }
    Ok(if has_room(tx, context)? { Turn::Give(to) } else { Turn::Wait(WaitingFor::Capacity, None) })
}
