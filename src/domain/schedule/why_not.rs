//! Why a time is no slot, in words.
//!
//! As the description of a schedule, the words come from the sets that the search for fires works with: a field says no
//! where the local time is not in its set.

use super::calendar::Date;
use super::cron::{ClockRule, Cron, DayRule, Days, MINUTES_PER_DAY};
use super::describe;
use super::describe::days::{month_name, sunday_last, weekday_name};
use super::describe::list::{listed_runs, ordinal, steps};
use super::local::{LocalMinute, MS_PER_MINUTE, local_time};
use super::notes::clocks;
use super::rhythm::{Nearest, Rhythm, Schedule, Stop};
use super::zone::Zone;
use crate::domain::time::Timestamp;

/// The most members of a set that are named one by one where it can be told as steps.
const NAMED: u32 = 6;

/// Why a time is no slot of this one-shot, as a clause: `it fires once, at 2025-01-06 09:00`.
pub fn once(fire_at: Timestamp, zone: &Zone, effective_at: Timestamp, at: Timestamp) -> String {
    let same_minute = minute_of(fire_at) == minute_of(at);
    before_its_beginning(fire_at, at, zone, effective_at)
        .filter(|_| same_minute)
        .unwrap_or_else(|| format!("it fires once, at {}", local_time(zone, fire_at)))
}

