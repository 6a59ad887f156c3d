//! Why a time is no slot, which slot somebody means who names a time, and which ones are nearest.

use chrono::{DateTime, Datelike, Timelike};
use proptest::prelude::*;
use sexton::domain::automation::When;
use sexton::domain::schedule::cron::Cron;
use sexton::domain::schedule::local_time;
use sexton::domain::schedule::rhythm::{Nearest, Rhythm, Stop};
use sexton::domain::time::Timestamp;

use super::slow::{Slow, near_a_change};
use super::support::{MINUTE_MS, at, cases, cron, fields, library_zone, text, zone};

const BEGINNING: &str = "2025-01-06T08:00:00Z";

fn of_cron(expression: &str, stop: Stop) -> When {
    When::Recurring { rhythm: Rhythm::Cron(cron(expression)), stop }
}

fn of_interval(seconds: i64, stop: Stop) -> When {
    When::Recurring { rhythm: Rhythm::Interval { every_ms: seconds * 1000, anchor_at: None }, stop }
}

/// Why a time is no slot, after it was seen that it is none.
fn why_not(when: &When, zone_name: &str, time: &str) -> String {
    let schedule = when.in_zone(zone_name).unwrap();
    assert_eq!(schedule.slot_meant(at(BEGINNING), at(time)), None, "{time}");
    when.why_not(&zone(zone_name), at(BEGINNING), at(time))
}

fn cron_why_not(expression: &str, time: &str) -> String {
    why_not(&of_cron(expression, Stop::Never), "Europe/Berlin", time)
}

#[test]
fn each_field_that_says_no_is_named() {
    insta::assert_snapshot!(cron_why_not("0 9 * * *", "2025-01-07T08:17:00Z"), @"minute 17 is not 0");
    insta::assert_snapshot!(cron_why_not("0 9 * * *", "2025-01-07T09:17:31Z"), @"minute 17 is not 0, and hour 10 is not 9");
    insta::assert_snapshot!(cron_why_not("*/15 9-17 * * 1-5", "2025-01-11T17:05:00Z"), @"minute 5 is not among 0, 15, 30 and 45, hour 18 is not among 9 to 17, and Saturday is not among Monday to Friday");
    insta::assert_snapshot!(cron_why_not("*/7 * * * *", "2025-01-11T17:05:00Z"), @"minute 5 is not in steps of 7 from 0 to 56");
    insta::assert_snapshot!(cron_why_not("1-59/2 0-5,20-23 * 3-5 *", "2025-01-11T17:06:00Z"), @"minute 6 is not in steps of 2 from 1 to 59, hour 18 is not among 0 to 5 and 20 to 23, and January is not among March to May");
    insta::assert_snapshot!(cron_why_not("0 9 13 * *", "2025-01-12T08:00:00Z"), @"the 12th is not the 13th");
    insta::assert_snapshot!(cron_why_not("0 9 * * 6,0", "2025-01-13T08:00:00Z"), @"Monday is not among Saturday and Sunday");
    insta::assert_snapshot!(cron_why_not("0 9 1-7,15 12 *", "2025-11-08T08:00:00Z"), @"November is not December, and the 8th is not among the 1st to the 7th and the 15th");
}

#[test]
fn of_two_day_fields_either_or_both_have_to_match() {
    // Friday the 13th in a crontab means both: each 13th and each Friday.
    insta::assert_snapshot!(cron_why_not("0 9 13 * 5", "2025-01-11T08:00:00Z"), @"the 11th is not the 13th and Saturday is not Friday (either would do)");
    insta::assert_snapshot!(cron_why_not("0 9 13 2 5", "2025-01-10T08:00:00Z"), @"January is not February");
    insta::assert_snapshot!(cron_why_not("0 9 */2 * 1", "2025-01-07T08:00:00Z"), @"Tuesday is not Monday");
    insta::assert_snapshot!(cron_why_not("0 9 */2 * 1", "2025-01-14T08:00:00Z"), @"the 14th is not in steps of 2 from the 1st to the 31st, and Tuesday is not Monday");
}

