//! An automation rests, and goes on.

use super::ending::stop_scheduled;
use super::rest::Rest;
use super::settle::Records;
use super::{Context, delete, derive, epoch, find_automation, find_open_automation, settle};
use crate::domain::automation::{Automation, EpochEnd, EpochReason, Pause, PauseReason};
use crate::domain::draft;
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::request::RestRequest;
use crate::domain::run::machine::StopReason;
use crate::domain::shown::Voice;
use crate::ledger::{AutomationRow, Stored, Tx};

/// Somebody pauses an automation: nothing is due until it is resumed, and nothing of that time will be missed.
/// Runs that slots asked for and that have not begun are stopped, and so is what tries such runs again. Pausing what is paused changes nothing.
///
/// A run that pauses its own automation counts as a revision like a person: it was asked for from outside, and
/// whoever edits the automation meanwhile has to see that it is not what they knew. That run has begun, or it
/// could not ask, so that it goes on and ends as it would have.
///
/// # Errors
/// When there is no such automation, or it is being deleted.
pub fn pause(tx: &Tx<'_>, context: &mut Context<'_>, request: RestRequest) -> Result<Automation, Refusal> {
    let mut automation = find_open_automation(tx, context, &request.automation)?;
    if automation.pause.is_some() {
        return derive::automation(tx, &automation);
    }
    let reason = match context.voice {
        Voice::Person => PauseReason::User,
        Voice::Run => PauseReason::Run,
    };
    rest(tx, context, &mut automation, reason, request.note)?;
    derive::automation(tx, &find_automation(tx, &request.automation)?)
}

/// A run has told that what its automation watches for has happened. That is as if it had paused it; where nothing is
/// due any more, or it rests or is being deleted, there is nothing to pause.
pub(super) fn watch_is_over(tx: &Tx<'_>, context: &mut Context<'_>, automation: i64) -> Result<(), Refusal> {
    let Stored::Known(mut automation) = tx.stored_automation_at(automation)? else { return Ok(()) };
    delete::forget_void_wish(&mut automation, context.now);
    match derive::next_fire(&automation) {
        Some(_) => rest(tx, context, &mut automation, PauseReason::Run, None),
        None => Ok(()),
    }
}

fn rest(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    reason: PauseReason,
    note: Option<String>,
) -> Result<(), Refusal> {
    // What follows from the records is told apart from the pause, which is a revision.
    if settle::settle_closing(tx, context, automation, StopReason::Paused)? == Records::Some {
        derive::publish_automation(tx, automation, context.now)?;
    }
    let pause = Pause { reason, at: context.now, note, by: Some(context.me.clone()) };
    automation.pause = Some(pause.clone());
    tx.end_epoch(automation, context.due_by, &EpochEnd::Paused(pause))?;
    automation.revision += 1;
    automation.updated_at = context.now;
    derive::publish_automation(tx, automation, context.now)?;
    stop_scheduled(tx, context, automation, StopReason::Paused)
}

/// A user has a paused automation go on: a new epoch begins now. Resuming what is not paused changes nothing.
///
/// # Errors
/// When there is no such automation, it is being deleted, or it is a one-shot whose time has passed.
pub fn resume(tx: &Tx<'_>, context: &mut Context<'_>, request: RestRequest) -> Result<Automation, Refusal> {
    let mut automation = find_open_automation(tx, context, &request.automation)?;
    if automation.pause.is_none() {
        return derive::automation(tx, &automation);
    }
    let now = context.now;
    draft::check_time(&automation.definition, now)
        .map_err(|fault| Refusal::InvalidAutomation(vec![fault]))?;
    automation.pause = None;
    automation.failure_streak = 0;
    automation.revision += 1;
    automation.updated_at = now;
    epoch::begin(tx, context, &mut automation, EpochReason::Resumed, request.note.as_deref())?;
    derive::publish_automation(tx, &mut automation, now)
}

/// The sidecar pauses an automation of its own accord. Nobody has changed it, so its revision stays.
pub(super) fn pause_itself(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    Rest { reason, note }: Rest,
) -> Result<(), Refusal> {
    settle::settle_closing(tx, context, automation, StopReason::Paused)?;
    let pause = Pause { reason, at: context.now, note, by: None };
    automation.pause = Some(pause.clone());
    tx.end_epoch(automation, context.due_by, &EpochEnd::Paused(pause))?;
    automation.next_fire_at = None;
    tx.update_automation(automation)?;
    let told = derive::automation(tx, automation)?;
    tx.publish(&Event::AutomationPausedItself { automation: Box::new(told) }, context.now)?;
    stop_scheduled(tx, context, automation, StopReason::Paused)
}
