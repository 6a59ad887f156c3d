//! What the clocks of a zone show, part by part, and the round times that stand below a chart.

use super::calendar::{Date, first_of_month};
use super::cron::MINUTES_PER_DAY;
use super::local::{LocalMinute, MONTHS, MS_PER_MINUTE};
use super::zone::Zone;
use crate::domain::time::Timestamp;

/// The letters of a day's or a month's name that people still read as that name.
const SHORT: usize = 3;

/// An instant with what the clocks of one zone show at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockTime {
    /// The instant.
    pub at: Timestamp,
    local: LocalMinute,
}

impl ClockTime {
    /// What the clocks of `zone` show at `at`.
    pub fn of(zone: &Zone, at: Timestamp) -> ClockTime {
        ClockTime { at, local: LocalMinute::of(zone, at) }
    }

    /// The time of day, such as `02:30`.
    pub fn time(self) -> String {
        self.local.time()
    }

    /// The same to the second, such as `02:30:05`.
    pub fn time_with_seconds(self) -> String {
        format!("{}:{:02}", self.local.time(), self.at.as_millis().rem_euclid(MS_PER_MINUTE) / 1000)
    }

    /// The day of the week, such as `Sun`.
    pub fn weekday(self) -> &'static str {
        &self.local.weekday()[..SHORT]
    }

    /// The day and the month, such as `6 Jan`.
    pub fn date(self) -> String {
        format!("{} {}", self.local.calendar_date().day, self.month())
    }

    /// The month, such as `Jan`.
    pub fn month(self) -> &'static str {
        let month = usize::try_from(self.local.calendar_date().month - 1).unwrap_or_default();
        &MONTHS[month][..SHORT]
    }

    /// The year.
    pub fn year(self) -> i64 {
        self.local.calendar_date().year
    }

    /// The day, counted from 1970-01-01: two instants with the same one are of one day.
    pub fn day(self) -> i64 {
        self.local.day()
    }
}

/// How far round times are from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many minutes, counted from midnight. It begins anew with each day.
    Minutes(i64),
    /// Every so many midnights, counted from 1970.
    Days(i64),
    /// The midnight with which Monday begins.
    Week,
    /// The first midnight of every so many months, counted from January.
    Months(i64),
    /// The first midnight of every so many years.
    Years(i64),
}

/// The steps that people count by, the finest first.
const STEPS: [Step; 20] = [
    Step::Minutes(1),
    Step::Minutes(2),
    Step::Minutes(5),
    Step::Minutes(10),
    Step::Minutes(15),
    Step::Minutes(30),
    Step::Minutes(60),
    Step::Minutes(2 * 60),
    Step::Minutes(3 * 60),
    Step::Minutes(6 * 60),
    Step::Minutes(12 * 60),
    Step::Days(1),
    Step::Days(2),
    Step::Week,
    Step::Months(1),
    Step::Months(3),
    Step::Years(1),
    Step::Years(10),
    Step::Years(100),
    Step::Years(1000),
];

impl Step {
    /// The finest step that has room for its marks if a span of `span_ms` has room for `most` of them.
    pub fn with_at_most(most: i64, span_ms: i64) -> Step {
        let fits = |step: &&Step| step.least_minutes() * MS_PER_MINUTE * most.max(1) >= span_ms;
        *STEPS.iter().find(fits).unwrap_or(&Step::Years(1000))
    }

    /// How close together two of its marks may be, but for changes of clocks.
    const fn least_minutes(self) -> i64 {
        match self {
            Step::Minutes(minutes) => minutes,
            Step::Days(days) => days * MINUTES_PER_DAY,
            Step::Week => 7 * MINUTES_PER_DAY,
            Step::Months(months) => 28 * months * MINUTES_PER_DAY,
            Step::Years(years) => 365 * years * MINUTES_PER_DAY,
        }
    }

    /// The last of its local times that is not after this one.
    fn at_or_before(self, local: LocalMinute) -> LocalMinute {
        let Date { year, month, .. } = local.calendar_date();
        LocalMinute(match self {
            Step::Minutes(minutes) => local.0.div_euclid(minutes) * minutes,
            Step::Days(days) => local.day().div_euclid(days) * days * MINUTES_PER_DAY,
            Step::Week => (local.day() - (local.weekday_number() + 6) % 7) * MINUTES_PER_DAY,
            Step::Months(months) => first_of_month(year, (month - 1) / months * months + 1) * MINUTES_PER_DAY,
            Step::Years(years) => first_of_month(year.div_euclid(years) * years, 1) * MINUTES_PER_DAY,
        })
    }

    /// The one after one of its local times.
    fn after(self, local: LocalMinute) -> LocalMinute {
        let Date { year, month, .. } = local.calendar_date();
        LocalMinute(match self {
            Step::Minutes(minutes) => local.0 + minutes,
            Step::Days(days) => local.0 + days * MINUTES_PER_DAY,
            Step::Week => local.0 + 7 * MINUTES_PER_DAY,
            Step::Months(months) => {
                let months = year * 12 + month - 1 + months;
                first_of_month(months.div_euclid(12), months.rem_euclid(12) + 1) * MINUTES_PER_DAY
            }
            Step::Years(years) => first_of_month(year + years, 1) * MINUTES_PER_DAY,
        })
    }
}

