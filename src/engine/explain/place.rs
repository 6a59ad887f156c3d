//! Which schedule was in force at a time, and which of its slots is meant.

use crate::domain::automation::{Definition, EpochEnd, When};
use crate::domain::refusal::Refusal;
use crate::domain::schedule::rhythm::{Nearest, Schedule, Stop};
use crate::domain::time::Timestamp;
use crate::ledger::{AutomationRow, PastEpoch, View};

const MINUTE_MS: i64 = 60_000;

/// Epochs that are looked at of those that began before the time, and of those that began in the rest of its minute. A
/// time belongs to several only where a schedule was edited more than once in a minute or the clock went back, and nobody
/// does that more often but to try out what a machine can bear.
const EPOCHS: usize = 256;

/// Where a time lies among the slots of an automation.
pub(super) enum Place {
    /// It is one that the ledger says to be answered for.
    Answered(PastEpoch, Timestamp),
    /// It is one that nothing answers for yet, in the epoch that is in force.
    Open(PastEpoch, Timestamp),
    /// It would be one, had this epoch not ended before.
    AfterEnd(PastEpoch, Timestamp),
    /// It would be one, had the schedule not said itself that it ends before, at this time.
    AfterUntil(PastEpoch, Timestamp, Timestamp),
    /// It is none of this epoch's.
    None(PastEpoch),
    /// The automation did not exist yet.
    BeforeCreation,
}

/// An exact slot is meant whatever schedule it belongs to; failing that, the nearest one in the same minute.
pub(super) fn find(view: &View<'_>, automation: &AutomationRow, at: Timestamp) -> Result<Place, Refusal> {
    // Somebody who names a minute may mean a slot at its end, of a schedule that began in its midst.
    let minute_end = Timestamp::from_millis((minute_of(at) + 1) * MINUTE_MS);
    let mut epochs = view.epochs_before(automation.row, minute_end, EPOCHS)?;
    epochs.retain(|epoch| epoch.epoch.effective_at >= at);
    epochs.extend(view.epochs_before(automation.row, at, EPOCHS)?);
    let mut next_began: Option<Timestamp> = None;
    let mut found: Vec<(i64, Place)> = Vec::new();
    for epoch in &epochs {
        for (slot, place) in meant_in(epoch, at, next_began) {
            found.push((slot.since_ms(at).abs(), place));
        }
        next_began = Some(epoch.epoch.effective_at);
    }
    // Of equally near ones what was answered for comes first, or is due, and then what belongs to the newest schedule. What
    // another schedule took the place of is meant only where that has nothing.
    let was_due = |place: &Place| matches!(place, Place::Answered(..) | Place::Open(..));
    let meant = |(distance, place): &(i64, Place)| (was_replaced(place), *distance, !was_due(place));
    if let Some((_, place)) = found.into_iter().min_by_key(meant) {
        return Ok(place);
    }
    if automation.created_at > at {
        return Ok(Place::BeforeCreation);
    }
    let in_force = epochs.iter().find(|epoch| epoch.epoch.effective_at < at).or(epochs.last());
    Ok(in_force.map_or(Place::BeforeCreation, |epoch| Place::None(epoch.clone())))
}

/// Whether it would be a slot of a schedule that was replaced by another one before.
fn was_replaced(place: &Place) -> bool {
    match place {
        Place::AfterEnd(epoch, _) => match &epoch.ended {
            Some(EpochEnd::Edited | EpochEnd::Clock) => true,
            Some(EpochEnd::Paused(_) | EpochEnd::Count | EpochEnd::Deleted) | None => false,
        },
        Place::Answered(..)
        | Place::Open(..)
        | Place::AfterUntil(..)
        | Place::None(_)
        | Place::BeforeCreation => false,
    }
}

