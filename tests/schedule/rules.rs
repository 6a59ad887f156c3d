//! The rules one by one, each with the zone and the day that shows it.

use sexton::domain::schedule::cron::Cron;
use sexton::domain::time::Timestamp;

use super::support::{at, cron, next, zone};

fn assert_next(expression: &str, zone: &str, after: &str, expected: &[&str]) {
    assert_eq!(
        next(expression, zone, after, expected.len()),
        expected,
        "{expression} in {zone} after {after}"
    );
}

#[test]
fn a_skipped_time_fires_once_after_the_gap() {
    assert_next(
        "30 2 * * *",
        "America/New_York",
        "2025-03-08T12:00:00Z",
        &["2025-03-09T07:00:00Z", "2025-03-10T06:30:00Z"],
    );
}

#[test]
fn several_skipped_times_and_the_end_of_the_gap_are_one_instant() {
    assert_next(
        "0,15,30,45 2,3 * * *",
        "America/New_York",
        "2025-03-09T06:59:00Z",
        &["2025-03-09T07:00:00Z", "2025-03-09T07:15:00Z", "2025-03-09T07:30:00Z"],
    );
}

#[test]
fn the_skipped_date_decides_the_day() {
    // Saturday the 28th at 23:30 is skipped; the instant after the gap is Sunday the 29th at 00:00.
    assert_next(
        "30 23 * * 6",
        "America/Nuuk",
        "2026-03-28T12:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-04-05T00:30:00Z"],
    );
    assert_next("30 23 * * 0", "America/Nuuk", "2026-03-28T12:00:00Z", &["2026-03-30T00:30:00Z"]);
    assert_next("30 23 28 3 *", "America/Nuuk", "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00Z"]);
}

#[test]
fn a_repeated_time_fires_at_its_first_occurrence() {
    assert_next(
        "30 1 * * *",
        "America/New_York",
        "2025-11-02T04:00:00Z",
        &["2025-11-02T05:30:00Z", "2025-11-03T06:30:00Z"],
    );
    // Asked inside the repeated hour, when the first occurrence is past.
    assert_next("30 1 * * *", "America/New_York", "2025-11-02T06:10:00Z", &["2025-11-03T06:30:00Z"]);
    assert_next("45 1 * * *", "Australia/Lord_Howe", "2025-04-05T14:50:00Z", &["2025-04-06T15:15:00Z"]);
}

#[test]
fn real_minutes_fire_in_both_repeated_hours_and_in_no_gap() {
    assert_next(
        "*/30 1 * * *",
        "America/New_York",
        "2025-11-02T04:00:00Z",
        &["2025-11-02T05:00:00Z", "2025-11-02T05:30:00Z", "2025-11-02T06:00:00Z", "2025-11-02T06:30:00Z"],
    );
    assert_next("*/30 2 * * *", "America/New_York", "2025-03-09T00:00:00Z", &["2025-03-10T06:00:00Z"]);
}

#[test]
fn a_change_of_three_hours_is_a_correction() {
    // Apia had no 30th of December 2011.
    assert_next("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", &["2012-12-29T22:00:00Z"]);
    assert_next("0 0 31 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", &["2011-12-30T10:00:00Z"]);
    // Casey station went three hours forward on 2009-10-18 at 02:00, and back on 2010-03-05.
    assert_next("0 4 * * *", "Antarctica/Casey", "2009-10-16T21:00:00Z", &["2009-10-18T17:00:00Z"]);
    assert_next(
        "0 0 * * *",
        "Antarctica/Casey",
        "2010-03-04T00:00:00Z",
        &["2010-03-04T13:00:00Z", "2010-03-05T16:00:00Z"],
    );
    // Troll's two hours are daylight saving.
    assert_next("30 2 * * *", "Antarctica/Troll", "2025-03-29T12:00:00Z", &["2025-03-30T01:00:00Z"]);
}

#[test]
fn a_repeated_day_fires_once() {
    // Samoa went from the 4th of July 1892 to the 4th of July 1892.
    assert_next(
        "0 12 * * *",
        "Pacific/Apia",
        "1892-07-03T12:00:00Z",
        &["1892-07-03T23:27:00Z", "1892-07-05T23:27:00Z", "1892-07-06T23:27:00Z"],
    );
}

