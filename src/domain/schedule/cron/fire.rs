//! When an expression fires next.
//!
//! The search runs in whole minutes. A zone is a row of stretches with one offset each (see
//! [`Stretch`](super::super::zone::Stretch)); inside a stretch local time is plain arithmetic, so the zone
//! is asked once per stretch and not once per candidate.
//!
//! Clock changes, by the rules for crontabs:
//! - Following real time, a stretch answers for the local times it has. Skipped ones are in no stretch,
//!   repeated ones in two.
//! - Naming fixed times, a stretch answers for the local times from where the stretch before left off. So a
//!   repeated time belongs to its first occurrence, and a skipped one to the stretch after the gap, which it
//!   enters at its first instant. The date that decides is that of the skipped time itself.

use super::super::calendar::CYCLE_DAYS;
use super::super::local::MS_PER_MINUTE;
use super::super::zone::Zone;
use super::{ClockRule, Cron, MINUTES_PER_DAY};
use crate::domain::time::Timestamp;

/// How far the search goes: 400 years, after which everything repeats.
const SEARCH_MINUTES: i64 = CYCLE_DAYS * MINUTES_PER_DAY;

/// 0001-01-01T00:00Z in minutes.
const FIRST_MINUTE: i64 = -719_162 * MINUTES_PER_DAY;

const LAST_MINUTE: i64 = Timestamp::MAX.as_millis() / MS_PER_MINUTE;

/// See [`Cron::next_after`].
pub(super) fn next_after(cron: &Cron, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
    let earliest = (after.as_millis().div_euclid(MS_PER_MINUTE) + 1).max(FIRST_MINUTE);
    let latest = LAST_MINUTE.min(earliest.saturating_add(SEARCH_MINUTES));

    let mut instant = earliest;
    // No local time from `searched_from` up to `found` matches. The finding is kept from stretch to stretch,
    // because a sparse expression passes many stretches on the way to one match.
    let mut found: Option<(i64, i64)> = None;
    while instant <= latest {
        let stretch = zone.stretch_at(instant);
        let first_local = match cron.clock {
            ClockRule::EveryRealMinute => instant + stretch.offset,
            ClockRule::OncePerLocalTime if instant == stretch.start => stretch.answers_from,
            ClockRule::OncePerLocalTime => stretch.answers_from.max(instant + stretch.offset),
        };
        let local = match found {
            Some((searched_from, local)) if (searched_from..=local).contains(&first_local) => local,
            Some(_) | None => cron.first_local_match(first_local)?,
        };
        if local < stretch.end + stretch.offset {
            // A skipped time lies before the stretch that answers for it.
            let fire = (local - stretch.offset).max(stretch.start);
            return (fire <= latest).then(|| Timestamp::from_millis(fire * MS_PER_MINUTE));
        }
        found = Some((first_local, local));
        instant = stretch.end;
    }
    None
}

impl Cron {
    /// The first matching local time at or after `from`, both in minutes since 1970-01-01T00:00 local time.
    pub(in super::super) fn first_local_match(&self, from: i64) -> Option<i64> {
        let (day, time) = (from.div_euclid(MINUTES_PER_DAY), from.rem_euclid(MINUTES_PER_DAY));
        let (matches, next_day) = self.days.look_from(day);
        if matches && let Some(time) = self.times.at_or_after(time) {
            return Some(day * MINUTES_PER_DAY + time);
        }
        Some(next_day.find()? * MINUTES_PER_DAY + self.times.first())
    }
}
