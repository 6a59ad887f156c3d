//! What is wanted while an earlier run of the same automation is there: one waits, or takes its place.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::refusal::Refusal;
use sexton::domain::request::ActiveRun;
use sexton::domain::run::machine::State;
use sexton::engine::delete::PATIENCE_MS;

use crate::drafts::{every, policy, reminder, with};
use crate::looking::words;
use crate::window::exited;
use crate::world::{Who, World};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

pub(crate) fn overlapping(overlap: &str) -> Value {
    policy(every(60), json!({"overlap": overlap, "wallMs": HOUR}))
}

/// A world with an automation whose first run is at work.
pub(crate) fn at_work(overlap: &str, fields: Value) -> (World, Who, AutomationId, RunId) {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, with(overlapping(overlap), fields));
    world.run_for(MINUTE);
    let first = world.last_run(&id);
    assert_eq!(first.state(), State::Running);
    (world, owner, id, first.id)
}

pub(crate) fn behind(world: &World, run: &RunId) -> Option<RunId> {
    world.run_row(run).run.waiting().and_then(|waiting| waiting.run_ahead().cloned())
}

/// The run is asked to end; what carries it out obeys.
fn obey(world: &mut World, run: &RunId) {
    assert!(world.run_row(run).run.stopping().is_some(), "{run} was not asked to end");
    world.settle();
}

#[test]
fn the_newest_waits_for_the_previous_run_and_the_one_before_it_gives_way() {
    for access in ["write", "read"] {
        let (mut world, _, id, first) = at_work("queueOne", json!({"access": access}));
        world.run_for(MINUTE);
        let second = world.last_run(&id);
        assert_eq!(words(&second), "schedule scheduled previous slots 120..120 x1");
        let waiting = second.waiting().cloned().unwrap();
        assert_eq!((waiting.run_ahead(), waiting.since), (Some(&first), second.triggered_at));
        assert_eq!(waiting.until_at, Some(second.triggered_at.plus_ms(HOUR)));
        world.run_for(MINUTE);
        assert_eq!(behind(&world, &world.last_run(&id).id), Some(first.clone()));
        world.finish(&first, exited(0));
        assert_eq!(
            world.story(&id),
            [
                "schedule succeeded slots 60..60 x1",
                "schedule stopped superseded slots 120..120 x1",
                "schedule running slots 180..180 x1"
            ]
        );
        assert_eq!(world.spawn_log.len(), 2);
        world.audit_all();
    }
}

#[test]
fn all_late_slots_have_one_run_that_waits() {
    let (mut world, _, id, first) = at_work("queueOne", json!({}));
    world.advance(5 * MINUTE);
    assert_eq!(words(&world.last_run(&id)), "schedule scheduled previous slots 120..360 x5");
    // The newest is late by more than the grace, and inside the window.
    world.advance(85_000);
    assert_eq!(world.story(&id).len(), 3);
    world.finish(&first, exited(0));
    assert_eq!(words(&world.last_run(&id)), "schedule running slots 420..420 x1");
    world.audit_all();
}

#[test]
fn a_slot_that_is_caught_up_with_waits_for_its_turn_and_then_for_the_previous_run() {
    let (mut world, owner) = World::with_owner();
    let other = world.create(owner, every(600));
    let id = world.create(owner, policy(every(600), json!({"overlap": "queueOne"})));
    let by_hand = world.run(owner, &id);
    world.settle();
    world.advance(12 * MINUTE);
    assert_eq!(words(&world.last_run(&other)), "catchUp scheduled directory slots 600..600 x1");
    assert_eq!(words(&world.last_run(&id)), "catchUp scheduled catchUp slots 600..600 x1");
    world.run_for(5000);
    assert_eq!(words(&world.last_run(&id)), "catchUp scheduled previous slots 600..600 x1");
    world.finish(&by_hand, exited(0));
    assert_eq!(words(&world.last_run(&id)), "catchUp scheduled directory slots 600..600 x1");
    world.audit_all();
}

