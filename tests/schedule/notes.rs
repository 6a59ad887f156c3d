//! What is told about single fires: clock changes, days that a month has not, steps that do not fit.

use proptest::prelude::*;
use sexton::domain::automation::When;
use sexton::domain::draft::{ScheduleDraft, limits};
use sexton::domain::preview::{Preview, preview};
use sexton::domain::schedule::cron::Cron;
use sexton::domain::schedule::notes::NoteKind;
use sexton::domain::schedule::rhythm::{Rhythm, Stop};
use sexton::domain::time::Timestamp;

use super::support::{MINUTE_MS, at, cases, cron, fields, text};

fn preview_of(when: When, zone: &str, after: &str, count: usize) -> Preview {
    let draft = ScheduleDraft { when, timezone: zone.to_owned(), after: Some(at(after)), count };
    preview(&draft, Timestamp::EPOCH).unwrap()
}

fn of_cron(expression: &str, zone: &str, after: &str, count: usize) -> Preview {
    let when = When::Recurring { rhythm: Rhythm::Cron(cron(expression)), stop: Stop::Never };
    preview_of(when, zone, after, count)
}

fn of_interval(minutes: i64, zone: &str, after: &str, count: usize) -> Preview {
    let rhythm = Rhythm::Interval { every_ms: minutes * MINUTE_MS, anchor_at: None };
    preview_of(When::Recurring { rhythm, stop: Stop::Never }, zone, after, count)
}

