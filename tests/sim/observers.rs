//! Observers: they ask and are given what they asked for, and never anything else.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::request::Executor;
use sexton::domain::scheduler::Role;
use sexton::engine::{Progress, deadlines, presence};

use crate::drafts::{every, policy, reminder, with};
use crate::looking::words;
use crate::window::{Stage, exited, not_started};
use crate::world::{Who, World};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A world whose owner is joined by an observer.
fn observed() -> (World, Who, Who) {
    let (mut world, owner) = World::with_owner();
    let observer = world.open_as(Role::Observer);
    (world, owner, observer)
}

/// A world in which only an observer is left, and what the owner had was settled by it.
fn deserted() -> (World, Who) {
    let (mut world, owner, observer) = observed();
    world.die(owner);
    world.settle_dead_peers(observer).unwrap();
    world.end_leftovers(observer).unwrap();
    (world, observer)
}

fn by_hand(world: &mut World, who: Who, fields: Value) -> (AutomationId, RunId) {
    let id = world.create(who, with(every(60), with(json!({"paused": true}), fields)));
    let run = world.run(who, &id);
    (id, run)
}

fn given_to(world: &World, run: &RunId) -> Option<String> {
    world.run_row(run).given_to.map(|instance| instance.to_string())
}

fn behind(world: &World, run: &RunId) -> Option<RunId> {
    world.run_row(run).run.waiting().and_then(|waiting| waiting.run_ahead().cloned())
}

#[test]
fn an_observer_carries_out_what_it_asked_for_and_gives_the_rest_to_others() {
    let (mut world, owner, observer) = observed();
    let (mine, run) = by_hand(&mut world, observer, json!({}));
    assert_eq!(given_to(&world, &run).as_deref(), Some("ins_window1"));
    world.settle();
    let due = world.create(owner, every(60));
    world.run_for(MINUTE);
    assert_eq!(world.story(&due), ["schedule scheduled directory slots 60..60 x1"]);
    // The observer's report frees the directory, so that it is the observer that decides who is next.
    world.end_of_work(&run, exited(0));
    world.carry(observer, &run);
    let fired = world.last_run(&due);
    assert_eq!(given_to(&world, &fired.id).as_deref(), Some("ins_window0"));
    world.settle();
    assert_eq!(
        (world.story(&mine), fired.state().as_str()),
        (vec!["manual succeeded".to_owned()], "scheduled")
    );
    assert_eq!(world.carrier_of(&fired.id), Some(owner));
    world.audit_all();
}

#[test]
fn what_a_visitor_asked_for_is_never_its_own() {
    let (mut world, owner, observer) = observed();
    let id = world.create(observer, with(every(60), json!({"paused": true})));
    let visits = |world: &mut World| world.try_run_by(observer, &id, None, Executor::Participant).unwrap().id;
    let run = visits(&mut world);
    assert_eq!(given_to(&world, &run).as_deref(), Some("ins_window0"));
    world.settle();
    assert_eq!(world.carrier_of(&run), Some(owner));
    // It goes without taking the run along, and somebody else comes who only asks.
    world.die(observer);
    let observer = world.open_as(Role::Observer);
    world.finish(&run, exited(0));
    assert_eq!(world.story(&id), ["manual succeeded"]);
    world.die(owner);
    world.settle_dead_peers(observer).unwrap();
    let run = world.try_run_by(observer, &id, None, Executor::Participant).unwrap();
    assert_eq!(words(&run), "manual scheduled executor", "there is only an observer");
    assert_eq!(run.waiting().unwrap().until_at, Some(world.now.plus_ms(HOUR)), "and it has its time");
    world.run_for(MINUTE);
    assert_eq!(given_to(&world, &run.id), None);
    let participant = world.open();
    world.settle();
    assert_eq!(world.carrier_of(&run.id), Some(participant));
    world.audit_all();
}

