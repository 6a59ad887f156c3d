//! What limits an agent beside its time: steps, loops and money. And how often everybody is told of its progress.

use serde_json::{Value, json};
use sexton::domain::id::RunId;
use sexton::domain::policy::Money;
use sexton::domain::provider::Report;
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::run::{ErrorClass, Phase};
use sexton::ledger::EventFilter;

use crate::app::{Manners, finished, step};
use crate::drafts::{every, policy, prompt, with};
use crate::looking::words;
use crate::world::{Who, World};

const SECOND: i64 = 1000;

/// A run that is at work in an application that does not hear.
fn at_work(policies: Value) -> (World, Who, RunId) {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 1);
    world.window_mut(owner).app.manners = Manners::Stubborn;
    let id = world.create(owner, with(policy(prompt(every(60)), policies), json!({"paused": true})));
    let run = world.run(owner, &id);
    world.settle();
    (world, owner, run)
}

fn cost(amount: f64, currency: &str) -> Report {
    Report::Cost(Money { amount, currency: currency.to_owned() })
}

fn told(world: &World, run: &RunId) -> String {
    words(&world.run_row(run).run)
}

/// The class of the failure that a run ends as, and what is said about it.
fn ends_as(mut world: World, who: Who, run: &RunId) -> (ErrorCode, ErrorClass, String) {
    world.report(who, run, finished()).unwrap();
    world.audit_all();
    let Phase::Failed { error, .. } = world.run_row(run).run.phase else { panic!("it has not failed") };
    (error.code, error.class, error.message)
}

