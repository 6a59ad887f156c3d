//! Windows that come, die, leave, fail to write, and disagree about who owns the bell.

use std::collections::HashMap;

use serde_json::json;
use sexton::domain::id::{AutomationId, RunId};
use sexton::engine::presence;

use crate::drafts::{every, with};
use crate::looking::words;
use crate::window::{Moved, Stage, exited, guard_lost, killed, not_started};
use crate::world::{Who, World};

const MINUTE: i64 = 60_000;

fn run_by_hand(world: &mut World, who: Who, access: &str) -> (AutomationId, RunId) {
    let id = world.create(who, with(every(60), json!({"paused": true, "access": access})));
    let run = world.run(who, &id);
    (id, run)
}

fn given_to(world: &World, run: &RunId) -> Option<String> {
    world.run_row(run).given_to.map(|instance| instance.to_string())
}

// Death.

#[test]
fn what_had_not_begun_when_its_window_died_is_given_again() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let (id, run) = run_by_hand(&mut world, other, "write");
    world.act(other);
    world.carry(other, &run);
    assert_eq!(given_to(&world, &run).as_deref(), Some("ins_window1"), "the window that asked");
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!(given_to(&world, &run).as_deref(), Some("ins_window0"));
    world.settle();
    assert_eq!(world.story(&id), ["manual running"]);
    world.audit_all();
}

#[test]
fn what_had_begun_when_its_window_died_is_interrupted_and_holds_its_directory_until_it_has_gone() {
    for started in [true, false] {
        let (mut world, owner) = World::with_owner();
        world.leftovers_resist = true;
        let other = world.open();
        let (id, run) = run_by_hand(&mut world, other, "write");
        let (next, _) = run_by_hand(&mut world, owner, "write");
        if started {
            world.settle();
        } else {
            world.act(other);
            world.carry(other, &run);
            world.carry(other, &run);
            assert_eq!(world.window(other).carried[&run].stage, Stage::Passed);
        }
        world.die(other);
        world.settle_dead_peers(owner).unwrap();
        world.settle();
        assert_eq!(world.story(&id), ["manual stopped interrupted"]);
        assert_eq!(world.story(&next), ["manual scheduled directory"], "the dead one's work may go on");
        world.end_leftovers(owner).unwrap();
        world.settle();
        assert_eq!(world.story(&next), ["manual running"]);
        world.audit_all();
    }
}

#[test]
fn what_a_dead_window_was_asked_to_stop_ends_as_it_was_asked() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let (id, run) = run_by_hand(&mut world, other, "write");
    world.settle();
    world.cancel(owner, &run).unwrap();
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
}

#[test]
fn what_becomes_free_while_the_dead_are_settled_is_not_given_to_them() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.max_concurrent_runs = 2;
    // The limits of an owner hold from the beginning of its term.
    world.decide(owner, presence::own).unwrap();
    let other = world.open();
    let (_, first) = run_by_hand(&mut world, other, "read");
    let (_, second) = run_by_hand(&mut world, other, "read");
    let (_, waiting) = run_by_hand(&mut world, other, "read");
    world.settle();
    assert_eq!(given_to(&world, &waiting), None);
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!(given_to(&world, &waiting).as_deref(), Some("ins_window0"));
    for run in [first, second] {
        assert_eq!(words(&world.run_row(&run).run), "manual stopped interrupted");
    }
    world.audit_all();
}

#[test]
fn a_window_that_was_taken_for_dead_begins_nothing() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let (id, run) = run_by_hand(&mut world, other, "write");
    world.act(other);
    world.carry(other, &run);
    let instance = world.window(other).actor.instance.clone();
    world.decide(owner, |tx, context| presence::bury(tx, context, &instance, HashMap::new())).unwrap();
    assert_eq!(given_to(&world, &run).as_deref(), Some("ins_window0"));
    assert_eq!(world.carry(other, &run), Moved::Yes, "it goes on where it stood still");
    assert!(!world.run_row(&run).begun);
    assert!(world.window(other).carried.is_empty());
    // What it decides from now on is decided, but it is given nothing.
    let mine = world.create(other, with(every(60), json!({"paused": true, "access": "read"})));
    let next = world.run(other, &mine);
    assert_eq!(given_to(&world, &next).as_deref(), Some("ins_window0"));
    world.settle();
    assert_eq!(world.story(&id), ["manual running"]);
    assert_eq!(world.spawn_log.len(), 2);
    world.audit_all();
}

