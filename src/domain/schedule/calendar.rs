//! The calendar's arithmetic.
//!
//! Days are plain integers here, counted from 1970-01-01 in the proleptic Gregorian calendar.

/// The calendar repeats, weekdays included, after 400 years.
pub(super) const CYCLE_YEARS: i64 = 400;

/// The days of 400 years, a whole number of weeks.
pub(super) const CYCLE_DAYS: i64 = 146_097;

/// The weekday of a day, 0 (Sunday) to 6. 1970-01-01 was a Thursday.
pub(super) fn weekday(day: i64) -> i64 {
    (day + 4).rem_euclid(7)
}

/// Whether this year has a 29th of February.
pub(super) fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days a month has, 28 to 31.
pub(super) fn length_of_month(year: i64, month: i64) -> i64 {
    if month == 2 { 28 + i64::from(is_leap_year(year)) } else { 30 + ((month + (month >> 3)) & 1) }
}

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: i64,
    /// 1 to 31.
    pub(super) day: i64,
}

impl Date {
    /// The date of a day, counted from 1970-01-01.
    ///
    /// Years begin in March for the arithmetic, so that the leap day comes last (Howard Hinnant,
    /// "chrono-compatible low-level date algorithms").
    pub(super) fn of(day: i64) -> Date {
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
pub(super) fn first_of_month(year: i64, month: i64) -> i64 {
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
}