/// Why a time is no slot of what repeats, as a clause that names every reason: `minute 17 is not 0, and Saturday is not
/// among Monday to Friday`.
pub fn recurring(rhythm: &Rhythm, stop: Stop, zone: &Zone, effective_at: Timestamp, at: Timestamp) -> String {
    // Crontabs know no seconds: what fires in a minute fires at its beginning.
    let slot = match rhythm {
        Rhythm::Cron(_) => Timestamp::from_millis(minute_of(at) * MS_PER_MINUTE),
        Rhythm::Interval { .. } => at,
    };
    let before = before_its_beginning(slot, at, zone, effective_at);
    let mut reasons = match rhythm {
        Rhythm::Cron(cron) => cron_says_no(cron, zone, at),
        // Its times are counted from its beginning, so that it has none before.
        Rhythm::Interval { anchor_at: None, .. } if before.is_some() => Vec::new(),
        Rhythm::Interval { every_ms, anchor_at } => {
            let ending_at = |stop| Schedule::Recurring { rhythm: rhythm.clone(), stop, zone: zone.clone() };
            let grid_begins = if anchor_at.is_some() { Timestamp::EPOCH } else { effective_at };
            let off_the_grid = ending_at(Stop::Never).slot_meant(grid_begins, at).is_none();
            let nearest = ending_at(stop).nearest(effective_at, at);
            let counted_from = anchor_at.unwrap_or(effective_at);
            off_the_grid.then(|| between(*every_ms, nearest, zone, counted_from)).into_iter().collect()
        }
    };
    // Where another time of the minute in which it began is meant, that is no reason.
    reasons.extend(before.filter(|_| at <= effective_at || reasons.is_empty()));
    reasons.extend(match stop {
        Stop::Until(until) if slot > until => {
            Some(format!("it comes after the schedule's end at {}", local_time(zone, until)))
        }
        Stop::Until(_) | Stop::Never | Stop::Count(_) => None,
    });
    match reasons.as_slice() {
        [] => "it is one of its times".to_owned(),
        [only] => only.clone(),
        // Reasons list things themselves, so that the last one needs its comma.
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}

/// The reason that nothing at or before its beginning is a slot, of the time that would be one in the minute of `at`.
fn before_its_beginning(
    slot: Timestamp,
    at: Timestamp,
    zone: &Zone,
    effective_at: Timestamp,
) -> Option<String> {
    let beginning = local_time(zone, effective_at);
    if slot == effective_at {
        return Some(format!("the schedule began at {beginning} and fires only after that"));
    }
    let it = if at < effective_at { "it".to_owned() } else { local_time(zone, slot) };
    (slot < effective_at).then(|| format!("{it} comes before the schedule began at {beginning}"))
}

/// Between which of its slots a time lies, for an interval.
fn between(every_ms: i64, nearest: Nearest, zone: &Zone, counted_from: Timestamp) -> String {
    let Nearest { before, after } = nearest;
    let grid =
        format!("it fires {} counted from {}", describe::interval(every_ms), local_time(zone, counted_from));
    let time = |slot| local_time(zone, slot);
    match (before, after) {
        (Some(before), Some(after)) => format!("{grid}, so at {} and then at {}", time(before), time(after)),
        (Some(last), None) => format!("{grid}, the last time at {}", time(last)),
        (None, Some(first)) => format!("{grid}, the first time at {}", time(first)),
        (None, None) => grid,
    }
}

/// Every field of an expression that says no, and what clocks do.
fn cron_says_no(cron: &Cron, zone: &Zone, at: Timestamp) -> Vec<String> {
    let local = LocalMinute::of(zone, at);
    let time = local.0.rem_euclid(MINUTES_PER_DAY);
    let number = |number: i64| number.to_string();
    let mut reasons = Vec::new();
    reasons.extend(not_in(cron.times.minutes, time % 60, &|minute| format!("minute {minute}"), &number));
    reasons.extend(not_in(cron.times.hours, time / 60, &|hour| format!("hour {hour}"), &number));
    reasons.extend(day_says_no(&cron.days, local));
    let second_time = match cron.clock {
        ClockRule::OncePerLocalTime => local.0 < zone.stretch_at(minute_of(at)).answers_from,
        ClockRule::EveryRealMinute => false,
    };
    if second_time || !reasons.is_empty() {
        reasons.extend(clocks::taken_away(cron, zone, at));
    }
    reasons
}

/// The fields for the day that say no.
fn day_says_no(days: &Days, local: LocalMinute) -> Vec<String> {
    let Date { month, day, .. } = local.calendar_date();
    let in_words = |number: i64| format!("the {}", ordinal(number));
    let of_month = not_in(days.of_month, day, &in_words, &in_words);
    let weekday = local.weekday();
    let of_week = (days.of_week >> local.weekday_number() & 1 == 0).then(|| {
        let selected = sunday_last(days.of_week);
        format!("{weekday} is not {}", among(selected, &|day| weekday_name(day).to_owned()))
    });
    let name = |month: i64| month_name(month).to_owned();
    let mut reasons = Vec::from_iter(not_in(days.months, month, &name, &name));
    match (days.rule, of_month, of_week) {
        (DayRule::Both, of_month, of_week) => reasons.extend(of_month.into_iter().chain(of_week)),
        (DayRule::Either, Some(of_month), Some(of_week)) => {
            reasons.push(format!("{of_month} and {of_week} (either would do)"));
        }
        (DayRule::Either, _, _) => {}
    }
    reasons
}

/// That a value is not in a set, if it is not: `minute 17 is not 0`.
fn not_in(
    bits: u64,
    value: i64,
    as_subject: &dyn Fn(i64) -> String,
    as_member: &dyn Fn(i64) -> String,
) -> Option<String> {
    (bits >> value & 1 == 0).then(|| format!("{} is not {}", as_subject(value), among(bits, as_member)))
}

/// What stands behind `is not`: the only member, or all of them.
fn among(bits: u64, name: &dyn Fn(i64) -> String) -> String {
    if bits.count_ones() == 1 {
        return name(i64::from(bits.trailing_zeros()));
    }
    match steps(bits).filter(|steps| steps.step > 1 && bits.count_ones() > NAMED) {
        Some(steps) => {
            format!("in steps of {} from {} to {}", steps.step, name(steps.first), name(steps.last))
        }
        None => format!("among {}", listed_runs(bits, name)),
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(MS_PER_MINUTE)
}
