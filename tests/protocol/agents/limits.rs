//! What bounds an agent: silence, time, steps, loops and money.

use serde_json::{Value, json};

use super::{Bench, asking_with, begin, carried_out, ended, words};

/// A run that comes to a limit. Its agent is asked to end before it is made to.
fn bounded(prompt: &str, policy: Value) -> Value {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = carried_out(&mut client, asking_with(prompt, policy));
    assert_eq!(bench.methods(&run).last().map(String::as_str), Some("session/cancel"));
    assert_eq!(run["end"]["exitCode"], 0, "it ends by itself: {run}");
    assert_eq!(run["result"], Value::Null);
    assert!(!run["error"]["message"].as_str().unwrap_or_default().is_empty());
    bench.finish(client, &[]);
    run
}

#[test]
fn who_is_silent_for_too_long_is_given_up() {
    let run = bounded("[say:begun][hang]", json!({"idleMs": 1000}));
    assert_eq!((words(&run).as_str(), &run["end"]["tail"]), ("failed: timed_out task", &json!("begun")));
}

#[test]
fn who_is_at_work_for_too_long_is_given_up() {
    let run = bounded("[stream]", json!({"wallMs": 1500, "idleMs": 1000}));
    assert_eq!(words(&run), "failed: timed_out task");
    assert!(run["error"]["message"].as_str().unwrap().contains("wallMs"), "it was not silent: {run}");
}

#[test]
fn who_takes_too_many_steps_is_given_up() {
    let run = bounded("[tool:a][tool:b][tool:c][hang]", json!({"stepCap": 2}));
    assert_eq!((&run["error"]["code"], &run["steps"]), (&json!("step_cap"), &json!(3)), "{run}");
}

#[test]
fn who_goes_in_circles_is_given_up() {
    let run = bounded(&format!("{}[hang]", "[tool:make]".repeat(10)), json!({}));
    assert_eq!((&run["error"]["code"], &run["steps"]), (&json!("loop_gate"), &json!(10)), "{run}");
}

#[test]
fn who_does_something_else_each_time_goes_in_no_circle() {
    let bench = Bench::new();
    let mut client = bench.open();
    let steps: String = (0..12).map(|number| format!("[tool:make {number}]")).collect();
    let run = carried_out(&mut client, asking_with(&format!("{steps}[say:Done.]"), json!({})));
    assert_eq!((words(&run).as_str(), &run["steps"]), ("succeeded", &json!(12)));
    bench.finish(client, &[]);
}

#[test]
fn who_spends_too_much_is_warned_of_and_given_up() {
    let bench = Bench::new();
    let mut client = bench.sidecar().open();
    let events = client.subscribe(json!({}));
    let budget = json!({"perRun": {"amount": 1.0, "currency": "USD"}});
    let draft = asking_with("[cost:0.5][cost:0.4][permission][cost:0.2][hang]", json!({"budget": budget}));
    let run = begin(&mut client, draft);
    // Costs that follow each other closely are told as one.
    let request = client.wait_for_run(&run, "awaiting_input")["blocker"]["requestID"].clone();
    client.get("run/respond", json!({"id": run, "requestID": request, "optionID": "allow_once"}));
    let run = ended(&mut client, &run);
    assert_eq!(run["error"]["code"], "budget_exceeded", "{run}");
    let amount = run["cost"]["amount"].as_f64().unwrap();
    assert!((amount - 1.1).abs() < 1e-9, "{amount}");
    let told = client.events(&events);
    let warnings: Vec<&Value> = told.iter().filter(|event| event["kind"] == "run.warning").collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let warned_at = warnings[0]["run"]["cost"]["amount"].as_f64().unwrap();
    assert!(warned_at < 1.0, "before it is too late: {warned_at}");
    bench.finish(client, &[]);
}
