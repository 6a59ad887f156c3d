//! Five-field cron expressions.
//!
//! An expression is parsed once, into bit masks; whoever holds a [`Cron`] holds a valid one that can fire.
//! `parse` has the grammar, `hint` the words for what is refused, `days` the day rule, `fire` the search for
//! the next fire.

mod days;
mod fire;
mod hint;
mod parse;

use std::fmt;

use super::zone::Zone;
use crate::domain::time::Timestamp;
pub(super) use days::{DayRule, Days};

/// A valid cron expression.
///
/// Two are equal if they are written alike; `0 9 * * 7` and `0 9 * * SUN` are different expressions with the
/// same fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    expression: String,
    pub(super) times: Times,
    pub(super) days: Days,
    pub(super) clock: ClockRule,
    warnings: Vec<String>,
}

impl Cron {
    /// The expression in this text: five fields separated by blanks or tabs, or one of the nicknames
    /// `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`.
    ///
    /// # Errors
    ///
    /// The first fault, read from left to right. An expression whose dates can never exist, such as
    /// `0 0 31 2 *`, is refused here, so that nobody waits for it.
    pub fn parse(expression: &str) -> Result<Cron, CronFault> {
        parse::parse(expression)
    }

    /// The expression as it was written, with one blank between its fields and none around it.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Whether both fire at the same instants in every zone because they select the same by the same rules.
    pub fn fires_like(&self, other: &Cron) -> bool {
        (self.times, self.days, self.clock) == (other.times, other.days, other.clock)
    }

    /// What the expression means other than people may expect, one sentence each; empty for most.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// Whether the minute or the hour field begins with `*`.
    ///
    /// Such an expression fires at every real minute whose local time matches. Any other one names fixed
    /// times: each fires once, though a clock change repeats or skips it.
    pub fn is_wildcard(&self) -> bool {
        match self.clock {
            ClockRule::EveryRealMinute => true,
            ClockRule::OncePerLocalTime => false,
        }
    }

    /// The least fire strictly after `after`, always a whole minute of UTC.
    ///
    /// `None` if there is none within 400 years (after which dates, weekdays and clock changes repeat) or
    /// before [`Timestamp::MAX`]. An instant before the year 1 counts as the beginning of that year.
    pub fn next_after(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        fire::next_after(self, zone, after)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

/// Why a text is not a cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CronFault {
    /// Where: `minute`, `hour`, `day-of-month`, `month`, `day-of-week`, or `expression` for the whole and
    /// `nickname` for something that begins with `@`.
    pub field: &'static str,
    /// What is wrong, a full sentence.
    pub message: String,
    /// The way out where there is an obvious one, such as `write 5-59/10`.
    pub hint: Option<String>,
}

/// What a clock change does to an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClockRule {
    /// Skipped local times do not fire, repeated ones fire each time.
    EveryRealMinute,
    /// A repeated local time fires at its first occurrence; one skipped by a daylight saving change fires
    /// at the first instant after the gap.
    OncePerLocalTime,
}

pub(super) const MINUTES_PER_DAY: i64 = 24 * 60;

/// The times of day that match: every selected minute of every selected hour.
///
/// Neither set is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// Bit n is minute n.
    pub(super) minutes: u64,
    /// Bit n is hour n.
    pub(super) hours: u64,
}

impl Times {
    /// The first time of the day, in minutes since midnight.
    fn first(self) -> i64 {
        i64::from(self.hours.trailing_zeros()) * 60 + i64::from(self.minutes.trailing_zeros())
    }

    /// The first time at or after `from`; both in minutes since midnight, `from` less than a day.
    fn at_or_after(self, from: i64) -> Option<i64> {
        let (hour, minute) = (from / 60, from % 60);
        let this_hour = self.minutes >> minute;
        if self.hours >> hour & 1 == 1 && this_hour != 0 {
            return Some(from + i64::from(this_hour.trailing_zeros()));
        }
        let later_hours = self.hours >> (hour + 1);
        if later_hours == 0 {
            return None;
        }
        let hour = hour + 1 + i64::from(later_hours.trailing_zeros());
        Some(hour * 60 + i64::from(self.minutes.trailing_zeros()))
    }
}
