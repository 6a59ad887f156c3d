//! Which schedule was in force at a time, and which of its slots is meant.

use crate::domain::automation::{Definition, When};
use crate::domain::refusal::Refusal;
use crate::domain::schedule::rhythm::{Nearest, Schedule, Stop};
use crate::domain::time::Timestamp;
use crate::ledger::{PastEpoch, View};

const MINUTE_MS: i64 = 60_000;

/// Epochs that are looked at. One time belongs to several only where the clock went back, and each of those times lies
/// at most so many epochs back that began in the same hour or so.
const EPOCHS: usize = 16;

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

pub(super) fn find(view: &View<'_>, automation: i64, at: Timestamp) -> Result<Place, Refusal> {
    // Somebody who names a minute may mean a slot at its end, of a schedule that began in its midst.
    let minute_end = Timestamp::from_millis((at.as_millis().div_euclid(MINUTE_MS) + 1) * MINUTE_MS);
    let epochs = view.epochs_before(automation, minute_end, EPOCHS)?;
    let mut next_began: Option<Timestamp> = None;
    let mut after_end = None;
    for epoch in &epochs {
        let began = epoch.epoch.effective_at;
        if let Some(slot) = slot_meant(&epoch.definition, began, at) {
            if slot <= epoch.epoch.answered_through {
                return Ok(Place::Answered(epoch.clone(), slot));
            }
            if epoch.epoch.ended_at.is_none() {
                return Ok(Place::Open(epoch.clone(), slot));
            }
            if after_end.is_none() && next_began.is_none_or(|next| slot <= next) {
                after_end = Some(Place::AfterEnd(epoch.clone(), slot));
            }
        } else if after_end.is_none() && next_began.is_none_or(|next| at <= next) {
            after_end = after_until(epoch, at);
        }
        next_began = Some(began);
    }
    if let Some(place) = after_end {
        return Ok(place);
    }
    let began_before = |epoch: &&PastEpoch| epoch.epoch.effective_at < at;
    let in_force = epochs.iter().find(began_before);
    Ok(in_force.map_or(Place::BeforeCreation, |epoch| Place::None(epoch.clone())))
}

fn slot_meant(definition: &Definition, began: Timestamp, at: Timestamp) -> Option<Timestamp> {
    // A zone that this machine does not know: nothing of it fires here.
    definition.schedule().ok()?.slot_meant(began, at)
}

/// The slot that is meant if only the end of the schedule is in its way.
fn after_until(epoch: &PastEpoch, at: Timestamp) -> Option<Place> {
    let When::Recurring { rhythm, stop: Stop::Until(until) } = &epoch.definition.when else { return None };
    let endless = When::Recurring { rhythm: rhythm.clone(), stop: Stop::Never };
    let schedule = endless.in_zone(&epoch.definition.timezone).ok()?;
    let slot = schedule.slot_meant(epoch.epoch.effective_at, at)?;
    (slot > *until).then(|| Place::AfterUntil(epoch.clone(), slot, *until))
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
