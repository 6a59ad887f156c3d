//! What becomes rows and stretches.

use super::super::cells::{Why, bars, cells};
use super::super::kind::Kind;
use super::super::known::{Gap, Slots, Stage};
use super::super::model::{Standing, Timeline};
use super::super::spans::Span;
use super::*;
use crate::domain::schedule::local_time;

/// The stretches of the only row: their kinds, from when to when, and how many they stand for.
fn stretches(known: Known) -> Vec<(Kind, String, u64)> {
    let timeline = Timeline::of(known);
    assert_eq!(timeline.rows.len(), 1, "{:?}", timeline.rows);
    timeline.rows[0].spans.iter().map(|span| (span.kind, shown(span), span.count)).collect()
}

fn shown(span: &Span) -> String {
    let [from, to] = [span.from, span.to].map(|at| local_time(&berlin(), at).split_off("2025-01-06 ".len()));
    if from == to { from } else { format!("{from}-{to}") }
}

fn of_run(run: KnownRun) -> Vec<(Kind, String, u64)> {
    stretches(Known { runs: vec![run], ..noon() })
}

fn of_fire(fire: KnownFire) -> Vec<(Kind, String, u64)> {
    stretches(Known { fires: vec![fire], ..noon() })
}

fn told(kind: Kind, when: &str, count: u64) -> (Kind, String, u64) {
    (kind, when.to_owned(), count)
}

#[test]
fn what_has_run_is_there_from_its_start_to_its_end() {
    assert_eq!(of_run(ran("a", "09:00", "09:30")), [told(Kind::Succeeded, "09:00-09:30", 1)]);
    assert_eq!(of_run(failed("a", "09:00", "09:00")), [told(Kind::Failed, "09:00", 1)], "without any length");
    let cancelled = Stage::Stopped { reason: StopReason::Cancelled };
    assert_eq!(
        of_run(run("a", "09:00", (Some("09:10"), Some("09:30")), cancelled)),
        [told(Kind::Waited, "09:00-09:10", 0), told(Kind::Stopped, "09:10-09:30", 1)]
    );
    let why = || Stage::Failed { why: "no such file".to_owned() };
    assert_eq!(
        of_run(run("a", "09:00", (None, Some("09:20")), why())),
        [told(Kind::Waited, "09:00-09:20", 0), told(Kind::Failed, "09:20", 1)],
        "it could not be started"
    );
    let by_hand = KnownRun { due: None, slots: None, ..ran("a", "09:00", "09:30") };
    assert_eq!(of_run(by_hand), [told(Kind::Succeeded, "09:00-09:30", 1)]);
}

#[test]
fn what_has_not_ended_is_there_until_now() {
    assert_eq!(
        of_run(run("a", "09:00", (Some("09:00"), None), Stage::Runs)),
        [told(Kind::Running, "09:00-12:00", 1)]
    );
    let waits = Stage::Waits { why: Some("it waits for its directory".to_owned()) };
    assert_eq!(of_run(run("a", "11:00", (None, None), waits)), [told(Kind::Waited, "11:00-12:00", 1)]);
    let asks = Stage::Asks { since: at("10:00"), what: "May I?".to_owned() };
    assert_eq!(
        of_run(run("a", "09:00", (Some("09:00"), None), asks)),
        [told(Kind::Running, "09:00-10:00", 0), told(Kind::Asking, "10:00-12:00", 1)]
    );
    let later = Stage::Unknown { word: "resting in a newer version".to_owned() };
    assert_eq!(
        of_run(run("a", "09:00", (Some("09:00"), None), later)),
        [told(Kind::Unknown, "09:00-12:00", 1)]
    );
}

