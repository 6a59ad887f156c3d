//! A matcher as slow and as plain as the rules: it walks over real minutes, one by one, and asks the calendar
//! library for nothing but the offset at each.

use std::collections::HashSet;

use chrono::{DateTime, Datelike, Timelike};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use sexton::domain::time::Timestamp;

use super::support::{Fields, MINUTE_MS, Written, at, cases, cron, fields, library_zone, text, zone};

/// Real minutes before the span in question that are walked over to know which local times have been.
const WARM_UP: i64 = 2 * 1440;

pub(crate) struct Slow {
    minutes: [bool; 60],
    hours: [bool; 24],
    days: [bool; 32],
    months: [bool; 13],
    weekdays: [bool; 8],
    both_days_must_match: bool,
    wildcard: bool,
}

fn table<const N: usize>(field: &Written) -> [bool; N] {
    let mut table = [false; N];
    for value in &field.values {
        table[*value as usize] = true;
    }
    table
}

impl Slow {
    pub(crate) fn new(fields: &Fields) -> Slow {
        let begins_with_star = |field: &Written| field.text.starts_with('*');
        Slow {
            minutes: table(&fields.minute),
            hours: table(&fields.hour),
            days: table(&fields.day_of_month),
            months: table(&fields.month),
            weekdays: table(&fields.day_of_week),
            both_days_must_match: begins_with_star(&fields.day_of_month)
                || begins_with_star(&fields.day_of_week),
            wildcard: begins_with_star(&fields.minute) || begins_with_star(&fields.hour),
        }
    }

    fn matches(&self, local: i64) -> bool {
        let minute_of_day = local.rem_euclid(1440) as usize;
        // Most minutes are ruled out by the time of day, without a calendar.
        self.minutes[minute_of_day % 60] && self.hours[minute_of_day / 60] && self.says_no(local).is_empty()
    }

    /// The fields that say no to a local time in minutes. Where either of the two day fields would do, they say no
    /// together or not at all.
    pub(crate) fn says_no(&self, local: i64) -> Vec<&'static str> {
        let time = DateTime::from_timestamp(local * 60, 0).unwrap();
        let weekday = time.weekday().num_days_from_sunday() as usize;
        let by_month = self.days[time.day() as usize];
        let by_week = self.weekdays[weekday] || (weekday == 0 && self.weekdays[7]);
        let one_will_do = !self.both_days_must_match && (by_month || by_week);
        let yes = [
            ("minute", self.minutes[time.minute() as usize]),
            ("hour", self.hours[time.hour() as usize]),
            ("month", self.months[time.month() as usize]),
            ("day of month", by_month || one_will_do),
            ("day of week", by_week || one_will_do),
        ];
        yes.into_iter().filter(|(_, yes)| !yes).map(|(field, _)| field).collect()
    }

    /// All fires strictly after `after`, in this many minutes.
    pub(crate) fn fires(&self, zone: &TimeZone, after: Timestamp, minutes: i64) -> Vec<Timestamp> {
        let local_at = |minute: i64| {
            let instant = jiff::Timestamp::from_second(minute * 60).unwrap();
            (minute * 60 + i64::from(zone.to_offset(instant).seconds())).div_euclid(60)
        };
        let first = after.as_millis().div_euclid(MINUTE_MS) + 1;
        let mut fires = Vec::new();
        let mut have_been = HashSet::new();
        let mut local_before = local_at(first - WARM_UP - 1);
        for minute in first - WARM_UP..first + minutes {
            let local = local_at(minute);
            let change = local - local_before - 1;
            let is_new = have_been.insert(local);
            let fires_now = if self.wildcard {
                self.matches(local)
            } else {
                let skipped = if (1..180).contains(&change) { local_before + 1..local } else { 0..0 };
                let mut skipped_match = false;
                for time in skipped {
                    skipped_match |= have_been.insert(time) && self.matches(time);
                }
                skipped_match || (is_new && self.matches(local))
            };
            if fires_now && minute >= first {
                fires.push(Timestamp::from_millis(minute * MINUTE_MS));
            }
            local_before = local;
        }
        fires
    }
}

const ODD_ZONES: [&str; 24] = [
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Nuuk",
    "America/Scoresbysund",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Europe/Dublin",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "America/Havana",
    "America/Caracas",
    "America/St_Johns",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
    "Pacific/Norfolk",
    "Africa/Cairo",
    "Africa/Monrovia",
    "Asia/Pyongyang",
    "Europe/Amsterdam",
    "Asia/Manila",
    "America/Juneau",
];