#[test]
fn what_a_visitor_asked_for_is_given_up_when_nobody_comes() {
    let (mut world, observer) = deserted();
    let draft = with(policy(every(60), json!({"queueMs": 10 * MINUTE})), json!({"paused": true}));
    let id = world.create(observer, draft);
    world.try_run_by(observer, &id, None, Executor::Participant).unwrap();
    world.run_for(10 * MINUTE);
    assert_eq!(world.story(&id), ["manual stopped expired"]);
    world.audit_all();
}

#[test]
fn a_pause_leaves_what_a_visitor_asked_for_and_what_tries_it_again() {
    let (mut world, owner, observer) = observed();
    let retry = json!({"retry": {"attempts": 1, "delayMs": MINUTE}});
    let id = world.create(owner, policy(every(3600), retry));
    let holding = world.create(owner, with(every(3600), json!({"paused": true})));
    let holding = world.run(owner, &holding);
    world.settle();
    let run = world.try_run_by(observer, &id, None, Executor::Participant).unwrap().id;
    world.pause(owner, &id, None).unwrap();
    assert_eq!(world.story(&id), ["manual scheduled directory"]);
    world.end_of_work(&holding, exited(0));
    world.carry(owner, &holding);
    world.act(owner);
    world.set_stage(owner, &run, Some(Stage::Ended(not_started())));
    world.carry(owner, &run);
    world.pause(owner, &id, None).unwrap();
    assert_eq!(world.story(&id), ["manual failed start_failed", "retry scheduled retry"]);
    world.run_for(MINUTE);
    assert_eq!(world.carrier_of(&world.last_run(&id).id), Some(owner), "it is not the observer's either");
    world.audit_all();
}

#[test]
fn what_an_observer_asked_for_goes_to_a_participant_when_it_has_gone() {
    let (mut world, owner, observer) = observed();
    let (_, run) = by_hand(&mut world, observer, json!({}));
    world.die(observer);
    let other = world.open_as(Role::Observer);
    assert_eq!(
        given_to(&world, &run).as_deref(),
        Some("ins_window0"),
        "not the other observer, which settled it"
    );
    world.settle();
    assert_eq!(world.carrier_of(&run), Some(owner));
    assert!(world.window(other).carried.is_empty());
    world.audit_all();
}

#[test]
fn nothing_is_due_where_there_are_only_observers() {
    let (mut world, observer) = deserted();
    let id = world.create(observer, every(60));
    let told = world.create(observer, reminder(every(60)));
    world.run_for(HOUR);
    assert_eq!((world.runs(&id), world.runs(&told)), (Vec::new(), Vec::new()));
    assert_eq!(world.due_at(observer), None, "so that it does not look for it either");
    assert_eq!(world.try_run(observer, &told).unwrap().state().as_str(), "succeeded");
    world.audit_all();
}

#[test]
fn what_nobody_can_carry_out_waits_for_somebody_until_its_time_is_over() {
    let (mut world, owner, observer) = observed();
    let (_, holding) = by_hand(&mut world, observer, json!({}));
    world.settle();
    let id = world.create(owner, policy(every(60), json!({"queueMs": 10 * MINUTE})));
    world.run_for(MINUTE);
    world.die(owner);
    world.settle_dead_peers(observer).unwrap();
    world.settle();
    assert_eq!(
        world.story(&id),
        ["schedule scheduled executor slots 60..60 x1"],
        "and not for the directory"
    );
    let waiting = world.last_run(&id).waiting().cloned().unwrap();
    assert_eq!((waiting.since, waiting.behind), (world.now, None));
    assert_eq!(waiting.until_at, world.run_row(&world.last_run(&id).id).wait_until);
    world.finish(&holding, exited(0));
    assert_eq!(world.story(&id), ["schedule scheduled executor slots 60..60 x1"], "it is not the observer's");
    let looked = world.decide(observer, |tx, context| deadlines::settle(tx, context, &[])).unwrap();
    assert_eq!(looked, Progress::Done);
    assert_eq!(world.due_at(observer), waiting.until_at, "nothing is looked at while nobody can");
    world.run_for(10 * MINUTE);
    assert_eq!(world.story(&id), ["schedule stopped expired slots 60..60 x1"]);
    world.audit_all();
}

