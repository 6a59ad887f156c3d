//! What becomes of slots when the machine sleeps and when its clock is set.
//!
//! Whoever decides anything looks at the clock first and writes down what has happened to it ([`observe`]), so
//! that nobody decides by a clock that somebody else knows to be wrong, and nothing is written with a time that
//! the next one has to guess about. Who claims slots obeys what is written ([`claims`]).

use super::settle::Records;
use super::tick::AUTOMATIONS_PER_TICK;
use super::{Context, Progress, derive, epoch, settle, shared_limits, tick};
use crate::domain::automation::{EpochReason, When};
use crate::domain::clock::{self, Anew, Around, Boot, DOUBTED_MS, Reading, Seen};
use crate::domain::disturbance::Disturbance;
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::run::Waiting;
use crate::domain::run::machine::StopReason;
use crate::domain::schedule::rhythm::Rhythm;
use crate::domain::time::Timestamp;
use crate::ledger::{AutomationRow, ClockRow, Remaining, Tx, View};

/// How often a window writes its clock over that of one for which the time since the boot is another, in milliseconds:
/// two such windows would wake each other for ever.
const FOREIGN_MS: i64 = 5_000;

/// Writes down what has happened to the clock since anybody decided anything: to be called first in each
/// transaction. Mostly that is nothing, and one row is read.
///
/// # Errors
/// When the ledger fails.
pub fn observe(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    let (boot, reading) = (context.boot, context.reading);
    if !boot.is_known() {
        return Ok(());
    }
    let known = match tx.clock()? {
        Some(row) if !row.known.is_outdated(boot, reading) => row.known,
        row => write_down(tx, context, row)?.known,
    };
    context.due_by = known.believed(reading);
    Ok(())
}

fn write_down(tx: &Tx<'_>, context: &Context<'_>, before: Option<ClockRow>) -> Result<ClockRow, Refusal> {
    let limits = shared_limits(tx, context)?;
    let around = Around {
        newest: tx.newest_event_at()?,
        grace_ms: limits.grace_ms,
        stable_wake_ms: limits.stable_wake_ms,
    };
    let before_known = before.as_ref().map(|row| &row.known);
    let Seen { known, suspended, set, set_by_ms, anew } =
        clock::see(before_known, context.boot, context.reading, around);
    let now = context.now;
    if let Some(scheduler) = suspended {
        let event = tx.publish(&Event::SchedulerSuspended { scheduler }, now)?;
        tx.note_disturbance(&Disturbance::Slept(scheduler), Some(event))?;
        // Nothing was done meanwhile, so nothing took too long.
        tx.move_limits(scheduler.length_ms())?;
        // But a person was asked until a certain time, and has a clock of their own.
        move_questions(tx, context, 0)?;
    }
    if let Some(scheduler) = set {
        let event = tx.publish(&Event::SchedulerClock { scheduler }, now)?;
        tx.note_disturbance(&Disturbance::ClockSet(scheduler), Some(event))?;
    }
    if set_by_ms != 0 {
        move_along(tx, context, set_by_ms)?;
        tx.move_lines(set_by_ms)?;
    }
    let unfinished = before.and_then(|row| row.anew);
    let anew = anew.map_or(unfinished, |anew| Some(joined(unfinished, anew)));
    let row = ClockRow { known, anew, noted_at: now };
    tx.keep_clock(&row)?;
    Ok(row)
}

/// Whatever the clock shows, what is waited for is as far away as it was. So a clock that is wrong ends no work and no
/// wait, also when it is believed in the end, and nothing that began by it lasts for ever when it is put right.
fn move_along(tx: &Tx<'_>, context: &Context<'_>, by_ms: i64) -> Result<(), Refusal> {
    tx.move_turns(context.now, by_ms)?;
    tx.move_waits(by_ms)?;
    tx.move_limits(by_ms)?;
    move_questions(tx, context, by_ms)?;
    for mut run in tx.waits_over(Timestamp::MAX, usize::MAX)? {
        let Some(waiting) = run.run.waiting().cloned() else { continue };
        if run.run.set_waiting(Some(Waiting { until_at: run.wait_until, ..waiting })) {
            derive::publish_run(tx, &mut run, context.now)?;
        }
    }
    Ok(())
}

