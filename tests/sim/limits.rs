//! Limits, waits and turns while the machine sleeps and its clock is set: what is waited for is as far away as it was.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};

use crate::drafts::{every, once, policy, with};
use crate::looking::words;
use crate::window::{Stage, exited, not_started};
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const YEAR: i64 = 365 * 24 * HOUR;

/// A manual run of a paused automation, asked of this window.
fn by_hand(world: &mut World, who: Who, policies: Value) -> RunId {
    let id = world.create(who, with(policy(every(60), policies), json!({"paused": true})));
    world.run(who, &id)
}

fn told(world: &World, run: &RunId) -> String {
    words(&world.run_row(run).run)
}

/// An automation that only reads, and whose first run cannot start now.
fn failed_to_start(world: &mut World, owner: Who, policies: Value) -> AutomationId {
    let at = world.now.plus_ms(SECOND);
    let draft = with(once(at.as_millis()), json!({"access": "read"}));
    let id = world.create(owner, policy(draft, policies));
    world.now = at;
    world.tick(owner).unwrap();
    world.act(owner);
    let run = world.last_run(&id).id;
    world.set_stage(owner, &run, Some(Stage::Ended(not_started())));
    world.carry(owner, &run);
    assert_eq!(words(&world.last_run(&id)), "retry scheduled retry");
    id
}

/// Work that may take an hour, and a run that waits for its directory for half of that.
fn at_work(world: &mut World, owner: Who) -> (RunId, RunId) {
    let works = by_hand(world, owner, json!({"wallMs": HOUR}));
    let waits = by_hand(world, owner, json!({"queueMs": HOUR / 2}));
    world.settle();
    assert_eq!(told(world, &works), "manual running");
    assert_eq!(told(world, &waits), "manual scheduled directory");
    (works, waits)
}

#[test]
fn a_clock_that_is_set_forward_by_a_year_ends_no_work_no_wait_and_no_chain_of_retries() {
    for is_right in [false, true] {
        let (mut world, owner) = World::with_owner();
        let retry = json!({"retry": {"attempts": 1, "delayMs": 5 * MINUTE}, "queueMs": SECOND});
        let retried = failed_to_start(&mut world, owner, retry);
        let (works, waits) = at_work(&mut world, owner);
        let all =
            |world: &World| [told(world, &works), told(world, &waits), words(&world.last_run(&retried))];
        let before = all(&world);
        world.run_for(6 * SECOND);
        world.set_clock(YEAR);
        world.run_for(5 * MINUTE - 6 * SECOND - 1);
        assert_eq!(all(&world), before, "nothing has taken longer");
        let until = world.run_row(&waits).run.waiting().unwrap().until_at;
        assert_eq!(until, Some(world.now.plus_ms(25 * MINUTE + 1)), "what is shown is what counts");
        world.run_for(1);
        assert_eq!(
            words(&world.last_run(&retried)),
            "retry running",
            "its time has come, whatever the clock shows"
        );
        world.finish(&world.last_run(&retried).id, exited(0));
        world.run_for(15 * MINUTE);
        if !is_right {
            world.set_clock(-YEAR);
        }
        world.run_for(10 * MINUTE - 1);
        assert_eq!(all(&world)[..2], before[..2], "is right: {is_right}");
        world.run_for(1);
        assert_eq!(told(&world, &waits), "manual stopped writer_busy", "is right: {is_right}");
        world.run_for(30 * MINUTE - 1);
        assert_eq!(told(&world, &works), "manual running");
        world.run_for(1);
        assert_eq!(told(&world, &works), "manual failed timed_out", "is right: {is_right}");
        assert_eq!(world.automation(&retried).state.failure_streak, 0);
        world.audit_all();
    }
}

#[test]
fn a_limit_that_began_by_a_wrong_clock_holds_when_it_is_put_right() {
    let (mut world, owner) = World::with_owner();
    world.set_clock(YEAR);
    let (works, waits) = at_work(&mut world, owner);
    world.run_for(9 * MINUTE);
    world.set_clock(-YEAR);
    world.run_for(21 * MINUTE);
    assert_eq!(told(&world, &waits), "manual stopped writer_busy");
    world.run_for(30 * MINUTE - 1);
    assert_eq!(told(&world, &works), "manual running");
    world.run_for(1);
    assert_eq!(told(&world, &works), "manual failed timed_out");
    world.audit_all();
}

