//! The machine sleeps, and what was due meanwhile waits until it has really woken up.

use serde_json::{Value, json};
use sexton::domain::clock::Suspended;
use sexton::domain::id::AutomationId;
use sexton::domain::run::SlotRange;
use sexton::domain::scheduler::Role;
use sexton::domain::time::Timestamp;
use sexton::engine::clock::next_claim;
use sexton::ledger::EventFilter;

use crate::drafts::{every, once, policy, with};
use crate::window::exited;
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// What events of a kind carry.
pub(crate) fn told(world: &World, kind: &str) -> Vec<Value> {
    let filter = EventFilter { kinds: vec![kind.to_owned()], automation: None };
    let events = world.view().events_after(0, &filter, 1000).unwrap();
    let read = |payload: &str| serde_json::from_str::<Value>(payload).unwrap()["scheduler"].take();
    events.iter().map(|event| read(&event.payload)).collect()
}

/// Nothing is answered yet.
fn untouched(world: &World, id: &AutomationId) -> bool {
    world.runs(id).is_empty() && world.view().automation(id).unwrap().unwrap().epoch.answered_through == START
}

/// Every half hour, and the machine has slept for eight hours until five minutes after a slot.
fn overslept() -> (World, Who, AutomationId) {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(1800));
    world.settle();
    world.suspend(8 * HOUR + 5 * MINUTE);
    (world, owner, id)
}

#[test]
fn a_slot_is_not_consumed_in_a_two_second_wake() {
    let (mut world, _, id) = overslept();
    for _ in 0..3 {
        world.run_for(2 * SECOND);
        assert!(untouched(&world, &id), "{:?}", world.story(&id));
        world.suspend(HOUR);
    }
    world.run_for(10 * SECOND - 1);
    assert!(untouched(&world, &id), "it begins anew with each sleep");
    world.run_for(1);
    assert_eq!(world.story(&id), ["catchUp running slots 1800..39600 x22"]);
    assert_eq!(told(&world, "scheduler.suspended").len(), 4);
    world.audit_all();
}

#[test]
fn what_was_due_while_the_machine_slept_is_caught_up_with_once_when_it_is_awake() {
    let (mut world, owner, id) = overslept();
    let slept = Suspended { from: START, to: world.now };
    world.run_for(9 * SECOND);
    assert!(untouched(&world, &id));
    world.run_for(2 * SECOND);
    assert_eq!(world.story(&id), ["catchUp running slots 1800..28800 x16"]);
    assert_eq!(world.view().newest_suspends(10).unwrap(), [slept]);
    let run = world.last_run(&id).id;
    world.finish(&run, exited(0));
    world.run_for(30 * MINUTE);
    assert_eq!(world.story(&id)[1], "schedule running slots 30600..30600 x1");
    assert_eq!(world.window(owner).carried.len(), 1);
}

#[test]
fn a_suspend_is_recorded_once_however_many_windows_notice_it() {
    let (mut world, _, id) = overslept();
    let windows = [world.open(), world.open_as(Role::Observer), world.open()];
    for who in windows {
        let _ = world.look(who);
        world.tick(who).unwrap();
    }
    world.run_for(5 * SECOND);
    assert!(untouched(&world, &id), "nor by a window that was opened after the wake");
    world.run_for(MINUTE);
    assert_eq!(world.story(&id).len(), 1);
    let slept = json!({"from": START, "to": START.plus_ms(8 * HOUR + 5 * MINUTE)});
    assert_eq!(told(&world, "scheduler.suspended"), [slept]);
}

#[test]
fn a_window_that_takes_the_bell_after_the_wake_waits_as_well() {
    let (mut world, owner, id) = overslept();
    world.run_for(SECOND);
    world.die(owner);
    world.limits.shared.stable_wake_ms = 0;
    let next = world.open();
    world.run_for(8 * SECOND);
    assert!(untouched(&world, &id), "what was decided at the wake holds for a new owner with other limits");
    world.run_for(SECOND);
    assert_eq!(world.story(&id), ["catchUp running slots 1800..28800 x16"]);
    assert_eq!(world.window(next).carried.len(), 1);
}

#[test]
fn the_loop_is_woken_when_the_machine_has_been_awake_for_long_enough() {
    let (mut world, owner, _) = overslept();
    let next = |world: &World, patience_ms| {
        let reading = world.machine.reading(world.now);
        next_claim(&world.view(), &world.machine.boot, reading, patience_ms).unwrap()
    };
    assert_eq!(next(&world, 0), Some(world.now), "there is a suspend to be recorded");
    assert_eq!(next(&world, 2000), Some(world.now), "also by a standby");
    world.tick(owner).unwrap();
    assert_eq!(next(&world, 0), Some(world.now.plus_ms(10 * SECOND)));
    assert_eq!(next(&world, 2000), Some(world.now.plus_ms(12 * SECOND)));
}