#[test]
fn a_project_that_everybody_left_goes_on_when_somebody_comes_back() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = run_by_hand(&mut world, owner, "write");
    world.prepare_to_leave(owner).unwrap();
    assert_eq!(given_to(&world, &run), None);
    world.leave(owner).unwrap();
    assert_eq!(world.view().instances().unwrap(), []);
    world.advance(MINUTE);
    world.open();
    world.settle();
    assert_eq!(world.story(&id), ["manual running"], "it does not wait for something else to be due");
    world.audit_all();
}

// Leaving.

#[test]
fn a_window_that_leaves_ends_its_work_and_starts_nothing_more() {
    let (mut world, owner) = World::with_owner();
    let (first, _) = run_by_hand(&mut world, owner, "write");
    let (second, waiting) = run_by_hand(&mut world, owner, "write");
    world.settle();
    world.prepare_to_leave(owner).unwrap();
    world.settle();
    assert_eq!(world.story(&first), ["manual stopped shutdown"]);
    assert_eq!(world.story(&second), ["manual scheduled executor"]);
    assert_eq!(given_to(&world, &waiting), None);
    world.leave(owner).unwrap();
    assert_eq!(world.view().instances().unwrap(), [], "it leaves nothing to settle");
    assert_eq!(world.spawn_log.len(), 1);
    world.open();
    world.settle();
    assert_eq!(world.story(&second), ["manual running"]);
    world.audit_all();
}

#[test]
fn a_window_that_leaves_hands_on_what_has_not_begun() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let (_, given) = run_by_hand(&mut world, owner, "write");
    let (_, waiting) = run_by_hand(&mut world, owner, "write");
    world.prepare_to_leave(owner).unwrap();
    assert_eq!(given_to(&world, &given).as_deref(), Some("ins_window1"));
    world.settle();
    world.finish(&given, exited(0));
    assert_eq!(given_to(&world, &waiting).as_deref(), Some("ins_window1"));
    assert_eq!(world.carrier_of(&waiting), Some(other));
    world.audit_all();
}

#[test]
fn a_window_that_has_left_does_not_own_the_bell_though_its_first_goodbye_was_not_written() {
    let (mut world, owner) = World::with_owner();
    world.next_commit_fails = true;
    assert!(world.prepare_to_leave(owner).is_err());
    world.leave(owner).unwrap();
    assert_eq!(world.view().instances().unwrap(), []);
    let terms = "SELECT count(*) FROM terms WHERE ended_at IS NULL";
    let terms: i64 = world.connection().query_row(terms, [], |row| row.get(0)).unwrap();
    assert_eq!(terms, 0, "nobody is there");
    world.audit_all();
}

#[test]
fn what_did_not_end_before_its_window_left_is_settled_by_the_next() {
    let (mut world, owner) = World::with_owner();
    let (id, _) = run_by_hand(&mut world, owner, "write");
    world.settle();
    world.prepare_to_leave(owner).unwrap();
    world.leave(owner).unwrap();
    assert_eq!(world.view().instances().unwrap().len(), 1, "its row tells who had the run");
    world.open();
    assert_eq!(world.story(&id), ["manual stopped shutdown"]);
    world.audit_all();
}

// Reports.

#[test]
fn a_late_or_repeated_report_changes_nothing() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = run_by_hand(&mut world, owner, "write");
    world.settle();
    let seq = |world: &World| world.view().newest_seq().unwrap();
    let before = seq(&world);
    world.report_started(owner, &run).unwrap();
    assert_eq!(seq(&world), before, "started twice");
    world.finish(&run, exited(0));
    let (before, ended) = (seq(&world), world.runs(&id));
    for end in [exited(1), killed(9), guard_lost(), not_started()] {
        world.report_ended(owner, &run, end).unwrap();
    }
    world.report_started(owner, &run).unwrap();
    assert_eq!((seq(&world), world.runs(&id)), (before, ended));
}

