//! Slots that are on time, late, and missed.

use serde_json::{Value, json};
use sexton::domain::id::AutomationId;
use sexton::domain::request::{Executor, RunRequest};
use sexton::domain::run::{Attendance, Trigger};
use sexton::domain::time::Timestamp;
use sexton::engine::tick::AUTOMATIONS_PER_TICK;
use sexton::engine::{Progress, trigger};

use crate::drafts::{every, once, policy, reminder, with};
use crate::window::exited;
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// What became of an automation at which somebody looks only after so long.
fn after_absence(draft: &Value, absence_ms: i64) -> Vec<String> {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, draft.clone());
    world.advance(absence_ms);
    world.audit_all();
    world.story(&id)
}

#[test]
fn every_slot_fires_on_time_and_starts_once() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(SECOND);
    let id = world.create(owner, every(30));
    world.run_for(10 * MINUTE + SECOND);
    assert_eq!(world.spawn_log.len(), 20);
    for (number, spawn) in (1..).zip(&world.spawn_log) {
        assert_eq!(spawn.slot, Some(START.plus_ms(number * 30 * SECOND)));
        assert_eq!(spawn.slot, Some(spawn.at));
    }
    assert!(world.runs(&id).iter().all(|run| run.trigger == Trigger::Schedule));
    assert_eq!(world.automation(&id).state.completed_runs, 20);
    world.audit_all();
}

#[test]
fn a_slot_late_by_exactly_the_grace_fires_and_one_millisecond_more_is_a_catch_up() {
    let late_by = |late_ms| after_absence(&every(600), 10 * MINUTE + late_ms);
    assert_eq!(late_by(60 * SECOND), ["schedule running slots 600..600 x1"]);
    assert_eq!(late_by(60 * SECOND + 1), ["catchUp running slots 600..600 x1"]);
}

#[test]
fn the_automatic_window_is_half_the_distance_to_the_next_slot() {
    let late_by = |late_ms| after_absence(&every(600), 10 * MINUTE + late_ms);
    assert_eq!(late_by(5 * MINUTE), ["catchUp running slots 600..600 x1"]);
    assert_eq!(late_by(5 * MINUTE + 1), ["schedule stopped missed_schedule slots 600..600 x1"]);
}

#[test]
fn the_automatic_window_is_at_most_twelve_hours() {
    let late_by = |late_ms| after_absence(&every(48 * 3600), 48 * HOUR + late_ms);
    assert_eq!(late_by(12 * HOUR), ["catchUp running slots 172800..172800 x1"]);
    assert_eq!(late_by(12 * HOUR + 1), ["schedule stopped missed_schedule slots 172800..172800 x1"]);
}

#[test]
fn a_one_shot_is_caught_up_with_for_twelve_hours() {
    let late_by = |late_ms| after_absence(&once(START.plus_ms(MINUTE).as_millis()), MINUTE + late_ms);
    assert_eq!(late_by(MINUTE), ["schedule running slots 60..60 x1"]);
    assert_eq!(late_by(12 * HOUR), ["catchUp running slots 60..60 x1"]);
    assert_eq!(late_by(12 * HOUR + 1), ["schedule stopped missed_schedule slots 60..60 x1"]);
}

#[test]
fn a_window_of_the_users_own_decides_instead() {
    let draft = policy(every(3600), json!({"missed": {"kind": "runOnce", "windowMs": 120_000}}));
    let late_by = |late_ms| after_absence(&draft, HOUR + late_ms);
    assert_eq!(late_by(120 * SECOND), ["catchUp running slots 3600..3600 x1"]);
    assert_eq!(late_by(120 * SECOND + 1), ["schedule stopped missed_schedule slots 3600..3600 x1"]);
}

#[test]
fn what_is_not_to_be_made_up_for_is_recorded_as_missed() {
    let draft = policy(every(3600), json!({"missed": {"kind": "skip"}}));
    assert_eq!(
        after_absence(&draft, HOUR + MINUTE + 1),
        ["schedule stopped missed_schedule slots 3600..3600 x1"]
    );
}

#[test]
fn one_run_answers_for_all_older_slots() {
    let draft = every(600);
    assert_eq!(after_absence(&draft, 30 * MINUTE), ["schedule running slots 600..1800 x3"]);
    assert_eq!(after_absence(&draft, 32 * MINUTE), ["catchUp running slots 600..1800 x3"]);
    assert_eq!(after_absence(&draft, 36 * MINUTE), ["schedule stopped missed_schedule slots 600..1800 x3"]);
}

