//! One rule for late slots, whatever made them late (schedules, "Lateness" and "Overlap").

use super::records::{self, NewRun};
use super::start::start;
use super::{Context, assign, delete, derive, overlap, shared_limits};
use crate::domain::automation::Task;
use crate::domain::policy::Missed;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{State, StopReason};
use crate::domain::run::{Attendance, Skipped, SlotRange, Trigger};
use crate::domain::schedule::rhythm::{Schedule, SlotSpan};
use crate::domain::time::Timestamp;
use crate::ledger::{Asker, AutomationRow, Epoch, RunRow, Tx};

/// Slots that are counted one by one after a long absence. From it on a count says "at least".
pub const COUNTED_SLOTS: u64 = SlotRange::COUNTED;

/// The distance between two catch-ups, in milliseconds: a machine that wakes up is not to be buried.
pub const CATCH_UP_SPACING_MS: i64 = 5_000;

/// The longest time that a slot may be late and still be caught up with, unless the user says otherwise.
const CATCH_UP_WINDOW_MS: i64 = 12 * 3_600_000;

/// Settles all slots of an automation up to now: they fire, are counted on an active run, are caught up with,
/// or are recorded as missed.
pub(super) fn settle_due(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
) -> Result<(), Refusal> {
    let Some((schedule, due)) = due_slots(automation, context.due_by) else {
        automation.next_fire_at = derive::next_fire(automation);
        return Ok(tx.update_automation(automation)?);
    };
    if let Some(active) = overlap::counting(tx, automation)? {
        skip_behind(tx, context, automation, active, due)?;
        return derive::publish_next_fire(tx, automation, context.now);
    }
    // Slots that were counted come before those that have a run of their own now.
    record_skipped(tx, context, automation)?;
    if context.due_by.since_ms(due.last) <= shared_limits(tx, context)?.grace_ms {
        fire(tx, context, automation, &schedule, due)
    } else {
        catch_up_or_miss(tx, context, automation, &schedule, due)
    }
}

/// Settles all slots up to now of an epoch that an edit of its schedule ends: whoever edits a schedule a moment
/// after it was due gets what was due, as it was before the edit. What follows for the automation is told.
///
/// This waits for no stable wake: nobody edits a schedule on a machine that is about to sleep on, and the epoch ends
/// with the edit. While the clock is doubted, elapsed time tells what was due: a year that may never have been is
/// nothing to have missed, and belongs to neither epoch.
pub(super) fn settle_before_edit(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
) -> Result<(), Refusal> {
    let due_by = context.due_by;
    let is_due =
        |automation: &AutomationRow| derive::next_fire(automation).is_some_and(|next| next <= due_by);
    if is_due(automation) {
        // Those whose turn has come go before what is due only now. One of them may have failed of it, and it may
        // have been one of this automation.
        assign::assign(tx, context)?;
        *automation = tx.automation_at(automation.row)?;
        delete::forget_void_wish(automation, context.now);
        if is_due(automation) {
            settle_due(tx, context, automation)?;
        }
    }
    if record_skipped(tx, context, automation)? == Records::Some {
        derive::publish_automation(tx, automation, context.now)?;
    }
    Ok(())
}

/// Whether slots have become records, from which something follows for their automation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Records {
    /// They have, and that is to be told.
    Some,
    /// There is nothing new.
    None,
}

/// Settles all slots up to now of an epoch that ends without starting anything: a pause, a delete, or a clock that
/// went back.
///
/// Slots within the grace are recorded with the reason for the end, older ones as missed; what is counted on an
/// active run becomes its record first.
pub(super) fn settle_closing(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    reason: StopReason,
) -> Result<Records, Refusal> {
    let answered_before = automation.epoch.answered_through;
    let mut counted = Records::None;
    // A finished, paused or deleted epoch has nothing open; only one that would fire has.
    if derive::next_fire(automation).is_some()
        && let Some((schedule, due)) = due_slots(automation, context.due_by)
    {
        match overlap::counting(tx, automation)? {
            Some(active) => skip_behind(tx, context, automation, active, due)?,
            // Nothing starts any more, so that there is nothing to make way for either.
            None => {
                counted = record_skipped(tx, context, automation)?;
                let left = miss_beyond_grace(tx, context, automation, &schedule)?;
                if let Some(in_grace) = left {
                    records::record(tx, context, automation, in_grace, reason)?;
                    tx.move_watermark(automation, in_grace.to_at)?;
                }
            }
        }
    }
    let answered = automation.epoch.answered_through > answered_before;
    let skipped = record_skipped(tx, context, automation)?;
    Ok(if answered || counted == Records::Some { Records::Some } else { skipped })
}

/// The slots that are counted on an active run become a record: they belong to an epoch that ends.
fn record_skipped(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &AutomationRow,
) -> Result<Records, Refusal> {
    if let Some(mut active) = tx.oldest_active_run(automation.row)?
        && let Some(skipped) = active.run.skipped.take()
    {
        derive::publish_run(tx, &mut active, context.now)?;
        records::record(tx, context, automation, skipped.slots, skipped.reason)?;
        return Ok(Records::Some);
    }
    Ok(Records::None)
}