#[test]
fn waiting_for_the_previous_run_ends_after_its_time() {
    let (mut world, owner, id, first) = at_work("queueOne", json!({}));
    world.try_update(owner, &id, None, &json!({"policy": {"queueMs": 30_000}})).unwrap();
    world.run_for(MINUTE + 29_999);
    assert_eq!(words(&world.last_run(&id)), "schedule scheduled previous slots 120..120 x1");
    world.run_for(1);
    assert_eq!(words(&world.last_run(&id)), "schedule stopped previous_run_active slots 120..120 x1");
    world.finish(&first, exited(0));
    assert_eq!(world.spawn_log.len(), 1, "what was stopped never starts");
    world.audit_all();
}

#[test]
fn the_previous_run_is_asked_to_end_and_the_new_one_starts_when_it_has_gone() {
    for access in ["write", "read"] {
        let (mut world, owner, id, first) = at_work("cancelPrevious", json!({"access": access}));
        world.now = world.now.plus_ms(MINUTE);
        world.look(owner).unwrap();
        assert_eq!(
            world.story(&id),
            ["schedule running superseded slots 60..60 x1", "schedule scheduled previous slots 120..120 x1"]
        );
        // Several quick slots: only the newest goes on.
        world.now = world.now.plus_ms(MINUTE);
        world.tick(owner).unwrap();
        obey(&mut world, &first);
        assert_eq!(
            world.story(&id),
            [
                "schedule stopped superseded slots 60..60 x1",
                "schedule stopped superseded slots 120..120 x1",
                "schedule running slots 180..180 x1"
            ]
        );
        assert_eq!(world.automation(&id).state.completed_runs, 0);
        world.audit_all();
    }
}

#[test]
fn what_has_not_begun_ends_at_once_and_the_new_run_has_its_place() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, overlapping("cancelPrevious"));
    let first = world.run(owner, &id);
    let second = world.run(owner, &id);
    assert_eq!(world.story(&id), ["manual stopped superseded", "manual scheduled"]);
    assert_eq!(behind(&world, &second), None);
    world.settle();
    assert_eq!(world.spawn_log.iter().map(|spawn| &spawn.run).collect::<Vec<_>>(), [&second]);
    assert_ne!(first, second);
    world.audit_all();
}

#[test]
fn runs_by_hand_follow_the_policy() {
    let (mut world, owner, id, first) = at_work("queueOne", json!({}));
    let second = world.try_run(owner, &id).unwrap();
    assert_eq!(words(&second), "manual scheduled previous");
    let third = world.try_run(owner, &id).unwrap();
    assert_eq!(world.story(&id)[1..], ["manual stopped superseded", "manual scheduled previous"]);
    world.finish(&first, exited(0));
    assert_eq!(world.run_row(&third.id).run.state(), State::Running);
    world.try_update(owner, &id, None, &json!({"policy": {"overlap": "cancelPrevious"}})).unwrap();
    world.try_run(owner, &id).unwrap();
    obey(&mut world, &third.id);
    assert_eq!(world.story(&id)[2..], ["manual stopped superseded", "manual running"]);
    world.try_update(owner, &id, None, &json!({"policy": {"overlap": "skip"}})).unwrap();
    let running = world.last_run(&id).id;
    let refused = world.try_run(owner, &id).unwrap_err();
    assert!(matches!(refused, Refusal::ActiveRunStillRunning { run } if run == running));
    world.audit_all();
}

#[test]
fn a_reader_too_waits_until_the_work_of_a_dead_window_has_gone() {
    for overlap in ["skip", "queueOne", "cancelPrevious"] {
        let (mut world, owner, id, first) = at_work(overlap, json!({"access": "read"}));
        world.leftovers_resist = true;
        world.die(owner);
        let next = world.arrive(sexton::domain::scheduler::Role::Participant).unwrap();
        world.settle_dead_peers(next).unwrap();
        world.try_the_bell(next).unwrap();
        world.run_for(MINUTE);
        let second = world.last_run(&id).id;
        assert_eq!(
            world.story(&id),
            ["schedule stopped interrupted slots 60..60 x1", "schedule scheduled previous slots 120..120 x1"]
        );
        assert_eq!(behind(&world, &second), Some(first));
        world.run_for(MINUTE - 1);
        world.end_leftovers(next).unwrap();
        world.settle();
        assert_eq!(world.run_row(&second).run.state(), State::Running);
        world.audit_all();
    }
}

