//! Times and spans as people type them.

use super::calendar::{first_of_month, length_of_month};
use super::cron::MINUTES_PER_DAY;
use super::local::{LocalMinute, MS_PER_MINUTE, WEEKDAYS};
use super::zone::Zone;
use crate::domain::one_line::one_line;
use crate::domain::time::Timestamp;

/// What was typed is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{typed:?} is no time; write one such as `09:00`, `yesterday 09:00`, `2025-01-06 09:00`, `2025-01-06T08:00:00Z` or `now`, or milliseconds since 1970"
)]
pub struct NoTime {
    /// What was typed, as one line.
    pub typed: String,
}

/// What was typed is no span of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{typed:?} is no span of time; write one such as `30s`, `90m`, `1h30m`, `7d` or `2w`")]
pub struct NoSpan {
    /// What was typed, as one line.
    pub typed: String,
}

/// What was typed is no time that lies ahead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{typed:?} is no time; write one such as `17:30`, `tomorrow 09:00`, `friday 17:00`, `2025-01-06 09:00` or `2025-01-06T08:00:00Z`"
)]
pub struct NoComingTime {
    /// What was typed, as one line.
    pub typed: String,
}

/// What somebody means who plans something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coming {
    /// An instant.
    At(Timestamp),
    /// A whole day.
    Day {
        /// Its first instant.
        first: Timestamp,
        /// The beginning of its last minute.
        last_minute: Timestamp,
    },
}

/// As much of what was typed as an error repeats.
const REPEATED: usize = 40;

/// The fewest digits of milliseconds since 1970: fewer, and somebody means a year or a time of day.
const LEAST_DIGITS: usize = 9;

/// The instant that somebody means who types this: `09:00`, `yesterday 09:00`, `2025-01-06 09:00:30`, `2025-01-06` (its
/// beginning), each by the clocks of `zone` unless an offset or `Z` follows; `now`; or milliseconds since 1970.
///
/// Of a time that clocks show twice the first is meant; of one that they skip, the first instant after it. The offset in
/// brackets that [`local_time`](super::local_time) writes is understood.
///
/// # Errors
/// Anything else, and what lies before 1970 or after [`Timestamp::MAX`].
pub fn read_time(typed: &str, zone: &Zone, now: Timestamp) -> Result<Timestamp, NoTime> {
    let refused = || NoTime { typed: one_line(typed, REPEATED) };
    let text = typed.trim();
    if text.eq_ignore_ascii_case("now") {
        return Ok(now);
    }
    let millis = text.len() >= LEAST_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let at = if millis {
        text.parse().ok().map(Timestamp::from_millis)
    } else {
        let today = LocalMinute::of(zone, now).day();
        let mut rest = Rest(text);
        rest.time_of_a_day(today).filter(|_| rest.0.is_empty()).map(|typed| typed.in_zone(zone))
    };
    at.filter(|at| (Timestamp::EPOCH..=Timestamp::MAX).contains(at)).ok_or_else(refused)
}

/// The time that somebody means who plans something: as [`read_time`], but a time without a day is the next one, today or
/// tomorrow; a weekday (`friday 17:00`, `Fri`) is the next one, today included unless that time has passed; and a day
/// alone is the whole of it. What is written with a date may have passed.
///
/// # Errors
/// Anything else.
pub fn read_coming(typed: &str, zone: &Zone, now: Timestamp) -> Result<Coming, NoComingTime> {
    let refused = || NoComingTime { typed: one_line(typed, REPEATED) };
    let text = typed.trim();
    let today = LocalMinute::of(zone, now).day();
    let mut rest = Rest(text);
    let weekday = rest.weekday();
    let time = rest.0.trim_start();
    let separated = time.len() < rest.0.len();
    let read = |day: i64, time: &str| {
        let date = LocalMinute(day * MINUTES_PER_DAY).date();
        read_time(&format!("{date} {time}"), zone, now).map(Coming::At)
    };
    let next = |first: i64, again_after: i64, time: &str| match read(first, time) {
        Ok(Coming::At(at)) if at <= now => read(first + again_after, time),
        read => read,
    };
    let whole = |day: i64| Coming::Day {
        first: LocalMinute(day * MINUTES_PER_DAY).first_instant(zone),
        last_minute: LocalMinute((day + 1) * MINUTES_PER_DAY - 1).first_instant(zone),
    };
    let coming = match weekday {
        Some(weekday) => {
            let day = today + (weekday - LocalMinute(today * MINUTES_PER_DAY).weekday_number()).rem_euclid(7);
            match time {
                "" => return Ok(whole(day)),
                _ if !separated => return Err(refused()),
                time => next(day, 7, time),
            }
        }
        None => {
            let (mut alone, mut of_day) = (Rest(text), Rest(text));
            let day = alone.named_day(today).or_else(|| alone.date()).filter(|_| alone.0.is_empty());
            match day {
                Some(day) => return Ok(whole(day)),
                None if of_day.time().is_some() => next(today, 1, text),
                None => read_time(text, zone, now).map(Coming::At),
            }
        }
    };
    coming.map_err(|_| refused())
}

/// A span such as `90m`, `1h30m`, `2 days` or `7d`, in milliseconds. A day has 24 hours here, and a week seven of them.
///
/// # Errors
/// Anything else, nothing at all, and what is longer than milliseconds can tell.
pub fn read_span(typed: &str) -> Result<i64, NoSpan> {
    let span = || {
        let mut rest = typed.trim();
        let mut whole = 0i64;
        while !rest.is_empty() {
            let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
            let count: i64 = rest[..digits].parse().ok()?;
            rest = rest[digits..].trim_start();
            let letters = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
            let unit = unit_ms(&rest[..letters])?;
            rest = rest[letters..].trim_start();
            whole = whole.checked_add(count.checked_mul(unit)?)?;
        }
        (whole > 0).then_some(whole)
    };
    span().ok_or_else(|| NoSpan { typed: one_line(typed, REPEATED) })
}

