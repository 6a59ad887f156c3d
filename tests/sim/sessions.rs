//! The sessions of agents: which one a run goes on in, that one run at a time does, and what a run is told of the one before.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::policy::Money;
use sexton::domain::provider::Report;
use sexton::engine::agent::{Past, Session};
use sexton::engine::report::Fence;

use crate::app::{AGENT, Manners};
use crate::closer::{by_hand, said};
use crate::drafts::{prompt, with};
use crate::turns::{done, gone};
use crate::window::Stage;
use crate::world::{Who, World};

const SECOND: i64 = 1000;

/// A prompt that only reads and continues a session, perhaps a named one.
pub(crate) fn continuing(named: Option<&str>) -> Value {
    let mut draft = with(prompt(json!({})), json!({"access": "read"}));
    draft["task"]["context"] = json!("continue");
    if let Some(named) = named {
        draft["task"]["sessionID"] = json!(named);
    }
    draft
}

fn with_agent() -> (World, Who) {
    let mut world = World::new();
    world.limits.shared.max_agents = 2;
    let owner = world.open();
    world.has_agents(owner, &[AGENT]);
    (world, owner)
}

/// What the agent at work on a run goes by.
fn past(world: &World, run: &RunId) -> Past {
    world.turn(run).past.clone().unwrap()
}

/// Another run of an automation, which is at work.
fn again(world: &mut World, who: Who, id: &AutomationId) -> RunId {
    let run = world.run(who, id);
    world.settle();
    assert_eq!(said(world, &run), "manual running");
    run
}

fn told(world: &World, run: &RunId) -> (Value, Value) {
    let run = serde_json::to_value(world.run_row(run).run).unwrap();
    (run["sessionID"].clone(), run["continuity"].clone())
}

fn euros(amount: f64) -> Money {
    Money { amount, currency: "EUR".to_owned() }
}

#[test]
fn a_run_goes_on_in_the_session_of_the_last_one_if_it_is_to() {
    let (mut world, owner) = with_agent();
    let (id, first) = by_hand(&mut world, owner, continuing(None));
    world.settle();
    assert_eq!(past(&world, &first).session, Session::New);
    let session = format!("session of {first}");
    assert_eq!(told(&world, &first), (json!(session), json!("new")));
    world.finish(&first, done("done"));
    let second = again(&mut world, owner, &id);
    assert_eq!(past(&world, &second).session, Session::Last(session.clone()));
    assert_eq!(told(&world, &second), (json!(session), json!("resumed")));
    world.finish(&second, gone("it has gone"));
    let third = again(&mut world, owner, &id);
    assert_eq!(past(&world, &third).session, Session::Last(session), "though it has crashed there");
    world.audit_all();
}

#[test]
fn a_run_that_begins_afresh_goes_on_nowhere() {
    let (mut world, owner) = with_agent();
    let (id, first) = by_hand(&mut world, owner, with(prompt(json!({})), json!({"access": "read"})));
    world.settle();
    world.finish(&first, done("done"));
    let second = again(&mut world, owner, &id);
    assert_eq!(past(&world, &second).session, Session::New);
    assert_eq!(told(&world, &second), (json!(format!("session of {second}")), json!("new")));
    world.audit_all();
}

#[test]
fn a_session_that_is_named_is_the_one() {
    let (mut world, owner) = with_agent();
    let (id, first) = by_hand(&mut world, owner, continuing(Some("mine")));
    world.settle();
    assert_eq!(past(&world, &first).session, Session::Named("mine".to_owned()));
    world.finish(&first, done("done"));
    let second = again(&mut world, owner, &id);
    assert_eq!(past(&world, &second).session, Session::Named("mine".to_owned()));
    world.audit_all();
}

#[test]
fn another_provider_does_not_know_the_session() {
    let (mut world, owner) = World::with_owner();
    world.has_agents(owner, &[AGENT, "other"]);
    let (id, first) = by_hand(&mut world, owner, continuing(None));
    world.settle();
    world.finish(&first, done("done"));
    let other = json!({"task": {"model": {"providerID": "other", "modelID": "large"}}});
    world.try_update(owner, &id, None, &other).unwrap();
    let second = again(&mut world, owner, &id);
    assert_eq!(past(&world, &second).session, Session::New);
    // A session that the other one had does not come back either.
    world.finish(&second, done("done"));
    let back = json!({"task": {"model": {"providerID": AGENT, "modelID": "large"}}});
    world.try_update(owner, &id, None, &back).unwrap();
    let third = again(&mut world, owner, &id);
    assert_eq!(past(&world, &third).session, Session::New);
    world.audit_all();
}

#[test]
fn a_session_that_is_at_work_is_waited_for() {
    let (mut world, owner) = with_agent();
    let (_, at_work) = by_hand(&mut world, owner, continuing(None));
    world.settle();
    let session = format!("session of {at_work}");
    let (_, waits) = by_hand(&mut world, owner, continuing(Some(&session)));
    world.run_for(5 * SECOND);
    assert_eq!(said(&world, &waits), "manual scheduled");
    assert!(matches!(world.window(owner).carried[&waits].stage, Stage::Waiting { .. }));
    assert_eq!(world.begin(owner, &waits).unwrap(), Fence::Withdrawn, "whoever sets out all the same");
    world.finish(&at_work, done("done"));
    world.run_for(SECOND);
    assert_eq!(said(&world, &waits), "manual running");
    assert_eq!(past(&world, &waits).session, Session::Named(session));
    world.audit_all();
}

