//! A new run that is to be carried out: what becomes of it at once depends on what it does.

use super::assign::Place;
use super::ending::{self, Remains};
use super::records::{self, NewRun};
use super::{Context, assign, derive, find_run};
use crate::domain::automation::Task;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::StopReason;
use crate::domain::run::{Ahead, Outcome, Run, RunResult, Trigger, WaitingFor};
use crate::ledger::{AutomationRow, RunRow, Tx};

/// Creates a run, tells of it and then of its automation, and gives it as it is when this transaction commits:
/// a command or prompt has its place, a reminder has succeeded. The automation is what it is after that as well.
///
/// Whoever calls this has given away the runs before it that could be.
///
/// # Errors
/// When somebody has asked for the run, its directory is busy, and it is not to wait for that.
pub(super) fn start(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    new: NewRun,
) -> Result<Run, Refusal> {
    let run = records::schedule(tx, context, automation, new)?;
    let id = run.run.id.clone();
    match &run.definition.task {
        Task::Command(_) | Task::Prompt(_) => match assign::place(tx, context, run)? {
            Place::Taken(run) => {
                derive::publish_automation(tx, automation, context.now)?;
                assign::line_up_behind(tx, context, &run)?;
                return Ok(run.run);
            }
            Place::Busy { run, ahead } => give_up(tx, context, *run, ahead)?,
            Place::Unavailable(mut run) => {
                derive::publish_run(tx, &mut run, context.now)?;
                assign::unavailable(tx, context, *run)?;
            }
        },
        Task::Notify { .. } => remind(tx, context, run)?,
    }
    // Its end has counted for the automation and has told of it.
    *automation = tx.automation_at(automation.row)?;
    Ok(find_run(tx, &id)?.run)
}

/// A run that is not to wait for its directory would have to. Nobody is there who could be refused what a timer has
/// asked for, so that such a run is told as one that would wait, and ends.
fn give_up(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow, ahead: Ahead) -> Result<(), Refusal> {
    match run.run.trigger {
        Trigger::Manual { .. } => return Err(Refusal::WriterBusy { ahead }),
        Trigger::Schedule | Trigger::CatchUp | Trigger::Retry { .. } => {}
    }
    assign::set_waiting(context, &mut run, WaitingFor::Directory, Some(ahead));
    derive::publish_run(tx, &mut run, context.now)?;
    ending::end(tx, context, run, Outcome::Stopped(StopReason::WriterBusy), None, Remains::Nothing)
}

/// A reminder is carried out by being told: it waits for nothing, holds nothing and is given to nobody, so that
/// no other transaction ever sees it before it has succeeded.
fn remind(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow) -> Result<(), Refusal> {
    derive::publish_run(tx, &mut run, context.now)?;
    run.run.start(context.me.instance.clone(), context.now)?;
    derive::publish_run(tx, &mut run, context.now)?;
    ending::end(tx, context, run, Outcome::Succeeded(RunResult::default()), None, Remains::Nothing)
}
