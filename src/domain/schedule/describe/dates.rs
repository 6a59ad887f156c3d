//! Which days an expression really selects, however it is written.

use super::super::calendar::length_of_month;
use super::super::cron::{DayRule, Days};
use super::list::{Steps, steps};

pub(in super::super) const EVERY_MONTH: u64 = 0x1ffe;
const EVERY_WEEKDAY: u64 = 0x7f;

/// A leap year, so that February has all the days it can have.
const LEAP_YEAR: i64 = 2000;

/// The days that match, as few conditions as say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Dates {
    /// Every day of these months.
    Every { months: u64 },
    /// These weekdays of these months.
    Weekdays { of_week: u64, months: u64 },
    /// These days of these months.
    Numbered(Numbered),
    /// These weekdays where they fall on these days.
    Both { of_week: u64, numbered: Numbered },
    /// These days, and these weekdays too.
    Either { of_week: u64, months: u64, numbered: Numbered },
}

/// Some days of some months, not all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Numbered {
    /// Those of the days that one of the months can have.
    pub(in super::super) days: u64,
    /// Those of the months that can have one of the days. Every month, if the others of the year can have none.
    pub(in super::super) months: u64,
    /// How many days the longest of the months can have.
    longest: i64,
    /// How many days the shortest of the months that can have one of the days always has.
    shortest: i64,
}

/// How far the numbered days go, which says whether a short month lacks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Reach {
    /// Each of the months always has all of the days.
    Within,
    /// From this day to the end of the month, whenever that is.
    ToTheEnd { from: i64 },
    /// Steps through the month until it ends, whenever that is.
    Through(Steps),
    /// A month may lack some of the days.
    Beyond,
}

impl Dates {
    pub(in super::super) fn of(days: &Days) -> Dates {
        let Days { of_month, months, of_week, rule } = *days;
        let every_weekday = of_week == EVERY_WEEKDAY;
        match (numbered(of_month, months), rule) {
            (None, DayRule::Either) => Dates::Every { months },
            (None, DayRule::Both) if every_weekday => Dates::Every { months },
            (None, DayRule::Both) => Dates::Weekdays { of_week, months },
            (Some(_), DayRule::Either) if every_weekday => Dates::Every { months },
            // None of the months ever has one of the days, so that the weekdays alone decide.
            (Some(Numbered { days: 0, .. }), DayRule::Either) => Dates::Weekdays { of_week, months },
            (Some(numbered), DayRule::Either) => Dates::Either { of_week, months, numbered },
            (Some(numbered), DayRule::Both) if every_weekday => Dates::Numbered(numbered),
            (Some(numbered), DayRule::Both) => Dates::Both { of_week, numbered },
        }
    }
}

/// The days of these months by their numbers; `None` if they are all.
fn numbered(of_month: u64, months: u64) -> Option<Numbered> {
    let longest = in_months(months).map(|month| length_of_month(LEAP_YEAR, month)).max().unwrap_or(31);
    let days = of_month & days_up_to(longest);
    if days == days_up_to(longest) {
        return None;
    }
    let having_one = |months: u64| {
        let has_one = |month: &i64| days & days_up_to(length_of_month(LEAP_YEAR, *month)) != 0;
        in_months(months).filter(has_one).fold(0, |months, month| months | 1 << month)
    };
    let selected = having_one(months);
    let months = if selected == having_one(EVERY_MONTH) { EVERY_MONTH } else { selected };
    let shortest = in_months(months).map(|month| length_of_month(LEAP_YEAR - 1, month)).min().unwrap_or(28);
    Some(Numbered { days, months, longest, shortest })
}

impl Numbered {
    /// Whether it is the 29th of February and no other day.
    pub(in super::super) fn is_leap_day(&self) -> bool {
        (self.days, self.months) == (1 << 29, 1 << 2)
    }

    pub(in super::super) fn reach(&self) -> Reach {
        let Numbered { days, longest, shortest, .. } = *self;
        let from = i64::from(days.trailing_zeros());
        let to_the_end = days_up_to(longest) & !days_up_to(from - 1);
        match steps(days) {
            _ if days & !days_up_to(shortest) == 0 => Reach::Within,
            Some(_) if days == to_the_end => Reach::ToTheEnd { from },
            // Three or four dates, such as the 10th, 20th and 30th, are meant as dates.
            Some(steps) if days.count_ones() >= 5 && steps.last + steps.step > longest => {
                Reach::Through(steps)
            }
            Some(_) | None => Reach::Beyond,
        }
    }
}

fn in_months(months: u64) -> impl Iterator<Item = i64> {
    (1..=12).filter(move |month| months >> month & 1 == 1)
}

/// The bits 1 to `day`.
fn days_up_to(day: i64) -> u64 {
    (2u64 << day) - 2
}