/// What people are asked may be answered until as much later.
fn move_questions(tx: &Tx<'_>, context: &Context<'_>, by_ms: i64) -> Result<(), Refusal> {
    for mut run in tx.blocked_runs()? {
        let Some(mut blocker) = run.run.blocker().cloned() else { continue };
        blocker.expires_at = blocker.expires_at.plus_ms(by_ms);
        if run.run.stopping().is_none() {
            run.deadline_at = Some(blocker.expires_at);
        }
        match run.run.set_blocker(blocker) {
            true => derive::publish_run(tx, &mut run, context.now)?,
            false => tx.update_run(&run)?,
        }
    }
    Ok(())
}

/// It went back again before everybody had begun anew: then everybody who had to still has to.
fn joined(unfinished: Option<Remaining>, anew: Anew) -> Remaining {
    let whose = match (unfinished.map(|unfinished| unfinished.whose), anew) {
        (Some(Anew::Every), _) | (_, Anew::Every) => Anew::Every,
        (Some(Anew::Ahead) | None, Anew::Ahead) => Anew::Ahead,
    };
    Remaining { whose, after: 0 }
}

/// Whether slots may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    /// They may.
    Now,
    /// The machine has not been awake for long enough, or its clock is doubted.
    Later,
    /// The clock went back, and schedules are still counted from what it showed before.
    AfterEpochs(Remaining),
}

/// Whether slots may be claimed now, by whoever it is.
///
/// # Errors
/// When the ledger fails.
pub fn claims(view: &View<'_>, context: &Context<'_>) -> Result<Claims, Refusal> {
    Ok(match view.clock()? {
        Some(row) if row.known.held_until().is_some_and(|until| context.now < until) => Claims::Later,
        Some(ClockRow { anew: Some(remaining), .. }) => Claims::AfterEpochs(remaining),
        Some(_) | None => Claims::Now,
    })
}

/// When somebody who claims slots so long after they may be claimed has something to do next: at once, if anything
/// has happened to the clock.
///
/// # Errors
/// When the ledger fails.
pub fn next_claim(
    view: &View<'_>,
    boot: &Boot,
    reading: Reading,
    patience_ms: i64,
) -> Result<Option<Timestamp>, Refusal> {
    let row = if boot.is_known() { view.clock()? } else { None };
    // What another boot has written is looked at with the next decision, and in a while at the latest.
    let foreign = row.as_ref().filter(|row| row.known.boot != *boot);
    let look_at = foreign.map(|row| row.noted_at.plus_ms(FOREIGN_MS));
    if foreign.is_none() && row.as_ref().is_some_and(|row| row.known.is_outdated(boot, reading)) {
        return Ok(Some(reading.wall));
    }
    let held_until = row.as_ref().and_then(|row| row.known.held_until());
    let (next, patience_ms) = match row.and_then(|row| row.anew) {
        Some(_) => (Some(reading.wall), 0),
        None => (view.next_fire()?, patience_ms),
    };
    let next =
        next.map(|next| held_until.map_or(next, |held_until| next.max(held_until)).plus_ms(patience_ms));
    Ok(next.into_iter().chain(look_at).min())
}

/// Whether something has happened to the clock in this boot that nobody has written down: until then what seems to have
/// taken too long may not have.
pub(super) fn has_changed(view: &View<'_>, boot: &Boot, reading: Reading) -> Result<bool, Refusal> {
    let known = view.clock()?.map(|row| row.known).filter(|known| known.boot == *boot);
    Ok(boot.is_known() && known.is_some_and(|known| known.is_outdated(boot, reading)))
}

