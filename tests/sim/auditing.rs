//! What `engine::audit` finds in rows that do not agree with each other, said so that a person can act on it.

use serde_json::{Value, json};
use sexton::domain::diagnosis::{Check, FINDINGS_TOLD};
use sexton::domain::id::AutomationId;
use sexton::domain::scheduler::Role;
use sexton::engine::audit::{Presence, automations, events, runs, slots};
use sexton::ledger::InstanceRow;

use crate::drafts::{every, with};
use crate::window::exited;
use crate::world::{START, World};

const HOUR: i64 = 3_600_000;

/// A world with an automation that has fired at each hour of a day and works for a second.
fn a_day_of(zone: &str) -> (World, AutomationId) {
    a_day_in(World::new(), zone)
}

fn a_day_in(mut world: World, zone: &str) -> (World, AutomationId) {
    let owner = world.open();
    world.work_ms = Some(1000);
    let hourly =
        json!({"title": "Backup", "timezone": zone, "rhythm": {"kind": "cron", "expression": "0 * * * *"}});
    let id = world.create(owner, with(every(60), hourly));
    world.run_for(24 * HOUR);
    world.audit_all();
    (world, id)
}

fn execute(world: &World, sql: &str) {
    world.connection().execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
}

/// What was found, and what of it matters.
fn found(check: Check) -> Vec<String> {
    let say = |finding: &Value| {
        let word = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", word("what"), word("matters"))
    };
    let check = serde_json::to_value(check).unwrap();
    check["findings"].as_array().unwrap().iter().map(say).collect()
}

#[test]
fn events_that_are_missing_are_counted_and_so_are_those_that_are_there() {
    let (world, _) = a_day_of("UTC");
    let whole = events::check(&world.view()).unwrap();
    let newest: i64 =
        world.connection().query_row("SELECT max(seq) FROM events", [], |row| row.get(0)).unwrap();
    assert_eq!(whole.summary, format!("{newest} events, the newest is {newest}"));
    assert_eq!(found(whole), Vec::<String>::new());

    execute(&world, "DELETE FROM events WHERE seq IN (10, 20, 21, 22)");
    let told = found(events::check(&world.view()).unwrap());
    let missing = |first: &str| told.iter().filter(|told| told.starts_with(first)).count();
    assert_eq!((told.len(), missing("event 10 is missing: ")), (2, 1), "{told:#?}");
    assert_eq!(missing("the 3 events from 20 to 22 are missing: "), 1, "{told:#?}");
}

#[test]
fn the_newest_event_may_only_be_missing_where_none_is_to_be_kept() {
    for event_history in [0, 1000] {
        let mut world = World::new();
        world.limits.shared.event_history = event_history;
        let (world, _) = a_day_in(world, "UTC");
        let newest: i64 =
            world.connection().query_row("SELECT max(seq) FROM events", [], |row| row.get(0)).unwrap();
        let is_told = |left: i64| {
            let told = found(events::check(&world.view()).unwrap());
            let words =
                format!("the newest event is {left}, and there has been one with the number {newest}: ");
            told.iter().any(|told| told.starts_with(&words))
        };
        assert!(!is_told(newest));
        execute(&world, &format!("DELETE FROM events WHERE seq = {newest}"));
        assert!(is_told(newest - 1), "what was not to be kept goes from the beginning");
        execute(&world, "DELETE FROM events");
        assert_eq!(is_told(0), event_history > 0);
        assert_eq!(events::check(&world.view()).unwrap().summary, "none is kept");
    }
}

#[test]
fn an_automation_that_is_set_to_another_time_is_told_with_what_that_means() {
    let (world, id) = a_day_of("UTC");
    let (set, by_schedule) =
        ("“Backup” is set to fire next ", "and by its schedule that would be 2025-01-07 01:00: ");
    for (sql, when, matters) in [
        ("next_fire_at + 3600000", "2025-01-07 02:00, ", "it fires too late"),
        ("next_fire_at - 1800000", "2025-01-07 00:30, ", "it is looked at too early, for nothing"),
        ("NULL", "never, ", "it does not fire"),
    ] {
        let before = world.automation(&id).state.next_fire_at.unwrap().as_millis();
        execute(&world, &format!("UPDATE automations SET next_fire_at = {sql}"));
        let told = found(automations::check(&world.view()).unwrap());
        assert_eq!(told, [format!("{set}{when}{by_schedule}{matters}")]);
        execute(&world, &format!("UPDATE automations SET next_fire_at = {before}"));
    }
    execute(&world, "UPDATE automations SET pause = json_object('reason', 'user', 'at', 0)");
    let told = found(automations::check(&world.view()).unwrap());
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].ends_with("by its schedule that would be never: it is looked at for nothing"),
        "{told:#?}"
    );
}

#[test]
fn times_that_nothing_answers_for_are_told_by_the_clocks_of_their_zone_with_what_may_be_the_reason() {
    const LAW: &str = "; if the zone data of this machine has changed since then, that is why: whether something ran then cannot be told";
    const NONE: &str = ": whether something ran then cannot be told";
    for (zone, first, last, why) in [
        ("UTC", "2025-01-06 03:00", "2025-01-06 05:00", NONE),
        ("Asia/Tokyo", "2025-01-06 12:00", "2025-01-06 14:00", LAW),
    ] {
        let (world, _) = a_day_of(zone);
        let without = |hours: std::ops::RangeInclusive<i64>| {
            let (from, to) = (START.plus_ms(hours.start() * HOUR), START.plus_ms(hours.end() * HOUR));
            let (from, to) = (from.as_millis(), to.as_millis());
            execute(&world, &format!("DELETE FROM runs WHERE slots_to BETWEEN {from} AND {to}"));
            found(slots::check(&world.view()).unwrap())
        };
        assert_eq!(
            without(3..=3),
            [format!("nothing answers for 1 scheduled time of “Backup”: {first}{why}")]
        );
        assert_eq!(
            without(4..=5),
            [format!("nothing answers for 3 scheduled times of “Backup”: {first} to {last}{why}")]
        );
    }
}