/// A zone and an instant near one of its changes, from the first ones to those of rules in the far future.
pub(crate) fn near_a_change() -> impl Strategy<Value = (&'static str, Timestamp)> {
    let changes = |name: &'static str| -> Vec<i64> {
        let from = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        let zone = library_zone(name);
        let near = zone.following(from("1800-01-01T00:00:00Z"));
        let near = near.take_while(|change| change.timestamp() < from("2050-01-01T00:00:00Z"));
        let far = zone.following(from("2498-06-01T00:00:00Z")).take(12);
        near.chain(far).map(|change| change.timestamp().as_millisecond()).collect()
    };
    let by_zone: Vec<(&'static str, Vec<i64>)> =
        ODD_ZONES.iter().map(|name| (*name, changes(name))).collect();
    (prop::sample::select(by_zone), any::<prop::sample::Index>(), -30 * 60 * MINUTE_MS..6 * 60 * MINUTE_MS)
        .prop_map(|((name, changes), index, distance)| {
            (name, Timestamp::from_millis(changes[index.index(changes.len())] + distance))
        })
}

fn assert_agrees(fields: &Fields, zone_name: &str, after: Timestamp, minutes: i64) {
    let expression = fields.expression();
    let expected = Slow::new(fields).fires(&library_zone(zone_name), after, minutes);
    let (cron, zone) = (cron(&expression), zone(zone_name));
    let end = Timestamp::from_millis((after.as_millis().div_euclid(MINUTE_MS) + 1 + minutes) * MINUTE_MS);
    let found: Vec<Timestamp> =
        super::support::fires(&cron, &zone, after).take_while(|fire| *fire < end).collect();
    if found != expected {
        let (found, expected): (Vec<_>, Vec<_>) =
            (found.into_iter().map(text).collect(), expected.into_iter().map(text).collect());
        assert_eq!(found, expected, "{expression} in {zone_name} after {}", text(after));
    }
}

fn can_exist(fields: &Fields) -> bool {
    sexton::domain::schedule::cron::Cron::parse(&fields.expression()).is_ok()
}

proptest! {
    #![proptest_config(cases(900))]

    #[test]
    fn agrees_with_the_slow_matcher_around_changes(fields in fields(), (zone, after) in near_a_change()) {
        prop_assume!(can_exist(&fields));
        assert_agrees(&fields, zone, after, 2 * 1440);
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn agrees_with_the_slow_matcher_at_any_time(
        fields in fields(),
        zone in prop::sample::select(vec!["UTC", "America/New_York", "Asia/Kathmandu", "Asia/Tehran", "Etc/GMT-14"]),
        second in -2_000_000_000i64..20_000_000_000,
    ) {
        prop_assume!(can_exist(&fields));
        assert_agrees(&fields, zone, Timestamp::from_millis(second * 1000 + 1), 4 * 1440);
    }
}

/// One field of given text; the values are those that it selects.
fn given(text: &str, values: impl IntoIterator<Item = u32>) -> Written {
    Written { text: text.to_owned(), values: values.into_iter().collect() }
}

#[test]
fn agrees_with_the_slow_matcher_at_every_instant_of_the_oddest_days() {
    let every_day = |minute, hour| Fields {
        minute,
        hour,
        day_of_month: given("*", 1..=31),
        month: given("*", 1..=12),
        day_of_week: given("*", 0..=7),
    };
    for (zone, day) in [
        ("America/New_York", "2025-03-09T00:00:00Z"),
        ("America/New_York", "2025-11-02T00:00:00Z"),
        ("Australia/Lord_Howe", "2025-04-05T09:00:00Z"),
        ("Australia/Lord_Howe", "2025-10-04T09:00:00Z"),
        ("America/Nuuk", "2026-03-28T19:00:00Z"),
        ("Pacific/Apia", "2011-12-30T04:00:00Z"),
        ("Antarctica/Casey", "2010-03-04T09:00:00Z"),
        ("Africa/Monrovia", "1972-01-06T20:00:00Z"),
    ] {
        for fields in [
            every_day(
                given("0,15,20,30,59", [0, 15, 20, 30, 59]),
                given("0-4,22-23", (0..=4).chain(22..=23)),
            ),
            every_day(given("*/15", (0..60).step_by(15)), given("0-4,22-23", (0..=4).chain(22..=23))),
        ] {
            let slow = Slow::new(&fields);
            let (cron, library, zone) =
                (cron(&fields.expression()), library_zone(zone), super::support::zone(zone));
            let fires = slow.fires(&library, at(day), 2880);
            for minute in 0..1440 {
                let after = at(day).plus_ms(minute * MINUTE_MS + minute % 3 * 20_000);
                let expected = fires.iter().find(|fire| **fire > after);
                assert_eq!(cron.next_after(&zone, after).as_ref(), expected, "{cron} {zone} {}", text(after));
            }
        }
    }
}
