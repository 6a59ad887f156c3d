//! What an instance was given and neglects, because it is stopped, starved or hangs, others do for it. It delays, it does
//! not silence: the fence keeps everything from happening twice when it goes on.

use super::presence::{Left, lost};
use super::{Context, agent, assign, clock, ending, report, shared_limits};
use crate::domain::automation::Task;
use crate::domain::clock::{Boot, Reading};
use crate::domain::id::{InstanceId, RunId};
use crate::domain::refusal::Refusal;
use crate::ledger::{AgentRoom, Asker, Executors, ProcessRow, RunRow, Tx, View};

/// How long an instance has to carry out a stop before another one does, in milliseconds: the command has five
/// seconds after it was asked, an agent two more, and there is still to be swept.
pub const STOP_MS: i64 = 8_000;

/// The same for a stop that is not to wait for anything.
pub const STOP_NOW_MS: i64 = 1_000;

/// How long a window that carries out a run itself has to end it, in milliseconds. After that the run has ended as it was
/// asked to, and only its directory is held on.
pub const SERVED_STOP_MS: i64 = 10_000;

/// Takes the runs that others were given and have not begun in time, to carry them out itself. The limit of their
/// start goes on, so that a run that nobody can begin fails, however many try.
pub(super) fn take_back(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    let me = &context.me.instance;
    let limits = shared_limits(tx, context)?;
    for id in tx.neglected_runs(me, context.now, limits.standby_ms)? {
        // One that is not understood here is for those who do.
        let Some(run) = tx.understood_run(&id)? else { continue };
        // A prompt stays with the only window that serves its provider, however long that takes.
        // What is given to one of them in place of another needs no more room than before.
        let room = match tx.is_for_an_agent(run.row)? {
            true => AgentRoom::Some,
            false => assign::agent_room(tx, limits)?,
        };
        // Whoever has it waits for the session that it is to go on in, as anybody would have to.
        if let Task::Prompt(prompt) = &run.definition.task
            && agent::waits_for_its_session(tx, &run, prompt)?
        {
            continue;
        }
        if let Some(other) = another(tx, me, &run, room)? {
            assign::pass_on(tx, context, run, other)?;
        }
    }
    Ok(())
}

/// Who is to carry out what another instance has not begun: this one, if it can.
fn another(
    view: &View<'_>,
    me: &InstanceId,
    run: &RunRow,
    room: AgentRoom,
) -> Result<Option<InstanceId>, Refusal> {
    let others = RunRow { asker: Asker::Nobody, ..run.clone() };
    Ok(match view.takes_any_work(me)? {
        true => match view.executors(&others, me, room)? {
            Executors::Free(to) if Some(&to) != run.given_to.as_ref() => Some(to),
            Executors::Free(_) => view.another_executor(run, room)?,
            Executors::NoRoomForAgents | Executors::Full | Executors::Closing | Executors::Nobody => None,
        },
        false => None,
    })
}

/// The processes of runs that another instance should have ended by now. A stop is not overdue because the machine
/// slept or the clock was set: until that is written down nobody can tell, and nothing is.
///
/// # Errors
/// When the ledger fails.
pub fn overdue_stops(
    view: &View<'_>,
    me: &InstanceId,
    boot: &Boot,
    reading: Reading,
) -> Result<Vec<(RunId, ProcessRow)>, Refusal> {
    match clock::has_changed(view, boot, reading)? {
        true => Ok(Vec::new()),
        false => Ok(view.overdue_stops(me, reading.wall)?),
    }
}

/// Another instance has ended what was left of a run, because the one that carries it out has not carried out the wish
/// that it ends in time, or has not told of its end for too long. A late report of that one changes nothing.
///
/// # Errors
/// When the ledger fails; the report is to be made again.
pub fn ended_for(tx: &Tx<'_>, context: &mut Context<'_>, id: &RunId, left: Left) -> Result<(), Refusal> {
    let Some(mut run) = tx.run(id)?.filter(|run| run.run.state().is_active()) else {
        // It has ended meanwhile.
        return report::gone(tx, context, id);
    };
    let outcome = lost(&run);
    run.run.output = left.output;
    ending::end(tx, context, run, outcome, left.process, left.remains)
}
