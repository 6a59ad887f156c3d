//! A user wants something done at a time.

use super::{Context, KEY_MEMORY_MS, derive, probe, providers};
use crate::domain::automation::{Automation, EpochReason, Pause, PauseReason};
use crate::domain::draft::limits::AUTOMATIONS;
use crate::domain::draft::{self, Commitment, CreateParams};
use crate::domain::event::Event;
use crate::domain::fault::Fault;
use crate::domain::id::{AutomationId, ProbeId};
use crate::domain::refusal::Refusal;
use crate::ledger::{AutomationRow, Epoch, Tx};

/// Creates an automation by what is known now, or gives the one that was created with the same key within a day.
///
/// # Errors
/// When a one-shot's time has passed by now, nobody offers the model that is to be asked, there are too many automations
/// already, or the ledger fails.
pub fn create(tx: &Tx<'_>, context: &mut Context<'_>, params: CreateParams) -> Result<Automation, Refusal> {
    let now = context.now;
    if let Some(first) = first_of_its_key(tx, context, &params)? {
        return derive::automation(tx, &first);
    }
    let definition = &params.draft.definition;
    let too_late = draft::check_time(definition, now).err();
    let mut faults: Vec<Fault> = too_late.into_iter().collect();
    faults.extend(providers::check_model(tx, &definition.task, now)?);
    faults.extend(providers::check_precheck(tx, definition)?);
    if !faults.is_empty() {
        return Err(Refusal::InvalidAutomation(faults));
    }
    let row = first_row(context, &params);
    match params.commitment {
        Commitment::DryRun => Ok(derive::unborn(&row)),
        Commitment::Real => {
            if tx.has_automations(AUTOMATIONS)? {
                return Err(Refusal::Overloaded(format!(
                    "there are {AUTOMATIONS} automations in this project, and no more may be; delete some that nobody needs"
                )));
            }
            let row = tx.insert_automation(row, params.key.as_deref(), EpochReason::Created, context.me)?;
            let automation = derive::automation(tx, &row)?;
            tx.publish(&Event::AutomationUpdated { automation: Box::new(automation.clone()) }, now)?;
            Ok(automation)
        }
    }
}

/// Has the agent asked that is to say what it offers before it can be decided about this, if there is one.
///
/// # Errors
/// When the ledger fails.
pub fn ask_first(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    params: &CreateParams,
) -> Result<Option<ProbeId>, Refusal> {
    if first_of_its_key(tx, context, params)?.is_some() {
        return Ok(None);
    }
    probe::ask_about(tx, context, &params.draft.definition.task)
}

/// What was created with the same key within a day.
fn first_of_its_key(
    tx: &Tx<'_>,
    context: &Context<'_>,
    params: &CreateParams,
) -> Result<Option<AutomationRow>, Refusal> {
    match (&params.key, params.commitment) {
        (Some(key), Commitment::Real) => Ok(tx.automation_by_key(key, context.now.plus_ms(-KEY_MEMORY_MS))?),
        (None, Commitment::Real) | (_, Commitment::DryRun) => Ok(None),
    }
}

fn first_row(context: &mut Context<'_>, params: &CreateParams) -> AutomationRow {
    let now = context.now;
    let pause = params.draft.paused.then(|| Pause {
        reason: PauseReason::User,
        at: now,
        note: params.note.clone(),
        by: Some(context.me.clone()),
    });
    let mut row = AutomationRow {
        row: 0,
        id: match params.commitment {
            Commitment::Real => context.ids.automation(),
            Commitment::DryRun => AutomationId::from_text(""),
        },
        definition: params.draft.definition.clone(),
        definition_row: 0,
        revision: 1,
        created_at: now,
        updated_at: now,
        created_by: context.me.clone(),
        // What begins paused begins with an epoch in which nothing is due.
        epoch: Epoch {
            number: 1,
            effective_at: now,
            answered_through: now,
            ended_at: pause.as_ref().map(|_| now),
        },
        pause,
        next_fire_at: None,
        failure_streak: 0,
        completed_runs: 0,
        session_id: None,
        deleting: None,
        deleted_at: None,
    };
    row.next_fire_at = derive::next_fire(&row);
    row
}
