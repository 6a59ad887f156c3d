//! What becomes of a run that waits for the previous one of its automation when that ends, however it ends.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::request::ActiveRun;
use sexton::domain::run::machine::State;
use sexton::ledger::EventFilter;

use crate::drafts::{every, policy, with};
use crate::looking::words;
use crate::previous::{at_work, behind, overlapping};
use crate::window::{Stage, killed, not_started};
use crate::world::{Who, World};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// What was told of a run, each change in words.
fn told(world: &World, run: &RunId) -> Vec<String> {
    let events = world.view().events_after(0, &EventFilter::default(), 10_000).unwrap();
    let told = events.iter().map(|event| serde_json::from_str::<Value>(&event.payload).unwrap());
    let of_it = told.filter(|told| told["run"]["id"] == run.as_str());
    let words = |told: Value| {
        let run = &told["run"];
        let more = run["waiting"]["for"].as_str().or(run["stopReason"].as_str()).unwrap_or("-");
        format!("{} {more}", run["state"].as_str().unwrap())
    };
    of_it.map(words).collect()
}

#[test]
fn every_end_of_the_previous_run_leads_on() {
    let ends: [fn(&mut World, Who, &RunId); 4] = [
        |world, _, run| world.finish(run, killed(9)),
        |world, owner, run| drop(world.cancel(owner, run)),
        |world, owner, _| {
            world.die(owner);
            world.open();
        },
        // Its time to work is over.
        |world, _, _| world.run_for(HOUR - MINUTE - 1),
    ];
    for end in ends {
        let (mut world, owner, id, first) = at_work("queueOne", json!({}));
        world.run_for(MINUTE);
        let second = world.last_run(&id).id;
        world
            .try_update(owner, &id, None, &json!({"stop": {"kind": "until", "at": world.now.as_millis()}}))
            .unwrap();
        end(&mut world, owner, &first);
        world.run_for(1);
        assert_eq!(world.run_row(&second).run.state(), State::Running);
        assert_eq!(world.runs(&id).len(), 2);
        world.audit_all();
    }
}

#[test]
fn one_that_could_not_start_leads_on() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, overlapping("queueOne"));
    let first = world.run(owner, &id);
    world.act(owner);
    let second = world.run(owner, &id);
    world.set_stage(owner, &first, Some(Stage::Ended(not_started())));
    world.settle();
    assert_eq!(world.story(&id), ["manual failed start_failed", "manual running"]);
    assert_eq!(world.spawn_log.last().map(|spawn| spawn.run.clone()), Some(second));
    world.audit_all();
}

#[test]
fn who_moves_up_enters_the_line_of_the_directory_where_it_belongs() {
    let (mut world, owner) = World::with_owner();
    let paused = |draft| with(draft, json!({"paused": true}));
    let by_hand = |world: &mut World| {
        let id = world.create(owner, paused(every(60)));
        world.run(owner, &id)
    };
    let holding = by_hand(&mut world);
    world.settle();
    let id = world.create(owner, paused(overlapping("queueOne")));
    let first = world.run(owner, &id);
    let between = by_hand(&mut world);
    let second = world.run(owner, &id);
    let last = by_hand(&mut world);
    let line = |world: &World| [&first, &between, &second, &last].map(|run| behind(world, run));
    assert_eq!(line(&world), [&holding, &first, &first, &between].map(|run| Some(run.clone())));
    world.cancel(owner, &first).unwrap();
    assert_eq!(line(&world)[1..], [&holding, &between, &second].map(|run| Some(run.clone())));
    assert_eq!(words(&world.run_row(&second).run), "manual scheduled directory");
    world.audit_all();
}

#[test]
fn what_ends_together_with_its_previous_run_does_not_move_up_before() {
    let end_all: [fn(&mut World, Who, &AutomationId); 3] = [
        |world, owner, id| {
            world.try_update(owner, id, None, &json!({"policy": {"overlap": "cancelPrevious"}})).unwrap();
            world.run(owner, id);
        },
        |world, owner, id| drop(world.delete(owner, id, ActiveRun::Cancel)),
        |world, owner, id| drop(world.pause(owner, id, None)),
    ];
    for end_all in end_all {
        let (mut world, owner) = World::with_owner();
        let draft = overlapping("queueOne");
        let id = world.create(owner, policy(draft, json!({"overlap": "queueOne", "startMs": HOUR})));
        world.now = world.now.plus_ms(MINUTE);
        world.tick(owner).unwrap();
        world.now = world.now.plus_ms(MINUTE);
        world.tick(owner).unwrap();
        let both = world.automation(&id).state.active_runs;
        end_all(&mut world, owner, &id);
        assert_eq!(told(&world, &both[0])[0], "scheduled -", "it had been given to somebody");
        let second = told(&world, &both[1]);
        assert_eq!((second.len(), second[0].as_str()), (2, "scheduled previous"), "{second:?}");
        assert!(second[1].starts_with("stopped "), "{second:?}");
        world.audit_all();
    }
}

#[test]
fn who_moves_up_is_given_to_somebody_by_the_one_that_ends() {
    let (mut world, owner) = World::with_owner();
    let draft = overlapping("queueOne");
    let retry = json!({"overlap": "queueOne", "retry": {"attempts": 1, "delayMs": HOUR}});
    let id = world.create(owner, policy(draft, retry));
    let first = world.run(owner, &id);
    world.act(owner);
    world.set_stage(owner, &first, Some(Stage::Ended(not_started())));
    world.carry(owner, &first);
    let again = world.last_run(&id).id;
    let second = world.run(owner, &id);
    assert_eq!(world.story(&id)[1..], ["retry scheduled retry", "manual scheduled previous"]);
    world.cancel(owner, &again).unwrap();
    assert!(world.run_row(&second).given_to.is_some());
    world.audit_all();
}
