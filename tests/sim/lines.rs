//! The order of the line of a directory, and what those who stand in it say.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::lifecycle::{CloseKind, CloseMode};
use sexton::domain::run::machine::State;
use sexton::domain::scheduler::Role;

use crate::closer::close;
use crate::drafts::{every, policy, prompt, with};
use crate::looking::words;
use crate::previous::{behind, overlapping};
use crate::window::{Stage, exited, not_started};
use crate::world::{Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

fn by_hand(world: &mut World, owner: Who, fields: Value) -> RunId {
    let id = world.create(owner, with(with(every(600), json!({"paused": true})), fields));
    world.run(owner, &id)
}

fn said(world: &World, run: &RunId) -> String {
    words(&world.run_row(run).run)
}

/// A window in which two may work, and no more.
fn narrow() -> (World, Who) {
    let mut world = World::new();
    world.limits.shared.max_concurrent_runs = 2;
    let owner = world.open();
    (world, owner)
}

/// Who may wait for its directory, and who may not.
const QUEUES: fn() -> Value = || json!({});
const SKIPS: fn() -> Value = || json!({"policy": {"ifBusy": "skip"}});

#[test]
fn requests_do_not_wait_behind_catch_ups_and_none_moves_ahead_of_them_later() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(9 * SECOND);
    let missed = [0; 4].map(|_| world.create(owner, every(600)));
    world.advance(12 * MINUTE);
    world.run_for(11 * SECOND + 500);
    let turns = missed.map(|id| world.last_run(&id).id);
    assert_eq!(said(&world, &turns[1]), "catchUp running slots 600..600 x1");
    assert_eq!(behind(&world, &turns[2]), Some(turns[1].clone()));
    let asked = by_hand(&mut world, owner, json!({}));
    assert_eq!(behind(&world, &asked), Some(turns[1].clone()));
    assert_eq!(behind(&world, &turns[2]), Some(asked.clone()), "it goes before those that have not started");
    world.run_for(4 * SECOND);
    assert_eq!(behind(&world, &asked), Some(turns[1].clone()), "the fourth turn has come meanwhile");
    assert_eq!(behind(&world, &turns[3]), Some(turns[2].clone()));
    world.run_for(MINUTE);
    let order: Vec<RunId> = world.spawn_log.iter().map(|spawn| spawn.run.clone()).collect();
    assert_eq!(order, [&turns[0], &turns[1], &asked, &turns[2], &turns[3]].map(Clone::clone));
    world.audit_all();
}

/// A run by hand that could not start; it is tried again in a minute.
fn failed_to_start(world: &mut World, owner: Who) -> AutomationId {
    let retry = json!({"overlap": "queueOne", "retry": {"attempts": 1, "delayMs": MINUTE}});
    let id = world.create(owner, policy(overlapping("queueOne"), retry));
    let first = world.run(owner, &id);
    world.act(owner);
    world.set_stage(owner, &first, Some(Stage::Ended(not_started())));
    world.carry(owner, &first);
    assert_eq!(said(world, &world.last_run(&id).id), "retry scheduled retry");
    id
}

#[test]
fn a_retry_stands_in_line_from_the_time_at_which_it_may_start() {
    let (mut world, owner) = World::with_owner();
    let id = failed_to_start(&mut world, owner);
    let again = world.last_run(&id).id;
    let holding = by_hand(&mut world, owner, json!({}));
    world.run_for(MINUTE - 1);
    let before = by_hand(&mut world, owner, json!({}));
    world.run_for(2);
    let after = by_hand(&mut world, owner, json!({}));
    let line = [&before, &again, &after].map(|run| behind(&world, run));
    assert_eq!(line, [&holding, &before, &again].map(|run| Some(run.clone())));
    world.audit_all();
}

#[test]
fn a_clock_that_is_set_back_lets_nobody_overtake() {
    let (mut world, owner) = World::with_owner();
    let holding = by_hand(&mut world, owner, json!({}));
    world.settle();
    let first = by_hand(&mut world, owner, json!({}));
    world.set_clock(-HOUR);
    let second = by_hand(&mut world, owner, json!({}));
    let line = [&first, &second].map(|run| behind(&world, run));
    assert_eq!(line, [&holding, &first].map(|run| Some(run.clone())));
    world.finish(&holding, exited(0));
    assert_eq!(world.run_row(&first).run.state(), State::Running);
    world.audit_all();
}

