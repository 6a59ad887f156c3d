//! Runs that do not wait for their directory.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::policy::IfBusy;
use sexton::domain::refusal::Refusal;
use sexton::domain::run::Ahead;
use sexton::domain::run::machine::State;

use crate::drafts::{every, policy, reminder, with};
use crate::looking::words;
use crate::window::exited;
use crate::world::{Who, World};

const MINUTE: i64 = 60_000;

fn never_waits() -> Value {
    policy(every(60), json!({"ifBusy": "skip"}))
}

/// A world in which a run that nobody ends holds the directory.
fn held() -> (World, Who, RunId) {
    let (mut world, owner) = World::with_owner();
    let run = by_hand(&mut world, owner, json!({})).1;
    world.settle();
    (world, owner, run)
}

fn by_hand(world: &mut World, owner: Who, policy: Value) -> (AutomationId, RunId) {
    let id = world.create(owner, with(every(60), json!({"paused": true, "policy": policy})));
    let run = world.run(owner, &id);
    (id, run)
}

fn states_told(world: &World, id: &AutomationId) -> Vec<String> {
    let all = sexton::ledger::EventFilter::default();
    let events = world.view().events_after(0, &all, 10_000).unwrap();
    let told = events.iter().map(|event| serde_json::from_str::<Value>(&event.payload).unwrap());
    let of_it = told.filter(|told| told["run"]["automationID"] == id.as_str());
    let words = |told: Value| {
        let run = &told["run"];
        format!("{} {}", run["state"].as_str().unwrap(), run["waiting"]["for"].as_str().unwrap_or("-"))
    };
    of_it.map(words).collect()
}

#[test]
fn a_slot_whose_directory_is_held_has_a_run_that_ends_at_once() {
    let (mut world, owner, holding) = held();
    let id = world.create(owner, never_waits());
    world.run_for(MINUTE);
    assert_eq!(world.story(&id), ["schedule stopped writer_busy slots 60..60 x1"]);
    assert_eq!(states_told(&world, &id), ["scheduled directory", "stopped -"]);
    world.finish(&holding, exited(0));
    world.run_for(MINUTE);
    assert_eq!(words(&world.last_run(&id)), "schedule running slots 120..120 x1");
    assert_eq!(world.automation(&id).state.failure_streak, 0);
    world.audit_all();
}

#[test]
fn a_run_by_hand_is_refused_and_leaves_nothing_behind() {
    let (mut world, owner, holding) = held();
    let id = world.create(owner, with(never_waits(), json!({"paused": true})));
    let before = world.view().newest_seq().unwrap();
    let refused = world.try_run(owner, &id).unwrap_err();
    assert!(matches!(refused, Refusal::WriterBusy { ahead } if ahead == Ahead::Run(holding)));
    assert_eq!((world.runs(&id).len(), world.view().newest_seq().unwrap()), (0, before));
    // Who asks may want it otherwise, for this run.
    let waits = world.try_run_if_busy(owner, &id, Some(IfBusy::Queue)).unwrap();
    assert_eq!(words(&waits), "manual scheduled directory");
    let (other, _) = by_hand(&mut world, owner, json!({"overlap": "queueOne"}));
    let refused = world.try_run_if_busy(owner, &other, Some(IfBusy::Skip));
    assert_eq!(
        refused.unwrap().waiting().map(|waiting| waiting.run_ahead().cloned()),
        Some(Some(world.runs(&other)[0].id.clone())),
        "an earlier run of its own is no other writer"
    );
    let third = world.create(owner, with(never_waits(), json!({"paused": true})));
    let refused = world.try_run(owner, &third).unwrap_err();
    let next = Ahead::Run(world.runs(&other)[0].id.clone());
    assert!(
        matches!(refused, Refusal::WriterBusy { ahead } if ahead == next),
        "who is ahead of it in the line"
    );
    world.audit_all();
}

#[test]
fn a_refused_run_has_not_taken_the_place_of_another() {
    let (mut world, owner, _) = held();
    let (id, waits) = by_hand(&mut world, owner, json!({"overlap": "cancelPrevious"}));
    let refused = world.try_run_if_busy(owner, &id, Some(IfBusy::Skip)).unwrap_err();
    assert!(matches!(refused, Refusal::WriterBusy { .. }));
    assert_eq!(words(&world.run_row(&waits).run), "manual scheduled directory");
    world.audit_all();
}

#[test]
fn one_whose_previous_run_has_gone_does_not_join_a_line() {
    let (mut world, owner) = World::with_owner();
    let draft = policy(every(60), json!({"ifBusy": "skip", "overlap": "queueOne"}));
    let id = world.create(owner, draft);
    world.run_for(MINUTE);
    let first = world.last_run(&id).id;
    let between = by_hand(&mut world, owner, json!({})).1;
    let by_hand = world.run(owner, &id);
    assert_eq!(words(&world.run_row(&by_hand).run), "manual scheduled previous");
    world.finish(&first, exited(0));
    assert_eq!(world.run_row(&between).run.state(), State::Running, "it has waited longer");
    assert_eq!(world.story(&id)[1..], ["manual stopped writer_busy"]);
    world.audit_all();
}

#[test]
fn a_catch_up_whose_turn_has_come_does_not_join_a_line() {
    let (mut world, owner) = World::with_owner();
    let first = world.create(owner, every(600));
    let second = world.create(owner, policy(every(600), json!({"ifBusy": "skip"})));
    world.advance(12 * MINUTE);
    assert_eq!(world.story(&first), ["catchUp running slots 600..600 x1"]);
    assert_eq!(world.story(&second), ["catchUp scheduled catchUp slots 600..600 x1"]);
    world.run_for(5000);
    assert_eq!(world.story(&second), ["catchUp stopped writer_busy slots 600..600 x1"]);
    world.audit_all();
}

#[test]
fn readers_and_reminders_have_no_directory_to_wait_for_and_room_is_waited_for() {
    let (mut world, owner, _) = held();
    let reader = world.create(owner, with(never_waits(), json!({"access": "read", "paused": true})));
    let told = world.create(owner, with(reminder(never_waits()), json!({"paused": true})));
    for id in [&reader, &told] {
        world.run(owner, id);
    }
    world.settle();
    assert_eq!(world.story(&reader), ["manual running"]);
    assert_eq!(world.story(&told), ["manual succeeded"]);
    let mut world = World::new();
    world.limits.shared.max_concurrent_runs = 1;
    let owner = world.open();
    let reading = world.create(owner, with(every(60), json!({"access": "read", "paused": true})));
    let reading = world.run(owner, &reading);
    let id = world.create(owner, with(never_waits(), json!({"paused": true})));
    assert_eq!(words(&world.try_run(owner, &id).unwrap()), "manual scheduled capacity");
    world.settle();
    world.finish(&reading, exited(0));
    assert_eq!(world.story(&id), ["manual running"]);
    world.audit_all();
}
