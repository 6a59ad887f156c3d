//! Schedules: one-shots, intervals and cron expressions, and when they end.

use super::cron::Cron;
use super::local::MS_PER_MINUTE;
use super::zone::Zone;
use crate::domain::time::Timestamp;

/// What repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// Elapsed time: fires every `every_ms`, counted from when the schedule became effective or from an anchor, whatever
    /// clocks show.
    Interval {
        /// The distance in milliseconds. The smallest one allowed is a limit of the session; less than 1 is
        /// treated as 1.
        every_ms: i64,
        /// An instant of its own that it is counted from, in both directions, so that no edit and no pause moves it.
        anchor_at: Option<Timestamp>,
    },
    /// Local time, by the rules for crontabs.
    Cron(Cron),
}

impl Rhythm {
    /// Whether both fire at the same instants though they may be written otherwise.
    pub fn fires_like(&self, other: &Rhythm) -> bool {
        match (self, other) {
            (Rhythm::Cron(one), Rhythm::Cron(other)) => one.fires_like(other),
            (
                Rhythm::Interval { every_ms, anchor_at: Some(one) },
                Rhythm::Interval { every_ms: as_often, anchor_at: Some(other) },
            ) => every_ms == as_often && one.since_ms(*other) % at_least_one(*every_ms) == 0,
            (Rhythm::Interval { .. } | Rhythm::Cron(_), other) => self == other,
        }
    }
}

/// When a recurring schedule ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It does not.
    Never,
    /// After this many runs that succeeded or failed. It moves no slot: the runs are counted elsewhere.
    Count(u64),
    /// After this instant; a slot exactly then still fires.
    Until(Timestamp),
}

/// What an automation waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// One instant.
    OneShot {
        /// When.
        fire_at: Timestamp,
    },
    /// A rhythm in a zone, up to its end.
    Recurring {
        /// What repeats.
        rhythm: Rhythm,
        /// When it ends.
        stop: Stop,
        /// The zone whose local time a cron expression names. An interval does not depend on it.
        zone: Zone,
    },
}

/// The slots of a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotSpan {
    /// The earliest slot.
    pub first: Timestamp,
    /// The latest slot, exact also where counting stopped.
    pub last: Timestamp,
    /// How many there are, at least 1.
    pub count: u64,
    /// Whether there are more than `count`, because counting stopped at its limit.
    pub at_least: bool,
}

/// The slots around a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// The last one before it.
    pub before: Option<Timestamp>,
    /// The first one after it.
    pub after: Option<Timestamp>,
}

impl Schedule {
    /// The least scheduled time strictly after both `after` and `effective_at`.
    ///
    /// `effective_at` is when this definition began to hold: created, edited or resumed. Nothing at or
    /// before it was ever due, and intervals without an anchor count from it. `None` if nothing is left, or not before
    /// [`Timestamp::MAX`].
    pub fn next_after(&self, effective_at: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let after = after.max(effective_at);
        match self {
            Schedule::OneShot { fire_at } => Some(*fire_at).filter(|fire_at| *fire_at > after),
            Schedule::Recurring { rhythm, stop, zone } => {
                let next = rhythm.next_after(zone, effective_at, after)?;
                match stop {
                    Stop::Never | Stop::Count(_) => Some(next),
                    Stop::Until(until) => Some(next).filter(|next| next <= until),
                }
            }
        }
    }

    /// The slots after both `after` and `effective_at`, up to and including `through`; `None` if there is
    /// none.
    ///
    /// More than `limit` slots (at least 1) are not counted to the end; the last one is found all the same,
    /// without walking over those between.
    pub fn slots_between(
        &self,
        effective_at: Timestamp,
        after: Timestamp,
        through: Timestamp,
        limit: u64,
    ) -> Option<SlotSpan> {
        let first = self.next_after(effective_at, after).filter(|first| *first <= through)?;
        let last = self.last_through(effective_at, first, through);
        let next = |after| self.next_after(effective_at, after);
        let (count, at_least) = match self {
            Schedule::OneShot { .. } => (1, false),
            Schedule::Recurring { rhythm: Rhythm::Interval { every_ms, .. }, .. } => {
                let count = last.since_ms(first) / at_least_one(*every_ms) + 1;
                capped(u64::try_from(count).unwrap_or(u64::MAX), limit)
            }
            Schedule::Recurring { rhythm: Rhythm::Cron(_), .. } => {
                let slots =
                    std::iter::successors(Some(first), |slot| next(*slot).filter(|slot| *slot <= last));
                let beyond_limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
                let count = slots.take(beyond_limit).count();
                capped(u64::try_from(count).unwrap_or(u64::MAX), limit)
            }
        };
        Some(SlotSpan { first, last, count, at_least })
    }