#[test]
fn what_answers_for_other_times_than_there_are_is_told_with_how_many_there_are() {
    let (world, id) = a_day_of("UTC");
    // The fifth hour's run answers for the fourth as well.
    execute(
        &world,
        "DELETE FROM runs WHERE row = 4; UPDATE runs SET slots_from = slots_from - 3600000 WHERE row = 5",
    );
    let told = |set: &str| {
        execute(&world, &format!("UPDATE runs SET {set} WHERE row = 5"));
        found(slots::check(&world.view()).unwrap())
    };
    let run = world.runs(&id)[3].id.clone();
    const HISTORY: &str =
        "the record of that time cannot be relied on; what fires from now on does not depend on it";
    let span = "2025-01-06 04:00 to 2025-01-06 05:00";
    assert_eq!(
        told("slots_count = 3"),
        [format!("{run} says that it answers for 3 times of “Backup” ({span}), and there are 2: {HISTORY}")]
    );
    assert_eq!(told("slots_count = 2"), Vec::<String>::new());
    let no_time =
        |at: &str| format!("{run} answers for 2025-01-06 {at}, which is no time of “Backup”: {HISTORY}");
    assert_eq!(told("slots_from = slots_from - 60000"), [no_time("03:59")]);
    assert_eq!(told("slots_from = slots_from + 60000, slots_to = slots_to + 60000"), [no_time("05:01")]);
    let twice = "answers for times of “Backup” that are answered for before it";
    assert_eq!(
        told("slots_from = slots_from - 3600000, slots_to = slots_to - 60000"),
        [format!("{run} {twice}: 2025-01-06 03:00 to 2025-01-06 05:00: {HISTORY}")]
    );
}

#[test]
fn a_watermark_that_stands_elsewhere_is_told_with_what_follows_from_it() {
    let (world, _) = a_day_of("UTC");
    for (by_ms, matters) in [
        (-1, "times that have been answered for may be due again"),
        (1, "nothing follows as long as no time of the schedule lies between"),
    ] {
        execute(&world, &format!("UPDATE epochs SET answered_through = answered_through + {by_ms}"));
        let told = found(slots::check(&world.view()).unwrap());
        assert!(matches!(&told[..], [one] if one.ends_with(matters)), "{told:#?}");
        execute(&world, &format!("UPDATE epochs SET answered_through = answered_through - {by_ms}"));
    }
}

#[test]
fn no_more_than_the_first_findings_are_told_and_the_others_are_counted() {
    let (world, _) = a_day_of("UTC");
    execute(&world, "DELETE FROM runs WHERE row % 2 = 0");
    let check = slots::check(&world.view()).unwrap();
    assert_eq!((check.findings.len(), check.more_problems), (FINDINGS_TOLD, 12 - FINDINGS_TOLD as u64));
}

#[test]
fn automations_are_counted_and_those_that_are_paused_among_them() {
    let (mut world, _) = a_day_of("UTC");
    let owner = world.alive()[0];
    let summary = |world: &World| automations::check(&world.view()).unwrap().summary;
    assert_eq!(summary(&world), "1 automation");
    (0..2).for_each(|_| drop(world.create(owner, with(every(60), json!({"paused": true})))));
    assert_eq!(summary(&world), "3 automations, 2 of them paused");
}

#[test]
fn a_window_that_has_died_is_told_with_the_work_that_it_left() {
    let (mut world, owner) = World::with_owner();
    let windows = |world: &World| runs::check_windows(&world.view(), |_| Presence::Dead).unwrap();
    assert_eq!(windows(&world).summary, "none is open");
    let told = found(windows(&world));
    assert!(
        matches!(&told[..], [one] if one.ends_with("it left no work: nothing waits for it")),
        "{told:#?}"
    );
    let id = world.create(owner, every(60));
    let run = world.run(owner, &id);
    world.settle();
    let told = found(windows(&world));
    let words =
        "it had 1 run in hand: until that is settled, their automations and directories wait for them";
    assert!(matches!(&told[..], [one] if one.ends_with(words)), "{told:#?}");
    world.finish(&run, exited(0));
    let alive = runs::check_windows(&world.view(), |_| Presence::Alive).unwrap();
    assert_eq!(
        (alive.summary.as_str(), alive.findings.len()),
        ("1 window open; process 1 rings the bell", 0)
    );
    let untold = runs::check_windows(&world.view(), |_| Presence::Unknown).unwrap();
    assert_eq!(untold.summary, "whether one is open cannot be told");
}

#[test]
fn who_settles_what_a_window_left_depends_on_who_is_there() {
    for (role, remedy) in [
        (Role::Participant, "windows that are open settle it within seconds"),
        (Role::Observer, "open a window, or run `sexton serve --headless`"),
    ] {
        let (mut world, _) = World::with_owner();
        let other = world.open_as(role);
        let other = world.window(other).actor.instance.clone();
        let presence = |row: &InstanceRow| match row.actor.instance == other {
            true => Presence::Alive,
            false => Presence::Dead,
        };
        let check = runs::check_windows(&world.view(), presence).unwrap();
        assert!(matches!(&check.findings[..], [one] if one.remedy.starts_with(remedy)), "{check:#?}");
    }
}