fn unit_ms(name: &str) -> Option<i64> {
    const HOUR: i64 = 60 * MS_PER_MINUTE;
    Some(match name.to_ascii_lowercase().as_str() {
        "ms" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1000,
        "m" | "min" | "mins" | "minute" | "minutes" => MS_PER_MINUTE,
        "h" | "hour" | "hours" => HOUR,
        "d" | "day" | "days" => 24 * HOUR,
        "w" | "week" | "weeks" => 7 * 24 * HOUR,
        _ => return None,
    })
}

/// A time of some day, as it was typed.
struct Typed {
    local: LocalMinute,
    /// What follows the minute, in milliseconds.
    beyond_ms: i64,
    /// Minutes to the east of UTC, if they were typed.
    offset: Option<i64>,
}

impl Typed {
    fn in_zone(self, zone: &Zone) -> Timestamp {
        let minute = match self.offset {
            Some(offset) => Timestamp::from_millis((self.local.0 - offset) * MS_PER_MINUTE),
            None => self.local.first_instant(zone),
        };
        minute.plus_ms(self.beyond_ms)
    }
}

/// What is still to be read. Each method takes what it names off the front, or nothing.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn time_of_a_day(&mut self, today: i64) -> Option<Typed> {
        let day = self.named_day(today).or_else(|| self.date());
        let blank = self.0.trim_start();
        let separated = blank.len() < self.0.len() || self.skip("T") || self.skip("t");
        self.0 = self.0.trim_start();
        match day {
            // The whole day: its beginning.
            Some(day) if self.0.is_empty() && !separated => {
                Some(Typed { local: LocalMinute(day * MINUTES_PER_DAY), beyond_ms: 0, offset: None })
            }
            Some(_) if !separated => None,
            day => {
                let (minute, beyond_ms) = self.time()?;
                let local = LocalMinute(day.unwrap_or(today) * MINUTES_PER_DAY + minute);
                self.0 = self.0.trim_start();
                let offset = if self.0.is_empty() { None } else { Some(self.offset()?) };
                Some(Typed { local, beyond_ms, offset })
            }
        }
    }

    fn named_day(&mut self, today: i64) -> Option<i64> {
        let days = [("today", today), ("yesterday", today - 1), ("tomorrow", today + 1)];
        days.into_iter().find(|(name, _)| self.skip(name)).map(|(_, day)| day)
    }

    /// A weekday, whole or by its first three letters: 0 (Sunday) to 6.
    fn weekday(&mut self) -> Option<i64> {
        let end = self.0.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        let is_meant = |name: &&str| name.eq_ignore_ascii_case(word) || name[..3].eq_ignore_ascii_case(word);
        let number = (0..).zip(&WEEKDAYS).find(|(_, name)| is_meant(name)).map(|(number, _)| number)?;
        self.0 = rest;
        Some(number)
    }

    /// `2025-01-06`.
    fn date(&mut self) -> Option<i64> {
        let mut rest = Rest(self.0);
        let year = rest.number(4..=4)?;
        let month = rest.skip("-").then(|| rest.number(2..=2)).flatten()?;
        let day = rest.skip("-").then(|| rest.number(2..=2)).flatten()?;
        let exists = (1..=12).contains(&month) && (1..=length_of_month(year, month)).contains(&day);
        exists.then(|| {
            self.0 = rest.0;
            first_of_month(year, month) + day - 1
        })
    }

    /// `9:00`, `09:00:30` or `09:00:30.5`: the minute of the day, and milliseconds after it.
    fn time(&mut self) -> Option<(i64, i64)> {
        let minute = self.hours_and_minutes(1..=2)?;
        let mut beyond_ms = 0;
        if self.skip(":") {
            beyond_ms = self.number(2..=2).filter(|seconds| *seconds < 60)? * 1000;
            if self.skip(".") {
                let before = self.0.len();
                let fraction = self.number(1..=9)?;
                let digits = u32::try_from(before - self.0.len()).ok()?;
                beyond_ms += fraction * 1000 / 10i64.pow(digits);
            }
        }
        Some((minute, beyond_ms))
    }

    /// `Z`, `UTC`, `+01:00` or `UTC+01:00`, in brackets or not: minutes to the east of UTC.
    fn offset(&mut self) -> Option<i64> {
        let brackets = self.skip("(");
        let utc = self.skip("UTC") || self.skip("Z");
        let offset = if self.skip("+") {
            self.hours_and_minutes(2..=2)?
        } else if self.skip("-") {
            -self.hours_and_minutes(2..=2)?
        } else {
            utc.then_some(0)?
        };
        (!brackets || self.skip(")")).then_some(offset)
    }

    fn hours_and_minutes(&mut self, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
        let hours = self.number(digits).filter(|hours| *hours < 24)?;
        let minutes = self.skip(":").then(|| self.number(2..=2)).flatten()?;
        (minutes < 60).then_some(hours * 60 + minutes)
    }

    /// A number of so many digits, and not more.
    fn number(&mut self, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
        let end = self.0.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.0.len());
        let (number, rest) = self.0.split_at(end);
        let number = digits.contains(&end).then(|| number.parse().ok()).flatten()?;
        self.0 = rest;
        Some(number)
    }

    /// Takes this word off the front, in any case.
    fn skip(&mut self, word: &str) -> bool {
        let is_there = self.0.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if is_there {
            self.0 = &self.0[word.len()..];
        }
        is_there
    }
}
