//! The days in words.

use super::super::cron::Days;
use super::super::local::{MONTHS, WEEKDAYS};
use super::dates::{Dates, EVERY_MONTH, Numbered, Reach};
use super::list::{Steps, listed, listed_runs, members, ordinal, runs};

/// Monday to Friday.
const WORKING_DAYS: u64 = 0b011_1110;

/// The most months that are named as exceptions.
const EXCEPTIONS: u32 = 3;

/// The words for the days, and how those for the times go with them.
#[derive(Debug)]
pub(super) enum Phrase {
    /// Every day, in some months only if there are words for them: ` in June`.
    Every(String),
    /// `weekdays`, which stands first as it is and behind with an `on`.
    Kinds(String),
    /// `on the 1st of every month`, which stands first and behind as it is.
    Dates(String),
    /// `on the 13th of every month and on Fridays`, which stands behind only, or the times would seem to go with its
    /// last part.
    Several(String),
}

/// The days on which the expression fires.
pub(super) fn phrase(days: &Days) -> Phrase {
    match Dates::of(days) {
        Dates::Every { months } => Phrase::Every(in_months(months)),
        Dates::Weekdays { of_week, months } => {
            Phrase::Kinds(format!("{}{}", kinds(of_week), in_months(months)))
        }
        Dates::Numbered(numbered) => Phrase::Dates(format!("on {}", dates(&numbered))),
        Dates::Both { of_week, numbered } => {
            Phrase::Kinds(format!("{} that fall on {}", kinds(of_week), dates(&numbered)))
        }
        Dates::Either { of_week, months, numbered } => {
            let (dates, kinds) = (dates(&numbered), kinds(of_week));
            Phrase::Several(format!("on {dates} and on {kinds}{}", in_months(months)))
        }
    }
}

/// Weekdays in the plural, from Monday on.
fn kinds(of_week: u64) -> String {
    if of_week == WORKING_DAYS {
        return "weekdays".to_owned();
    }
    listed_runs(sunday_last(of_week), |day| format!("{}s", weekday_name(day)))
}

/// Weekdays with Sunday as the seventh day, as people read them.
pub(in super::super) fn sunday_last(of_week: u64) -> u64 {
    of_week & !1 | (of_week & 1) << 7
}

/// The months behind days that are not counted in them; nothing for the whole year.
fn in_months(months: u64) -> String {
    match named_months(months) {
        Months::All => String::new(),
        Months::Span(first, last) => format!(" from {first} to {last}"),
        Months::Except(exceptions) => format!(" except in {exceptions}"),
        Months::Listed(months) => format!(" in {months}"),
    }
}

/// The months behind the numbers of their days.
fn of_months(months: u64) -> String {
    match named_months(months) {
        Months::All => "of every month".to_owned(),
        Months::Span(first, last) => format!("of each month from {first} to {last}"),
        Months::Except(exceptions) => format!("of every month except {exceptions}"),
        Months::Listed(months) => format!("of {months}"),
    }
}

enum Months {
    All,
    Span(&'static str, &'static str),
    Except(String),
    Listed(String),
}

fn named_months(months: u64) -> Months {
    let name = month_name;
    let list = |months: u64| listed(&members(months).into_iter().map(name).collect::<Vec<_>>());
    let others = EVERY_MONTH & !months;
    match runs(months).as_slice() {
        _ if others == 0 => Months::All,
        [(first, last)] if last - first >= 2 => Months::Span(name(*first), name(*last)),
        _ if others.count_ones() <= EXCEPTIONS => Months::Except(list(others)),
        _ => Months::Listed(list(months)),
    }
}

/// The days of months by their numbers.
fn dates(numbered: &Numbered) -> String {
    let months = of_months(numbered.months);
    let days = || listed_runs(numbered.days, ordinal);
    let one = numbered.days.count_ones() == 1;
    match numbered.reach() {
        Reach::Within => format!("the {} {months}", days()),
        Reach::ToTheEnd { from } => format!("the {} to the last day {months}", ordinal(from)),
        Reach::Through(Steps { first, step, .. }) => {
            format!("every {} day {months} (counted from the {})", ordinal(step), ordinal(first))
        }
        Reach::Beyond if numbered.is_leap_day() => format!("the {} {months} (in leap years)", days()),
        Reach::Beyond if one => format!("the {} {months} (where it exists)", days()),
        Reach::Beyond => format!("the {} {months} (where they exist)", days()),
    }
}

/// The name of a month, 1 to 12.
pub(in super::super) fn month_name(month: i64) -> &'static str {
    named(&MONTHS, month - 1)
}

/// The name of a weekday, 0 to 7: Sunday is the first and the last.
pub(in super::super) fn weekday_name(day: i64) -> &'static str {
    named(&WEEKDAYS, day % 7)
}

/// A name by its place. Sets of months and weekdays have no other members.
fn named(names: &[&'static str], place: i64) -> &'static str {
    usize::try_from(place).ok().and_then(|place| names.get(place)).copied().unwrap_or_default()
}