#[test]
fn what_was_never_started_is_there_when_it_was_due_by_why() {
    for (reason, kind) in [
        (StopReason::MissedSchedule, Kind::Missed),
        (StopReason::PreviousRunActive, Kind::Overlapped),
        (StopReason::PreviousRunAwaitingInput, Kind::Overlapped),
        (StopReason::Paused, Kind::LeftOut),
        (StopReason::Ended, Kind::LeftOut),
    ] {
        let record = never("a", ("08:00", "09:00", 5), "11:00", reason);
        assert_eq!(of_run(record), [told(kind, "08:00-09:00", 5)], "{reason:?}");
    }
    for (reason, kind) in [
        (StopReason::WriterBusy, Kind::Busy),
        (StopReason::Capacity, Kind::Busy),
        (StopReason::Superseded, Kind::Overlapped),
        (StopReason::Cancelled, Kind::LeftOut),
        (StopReason::PrecheckSkipped, Kind::LeftOut),
        (StopReason::Expired, Kind::Stopped),
        (StopReason::Interrupted, Kind::Stopped),
        (StopReason::Shutdown, Kind::Stopped),
        (StopReason::BlockerLost, Kind::Stopped),
    ] {
        let waited = never("a", ("08:00", "08:00", 1), "09:00", reason);
        assert_eq!(
            of_run(waited),
            [told(kind, "08:00", 1), told(Kind::Waited, "08:00-09:00", 0)],
            "{reason:?}"
        );
    }
    let mut behind = run("a", "09:00", (Some("09:00"), None), Stage::Runs);
    behind.skipped = Some(Slots { from: at("10:00"), to: at("11:00"), count: 2 });
    assert_eq!(
        of_run(behind),
        [told(Kind::Running, "09:00-12:00", 1), told(Kind::Overlapped, "10:00-11:00", 2)]
    );
}

#[test]
fn every_outcome_that_is_foreseen_has_its_stretch() {
    assert_eq!(
        of_fire(fire("a", "15:00", Verdict::Ran, Some("15:00"))),
        [told(Kind::WillRun, "15:00-15:01", 1)]
    );
    assert_eq!(
        of_fire(fire("a", "15:00", Verdict::RanLate, Some("15:30"))),
        [told(Kind::Waited, "15:00-15:30", 0), told(Kind::WillRunLate, "15:30-15:31", 1)]
    );
    assert_eq!(of_fire(fire("a", "15:00", Verdict::Waiting, None)), [told(Kind::WillRunLate, "15:00", 1)]);
    for verdict in Verdict::ALL {
        if matches!(verdict, Verdict::Ran | Verdict::RanLate | Verdict::Waiting) {
            continue;
        }
        assert_eq!(
            of_fire(fire("a", "15:00", verdict, None)),
            [told(Kind::WillNotRun, "15:00", 1)],
            "{verdict:?}"
        );
    }
}

#[test]
fn what_is_to_come_takes_as_long_as_before_and_ends_before_the_next() {
    let known = Known {
        runs: vec![ran("a", "08:00", "08:40"), ran("a", "07:00", "07:05"), ran("a", "06:00", "06:20")],
        fires: ["15:00", "15:10", "16:00"].map(|due| fire("a", due, Verdict::Ran, Some(due))).into(),
        ..noon()
    };
    let all = stretches(known);
    let expected = [
        told(Kind::WillRun, "15:00-15:10", 1),
        told(Kind::WillRun, "15:10-15:30", 1),
        told(Kind::WillRun, "16:00-16:20", 1),
    ];
    assert_eq!(all[3..], expected);
}

#[test]
fn what_crosses_the_window_is_there_and_what_lies_outside_is_not() {
    let mut known = noon();
    known.from = at("06:00");
    known.runs = vec![ran("a", "05:00", "06:10"), ran("b", "04:00", "05:59"), ran("c", "05:00", "06:00")];
    known.sleeps =
        vec![Sleep { from: at("03:00"), to: at("06:30") }, Sleep { from: at("01:00"), to: at("02:00") }];
    let timeline = Timeline::of(known);
    let ids: Vec<&str> = timeline.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(timeline.quiet, 1);
    assert_eq!(timeline.sleeps, [Sleep { from: at("06:00"), to: at("06:30") }]);
}

