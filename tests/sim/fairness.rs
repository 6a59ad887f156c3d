//! Who comes first: the oldest, whoever has asked for it, and catch-ups last.

use serde_json::json;
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::run::machine::State;

use crate::drafts::{every, policy, with};
use crate::window::exited;
use crate::world::{Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;

fn on_demand(world: &mut World, owner: Who) -> AutomationId {
    world.create(owner, with(every(600), json!({"paused": true})))
}

/// The runs in the order in which they were started, once all that is there has ended one after the other.
fn in_order(world: &mut World) -> Vec<RunId> {
    while let Some(run) = world.spawn_log.last().map(|spawn| spawn.run.clone())
        && world.run_row(&run).run.state() == State::Running
    {
        world.finish(&run, exited(0));
    }
    world.spawn_log.iter().map(|spawn| spawn.run.clone()).collect()
}

#[test]
fn runs_of_slots_and_of_people_start_in_the_order_in_which_they_were_asked_for() {
    let (mut world, owner) = World::with_owner();
    let demands = [0; 4].map(|_| on_demand(&mut world, owner));
    let slots = [60, 90, 150].map(|seconds| world.create(owner, every(seconds)));
    let mut asked = vec![world.run(owner, &demands[0])];
    world.settle();
    for (demand, slot, ms) in [(1, 0, 60), (2, 1, 30), (3, 2, 60)] {
        world.run_for(ms * SECOND);
        asked.push(world.last_run(&slots[slot]).id);
        asked.push(world.run(owner, &demands[demand]));
    }
    assert_eq!(in_order(&mut world), asked);
    world.audit_all();
}

#[test]
fn somebody_who_asks_again_and_again_does_not_starve_a_schedule() {
    let (mut world, owner) = World::with_owner();
    let demands = [0; 3].map(|_| world.create(owner, policy(every(600), json!({"overlap": "queueOne"}))));
    let slot = world.create(owner, every(60));
    let first = world.run(owner, &demands[0]);
    world.run_for(MINUTE);
    for demand in &demands {
        world.run(owner, demand);
    }
    world.finish(&first, exited(0));
    let running = world.automation(&demands[0]).state.active_runs;
    assert_eq!(running.len(), 1);
    assert_eq!(world.story(&slot), ["schedule running slots 60..60 x1"]);
    world.audit_all();
}

#[test]
fn a_schedule_that_is_always_due_does_not_starve_somebody_who_asks() {
    let (mut world, owner) = World::with_owner();
    let busy = [0; 3].map(|_| world.create(owner, policy(every(30), json!({"overlap": "queueOne"}))));
    world.run_for(30 * SECOND);
    let demand = on_demand(&mut world, owner);
    let asked = world.run(owner, &demand);
    let mut finished = 0;
    while world.run_row(&asked).run.state() == State::Scheduled {
        world.run_for(40 * SECOND);
        let running = world.spawn_log.last().unwrap().run.clone();
        world.finish(&running, exited(0));
        finished += 1;
        assert!(finished <= busy.len(), "only those that were there before go before");
    }
    world.audit_all();
}

#[test]
fn catch_ups_that_have_not_started_delay_nobody() {
    let (mut world, owner) = World::with_owner();
    let missed = [0; 6].map(|_| world.create(owner, every(600)));
    world.advance(12 * MINUTE);
    let first = world.last_run(&missed[0]).id;
    let demand = on_demand(&mut world, owner);
    let asked = world.run(owner, &demand);
    let due = world.create(owner, every(30));
    world.finish(&first, exited(0));
    assert_eq!(world.run_row(&asked).run.state(), State::Running);
    world.finish(&asked, exited(0));
    // The turns of the others come one after the other, and what is due meanwhile goes before those still in line.
    world.work_ms = Some(7 * SECOND);
    world.run_for(10 * MINUTE - 1);
    let order: Vec<RunId> = world.spawn_log.iter().map(|spawn| spawn.run.clone()).collect();
    let [turns, slots] = [&missed[..], std::slice::from_ref(&due)]
        .map(|ids| ids.iter().map(|id| world.runs(id)[0].id.clone()).collect::<Vec<_>>());
    let expected = [&turns[0], &asked, &turns[1], &turns[2], &turns[3], &turns[4], &slots[0], &turns[5]]
        .map(Clone::clone);
    assert_eq!(order[..expected.len()], expected);
    world.audit_all();
}

#[test]
fn room_is_given_to_the_oldest_that_could_go() {
    let mut world = World::new();
    world.limits.shared.max_concurrent_runs = 1;
    let owner = world.open();
    let reader = |world: &mut World| {
        let id = world.create(owner, with(every(600), json!({"paused": true, "access": "read"})));
        world.run(owner, &id)
    };
    let asked = [0; 4].map(|_| reader(&mut world));
    world.settle();
    assert_eq!(in_order(&mut world), asked);
    world.audit_all();
}
