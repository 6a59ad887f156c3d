//! A user wants something done otherwise, or at another time.

use super::{Context, check_revision, derive, epoch, find_open_automation, probe, providers, settle};
use crate::domain::automation::{Automation, Definition, EpochReason, When};
use crate::domain::draft::{self, Surroundings};
use crate::domain::id::ProbeId;
use crate::domain::refusal::Refusal;
use crate::domain::request::UpdateRequest;
use crate::domain::schedule::rhythm::Stop;
use crate::ledger::{AutomationRow, Tx};

/// Edits an automation. The patch is merged into what there is now, so that two people who edit different fields
/// both get what they asked for. A patch that changes nothing is no edit.
///
/// A change of what fires begins a new epoch, another spelling of the same does not; the slots of the old one are settled first, by its own definition.
/// Runs that were created before carry out what was asked for then; what tries one of them again from now on is new.
///
/// # Errors
/// When there is no such automation, it is being deleted, it has another revision than was meant, or what the
/// patch changes is not valid.
pub fn update(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    request: &UpdateRequest,
    machine_zone: &str,
) -> Result<Automation, Refusal> {
    let (mut automation, definition) = read(tx, context, request, machine_zone)?;
    if definition == automation.definition {
        return derive::automation(tx, &automation);
    }
    // An edit of anything else asks nobody: whoever serves the model may not be there.
    let mut faults = Vec::new();
    if definition.task != automation.definition.task {
        faults.extend(providers::check_model(tx, &definition.task, context.now)?);
        faults.extend(providers::check_precheck(tx, &definition)?);
    } else if definition.policy.precheck != automation.definition.policy.precheck {
        faults.extend(providers::check_precheck(tx, &definition)?);
    }
    if !faults.is_empty() {
        return Err(Refusal::InvalidAutomation(faults));
    }
    let change = change(&automation.definition, &definition);
    match change {
        Change::Schedule { .. } => settle::settle_before_edit(tx, context, &mut automation)?,
        Change::Elsewhere => {}
    }
    // A session means nothing to any other provider than the one that has it.
    if definition.task.provider() != automation.definition.task.provider() {
        automation.session_id = None;
    }
    automation.revision += 1;
    automation.updated_at = context.now;
    tx.replace_definition(&mut automation, definition)?;
    match change {
        Change::Schedule { counting } => {
            if counting == Counting::Anew {
                automation.completed_runs = 0;
            }
            epoch::begin(tx, context, &mut automation, EpochReason::Edited, None)?;
        }
        Change::Elsewhere => {}
    }
    derive::publish_automation(tx, &mut automation, context.now)
}

/// Has the agent asked that is to say what it offers before it can be decided about this edit, if there is one. An edit of
/// anything else than the task asks nobody.
///
/// # Errors
/// As [`update`].
pub fn ask_first(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    request: &UpdateRequest,
    machine_zone: &str,
) -> Result<Option<ProbeId>, Refusal> {
    let (automation, definition) = read(tx, context, request, machine_zone)?;
    match definition.task == automation.definition.task {
        true => Ok(None),
        false => probe::ask_about(tx, context, &definition.task),
    }
}

/// What is to be edited, and what it is to be after that.
fn read(
    tx: &Tx<'_>,
    context: &Context<'_>,
    request: &UpdateRequest,
    machine_zone: &str,
) -> Result<(AutomationRow, Definition), Refusal> {
    let automation = find_open_automation(tx, context, &request.automation)?;
    // Also where nothing would change: who names a revision wants to know that it is no longer the newest.
    check_revision(tx, context, &automation, request.if_revision)?;
    let around = Surroundings { machine_zone, limits: context.limits, now: context.now, vcs: context.vcs };
    let definition = draft::read_patch(&automation.definition, &request.patch, around);
    Ok((automation, definition.map_err(Refusal::InvalidAutomation)?))
}

/// What an edit means for what is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// The schedule is another.
    Schedule { counting: Counting },
    /// Nothing: what is due stays where it is.
    Elsewhere,
}

/// Whether the runs so far count towards a stop by count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    Anew,
    GoesOn,
}

fn change(before: &Definition, after: &Definition) -> Change {
    let counting = if stop(before) == stop(after) { Counting::GoesOn } else { Counting::Anew };
    match fires_like(&before.when, &after.when) && before.timezone == after.timezone {
        true => Change::Elsewhere,
        false => Change::Schedule { counting },
    }
}

/// Whether both are due at the same instants though one may be another spelling of the other.
fn fires_like(before: &When, after: &When) -> bool {
    match (before, after) {
        (When::Recurring { rhythm: before, stop }, When::Recurring { rhythm: after, stop: other }) => {
            before.fires_like(after) && stop == other
        }
        (When::Oneshot { .. } | When::Recurring { .. }, after) => before == after,
    }
}

fn stop(definition: &Definition) -> Option<Stop> {
    match &definition.when {
        When::Recurring { stop, .. } => Some(*stop),
        When::Oneshot { .. } => None,
    }
}