#[test]
fn what_clocks_take_away_is_told() {
    // A skipped time has no instant: people mean one of these.
    for instant in ["2025-03-30T01:30:00Z", "2025-03-30T00:30:00Z"] {
        let told = cron_why_not("30 2 * * *", instant);
        assert!(
            told.ends_with(", and clocks skip 02:30 on 2025-03-30, and it fires at 03:00 instead"),
            "{told}"
        );
    }
    insta::assert_snapshot!(cron_why_not("*/30 2 * * *", "2025-03-30T01:00:00Z"), @"hour 3 is not 2, and clocks skip 02:00 and 02:30 on 2025-03-30, and it does not fire then");
    insta::assert_snapshot!(cron_why_not("0,30 2 * * *", "2025-03-30T01:05:00Z"), @"minute 5 is not among 0 and 30, hour 3 is not 2, and clocks skip 02:00 and 02:30 on 2025-03-30, and it fires once, at 03:00 instead");
    insta::assert_snapshot!(cron_why_not("30 2 * * *", "2025-10-26T01:30:00Z"), @"clocks show 02:30 twice on 2025-10-26, and it fires the first time only");
    // An hour further on nobody means the skipped time.
    insta::assert_snapshot!(cron_why_not("30 2 * * *", "2025-03-30T02:00:00Z"), @"minute 0 is not 30, and hour 4 is not 2");
}

#[test]
fn nothing_is_a_slot_before_the_beginning_or_after_the_end() {
    insta::assert_snapshot!(cron_why_not("0 9 * * *", "2025-01-05T08:00:00Z"), @"it comes before the schedule began at 2025-01-06 09:00");
    insta::assert_snapshot!(cron_why_not("0 9 * * *", BEGINNING), @"the schedule began at 2025-01-06 09:00 and fires only after that");
    // Somebody names a second of the minute in which it began.
    let when = of_cron("0 9 * * *", Stop::Never);
    let told = |time: &str| when.why_not(&zone("Europe/Berlin"), at("2025-01-06T08:00:20Z"), at(time));
    insta::assert_snapshot!(told("2025-01-06T08:00:40Z"), @"2025-01-06 09:00 comes before the schedule began at 2025-01-06 09:00:20");
    insta::assert_snapshot!(told("2025-01-06T08:00:10Z"), @"it comes before the schedule began at 2025-01-06 09:00:20");
    let when = of_cron("17 9 * * *", Stop::Never);
    let told = |time: &str| when.why_not(&zone("Europe/Berlin"), at("2025-01-06T08:00:20Z"), at(time));
    insta::assert_snapshot!(told("2025-01-06T08:00:40Z"), @"minute 0 is not 17");
    insta::assert_snapshot!(cron_why_not("0 9 * * *", "2025-01-05T08:30:00Z"), @"minute 30 is not 0, and it comes before the schedule began at 2025-01-06 09:00");
    let until = of_cron("0 9 * * *", Stop::Until(at("2025-02-01T08:00:30Z")));
    insta::assert_snapshot!(why_not(&until, "Europe/Berlin", "2025-02-02T08:00:00Z"), @"it comes after the schedule's end at 2025-02-01 09:00:30");
    insta::assert_snapshot!(why_not(&until, "Asia/Tokyo", "2025-02-02T08:00:00Z"), @"hour 17 is not 9, and it comes after the schedule's end at 2025-02-01 17:00:30");
    let once = |fire_at: &str| When::Oneshot { fire_at: at(fire_at) };
    insta::assert_snapshot!(why_not(&once("2025-03-01T08:00:12Z"), "Europe/Berlin", "2025-03-01T09:00:00Z"), @"it fires once, at 2025-03-01 09:00:12");
    insta::assert_snapshot!(why_not(&once("2025-01-01T08:00:00Z"), "UTC", "2025-01-01T08:00:00Z"), @"it comes before the schedule began at 2025-01-06 08:00");
}