#[test]
fn a_catch_up_that_waits_for_room_waits_behind_a_request_that_comes() {
    for (fields, becomes) in [(QUEUES(), "scheduled directory"), (SKIPS(), "stopped writer_busy")] {
        let (mut world, owner) = narrow();
        let missed = world.create(owner, with(every(600), fields));
        let readers = [0; 2].map(|_| by_hand(&mut world, owner, json!({"access": "read"})));
        world.settle();
        world.advance(12 * MINUTE);
        let catch_up = world.last_run(&missed).id;
        assert_eq!(said(&world, &catch_up), "catchUp scheduled capacity slots 600..600 x1");
        let asked = by_hand(&mut world, owner, json!({}));
        assert_eq!(said(&world, &asked), "manual scheduled capacity");
        assert_eq!(said(&world, &catch_up), format!("catchUp {becomes} slots 600..600 x1"));
        world.finish(&readers[0], exited(0));
        assert_eq!(said(&world, &asked), "manual running");
        world.audit_all();
    }
}

#[test]
fn who_waits_for_room_hears_of_one_that_joins_the_line_ahead_of_it() {
    for (fields, becomes) in [(QUEUES(), "scheduled directory"), (SKIPS(), "stopped writer_busy")] {
        let (mut world, owner) = narrow();
        let id = failed_to_start(&mut world, owner);
        let again = world.last_run(&id).id;
        let moves_up = world.run(owner, &id);
        assert_eq!(said(&world, &moves_up), "manual scheduled previous");
        for _ in 0..2 {
            by_hand(&mut world, owner, json!({"access": "read"}));
        }
        let waits = by_hand(&mut world, owner, fields);
        let last = by_hand(&mut world, owner, json!({}));
        assert_eq!(said(&world, &waits), "manual scheduled capacity");
        world.cancel(owner, &again).unwrap();
        assert_eq!(said(&world, &moves_up), "manual scheduled capacity");
        assert_eq!(said(&world, &waits), format!("manual {becomes}"));
        let ahead = if world.run_row(&waits).run.state() == State::Stopped { &moves_up } else { &waits };
        assert_eq!(behind(&world, &last).as_ref(), Some(ahead));
        world.audit_all();
    }
}

#[test]
fn who_waits_for_room_hears_of_one_that_is_given_the_directory_before_it() {
    for (fields, becomes) in [(QUEUES(), "scheduled directory"), (SKIPS(), "stopped writer_busy")] {
        let (mut world, owner) = narrow();
        let id =
            world.create(owner, with(overlapping("queueOne"), json!({"access": "read", "paused": true})));
        let reading = world.run(owner, &id);
        world.update(owner, &id, json!({"access": "write"}));
        let writes = world.run(owner, &id);
        by_hand(&mut world, owner, json!({"access": "read"}));
        let waits = by_hand(&mut world, owner, fields);
        assert_eq!(said(&world, &waits), "manual scheduled capacity");
        world.settle();
        // Its end makes room, and leads on to the run that waits for it.
        world.finish(&reading, exited(0));
        assert_eq!(said(&world, &writes), "manual running");
        assert_eq!(said(&world, &waits), format!("manual {becomes}"));
        world.audit_all();
    }
}

#[test]
fn a_prompt_that_was_passed_while_nobody_could_carry_it_out_stands_ahead_of_those_behind_it_again() {
    let (mut world, staying) = World::with_owner();
    let (dying, closing) = (world.open(), world.open_as(Role::Observer));
    for (who, directory) in [(dying, "/elsewhere"), (closing, "/worktree")] {
        world.serve(who, 1);
        world.directory = directory;
        by_hand(&mut world, who, prompt(json!({})));
    }
    world.settle();
    world.directory = "/project";
    let passed = by_hand(&mut world, closing, prompt(json!({})));
    let command = by_hand(&mut world, staying, json!({}));
    let last = by_hand(&mut world, staying, prompt(json!({})));
    close(&mut world, closing, CloseKind::Reload, CloseMode::Maintenance);
    assert_eq!(said(&world, &passed), "manual scheduled executor");
    world.die(dying);
    world.die(closing);
    // Once the first is settled, the one that closes could carry out only what it was asked for: that is in nobody's way.
    world.settle_dead_peers(staying).unwrap();
    assert_eq!(said(&world, &command), "manual scheduled");
    assert_eq!(behind(&world, &last), Some(command.clone()));
    world.serve(staying, 2);
    assert_eq!(behind(&world, &passed), Some(command));
    assert_eq!(behind(&world, &last), Some(passed));
    world.audit_all();
}