/// The slots of one epoch that may be meant: one that it has or had, and one that comes after it was over.
fn meant_in(
    epoch: &PastEpoch,
    at: Timestamp,
    next_began: Option<Timestamp>,
) -> impl Iterator<Item = (Timestamp, Place)> {
    let before_the_next = |slot: Timestamp| next_began.is_none_or(|next| slot <= next);
    let of_it = slot_meant(&epoch.definition, epoch.epoch.effective_at, at).and_then(|slot| {
        let place = if slot <= epoch.epoch.answered_through {
            Place::Answered(epoch.clone(), slot)
        } else if epoch.epoch.ended_at.is_none() {
            Place::Open(epoch.clone(), slot)
        } else if before_the_next(slot) {
            Place::AfterEnd(epoch.clone(), slot)
        } else {
            return None;
        };
        Some((slot, place))
    });
    let after_it = after_until(epoch, at).filter(|(slot, _)| before_the_next(*slot));
    of_it.into_iter().chain(last_answered(epoch, at)).chain(after_it)
}

/// The last slot that is answered for, if it is in the minute that is meant: a nearer one may not have been due any more.
fn last_answered(epoch: &PastEpoch, at: Timestamp) -> Option<(Timestamp, Place)> {
    let schedule = epoch.definition.schedule().ok()?;
    let through = epoch.epoch.answered_through.plus_ms(1);
    let last = schedule.nearest(epoch.epoch.effective_at, through).before?;
    (minute_of(last) == minute_of(at)).then(|| (last, Place::Answered(epoch.clone(), last)))
}

fn minute_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(MINUTE_MS)
}

fn slot_meant(definition: &Definition, began: Timestamp, at: Timestamp) -> Option<Timestamp> {
    // A zone that this machine does not know: nothing of it fires here.
    definition.schedule().ok()?.slot_meant(began, at)
}

/// The slot that is meant if only the end of the schedule is in its way.
fn after_until(epoch: &PastEpoch, at: Timestamp) -> Option<(Timestamp, Place)> {
    let When::Recurring { rhythm, stop: Stop::Until(until) } = &epoch.definition.when else { return None };
    let endless = When::Recurring { rhythm: rhythm.clone(), stop: Stop::Never };
    let schedule = endless.in_zone(&epoch.definition.timezone).ok()?;
    let slot = schedule.slot_meant(epoch.epoch.effective_at, at)?;
    (slot > *until).then(|| (slot, Place::AfterUntil(epoch.clone(), slot, *until)))
}

/// The last slot before a time and the first one after it that were or are due, also those of the epochs around the one
/// that is given.
pub(super) fn nearest(
    view: &View<'_>,
    automation: i64,
    epoch: Option<&PastEpoch>,
    at: Timestamp,
) -> Result<Nearest, Refusal> {
    let number = epoch.map_or(0, |epoch| epoch.epoch.number);
    let of_this = epoch.map_or(Nearest { before: None, after: None }, |epoch| within(epoch, at));
    let of_neighbour = |wanted: i64| -> Result<Nearest, Refusal> {
        let neighbour = view.epoch(automation, wanted)?;
        Ok(neighbour.map_or(Nearest { before: None, after: None }, |epoch| within(&epoch, at)))
    };
    let before = match of_this.before {
        None if number > 1 => of_neighbour(number - 1)?.before,
        before => before,
    };
    let after = match of_this.after {
        None => of_neighbour(number + 1)?.after,
        after => after,
    };
    Ok(Nearest { before, after })
}

/// The same of one epoch alone.
fn within(epoch: &PastEpoch, at: Timestamp) -> Nearest {
    let Ok(schedule) = epoch.definition.schedule() else { return Nearest { before: None, after: None } };
    let began = epoch.epoch.effective_at;
    let Some(ended_at) = epoch.epoch.ended_at else { return schedule.nearest(began, at) };
    // Nothing after its end was due; but where the clock went back, later times had been answered for.
    let end = ended_at.max(epoch.epoch.answered_through);
    let Nearest { before, .. } = schedule.nearest(began, at.min(end.plus_ms(1)));
    let after = next_through(&schedule, began, at, end);
    Nearest { before, after }
}

fn next_through(
    schedule: &Schedule,
    began: Timestamp,
    after: Timestamp,
    end: Timestamp,
) -> Option<Timestamp> {
    schedule.next_after(began, after).filter(|next| *next <= end)
}
