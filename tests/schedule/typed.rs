//! Times and spans as people type them.

use proptest::prelude::*;
use sexton::domain::schedule::local_time;
use sexton::domain::schedule::typed::{Coming, read_coming, read_span, read_time};
use sexton::domain::time::Timestamp;

use super::slow::near_a_change;
use super::support::{MINUTE_MS, at, cases, text, zone};

/// Monday, a quarter past nine in Berlin.
const NOW: &str = "2025-01-06T08:15:20.500Z";

fn read(typed: &str) -> Option<String> {
    read_time(typed, &zone("Europe/Berlin"), at(NOW)).ok().map(text)
}

#[test]
fn times_are_read_by_the_clocks_of_the_zone() {
    for (typed, meant) in [
        ("now", "2025-01-06T08:15:20.5Z"),
        ("09:00", "2025-01-06T08:00:00Z"),
        ("9:00", "2025-01-06T08:00:00Z"),
        ("23:59:59", "2025-01-06T22:59:59Z"),
        ("today 09:00", "2025-01-06T08:00:00Z"),
        ("Yesterday  09:00 ", "2025-01-05T08:00:00Z"),
        ("tomorrow 0:30", "2025-01-06T23:30:00Z"),
        ("yesterday", "2025-01-04T23:00:00Z"),
        ("2025-07-01", "2025-06-30T22:00:00Z"),
        ("2025-07-01 09:00", "2025-07-01T07:00:00Z"),
        ("2025-07-01T09:00:30.25", "2025-07-01T07:00:30.25Z"),
        ("2025-07-01 09:00:30.123456789", "2025-07-01T07:00:30.123Z"),
        ("2025-07-01T09:00:00Z", "2025-07-01T09:00:00Z"),
        ("2025-07-01 09:00 utc", "2025-07-01T09:00:00Z"),
        ("2025-07-01t09:00:00-03:30", "2025-07-01T12:30:00Z"),
        ("2025-07-01 09:00+05:45", "2025-07-01T03:15:00Z"),
        ("09:00Z", "2025-01-06T09:00:00Z"),
        ("1736150400000", "2025-01-06T08:00:00Z"),
        ("000000000", "1970-01-01T00:00:00Z"),
        // Clocks show it twice: the first time, unless somebody says which.
        ("2025-10-26 02:30", "2025-10-26T00:30:00Z"),
        ("2025-10-26 02:30 (UTC+02:00)", "2025-10-26T00:30:00Z"),
        ("2025-10-26 02:30 (UTC+01:00)", "2025-10-26T01:30:00Z"),
        // Clocks skip it.
        ("2025-03-30 02:30", "2025-03-30T01:00:00Z"),
    ] {
        assert_eq!(read(typed).as_deref(), Some(meant), "{typed}");
    }
}

#[test]
fn what_is_no_time_is_refused() {
    for typed in [
        "",
        "  ",
        "soon",
        "24:00",
        "09:60",
        "09:00:60",
        "9",
        "900",
        "2025",
        "20250106",
        "9:5",
        "09:00:",
        "09:00:30.",
        "009:00",
        "2025-02-29",
        "2025-13-01 09:00",
        "2025-00-10 09:00",
        "2025-01-00 09:00",
        "2025-1-6 09:00",
        "2025-01-0609:00",
        "2025-01-06T",
        "2025-01-06 09:00 Berlin",
        "2025-01-06 09:00 (UTC+01:00",
        "2025-01-06 09:00 ()",
        "2025-01-06 09:00+0100",
        "2025-01-06 09:00+25:00",
        "yesterday09:00",
        "yesterday yesterday",
        "-1736150400000",
        "99999999999999999999",
        "253402128000001",
        "1969-12-31 23:00",
        "9999-12-31 09:00",
        "09:00\u{661}",
        "\u{fe0f}",
    ] {
        let refused = read_time(typed, &zone("Europe/Berlin"), at(NOW)).unwrap_err();
        assert!(refused.to_string().contains("is no time; write one such as `09:00`"), "{refused}");
    }
}

