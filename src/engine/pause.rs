//! An automation rests.

use super::ending::stop_scheduled;
use super::{Context, derive, settle};
use crate::domain::automation::{Pause, PauseReason};
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::StopReason;
use crate::ledger::{AutomationRow, Tx};

/// The sidecar pauses an automation of its own accord. Nobody has changed it, so its revision stays.
pub(super) fn pause_itself(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    reason: PauseReason,
) -> Result<(), Refusal> {
    settle::settle_closing(tx, context, automation, StopReason::Paused)?;
    automation.pause = Some(Pause { reason, at: context.now, note: None, by: None });
    automation.epoch.ended_at.get_or_insert(context.now);
    automation.next_fire_at = None;
    tx.update_automation(automation)?;
    let told = derive::automation(tx, automation)?;
    tx.publish(&Event::AutomationPausedItself { automation: Box::new(told) }, context.now)?;
    stop_scheduled(tx, context, automation, StopReason::Paused)
}
