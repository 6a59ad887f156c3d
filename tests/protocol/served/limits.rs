//! What limits an agent: steps, loops, money, silence, and the time to begin.

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::app::prompted;
use crate::support::client::Client;

/// A run with this policy that is at work, and the client.
fn at_work(place: &Place, policy: Value) -> (Client, Value) {
    let mut client = place.open();
    client.subscribe(json!({}));
    client.serve();
    let automation = client.create(prompted(policy));
    let run = client.at_work(&automation);
    (client, run)
}

/// The agent hears that it is to end for this reason, does so, and the run is told as failed with it.
fn ends_as(mut client: Client, run: &Value, code: &str) {
    assert_eq!(client.hears(run, "cancel")["reason"], code);
    client.report(run, json!({"type": "finished", "text": "done anyway"}));
    let ended = client.look_at(run);
    assert_eq!((&ended["state"], &ended["error"]["code"]), (&json!("failed"), &json!(code)), "{ended}");
    assert!(ended["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
    client.finish();
}

#[test]
fn an_agent_that_takes_too_many_steps_is_asked_to_end() {
    let place = Place::new();
    let (mut client, run) = at_work(&place, json!({"stepCap": 3}));
    for _ in 0..3 {
        client.report(&run, json!({"type": "step"}));
    }
    assert_eq!(client.look_at(&run)["stopping"], Value::Null, "as many as it may");
    client.report(&run, json!({"type": "step"}));
    ends_as(client, &run, "step_cap");
}

#[test]
fn an_agent_that_makes_the_same_step_again_and_again_is_asked_to_end() {
    let place = Place::new();
    let (mut client, run) = at_work(&place, json!({}));
    for number in 0..12 {
        client.report(&run, json!({"type": "step", "title": format!("step {number}")}));
    }
    for _ in 0..9 {
        client.report(&run, json!({"type": "step", "title": "reads the same file"}));
    }
    assert_eq!(client.look_at(&run)["stopping"], Value::Null);
    client.report(&run, json!({"type": "step", "title": "reads the same file"}));
    ends_as(client, &run, "loop_gate");
}

#[test]
fn an_agent_that_costs_too_much_is_warned_of_once_and_asked_to_end() {
    let place = Place::new();
    let budget = json!({"perRun": {"amount": 1.0, "currency": "EUR"}});
    let (mut client, run) = at_work(&place, json!({"budget": budget}));
    let warnings = client.subscribe(json!({"kinds": ["run.warning"]}));
    let cost = |amount: f64| json!({"type": "cost", "amount": amount, "currency": "EUR"});
    for amount in [0.1, 0.79, 0.8, 0.9] {
        client.report(&run, cost(amount));
    }
    assert_eq!(client.look_at(&run)["stopping"], Value::Null);
    client.report(&run, cost(1.0));
    let warned = client.wait_for_event("a warning", |event| event["kind"] == "run.warning");
    assert_eq!((&warned["important"], &warned["run"]["id"]), (&json!(true), &run));
    client.hears(&run, "cancel");
    assert_eq!(client.events(&warnings).len(), 1);
    ends_as(client, &run, "budget_exceeded");
}

#[test]
fn a_cost_in_another_currency_is_told_and_limits_nothing() {
    let place = Place::new();
    let budget = json!({"perRun": {"amount": 1.0, "currency": "EUR"}});
    let (mut client, run) = at_work(&place, json!({"budget": budget}));
    let warnings = client.subscribe(json!({"kinds": ["run.warning"]}));
    for amount in [5.0, 50.0] {
        client.report(&run, json!({"type": "cost", "amount": amount, "currency": "USD"}));
    }
    client.wait_for_event("a warning", |event| event["kind"] == "run.warning");
    client.report(&run, json!({"type": "finished"}));
    let ended = client.look_at(&run);
    assert_eq!((&ended["state"], &ended["cost"]["amount"]), (&json!("succeeded"), &json!(50.0)));
    assert_eq!(client.events(&warnings).len(), 1);
    client.finish();
}

#[test]
fn an_agent_that_is_silent_for_too_long_is_asked_to_end() {
    let place = Place::new();
    let (client, run) = at_work(&place, json!({"idleMs": 1000}));
    ends_as(client, &run, "timed_out");
}

#[test]
fn a_run_that_its_window_does_not_start_in_time_fails() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    client.serve();
    let automation = client.create(prompted(json!({"startMs": 1000})));
    let run = client.run_here(&automation);
    assert_eq!(client.hears(&run, "cancel")["reason"], "timed_out");
    client.report(&run, json!({"type": "failed", "code": "start_failed", "message": "too slow"}));
    let ended = client.look_at(&run);
    assert_eq!(
        (&ended["state"], &ended["error"]["code"]),
        (&json!("failed"), &json!("timed_out")),
        "{ended}"
    );
    client.finish();
}

#[test]
fn more_runs_than_a_window_wants_wait_for_it() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let mut offer = crate::support::app::offer();
    offer["maxConcurrent"] = json!(2);
    client.serve_with(offer);
    let mut draft = prompted(json!({}));
    draft["access"] = json!("read");
    let automations: Vec<Value> = (0..3).map(|_| client.create(draft.clone())).collect();
    let first = client.at_work(&automations[0]);
    client.at_work(&automations[1]);
    let waits = client.get("automation/run", json!({"id": automations[2]}));
    assert_eq!((&waits["state"], &waits["waiting"]["for"]), (&json!("scheduled"), &json!("executor")));
    client.report(&first, json!({"type": "finished"}));
    client.hears(&waits["id"], "start");
    client.finish();
}
