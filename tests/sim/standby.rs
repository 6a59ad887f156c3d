//! A window that is there but does nothing: others do for it what it was to do, later but once.

use serde_json::json;
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::scheduler::Role;

use crate::drafts::{every, policy, with};
use crate::window::{Moved, Stage, exited};
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;

fn hang(world: &mut World, who: Who) {
    world.window_mut(who).hangs = true;
}

fn go_on(world: &mut World, who: Who) {
    world.window_mut(who).hangs = false;
    world.settle();
}

/// A manual run of a paused automation, asked of this window.
fn by_hand(world: &mut World, who: Who, policies: serde_json::Value) -> (AutomationId, RunId) {
    let id = world.create(who, with(policy(every(60), policies), json!({"paused": true})));
    let run = world.run(who, &id);
    (id, run)
}

/// When each run was started, in milliseconds since [`START`].
fn starts(world: &World) -> Vec<i64> {
    world.spawn_log.iter().map(|spawn| spawn.at.since_ms(START)).collect()
}

#[test]
fn a_slot_that_a_stopped_owner_does_not_claim_is_claimed_by_another_window_once() {
    for standby_ms in [500, 2000, 30_000] {
        let (mut world, owner) = World::with_owner();
        world.limits.shared.standby_ms = standby_ms;
        // The limits of the owner count.
        world.decide(owner, sexton::engine::presence::own).unwrap();
        world.open();
        world.open();
        world.work_ms = Some(SECOND);
        let id = world.create(owner, every(60));
        hang(&mut world, owner);
        world.run_for(MINUTE + standby_ms - 1);
        assert_eq!(starts(&world), Vec::<i64>::new());
        world.run_for(1);
        assert_eq!(starts(&world), [MINUTE + standby_ms]);
        go_on(&mut world, owner);
        world.run_for(MINUTE + 2 * SECOND);
        assert_eq!(starts(&world), [MINUTE + standby_ms, 2 * MINUTE], "it rings again, and nothing twice");
        assert_eq!(
            world.story(&id),
            ["schedule succeeded slots 60..60 x1", "schedule succeeded slots 120..120 x1"]
        );
        world.audit_all();
    }
}

#[test]
fn what_a_stopped_window_has_not_begun_is_taken_by_the_one_that_sees_it() {
    let (mut world, owner) = World::with_owner();
    let (_, last) = (world.open(), world.open());
    let (_, run) = by_hand(&mut world, owner, json!({}));
    hang(&mut world, owner);
    world.now = world.now.plus_ms(3 * SECOND);
    world.tick(last).unwrap();
    assert_eq!(world.run_row(&run).given_to, Some(world.window(last).actor.instance.clone()));
}

#[test]
fn an_observer_never_stands_by() {
    let (mut world, owner) = World::with_owner();
    let observer = world.open_as(Role::Observer);
    let id = world.create(owner, every(60));
    let (manual, run) = by_hand(&mut world, owner, json!({}));
    hang(&mut world, owner);
    world.cancel(observer, &run).unwrap();
    world.run_for(10 * MINUTE);
    assert_eq!(world.story(&id), Vec::<String>::new());
    assert_eq!(world.story(&manual), ["manual stopped cancelled"], "it had not begun");
    go_on(&mut world, owner);
    assert_eq!(world.story(&id), ["schedule running slots 60..600 x10"]);
    world.audit_all();
}

#[test]
fn a_run_that_its_window_does_not_begin_is_begun_by_another_and_never_twice() {
    for stage in [Stage::Preparing, Stage::Ready] {
        let (mut world, _) = World::with_owner();
        let other = world.open();
        let (id, run) = by_hand(&mut world, other, json!({}));
        world.act(other);
        world.set_stage(other, &run, Some(stage));
        hang(&mut world, other);
        world.run_for(1999);
        assert_eq!(world.story(&id), ["manual scheduled"]);
        world.run_for(1);
        assert_eq!(world.story(&id), ["manual running"]);
        assert_eq!(starts(&world), [2 * SECOND]);
        go_on(&mut world, other);
        assert_eq!(world.carry(other, &run), Moved::No, "it has nothing in hand any more");
        world.finish(&run, exited(0));
        assert_eq!(world.story(&id), ["manual succeeded"]);
        world.audit_all();
    }
}