#[test]
fn one_that_waits_for_the_guard_of_an_ended_run_gives_way_too() {
    let (mut world, owner, id, _) = at_work("queueOne", json!({}));
    world.leftovers_resist = true;
    world.die(owner);
    let next = world.arrive(sexton::domain::scheduler::Role::Participant).unwrap();
    world.settle_dead_peers(next).unwrap();
    world.try_the_bell(next).unwrap();
    world.run_for(2 * MINUTE);
    assert_eq!(
        world.story(&id)[1..],
        ["schedule stopped superseded slots 120..120 x1", "schedule scheduled previous slots 180..180 x1"]
    );
    world.audit_all();
}

#[test]
fn a_pause_stops_what_waits_for_a_slot_and_leaves_what_somebody_asked_for() {
    for (by_hand, then) in [(false, "schedule stopped paused slots 120..120 x1"), (true, "manual running")] {
        let (mut world, owner, id, first) = at_work("queueOne", json!({}));
        if by_hand {
            world.run(owner, &id);
        } else {
            world.run_for(MINUTE);
        }
        world.pause(owner, &id, None).unwrap();
        world.finish(&first, exited(0));
        assert_eq!(world.story(&id)[1..], [then]);
        world.audit_all();
    }
}

#[test]
fn a_pause_starts_nothing_and_asks_nothing_to_end() {
    for overlap in ["queueOne", "cancelPrevious"] {
        let (mut world, owner, id, _) = at_work(overlap, json!({}));
        world.now = world.now.plus_ms(MINUTE);
        world.pause(owner, &id, None).unwrap();
        assert_eq!(
            world.story(&id),
            ["schedule running slots 60..60 x1", "schedule stopped paused slots 120..120 x1"]
        );
        world.audit_all();
    }
}

#[test]
fn a_delete_cancels_what_waits_or_lets_it_end_normally() {
    let (mut world, owner, id, first) = at_work("queueOne", json!({}));
    world.run_for(MINUTE);
    world.delete(owner, &id, ActiveRun::Finish).unwrap();
    world.run_for(2 * MINUTE);
    assert!(matches!(world.try_run(owner, &id), Err(Refusal::AutomationConflict { .. })));
    world.finish(&first, exited(0));
    let second = world.last_run(&id).id;
    assert_eq!(world.run_row(&second).run.state(), State::Running, "and nothing was claimed meanwhile");
    world.finish(&second, exited(0));
    assert!(world.view().automation(&id).unwrap().is_none());

    let other = world.create(owner, overlapping("queueOne"));
    world.run_for(2 * MINUTE);
    let seq = world.view().newest_seq().unwrap();
    world.delete(owner, &other, ActiveRun::Cancel).unwrap();
    assert_eq!(world.story(&other)[1].split(' ').nth(2), Some("cancelled"));
    world.settle();
    assert!(world.view().automation(&other).unwrap().is_none());
    assert_eq!(world.spawn_log.len(), 3);
    assert!(world.view().newest_seq().unwrap() > seq);
    world.audit_all();
}

#[test]
fn an_edit_leaves_runs_alone_and_decides_about_the_next_slot() {
    let (mut world, owner, id, first) = at_work("skip", json!({}));
    world.run_for(MINUTE);
    assert_eq!(world.story(&id), ["schedule running slots 60..60 x1 skipped 120..120 x1"]);
    world.try_update(owner, &id, None, &json!({"policy": {"overlap": "queueOne"}})).unwrap();
    world.run_for(MINUTE);
    assert_eq!(
        world.story(&id),
        [
            "schedule running slots 60..60 x1",
            "schedule stopped previous_run_active slots 120..120 x1",
            "schedule scheduled previous slots 180..180 x1"
        ]
    );
    world.try_update(owner, &id, None, &json!({"policy": {"overlap": "skip"}})).unwrap();
    world.run_for(MINUTE);
    assert_eq!(world.story(&id)[0], "schedule running slots 60..60 x1 skipped 240..240 x1");
    world.finish(&first, exited(0));
    assert_eq!(
        world.story(&id)[2..],
        ["schedule running slots 180..180 x1", "schedule stopped previous_run_active slots 240..240 x1"]
    );
    world.audit_all();
}

