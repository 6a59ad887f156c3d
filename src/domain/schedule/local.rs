//! What the clocks of a zone show.

use std::fmt;

use super::calendar::{Date, weekday};
use super::cron::MINUTES_PER_DAY;
use super::zone::Zone;
use crate::domain::time::Timestamp;

pub(super) const MS_PER_MINUTE: i64 = 60_000;

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A time as people of a zone read it: `2025-01-06 09:00`, with seconds where they are not zero, and with the offset from
/// UTC where clocks show it twice.
pub fn local_time(zone: &Zone, at: Timestamp) -> String {
    let local = LocalMinute::of(zone, at);
    let mut text = local.to_string();
    let seconds = at.as_millis().rem_euclid(MS_PER_MINUTE) / 1000;
    if seconds != 0 {
        text.push_str(&format!(":{seconds:02}"));
    }
    if let Some(offset) = local.offset_if_repeated(zone, at) {
        text.push_str(&format!(" ({offset})"));
    }
    text
}

/// The same with the offset from UTC in any case, so that it is understood by other clocks too: `2025-01-06 09:00+01:00`.
pub fn local_time_with_offset(zone: &Zone, at: Timestamp) -> String {
    let text = local_time(zone, at);
    let unmarked = text.split_once(" (").map_or(text.as_str(), |(before, _)| before);
    let offset = zone.stretch_at(at.as_millis().div_euclid(MS_PER_MINUTE)).offset;
    format!("{unmarked}{}", signed(offset))
}

/// The day of the week that people of a zone have at an instant, such as `Sunday`.
pub fn weekday_of(zone: &Zone, at: Timestamp) -> &'static str {
    LocalMinute::of(zone, at).weekday()
}

/// A local time, in minutes since 1970-01-01T00:00 local time. It is written `2025-03-30 02:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LocalMinute(pub(super) i64);

impl LocalMinute {
    /// What clocks show at this instant, to the minute.
    pub(super) fn of(zone: &Zone, at: Timestamp) -> LocalMinute {
        let minute = at.as_millis().div_euclid(MS_PER_MINUTE);
        LocalMinute(minute + zone.stretch_at(minute).offset)
    }

    /// The offset at this instant, such as `UTC+02:00`, if clocks show this local time twice around it.
    pub(super) fn offset_if_repeated(self, zone: &Zone, at: Timestamp) -> Option<String> {
        let here = zone.stretch_at(at.as_millis().div_euclid(MS_PER_MINUTE));
        let (before, after) = (zone.stretch_at(here.start - 1), zone.stretch_at(here.end));
        let shown_before = before.end == here.start && self.0 < before.end + before.offset;
        let shown_after = after.start == here.end && self.0 >= after.start + after.offset;
        (shown_before || shown_after).then(|| format!("UTC{}", signed(here.offset)))
    }

    /// The day, counted from 1970-01-01.
    pub(super) fn day(self) -> i64 {
        self.0.div_euclid(MINUTES_PER_DAY)
    }

    /// Its date in the calendar.
    pub(super) fn calendar_date(self) -> Date {
        Date::of(self.day())
    }

    /// The date, such as `2025-03-30`.
    pub(super) fn date(self) -> String {
        let Date { year, month, day } = self.calendar_date();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The time of day, such as `02:30`.
    pub(super) fn time(self) -> String {
        time_of_day(self.0.rem_euclid(MINUTES_PER_DAY))
    }

    /// The day of the week, 0 (Sunday) to 6.
    pub(super) fn weekday_number(self) -> i64 {
        weekday(self.day())
    }

    /// The name of the day, such as `Sunday`.
    pub(super) fn weekday(self) -> &'static str {
        let day = usize::try_from(self.weekday_number()).unwrap_or_default();
        WEEKDAYS[day]
    }

    /// The first instant at which clocks show this or, where a change skips it, a later time.
    pub(super) fn first_instant(self, zone: &Zone) -> Timestamp {
        // No zone is farther from UTC than a day, so this instant lies before the one that is looked for.
        let mut stretch = zone.stretch_at(self.0 - 2 * MINUTES_PER_DAY);
        while self.0 >= stretch.end + stretch.offset {
            stretch = zone.stretch_at(stretch.end);
        }
        let minute = (self.0 - stretch.offset).max(stretch.start);
        Timestamp::from_millis(minute * MS_PER_MINUTE)
    }
}

impl fmt::Display for LocalMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date(), self.time())
    }
}

/// An offset in minutes, such as `+02:00`.
fn signed(offset: i64) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{sign}{}", time_of_day(offset.abs()))
}

/// A time of day in minutes since midnight, such as `02:30`.
pub(super) fn time_of_day(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
