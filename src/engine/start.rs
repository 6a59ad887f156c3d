//! A new run that is to be carried out: what becomes of it at once depends on what it does.

use super::ending::{self, Remains};
use super::records::{self, NewRun};
use super::{Context, assign, derive, find_run};
use crate::domain::automation::Task;
use crate::domain::refusal::Refusal;
use crate::domain::run::{Outcome, Run, RunResult};
use crate::ledger::{AutomationRow, RunRow, Tx};

/// Creates a run, tells of it and then of its automation, and gives it as it is when this transaction commits:
/// a command has its place, a reminder has succeeded. The automation is what it is after that as well.
///
/// Whoever calls this has given away the older runs that could be.
pub(super) fn start(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    new: NewRun,
) -> Result<Run, Refusal> {
    let run = records::schedule(tx, context, automation, new)?;
    match &run.definition.task {
        Task::Command(_) => {
            let run = assign::place(tx, context, run)?;
            derive::publish_automation(tx, automation, context.now)?;
            Ok(run.run)
        }
        Task::Notify { .. } => {
            let id = run.run.id.clone();
            remind(tx, context, run)?;
            // Its end has counted for the automation and has told of it.
            *automation = tx.automation_at(automation.row)?;
            Ok(find_run(tx, &id)?.run)
        }
    }
}

/// A reminder is carried out by being told: it waits for nothing, holds nothing and is given to nobody, so that
/// no other transaction ever sees it before it has succeeded.
fn remind(tx: &Tx<'_>, context: &mut Context<'_>, mut run: RunRow) -> Result<(), Refusal> {
    derive::publish_run(tx, &mut run, context.now)?;
    run.run.start(context.me.instance.clone(), context.now)?;
    derive::publish_run(tx, &mut run, context.now)?;
    ending::end(tx, context, run, Outcome::Succeeded(RunResult::default()), None, Remains::Nothing)
}