#[test]
fn small_steps_of_the_clock_move_limits_as_well() {
    let (mut world, owner) = World::with_owner();
    let (works, waits) = at_work(&mut world, owner);
    for by_ms in [50 * SECOND, -50 * SECOND, 50 * SECOND, 50 * SECOND] {
        world.set_clock(by_ms);
        world.settle();
    }
    world.run_for(30 * MINUTE - 1);
    assert_eq!(told(&world, &waits), "manual scheduled directory");
    world.run_for(1);
    assert_eq!(told(&world, &waits), "manual stopped writer_busy");
    assert_eq!(told(&world, &works), "manual running");
    world.audit_all();
}

/// What is told of the run of a one-shot that is due a minute after [`START`].
const ITS_SLOT: &str = " slots 60..60 x1";

#[test]
fn turns_of_catch_ups_and_times_of_retries_come_no_sooner_when_the_clock_goes_forward() {
    let (mut world, owner) = World::with_owner();
    let brief = json!({"retry": {"attempts": 1, "delayMs": 30 * SECOND}, "queueMs": 10 * SECOND});
    let missed = [0, 1, 2].map(|_| {
        let draft = with(once(START.plus_ms(MINUTE).as_millis()), json!({"access": "read"}));
        world.create(owner, policy(draft, brief.clone()))
    });
    world.advance(MINUTE + 100 * SECOND);
    let turned = |world: &World| missed.each_ref().map(|id| words(&world.last_run(id)).replace(ITS_SLOT, ""));
    let turns = ["catchUp running", "catchUp scheduled catchUp", "catchUp scheduled catchUp"];
    assert_eq!(turned(&world), turns);
    world.set_clock(3 * HOUR);
    world.run_for(5 * SECOND - 1);
    assert_eq!(turned(&world), turns);
    world.run_for(1);
    assert_eq!(turned(&world)[1], "catchUp running");
    world.run_for(5 * SECOND);
    assert_eq!(turned(&world)[2], "catchUp running");
    let retried = failed_to_start(&mut world, owner, brief);
    world.set_clock(3 * HOUR);
    world.run_for(30 * SECOND - 1);
    assert_eq!(words(&world.last_run(&retried)), "retry scheduled retry");
    world.run_for(1);
    assert_eq!(words(&world.last_run(&retried)), "retry running");
    world.audit_all();
}

#[test]
fn a_sleep_is_no_work_and_a_wait_goes_on_meanwhile() {
    let (mut world, owner) = World::with_owner();
    let (works, waits) = at_work(&mut world, owner);
    world.run_for(3 * SECOND);
    for _ in 0..3 {
        world.suspend(2 * HOUR);
        world.run_for(SECOND);
        assert_eq!(told(&world, &works), "manual running", "it has worked for a few seconds");
    }
    assert_eq!(told(&world, &waits), "manual stopped writer_busy");
    world.run_for(HOUR - 6 * SECOND - 1);
    assert_eq!(told(&world, &works), "manual running");
    world.run_for(1);
    assert_eq!(told(&world, &works), "manual failed timed_out");
    world.audit_all();
}

/// What no window does anything in: a sleep, and a clock that is set.
const LAPSES: [fn(&mut World); 3] =
    [|world| world.suspend(HOUR), |world| world.set_clock(HOUR), |world| world.set_clock(YEAR)];

#[test]
fn nobody_neglects_to_begin_a_run_while_the_machine_sleeps_or_its_clock_is_set() {
    for lapse in LAPSES {
        let (mut world, _) = World::with_owner();
        let other = world.open();
        let run = by_hand(&mut world, other, json!({}));
        world.act(other);
        world.set_stage(other, &run, Some(Stage::Ready));
        world.window_mut(other).hangs = true;
        world.run_for(SECOND);
        lapse(&mut world);
        world.run_for(SECOND - 1);
        assert_eq!(told(&world, &run), "manual scheduled", "it has a second left");
        world.run_for(1);
        assert_eq!(told(&world, &run), "manual running");
        world.audit_all();
    }
}

#[test]
fn nobody_neglects_to_stop_a_run_while_the_machine_sleeps_or_its_clock_is_set() {
    for lapse in LAPSES {
        let (mut world, owner) = World::with_owner();
        let other = world.open();
        let run = by_hand(&mut world, other, json!({}));
        world.settle();
        world.window_mut(other).hangs = true;
        world.cancel(owner, &run).unwrap();
        world.run_for(7 * SECOND);
        lapse(&mut world);
        // The sweep may come before anybody has decided anything.
        world.end_what_is_to_stop(owner).unwrap();
        world.run_for(SECOND - 1);
        assert_eq!(told(&world, &run), "manual running cancelled", "it has a second left");
        world.run_for(1);
        assert_eq!(told(&world, &run), "manual stopped cancelled");
        world.audit_all();
    }
}
