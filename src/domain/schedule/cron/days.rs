//! The day rule.
//!
//! A month's matching days are computed as one bit mask, so that the search looks at months and not at days.

use super::super::calendar::{CYCLE_YEARS, Date, first_of_month, length_of_month, weekday};

/// The days that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Days {
    /// Bit n is day n of the month, 1 to 31.
    pub(in super::super) of_month: u64,
    /// Bit n is month n, 1 to 12.
    pub(in super::super) months: u64,
    /// Bit n is weekday n, 0 (Sunday) to 6.
    pub(in super::super) of_week: u64,
    /// How the day of the month and the day of the week go together.
    pub(in super::super) rule: DayRule,
}

/// Debian's rule: where one of the two day fields begins with `*`, both must match; otherwise either may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum DayRule {
    Both,
    Either,
}

impl Days {
    /// Whether any date of the calendar matches.
    ///
    /// Under [`DayRule::Both`] it is enough to look at the longest form of each month, because within 400
    /// years every date, the 29th of February too, falls on every weekday.
    pub(super) fn can_exist(&self) -> bool {
        match self.rule {
            DayRule::Either => true,
            DayRule::Both => (1..=12)
                .filter(|month| self.months >> month & 1 == 1)
                .any(|month| self.of_month & days_up_to(length_of_month(2000, month)) != 0),
        }
    }

    /// Whether this day matches, and the first one after it that does.
    ///
    /// The second is `None` if there is none within a cycle of the calendar.
    pub(super) fn look_from(&self, day: i64) -> (bool, NextDay<'_>) {
        let date = Date::of(day);
        let first_of_month = day - (date.day - 1);
        let matching = if self.months >> date.month & 1 == 1 {
            self.in_month(date.year, date.month, first_of_month)
        } else {
            0
        };
        let next = NextDay {
            days: self,
            year: date.year,
            month: date.month,
            first_of_month,
            left: matching & !days_up_to(date.day),
        };
        (matching >> date.day & 1 == 1, next)
    }

    /// The matching days of a month whose first day is `first_of_month`; bit n is day n.
    fn in_month(&self, year: i64, month: i64, first_of_month: i64) -> u64 {
        let existing = days_up_to(length_of_month(year, month));
        // The seven weekdays, turned so that bit 0 is the weekday of the first day, are repeated by one
        // multiplication for the five weeks a month can touch.
        let first_weekday = weekday(first_of_month);
        let turned = (self.of_week >> first_weekday | self.of_week << (7 - first_weekday)) & 0x7f;
        let by_week = (turned * 0x1020_4081) << 1;
        let either_or_both = match self.rule {
            DayRule::Both => self.of_month & by_week,
            DayRule::Either => self.of_month | by_week,
        };
        either_or_both & existing
    }
}

/// The search for the first matching day after one that was looked at.
pub(super) struct NextDay<'a> {
    days: &'a Days,
    year: i64,
    month: i64,
    first_of_month: i64,
    /// The matching days of that month that are still to come.
    left: u64,
}

impl NextDay<'_> {
    /// The first matching day, or `None` if a whole cycle of the calendar has none.
    pub(super) fn find(mut self) -> Option<i64> {
        let last_year = self.year + CYCLE_YEARS;
        while self.left == 0 {
            let later = self.days.months >> (self.month + 1);
            if later == 0 {
                self.year += 1;
                self.month = i64::from(self.days.months.trailing_zeros());
            } else {
                self.month += 1 + i64::from(later.trailing_zeros());
            }
            if self.year > last_year {
                return None;
            }
            self.first_of_month = first_of_month(self.year, self.month);
            self.left = self.days.in_month(self.year, self.month, self.first_of_month);
        }
        Some(self.first_of_month + i64::from(self.left.trailing_zeros()) - 1)
    }
}

/// The bits 1 to `day`.
fn days_up_to(day: i64) -> u64 {
    (2u64 << day) - 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_mask_agrees_with_a_walk_over_its_days() {
        for rule in [DayRule::Both, DayRule::Either] {
            for of_week in 1..128 {
                let days = Days {
                    of_month: 0b1000_0000_0000_0001_0010_0000_0000_0010,
                    months: 0x1ffe,
                    of_week,
                    rule,
                };
                for month in 0..48 {
                    let (year, month) = (2023 + month / 12, month % 12 + 1);
                    let first = first_of_month(year, month);
                    let mut expected = 0;
                    for day in 1..=length_of_month(year, month) {
                        let weekday = (first + day - 1 + 4).rem_euclid(7);
                        let (by_month, by_week) = (days.of_month >> day & 1, of_week >> weekday & 1);
                        let matches = match rule {
                            DayRule::Both => by_month & by_week,
                            DayRule::Either => by_month | by_week,
                        };
                        expected |= matches << day;
                    }
                    assert_eq!(days.in_month(year, month, first), expected);
                }
            }
        }
    }
}
