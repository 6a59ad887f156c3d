//! Times and spans as people type them.

use proptest::prelude::*;
use sexton::domain::schedule::local_time;
use sexton::domain::schedule::typed::{read_span, read_time};
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
        let _ = read_span(&typed);
    }
}