/// The notes, one a line.
fn told(preview: &Preview) -> String {
    let word = |kind: NoteKind| serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned();
    let line = |note: &sexton::domain::schedule::notes::Note| {
        format!("{} {}: {}", text(note.at), word(note.kind), note.text)
    };
    preview.notes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_skipped_time_of_day_is_said_to_fire_after_the_gap() {
    insta::assert_snapshot!(told(&of_cron("30 2 * * *", "Europe/Berlin", "2025-03-29T00:00:00Z", 5)), @"2025-03-30T01:00:00Z clock_moved: On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): 02:30 does not exist and fires at 03:00 instead.");
    insta::assert_snapshot!(told(&of_cron("15,45 2 * * *", "Europe/Berlin", "2025-03-29T00:00:00Z", 5)), @"2025-03-30T01:00:00Z clock_moved: On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): 02:15 and 02:45 do not exist and fire once, at 03:00 instead.");
    let with_the_end = of_cron("0,30 2,3 * * *", "Europe/Berlin", "2025-03-29T00:00:00Z", 9);
    insta::assert_snapshot!(told(&with_the_end), @"2025-03-30T01:00:00Z clock_moved: On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): 02:00 and 02:30 do not exist and fire once, at 03:00, together with that time itself.");
    // The date that was skipped decides: a Saturday fires on Sunday.
    insta::assert_snapshot!(told(&of_cron("30 23 * * 6", "America/Nuuk", "2026-03-22T12:00:00Z", 2)), @"2026-03-29T01:00:00Z clock_moved: Clocks go forward from 2026-03-28 23:00 to 2026-03-29 00:00 (America/Nuuk): 23:30 does not exist and fires at 00:00 instead.");
}

#[test]
fn a_skipped_time_that_does_not_fire_is_told() {
    insta::assert_snapshot!(told(&of_cron("*/30 2 * * *", "Europe/Berlin", "2025-03-29T00:00:00Z", 4)), @"2025-03-30T01:00:00Z clock_skipped: On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): 02:00 and 02:30 do not exist and do not fire.");
    insta::assert_snapshot!(told(&of_cron("*/5 2 * * *", "Europe/Berlin", "2025-03-29T00:00:00Z", 14)), @"2025-03-30T01:00:00Z clock_skipped: On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): 02:00, 02:05, 02:10 and 9 more do not exist and do not fire.");
    insta::assert_snapshot!(told(&of_cron("0 9 * * *", "Pacific/Apia", "2011-12-28T00:00:00Z", 4)), @"2011-12-30T10:00:00Z clock_skipped: Clocks go forward from 2011-12-30 00:00 to 2011-12-31 00:00 (Pacific/Apia): 09:00 does not exist and does not fire.");
}

#[test]
fn a_repeated_time_is_said_to_fire_once_or_twice() {
    insta::assert_snapshot!(told(&of_cron("30 1 * * *", "America/New_York", "2025-11-01T12:00:00Z", 1)), @"2025-11-02T05:30:00Z clock_once: On 2025-11-02 clocks go back from 02:00 to 01:00 (America/New_York): 01:30 comes twice and fires the first time only.");
    insta::assert_snapshot!(told(&of_cron("*/30 1 * * *", "America/New_York", "2025-11-01T12:00:00Z", 4)), @"2025-11-02T06:00:00Z clock_repeated: On 2025-11-02 clocks go back from 02:00 to 01:00 (America/New_York): 01:00 and 01:30 come twice and fire both times.");
    insta::assert_snapshot!(told(&of_cron("30 23 * * 6", "America/Nuuk", "2025-10-25T00:00:00Z", 1)), @"2025-10-26T00:30:00Z clock_once: Clocks go back from 2025-10-26 00:00 to 2025-10-25 23:00 (America/Nuuk): 23:30 comes twice and fires the first time only.");
    // The second time lies behind the fires that were asked for.
    insta::assert_snapshot!(told(&of_cron("*/30 1 * * *", "America/New_York", "2025-11-01T12:00:00Z", 2)), @"");
}

#[test]
fn an_ambiguous_one_shot_says_which_of_the_two_times_it_is() {
    let once = |fire_at: &str| {
        told(&preview_of(When::Oneshot { fire_at: at(fire_at) }, "Europe/Berlin", "2025-01-01T00:00:00Z", 5))
    };
    insta::assert_snapshot!(once("2025-10-26T00:30:00Z"), @"2025-10-26T00:30:00Z clock_repeated: Clocks show 02:30 twice on 2025-10-26 (Europe/Berlin): it fires the first time, at UTC+02:00.");
    insta::assert_snapshot!(once("2025-10-26T01:30:00Z"), @"2025-10-26T01:30:00Z clock_repeated: Clocks show 02:30 twice on 2025-10-26 (Europe/Berlin): it fires the second time, at UTC+01:00.");
    assert_eq!(once("2025-10-26T02:00:00Z"), "");
    assert_eq!(once("2025-10-25T23:59:00Z"), "");
    assert_eq!(once("2024-10-27T00:30:00Z"), "", "it lies before the preview");
}

#[test]
fn a_change_that_nobody_notices_is_not_told() {
    let spring = |expression, zone, after| told(&of_cron(expression, zone, after, 200));
    for expression in ["* * * * *", "*/15 * * * *", "17 * * * *"] {
        assert_eq!(spring(expression, "Europe/Berlin", "2025-03-30T00:00:00Z"), "", "{expression}");
    }
    // Clocks change by half an hour there.
    assert_eq!(spring("*/30 * * * *", "Australia/Lord_Howe", "2025-10-04T12:00:00Z"), "");
    insta::assert_snapshot!(spring("0 * * * *", "Australia/Lord_Howe", "2025-10-04T12:00:00Z"), @"2025-10-04T15:30:00Z clock_skipped: On 2025-10-05 clocks go forward from 02:00 to 02:30 (Australia/Lord_Howe): 02:00 does not exist and does not fire.");
    assert_eq!(told(&of_cron("0 9 * * *", "Europe/Berlin", "2025-03-01T00:00:00Z", 300)), "");
}

#[test]
fn an_interval_is_said_to_fire_at_other_times_of_day() {
    insta::assert_snapshot!(told(&of_interval(24 * 60, "Europe/Berlin", "2025-03-28T08:00:00Z", 300)), @r"
    2025-03-30T08:00:00Z clock_shifted: On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): an interval does not follow clocks, so what fired at 09:00 fires at 10:00 from here on.
    2025-10-26T08:00:00Z clock_shifted: On 2025-10-26 clocks go back from 03:00 to 02:00 (Europe/Berlin): an interval does not follow clocks, so what fired at 10:00 fires at 09:00 from here on.
    ");
    insta::assert_snapshot!(told(&of_interval(90, "Europe/Berlin", "2025-03-29T23:00:00Z", 20)), @"2025-03-30T02:00:00Z clock_shifted: On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): an interval does not follow clocks, so what fired at 03:00 fires at 04:00 from here on.");
    // Each hour is an hour; and what fires at other times each day anyway surprises nobody with one change more.
    for minutes in [1, 30, 60, 7, 100] {
        let told = told(&of_interval(minutes, "Europe/Berlin", "2025-03-29T23:00:00Z", 20));
        assert_eq!(told, "", "{minutes} minutes");
    }
}

#[test]
fn a_leap_day_is_told() {
    insta::assert_snapshot!(told(&of_cron("0 0 29 2 *", "UTC", "2091-01-01T00:00:00Z", 3)), @r"
    2092-02-29T00:00:00Z leap_day: 29 February 2092 is a leap day; the next one is in 2096.
    2096-02-29T00:00:00Z leap_day: 29 February 2096 is a leap day; the next one is in 2104.
    2104-02-29T00:00:00Z leap_day: 29 February 2104 is a leap day; the next one is in 2108.
    ");
    insta::assert_snapshot!(told(&of_cron("0 0 29 2 */7", "UTC", "2025-01-01T00:00:00Z", 2)), @r"
    2032-02-29T00:00:00Z leap_day: 29 February 2032 is a leap day; the next one is in 2036.
    2060-02-29T00:00:00Z leap_day: 29 February 2060 is a leap day; the next one is in 2064.
    ");
    assert_eq!(told(&of_cron("0 0 * 2 *", "UTC", "2028-02-01T00:00:00Z", 40)), "");
}

#[test]
fn a_month_without_the_day_is_told() {
    insta::assert_snapshot!(told(&of_cron("0 9 31 * *", "Europe/Berlin", "2025-01-15T00:00:00Z", 4)), @r"
    2025-02-28T23:00:00Z missing_day: February 2025 has no 31st.
    2025-04-30T22:00:00Z missing_day: April 2025 has no 31st.
    2025-06-30T22:00:00Z missing_day: June 2025 has no 31st.
    ");
    insta::assert_snapshot!(told(&of_cron("0 9 29,30 2-4 *", "UTC", "2025-01-15T00:00:00Z", 5)), @r"
    2025-03-01T00:00:00Z missing_day: February 2025 has no 29th and no 30th.
    2026-03-01T00:00:00Z missing_day: February 2026 has no 29th and no 30th.
    ");
    insta::assert_snapshot!(told(&of_cron("0 9 31 4,5 1", "UTC", "2025-04-22T00:00:00Z", 4)), @"2025-05-01T00:00:00Z missing_day: April 2025 has no 31st.");
    // Clocks go forward at midnight there, so that the first of October begins at one o'clock.
    insta::assert_snapshot!(told(&of_cron("0 9 31 * *", "America/Asuncion", "2017-08-31T20:00:00Z", 1)), @"2017-10-01T04:00:00Z missing_day: September 2017 has no 31st.");
    for expression in ["0 9 28-31 * *", "0 9 30 1,3,4 *", "0 9 15 * *", "0 9 31 1,3 *", "0 9 31 * */2"] {
        assert_eq!(told(&of_cron(expression, "UTC", "2025-01-15T00:00:00Z", 20)), "", "{expression}");
    }
}

#[test]
fn a_step_that_is_cut_short_is_told_once() {
    insta::assert_snapshot!(told(&of_cron("*/7 * * * *", "UTC", "2025-01-15T08:30:00Z", 30)), @"2025-01-15T09:00:00Z uneven_step: The minutes are counted anew from :00 in each hour, so that from :56 it is 4 minutes and not 7.");
    insta::assert_snapshot!(told(&of_cron("20 */5 * * *", "UTC", "2025-01-15T08:30:00Z", 30)), @"2025-01-16T00:20:00Z uneven_step: The hours are counted anew from 00:20 on each day, so that from 20:20 it is 4 hours and not 5.");
    insta::assert_snapshot!(told(&of_cron("0 9 */2 * *", "UTC", "2025-04-20T00:00:00Z", 40)), @"2025-06-01T09:00:00Z uneven_step: The days are counted anew from the 1st of each month, so that from the 31st it is 1 day and not 2.");
    insta::assert_snapshot!(told(&of_cron("0 9 2-31/2 * *", "UTC", "2025-02-20T00:00:00Z", 40)), @"2025-04-02T09:00:00Z uneven_step: The days are counted anew from the 2nd of each month, so that from the 30th it is 3 days and not 2.");
    for expression in
        ["*/15 * * * *", "0 */6 * * *", "*/7 9 * * *", "0 */5 * * 1", "0,45 * * * *", "0 9,12,15 * * *"]
    {
        assert_eq!(told(&of_cron(expression, "UTC", "2025-01-15T08:30:00Z", 60)), "", "{expression}");
    }
}

#[test]
fn only_the_previewed_part_of_the_future_is_told_of() {
    let gap = at("2025-03-30T01:00:00Z");
    let kinds = |count| of_cron("30 2 * * *", "Europe/Berlin", "2025-03-28T12:00:00Z", count).notes.len();
    assert_eq!((kinds(1), kinds(2)), (0, 1));
    let after_it = of_cron("30 2 * * *", "Europe/Berlin", &text(gap), 5);
    assert_eq!(after_it.notes, []);
}

#[test]
fn what_is_taken_from_the_end_of_a_schedule_is_told() {
    let rhythm = Rhythm::Cron(cron("*/30 2 30 3 *"));
    let until = |until| {
        let when = When::Recurring { rhythm: rhythm.clone(), stop: Stop::Until(at(until)) };
        preview_of(when, "Europe/Berlin", "2025-03-01T00:00:00Z", 5)
    };
    let over = until("2025-04-01T00:00:00Z");
    assert_eq!(over.fires, []);
    assert_eq!(over.notes.iter().map(|note| note.kind).collect::<Vec<_>>(), [NoteKind::ClockSkipped]);
    assert_eq!(until("2025-03-30T00:59:59Z").notes, [], "it ends before clocks change");
}

#[test]
fn there_are_no_more_notes_than_promised() {
    let many = of_cron("0 9 31 1,2,4,6,9,11 *", "UTC", "2025-01-01T00:00:00Z", 1000);
    assert_eq!((many.fires.len(), many.notes.len()), (1000, limits::PREVIEW_NOTES));
    assert_eq!(text(many.notes[0].at), "2025-03-01T00:00:00Z", "those that come first");
}

#[test]
fn notes_come_in_the_order_of_time() {
    let kinds = of_cron("30 2 30 * *", "Europe/Berlin", "2025-01-15T00:00:00Z", 20).notes;
    let kinds: Vec<NoteKind> = kinds.iter().map(|note| note.kind).collect();
    assert_eq!(kinds, [NoteKind::MissingDay, NoteKind::ClockMoved, NoteKind::MissingDay]);
}

/// Instants at which clocks change.
fn changes() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        ("Europe/Berlin", "2024-03-31T01:00:00Z"),
        ("Europe/Berlin", "2024-10-27T01:00:00Z"),
        ("America/Nuuk", "2024-03-31T01:00:00Z"),
        ("America/Nuuk", "2024-10-27T01:00:00Z"),
        ("Australia/Lord_Howe", "2024-04-06T15:00:00Z"),
        ("Australia/Lord_Howe", "2024-10-05T15:30:00Z"),
        ("America/Asuncion", "2024-03-24T03:00:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ])
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn notes_are_about_the_fires_that_are_shown(
        fields in fields(),
        (zone, change) in changes(),
        before in 0..3000i64,
        count in 1..200usize,
    ) {
        prop_assume!(Cron::parse(&fields.expression()).is_ok());
        let after = at(change).plus_ms(-before * MINUTE_MS);
        let preview = of_cron(&fields.expression(), zone, &text(after), count);
        let last = *preview.fires.last().unwrap();
        prop_assert!(preview.notes.is_sorted_by_key(|note| note.at));
        for note in &preview.notes {
            prop_assert!(after < note.at && note.at <= last, "{:?}", note);
            prop_assert!(note.text.ends_with('.') && !note.text.contains('\n'), "{:?}", note);
            let about_a_fire = match note.kind {
                NoteKind::ClockMoved | NoteKind::ClockRepeated | NoteKind::ClockOnce => true,
                NoteKind::LeapDay | NoteKind::UnevenStep | NoteKind::ClockShifted => true,
                NoteKind::ClockSkipped | NoteKind::MissingDay => false,
            };
            prop_assert!(!about_a_fire || preview.fires.contains(&note.at), "{:?}", note);
        }
    }
}