#[test]
fn a_run_that_everybody_is_slow_to_begin_is_left_longer_to_each_who_has_it() {
    let (mut world, first) = World::with_owner();
    let windows = [first, world.open(), world.open()];
    let (_, run) = by_hand(&mut world, first, json!({}));
    let times_given = |world: &World| -> i64 {
        let sql = "SELECT given_number FROM runs WHERE id = ?1";
        world.connection().query_row(sql, [run.as_str()], |row| row.get(0)).unwrap()
    };
    assert_eq!(times_given(&world), 1);
    let mut passed_on_after = Vec::new();
    for second in 1..=40 {
        let before = times_given(&world);
        world.now = world.now.plus_ms(SECOND);
        // Everybody decides, and nobody gets as far as to begin it.
        for who in windows {
            world.tick(who).unwrap();
        }
        if times_given(&world) > before {
            passed_on_after.push(second);
        }
    }
    assert_eq!(passed_on_after, [2, 6, 12, 20, 30]);
    world.settle();
    assert_eq!(starts(&world), [40 * SECOND], "whoever has it last begins it");
    world.audit_all();
}

#[test]
fn what_was_asked_of_an_observer_is_begun_by_a_participant_if_that_one_does_not() {
    let (mut world, _) = World::with_owner();
    let observer = world.open_as(Role::Observer);
    let (id, _) = by_hand(&mut world, observer, json!({}));
    hang(&mut world, observer);
    world.run_for(2 * SECOND);
    assert_eq!(world.story(&id), ["manual running"]);
    world.audit_all();
}

#[test]
fn a_run_that_nobody_begins_fails_when_its_limit_is_reached_however_many_try() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let (id, _) = by_hand(&mut world, other, json!({"startMs": 30 * SECOND}));
    for _ in 0..30 {
        assert_eq!(world.story(&id), ["manual scheduled"]);
        world.now = world.now.plus_ms(SECOND);
        // They look and act; their guards never get ready.
        world.look(other).unwrap();
        world.look(owner).unwrap();
    }
    assert_eq!(world.story(&id), ["manual failed timed_out"]);
    assert_eq!(starts(&world), Vec::<i64>::new());
    world.audit_all();
}

/// A run at work in a window that hangs from then on, and one that waits behind it.
fn at_work_in_a_hanging_window() -> (World, Who, Who, RunId, [AutomationId; 2]) {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let (id, run) = by_hand(&mut world, other, json!({"wallMs": 30 * SECOND}));
    let (next, _) = by_hand(&mut world, owner, json!({}));
    world.settle();
    hang(&mut world, other);
    (world, owner, other, run, [id, next])
}

#[test]
fn a_stop_that_its_window_does_not_carry_out_is_carried_out_by_another() {
    for (cancels, after) in [(1, 8 * SECOND), (2, SECOND)] {
        let (mut world, owner, other, run, [id, next]) = at_work_in_a_hanging_window();
        for _ in 0..cancels {
            world.cancel(owner, &run).unwrap();
        }
        world.run_for(after - 1);
        assert_eq!(world.story(&id), ["manual running cancelled"]);
        world.run_for(1);
        assert_eq!(world.story(&id), ["manual stopped cancelled"]);
        assert_eq!(world.story(&next), ["manual running"], "the directory is free");
        let swept = world.run_row(&run).run.ended().unwrap().process.as_ref().unwrap().swept;
        assert_eq!(swept, 1);
        let seq = world.view().newest_seq().unwrap();
        go_on(&mut world, other);
        assert_eq!(world.view().newest_seq().unwrap(), seq, "its late report changes nothing");
        assert_eq!(world.carrier_of(&run), None);
        world.audit_all();
    }
}

#[test]
fn a_limit_that_its_window_does_not_act_on_is_acted_on_by_another() {
    let (mut world, _, other, run, [id, next]) = at_work_in_a_hanging_window();
    world.run_for(32 * SECOND - 1);
    assert_eq!(world.story(&id), ["manual running"]);
    world.run_for(1);
    assert_eq!(world.story(&id), ["manual running timed_out"]);
    world.run_for(8 * SECOND);
    assert_eq!(world.story(&id), ["manual failed timed_out"]);
    assert_eq!(world.story(&next), ["manual running"]);
    go_on(&mut world, other);
    assert_eq!(world.carrier_of(&run), None);
    world.audit_all();
}

#[test]
fn a_window_that_is_slow_to_stop_its_own_work_is_left_to_it() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = by_hand(&mut world, owner, json!({}));
    world.settle();
    world.cancel(owner, &run).unwrap();
    // Its command takes its time, and nobody else is there.
    world.now = world.now.plus_ms(MINUTE);
    world.look(owner).unwrap();
    assert_eq!(world.story(&id), ["manual running cancelled"]);
    world.settle();
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
    world.audit_all();
}