#[test]
fn no_more_slots_are_claimed_than_a_count_leaves() {
    for overlap in ["queueOne", "cancelPrevious"] {
        let (mut world, owner, id, _) = at_work(overlap, json!({"stop": {"kind": "count", "count": 2}}));
        world.now = world.now.plus_ms(MINUTE);
        world.tick(owner).unwrap();
        let state = world.automation(&id).state;
        assert_eq!((state.active_runs.len(), state.next_fire_at), (2, None));
        world.now = world.now.plus_ms(MINUTE);
        world.tick(owner).unwrap();
        assert!(world.story(&id)[0].ends_with("skipped 180..180 x1"), "{:?}", world.story(&id));
        world.settle();
        while let Some(run) = world.automation(&id).state.active_runs.first().cloned() {
            world.finish(&run, exited(1));
            world.run_for(MINUTE);
            let state = world.automation(&id).state;
            assert!(state.completed_runs + i64::try_from(state.active_runs.len()).unwrap() <= 2);
        }
        assert_eq!(world.automation(&id).state.completed_runs, 2, "{:?}", world.story(&id));
        assert_eq!(world.story(&id)[2], "schedule stopped previous_run_active slots 180..180 x1");
        world.audit_all();
    }
}

#[test]
fn the_end_by_count_stops_what_waits_for_a_slot() {
    let (mut world, owner, id, first) = at_work("queueOne", json!({}));
    world.run_for(MINUTE);
    world.try_update(owner, &id, None, &json!({"stop": {"kind": "count", "count": 1}})).unwrap();
    world.finish(&first, exited(0));
    assert_eq!(
        world.story(&id),
        ["schedule succeeded slots 60..60 x1", "schedule stopped ended slots 120..120 x1"]
    );
    world.run_for(HOUR);
    assert_eq!(world.runs(&id).len(), 2);
    world.audit_all();
}

#[test]
fn a_reminder_waits_for_nothing_and_takes_nobodys_place_in_the_line() {
    let (mut world, owner, id, first) = at_work("queueOne", json!({}));
    world.run(owner, &id);
    let task = reminder(json!({}))["task"].take();
    world.try_update(owner, &id, None, &json!({"task": task})).unwrap();
    world.run_for(MINUTE);
    assert_eq!(
        world.story(&id),
        [
            "schedule running slots 60..60 x1",
            "manual scheduled previous",
            "schedule succeeded slots 120..120 x1"
        ]
    );
    world.try_update(owner, &id, None, &json!({"policy": {"overlap": "cancelPrevious"}})).unwrap();
    world.run_for(MINUTE);
    obey_or_over(&mut world, &first);
    assert_eq!(
        world.story(&id)[..2],
        ["schedule stopped superseded slots 60..60 x1", "manual stopped superseded"]
    );
    world.audit_all();
}

fn obey_or_over(world: &mut World, run: &RunId) {
    world.settle();
    assert!(!world.run_row(run).run.state().is_active());
}

#[test]
fn slots_that_were_counted_come_before_those_of_a_pause() {
    let (mut world, owner, id, _) = at_work("skip", json!({}));
    world.run_for(MINUTE);
    world.try_update(owner, &id, None, &json!({"policy": {"overlap": "queueOne"}})).unwrap();
    world.now = world.now.plus_ms(MINUTE);
    world.pause(owner, &id, None).unwrap();
    assert_eq!(
        world.story(&id)[1..],
        [
            "schedule stopped previous_run_active slots 120..120 x1",
            "schedule stopped paused slots 180..180 x1"
        ]
    );
    world.audit_all();
}

#[test]
fn a_wish_to_delete_that_is_void_does_not_come_back_with_the_next_run() {
    let (mut world, owner, id, _) = at_work("queueOne", json!({}));
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    world.now = world.now.plus_ms(PATIENCE_MS);
    world.run(owner, &id);
    assert!(world.automation(&id).state.next_fire_at.is_some());
    world.audit_all();
}