#[test]
fn with_missed_skip_the_slots_beyond_the_grace_are_one_record_and_the_rest_fires() {
    let draft = policy(every(30), json!({"missed": {"kind": "skip"}}));
    assert_eq!(
        after_absence(&draft, 150 * SECOND),
        ["schedule stopped missed_schedule slots 30..60 x2", "schedule running slots 90..150 x3"]
    );
}

#[test]
fn a_very_long_absence_is_counted_up_to_a_bound() {
    let draft = every(30);
    let year = 365 * 24 * HOUR;
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, draft);
    world.now = world.now.plus_ms(year);
    world.tick(owner).unwrap();
    let slots = world.last_run(&id).slots.unwrap();
    assert_eq!((slots.from_at, slots.to_at), (START.plus_ms(30_000), START.plus_ms(year)));
    assert_eq!(slots.count, 100_000);
}

#[test]
fn catch_ups_start_five_seconds_apart_oldest_first_and_requests_do_not_wait_for_them() {
    let (mut world, owner) = World::with_owner();
    let read = |seconds| with(every(seconds), json!({"access": "read"}));
    let create = |world: &mut World| {
        world.advance(SECOND);
        world.create(owner, read(600))
    };
    let ids = [create(&mut world), create(&mut world), create(&mut world)];
    let by_hand = world.create(owner, read(86_400));
    world.advance(10 * MINUTE + 100 * SECOND);
    let back_at = world.now;
    assert_eq!(world.spawn_log.len(), 1, "the others have to wait");
    assert_eq!(world.story(&ids[1]), ["catchUp scheduled catchUp slots 602..602 x1"]);
    world.run(owner, &by_hand);
    world.settle();
    assert_eq!(world.spawn_log.len(), 2, "a request does not wait");
    world.run_for(30 * SECOND);
    let catch_ups: Vec<_> =
        world.spawn_log.iter().filter_map(|spawn| Some((spawn.slot?, spawn.at))).collect();
    let expected: Vec<_> = (0..3)
        .map(|number| (START.plus_ms((601 + number) * SECOND), back_at.plus_ms(number * 5 * SECOND)))
        .collect();
    assert_eq!(catch_ups, expected);
}

#[test]
fn a_thousand_due_automations_are_settled_in_batches() {
    let (mut world, owner) = World::with_owner();
    let ids: Vec<AutomationId> =
        (0..1000).map(|_| world.create(owner, once(START.plus_ms(MINUTE).as_millis()))).collect();
    world.now = world.now.plus_ms(MINUTE);
    let settled = |world: &World| {
        let sql = "SELECT count(*) FROM runs";
        let settled: i64 = world.connection().query_row(sql, [], |row| row.get(0)).unwrap();
        usize::try_from(settled).unwrap()
    };
    for batch in 1..=3 {
        assert_eq!(world.tick(owner).unwrap(), Progress::More);
        assert_eq!(settled(&world), batch * AUTOMATIONS_PER_TICK);
    }
    assert_eq!(world.tick(owner).unwrap(), Progress::Done);
    assert_eq!(settled(&world), ids.len());
    world.settle();
    assert_eq!(world.spawn_log.len(), 1, "they share a directory");
    assert!(ids.iter().all(|id| world.runs(id).len() == 1));
}

#[test]
fn a_slot_exactly_at_the_end_still_fires_and_none_after_it() {
    let until = START.plus_ms(90 * SECOND).as_millis();
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(SECOND);
    let id = world.create(owner, with(every(30), json!({"stop": {"kind": "until", "at": until}})));
    world.run_for(HOUR);
    let slots: Vec<_> = world.spawn_log.iter().filter_map(|spawn| spawn.slot).collect();
    assert_eq!(slots, [30, 60, 90].map(|seconds| START.plus_ms(seconds * SECOND)));
    assert_eq!(world.automation(&id).state.next_fire_at, None);
}

fn counted(world: &mut World, owner: Who, count: i64) -> AutomationId {
    world.create(owner, with(every(60), json!({"stop": {"kind": "count", "count": count}})))
}

#[test]
fn a_stop_by_count_counts_runs_by_hand_and_failed_ones_and_then_nothing_is_missed() {
    let (mut world, owner) = World::with_owner();
    let id = counted(&mut world, owner, 3);
    assert_eq!(world.automation(&id).state.next_fires.len(), 3);
    let by_hand = world.run(owner, &id);
    world.settle();
    world.finish(&by_hand, exited(1));
    for _ in 0..2 {
        world.run_for(MINUTE);
        let run = world.last_run(&id).id;
        world.finish(&run, exited(0));
    }
    world.run_for(HOUR);
    assert_eq!(
        world.story(&id),
        [
            "manual failed execution_failed",
            "schedule succeeded slots 60..60 x1",
            "schedule succeeded slots 120..120 x1"
        ]
    );
    let state = world.automation(&id).state;
    assert_eq!((state.next_fire_at, state.next_fires, state.completed_runs), (None, Vec::new(), 3));
    world.run(owner, &id);
    world.settle();
    assert_eq!(world.spawn_log.len(), 4, "a finished automation can be run by hand");
    world.audit_all();
}