#[test]
fn what_is_planned_lies_ahead() {
    let day = |first: &str, last_minute: &str| Coming::Day { first: at(first), last_minute: at(last_minute) };
    let instant = |time: &str| Coming::At(at(time));
    for (typed, meant) in [
        // It is Monday, 09:15:20.5.
        ("09:16", instant("2025-01-06T08:16:00Z")),
        ("09:15", instant("2025-01-07T08:15:00Z")),
        ("9:00 UTC", instant("2025-01-06T09:00:00Z")),
        ("08:00Z", instant("2025-01-07T08:00:00Z")),
        ("monday 09:16", instant("2025-01-06T08:16:00Z")),
        ("Mon 09:15", instant("2025-01-13T08:15:00Z")),
        ("FRIDAY  17:00", instant("2025-01-10T16:00:00Z")),
        ("sun 17:00:30", instant("2025-01-12T16:00:30Z")),
        ("fri 17:00 (UTC+02:00)", instant("2025-01-10T15:00:00Z")),
        ("friday", day("2025-01-09T23:00:00Z", "2025-01-10T22:59:00Z")),
        ("Monday", day("2025-01-05T23:00:00Z", "2025-01-06T22:59:00Z")),
        ("today", day("2025-01-05T23:00:00Z", "2025-01-06T22:59:00Z")),
        (" tomorrow ", day("2025-01-06T23:00:00Z", "2025-01-07T22:59:00Z")),
        // A day of 23 hours.
        ("2025-03-30", day("2025-03-29T23:00:00Z", "2025-03-30T21:59:00Z")),
        ("tomorrow 09:00", instant("2025-01-07T08:00:00Z")),
        // What is written with its day is meant as it is written.
        ("today 09:00", instant("2025-01-06T08:00:00Z")),
        ("2024-12-31T09:00:00+01:00", instant("2024-12-31T08:00:00Z")),
        ("1736150400000", instant("2025-01-06T08:00:00Z")),
        ("now", instant(NOW)),
    ] {
        assert_eq!(read_coming(typed, &zone("Europe/Berlin"), at(NOW)), Ok(meant), "{typed}");
    }
    for typed in [
        "",
        "soon",
        "friday17:00",
        "friday 25:00",
        "fr 17:00",
        "next friday",
        "friday noon",
        "9",
        "friday friday",
    ] {
        let refused = read_coming(typed, &zone("Europe/Berlin"), at(NOW)).unwrap_err();
        assert!(refused.to_string().contains("is no time; write one such as `17:30`"), "{refused}");
    }
}

#[test]
fn spans_are_sums_of_units() {
    const SECOND: i64 = 1000;
    const HOUR: i64 = 60 * MINUTE_MS;
    for (typed, meant) in [
        ("500ms", 500),
        ("30s", 30 * SECOND),
        ("90m", 90 * MINUTE_MS),
        ("90 Minutes", 90 * MINUTE_MS),
        ("1h30m", 90 * MINUTE_MS),
        ("1 hour 30 min", 90 * MINUTE_MS),
        (" 1d ", 24 * HOUR),
        ("2w1s", 14 * 24 * HOUR + SECOND),
    ] {
        assert_eq!(read_span(typed), Ok(meant), "{typed}");
    }
    for typed in [
        "",
        "0s",
        "90",
        "m",
        "m90",
        "-5m",
        "1.5h",
        "5x",
        "1h,30m",
        "1h30",
        "9223372036854775807w",
        "99999999999999999999s",
    ] {
        let refused = read_span(typed).unwrap_err();
        assert!(refused.to_string().contains("is no span of time"), "{refused}");
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn what_is_written_as_a_local_time_is_read_as_the_same_second((zone_name, around) in near_a_change(), seconds in 0..86_400i64) {
        let at = Timestamp::from_millis(around.as_millis().div_euclid(1000) * 1000 + seconds * 1000);
        prop_assume!(at >= Timestamp::EPOCH);
        let zone = zone(zone_name);
        let written = local_time(&zone, at);
        prop_assert_eq!(read_time(&written, &zone, at), Ok(at), "{}", written);
    }

    #[test]
    fn any_text_is_a_time_or_is_refused(typed in "[0-9:T+() Z-]{0,24}|\\PC{0,30}") {
        let read = read_time(&typed, &zone("Europe/Berlin"), at(NOW));
        prop_assert!(read.is_err() || read.is_ok_and(|at| at <= Timestamp::MAX));
        let _ = read_coming(&typed, &zone("Europe/Berlin"), at(NOW));
        let _ = read_span(&typed);
    }
}
