//! Windows, guards and agents that go while an agent is at work.

use serde_json::{Value, json};

use super::{Bench, asking, begin, ended, says, subscribed, words};
use crate::support::client::Client;
use crate::support::drafts::with;
use crate::support::{children_of, eventually, kind, processes_with, signal};

/// The next run in another window, after one was lost.
fn the_next_one_goes_on(bench: &Bench, client: &mut Client, automation: &Value) {
    bench.plays(&json!({}));
    client.get("automation/update", json!({"id": automation, "patch": {"task": {"prompt": "[say:Done.]"}}}));
    let run = client.run(automation);
    let run = ended(client, &run);
    assert_eq!((words(&run).as_str(), &run["instanceID"]), ("succeeded", &client.opened["instanceID"]));
}

/// A window is killed when its run is as far as this, and another one is left. Gives the run as it ended.
fn killed(bench: &Bench, prompt: &str, at: impl Fn(&mut Client, &Value)) -> Value {
    let mut client = bench.open();
    let mut other = bench.open();
    let automation = client.create(asking("[say:Done.]"));
    client.get("automation/update", json!({"id": automation, "patch": {"task": {"prompt": prompt}}}));
    if prompt == "[say:never]" {
        bench.plays(&json!({"calls": {"session/new": "hang"}, "at_end_of_input": "stay"}));
    }
    let run = client.run(&automation);
    at(&mut client, &run);
    client.kill();
    let run = ended(&mut other, &run);
    let mark = format!("SEXTON_RUN_ID={}", run["id"].as_str().expect("an id"));
    eventually("its agent has gone", || processes_with(&mark).is_empty().then_some(()));
    the_next_one_goes_on(bench, &mut other, &automation);
    let written: &[&str] = if prompt.contains("[spawn]") { &["grandchild"] } else { &[] };
    bench.finish(other, written);
    run
}

#[test]
fn a_window_that_is_killed_while_its_agent_works_leaves_an_interrupted_run() {
    let bench = Bench::new();
    let run = killed(&bench, "[spawn][say:begun][deaf]", |client, run| says(client, run, "begun"));
    assert_eq!(words(&run), "stopped: interrupted");
}

#[test]
fn a_window_that_is_killed_while_its_agent_waits_for_a_person_loses_the_question() {
    let bench = Bench::new();
    let run = killed(&bench, "[permission]", |client, run| {
        client.wait_for_run(run, "awaiting_input");
    });
    assert_eq!(words(&run), "stopped: blocker_lost");
}

#[test]
fn a_window_that_is_killed_while_its_agent_starts_leaves_an_interrupted_run() {
    let bench = Bench::new();
    let run = killed(&bench, "[say:never]", |_, run| bench.is_called(run, "session/new"));
    assert_eq!((words(&run).as_str(), &run["startedAt"]), ("stopped: interrupted", &Value::Null));
}

#[test]
fn a_window_that_closes_for_maintenance_waits_for_its_agent() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[permission][say:Done.]"));
    let request = client.wait_for_run(&run, "awaiting_input")["blocker"]["requestID"].clone();
    let close = client.get("lifecycle/close", json!({"kind": "reload", "mode": "maintenance"}));
    assert_eq!(
        (&close["status"], &close["waitingFor"]["runs"]),
        (&json!("deferred"), &json!([run])),
        "{close}"
    );
    client.get("run/respond", json!({"id": run, "requestID": request, "optionID": "allow_once"}));
    assert_eq!(words(&ended(&mut client, &run)), "succeeded");
    let action = close["lifecycleActionID"].clone();
    client.wait_for_event("the close", |event| {
        event["kind"] == "lifecycle.completed" && event["lifecycle"]["id"] == action
    });
    bench.finish(client, &[]);
}

#[test]
fn a_window_that_is_shut_down_by_force_takes_its_agent_with_it() {
    let bench = Bench::new();
    let mut client = bench.open();
    let mut other = subscribed(bench.place.open());
    let run = begin(&mut client, asking("[say:begun][deaf]"));
    says(&mut client, &run, "begun");
    client.get("shutdown", json!({"mode": "force"}));
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
    assert_eq!(words(&ended(&mut other, &run)), "stopped: shutdown");
    bench.finish(other, &[]);
}

#[test]
fn an_agent_that_is_killed_has_crashed() {
    let bench = Bench::new();
    let mut client = bench.open();
    let automation = client.create(asking("[say:begun][hang]"));
    let run = client.run(&automation);
    says(&mut client, &run, "begun");
    let pid = bench.told(&run)[0]["started"]["pid"].as_u64().unwrap();
    signal("KILL", u32::try_from(pid).unwrap());
    let run = ended(&mut client, &run);
    assert_eq!(words(&run), "failed: crashed crash");
    assert_eq!((&run["end"]["signal"], &run["end"]["tail"]), (&json!(9), &json!("begun")));
    assert!(run["error"]["message"].as_str().unwrap().contains("was killed by signal 9"), "{run}");
    the_next_one_goes_on(&bench, &mut client, &automation);
    bench.finish(client, &[]);
}

#[test]
fn an_agent_that_is_killed_while_it_waits_for_a_person_asks_nothing_any_more() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[permission]"));
    let blocker = client.wait_for_run(&run, "awaiting_input")["blocker"].clone();
    let pid = bench.told(&run)[0]["started"]["pid"].as_u64().unwrap();
    signal("KILL", u32::try_from(pid).unwrap());
    assert_eq!(words(&ended(&mut client, &run)), "failed: crashed crash");
    let answer = json!({"id": run, "requestID": blocker["requestID"], "optionID": "allow_once"});
    assert_eq!(kind(&client.refusal("run/respond", answer)), "blocker_gone");
    bench.finish(client, &[]);
}

#[test]
fn a_guard_that_is_killed_takes_its_agent_with_it() {
    let bench = Bench::new();
    let mut client = bench.open();
    let automation = client.create(with(asking("[spawn][say:begun][deaf]"), "title", json!("guarded")));
    let run = client.run(&automation);
    says(&mut client, &run, "begun");
    for guard in children_of(client.pid()) {
        signal("KILL", guard);
    }
    let run = ended(&mut client, &run);
    assert_eq!(words(&run), "failed: crashed crash");
    assert!(run["end"]["swept"].as_i64() >= Some(1), "{run}");
    the_next_one_goes_on(&bench, &mut client, &automation);
    bench.finish(client, &["grandchild"]);
}