    /// The slot that somebody means who names this time: the one nearest to it among those in the same minute of UTC,
    /// of two as near the earlier one; `None` if no slot is in that minute.
    ///
    /// Seconds are not what people remember, and several slots are in one minute only where an interval is shorter.
    pub fn slot_meant(&self, effective_at: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let minute = at.as_millis().div_euclid(MS_PER_MINUTE);
        let in_that_minute = |slot: &Timestamp| slot.as_millis().div_euclid(MS_PER_MINUTE) == minute;
        let exactly = self.next_after(effective_at, at.plus_ms(-1)).filter(|slot| *slot == at);
        let Nearest { before, after } = self.nearest(effective_at, at);
        let candidates = [exactly, before, after].into_iter().flatten().filter(in_that_minute);
        candidates.min_by_key(|slot| slot.since_ms(at).abs())
    }

    /// The last slot before a time, and the first one after it.
    pub fn nearest(&self, effective_at: Timestamp, at: Timestamp) -> Nearest {
        let just_before = at.plus_ms(-1);
        let first = self.next_after(effective_at, effective_at).filter(|first| *first <= just_before);
        Nearest {
            before: first.map(|first| self.last_through(effective_at, first, just_before)),
            after: self.next_after(effective_at, at),
        }
    }

    /// What a person should know about a schedule that begins at this instant: that its end comes before its first
    /// slot. It is valid all the same, because whoever copies a schedule that is over has done nothing wrong.
    pub fn warning_from(&self, effective_at: Timestamp) -> Option<String> {
        match self {
            Schedule::Recurring { stop: Stop::Until(until), .. } => {
                let never = self.next_after(effective_at, effective_at).is_none();
                never.then(|| {
                    format!(
                        "nothing fires: `stop.at` ({until}) comes before the first time; choose a later one"
                    )
                })
            }
            Schedule::Recurring { stop: Stop::Never | Stop::Count(_), .. } | Schedule::OneShot { .. } => None,
        }
    }

    /// The last slot at or before `through`; `slot` is one of them.
    ///
    /// Asking for the next slot halves the span that is in question each time, so that there is no second
    /// search, backwards, that could disagree with the first.
    fn last_through(&self, effective_at: Timestamp, slot: Timestamp, through: Timestamp) -> Timestamp {
        let mut last = slot;
        // No slot lies after this and up to `through`.
        let mut nothing_after = through;
        while last < nothing_after {
            let middle = last.plus_ms(nothing_after.since_ms(last) / 2);
            match self.next_after(effective_at, middle) {
                Some(next) if next <= through => last = next,
                Some(_) | None => nothing_after = middle,
            }
        }
        last
    }
}

impl Rhythm {
    /// The least fire strictly after `after`, which is not before `effective_at`.
    pub(super) fn next_after(
        &self,
        zone: &Zone,
        effective_at: Timestamp,
        after: Timestamp,
    ) -> Option<Timestamp> {
        match self {
            Rhythm::Interval { every_ms, anchor_at } => {
                let every_ms = at_least_one(*every_ms);
                let origin = anchor_at.unwrap_or(effective_at);
                let steps = after.since_ms(origin).div_euclid(every_ms).checked_add(1)?;
                let next = steps.checked_mul(every_ms)?.checked_add(origin.as_millis())?;
                Some(Timestamp::from_millis(next)).filter(|next| *next <= Timestamp::MAX)
            }
            Rhythm::Cron(cron) => cron.next_after(zone, after),
        }
    }
}

fn at_least_one(every_ms: i64) -> i64 {
    every_ms.max(1)
}

/// A count as far as it is told, and whether there is more.
fn capped(count: u64, limit: u64) -> (u64, bool) {
    (count.min(limit), count > limit)
}