/// The instants from `from` to `to` at which clocks show a round time, in order. A time that clocks show twice is there
/// once, at its first instant; one that they skip is not there, unless a day begins with it: that day begins after what is
/// skipped.
///
/// There are about as many as the step fits into the span, and none after the last instant that a client may name.
pub fn round_times(zone: &Zone, from: Timestamp, to: Timestamp, step: Step) -> Vec<ClockTime> {
    let to = to.min(Timestamp::MAX);
    let mut local = step.at_or_before(LocalMinute::of(zone, from));
    let mut times: Vec<ClockTime> = Vec::new();
    loop {
        let at = local.first_instant(zone);
        if at > to {
            return times;
        }
        let time = ClockTime::of(zone, at);
        let is_shown = time.local == local || (local.0 % MINUTES_PER_DAY == 0 && time.day() == local.day());
        if at >= from && is_shown && times.last().is_none_or(|last| last.at < at) {
            times.push(time);
        }
        local = step.after(local);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schedule::local_time;
    use crate::domain::schedule::typed::read_time;

    fn shown(zone: &str, from: &str, to: &str, step: Step) -> Vec<String> {
        let zone = Zone::named(zone).unwrap();
        let [from, to] = [from, to].map(|typed| read_time(typed, &zone, Timestamp::EPOCH).unwrap());
        let times = round_times(&zone, from, to, step);
        times.iter().map(|time| local_time(&zone, time.at)).collect()
    }

    #[test]
    fn round_times_are_round_on_the_clocks_of_the_zone() {
        assert_eq!(
            shown("Asia/Kathmandu", "2025-01-06 22:10", "2025-01-07 06:00", Step::Minutes(180)),
            ["2025-01-07 00:00", "2025-01-07 03:00", "2025-01-07 06:00"]
        );
        assert_eq!(
            shown("UTC", "2025-01-06 00:00", "2025-01-20 00:00", Step::Week),
            ["2025-01-06 00:00", "2025-01-13 00:00", "2025-01-20 00:00"]
        );
        assert_eq!(
            shown("UTC", "2025-01-05 12:00", "2025-01-09 00:00", Step::Days(2)),
            ["2025-01-06 00:00", "2025-01-08 00:00"]
        );
        assert_eq!(
            shown("UTC", "2024-11-30", "2025-05-01", Step::Months(3)),
            ["2025-01-01 00:00", "2025-04-01 00:00"]
        );
        assert_eq!(
            shown("UTC", "1995-06-01", "2021-01-01", Step::Years(10)),
            ["2000-01-01 00:00", "2010-01-01 00:00", "2020-01-01 00:00"]
        );
    }

    #[test]
    fn a_time_that_is_shown_twice_is_there_once_and_a_skipped_one_is_not() {
        assert_eq!(
            shown("Europe/Berlin", "2025-10-26 00:30", "2025-10-26 05:00", Step::Minutes(60)),
            [
                "2025-10-26 01:00",
                "2025-10-26 02:00 (UTC+02:00)",
                "2025-10-26 03:00",
                "2025-10-26 04:00",
                "2025-10-26 05:00"
            ]
        );
        assert_eq!(
            shown("Europe/Berlin", "2025-03-30 00:30", "2025-03-30 05:00", Step::Minutes(60)),
            ["2025-03-30 01:00", "2025-03-30 03:00", "2025-03-30 04:00", "2025-03-30 05:00"]
        );
        // The day begins at one o'clock there.
        assert_eq!(shown("Asia/Beirut", "2025-03-30 00:00", "2025-03-31", Step::Days(1)).len(), 2);
    }

    #[test]
    fn the_step_is_the_finest_that_has_room() {
        const HOUR: i64 = 3_600_000;
        for (most, span, step) in [
            (12, 24 * HOUR, Step::Minutes(120)),
            (7, 24 * HOUR, Step::Minutes(360)),
            (10, HOUR, Step::Minutes(10)),
            (8, 7 * 24 * HOUR, Step::Days(1)),
            (6, 7 * 24 * HOUR, Step::Days(2)),
            (6, 365 * 24 * HOUR, Step::Months(3)),
            (0, 24 * HOUR, Step::Days(1)),
            (5, 0, Step::Minutes(1)),
            (1, i64::MAX / 2, Step::Years(1000)),
        ] {
            assert_eq!(Step::with_at_most(most, span), step, "{most} in {span}");
        }
    }

    #[test]
    fn the_parts_of_a_time_are_told_one_by_one() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let time = ClockTime::of(&zone, Timestamp::from_millis(1_736_121_605_000));
        assert_eq!(
            (time.time(), time.time_with_seconds(), time.weekday(), time.date(), time.year()),
            ("01:00".to_owned(), "01:00:05".to_owned(), "Mon", "6 Jan".to_owned(), 2025)
        );
    }
}
