//! What could be read of a damaged ledger begins in a new one, at rest: nothing fires before a person has looked.

use super::{Context, derive};
use crate::domain::automation::{EpochReason, Pause, PauseReason};
use crate::domain::refusal::Refusal;
use crate::ledger::{AutomationRow, Epoch, Salvage, Tx};

/// Takes an automation over, with the identity that it had. The note tells a person where it comes from.
///
/// # Errors
/// When the ledger fails.
pub fn take_over(tx: &Tx<'_>, context: &Context<'_>, salvage: Salvage, note: &str) -> Result<(), Refusal> {
    let now = context.now;
    let pause = Pause {
        reason: PauseReason::User,
        at: now,
        note: Some(note.to_owned()),
        by: Some(context.me.clone()),
    };
    let row = AutomationRow {
        row: 0,
        id: salvage.id,
        definition: salvage.definition,
        definition_row: 0,
        revision: 1,
        created_at: salvage.created_at,
        updated_at: now,
        created_by: salvage.created_by,
        pause: Some(pause),
        next_fire_at: None,
        failure_streak: 0,
        completed_runs: salvage.completed_runs,
        session_id: None,
        deleting: None,
        deleted_at: None,
        epoch: Epoch { number: 1, effective_at: now, answered_through: now, ended_at: Some(now) },
    };
    let mut row = tx.insert_automation(row, None, EpochReason::Created, context.me)?;
    derive::publish_automation(tx, &mut row, now).map(drop)
}
