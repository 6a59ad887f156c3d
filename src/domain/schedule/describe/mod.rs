//! A schedule in words, for people.
//!
//! The words come from the sets that the search for fires works with, never from the text of an expression: what fires
//! alike by the same rules reads alike. Where no phrase fits a set, its parts are named one by one. What clock changes
//! and the calendar do to single fires is told by [`notes`](super::notes).

pub(super) mod dates;
pub(super) mod days;
pub(super) mod list;
mod times;

use super::cron::Cron;
use super::local::{LocalMinute, MS_PER_MINUTE};
use super::rhythm::{Rhythm, Stop};
use super::zone::Zone;
use crate::domain::time::Timestamp;

const MS_PER_DAY: i64 = 24 * 60 * MS_PER_MINUTE;

/// A one-shot in words: `Once, on Monday 2026-11-02 at 09:00, Europe/Berlin`.
pub fn once(fire_at: Timestamp, zone: &Zone) -> String {
    let local = LocalMinute::of(zone, fire_at);
    format!("Once, on {} {} at {}, {zone}", local.weekday(), local.date(), time_of(fire_at, zone))
}

/// What repeats, and until when, in words: `Weekdays at 09:00, Europe/Berlin`.
///
/// An interval does not follow clocks, so its zone is told only where an anchor or an end is.
pub fn recurring(rhythm: &Rhythm, stop: Stop, zone: &Zone) -> String {
    let repeated = match rhythm {
        Rhythm::Interval { every_ms, anchor_at: None } => interval(*every_ms),
        Rhythm::Interval { every_ms, anchor_at: Some(anchor) } => {
            let date = LocalMinute::of(zone, *anchor).date();
            format!("{}, counted from {date} {}, {zone}", interval(*every_ms), time_of(*anchor, zone))
        }
        Rhythm::Cron(cron) => format!("{}, {zone}", days_and_times(cron)),
    };
    let end = match stop {
        Stop::Never => String::new(),
        Stop::Count(1) => ", until 1 run has succeeded or failed".to_owned(),
        Stop::Count(count) => format!(", until {count} runs have succeeded or failed"),
        Stop::Until(at) => {
            let date = LocalMinute::of(zone, at).date();
            let zone_of_end = match rhythm {
                Rhythm::Interval { anchor_at: None, .. } => format!(" ({zone})"),
                Rhythm::Interval { anchor_at: Some(_), .. } | Rhythm::Cron(_) => String::new(),
            };
            format!(", up to and including {date} {}{zone_of_end}", time_of(at, zone))
        }
    };
    capitalised(&format!("{repeated}{end}"))
}

fn days_and_times(cron: &Cron) -> String {
    use days::Phrase as Days;
    use times::Phrase as Times;
    match (days::phrase(&cron.days), times::phrase(cron)) {
        (Days::Every(months), Times::At(at)) => format!("every day{months} {at}"),
        (Days::Every(months), Times::Throughout(often)) => format!("{often}{months}"),
        (Days::Every(months), Times::Within(often)) => format!("{often} every day{months}"),
        (Days::Kinds(days) | Days::Dates(days), Times::At(at)) => format!("{days} {at}"),
        (Days::Kinds(days), Times::Throughout(often) | Times::Within(often)) => format!("{often} on {days}"),
        (Days::Dates(days), Times::Throughout(often) | Times::Within(often)) => format!("{often} {days}"),
        (Days::Several(days), Times::At(often) | Times::Throughout(often) | Times::Within(often)) => {
            format!("{often} {days}")
        }
    }
}

/// An interval in the largest unit of which it is a whole number. A day of the calendar is no unit, because it has not
/// always 24 hours.
pub(super) fn interval(every_ms: i64) -> String {
    const HOUR: i64 = 60 * MS_PER_MINUTE;
    let whole = |unit: i64| (every_ms % unit == 0).then_some(every_ms / unit);
    match (whole(MS_PER_DAY), whole(HOUR), whole(MS_PER_MINUTE)) {
        (Some(days), _, _) if days > 1 => format!("every {days} days of 24 hours"),
        (_, Some(1), _) => "every hour".to_owned(),
        (_, Some(hours), _) => format!("every {hours} hours"),
        (_, _, Some(1)) => "every minute".to_owned(),
        (_, _, Some(minutes)) => format!("every {minutes} minutes"),
        (_, _, None) if every_ms == 1000 => "every second".to_owned(),
        (_, _, None) => format!("every {} seconds", in_seconds(every_ms)),
    }
}

/// The time of day of an instant, as long as it takes to tell it from every other one of its day.
pub(super) fn time_of(at: Timestamp, zone: &Zone) -> String {
    let local = LocalMinute::of(zone, at);
    let mut time = local.time();
    match at.as_millis().rem_euclid(MS_PER_MINUTE) {
        0 => {}
        ms if ms < 10_000 => time.push_str(&format!(":0{}", in_seconds(ms))),
        ms => time.push_str(&format!(":{}", in_seconds(ms))),
    }
    if let Some(offset) = local.offset_if_repeated(zone, at) {
        time.push_str(&format!(" ({offset})"));
    }
    time
}

/// Milliseconds as seconds, with decimals only if there are any: `30`, `30.5`.
fn in_seconds(ms: i64) -> String {
    let (seconds, rest) = (ms / 1000, ms % 1000);
    match rest {
        0 => seconds.to_string(),
        rest => format!("{seconds}.{rest:03}").trim_end_matches('0').to_owned(),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