#[test]
fn an_offset_with_seconds_fires_at_whole_minutes() {
    // Monrovia was 44 minutes and 30 seconds behind until 1972-01-07T00:44:30Z; clocks showed 45 minutes.
    assert_next(
        "0 12 * * *",
        "Africa/Monrovia",
        "1972-01-05T00:00:00Z",
        &["1972-01-05T12:45:00Z", "1972-01-06T12:45:00Z", "1972-01-07T12:00:00Z"],
    );
    // 00:15 on the 7th was skipped.
    assert_next(
        "15 0 * * *",
        "Africa/Monrovia",
        "1972-01-06T12:00:00Z",
        &["1972-01-07T00:45:00Z", "1972-01-08T00:15:00Z"],
    );
}

#[test]
fn sparse_dates_are_found_however_far_away() {
    let fires = next("0 0 29 2 */7", "UTC", "2025-01-01T00:00:00Z", 4);
    assert_eq!(
        fires,
        ["2032-02-29T00:00:00Z", "2060-02-29T00:00:00Z", "2088-02-29T00:00:00Z", "2128-02-29T00:00:00Z"]
    );
    assert_next("0 0 29 2 */7", "America/New_York", "2088-03-01T00:00:00Z", &["2128-02-29T05:00:00Z"]);
}

#[test]
fn what_a_clock_never_shows_has_no_fire() {
    // Sundays from the 8th to the 14th of March, real minutes of the hour that is skipped on that day.
    let (never, new_york) = (cron("* 2 8-14 3 */7"), zone("America/New_York"));
    assert_eq!(never.next_after(&new_york, at("2025-01-01T00:00:00Z")), None);
    assert!(never.next_after(&zone("UTC"), at("2025-01-01T00:00:00Z")).is_some());
}

#[test]
fn sparse_dates_are_found_up_to_the_end_of_the_calendar() {
    let sundays = (2025..=9999)
        .filter_map(|year| chrono::NaiveDate::from_ymd_opt(year, 2, 29))
        .filter(|date| chrono::Datelike::weekday(date) == chrono::Weekday::Sun)
        .map(|date| format!("{date}T05:00:00Z"));
    let fires = next("0 0 29 2 */7", "America/New_York", "2025-01-01T00:00:00Z", usize::MAX);
    assert_eq!(fires, sundays.collect::<Vec<_>>());
}

#[test]
fn impossible_dates_are_refused_when_written() {
    for expression in ["0 0 31 2 *", "0 0 30,31 2 *", "* * 31 4,6,9,11 *", "0 0 31 2 */2"] {
        assert_eq!(Cron::parse(expression).unwrap_err().field, "day-of-month", "{expression}");
    }
}

#[test]
fn the_calendar_ends() {
    let utc = zone("UTC");
    let last = cron("0 0 30 12 *").next_after(&utc, at("9999-01-01T00:00:00Z"));
    assert_eq!(last, Some(Timestamp::MAX));
    for after in [Timestamp::MAX, Timestamp::MAX.plus_ms(1), Timestamp::from_millis(i64::MAX)] {
        assert_eq!(cron("* * * * *").next_after(&utc, after), None);
    }
    assert_eq!(cron("0 0 31 12 *").next_after(&utc, at("9999-01-01T00:00:00Z")), None);
    let first = cron("* * * * *").next_after(&utc, Timestamp::from_millis(i64::MIN));
    assert_eq!(first, Some(at("0001-01-01T00:00:00Z")));
}

#[test]
fn nicknames_mean_their_expressions() {
    for (nickname, expression) in [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ] {
        let after = "2026-02-27T11:12:13Z";
        assert_eq!(next(nickname, "Europe/Berlin", after, 30), next(expression, "Europe/Berlin", after, 30));
    }
}

#[test]
fn names_and_both_sundays_mean_their_numbers() {
    for (one, other) in [
        ("0 0 * JAN-Mar sun", "0 0 * 1-3 0"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * 4-7/2", "0 0 * * thu,sat"),
        ("0 0 1 dec tue", "0 0 1 12 2"),
    ] {
        let after = "2026-02-27T11:12:13Z";
        assert_eq!(next(one, "UTC", after, 30), next(other, "UTC", after, 30), "{one}");
    }
}