#[test]
fn what_waited_for_somebody_is_given_to_the_first_participant_that_comes() {
    let (mut world, owner, observer) = observed();
    let (first, run) = by_hand(&mut world, owner, json!({"access": "read"}));
    let (second, later) = by_hand(&mut world, owner, json!({"access": "read"}));
    world.die(owner);
    world.settle_dead_peers(observer).unwrap();
    world.settle();
    for id in [&first, &second] {
        assert_eq!(world.story(id), ["manual scheduled executor"]);
    }
    world.limits.shared.max_concurrent_runs = 1;
    // It does not own the bell: nobody does.
    let participant = world.arrive(Role::Participant).unwrap();
    world.settle();
    assert_eq!(world.carrier_of(&run), Some(participant));
    assert_eq!(words(&world.run_row(&later).run), "manual scheduled capacity", "and not for an executor");
    world.finish(&run, exited(0));
    assert_eq!(world.carrier_of(&later), Some(participant));
    world.audit_all();
}

#[test]
fn a_catch_up_whose_turn_comes_where_there_are_only_observers_waits_for_somebody() {
    let (mut world, owner, observer) = observed();
    let ids = [0, 1].map(|_| world.create(owner, with(every(3600), json!({"access": "read"}))));
    world.now = world.now.plus_ms(HOUR + 10 * MINUTE);
    world.tick(owner).unwrap();
    world.die(owner);
    world.settle_dead_peers(observer).unwrap();
    world.settle();
    assert_eq!(world.story(&ids[0]), ["catchUp scheduled executor slots 3600..3600 x1"]);
    assert_eq!(world.story(&ids[1]), ["catchUp scheduled catchUp slots 3600..3600 x1"]);
    world.run_for(MINUTE);
    assert_eq!(world.story(&ids[1]), ["catchUp scheduled executor slots 3600..3600 x1"]);
    world.open();
    world.settle();
    for id in &ids {
        assert_eq!(world.story(id), ["catchUp running slots 3600..3600 x1"]);
    }
    world.audit_all();
}

#[test]
fn a_run_that_nobody_can_carry_out_is_in_nobodys_way() {
    let (mut world, owner, observer) = observed();
    let (_, holding) = by_hand(&mut world, observer, json!({}));
    world.settle();
    let (_, theirs) = by_hand(&mut world, owner, json!({}));
    let (_, mine) = by_hand(&mut world, observer, json!({}));
    assert_eq!(
        (behind(&world, &theirs), behind(&world, &mine)),
        (Some(holding.clone()), Some(theirs.clone()))
    );
    world.die(owner);
    world.settle_dead_peers(observer).unwrap();
    world.settle();
    assert_eq!(words(&world.run_row(&theirs).run), "manual scheduled executor");
    assert_eq!(behind(&world, &mine), Some(holding.clone()), "the line has closed");
    let participant = world.arrive(Role::Participant).unwrap();
    world.settle();
    assert_eq!(
        (behind(&world, &theirs), behind(&world, &mine)),
        (Some(holding.clone()), Some(theirs.clone()))
    );
    world.die(participant);
    world.settle_dead_peers(observer).unwrap();
    // Nobody has looked since: what waits behind the one that ends is told of both.
    world.end_of_work(&holding, exited(0));
    world.carry(observer, &holding);
    assert_eq!(given_to(&world, &mine).as_deref(), Some("ins_window1"), "past the older one");
    assert_eq!(words(&world.run_row(&theirs).run), "manual scheduled executor");
    world.audit_all();
}

