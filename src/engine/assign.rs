//! Who carries out what, and what the others wait for.
//!
//! A run is given to an instance when its time has come, the previous run of its automation has gone, its directory
//! is free and there is room. Nothing is started here: an instance that has been given a run begins it under the
//! fence of [`super::report::begin`].

use super::ending::{self, Remains};
use super::{Context, derive, shared_limits};
use crate::domain::automation::Access;
use crate::domain::id::{InstanceId, RunId};
use crate::domain::policy::IfBusy;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::StopReason;
use crate::domain::run::{Ahead, Outcome, Trigger, Waiting, WaitingFor};
use crate::ledger::{RunRow, Tx};

/// Gives every run that waits for nothing any more to an instance, in the order of the line.
pub(super) fn assign(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    while has_room(tx, context)?
        && let Some(run) = tx.next_to_give(context.now)?
        && let Some(to) = executor(tx, context, &run)?
    {
        let given = give(tx, context, run, to)?;
        line_up_behind(tx, context, &given)?;
    }
    Ok(())
}

/// What place a new run has found.
pub(super) enum Place {
    /// It is given to somebody, or waits.
    Taken(Box<RunRow>),
    /// There is none: this run is ahead of it in its directory, and it is not to wait for that. It has not been told
    /// of.
    Busy { run: Box<RunRow>, ahead: RunId },
}

/// Finds the place of a new run, and tells of it: given at once, or waiting. Whoever calls this has given away
/// the runs before it that could be, and has others line up behind it once all is told that follows from its birth.
pub(super) fn place(tx: &Tx<'_>, context: &mut Context<'_>, mut new: RunRow) -> Result<Place, Refusal> {
    Ok(match turn(tx, context, &new)? {
        Turn::Give(to) => Place::Taken(Box::new(give(tx, context, new, to)?)),
        Turn::Wait(what, behind) => {
            set_waiting(context, &mut new, what, behind);
            derive::publish_run(tx, &mut new, context.now)?;
            Place::Taken(Box::new(new))
        }
        Turn::Busy(ahead) => Place::Busy { run: Box::new(new), ahead },
    })
}

/// What waited behind a run that is out of the way waits behind another, or for something else.
pub(super) fn move_up(tx: &Tx<'_>, context: &mut Context<'_>, behind: &RunId) -> Result<(), Refusal> {
    look_at(tx, context, tx.waiting_behind(behind)?)
}

/// What stands in line after a run that has joined the line of its directory, or has been given it, waits behind that
/// run from now on, whatever it waited for before: it may have waited for room, with nobody ahead of it.
pub(super) fn line_up_behind(tx: &Tx<'_>, context: &mut Context<'_>, run: &RunRow) -> Result<(), Refusal> {
    if !run.holds_directory && !is_in_line(run) {
        return Ok(());
    }
    look_at(tx, context, tx.next_in_line(run.row)?.into_iter().collect())
}

/// Looks again at what a run waits for that could not be given to anybody: its turn has come, or it is another
/// matter now whether anybody can carry it out.
pub(super) fn wait_on(tx: &Tx<'_>, context: &mut Context<'_>, run: RunRow) -> Result<(), Refusal> {
    look_at(tx, context, vec![run])
}

/// Looks again at what these wait for, one after the other, and at what waits behind those that move.
fn look_at(tx: &Tx<'_>, context: &mut Context<'_>, mut runs: Vec<RunRow>) -> Result<(), Refusal> {
    runs.reverse();
    while let Some(run) = runs.pop() {
        // What became of one of them may have concerned another.
        let run = tx.run_at(run.row)?;
        if run.given_to.is_none() && run.run.state().is_active() {
            let concerned = look_again(tx, context, run)?;
            runs.extend(concerned.into_iter().rev());
        }
    }
    Ok(())
}

/// Writes down and tells what a run waits for now. If it has joined the line of its directory or has left it, others
/// may now be behind it, or no longer: gives those.
fn look_again(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow) -> Result<Vec<RunRow>, Refusal> {
    let was_in_line = is_in_line(&run);
    let changed = match turn(tx, context, &run)? {
        Turn::Give(_) => run.run.set_waiting(None),
        Turn::Wait(what, behind) => set_waiting(context, &mut run, what, behind),
        Turn::Busy(_) => {
            let outcome = Outcome::Stopped(StopReason::WriterBusy);
            ending::end(tx, context, run, outcome, None, Remains::Nothing)?;
            return Ok(Vec::new());
        }
    };
    if !changed {
        return Ok(Vec::new());
    }
    derive::publish_run(tx, &mut run, context.now)?;
    if was_in_line == is_in_line(&run) {
        return Ok(Vec::new());
    }
    let mut concerned = tx.waiting_behind(&run.run.id)?;
    concerned.extend(tx.next_in_line(run.row)?);
    Ok(concerned)
}

/// Whether a run says that it stands in the line of its directory.
fn is_in_line(run: &RunRow) -> bool {
    run.definition.access == Access::Write
        && match run.run.waiting().map(|waiting| waiting.what) {
            Some(WaitingFor::Directory | WaitingFor::Capacity) => true,
            None
            | Some(
                WaitingFor::Previous
                | WaitingFor::CatchUp
                | WaitingFor::Retry
                | WaitingFor::Executor
                | WaitingFor::Close,
            ) => false,
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
pub(super) fn set_waiting(
    context: &Context<'_>,
    run: &mut RunRow,
    what: WaitingFor,
    behind: Option<RunId>,
) -> bool {
    let before = run.run.waiting().filter(|waiting| waiting.what == what);
    let since = before.map_or(context.now, |waiting| waiting.since);
    run.run.set_waiting(Some(Waiting {
        what,
        behind: behind.map(Ahead::Run),
        since,
        until_at: run.wait_until,
    }))
}

/// What may become of a run that nobody has.
enum Turn {
    /// Nothing keeps it from being given to this instance.
    Give(InstanceId),
    /// It waits for this, and for the run directly ahead of it.
    Wait(WaitingFor, Option<RunId>),
    /// This run is ahead of it in its directory, and it is not to wait for that.
    Busy(RunId),
}

/// One thing is waited for at a time. Each comes before those that it would make idle talk: before its time has
/// come, or where nobody can carry it out, a run is in nobody's way and nothing else can be said of it; while its
/// previous run is there it is not in the line of its directory; and there is room only for what could go.
fn turn(tx: &Tx<'_>, context: &Context<'_>, run: &RunRow) -> Result<Turn, Refusal> {
    if run.not_before.is_some_and(|not_before| not_before > context.now) {
        let what = match run.run.trigger {
            Trigger::Retry { .. } => WaitingFor::Retry,
            Trigger::Schedule | Trigger::CatchUp | Trigger::Manual { .. } => WaitingFor::CatchUp,
        };
        return Ok(Turn::Wait(what, None));
    }
    let Some(to) = executor(tx, context, run)? else {
        return Ok(Turn::Wait(WaitingFor::Executor, None));
    };
    if let Some(previous) = tx.previous_run(run.automation, run.row)? {
        return Ok(Turn::Wait(WaitingFor::Previous, Some(previous)));
    }
    if run.definition.access == Access::Write
        && let Some(ahead) = tx.ahead_in_directory(&run.run.directory, run.row, context.now)?
    {
        return Ok(match run.if_busy {
            IfBusy::Queue => Turn::Wait(WaitingFor::Directory, Some(ahead)),
            IfBusy::Skip => Turn::Busy(ahead),
        });
    }
    Ok(if has_room(tx, context)? { Turn::Give(to) } else { Turn::Wait(WaitingFor::Capacity, None) })
}
