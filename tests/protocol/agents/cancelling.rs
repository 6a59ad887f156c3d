//! Runs that somebody wants to end, wherever they are.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, asking, begin, ended, says, states, words};
use crate::support::client::Client;
use crate::support::{clock, eventually};

/// By when a run has ended that was asked to, whatever its agent does; and what a busy machine may add to that.
const AT_LAST: Duration = Duration::from_millis(7000 + 3000);

/// A run is cancelled, and gone in time. Gives it as it ended.
fn cancelled(client: &mut Client, run: &Value) -> Value {
    let began = clock();
    client.get("run/cancel", json!({"id": run}));
    let run = ended(client, run);
    assert!(began.elapsed() < AT_LAST, "{:?}", began.elapsed());
    assert_eq!(words(&run), "stopped: cancelled", "{run}");
    assert_eq!(run["error"], Value::Null);
    run
}

/// The agent hangs in this call: its run is cancelled there, and has never started.
fn in_the_call(method: &str, at_end_of_input: &str) {
    let bench = Bench::new();
    let mut client = bench.sidecar().open();
    let events = client.subscribe(json!({}));
    let automation = client.create(asking("[say:Done.]"));
    bench.plays(&json!({"calls": {method: "hang"}, "at_end_of_input": at_end_of_input}));
    let run = client.run(&automation);
    bench.is_called(&run, method);
    cancelled(&mut client, &run);
    assert_eq!(states(&client, &events, &run), ["scheduled", "stopped"]);
    let methods = bench.methods(&run);
    assert_eq!(methods.last().map(String::as_str), Some(method), "nothing was said after that: {methods:?}");
    bench.finish(client, &[]);
}

#[test]
fn before_its_agent_is_there() {
    let bench = Bench::new();
    let mut client = bench.open();
    let automation = client.create(asking("[say:Done.]"));
    // The guard is on its way, or not even that.
    let asked = client.send("automation/run", json!({"id": automation}));
    let run = client.answer(&asked).unwrap()["id"].clone();
    cancelled(&mut client, &run);
    assert!(!bench.methods(&run).contains(&"session/prompt".to_owned()));
    bench.finish(client, &[]);
}

#[test]
fn while_its_agent_is_greeted() {
    in_the_call("initialize", "exit");
}

#[test]
fn while_its_session_is_opened() {
    in_the_call("session/new", "exit");
}

#[test]
fn while_its_model_is_chosen() {
    in_the_call("session/set_config_option", "exit");
}

#[test]
fn while_an_agent_is_greeted_that_stays() {
    in_the_call("initialize", "stay");
}

#[test]
fn before_the_first_word() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[hang]"));
    bench.is_called(&run, "session/prompt");
    let run = cancelled(&mut client, &run);
    assert_eq!(bench.methods(&run).last().map(String::as_str), Some("session/cancel"));
    assert_eq!((&run["end"]["exitCode"], &run["end"]["tail"]), (&json!(0), &json!("")), "in an orderly way");
    bench.finish(client, &[]);
}

#[test]
fn while_its_agent_speaks() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[stream]"));
    says(&mut client, &run, "and on");
    let run = cancelled(&mut client, &run);
    assert!(run["end"]["tail"].as_str().unwrap().contains("and on"), "{run}");
    assert_eq!(run["result"], Value::Null);
    bench.finish(client, &[]);
}

#[test]
fn while_its_agent_waits_for_a_person() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[permission]"));
    client.wait_for_run(&run, "awaiting_input");
    let run = cancelled(&mut client, &run);
    let told = bench.told(&run);
    let answer = told.iter().find_map(|line| line.get("result").cloned());
    assert_eq!(answer, Some(json!({"outcome": {"outcome": "cancelled"}})), "it waits for no answer any more");
    bench.finish(client, &[]);
}

#[test]
fn while_a_tool_runs_that_ignores_all_signals() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[running-tool:make][spawn][hang]"));
    eventually("the tool", || bench.place.file("grandchild").exists().then_some(()));
    let run = cancelled(&mut client, &run);
    assert_eq!(run["end"]["swept"], 1, "{run}");
    bench.finish(client, &["grandchild"]);
}

#[test]
fn twice_is_at_once() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[say:begun][deaf]"));
    says(&mut client, &run, "begun");
    let began = clock();
    client.get("run/cancel", json!({"id": run}));
    assert_eq!(client.get("run/cancel", json!({"id": run}))["stopping"]["now"], true);
    let run = ended(&mut client, &run);
    assert_eq!((words(&run).as_str(), &run["end"]["signal"]), ("stopped: cancelled", &json!(9)), "{run}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}: no grace is given", began.elapsed());
    bench.finish(client, &[]);
}

#[test]
fn whatever_its_agent_does_about_it() {
    let bench = Bench::new();
    let mut client = bench.open();
    for on_cancel in [json!("finish"), json!("error"), json!({"exit": 3}), json!({"late": 300})] {
        bench.plays(&json!({"prompt": [{"say": "begun"}, {"hang": on_cancel}]}));
        let run = begin(&mut client, asking("Work."));
        says(&mut client, &run, "begun");
        let run = cancelled(&mut client, &run);
        assert_eq!(run["result"], Value::Null, "{on_cancel}");
    }
    bench.finish(client, &[]);
}

#[test]
fn though_its_agent_takes_no_notice() {
    let bench = Bench::new();
    let mut client = bench.open();
    let automation = client.create(asking("[say:begun][deaf]"));
    bench.plays(&json!({"at_end_of_input": "stay"}));
    let run = client.run(&automation);
    says(&mut client, &run, "begun");
    let run = cancelled(&mut client, &run);
    assert_eq!(run["end"]["signal"], 9, "{run}");
    assert!(bench.methods(&run).contains(&"session/cancel".to_owned()), "it was asked first");
    bench.finish(client, &[]);
}

#[test]
fn because_its_automation_is_deleted() {
    let bench = Bench::new();
    let mut client = bench.open();
    let automation = client.create(asking("[say:begun][hang]"));
    let run = client.run(&automation);
    says(&mut client, &run, "begun");
    let deleted = client.get("automation/delete", json!({"id": automation, "activeRun": "cancel"}));
    assert_eq!(
        (&deleted["stoppedRuns"][0]["id"], words(&deleted["stoppedRuns"][0]).as_str()),
        (&run, "stopped: cancelled")
    );
    bench.leave_nothing(&[&client], &[]);
    client.finish();
}