#[test]
fn rows_are_in_the_order_in_which_they_matter() {
    let timeline = rich();
    let titles: Vec<&str> = timeline.rows.iter().map(|row| row.title.as_str()).collect();
    assert_eq!(
        titles,
        ["Refactor", "Poll the inbox", "Backup", "Nightly tests", "Report", "atm_gone as it was"]
    );
    assert_eq!(timeline.rows[5].standing, Standing::Deleted);
    assert_eq!(timeline.quiet, 1);
    assert_eq!(timeline.next().map(|(row, at)| (row.id.as_str(), at)), Some(("atm_poll", at("12:30"))));
    let counts: Vec<(Kind, u64)> = timeline.tally.into_iter().collect();
    assert_eq!(
        counts,
        [
            (Kind::WillNotRun, 1),
            (Kind::WillRun, 2),
            (Kind::WillRunLate, 1),
            (Kind::Succeeded, 13),
            (Kind::Overlapped, 1),
            (Kind::Missed, 6),
            (Kind::Failed, 1),
            (Kind::Asking, 1),
        ]
    );
}

#[test]
fn an_automation_is_named_so_that_it_can_be_typed() {
    let mut known = noon();
    known.automations = vec![
        automation("atm_1", "Twice", None),
        automation("atm_2", "twice", None),
        automation("atm_3", "It's $(here)", None),
        automation("atm_4", "-f", None),
        automation("atm_5", "Über 9:00", None),
    ];
    known.runs = (1..=5).map(|id| ran(&format!("atm_{id}"), "09:00", "09:30")).collect();
    let timeline = Timeline::of(known);
    let mut names: Vec<&str> = timeline.rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["'Über 9:00'", "atm_1", "atm_2", "atm_3", "atm_4"]);
}

#[test]
fn what_is_not_shown_is_said() {
    let mut known = noon();
    known.gaps = vec![Gap::RunsBefore(at("03:00")), Gap::ForetoldUntil(at("18:00"))];
    known.automations = vec![automation("a", "A", None), automation("b", "B", None)];
    known.runs = vec![ran("c", "09:00", "09:30"), ran("d", "09:00", "09:30")];
    let remarks = Timeline::of(known).remarks(1, |at| local_time(&berlin(), at));
    assert_eq!(
        remarks,
        [
            "There are more runs than are shown: those before 2025-01-06 03:00 are left out.",
            "What is to come is worked out up to 2025-01-06 18:00 only.",
            "1 more automations have something in this time and are not shown.",
            "2 automations have nothing in this time.",
        ]
    );
}

fn span(kind: Kind, from: i64, to: i64) -> Span {
    let [from, to] = [from, to].map(Timestamp::from_millis);
    Span { from, to, kind, count: 1, also: 0, why: None, run: None, due: None }
}

#[test]
fn of_what_falls_into_one_cell_the_worst_is_shown() {
    let drawn = |spans: &[Span]| -> Vec<(Option<Kind>, u16)> {
        let cells = cells(spans, Timestamp::from_millis(0), Timestamp::from_millis(400), 4);
        cells.into_iter().map(|cell| (cell.kind, cell.covered)).collect()
    };
    let ok = |covered| (Some(Kind::Succeeded), covered);
    let nothing = (None, 0);
    assert_eq!(drawn(&[span(Kind::Succeeded, 50, 250)]), [ok(500), ok(1000), ok(500), nothing]);
    assert_eq!(
        drawn(&[span(Kind::Succeeded, 0, 100)]),
        [ok(1000), nothing, nothing, nothing],
        "up to a border"
    );
    assert_eq!(drawn(&[span(Kind::Succeeded, 100, 100)]), [nothing, ok(0), nothing, nothing], "at a border");
    assert_eq!(drawn(&[span(Kind::Succeeded, 400, 400)]), [nothing, nothing, nothing, ok(0)], "at the end");
    assert_eq!(drawn(&[span(Kind::Succeeded, -500, 900)]), [ok(1000); 4], "beyond both ends");
    let two = [span(Kind::Succeeded, 0, 30), span(Kind::Succeeded, 50, 70)];
    assert_eq!(drawn(&two)[0], ok(500), "both together");
    for order in [[Kind::Failed, Kind::Succeeded], [Kind::Succeeded, Kind::Failed]] {
        let spans = order.map(|kind| span(kind, 10, 20));
        assert_eq!(drawn(&spans)[0], (Some(Kind::Failed), 100), "{order:?}");
    }
    assert!(cells(&two, Timestamp::EPOCH, Timestamp::EPOCH, 0).is_empty());
}