#[test]
fn an_interval_is_told_with_its_nearest_times() {
    let every_90_minutes = of_interval(90 * 60, Stop::Never);
    let told = |when: &When, time: &str| why_not(when, "Europe/Berlin", time);
    insta::assert_snapshot!(told(&every_90_minutes, "2025-01-06T10:00:00Z"), @"it fires every 90 minutes counted from 2025-01-06 09:00, so at 2025-01-06 10:30 and then at 2025-01-06 12:00");
    insta::assert_snapshot!(told(&every_90_minutes, "2025-01-06T08:30:00Z"), @"it fires every 90 minutes counted from 2025-01-06 09:00, the first time at 2025-01-06 10:30");
    insta::assert_snapshot!(told(&every_90_minutes, "2025-01-06T07:59:00Z"), @"it comes before the schedule began at 2025-01-06 09:00");
    insta::assert_snapshot!(told(&every_90_minutes, BEGINNING), @"the schedule began at 2025-01-06 09:00 and fires only after that");
    let ending = of_interval(90 * 60, Stop::Until(at("2025-01-06T11:00:00Z")));
    insta::assert_snapshot!(told(&ending, "2025-01-06T12:30:00Z"), @"it comes after the schedule's end at 2025-01-06 12:00");
    insta::assert_snapshot!(told(&ending, "2025-01-06T12:40:00Z"), @"it fires every 90 minutes counted from 2025-01-06 09:00, the last time at 2025-01-06 12:00, and it comes after the schedule's end at 2025-01-06 12:00");
}

#[test]
fn who_names_a_time_means_the_slot_nearest_to_it_in_the_same_minute() {
    let meant = |when: &When, time: &str| {
        when.in_zone("Europe/Berlin").unwrap().slot_meant(at(BEGINNING), at(time)).map(text)
    };
    let cron = of_cron("0 9 * * *", Stop::Never);
    for time in ["2025-01-07T08:00:00Z", "2025-01-07T08:00:59.999Z"] {
        assert_eq!(meant(&cron, time).as_deref(), Some("2025-01-07T08:00:00Z"), "{time}");
    }
    assert_eq!(meant(&cron, "2025-01-07T08:01:00Z"), None);
    assert_eq!(meant(&cron, "2025-01-07T07:59:59.999Z"), None, "the minute before is another one");
    let every_20_seconds = of_interval(20, Stop::Never);
    for (time, slot) in [
        ("2025-01-06T08:05:00Z", "2025-01-06T08:05:00Z"),
        ("2025-01-06T08:05:09Z", "2025-01-06T08:05:00Z"),
        ("2025-01-06T08:05:10Z", "2025-01-06T08:05:00Z"),
        ("2025-01-06T08:05:11Z", "2025-01-06T08:05:20Z"),
        ("2025-01-06T08:05:59Z", "2025-01-06T08:05:40Z"),
        ("2025-01-06T08:00:00Z", "2025-01-06T08:00:20Z"),
    ] {
        assert_eq!(meant(&every_20_seconds, time).as_deref(), Some(slot), "{time}");
    }
    let once = When::Oneshot { fire_at: at("2025-01-07T08:00:30Z") };
    assert_eq!(meant(&once, "2025-01-07T08:00:00Z").as_deref(), Some("2025-01-07T08:00:30Z"));
    assert_eq!(meant(&once, "2025-01-07T08:01:00Z"), None);
}

#[test]
fn an_interval_with_an_anchor_names_that_and_may_have_times_before_it_began() {
    let anchor_at = Some(at("2025-01-01T00:10:00Z"));
    let hourly = When::Recurring {
        rhythm: Rhythm::Interval { every_ms: 60 * MINUTE_MS, anchor_at },
        stop: Stop::Never,
    };
    let why_not = |time: &str| why_not(&hourly, "UTC", time);
    insta::assert_snapshot!(why_not("2025-01-06T09:00:00Z"), @"it fires every hour counted from 2025-01-01 00:10, so at 2025-01-06 08:10 and then at 2025-01-06 09:10");
    insta::assert_snapshot!(why_not("2025-01-06T07:10:00Z"), @"it comes before the schedule began at 2025-01-06 08:00");
    insta::assert_snapshot!(why_not("2025-01-06T07:00:00Z"), @"it fires every hour counted from 2025-01-01 00:10, the first time at 2025-01-06 08:10, and it comes before the schedule began at 2025-01-06 08:00");
}

#[test]
fn the_nearest_slots_lie_on_both_sides() {
    let nearest = |when: &When, time: &str| {
        let Nearest { before, after } = when.in_zone("UTC").unwrap().nearest(at(BEGINNING), at(time));
        (before.map(text), after.map(text))
    };
    let some = |time: &str| Some(time.to_owned());
    let ending = of_cron("0 9 * * *", Stop::Until(at("2025-01-08T12:00:00Z")));
    assert_eq!(nearest(&ending, "2025-01-06T09:00:00Z"), (None, some("2025-01-07T09:00:00Z")));
    assert_eq!(
        nearest(&ending, "2025-01-07T10:00:00Z"),
        (some("2025-01-07T09:00:00Z"), some("2025-01-08T09:00:00Z"))
    );
    assert_eq!(nearest(&ending, "2025-06-07T10:00:00Z"), (some("2025-01-08T09:00:00Z"), None));
    assert_eq!(nearest(&ending, "1999-06-07T10:00:00Z"), (None, some("2025-01-06T09:00:00Z")));
    let over = When::Oneshot { fire_at: at("2025-01-01T08:00:00Z") };
    assert_eq!(nearest(&over, "2025-01-02T08:00:00Z"), (None, None), "it was over before it began");
}