#[test]
fn a_session_is_waited_for_no_longer_than_a_start_may_take() {
    let (mut world, owner) = with_agent();
    let (_, at_work) = by_hand(&mut world, owner, continuing(None));
    world.settle();
    let brief = json!({"policy": {"startMs": 10 * SECOND}});
    let draft = with(continuing(Some(&format!("session of {at_work}"))), brief);
    let (_, waits) = by_hand(&mut world, owner, draft);
    world.run_for(10 * SECOND - 1);
    assert_eq!(said(&world, &waits), "manual scheduled");
    world.run_for(1);
    assert_eq!(said(&world, &waits), "manual failed timed_out");
    assert_eq!(said(&world, &at_work), "manual running");
    world.audit_all();
}

#[test]
fn what_a_session_has_cost_before_is_told() {
    let (mut world, owner) = with_agent();
    let (id, first) = by_hand(&mut world, owner, continuing(None));
    world.settle();
    assert_eq!(past(&world, &first).spent, None);
    world.say(owner, &first, Report::Cost(euros(0.25))).unwrap();
    world.say(owner, &first, Report::Cost(euros(0.5))).unwrap();
    world.finish(&first, done("done"));
    let second = again(&mut world, owner, &id);
    assert_eq!(past(&world, &second).spent, Some(euros(0.5)));
    world.say(owner, &second, Report::Cost(euros(0.25))).unwrap();
    world.finish(&second, done("done"));
    let third = again(&mut world, owner, &id);
    assert_eq!(past(&world, &third).spent, Some(euros(0.75)));
    world.finish(&third, done("done"));
    // Elsewhere nothing was spent.
    let afresh = json!({"task": {"context": "fresh"}});
    world.try_update(owner, &id, None, &afresh).unwrap();
    let fourth = again(&mut world, owner, &id);
    assert_eq!(past(&world, &fourth).spent, None);
    world.audit_all();
}

#[test]
fn what_others_have_spent_in_a_session_is_not_charged_again() {
    let (mut world, owner) = with_agent();
    let (_, first) = by_hand(&mut world, owner, continuing(None));
    world.settle();
    world.say(owner, &first, Report::Cost(euros(5.0))).unwrap();
    world.finish(&first, done("done"));
    let session = format!("session of {first}");
    let (_, second) = by_hand(&mut world, owner, continuing(Some(&session)));
    world.settle();
    assert_eq!(past(&world, &second).spent, Some(euros(5.0)));
    world.audit_all();
}

#[test]
fn a_session_stays_in_its_directory() {
    let (mut world, owner) = with_agent();
    let (id, first) = by_hand(&mut world, owner, continuing(None));
    world.settle();
    world.finish(&first, done("done"));
    world.directory = "/worktree";
    let second = again(&mut world, owner, &id);
    assert_eq!(past(&world, &second).session, Session::New);
    world.finish(&second, done("done"));
    let third = again(&mut world, owner, &id);
    assert_eq!(past(&world, &third).session, Session::Last(format!("session of {second}")));
    world.audit_all();
}

#[test]
fn who_begins_afresh_is_told_what_the_last_run_has_come_to() {
    let (mut world, owner) = with_agent();
    let (id, first) = by_hand(&mut world, owner, with(prompt(json!({})), json!({"access": "read"})));
    world.settle();
    assert_eq!(past(&world, &first).previous, None);
    world.finish(&first, done("two tests are red"));
    let completed_at = world.now;
    world.run_for(SECOND);
    // What was never begun has come to nothing.
    let withdrawn = world.run(owner, &id);
    world.cancel(owner, &withdrawn).unwrap();
    let second = again(&mut world, owner, &id);
    let previous = past(&world, &second).previous.unwrap();
    assert_eq!((previous.ended.as_str(), previous.text.as_str()), ("succeeded", "two tests are red"));
    assert_eq!(previous.completed_at, completed_at);
    world.finish(&second, gone("it has gone"));
    let third = again(&mut world, owner, &id);
    let previous = past(&world, &third).previous.unwrap();
    assert_eq!((previous.ended.as_str(), previous.text.as_str()), ("failed: crashed", "it has gone"));
    world.cancel(owner, &third).unwrap();
    world.settle();
    let fourth = again(&mut world, owner, &id);
    assert_eq!(past(&world, &fourth).previous.unwrap().ended, "was stopped: cancelled");
    // An agent that goes on may not be able to: then it is told.
    world.finish(&fourth, done("done"));
    world.try_update(owner, &id, None, &json!({"task": {"context": "continue"}})).unwrap();
    let fifth = again(&mut world, owner, &id);
    assert_eq!(past(&world, &fifth).previous.unwrap().text, "done");
    world.audit_all();
}

#[test]
fn a_session_that_is_about_to_be_taken_up_is_at_work() {
    // Whose it is by its name, and whose because its last run was there.
    for named in [true, false] {
        let (mut world, owner) = with_agent();
        let (id, first) = by_hand(&mut world, owner, continuing(None));
        world.settle();
        world.finish(&first, done("done"));
        let session = format!("session of {first}");
        world.window_mut(owner).agents = Manners::Silent;
        let begun = match named {
            true => by_hand(&mut world, owner, continuing(Some(&session))).1,
            false => world.run(owner, &id),
        };
        world.settle();
        assert_eq!((said(&world, &begun).as_str(), world.spawn_log.len()), ("manual scheduled", 2));
        let (_, waits) = by_hand(&mut world, owner, continuing(Some(&session)));
        world.settle();
        assert_eq!(world.spawn_log.len(), 2, "named: {named}");
        world.window_mut(owner).agents = Manners::Prompt;
        world.run_for(2 * SECOND);
        assert_eq!(said(&world, &begun), "manual running");
        assert_eq!(said(&world, &waits), "manual scheduled");
        world.finish(&begun, done("done"));
        world.run_for(SECOND);
        assert_eq!(said(&world, &waits), "manual running");
        world.audit_all();
    }
}
