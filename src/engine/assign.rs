//! Who carries out what, and what the others wait for.
//!
//! A run is given to an instance when its time has come, the previous run of its automation has gone, its directory
//! is free and there is room. Nothing is started here: an instance that has been given a run begins it under the
//! fence of [`super::report::begin`].

use super::ending::{self, Remains};
use super::{AT_ONCE, Context, derive, probe, shared_limits};
use crate::domain::automation::{Access, Task};
use crate::domain::id::{InstanceId, RunId};
use crate::domain::policy::IfBusy;
use crate::domain::provider::ProviderKind;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{ErrorCode, StopReason};
use crate::domain::run::{Ahead, Outcome, RunError, Trigger, Waiting, WaitingFor};
use crate::domain::scheduler::SharedLimits;
use crate::ledger::{AgentRoom, Executors, RunRow, Tx, View};

/// Gives every run that waits for nothing any more to an instance, in the order of the line.
pub(super) fn assign(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    // What was waited for by those who want to know what an agent offers is over before it is given anything new.
    probe::go_on(tx, context)?;
    if !tx.has_waiting_runs()? {
        return Ok(());
    }
    while has_room(tx, context)?
        && let room = agent_room(tx, shared_limits(tx, context)?)?
        && let Some(run) = tx.next_to_give(context.now, room)?
    {
        match tx.executors(&run, &context.me.instance, room)? {
            Executors::Free(to) => {
                let given = give(tx, context, run, to)?;
                line_up_behind(tx, context, &given)?;
            }
            Executors::Nobody if run.run.task.is_prompt() => unavailable(tx, context, run)?,
            // The query has found somebody, so this is not reached.
            Executors::NoRoomForAgents | Executors::Full | Executors::Closing | Executors::Nobody => {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Gives what can be given, and what waited for work of the user's own that is over moves up.
pub(super) fn go_on(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    assign(tx, context)?;
    match tx.has_waiting_runs()? {
        true => look_at(tx, context, tx.waiting_behind_nobody()?),
        false => Ok(()),
    }
}

/// Goes on after a window has begun or ceased to close something: who can carry out what is another matter now. What is
/// too much for one transaction is due at once.
pub(super) fn go_on_elsewhere(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    go_on(tx, context)?;
    if !tx.has_waiting_runs()? {
        return Ok(());
    }
    look_at(tx, context, tx.unplaced_runs(AT_ONCE)?)?;
    look_at(tx, context, tx.misplaced_runs(AT_ONCE, agent_room(tx, shared_limits(tx, context)?)?)?)
}

/// What place a new run has found.
pub(super) enum Place {
    /// It is given to somebody, or waits.
    Taken(Box<RunRow>),
    /// There is none: this is ahead of it in its directory, and it is not to wait for that. It has not been told of.
    Busy { run: Box<RunRow>, ahead: Ahead },
    /// There is none: nobody serves its provider. It has not been told of.
    Unavailable(Box<RunRow>),
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
        Turn::Unavailable => Place::Unavailable(Box::new(new)),
    })
}

/// What waited behind a run that is out of the way waits behind another, or for something else.
pub(super) fn move_up(tx: &Tx<'_>, context: &mut Context<'_>, behind: &RunId) -> Result<(), Refusal> {
    look_at(tx, context, tx.waiting_behind(&Ahead::Run(behind.clone()))?)
}

/// What stands in line after a run that has joined the line of its directory, or has been given it, waits behind that
/// run from now on, whatever it waited for before: it may have waited for room, with nobody ahead of it.
pub(super) fn line_up_behind(tx: &Tx<'_>, context: &mut Context<'_>, run: &RunRow) -> Result<(), Refusal> {
    if !run.holds_directory && !is_in_line(run) {
        return Ok(());
    }
    look_at(tx, context, tx.next_in_line(run.row)?.into_iter().collect())
}

/// The line of a directory stands behind work of the user's own that has come there, unless a run is ahead of it.
pub(super) fn line_up_in(tx: &Tx<'_>, context: &mut Context<'_>, directory: &str) -> Result<(), Refusal> {
    look_at(tx, context, tx.first_in_line(directory)?.into_iter().collect())
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
/// may now be behind it, or no longer: gives those. One that was handed back held the directory, and others say that
/// they wait behind it, wherever in the line it stands now.
fn look_again(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow) -> Result<Vec<RunRow>, Refusal> {
    let (was_in_line, was_handed_back) = (is_in_line(&run), run.run.waiting().is_none());
    // Those behind it may have gone by while nobody could carry it out, which it has not told.
    let was_passed = run.run.waiting().is_some_and(|waiting| waiting.what == WaitingFor::Executor);
    let changed = match turn(tx, context, &run)? {
        Turn::Give(_) => run.run.set_waiting(None),
        Turn::Wait(what, behind) => set_waiting(context, &mut run, what, behind),
        Turn::Busy(_) => {
            let outcome = Outcome::Stopped(StopReason::WriterBusy);
            ending::end(tx, context, run, outcome, None, Remains::Nothing)?;
            return Ok(Vec::new());
        }
        Turn::Unavailable => {
            unavailable(tx, context, run)?;
            return Ok(Vec::new());
        }
    };
    if !changed {
        return Ok(Vec::new());
    }
    derive::publish_run(tx, &mut run, context.now)?;
    if was_in_line == is_in_line(&run) && !was_handed_back && !was_passed {
        return Ok(Vec::new());
    }
    let mut concerned = tx.waiting_behind(&Ahead::Run(run.run.id.clone()))?;
    concerned.extend(tx.next_in_line(run.row)?);
    Ok(concerned)
}

/// Whether a run says that it stands in the line of its directory. A prompt keeps its place there while those who could
/// carry it out are busy.
fn is_in_line(run: &RunRow) -> bool {
    run.definition.access == Access::Write
        && match run.run.waiting().map(|waiting| waiting.what) {
            Some(WaitingFor::Directory | WaitingFor::Capacity) => true,
            Some(WaitingFor::Executor) => run.run.task.is_prompt(),
            None
            | Some(WaitingFor::Previous | WaitingFor::CatchUp | WaitingFor::Retry | WaitingFor::Close) => {
                false
            }
        }
}

fn has_room(tx: &Tx<'_>, context: &Context<'_>) -> Result<bool, Refusal> {
    Ok(tx.given_runs()? < shared_limits(tx, context)?.max_concurrent_runs)
}

/// Whether one more agent may be at work.
pub(super) fn agent_room(view: &View<'_>, limits: SharedLimits) -> Result<AgentRoom, Refusal> {
    Ok(match view.agents_at_work()? < limits.max_agents {
        true => AgentRoom::Some,
        false => AgentRoom::None,
    })
}

/// Gives a run to an instance. That is news only if the run is new or was seen to wait.
fn give(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow, to: InstanceId) -> Result<RunRow, Refusal> {
    run.given_to = Some(to);
    run.given_at = Some(context.now);
    run.given_number += 1;
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

/// Gives a run that an instance has not begun to another one. Nobody sees that, and nothing of it begins anew.
pub(super) fn pass_on(
    tx: &Tx<'_>,
    context: &Context<'_>,
    mut run: RunRow,
    to: InstanceId,
) -> Result<(), Refusal> {
    run.given_to = Some(to);
    run.given_at = Some(context.now);
    run.given_number += 1;
    Ok(tx.update_run(&run)?)
}

/// A prompt whose turn has come and which nobody who serves its provider offers to carry out has failed: who offered it has gone, and may never
/// come back.
pub(super) fn unavailable(tx: &Tx<'_>, context: &mut Context<'_>, run: RunRow) -> Result<(), Refusal> {
    let model = match &run.definition.task {
        Task::Prompt(prompt) => match &prompt.variant {
            Some(variant) => format!("{} in the variant {variant:?}", prompt.model),
            None => prompt.model.to_string(),
        },
        Task::Command(_) | Task::Notify { .. } => "it".to_owned(),
    };
    let provider = match run.definition.task.provider() {
        Some(provider) => tx.provider(provider)?,
        None => None,
    };
    let message = match provider.map(|provider| provider.kind) {
        Some(ProviderKind::Acp) => format!(
            "no window that may carry this out has an agent for {model}; open the application that does, or write the agent into the configuration file"
        ),
        Some(ProviderKind::Served) | None => {
            format!("no window that is open serves {model}; open the application that does")
        }
    };
    let error = RunError::of(ErrorCode::ProviderUnavailable, message, run.run.started_at());
    ending::end(tx, context, run, Outcome::Failed(error), None, Remains::Nothing)
}

/// Writes into the run what it waits for, and gives whether that has changed.
pub(super) fn set_waiting(
    context: &Context<'_>,
    run: &mut RunRow,
    what: WaitingFor,
    behind: Option<Ahead>,
) -> bool {
    // A close takes as long as it takes: the wait for the run's start counts from its end, also if the run has been
    // given to somebody meanwhile who has handed it back.
    if what == WaitingFor::Close {
        run.wait_until = None;
    } else if run.wait_until.is_none() {
        run.wait_until = Some(context.now.plus_ms(run.definition.policy.queue_ms));
    }
    let before = run.run.waiting().filter(|waiting| waiting.what == what);
    let since = before.map_or(context.now, |waiting| waiting.since);
    run.run.set_waiting(Some(Waiting { what, behind, since, until_at: run.wait_until }))
}

/// What may become of a run that nobody has.
enum Turn {
    /// Nothing keeps it from being given to this instance.
    Give(InstanceId),
    /// It waits for this, and for what is directly ahead of it.
    Wait(WaitingFor, Option<Ahead>),
    /// This is ahead of it in its directory, and it is not to wait for that.
    Busy(Ahead),
    /// It is a prompt whose provider nobody serves.
    Unavailable,
}

/// One thing is waited for at a time. Each comes before those that it would make idle talk: before its time has
/// come, or where nobody can carry it out, a run is in nobody's way and nothing else can be said of it; while its
/// previous run is there it is not in the line of its directory; and there is room only for what could go. Whether a
/// prompt can go is asked when nothing else holds it back: until then somebody may come who serves it, or is free.
fn turn(tx: &Tx<'_>, context: &Context<'_>, run: &RunRow) -> Result<Turn, Refusal> {
    if run.not_before.is_some_and(|not_before| not_before > context.now) {
        let what = match run.run.trigger {
            Trigger::Retry { .. } => WaitingFor::Retry,
            Trigger::Schedule | Trigger::CatchUp | Trigger::Manual { .. } => WaitingFor::CatchUp,
        };
        return Ok(Turn::Wait(what, None));
    }
    let room = agent_room(tx, shared_limits(tx, context)?)?;
    let executors = tx.executors(run, &context.me.instance, room)?;
    match executors {
        Executors::Closing => return Ok(Turn::Wait(WaitingFor::Close, None)),
        Executors::Nobody if !run.run.task.is_prompt() => {
            return Ok(Turn::Wait(WaitingFor::Executor, None));
        }
        Executors::Free(_) | Executors::NoRoomForAgents | Executors::Full | Executors::Nobody => {}
    }
    if let Some(previous) = tx.previous_run(run.automation, run.row)? {
        return Ok(Turn::Wait(WaitingFor::Previous, Some(Ahead::Run(previous))));
    }
    if run.definition.access == Access::Write
        && let Some(ahead) = tx.ahead_in_directory(&run.run.directory, run.row, context.now)?
    {
        return Ok(match run.if_busy {
            IfBusy::Queue => Turn::Wait(WaitingFor::Directory, Some(ahead)),
            IfBusy::Skip => Turn::Busy(ahead),
        });
    }
    Ok(match executors {
        Executors::Free(to) if has_room(tx, context)? => Turn::Give(to),
        Executors::Free(_) | Executors::NoRoomForAgents => Turn::Wait(WaitingFor::Capacity, None),
        Executors::Full => Turn::Wait(WaitingFor::Executor, None),
        Executors::Nobody | Executors::Closing => Turn::Unavailable,
    })
}