#[test]
fn a_time_is_written_as_people_of_the_zone_read_it() {
    for (zone_name, instant, written) in [
        ("Europe/Berlin", "2025-01-06T08:00:00Z", "2025-01-06 09:00"),
        ("Europe/Berlin", "2025-01-06T08:00:00.900Z", "2025-01-06 09:00"),
        ("Europe/Berlin", "2025-01-06T08:00:07Z", "2025-01-06 09:00:07"),
        ("Asia/Kathmandu", "2025-01-06T18:30:00Z", "2025-01-07 00:15"),
        ("Europe/Berlin", "2025-10-26T00:30:00Z", "2025-10-26 02:30 (UTC+02:00)"),
        ("Europe/Berlin", "2025-10-26T01:30:00Z", "2025-10-26 02:30 (UTC+01:00)"),
    ] {
        assert_eq!(local_time(&zone(zone_name), at(instant)), written);
    }
}

/// The fields that a clause names, found by what it says of this local time.
fn named(clause: &str, local: i64) -> Vec<&'static str> {
    let time = DateTime::from_timestamp(local * 60, 0).unwrap();
    let ending = |day: u32| match day {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    };
    let subjects = [
        ("minute", format!("minute {}", time.minute())),
        ("hour", format!("hour {}", time.hour())),
        ("month", time.format("%B").to_string()),
        ("day of month", format!("the {}{}", time.day(), ending(time.day()))),
        ("day of week", time.format("%A").to_string()),
    ];
    let is_named = |subject: &String| clause.contains(&format!("{subject} is not "));
    subjects.into_iter().filter(|(_, subject)| is_named(subject)).map(|(field, _)| field).collect()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_fields_that_are_named_are_those_that_say_no(
        fields in fields(),
        (zone_name, around) in near_a_change(),
        begins_before in 0..90i64,
        seconds in 0..60i64,
    ) {
        prop_assume!(Cron::parse(&fields.expression()).is_ok());
        const MINUTES: i64 = 180;
        let slow = Slow::new(&fields);
        let library = library_zone(zone_name);
        let beginning = around.plus_ms(begins_before * MINUTE_MS);
        let fires = slow.fires(&library, beginning, MINUTES);
        let when = of_cron(&fields.expression(), Stop::Never);
        let (schedule, zone) = (when.in_zone(zone_name).unwrap(), zone(zone_name));
        let first = around.as_millis().div_euclid(MINUTE_MS) + 1;
        for minute in first..first + MINUTES {
            let time = Timestamp::from_millis(minute * MINUTE_MS + seconds * 1000);
            let slot = fires.iter().copied().find(|fire| fire.as_millis() == minute * MINUTE_MS);
            prop_assert_eq!(schedule.slot_meant(beginning, time), slot, "{}", text(time));
            if slot.is_some() {
                continue;
            }
            let clause = when.why_not(&zone, beginning, time);
            let instant = jiff::Timestamp::from_second(minute * 60).unwrap();
            let local = (minute * 60 + i64::from(library.to_offset(instant).seconds())).div_euclid(60);
            let says_no = slow.says_no(local);
            prop_assert_eq!(named(&clause, local), says_no.clone(), "{} at {}: {}", fields.expression(), text(time), clause);
            let began_later = Timestamp::from_millis(minute * MINUTE_MS) <= beginning;
            let by_clocks = clause.contains(" twice on ");
            let too_early = time <= beginning || (says_no.is_empty() && began_later && !by_clocks);
            prop_assert_eq!(clause.contains("the schedule began"), too_early, "{}", clause);
            // Where every field says yes and it has begun, only clocks are left: the time comes for the second time.
            let only_clocks = says_no.is_empty() && !began_later;
            prop_assert!(!only_clocks || by_clocks, "{}", clause);
        }
    }
}