fn due_slots(automation: &AutomationRow, now: Timestamp) -> Option<(Schedule, SlotSpan)> {
    let schedule = automation.definition.schedule().ok()?;
    let epoch = &automation.epoch;
    let due = schedule.slots_between(epoch.effective_at, epoch.answered_through, now, COUNTED_SLOTS)?;
    Some((schedule, due))
}

fn range(span: SlotSpan) -> SlotRange {
    SlotRange { from_at: span.first, to_at: span.last, count: span.count }
}

/// The previous run is still active: it counts the slots, and its end will record them.
fn skip_behind(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    mut active: RunRow,
    due: SlotSpan,
) -> Result<(), Refusal> {
    let due_range = range(due);
    let reason = match active.run.state() {
        State::AwaitingInput => StopReason::PreviousRunAwaitingInput,
        State::Scheduled | State::Running | State::Succeeded | State::Failed | State::Stopped => {
            StopReason::PreviousRunActive
        }
    };
    let (slots, for_another_reason) = match active.run.skipped.take() {
        Some(earlier) if earlier.reason == reason => {
            let count = earlier.slots.count + due_range.count;
            (SlotRange { from_at: earlier.slots.from_at, to_at: due_range.to_at, count }, None)
        }
        earlier => (due_range, earlier),
    };
    active.run.skipped = Some(Skipped { slots, reason });
    tx.move_watermark(automation, due.last)?;
    derive::publish_run(tx, &mut active, context.now)?;
    // Slots are counted for one reason at a time: those that were counted for another one are a record now.
    if let Some(earlier) = for_another_reason {
        records::record(tx, context, automation, earlier.slots, earlier.reason)?;
        derive::publish_automation(tx, automation, context.now)?;
    }
    Ok(())
}

/// The newest slot is late by at most the grace.
fn fire(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    schedule: &Schedule,
    due: SlotSpan,
) -> Result<(), Refusal> {
    let slots = match automation.definition.policy.missed {
        Missed::RunOnce { .. } => range(due),
        Missed::Skip => miss_beyond_grace(tx, context, automation, schedule)?.unwrap_or(range(due)),
    };
    answer(tx, context, automation, slots, Trigger::Schedule, None)
}

/// Records the open slots that are later than the grace as missed, and gives the others.
fn miss_beyond_grace(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    schedule: &Schedule,
) -> Result<Option<SlotRange>, Refusal> {
    let open_through = |automation: &AutomationRow, through| {
        let Epoch { effective_at, answered_through, .. } = automation.epoch;
        schedule.slots_between(effective_at, answered_through, through, COUNTED_SLOTS).map(range)
    };
    let last_too_late = context.due_by.plus_ms(-shared_limits(tx, context)?.grace_ms - 1);
    if let Some(too_late) = open_through(automation, last_too_late) {
        records::record(tx, context, automation, too_late, StopReason::MissedSchedule)?;
        tx.move_watermark(automation, too_late.to_at)?;
    }
    Ok(open_through(automation, context.due_by))
}

/// The newest slot is later than the grace: the policy decides.
fn catch_up_or_miss(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    schedule: &Schedule,
    due: SlotSpan,
) -> Result<(), Refusal> {
    let late_ms = context.due_by.since_ms(due.last);
    let catch_up = match automation.definition.policy.missed {
        Missed::Skip => false,
        Missed::RunOnce { window_ms: Some(window_ms) } => late_ms <= window_ms,
        Missed::RunOnce { window_ms: None } => {
            let next = schedule.next_after(automation.epoch.effective_at, due.last);
            let half_way = next.map_or(CATCH_UP_WINDOW_MS, |next| next.since_ms(due.last) / 2);
            late_ms <= half_way.min(CATCH_UP_WINDOW_MS)
        }
    };
    if catch_up {
        let turn = match &automation.definition.task {
            Task::Command(_) | Task::Prompt(_) => Some(next_turn(tx, context)?),
            // A reminder starts nothing, so there is nothing to be buried by.
            Task::Notify { .. } => None,
        };
        answer(tx, context, automation, range(due), Trigger::CatchUp, turn)
    } else {
        records::record(tx, context, automation, range(due), StopReason::MissedSchedule)?;
        tx.move_watermark(automation, due.last)?;
        derive::publish_automation(tx, automation, context.now).map(drop)
    }
}

/// When the next catch-up may start.
fn next_turn(tx: &Tx<'_>, context: &Context<'_>) -> Result<Timestamp, Refusal> {
    Ok(match tx.latest_turn(context.now)? {
        Some(latest) => context.now.max(latest.plus_ms(CATCH_UP_SPACING_MS)),
        None => context.now,
    })
}

/// A run is started that answers for these slots.
fn answer(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    slots: SlotRange,
    trigger: Trigger,
    not_before: Option<Timestamp>,
) -> Result<(), Refusal> {
    overlap::make_way(tx, context, automation)?;
    // What made way may have been the last try of a chain that has failed, and the automation may have paused itself
    // because of that. A pause settles what is due.
    if derive::next_fire(automation).is_none_or(|next| next > slots.to_at) {
        return Ok(());
    }
    let new = NewRun {
        trigger,
        attendance: Attendance::Unattended,
        slots: Some(slots),
        asker: Asker::Nobody,
        not_before,
        if_busy: automation.definition.policy.if_busy,
        tries: 0,
        context: None,
    };
    tx.move_watermark(automation, slots.to_at)?;
    start(tx, context, automation, new).map(drop)
}