/// Why nothing fires though it may be due, if that is so for longer than a machine needs to wake up.
///
/// # Errors
/// When the ledger fails.
pub fn trouble(view: &View<'_>, now: Timestamp) -> Result<Option<String>, Refusal> {
    let doubt = view.clock()?.and_then(|row| row.known.doubt).filter(|doubt| now < doubt.until);
    Ok(doubt.map(|doubt| doubt.told_at(now)))
}

/// Whether what the clock shows now may be wrong by much.
pub(super) fn is_doubted(view: &View<'_>, now: Timestamp) -> Result<bool, Refusal> {
    let doubt = view.clock()?.and_then(|row| row.known.doubt);
    Ok(doubt.is_some_and(|doubt| now < doubt.until))
}

/// The clock went back: the next schedules begin a new epoch. Meanwhile nobody claims anything, so that no slot
/// is waited for or fired by what the clock showed before.
///
/// # Errors
/// When the ledger fails.
pub fn begin_anew(tx: &Tx<'_>, context: &mut Context<'_>, remaining: Remaining) -> Result<Progress, Refusal> {
    let rows = tx.automations_after(remaining.after, AUTOMATIONS_PER_TICK)?;
    for row in &rows {
        tick::apart(tx, context, *row, |tx, context| {
            begin_one_anew(tx, context, &mut tx.automation_at(*row)?, remaining.whose)
        })?;
    }
    let last = rows.last().filter(|_| rows.len() == AUTOMATIONS_PER_TICK);
    if let Some(mut row) = tx.clock()? {
        row.anew = last.map(|last| Remaining { after: *last, ..remaining });
        tx.keep_clock(&row)?;
    }
    // What is due by the new epochs is claimed by the next tick.
    Ok(Progress::More)
}

/// Begins a new epoch, unless nothing is due in the one that there is. A one-shot keeps its epoch: its instant is
/// the same in each, and one that is due now is late, not over.
fn begin_one_anew(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    whose: Anew,
) -> Result<(), Refusal> {
    let now = context.now;
    let from = match &automation.definition.when {
        When::Oneshot { .. } => return Ok(()),
        When::Recurring { rhythm: Rhythm::Interval { anchor_at: None, .. }, .. } => now,
        When::Recurring { rhythm: Rhythm::Interval { anchor_at: Some(_), .. } | Rhythm::Cron(_), .. } => {
            not_again(tx, automation, now)?
        }
    };
    let concerned = match whose {
        Anew::Every => true,
        Anew::Ahead => automation.epoch.effective_at > now,
    };
    // A wish to delete may be given up: until then nothing is due, but the schedule goes on.
    let wish = automation.deleting.take();
    if !concerned || automation.epoch.effective_at == from || derive::next_fire(automation).is_none() {
        return Ok(());
    }
    let records = settle::settle_closing(tx, context, automation, StopReason::MissedSchedule)?;
    automation.deleting = wish;
    epoch::begin_at(tx, context, automation, from, EpochReason::Clock, None)?;
    match records {
        Records::Some => derive::publish_automation(tx, automation, now).map(drop),
        Records::None => derive::publish_next_fire(tx, automation, now),
    }
}

/// The local times that have been answered for are not due again when the clock shows them once more. A clock
/// that was wrong by more than a day has answered for times that nobody has lived through.
fn not_again(view: &View<'_>, automation: &AutomationRow, now: Timestamp) -> Result<Timestamp, Refusal> {
    let answered = automation.epoch.answered_through;
    if answered <= now || answered.since_ms(now) > DOUBTED_MS {
        return Ok(now);
    }
    let began = match view.epoch_reason(automation)? {
        // What the one before had answered for is where this one begins.
        EpochReason::Clock => return Ok(answered),
        EpochReason::Created | EpochReason::Edited | EpochReason::Resumed => automation.epoch.effective_at,
    };
    Ok(if answered > began { answered } else { now })
}
