//! The day rule, and the calendar arithmetic it needs.
//!
//! Dates are plain integers here, days since 1970-01-01 in the proleptic Gregorian calendar. A month's
//! matching days are computed as one bit mask, so that the search looks at months and not at days.

/// The calendar repeats, weekdays included, after 400 years.
const CYCLE_YEARS: i64 = 400;

/// The days of 400 years, a whole number of weeks.
pub(super) const CYCLE_DAYS: i64 = 146_097;

/// The days that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    /// Bit n is day n of the month, 1 to 31.
    pub(super) of_month: u64,
    /// Bit n is month n, 1 to 12.
    pub(super) months: u64,
    /// Bit n is weekday n, 0 (Sunday) to 6.
    pub(super) of_week: u64,
    /// How the day of the month and the day of the week go together.
    pub(super) rule: DayRule,
}

/// Debian's rule: where one of the two day fields begins with `*`, both must match; otherwise either may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayRule {
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
        // 1970-01-01 was a Thursday. The seven weekdays, turned so that bit 0 is the weekday of the first
        // day, are repeated by one multiplication for the five weeks a month can touch.
        let first_weekday = (first_of_month + 4).rem_euclid(7);
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

fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn length_of_month(year: i64, month: i64) -> i64 {
    if month == 2 { 28 + i64::from(is_leap_year(year)) } else { 30 + ((month + (month >> 3)) & 1) }
}

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// The date of a day, counted from 1970-01-01.
    ///
    /// Years begin in March for the arithmetic, so that the leap day comes last (Howard Hinnant,
    /// "chrono-compatible low-level date algorithms").
    fn of(day: i64) -> Date {
        let shifted = day + 719_468;
        let era = shifted.div_euclid(CYCLE_DAYS);
        // What is left is small; dividing 32 bits is what makes this fast.
        let day_of_era = shifted.rem_euclid(CYCLE_DAYS) as u32;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + i64::from(year_of_era) + i64::from(month <= 2);
        Date { year, month: i64::from(month), day: i64::from(day) }
    }
}

/// The first day of a month, counted from 1970-01-01.
fn first_of_month(year: i64, month: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5;
    era * CYCLE_DAYS + 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next date by the rule everyone learns at school.
    fn tomorrow(date: Date) -> Date {
        let length = match date.month {
            4 | 6 | 9 | 11 => 30,
            2 if date.year % 400 == 0 || (date.year % 4 == 0 && date.year % 100 != 0) => 29,
            2 => 28,
            _ => 31,
        };
        assert_eq!(length, length_of_month(date.year, date.month));
        match date {
            Date { year, month: 12, day: 31 } => Date { year: year + 1, month: 1, day: 1 },
            Date { year, month, day } if day == length => Date { year, month: month + 1, day: 1 },
            Date { year, month, day } => Date { year, month, day: day + 1 },
        }
    }

    #[test]
    fn every_day_of_two_cycles_has_its_date() {
        let mut date = Date { year: 1600, month: 1, day: 1 };
        let mut day = first_of_month(1600, 1);
        assert_eq!(Date::of(0), Date { year: 1970, month: 1, day: 1 });
        while date.year < 2401 {
            assert_eq!(Date::of(day), date);
            if date.day == 1 {
                assert_eq!(first_of_month(date.year, date.month), day);
            }
            date = tomorrow(date);
            day += 1;
        }
        assert_eq!(day - first_of_month(1601, 1), 2 * CYCLE_DAYS);
    }

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
