//! Reminders: told in the transaction in which they are due, held up by nothing.

use serde_json::{Value, json};
use sexton::domain::event::Event;
use sexton::domain::id::AutomationId;
use sexton::engine::derive;
use sexton::ledger::EventFilter;

use crate::drafts::{every, once, policy, reminder, with};
use crate::world::{START, World};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// What was told of an automation after a place: the state of its run, or that it has changed.
fn told(world: &World, id: &AutomationId, after: i64) -> Vec<(String, bool)> {
    let filter = EventFilter { automation: Some(id.clone()), ..EventFilter::default() };
    let events = world.view().events_after(after, &filter, 1000).unwrap();
    let words = events.into_iter().map(|event| {
        let payload: Value = serde_json::from_str(&event.payload).unwrap();
        let word = payload["run"]["state"].as_str().unwrap_or("automation").to_owned();
        (word, event.important)
    });
    words.collect()
}

#[test]
fn its_three_states_and_what_follows_are_one_transaction() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, reminder(every(60)));
    world.now = START.plus_ms(MINUTE);
    let before = world.view().newest_seq().unwrap();
    world.tick(owner).unwrap();
    let expected = [("scheduled", false), ("running", false), ("succeeded", true), ("automation", false)];
    let expected = expected.map(|(word, important)| (word.to_owned(), important));
    assert_eq!(told(&world, &id, before), expected);
    let run = world.last_run(&id);
    assert_eq!(run.instance_id.as_ref(), Some(&world.window(owner).actor.instance), "who claimed it");
    assert_eq!((run.started_at(), run.ended().unwrap().completed_at), (Some(world.now), world.now));
    assert_eq!(run.ended().unwrap().process, None);
    let row = world.run_row(&run.id);
    assert_eq!((row.given_to, row.holds_directory, row.begun, row.deadline_at), (None, false, false, None));
    let shown = world.automation(&id).state;
    assert_eq!((shown.completed_runs, shown.active_runs.len(), shown.last_run), (1, 0, Some(run.id)));
    world.settle();
    assert_eq!(world.spawn_log, [], "nothing is executed");
    world.audit_all();
}

#[test]
fn it_waits_neither_for_the_directory_nor_for_room_and_takes_none() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.max_concurrent_runs = 1;
    let holding = world.create(owner, every(3600));
    world.run(owner, &holding);
    world.settle();
    let id = world.create(owner, reminder(every(60)));
    world.run_for(3 * MINUTE);
    assert_eq!(world.story(&holding), ["manual running"]);
    let expected = [
        "schedule succeeded slots 60..60 x1",
        "schedule succeeded slots 120..120 x1",
        "schedule succeeded slots 180..180 x1",
    ];
    assert_eq!(world.story(&id), expected);
    assert_eq!(world.view().given_runs().unwrap(), 1);
    world.audit_all();
}

#[test]
fn what_was_missed_is_caught_up_with_at_once_and_leaves_the_turns_to_commands() {
    let (mut world, owner) = World::with_owner();
    let told = world.create(owner, reminder(every(3600)));
    let first = world.create(owner, every(3600));
    let second = world.create(owner, every(3600));
    let missed = world.create(owner, policy(reminder(every(3600)), json!({"missed": {"kind": "skip"}})));
    world.advance(3 * HOUR + 10 * MINUTE);
    assert_eq!(world.story(&told), ["catchUp succeeded slots 3600..10800 x3"]);
    assert_eq!(world.story(&missed), ["schedule stopped missed_schedule slots 3600..10800 x3"]);
    assert_eq!(world.story(&first), ["catchUp running slots 3600..10800 x3"]);
    assert_eq!(world.story(&second), ["catchUp scheduled catchUp slots 3600..10800 x3"]);
    let turn = world.runs(&second)[0].triggered_at.plus_ms(5000);
    assert_eq!(
        world.run_row(&world.runs(&second)[0].id).not_before,
        Some(turn),
        "five seconds apart, not ten"
    );
    world.audit_all();
}

#[test]
fn each_counts_until_the_last_one() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, with(reminder(every(60)), json!({"stop": {"kind": "count", "count": 3}})));
    world.run_for(MINUTE);
    assert_eq!(world.automation(&id).state.next_fires.len(), 2);
    assert_eq!(
        world.try_run(owner, &id).unwrap().state().as_str(),
        "succeeded",
        "as it is when it is answered"
    );
    world.run_for(HOUR);
    let expected =
        ["schedule succeeded slots 60..60 x1", "manual succeeded", "schedule succeeded slots 120..120 x1"];
    assert_eq!(world.story(&id), expected);
    let shown = world.automation(&id).state;
    assert_eq!((shown.completed_runs, shown.next_fire_at), (3, None));
    let once = world.create(owner, reminder(once(world.now.plus_ms(MINUTE).as_millis())));
    world.run_for(HOUR);
    assert_eq!(world.runs(&once).len(), 1);
    assert_eq!(world.automation(&once).state.next_fire_at, None);
    world.audit_all();
}

#[test]
fn a_reminder_that_cannot_be_written_is_told_when_it_can() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, reminder(every(60)));
    world.now = START.plus_ms(MINUTE);
    world.next_commit_fails = true;
    assert!(world.tick(owner).is_err());
    assert_eq!(world.runs(&id), []);
    world.settle();
    assert_eq!(world.story(&id), ["schedule succeeded slots 60..60 x1"]);
    world.audit_all();
}

#[test]
fn only_its_success_is_important() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, reminder(every(60)));
    let run = world.try_run(owner, &id).unwrap();
    assert!(Event::RunUpdated { run: Box::new(run) }.is_important());
    let row = world.view().automation(&id).unwrap().unwrap();
    let automation = derive::automation(&world.view(), &row).unwrap();
    assert!(!Event::AutomationUpdated { automation: Box::new(automation) }.is_important());
}