#[test]
fn the_line_closes_behind_what_is_seen_to_be_out_of_it_before_anybody_has_looked() {
    let (mut world, owner, observer) = observed();
    let (_, holding) = by_hand(&mut world, observer, json!({}));
    world.settle();
    let (_, cancelled) = by_hand(&mut world, observer, json!({}));
    let (_, theirs) = by_hand(&mut world, owner, json!({}));
    let (_, mine) = by_hand(&mut world, observer, json!({}));
    world.die(owner);
    world.settle_dead_peers(observer).unwrap();
    assert_eq!(behind(&world, &theirs), Some(cancelled.clone()));
    world.cancel(observer, &cancelled).unwrap();
    assert_eq!(words(&world.run_row(&theirs).run), "manual scheduled executor");
    assert_eq!(behind(&world, &mine), Some(holding));
    world.audit_all();
}

#[test]
fn an_observers_own_runs_wait_for_room_and_end_waiting_without_anybody_else() {
    let (mut world, observer) = deserted();
    world.limits.shared.max_concurrent_runs = 1;
    let (_, first) = by_hand(&mut world, observer, json!({"access": "read"}));
    let (_, second) = by_hand(&mut world, observer, json!({"access": "read"}));
    let (late, _) = by_hand(&mut world, observer, json!({"access": "read", "policy": {"queueMs": MINUTE}}));
    world.settle();
    assert_eq!(words(&world.run_row(&second).run), "manual scheduled capacity");
    world.run_for(2 * MINUTE);
    assert_eq!(world.story(&late), ["manual stopped capacity"]);
    world.finish(&first, exited(0));
    assert_eq!(world.carrier_of(&second), Some(observer));
    world.audit_all();
}

#[test]
fn many_that_wait_are_told_in_batches_that_somebody_came_and_that_the_last_one_went() {
    let (mut world, owner, observer) = observed();
    let (_, holding) = by_hand(&mut world, observer, json!({}));
    let waiting: Vec<RunId> = (0..150).map(|_| by_hand(&mut world, owner, json!({})).1).collect();
    let (_, mine) = by_hand(&mut world, observer, json!({}));
    world.die(owner);
    world.settle_dead_peers(observer).unwrap();
    assert_eq!(
        world.decide(observer, |tx, context| deadlines::settle(tx, context, &[])).unwrap(),
        Progress::More
    );
    let told = |world: &World| {
        let words = waiting.iter().map(|run| words(&world.run_row(run).run));
        words.filter(|words| words == "manual scheduled executor").count()
    };
    assert_eq!(told(&world), 64, "one decision is not to keep other windows waiting");
    world.settle();
    assert_eq!(told(&world), waiting.len());
    assert_eq!(behind(&world, &mine), Some(holding.clone()));
    world.arrive(Role::Participant).unwrap();
    world.settle();
    let ahead = [&holding].into_iter().chain(&waiting);
    for (run, ahead) in waiting.iter().chain([&mine]).zip(ahead) {
        assert_eq!(behind(&world, run).as_ref(), Some(ahead), "in the order in which they came");
    }
    world.audit_all();
}

#[test]
fn a_window_that_could_not_open_gives_back_what_it_was_given_meanwhile() {
    let (mut world, observer) = deserted();
    world.die(observer);
    let asked = world.arrive(Role::Observer).unwrap();
    let arriving = world.arrive(Role::Participant).unwrap();
    let (id, run) = by_hand(&mut world, asked, json!({}));
    world.die(asked);
    world.settle_dead_peers(arriving).unwrap();
    assert_eq!(given_to(&world, &run).as_deref(), Some("ins_window3"));
    let me = world.window(arriving).actor.instance.clone();
    world.decide(arriving, |tx, context| presence::withdraw(tx, context, &me)).unwrap();
    world.die(arriving);
    assert_eq!(given_to(&world, &run), None);
    world.open();
    world.settle();
    assert_eq!(world.story(&id), ["manual running"]);
    world.audit_all();
}
