//! Work that is silent for too long (`policy.idleMs`): what a command writes is seen from its output, when it matters.

use serde_json::{Value, json};
use sexton::domain::id::RunId;
use sexton::engine::tick::{self, Duty};

use crate::drafts::{every, policy, with};
use crate::looking::words;
use crate::world::{Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const YEAR: i64 = 365 * 24 * HOUR;

fn at_work(world: &mut World, who: Who, policies: Value) -> RunId {
    let id = world.create(who, with(policy(every(60), policies), json!({"paused": true})));
    let run = world.run(who, &id);
    world.settle();
    assert_eq!(told(world, &run), "manual running");
    run
}

fn told(world: &World, run: &RunId) -> String {
    words(&world.run_row(run).run)
}

/// The command writes now, by a clock of the file system that is as much ahead.
fn writes(world: &mut World, run: &RunId, ahead_ms: i64) {
    let bytes = world.written.get(run).map_or(0, |(_, bytes)| *bytes);
    world.written.insert(run.clone(), (world.now.plus_ms(ahead_ms), bytes + 1));
}

#[test]
fn a_command_that_writes_nothing_for_too_long_is_ended_and_told_why() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner, json!({"idleMs": MINUTE}));
    world.run_for(MINUTE - 1);
    assert_eq!(told(&world, &run), "manual running");
    world.run_for(1);
    let ended = world.run_row(&run).run;
    assert_eq!(words(&ended), "manual failed timed_out");
    let error = serde_json::to_value(ended).unwrap()["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("`policy.idleMs`"), "{error}");
    assert_eq!(error["class"], "task");
    world.audit_all();
}

#[test]
fn a_command_that_writes_now_and_then_may_work_until_its_wall() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner, json!({"idleMs": MINUTE, "wallMs": 10 * MINUTE}));
    for _ in 0..10 {
        world.run_for(59 * SECOND);
        writes(&mut world, &run, 0);
    }
    assert_eq!(told(&world, &run), "manual running");
    world.run_for(MINUTE);
    let ended = world.run_row(&run).run;
    assert_eq!(words(&ended), "manual failed timed_out");
    let error = serde_json::to_value(ended).unwrap()["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("`policy.wallMs`"), "{error}");
}

#[test]
fn silence_counts_from_the_last_word_and_not_from_when_that_was_noticed() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner, json!({"idleMs": MINUTE}));
    world.run_for(10 * SECOND);
    writes(&mut world, &run, 0);
    world.run_for(60 * SECOND - 1);
    assert_eq!(told(&world, &run), "manual running");
    world.run_for(1);
    assert_eq!(told(&world, &run), "manual failed timed_out");
}

#[test]
fn a_command_that_writes_more_at_the_time_at_which_it_was_known_to_have_written_is_not_silent() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner, json!({"idleMs": MINUTE}));
    world.run_for(10 * SECOND);
    writes(&mut world, &run, 0);
    let (at, bytes) = world.written[&run];
    world.run_for(55 * SECOND);
    // A file system may tell the time more coarsely than a command writes.
    world.written.insert(run.clone(), (at, bytes + 1));
    world.run_for(65 * SECOND - 1);
    assert_eq!(
        told(&world, &run),
        "manual running",
        "it was found to have written after a minute and ten seconds"
    );
    world.run_for(1);
    assert_eq!(told(&world, &run), "manual failed timed_out");
}

#[test]
fn a_file_system_whose_clock_is_wrong_makes_no_command_silent_and_none_immortal() {
    for ahead_ms in [-YEAR, YEAR] {
        let (mut world, owner) = World::with_owner();
        let run = at_work(&mut world, owner, json!({"idleMs": MINUTE}));
        for _ in 0..10 {
            world.run_for(50 * SECOND);
            writes(&mut world, &run, ahead_ms);
        }
        assert_eq!(told(&world, &run), "manual running");
        world.run_for(2 * MINUTE);
        assert_eq!(told(&world, &run), "manual failed timed_out");
    }
}

#[test]
fn a_clock_that_is_set_and_a_machine_that_sleeps_make_nobody_silent() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner, json!({"idleMs": MINUTE}));
    world.run_for(30 * SECOND);
    writes(&mut world, &run, 0);
    world.suspend(8 * HOUR);
    world.settle();
    assert_eq!(told(&world, &run), "manual running");
    writes(&mut world, &run, 0);
    world.set_clock(YEAR);
    world.settle();
    world.run_for(59 * SECOND);
    assert_eq!(told(&world, &run), "manual running");
    world.run_for(MINUTE);
    assert_eq!(told(&world, &run), "manual failed timed_out");
}

#[test]
fn silence_is_seen_by_others_where_the_window_that_started_the_command_hangs() {
    let (mut world, _) = World::with_owner();
    let other = world.open();
    let run = at_work(&mut world, other, json!({"idleMs": MINUTE}));
    world.window_mut(other).hangs = true;
    world.run_for(50 * SECOND);
    writes(&mut world, &run, 0);
    world.run_for(MINUTE);
    assert_eq!(told(&world, &run), "manual running", "it wrote ten seconds before its time");
    world.run_for(MINUTE);
    assert_eq!(told(&world, &run), "manual failed timed_out");
    world.window_mut(other).hangs = false;
    world.end_of_work_elsewhere(&run);
    world.settle();
    world.audit_all();
}

#[test]
fn a_command_whose_output_was_not_looked_at_is_not_taken_for_silent() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner, json!({"idleMs": MINUTE}));
    world.now = world.now.plus_ms(MINUTE);
    // It has become silent between the look and the tick.
    world.decide(owner, |tx, context| tick::tick(tx, context, Duty::Owner, &[])).unwrap();
    assert_eq!(told(&world, &run), "manual running");
    writes(&mut world, &run, 0);
    world.settle();
    assert_eq!(told(&world, &run), "manual running");
    world.run_for(MINUTE);
    assert_eq!(told(&world, &run), "manual failed timed_out");
}