#[test]
fn a_strangers_report_changes_nothing() {
    let (mut world, owner) = World::with_owner();
    let stranger = world.open();
    let (id, run) = run_by_hand(&mut world, owner, "write");
    world.act(owner);
    while world.window(owner).carried[&run].stage != Stage::Spawned {
        world.carry(owner, &run);
    }
    let before = world.view().newest_seq().unwrap();
    world.report_started(stranger, &run).unwrap();
    world.report_ended(stranger, &run, exited(0)).unwrap();
    assert_eq!(world.view().newest_seq().unwrap(), before);
    assert_eq!(world.story(&id), ["manual scheduled"]);
    world.settle();
    world.finish(&run, exited(0));
    assert_eq!(world.story(&id), ["manual succeeded"]);
}

#[test]
fn a_stranger_does_not_free_the_directory_of_the_dead() {
    let (mut world, owner) = World::with_owner();
    world.leftovers_resist = true;
    let other = world.open();
    let (_, run) = run_by_hand(&mut world, other, "write");
    world.settle();
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    world.report_ended(owner, &run, exited(0)).unwrap();
    assert!(world.run_row(&run).holds_directory);
}

#[test]
fn an_end_without_a_start_is_recorded() {
    let ends = [
        (exited(0), "manual succeeded"),
        (exited(1), "manual failed execution_failed"),
        (killed(9), "manual failed execution_failed"),
        (guard_lost(), "manual failed crashed"),
        (not_started(), "manual failed start_failed"),
    ];
    for (end, expected) in ends {
        let (mut world, owner) = World::with_owner();
        let (id, run) = run_by_hand(&mut world, owner, "write");
        world.begin(owner, &run).unwrap();
        world.report_ended(owner, &run, end).unwrap();
        assert_eq!(world.story(&id), [expected]);
        world.audit_all();
    }
}

#[test]
fn what_is_lost_after_its_start_has_crashed() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = run_by_hand(&mut world, owner, "write");
    world.settle();
    world.finish(&run, not_started());
    assert_eq!(world.story(&id), ["manual failed crashed"]);
}

// Failing commits.

#[test]
fn a_run_whose_beginning_cannot_be_written_begins_later() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = run_by_hand(&mut world, owner, "write");
    world.act(owner);
    world.carry(owner, &run);
    world.next_commit_fails = true;
    world.carry(owner, &run);
    world.settle();
    assert_eq!(world.story(&id), ["manual scheduled"]);
    assert_eq!(world.spawn_log, []);
    world.run_for(1000);
    assert_eq!(world.story(&id), ["manual running"]);
}

#[test]
fn a_report_that_cannot_be_written_is_kept() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = run_by_hand(&mut world, owner, "write");
    world.settle();
    world.end_of_work(&run, exited(0));
    world.next_commit_fails = true;
    assert_eq!(world.carry(owner, &run), Moved::No);
    assert_eq!(world.story(&id), ["manual running"]);
    world.settle();
    assert_eq!(world.story(&id), ["manual succeeded"]);
}

#[test]
fn a_tick_that_cannot_be_written_consumes_no_slot() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    world.now = world.now.plus_ms(MINUTE);
    world.next_commit_fails = true;
    assert!(world.tick(owner).is_err());
    assert_eq!(world.story(&id), Vec::<String>::new());
    world.settle();
    assert_eq!(world.story(&id), ["schedule running slots 60..60 x1"]);
}

// Two owners.

#[test]
fn two_windows_that_both_believe_to_own_the_bell_fire_once() {
    let (mut world, first) = World::with_owner();
    let second = world.open();
    world.window_mut(second).believes_to_own = true;
    world.work_ms = Some(1000);
    let id = world.create(first, every(30));
    for minute in 1..=20 {
        let [one, other] = if minute % 2 == 0 { [first, second] } else { [second, first] };
        world.now = world.now.plus_ms(30_000);
        world.tick(one).unwrap();
        world.tick(other).unwrap();
        world.run_for(2000);
        world.now = world.now.plus_ms(-2000);
    }
    assert_eq!(world.runs(&id).len(), 20);
    assert_eq!(world.spawn_log.len(), 20);
    world.audit_all();
}
