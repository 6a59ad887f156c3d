//! Schedules in words: what they say, and that it is what fires.

use std::collections::HashMap;

use proptest::prelude::*;
use sexton::domain::automation::When;
use sexton::domain::schedule::cron::Cron;
use sexton::domain::schedule::rhythm::{Rhythm, Stop};
use sexton::domain::schedule::zone::Zone;
use sexton::domain::schedule::{local_time_with_offset, weekday_of};
use sexton::domain::time::Timestamp;

use super::support::{Fields, Written, at, cases, cron, fields, fires, zone};

/// An expression in words, without the zone.
fn words(expression: &str) -> String {
    let when = When::Recurring { rhythm: Rhythm::Cron(cron(expression)), stop: Stop::Never };
    let words = when.in_words(&zone("UTC"));
    words.strip_suffix(", UTC").unwrap().to_owned()
}

#[test]
fn expressions_are_told_in_english() {
    let expressions = [
        "* * * * *",
        "*/5 * * * *",
        "0,30 * * * *",
        "5-59/15 * * * *",
        "3-59/5 * * * *",
        "*/7 * * * *",
        "*/40 * * * *",
        "0-29 * * * *",
        "1,2,3,20-30 * * * *",
        "@hourly",
        "17 * * * *",
        "0 0-23 * * *",
        "@daily",
        "30 2 * * *",
        "0 9,12 * * *",
        "0 */4 * * *",
        "0 */5 * * *",
        "0 */2 * * *",
        "0 1-23/2 * * *",
        "0 9-17 * * 1-5",
        "30 9-17 * * *",
        "*/15 9-17 * * MON-FRI",
        "*/10 8 * * *",
        "* 9 * * *",
        "0,20,50 9-17 * * *",
        "*/15 8-11,14-17 * * 1-5",
        "*/15 22-23,0-5 * * *",
        "0 8-17,20 * * *",
        "5,35 1,4,9-12 * * *",
        "*/7 9-17/4,20 * * *",
        "*/20 */2 * * *",
        "0 9 * * 1-5",
        "0 9 * * 6,7",
        "0 9 * * mon",
        "0 9 * * 1,3,5",
        "0 9 * * 1-4",
        "0 9 * * 1-6",
        "0 9 * * 5-7",
        "0 9 * 6 1-5",
        "0 9 * jun-aug *",
        "0 9 * */3 *",
        "0 9 * 1-7,9-12 *",
        "*/15 * * 6 *",
        "*/15 * * * 1-5",
        "*/15 9-17 1 * *",
        "@monthly",
        "@yearly",
        "@weekly",
        "0 9 1,15 * *",
        "0 9 1-7 * *",
        "0 9 31 * *",
        "0 9 30 * *",
        "0 9 30,31 * *",
        "0 9 1,31 * *",
        "0 9 28-31 * *",
        "0 9 29 2 *",
        "0 9 28,29 2 *",
        "0 9 10,20,30 * *",
        "0 9 */2 * *",
        "0 9 2-31/2 * *",
        "0 9 31 1,4 *",
        "0 9 1 1,4,7,10 *",
        "0 9 15 6-8 *",
        "0 9 15 1-6,8-12 *",
        "0 9 13 * 5",
        "0 9 13 6 5",
        "0 9 1,15 * 1-5",
        "*/30 9-17 1 * 1",
        "0 9 1-7 * */7",
        "0 9 */2 * 1",
        "0 0 29 2 */7",
        "0 9 1-31 * 1",
        "0 9 1 * 0-6",
        "0 9 1-29 2 *",
    ];
    let told: Vec<String> =
        expressions.iter().map(|expression| format!("{expression:28} {}", words(expression))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

fn recurring(rhythm: Rhythm, stop: Stop, zone_name: &str) -> String {
    When::Recurring { rhythm, stop }.in_words(&zone(zone_name))
}

#[test]
fn zones_intervals_one_shots_and_ends_are_told() {
    let interval = |seconds: i64| {
        recurring(Rhythm::Interval { every_ms: seconds * 1000, anchor_at: None }, Stop::Never, "UTC")
    };
    let once = |text: &str, name: &str| When::Oneshot { fire_at: at(text) }.in_words(&zone(name));
    let weekdays = |stop| recurring(Rhythm::Cron(cron("0 9 * * 1-5")), stop, "Europe/Berlin");
    let until = |text| Stop::Until(at(text));
    let hourly = Rhythm::Interval { every_ms: 3_600_000, anchor_at: None };
    let anchored = Rhythm::Interval { every_ms: 3_600_000, anchor_at: Some(at("2026-11-02T08:00:05.500Z")) };
    let told = [
        weekdays(Stop::Never),
        weekdays(Stop::Count(1)),
        weekdays(Stop::Count(10)),
        weekdays(until("2026-12-24T17:00:00Z")),
        weekdays(until("2026-12-24T22:59:59.999Z")),
        recurring(hourly.clone(), until("2026-12-24T17:00:00Z"), "Europe/Berlin"),
        recurring(hourly, Stop::Count(3), "Europe/Berlin"),
        recurring(anchored.clone(), Stop::Never, "Europe/Berlin"),
        recurring(anchored, until("2026-12-24T17:00:00Z"), "Europe/Berlin"),
        interval(30),
        interval(60),
        interval(61),
        interval(90 * 60),
        interval(2 * 3600),
        interval(24 * 3600),
        interval(36 * 3600),
        interval(7 * 24 * 3600),
        recurring(Rhythm::Interval { every_ms: 30_500, anchor_at: None }, Stop::Never, "UTC"),
        once("2026-11-02T08:00:00Z", "Europe/Berlin"),
        once("2026-11-02T08:00:05Z", "Europe/Berlin"),
        once("2026-11-02T08:00:59.250Z", "Asia/Kolkata"),
        once("2025-10-26T00:30:00Z", "Europe/Berlin"),
        once("2025-10-26T01:30:00Z", "Europe/Berlin"),
        once("2025-11-02T06:30:00Z", "America/New_York"),
        once("2025-10-26T02:00:00Z", "Europe/Berlin"),
        once("9999-12-29T23:59:59.999Z", "Pacific/Kiritimati"),
        once("1970-01-01T00:00:00Z", "America/New_York"),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

/// The first fires in UTC, where no clock changes.
fn first_fires(expression: &str) -> Vec<Timestamp> {
    fires(&cron(expression), &zone("UTC"), at("2025-01-01T00:00:00Z")).take(200).collect()
}

/// All ways to take one text of each list.
fn combined(fields: [&[&str]; 5]) -> Vec<String> {
    let mut expressions = vec![String::new()];
    for texts in fields {
        let with_each = |expression: String| texts.iter().map(move |text| format!("{expression} {text}"));
        expressions = expressions.into_iter().flat_map(with_each).collect();
    }
    expressions
}

#[test]
fn what_fires_otherwise_reads_otherwise() {
    let minutes = ["*", "0", "17", "*/2", "*/15", "*/20", "*/7", "5-59/15", "0-29", "0,1", "0,45", "1-8,30"];
    let hours = ["*", "9", "0-23", "0,12", "9-17", "9-18", "*/2", "1-23/2", "*/5", "9-11,14-16", "1,2,3,20"];
    let days = ["*", "1", "31", "30,31", "28-31", "1-7", "*/2", "2-31/2", "10,20,30", "1-31", "29"];
    let months = ["*", "2", "4", "1,3,5,7,8,10,12", "6-8", "1-11", "*/3"];
    let weekdays = ["*", "1-5", "6,0", "1", "5-7", "1-6", "*/2", "0-6"];
    let times = combined([&minutes, &hours, &["*", "1,15"], &["*", "6"], &["*", "1-5"]]);
    let dates = combined([&["0", "*/20"], &["9", "*"], &days, &months, &weekdays]);

    let mut said: HashMap<String, &str> = HashMap::new();
    let mut differing = Vec::new();
    let possible = |expression: &&String| Cron::parse(expression).is_ok();
    for expression in times.iter().chain(&dates).filter(possible) {
        let words = words(expression);
        let known = *said.entry(words.clone()).or_insert(expression);
        if known != expression.as_str() && first_fires(known) != first_fires(expression) {
            differing.push(format!("{words:?} is said of {known} and of {expression}"));
        }
    }
    assert!(said.len() > 1500, "{} different words", said.len());
    assert!(differing.is_empty(), "{}", differing[..differing.len().min(20)].join("\n"));
}

/// The same field as a list of its values, last one first; what begins with a star has to go on doing so.
fn spelled_out(field: &Written) -> String {
    let mut values: Vec<String> = field.values.iter().rev().map(ToString::to_string).collect();
    if field.text.starts_with('*') {
        values.insert(0, field.text.clone());
    }
    values.join(",")
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn two_spellings_of_one_schedule_read_the_same(fields in fields()) {
        let Fields { minute, hour, day_of_month, month, day_of_week } = &fields;
        let other = [minute, hour, day_of_month, month, day_of_week].map(spelled_out).join(" ");
        let Ok(one) = Cron::parse(&fields.expression()) else { return Ok(()) };
        prop_assert!(one.fires_like(&cron(&other)));
        prop_assert_eq!(words(&fields.expression()), words(&other));
    }

    #[test]
    fn schedules_that_read_the_same_fire_alike(fields in fields(), place in 0..5usize, other in super::support::field(1, 7)) {
        let mut changed = fields.clone();
        let Fields { minute, hour, day_of_month, month, day_of_week } = &mut changed;
        *[minute, hour, day_of_month, month, day_of_week][place] = other;
        let (one, other) = (fields.expression(), changed.expression());
        prop_assume!(Cron::parse(&one).is_ok() && Cron::parse(&other).is_ok());
        if words(&one) == words(&other) {
            prop_assert_eq!(first_fires(&one), first_fires(&other));
        }
    }

    #[test]
    fn words_are_one_line_of_prose(fields in fields()) {
        prop_assume!(Cron::parse(&fields.expression()).is_ok());
        let words = words(&fields.expression());
        prop_assert!(words.starts_with(|first: char| first.is_ascii_uppercase()), "{}", words);
        let clean = !words.contains("  ") && !words.contains(" ,") && !words.ends_with(' ') && words.len() < 700;
        prop_assert!(clean && words.is_ascii() && !words.contains('\n'), "{}", words);
    }
}

#[test]
fn a_local_time_can_be_told_so_that_other_clocks_understand_it() {
    for (name, instant, told, day) in [
        ("Europe/London", "2025-01-06T09:00:00Z", "2025-01-06 09:00+00:00", "Monday"),
        ("Europe/London", "2025-10-26T00:30:00Z", "2025-10-26 01:30+01:00", "Sunday"),
        ("Europe/London", "2025-10-26T01:30:00Z", "2025-10-26 01:30+00:00", "Sunday"),
        ("America/St_Johns", "2025-01-06T03:00:00Z", "2025-01-05 23:30-03:30", "Sunday"),
        ("Asia/Tokyo", "2025-01-06T15:00:00Z", "2025-01-07 00:00+09:00", "Tuesday"),
    ] {
        assert_eq!(local_time_with_offset(&zone(name), at(instant)), told);
        assert_eq!(weekday_of(&zone(name), at(instant)), day);
    }
}

#[test]
fn an_unknown_zone_is_shown_on_one_short_line() {
    let told = |name: &str| Zone::named(name).unwrap_err().to_string();
    let hint = "name one of the IANA database, such as `Europe/Berlin` or `UTC`";
    assert_eq!(told("Mars/Base"), format!("there is no time zone `Mars/Base`; {hint}"));
    assert_eq!(told("a\nb"), format!("there is no time zone `a\\nb`; {hint}"));
    assert_eq!(told(&"x".repeat(61)), format!("there is no time zone `{}`; {hint}", "x".repeat(60)));
}