#[test]
fn a_stopped_run_does_not_count_towards_the_end() {
    let (mut world, owner) = World::with_owner();
    let id = counted(&mut world, owner, 1);
    let run = world.run(owner, &id);
    world.settle();
    world.cancel(owner, &run).unwrap();
    world.settle();
    world.run_for(MINUTE);
    assert_eq!(world.story(&id), ["manual stopped cancelled", "schedule running slots 60..60 x1"]);
}

#[test]
fn what_begins_paused_fires_nothing_and_misses_nothing() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, with(every(60), json!({"paused": true})));
    world.run_for(HOUR);
    assert_eq!(world.story(&id), Vec::<String>::new());
    let automation = world.automation(&id);
    assert!(automation.paused && automation.state.next_fire_at.is_none());
    world.run(owner, &id);
    assert_eq!(world.story(&id), ["manual scheduled"], "it can be run by hand");
}

#[test]
fn a_dry_run_shows_what_would_be_and_leaves_nothing() {
    let (mut world, owner) = World::with_owner();
    let seq = world.view().newest_seq().unwrap();
    let shown = world.try_create(owner, &with(every(60), json!({"dryRun": true}))).unwrap();
    assert_eq!((shown.id.as_str(), shown.state.next_fire_at), ("", Some(START.plus_ms(MINUTE))));
    assert_eq!(world.view().newest_seq().unwrap(), seq);
    world.run_for(HOUR);
    assert_eq!(world.spawn_log, []);
}

#[test]
fn the_same_key_creates_once_within_a_day() {
    let (mut world, owner) = World::with_owner();
    let draft = with(every(60), json!({"key": "k", "paused": true}));
    let first = world.create(owner, draft.clone());
    world.advance(24 * HOUR);
    assert_eq!(world.create(owner, draft.clone()), first);
    world.advance(1);
    let second = world.create(owner, draft.clone());
    assert_ne!(second, first);
    assert_eq!(world.create(owner, draft), second, "from then on it stands for the newer one");
}

#[test]
fn the_same_key_runs_once_within_a_day() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, reminder(with(every(60), json!({"paused": true}))));
    let ask = |world: &mut World| {
        let key = Some("k".to_owned());
        let request = RunRequest {
            automation: id.clone(),
            attendance: Attendance::Attended,
            key,
            context: None,
            if_busy: None,
            executor: Executor::Asker,
        };
        world.decide(owner, |tx, context| trigger::trigger(tx, context, request)).unwrap().id
    };
    let first = ask(&mut world);
    world.advance(24 * HOUR);
    assert_eq!(ask(&mut world), first);
    world.advance(1);
    let second = ask(&mut world);
    assert_ne!(second, first);
    assert_eq!(ask(&mut world), second);
    assert_eq!(world.runs(&id).len(), 2);
}

#[test]
fn what_an_automation_shows_is_when_it_fires() {
    for (zone, expression) in [
        ("America/New_York", "0 16 * * *"),
        ("Europe/Berlin", "30 2 * * *"),
        ("Asia/Kolkata", "*/45 9 * * MON-FRI"),
        ("Australia/Lord_Howe", "15 1-3 * * *"),
    ] {
        let (mut world, owner) = World::with_owner();
        world.work_ms = Some(1);
        // From here on until all of them have changed their clocks.
        world.now = START.plus_ms(58 * 24 * HOUR);
        let rhythm = json!({"kind": "cron", "expression": expression});
        let id = world.create(owner, with(every(60), json!({"rhythm": rhythm, "timezone": zone})));
        for _ in 0..20 {
            let shown = world.automation(&id).state.next_fires;
            let fired = world.spawn_log.len();
            world.run_for(48 * HOUR);
            let slots: Vec<Timestamp> =
                world.spawn_log[fired..].iter().filter_map(|spawn| spawn.slot).collect();
            let (least, most) = (slots.len().min(shown.len()), world.now);
            assert_eq!(slots[..least], shown[..least], "{expression} in {zone}");
            assert!(shown[least..].iter().all(|at| *at > most), "{expression} in {zone}: {shown:?}");
            assert!(world.spawn_log[fired..].iter().all(|spawn| spawn.slot == Some(spawn.at)));
        }
    }
}