fn warnings(world: &World) -> Vec<String> {
    let filter = EventFilter { kinds: vec!["run.warning".to_owned()], automation: None };
    let told = world.view().events_after(0, &filter, 100).unwrap();
    let text = |payload: &str| serde_json::from_str::<Value>(payload).unwrap()["text"].take();
    told.iter().map(|event| text(&event.payload).as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_step_more_than_it_may_take_ends_a_run() {
    let (mut world, owner, run) = at_work(json!({"stepCap": 3}));
    for title in ["read", "think", "write"] {
        world.report(owner, &run, step(title)).unwrap();
    }
    assert_eq!(told(&world, &run), "manual running");
    world.report(owner, &run, step("write more")).unwrap();
    assert_eq!(told(&world, &run), "manual running step_cap");
    assert_eq!(world.run_row(&run).run.steps, 4);
    world.report(owner, &run, step("write still more")).unwrap();
    let (code, class, message) = ends_as(world, owner, &run);
    assert_eq!((code, class), (ErrorCode::StepCap, ErrorClass::Task));
    assert!(message.contains("3 steps"), "{message}");
}

#[test]
fn ten_steps_of_the_same_title_in_a_row_are_a_loop() {
    let (mut world, owner, run) = at_work(json!({}));
    // Another title, or none, begins anew.
    for between in [step("write"), Report::Step { title: None }] {
        (0..9).for_each(|_| world.report(owner, &run, step("read")).unwrap());
        world.report(owner, &run, between).unwrap();
    }
    (0..20).for_each(|_| world.report(owner, &run, Report::Step { title: None }).unwrap());
    (0..9).for_each(|_| world.report(owner, &run, step("read")).unwrap());
    assert_eq!(told(&world, &run), "manual running");
    world.report(owner, &run, step("read")).unwrap();
    assert_eq!(told(&world, &run), "manual running loop_gate");
    let (code, class, message) = ends_as(world, owner, &run);
    assert_eq!((code, class), (ErrorCode::LoopGate, ErrorClass::Agent));
    assert!(message.contains("10 times"), "{message}");
}

const BUDGET: &str = r#"{"budget": {"perRun": {"amount": 10.0, "currency": "EUR"}}}"#;

#[test]
fn a_budget_is_warned_of_once_and_ends_the_run_when_it_is_spent() {
    let (mut world, owner, run) = at_work(serde_json::from_str(BUDGET).unwrap());
    world.report(owner, &run, cost(7.9, "EUR")).unwrap();
    assert_eq!(warnings(&world), Vec::<String>::new());
    world.report(owner, &run, cost(8.0, "EUR")).unwrap();
    world.report(owner, &run, cost(9.9, "EUR")).unwrap();
    let [warning] = &warnings(&world)[..] else { panic!("{:?}", warnings(&world)) };
    assert!(warning.contains("it has cost 8 of the 10 EUR"), "{warning}");
    assert_eq!(told(&world, &run), "manual running");
    world.report(owner, &run, cost(10.0, "EUR")).unwrap();
    assert_eq!(told(&world, &run), "manual running budget_exceeded");
    let (code, class, message) = ends_as(world, owner, &run);
    assert_eq!((code, class), (ErrorCode::BudgetExceeded, ErrorClass::Task), "no quota that comes back");
    assert!(message.contains("budget.perRun"), "{message}");
}

#[test]
fn a_budget_in_another_currency_limits_nothing_and_that_is_told_once() {
    let (mut world, owner, run) = at_work(serde_json::from_str(BUDGET).unwrap());
    for amount in [1.0, 100.0, 1000.0] {
        world.report(owner, &run, cost(amount, "USD")).unwrap();
    }
    let [warning] = &warnings(&world)[..] else { panic!("{:?}", warnings(&world)) };
    assert!(warning.contains("USD") && warning.contains("EUR"), "{warning}");
    world.report(owner, &run, finished()).unwrap();
    assert_eq!(told(&world, &run), "manual succeeded");
    world.audit_all();
}

#[test]
fn each_thing_about_the_cost_is_told_once_and_none_of_a_run_that_is_to_end() {
    let (mut world, owner, run) = at_work(serde_json::from_str(BUDGET).unwrap());
    for (amount, currency) in [(1.0, "USD"), (8.0, "EUR"), (2.0, "USD"), (9.0, "EUR")] {
        world.report(owner, &run, cost(amount, currency)).unwrap();
    }
    let [currency, budget] = &warnings(&world)[..] else { panic!("{:?}", warnings(&world)) };
    assert!(currency.contains("in USD") && budget.contains("8 of the 10 EUR"), "{currency}, {budget}");
    let (mut world, owner, run) = at_work(serde_json::from_str(BUDGET).unwrap());
    world.cancel(owner, &run).unwrap();
    for (amount, currency) in [(1.0, "USD"), (8.0, "EUR"), (11.0, "EUR")] {
        world.report(owner, &run, cost(amount, currency)).unwrap();
    }
    assert_eq!(warnings(&world), Vec::<String>::new());
    assert_eq!(told(&world, &run), "manual running cancelled");
    assert_eq!(world.run_row(&run).run.cost.map(|cost| cost.amount), Some(11.0));
    world.audit_all();
}

#[test]
fn progress_is_told_once_a_second_and_output_never() {
    let (mut world, owner, run) = at_work(json!({"stepCap": 1_000_000}));
    let before = world.view().newest_seq().unwrap();
    for number in 0..100_u32 {
        world.report(owner, &run, step(&format!("step {number}"))).unwrap();
        world.report(owner, &run, cost(f64::from(number), "EUR")).unwrap();
        world.output(owner, &run, number.into()).unwrap();
        world.run_for(50);
    }
    let told_of = world.view().newest_seq().unwrap() - before;
    assert_eq!(told_of, 5, "it has worked for five seconds");
    let row = world.run_row(&run);
    assert_eq!((row.run.steps, row.run.output.bytes), (100, 99));
    // Nothing new is nothing to tell, and an end tells everything at once.
    world.output(owner, &run, 200).unwrap();
    world.run_for(10 * SECOND);
    assert_eq!(world.view().newest_seq().unwrap() - before, 5);
    world.report(owner, &run, step("the last")).unwrap();
    world.report(owner, &run, finished()).unwrap();
    let newest = world.view().newest_seq().unwrap();
    world.run_for(10 * SECOND);
    assert_eq!(world.view().newest_seq().unwrap(), newest);
    world.audit_all();
}

#[test]
fn progress_that_was_held_back_is_told_also_while_its_window_hangs_and_after_the_clock_was_set() {
    for hours in [-5, 5] {
        let (mut world, owner, run) = at_work(json!({}));
        let other = world.open();
        world.report(owner, &run, step("read")).unwrap();
        world.run_for(SECOND / 2);
        world.set_clock(hours * 3600 * SECOND);
        world.settle();
        let before = world.view().newest_seq().unwrap();
        world.run_for(SECOND / 2 - 1);
        assert_eq!(world.view().newest_seq().unwrap(), before, "not too soon");
        world.window_mut(owner).hangs = true;
        world.run_for(1);
        world.tick(other).unwrap();
        assert_eq!(world.view().newest_seq().unwrap(), before + 1);
        world.audit_all();
    }
}

#[test]
fn every_report_is_a_sign_of_life() {
    let (mut world, owner, run) = at_work(json!({"idleMs": 10 * SECOND}));
    for number in 0..4 {
        world.run_for(9 * SECOND);
        match number {
            0 => world.report(owner, &run, step("read")).unwrap(),
            1 => world.report(owner, &run, cost(1.0, "EUR")).unwrap(),
            2 => world.output(owner, &run, 5).unwrap(),
            _ => world.report(owner, &run, Report::Unblocked).unwrap(),
        }
    }
    world.run_for(10 * SECOND - 1);
    assert_eq!(told(&world, &run), "manual running");
    world.run_for(1);
    assert_eq!(told(&world, &run), "manual running timed_out");
    world.audit_all();
}
