//! The times of a day in words.

use super::super::cron::{ClockRule, Cron, Times};
use super::super::local::time_of_day;
use super::list::{Steps, listed, listed_runs, members, ordinal, runs, steps};

/// The most times that are named one by one: what can be taken in at a glance.
const NAMED: usize = 6;

/// The most spans of a day that are named one by one.
const SPANS: usize = 3;

const EVERY_HOUR: u64 = (1 << 24) - 1;
const EVERY_MINUTE: u64 = (1 << 60) - 1;

/// The words, and how those for the days go with them.
#[derive(Debug)]
pub(super) enum Phrase {
    /// `at 09:00`: the days come first.
    At(String),
    /// `every 15 minutes`: it stands alone, and the days, unless they are all, come after it.
    Throughout(String),
    /// `every 15 minutes from 09:00 to 17:45`: the days come after it.
    Within(String),
}

/// When the expression fires on a day that matches.
pub(super) fn phrase(cron: &Cron) -> Phrase {
    let times = cron.times;
    let named = members(times.minutes).len() * members(times.hours).len() <= NAMED;
    if named {
        let of_hour = |hour| members(times.minutes).into_iter().map(move |minute| hour * 60 + minute);
        let all: Vec<String> = members(times.hours).into_iter().flat_map(of_hour).map(time_of_day).collect();
        return Phrase::At(format!("at {}", listed(&all)));
    }
    if times.hours == EVERY_HOUR {
        let once = match cron.clock {
            ClockRule::EveryRealMinute => "",
            // Where clocks go back, an hour follows in which nothing fires.
            ClockRule::OncePerLocalTime => " (each local time once)",
        };
        return Phrase::Throughout(format!("{}{once}", through_the_day(times.minutes)));
    }
    within(times)
}

/// The minutes of every hour.
fn through_the_day(minutes: u64) -> String {
    match round(minutes) {
        Some(Steps { step: 1, .. }) => return "every minute".to_owned(),
        Some(Steps { first: 0, step, .. }) => return format!("every {step} minutes"),
        Some(_) | None => {}
    }
    match steps(minutes).filter(|_| members(minutes).len() > NAMED) {
        Some(Steps { first, last, step }) => {
            format!("{} from {} to {} of every hour", every_minutes(step), colon(first), colon(last))
        }
        None => format!("every hour at {}", colons(minutes)),
    }
}

/// The times of days on which some hours have none.
fn within(times: Times) -> Phrase {
    let Times { minutes, hours } = times;
    let spans = runs(hours);
    let (first_minute, last_minute) =
        (i64::from(minutes.trailing_zeros()), 63 - i64::from(minutes.leading_zeros()));
    let from_to = |(first, last): &(i64, i64)| {
        let (from, to) = (first * 60 + first_minute, last * 60 + last_minute);
        format!("from {} to {}", time_of_day(from), time_of_day(to))
    };
    let of_spans = || listed(&spans.iter().map(from_to).collect::<Vec<_>>());
    let hours_alone = spans.iter().all(|(first, last)| first == last);
    if spans.len() <= SPANS {
        // From one hour to the next the distance stays the same only if the step fills the hour.
        let even = if hours_alone { steps(minutes) } else { round(minutes) };
        if let Some(Steps { step, .. }) = even {
            return Phrase::Within(format!("{} {}", every_minutes(step), of_spans()));
        }
        if first_minute == last_minute && spans.iter().all(|(first, last)| first < last) {
            return Phrase::Within(format!("every hour {}", of_spans()));
        }
    }
    if first_minute == last_minute
        && let Some(Steps { first, last, step }) = steps(hours)
    {
        return Phrase::Within(format!("every {step} hours {}", from_to(&(first, last))));
    }
    let hour = |hour: i64| hour.to_string();
    let of_hours = match steps(hours) {
        Some(Steps { first, last, step }) if step > 1 => {
            format!("every {} hour from {first} to {last}", ordinal(step))
        }
        Some(_) | None if hours.count_ones() == 1 => format!("hour {}", listed_runs(hours, hour)),
        Some(_) | None => format!("hours {}", listed_runs(hours, hour)),
    };
    match steps(minutes).filter(|_| members(minutes).len() > NAMED) {
        Some(Steps { first, last, step }) => Phrase::Within(format!(
            "{} from {} to {} of {of_hours}",
            every_minutes(step),
            colon(first),
            colon(last)
        )),
        None => Phrase::At(format!("at {} of {of_hours}", colons(minutes))),
    }
}

/// The minutes as steps that go on at the same distance from one hour to the next.
fn round(minutes: u64) -> Option<Steps> {
    if minutes == EVERY_MINUTE {
        return Some(Steps { first: 0, last: 59, step: 1 });
    }
    match members(minutes).as_slice() {
        // Two minutes half an hour apart are steps, too.
        &[first, last] if last - first == 30 => Some(Steps { first, last, step: 30 }),
        _ => steps(minutes).filter(|steps| steps.first + 60 == steps.last + steps.step),
    }
}

fn every_minutes(step: i64) -> String {
    match step {
        1 => "every minute".to_owned(),
        step => format!("every {step} minutes"),
    }
}

/// Minutes of an hour, such as `:05 and :35`.
fn colons(minutes: u64) -> String {
    let each = members(minutes);
    match each.len() <= NAMED {
        true => listed(&each.into_iter().map(colon).collect::<Vec<_>>()),
        false => listed_runs(minutes, colon),
    }
}

/// A minute of an hour, such as `:05`.
fn colon(minute: i64) -> String {
    format!(":{minute:02}")
}
