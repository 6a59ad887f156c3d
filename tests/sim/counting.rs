//! When a schedule is over: after a number of runs, or at a time.

use serde_json::{Value, json};
use sexton::ledger::EventFilter;

use crate::drafts::{every, with};
use crate::window::exited;
use crate::world::{START, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

fn counted(count: u64) -> Value {
    with(every(60), json!({"stop": {"kind": "count", "count": count}}))
}

fn until(ms: i64) -> Value {
    with(every(60), json!({"stop": {"kind": "until", "at": START.plus_ms(ms).as_millis()}}))
}

/// The states of the runs that were told of after a place; `-` where something else was.
fn told_since(world: &World, seq: i64) -> Vec<String> {
    let events = world.view().events_after(seq, &EventFilter::default(), 100).unwrap();
    let state = |payload: Value| payload["run"]["state"].as_str().unwrap_or("-").to_owned();
    events.iter().map(|event| state(serde_json::from_str(&event.payload).unwrap())).collect()
}

#[test]
fn runs_by_hand_count_and_no_slot_is_claimed_while_the_last_run_is_active() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, counted(2));
    let by_hand = world.run(owner, &id);
    world.settle();
    assert_eq!(world.automation(&id).state.next_fires.len(), 1, "the run by hand is one of two");
    world.finish(&by_hand, exited(1));
    world.run_for(MINUTE);
    assert_eq!(world.story(&id)[1], "schedule running slots 60..60 x1");
    let state = world.automation(&id).state;
    assert_eq!((state.next_fire_at, state.next_fires.len(), state.completed_runs), (None, 0, 1));
    let seq = world.view().newest_seq().unwrap();
    world.run_for(2 * MINUTE);
    assert_eq!(told_since(&world, seq), ["running", "running"], "of the automation nothing is new");
    let last = world.last_run(&id).id;
    world.finish(&last, exited(0));
    world.run_for(10 * MINUTE);
    assert_eq!(
        world.story(&id),
        [
            "manual failed execution_failed",
            "schedule succeeded slots 60..60 x1",
            "schedule stopped previous_run_active slots 120..180 x2"
        ],
        "and nothing is missed any more"
    );
    world.audit_all();
}

#[test]
fn a_last_run_that_is_stopped_does_not_count_and_the_schedule_goes_on() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, counted(1));
    world.run_for(MINUTE);
    assert_eq!(world.automation(&id).state.next_fire_at, None);
    let run = world.last_run(&id).id;
    world.cancel(owner, &run).unwrap();
    world.settle();
    assert_eq!(world.automation(&id).state.next_fire_at, Some(START.plus_ms(2 * MINUTE)));
    world.audit_all();
}

#[test]
fn a_slot_exactly_at_the_end_fires_and_later_ones_are_neither_due_nor_missed() {
    for (until_ms, fired) in [(2 * MINUTE - 1, 1), (2 * MINUTE, 2), (2 * MINUTE + 1, 2)] {
        let (mut world, owner) = World::with_owner();
        world.work_ms = Some(SECOND);
        let id = world.create(owner, until(until_ms));
        assert_eq!(world.automation(&id).state.next_fires.len(), fired);
        world.run_for(HOUR);
        assert_eq!(world.story(&id).len(), fired, "{until_ms}");
        world.audit_all();
    }
}

#[test]
fn an_end_before_the_first_slot_is_accepted_with_a_warning() {
    let (mut world, owner) = World::with_owner();
    for ms in [-HOUR, 0, MINUTE - 1] {
        let id = world.create(owner, until(ms));
        let state = world.automation(&id).state;
        assert_eq!((state.next_fire_at, state.warnings.len()), (None, 1), "{:?}", state.warnings);
        assert!(state.warnings[0].contains("stop.at"), "{:?}", state.warnings);
    }
    let id = world.create(owner, until(MINUTE));
    assert!(world.automation(&id).state.warnings.is_empty());
    world.work_ms = Some(SECOND);
    world.run_for(HOUR);
    assert!(world.automation(&id).state.warnings.is_empty(), "one that is over has had its time");
}