#[test]
fn what_cannot_be_told_apart_becomes_one_bar_of_its_kind() {
    let spans = [
        span(Kind::Succeeded, 0, 10),
        span(Kind::Failed, 11, 12),
        span(Kind::Succeeded, 14, 20),
        span(Kind::Succeeded, 25, 30),
    ];
    let told: Vec<_> =
        bars(&spans, 5).iter().map(|bar| (bar.first.kind, bar.from, bar.to, bar.count)).collect();
    let ms = Timestamp::from_millis;
    assert_eq!(
        told,
        [
            (Kind::Succeeded, ms(0), ms(20), 2),
            (Kind::Failed, ms(11), ms(12), 1),
            (Kind::Succeeded, ms(25), ms(30), 1)
        ]
    );
}

#[test]
fn of_what_is_to_come_a_cell_shows_what_runs_and_otherwise_what_does_not() {
    let spans: Vec<Span> = (0..4)
        .map(|number| match number % 2 {
            0 => span(Kind::WillRun, number * 45, number * 45 + 40),
            _ => span(Kind::WillNotRun, number * 45, number * 45),
        })
        .chain([span(Kind::WillNotRun, 350, 350)])
        .collect();
    let drawn: Vec<_> = cells(&spans, Timestamp::from_millis(0), Timestamp::from_millis(400), 4)
        .into_iter()
        .map(|cell| cell.kind)
        .collect();
    assert_eq!(drawn, [Some(Kind::WillRun), Some(Kind::WillRun), None, Some(Kind::WillNotRun)]);
}

#[test]
fn bars_that_are_put_together_share_a_reason_or_tell_none() {
    let why = |why: &str, from: i64| Span { why: Some(why.to_owned()), ..span(Kind::Failed, from, from + 1) };
    let told = |spans: &[Span]| bars(spans, 5).iter().map(|bar| format!("{:?}", bar.why)).collect::<Vec<_>>();
    assert_eq!(
        told(&[why("exit code 1", 0), why("exit code 1", 2)]),
        [format!("{:?}", Why::One("exit code 1"))]
    );
    assert_eq!(told(&[why("exit code 1", 0), why("exit code 2", 2)]), ["Several"]);
    assert_eq!(told(&[span(Kind::Failed, 0, 1), why("exit code 2", 2)]), ["Several"]);
    assert_eq!(told(&[span(Kind::Failed, 0, 1)]), ["Unsaid"]);
}

#[test]
fn of_a_record_that_crosses_the_span_only_what_lies_in_it_is_counted() {
    let record = never("a", ("04:00", "09:00", 11), "11:00", StopReason::MissedSchedule);
    let count = |from: &str, to: &str| {
        let known = Known { from: at(from), to: at(to), runs: vec![record.clone()], ..noon() };
        let timeline = Timeline::of(known);
        (timeline.count(Kind::Missed), timeline.remarks(9, |at| at.to_string()).len())
    };
    assert_eq!(count("00:00", "12:00"), (11, 0), "as a whole");
    assert_eq!(count("06:00", "12:00"), (7, 1));
    assert_eq!(count("00:00", "05:00"), (3, 1));
    assert_eq!(count("06:10", "06:50"), (1, 1));
    assert_eq!(count("06:05", "06:20"), (1, 1), "there is one all the same");
}
