//! What limits an agent: how long it may take to start, to be silent, to work and to wait for a person, and how long it
//! has when it is to end.

use serde_json::{Value, json};
use sexton::domain::id::RunId;
use sexton::domain::policy::Money;
use sexton::domain::provider::Report;
use sexton::domain::refusal::Refusal;
use sexton::engine::agent::{self, Heard};

use crate::app::{AGENT, Manners, chosen, permission, question, step};
use crate::closer::{by_hand, said};
use crate::drafts::{policy, prompt};
use crate::looking::failure;
use crate::turns::done;
use crate::world::{Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// An agent of this kind that was set to work by the only window.
fn set_to_work(agents: Manners, policies: Value) -> (World, Who, RunId) {
    let (mut world, owner) = World::with_owner();
    world.has_agents(owner, &[AGENT]);
    world.window_mut(owner).agents = agents;
    let (_, run) = by_hand(&mut world, owner, policy(prompt(json!({})), policies));
    world.settle();
    assert_eq!(world.spawn_log.len(), 1);
    (world, owner, run)
}

fn message(world: &World, run: &RunId) -> String {
    failure(world, run).message
}

#[test]
fn an_agent_that_does_not_take_up_a_session_is_ended() {
    let (mut world, owner, run) = set_to_work(Manners::Silent, json!({"startMs": 10 * SECOND}));
    world.run_for(10 * SECOND - 1);
    assert_eq!(said(&world, &run), "manual scheduled");
    world.run_for(1);
    assert_eq!(said(&world, &run), "manual scheduled timed_out", "it was asked, and does not hear");
    world.run_for(7 * SECOND - 1);
    assert_eq!(world.carrier_of(&run), Some(owner));
    world.run_for(1);
    assert_eq!(said(&world, &run), "manual failed timed_out");
    assert!(message(&world, &run).contains("`policy.startMs`"), "{}", message(&world, &run));
    world.audit_all();
}

#[test]
fn an_agent_that_has_answered_is_ended_by_no_limit_while_it_goes() {
    let (mut world, owner, run) = set_to_work(Manners::Prompt, json!({"idleMs": MINUTE, "wallMs": MINUTE}));
    world.run_for(50 * SECOND);
    world.decide(owner, |tx, context| agent::answered(tx, context, &run)).unwrap();
    world.run_for(29 * SECOND);
    assert_eq!(said(&world, &run), "manual running");
    world.finish(&run, done("done"));
    assert_eq!(said(&world, &run), "manual succeeded");
    world.audit_all();
}

#[test]
fn an_answer_that_comes_too_late_leaves_the_limit_that_was_reached() {
    let (mut world, owner, run) = set_to_work(Manners::Stubborn, json!({"idleMs": MINUTE}));
    world.run_for(MINUTE);
    assert_eq!(said(&world, &run), "manual running timed_out");
    world.decide(owner, |tx, context| agent::answered(tx, context, &run)).unwrap();
    world.finish(&run, done("done"));
    assert_eq!(said(&world, &run), "manual failed timed_out");
    assert!(message(&world, &run).contains("`policy.idleMs`"), "{}", message(&world, &run));
    world.audit_all();
}

#[test]
fn nothing_is_asked_or_counted_of_an_agent_that_is_to_end() {
    let (mut world, owner, run) = set_to_work(Manners::Prompt, json!({"stepCap": 1}));
    world.say(owner, &run, step("read")).unwrap();
    world.say(owner, &run, step("write")).unwrap();
    for late in [step("write"), Report::Blocked(permission("1"))] {
        assert_eq!(world.say(owner, &run, late).unwrap(), Heard::InTime);
    }
    let row = world.run_row(&run).run;
    assert_eq!((row.steps, row.blocker()), (2, None));
    world.settle();
    assert_eq!(said(&world, &run), "manual failed step_cap");
    world.audit_all();
}

#[test]
fn silence_is_seen_from_what_an_agent_has_said_and_from_its_reports() {
    let (mut world, owner, run) = set_to_work(Manners::Prompt, json!({"idleMs": MINUTE}));
    for bytes in 1..4 {
        world.run_for(59 * SECOND);
        world.written.insert(run.clone(), (world.now, bytes));
    }
    world.run_for(59 * SECOND);
    world.say(owner, &run, step("read")).unwrap();
    world.run_for(MINUTE - 1);
    assert_eq!(said(&world, &run), "manual running");
    world.run_for(1);
    assert_eq!(said(&world, &run), "manual failed timed_out");
    assert!(message(&world, &run).contains("`policy.idleMs`"), "{}", message(&world, &run));
    world.audit_all();
}

#[test]
fn an_agent_whose_window_hangs_is_seen_to_speak_by_others() {
    let (mut world, _, run) = set_to_work(Manners::Prompt, json!({"idleMs": MINUTE}));
    let with_agent = world.carrier_of(&run).unwrap();
    let other = world.open();
    world.window_mut(with_agent).hangs = true;
    world.run_for(50 * SECOND);
    world.written.insert(run.clone(), (world.now, 7));
    world.run_for(59 * SECOND);
    assert_eq!(said(&world, &run), "manual running");
    // Whoever stands by looks a little later, and has to end it then.
    world.run_for(30 * SECOND);
    assert_eq!(said(&world, &run), "manual failed timed_out");
    assert!(world.work.is_empty());
    world.window_mut(with_agent).hangs = false;
    world.settle();
    assert_eq!(world.alive(), [with_agent, other]);
    world.audit_all();
}

#[test]
fn the_time_of_an_agent_stands_still_while_it_waits_for_a_person() {
    let limits = json!({"wallMs": 10 * MINUTE, "idleMs": 4 * MINUTE});
    let (mut world, owner, run) = set_to_work(Manners::Prompt, limits);
    world.run_for(3 * MINUTE);
    world.say(owner, &run, Report::Blocked(question("1"))).unwrap();
    world.run_for(5 * HOUR);
    assert_eq!(said(&world, &run), "manual awaiting_input");
    world.respond(owner, &run, question("1").asked(), chosen("blue")).unwrap();
    for _ in 0..2 {
        world.run_for(3 * MINUTE);
        world.say(owner, &run, step("write")).unwrap();
    }
    world.run_for(MINUTE - 1);
    assert_eq!(said(&world, &run), "manual running");
    world.run_for(1);
    assert_eq!(said(&world, &run), "manual failed timed_out");
    assert!(message(&world, &run).contains("`policy.wallMs`"), "{}", message(&world, &run));
    world.audit_all();
}

#[test]
fn an_agent_that_nobody_answers_in_time_is_told_no_and_ended() {
    let spans = json!({"blockerMs": {"attended": HOUR, "unattended": MINUTE}});
    let (mut world, owner, run) = set_to_work(Manners::Stubborn, spans);
    world.say(owner, &run, Report::Blocked(permission("1"))).unwrap();
    world.run_for(HOUR - 1);
    assert_eq!(said(&world, &run), "manual awaiting_input");
    world.run_for(1);
    assert_eq!(said(&world, &run), "manual awaiting_input expired");
    let heard: Vec<_> = world.turn(&run).answers.iter().map(|answer| answer.choice.clone()).collect();
    assert_eq!(heard, [chosen("no")]);
    let late = world.respond(owner, &run, permission("1").asked(), chosen("yes"));
    assert!(matches!(late, Err(Refusal::BlockerGone { .. })));
    // It is told no and comes to an end by itself, which changes nothing about why.
    world.finish(&run, done("I was not allowed to"));
    assert_eq!(said(&world, &run), "manual stopped expired");
    assert!(!world.run_row(&run).holds_directory);
    world.audit_all();
}

#[test]
fn a_need_ends_an_agent_where_nobody_is_asked_and_so_does_a_cost_that_is_too_high() {
    let policies = json!({"permissions": "deny", "budget": {"perRun": {"amount": 2.0, "currency": "EUR"}}});
    let cost = Report::Cost(Money { amount: 2.0, currency: "EUR".to_owned() });
    for (report, code) in [(Report::Blocked(permission("1")), "needs_user_input"), (cost, "budget_exceeded")]
    {
        let (mut world, owner, run) = set_to_work(Manners::Prompt, policies.clone());
        world.say(owner, &run, report).unwrap();
        assert_eq!(said(&world, &run), format!("manual running {code}"));
        world.settle();
        assert_eq!(said(&world, &run), format!("manual failed {code}"));
        world.audit_all();
    }
}

#[test]
fn an_agent_that_does_not_hear_is_killed_and_one_that_is_not_to_be_waited_for_at_once() {
    let (mut world, owner, run) = set_to_work(Manners::Stubborn, json!({}));
    world.cancel(owner, &run).unwrap();
    world.run_for(7 * SECOND - 1);
    assert_eq!(said(&world, &run), "manual running cancelled");
    world.run_for(1);
    assert_eq!(said(&world, &run), "manual stopped cancelled");
    let (mut world, owner, run) = set_to_work(Manners::Stubborn, json!({}));
    world.cancel(owner, &run).unwrap();
    world.settle();
    world.cancel(owner, &run).unwrap();
    world.settle();
    assert_eq!(said(&world, &run), "manual stopped cancelled");
    world.audit_all();
}

#[test]
fn an_agent_whose_window_hangs_is_ended_by_another_after_eight_seconds() {
    for asked in [false, true] {
        let (mut world, with_agent, run) = set_to_work(Manners::Prompt, json!({}));
        let other = world.open();
        if asked {
            world.say(with_agent, &run, Report::Blocked(question("1"))).unwrap();
        }
        world.window_mut(with_agent).hangs = true;
        world.cancel(other, &run).unwrap();
        world.run_for(8 * SECOND - 1);
        assert!(!world.work.is_empty(), "asked: {asked}");
        world.run_for(1);
        assert_eq!(said(&world, &run), "manual stopped cancelled");
        assert!(world.work.is_empty() && !world.run_row(&run).holds_directory);
        world.window_mut(with_agent).hangs = false;
        world.settle();
        assert_eq!(said(&world, &run), "manual stopped cancelled");
        world.audit_all();
    }
}
