//! Intervals, one-shots, ends, and the slots of a span.

use proptest::prelude::*;
use sexton::domain::schedule::rhythm::{Rhythm, Schedule, SlotSpan, Stop};
use sexton::domain::time::Timestamp;

use super::support::{MINUTE_MS, at, cases, cron, fields, zone};

fn interval(every_ms: i64, stop: Stop) -> Schedule {
    Schedule::Recurring {
        rhythm: Rhythm::Interval { every_ms, anchor_at: None },
        stop,
        zone: zone("Europe/Berlin"),
    }
}

fn crontab(expression: &str, zone_name: &str, stop: Stop) -> Schedule {
    Schedule::Recurring { rhythm: Rhythm::Cron(cron(expression)), stop, zone: zone(zone_name) }
}

fn ms(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// The slots of a span, one by one.
fn walk(
    schedule: &Schedule,
    effective_at: Timestamp,
    after: Timestamp,
    through: Timestamp,
) -> Vec<Timestamp> {
    std::iter::successors(schedule.next_after(effective_at, after), |slot| {
        schedule.next_after(effective_at, *slot)
    })
    .take_while(|slot| *slot <= through)
    .collect()
}

#[test]
fn an_interval_is_a_grid_from_where_it_became_effective() {
    let every_90_minutes = interval(90 * MINUTE_MS, Stop::Never);
    let effective_at = at("2025-03-30T00:00:00.250Z");
    let next = |after| every_90_minutes.next_after(effective_at, at(after));
    // Berlin's clocks change at 01:00Z; elapsed time does not care.
    assert_eq!(next("2025-03-30T00:00:00.250Z"), Some(at("2025-03-30T01:30:00.250Z")));
    assert_eq!(next("2025-03-30T01:30:00.249Z"), Some(at("2025-03-30T01:30:00.250Z")));
    assert_eq!(next("2025-03-30T01:30:00.250Z"), Some(at("2025-03-30T03:00:00.250Z")));
    assert_eq!(next("2025-03-30T02:59:00Z"), Some(at("2025-03-30T03:00:00.250Z")));
    // Nothing was due at or before the beginning.
    assert_eq!(next("2024-01-01T00:00:00Z"), Some(at("2025-03-30T01:30:00.250Z")));
}

#[test]
fn an_anchor_is_what_an_interval_is_counted_from_in_both_directions() {
    let anchored = |anchor| Rhythm::Interval { every_ms: 90 * MINUTE_MS, anchor_at: Some(at(anchor)) };
    let effective_at = at("2025-03-30T00:00:00.250Z");
    for anchor in ["2025-03-30T00:10:00Z", "2025-03-29T22:40:00Z", "2025-03-31T00:10:00Z"] {
        let rhythm = anchored(anchor);
        assert!(rhythm.fires_like(&anchored("2025-03-30T00:10:00Z")), "{anchor}");
        let schedule = Schedule::Recurring { rhythm, stop: Stop::Never, zone: zone("UTC") };
        let next = |after| schedule.next_after(effective_at, at(after));
        // What comes before the schedule began was never due, an anchor or not.
        assert_eq!(next("2024-01-01T00:00:00Z"), Some(at("2025-03-30T00:10:00Z")), "{anchor}");
        assert_eq!(next("2025-03-30T00:10:00Z"), Some(at("2025-03-30T01:40:00Z")), "{anchor}");
    }
    let another =
        [anchored("2025-03-30T00:10:01Z"), Rhythm::Interval { every_ms: 90 * MINUTE_MS, anchor_at: None }];
    for other in another {
        assert!(
            !anchored("2025-03-30T00:10:00Z").fires_like(&other)
                && !other.fires_like(&anchored("2025-03-30T00:10:00Z"))
        );
    }
    let last = Rhythm::Interval { every_ms: i64::MAX, anchor_at: Some(Timestamp::MAX) };
    let last = Schedule::Recurring { rhythm: last, stop: Stop::Never, zone: zone("UTC") };
    assert_eq!(last.next_after(ms(1), ms(1)), Some(Timestamp::MAX));
}

#[test]
fn an_interval_ends_with_the_calendar() {
    let yearly = interval(365 * 1440 * MINUTE_MS, Stop::Never);
    assert_eq!(yearly.next_after(ms(0), Timestamp::MAX), None);
    assert_eq!(yearly.next_after(ms(i64::MIN), ms(i64::MAX)), None);
    assert_eq!(interval(i64::MAX, Stop::Never).next_after(ms(1), ms(1)), None);
    assert_eq!(interval(0, Stop::Never).next_after(ms(5), ms(7)), Some(ms(8)));
}

#[test]
fn a_one_shot_has_one_slot() {
    let schedule = Schedule::OneShot { fire_at: ms(100) };
    assert_eq!(schedule.next_after(ms(0), ms(99)), Some(ms(100)));
    assert_eq!(schedule.next_after(ms(0), ms(100)), None);
    assert_eq!(schedule.next_after(ms(100), ms(0)), None);
    let span = SlotSpan { first: ms(100), last: ms(100), count: 1, at_least: false };
    assert_eq!(schedule.slots_between(ms(0), ms(50), ms(100), 10), Some(span));
    assert_eq!(schedule.slots_between(ms(0), ms(50), ms(99), 10), None);
    assert_eq!(schedule.slots_between(ms(0), ms(100), ms(200), 10), None);
}

#[test]
fn a_cron_schedule_begins_after_it_became_effective() {
    let daily = crontab("0 9 * * *", "UTC", Stop::Never);
    let effective_at = at("2025-06-01T09:00:00Z");
    assert_eq!(daily.next_after(effective_at, at("2025-01-01T00:00:00Z")), Some(at("2025-06-02T09:00:00Z")));
}

#[test]
fn a_slot_exactly_at_until_fires() {
    let until = at("2025-06-03T09:00:00Z");
    for schedule in
        [crontab("0 9 * * *", "UTC", Stop::Until(until)), interval(24 * 60 * MINUTE_MS, Stop::Until(until))]
    {
        let effective_at = at("2025-06-01T09:00:00Z");
        assert_eq!(schedule.next_after(effective_at, at("2025-06-02T09:00:00Z")), Some(until));
        assert_eq!(schedule.next_after(effective_at, until), None);
        let slots =
            schedule.slots_between(effective_at, effective_at, at("2026-01-01T00:00:00Z"), 100).unwrap();
        assert_eq!((slots.last, slots.count, slots.at_least), (until, 2, false));
    }
}

#[test]
fn a_count_moves_no_slot() {
    let (counted, endless) = (interval(1000, Stop::Count(1)), interval(1000, Stop::Never));
    assert_eq!(walk(&counted, ms(0), ms(0), ms(9000)), walk(&endless, ms(0), ms(0), ms(9000)));
}

#[test]
fn counting_stops_at_the_limit_and_the_last_slot_is_exact() {
    let from = at("2025-01-01T00:00:00Z");
    let through = at("2025-12-31T23:59:59Z");
    for (schedule, last) in [
        (crontab("* * * * *", "America/New_York", Stop::Never), at("2025-12-31T23:59:00Z")),
        (crontab("*/10 * * * *", "Australia/Lord_Howe", Stop::Never), at("2025-12-31T23:50:00Z")),
        (interval(30_000, Stop::Never), at("2025-12-31T23:59:30Z")),
    ] {
        let span = schedule.slots_between(from, from, through, 1000).unwrap();
        let first = schedule.next_after(from, from).unwrap();
        assert_eq!(span, SlotSpan { first, last, count: 1000, at_least: true });
    }
}

#[test]
fn exactly_the_limit_is_counted_to_the_end() {
    let through = ms(10 * MINUTE_MS);
    for schedule in [crontab("* * * * *", "UTC", Stop::Never), interval(MINUTE_MS, Stop::Never)] {
        for (limit, count, at_least) in [(9, 9, true), (10, 10, false), (11, 10, false)] {
            let span = schedule.slots_between(ms(0), ms(0), through, limit).unwrap();
            assert_eq!((span.count, span.at_least, span.last), (count, at_least, through));
        }
    }
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let crons = (fields(), prop::sample::select(vec!["UTC", "America/New_York", "Australia/Lord_Howe"]))
        .prop_filter_map("impossible date", |(fields, name)| {
            let cron = sexton::domain::schedule::cron::Cron::parse(&fields.expression()).ok()?;
            Some((Rhythm::Cron(cron), zone(name)))
        });
    let anchors = prop::option::of((0i64..2_000_000_000_000).prop_map(ms));
    let intervals = (30_000i64..5_000_000, anchors)
        .prop_map(|(every_ms, anchor_at)| (Rhythm::Interval { every_ms, anchor_at }, zone("UTC")));
    let stop = prop_oneof![
        3 => Just(Stop::Never),
        1 => (1_740_000_000_000i64..1_745_000_000_000).prop_map(|at| Stop::Until(ms(at))),
    ];
    (prop_oneof![2 => crons, 1 => intervals], stop).prop_map(|((rhythm, zone), stop)| Schedule::Recurring {
        rhythm,
        stop,
        zone,
    })
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn the_slots_of_a_span_are_those_of_a_walk(
        schedule in schedules(),
        effective_at in 1_740_000_000_000i64..1_744_000_000_000,
        before in -100_000_000..100_000_000i64,
        length in 0..400_000_000i64,
        limit in 1..400u64,
    ) {
        let effective_at = ms(effective_at);
        let after = effective_at.plus_ms(before);
        let through = after.plus_ms(length);
        let slots = walk(&schedule, effective_at, after, through);
        let expected = slots.first().map(|first| SlotSpan {
            first: *first,
            last: slots[slots.len() - 1],
            count: (slots.len() as u64).min(limit),
            at_least: slots.len() as u64 > limit,
        });
        prop_assert_eq!(schedule.slots_between(effective_at, after, through, limit), expected);
        prop_assert!(slots.iter().all(|slot| *slot > effective_at && *slot > after));
    }

    #[test]
    fn an_interval_fires_on_its_grid(every in 1..10_000_000i64, effective_at in 0..1_000_000_000_000i64, after in 0..2_000_000_000_000i64) {
        let next = interval(every, Stop::Never).next_after(ms(effective_at), ms(after)).unwrap();
        let since = next.since_ms(ms(effective_at));
        prop_assert!(since > 0 && since % every == 0);
        prop_assert!(next > ms(after));
        prop_assert!(since == every || next.as_millis() - every <= after);
    }
}