#[test]
fn slots_behind_an_active_run_wait_for_the_wake_as_well() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, policy(every(600), json!({"wallMs": 2 * HOUR})));
    world.run(owner, &id);
    world.settle();
    world.suspend(HOUR);
    world.run_for(5 * SECOND);
    assert_eq!(world.story(&id), ["manual running"]);
    world.run_for(5 * SECOND);
    assert_eq!(world.story(&id), ["manual running skipped 600..3600 x6"]);
}

#[test]
fn requests_reports_limits_and_cancels_go_on_right_after_a_wake() {
    let (mut world, owner) = World::with_owner();
    let read = |policy_of| policy(with(every(36_000), json!({"access": "read"})), policy_of);
    let create = |world: &mut World, policy_of| world.create(owner, read(policy_of));
    let reported = create(&mut world, json!({"wallMs": 24 * HOUR}));
    let limited = create(&mut world, json!({"wallMs": 2 * SECOND}));
    let cancelled = create(&mut world, json!({"wallMs": 24 * HOUR}));
    let asked = create(&mut world, json!({}));
    let runs = [&reported, &limited, &cancelled].map(|id| world.run(owner, id));
    world.settle();
    world.suspend(11 * HOUR);
    world.run_for(SECOND);
    world.finish(&runs[0], exited(0));
    world.cancel(owner, &runs[2]).unwrap();
    world.run(owner, &asked);
    world.run_for(SECOND);
    let first = |id: &AutomationId| world.story(id)[0].clone();
    assert_eq!(first(&reported), "manual succeeded");
    assert_eq!(first(&limited), "manual failed timed_out");
    assert_eq!(first(&cancelled), "manual stopped cancelled");
    assert_eq!(first(&asked), "manual running");
    assert!([&reported, &limited, &cancelled].iter().all(|id| world.runs(id).len() == 1), "no slot yet");
}

#[test]
fn whoever_edits_a_schedule_right_after_a_wake_is_there_and_gets_what_was_due() {
    let (mut world, owner, id) = overslept();
    world.run_for(SECOND);
    world.update(owner, &id, json!({"rhythm": {"everyMs": 3_600_000}}));
    assert_eq!(world.story(&id), ["catchUp scheduled slots 1800..28800 x16"]);
    world.audit_all();
}

#[test]
fn a_pause_right_after_a_wake_starts_nothing_and_answers_for_all_slots() {
    let (mut world, owner, id) = overslept();
    world.run_for(SECOND);
    world.pause(owner, &id, None).unwrap();
    assert_eq!(world.story(&id), ["schedule stopped missed_schedule slots 1800..28800 x16"]);
    world.audit_all();
}

#[test]
fn an_owner_that_wants_no_stable_wake_claims_at_once() {
    let mut world = World::new();
    world.limits.shared.stable_wake_ms = 0;
    let owner = world.open();
    let id = world.create(owner, every(1800));
    world.suspend(HOUR);
    world.settle();
    assert_eq!(world.story(&id), ["schedule running slots 1800..3600 x2"]);
    assert_eq!(told(&world, "scheduler.suspended").len(), 1);
}

#[test]
fn a_restarted_machine_has_not_slept() {
    let (mut world, _) = World::with_owner();
    let owner = world.alive()[0];
    let id = world.create(owner, once(START.plus_ms(HOUR).as_millis()));
    world.suspend(30 * MINUTE);
    world.restart();
    world.now = world.now.plus_ms(31 * MINUTE);
    world.open();
    world.settle();
    assert_eq!(world.story(&id), ["schedule running slots 3600..3600 x1"]);
    assert_eq!(told(&world, "scheduler.suspended"), Vec::<Value>::new());
}

#[test]
fn suspends_are_known_for_longer_than_the_events_that_told_them() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.event_history = 0;
    world.restart();
    let next = world.open();
    assert_ne!(owner, next);
    for _ in 0..12 {
        world.suspend(HOUR);
        world.settle();
    }
    assert_eq!(world.view().newest_suspends(10).unwrap().len(), 10);
    let newest = Suspended { from: START.plus_ms(11 * HOUR), to: START.plus_ms(12 * HOUR) };
    assert_eq!(world.view().newest_suspends(1).unwrap(), [newest]);
    world.now = START.plus_ms(7 * 24 * HOUR + 6 * HOUR + 1);
    world.prune(next).unwrap();
    assert!(told(&world, "scheduler.suspended").len() < 12, "the events of the first of them are forgotten");
    assert_eq!(world.view().newest_suspends(20).unwrap().len(), 12);
    world.audit_all();
}

#[test]
fn an_overslept_slot_within_the_grace_fires_as_usual() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(1800));
    world.suspend(30 * MINUTE + 20 * SECOND);
    world.run_for(10 * SECOND);
    let run = world.last_run(&id);
    let at = |seconds| Timestamp::from_millis(START.as_millis() + seconds * SECOND);
    assert_eq!(run.slots, Some(SlotRange { from_at: at(1800), to_at: at(1800), count: 1 }));
    assert_eq!(world.story(&id), ["schedule running slots 1800..1800 x1"]);
}
