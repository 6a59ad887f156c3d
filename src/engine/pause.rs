//! An automation rests, and goes on.

use super::ending::stop_scheduled;
use super::rest::Rest;
use super::settle::Records;
use super::{Context, derive, epoch, find_automation, find_open_automation, settle};
use crate::domain::automation::{Automation, EpochReason, Pause, PauseReason};
use crate::domain::draft;
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::request::RestRequest;
use crate::domain::run::machine::StopReason;
use crate::domain::shown::Voice;
use crate::ledger::{AutomationRow, Tx};

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
    // What follows from the records is told apart from the pause, which is a revision.
    if settle::settle_closing(tx, context, &mut automation, StopReason::Paused)? == Records::Some {
        derive::publish_automation(tx, &mut automation, context.now)?;
    }
    automation.pause = Some(Pause {
        reason: match context.voice {
            Voice::Person => PauseReason::User,
            Voice::Run => PauseReason::Run,
        },
        at: context.now,
        note: request.note.clone(),
        by: Some(context.me.clone()),
    });
    automation.epoch.ended_at.get_or_insert(context.due_by);
    automation.revision += 1;
    automation.updated_at = context.now;
    derive::publish_automation(tx, &mut automation, context.now)?;
    stop_scheduled(tx, context, &automation, StopReason::Paused)?;
    derive::automation(tx, &find_automation(tx, &request.automation)?)
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
    automation.pause = Some(Pause { reason, at: context.now, note, by: None });
    automation.epoch.ended_at.get_or_insert(context.due_by);
    automation.next_fire_at = None;
    tx.update_automation(automation)?;
    let told = derive::automation(tx, automation)?;
    tx.publish(&Event::AutomationPausedItself { automation: Box::new(told) }, context.now)?;
    stop_scheduled(tx, context, automation, StopReason::Paused)
}
