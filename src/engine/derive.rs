//! What follows from rows and is stored nowhere, or only for searching.

use super::retention;
use crate::domain::automation::{Automation, DerivedState, When};
use crate::domain::event::Event;
use crate::domain::later::{AnyAutomation, LaterAutomation};
use crate::domain::refusal::Refusal;
use crate::domain::schedule::rhythm::Stop;
use crate::domain::shown::Voice;
use crate::domain::time::Timestamp;
use crate::ledger::{AutomationRow, LaterAutomationRow, RunRow, Stored, StoredAutomation, Tx, View};

/// How many of the next fires an automation shows.
const NEXT_FIRES: u64 = 5;

/// The least slot that nothing answers for yet, if any is still due: the one rule for showing and for firing.
pub fn next_fire(automation: &AutomationRow) -> Option<Timestamp> {
    let over = automation.pause.is_some()
        || automation.deleting.is_some()
        || automation.deleted_at.is_some()
        || automation.epoch.ended_at.is_some()
        || runs_left(automation) == Some(0);
    if over {
        return None;
    }
    // A zone that this machine no longer knows: the automation is shown with a warning and does not fire.
    let schedule = automation.definition.schedule().ok()?;
    schedule.next_after(automation.epoch.effective_at, automation.epoch.answered_through)
}

/// How many runs a stop by count leaves.
pub fn runs_left(automation: &AutomationRow) -> Option<u64> {
    match &automation.definition.when {
        When::Recurring { stop: Stop::Count(count), .. } => {
            Some(count.saturating_sub(automation.completed_runs.unsigned_abs()))
        }
        When::Recurring { stop: Stop::Never | Stop::Until(_), .. } | When::Oneshot { .. } => None,
    }
}

/// How many slots may still be claimed while so many runs are active: each of those may be the last that a stop by
/// count leaves.
pub(super) fn slots_left(automation: &AutomationRow, active: usize) -> Option<u64> {
    runs_left(automation).map(|left| left.saturating_sub(u64::try_from(active).unwrap_or(u64::MAX)))
}

/// An automation as clients see it.
pub fn automation(view: &View<'_>, row: &AutomationRow) -> Result<Automation, Refusal> {
    let active_runs = view.active_runs(row.row)?;
    let last_run = view.last_run(row.row)?;
    let state = within_count(row, schedule_state(row), active_runs.len());
    Ok(with_state(row, DerivedState { active_runs, last_run, ..state }))
}

/// An automation as one reader is shown it, whichever version wrote it.
pub fn any_automation(
    view: &View<'_>,
    stored: StoredAutomation,
    voice: Voice,
) -> Result<AnyAutomation, Refusal> {
    match stored {
        Stored::Known(row) => Ok(automation(view, &row)?.shown_to(voice).into()),
        Stored::Later(row) => {
            Ok(AnyAutomation::Later(Box::new(later_automation(view, *row)?.shown_to(voice))))
        }
    }
}

/// An automation that only a later version understands, with what is known of its runs.
pub(super) fn later_automation(view: &View<'_>, row: LaterAutomationRow) -> Result<LaterAutomation, Refusal> {
    let LaterAutomationRow { row, mut automation, .. } = row;
    automation.state.active_runs = view.active_runs(row)?;
    automation.state.last_run = view.last_run(row)?;
    Ok(automation)
}

/// An automation that has no rows yet, as clients would see it.
pub fn unborn(row: &AutomationRow) -> Automation {
    with_state(row, within_count(row, schedule_state(row), 0))
}

fn with_state(row: &AutomationRow, state: DerivedState) -> Automation {
    Automation {
        id: row.id.clone(),
        definition: row.definition.clone(),
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
        created_by: row.created_by.clone(),
        paused: row.pause.is_some(),
        pause: row.pause.clone(),
        state,
    }
}

fn schedule_state(row: &AutomationRow) -> DerivedState {
    let mut warnings = row.definition.warnings();
    let schedule = row.definition.schedule();
    if schedule.is_err() {
        warnings.push(format!(
            "this machine's zone data does not know {}, so nothing fires; choose another timezone",
            row.definition.timezone
        ));
    }
    let mut next_fires = Vec::new();
    if let Ok(schedule) = &schedule {
        warnings.extend(schedule.warning_from(row.epoch.effective_at));
    }
    if let (Some(first), Ok(schedule)) = (row.next_fire_at, schedule) {
        let after = |fire: &Timestamp| schedule.next_after(row.epoch.effective_at, *fire);
        next_fires.extend(std::iter::successors(Some(first), after).take(NEXT_FIRES as usize));
    }
    DerivedState {
        next_fire_at: next_fires.first().copied(),
        next_fires,
        failure_streak: row.failure_streak,
        completed_runs: row.completed_runs,
        session_id: row.session_id.clone(),
        warnings,
        ..DerivedState::default()
    }
}

/// No more fires are shown than may be claimed.
fn within_count(row: &AutomationRow, mut state: DerivedState, active: usize) -> DerivedState {
    if let Some(left) = slots_left(row, active) {
        state.next_fires.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        state.next_fire_at = state.next_fires.first().copied();
    }
    state
}

/// Stores a changed run and tells of it. Every published change counts.
pub(super) fn publish_run(tx: &Tx<'_>, row: &mut RunRow, now: Timestamp) -> Result<(), Refusal> {
    row.run.revision += 1;
    // All of it is told now.
    row.work.tell_at = None;
    tx.update_run(row)?;
    tx.publish(&Event::RunUpdated { run: Box::new(row.run.clone()) }, now)?;
    match row.run.ended() {
        Some(_) => retention::note(tx, row.automation),
        None => Ok(()),
    }
}

/// Stores an automation of which only the next fire may be another: news only if that can be seen.
pub(super) fn publish_next_fire(tx: &Tx<'_>, row: &mut AutomationRow, now: Timestamp) -> Result<(), Refusal> {
    let active = tx.active_runs(row.row)?.len();
    let before = row.next_fire_at;
    row.next_fire_at = next_fire(row);
    // While the last run is active that a count leaves, nothing is shown to be due.
    let shown = slots_left(row, active) != Some(0);
    if shown && before != row.next_fire_at {
        return publish_automation(tx, row, now).map(drop);
    }
    Ok(tx.update_automation(row)?)
}

/// Stores an automation whose derived state may have changed and tells of it.
pub(super) fn publish_automation(
    tx: &Tx<'_>,
    row: &mut AutomationRow,
    now: Timestamp,
) -> Result<Automation, Refusal> {
    row.next_fire_at = next_fire(row);
    tx.update_automation(row)?;
    let automation = automation(tx, row)?;
    tx.publish(&Event::AutomationUpdated { automation: Box::new(automation.clone()) }, now)?;
    Ok(automation)
}
