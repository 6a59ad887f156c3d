//! Runs that go on in a session of before.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, asking, begin, carried_out, ended, pause_of, subscribed, words};
use crate::support::agents::AGENT;
use crate::support::client::Client;
use crate::support::drafts::with;
use crate::support::{eventually, nothing_happens};

/// A prompt that goes on where the last run ended.
fn continuing(prompt: &str) -> Value {
    let mut draft = asking(prompt);
    draft["task"]["context"] = json!("continue");
    draft
}

/// A prompt that goes on in this session, and keeps nobody waiting for the directory.
fn in_session(prompt: &str, session: &Value) -> Value {
    let mut draft = with(continuing(prompt), "access", json!("read"));
    draft["task"]["sessionID"] = session.clone();
    draft
}

/// The second of two runs, between which the sidecar is restarted, as it ended.
fn second_run(bench: &Bench, lacks: &Value) -> Value {
    bench.plays(&json!({"lacks": lacks}));
    let mut client = bench.open();
    let automation = client.create(continuing("[say:Noted.][cost:0.5] remember kingfisher"));
    let run = client.run(&automation);
    let first = ended(&mut client, &run);
    assert_eq!(first["continuity"], "new");
    bench.finish(client, &[]);
    let mut client = bench.open();
    client.get(
        "automation/update",
        json!({"id": automation, "patch": {"task": {"prompt": "[recall][cost:0.25]"}}}),
    );
    let run = client.run(&automation);
    let second = ended(&mut client, &run);
    assert_eq!(words(&second), "succeeded");
    let same = second["sessionID"] == first["sessionID"];
    assert_eq!(same, second["continuity"] != "new", "{second}");
    let said = client.get("run/output", json!({"id": run}))["data"].as_str().expect("words").to_owned();
    assert_eq!(
        said.matches("kingfisher").count(),
        usize::from(same),
        "once, and only where it goes on: {said}"
    );
    assert_eq!(second["cost"]["amount"], 0.25, "what was spent before is not this run's");
    bench.finish(client, &[]);
    second
}

#[test]
fn a_session_is_resumed_after_a_restart() {
    let bench = Bench::new();
    let run = second_run(&bench, &json!([]));
    assert_eq!(run["continuity"], "resumed");
    let methods = bench.methods(&run);
    assert!(methods.contains(&"session/resume".to_owned()) && !methods.contains(&"session/new".to_owned()));
}

#[test]
fn a_session_is_loaded_where_it_cannot_be_resumed() {
    let bench = Bench::new();
    let run = second_run(&bench, &json!(["resume"]));
    assert_eq!(run["continuity"], "loaded");
    assert!(bench.methods(&run).contains(&"session/load".to_owned()));
}

#[test]
fn a_run_begins_anew_where_no_session_can_be_taken_up() {
    let bench = Bench::new();
    let run = second_run(&bench, &json!(["resume", "load"]));
    assert_eq!(run["continuity"], "new");
    assert!(bench.prompt(&run).contains("The previous run succeeded on "), "it remembers nothing");
}

#[test]
fn a_session_that_was_named_and_is_gone_is_replaced_by_none() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = carried_out(&mut client, in_session("[say:Done.]", &json!("session-nobody-knows")));
    assert_eq!(words(&run), "failed: start_failed config");
    let sentence = run["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("session-nobody-knows") && sentence.contains("task.sessionID"), "{sentence}");
    assert_eq!(pause_of(&mut client, &run), "config");
    let methods = bench.methods(&run);
    assert!(!methods.contains(&"session/new".to_owned()), "nothing was begun instead: {methods:?}");
    bench.finish(client, &[]);
}

/// A window in which two agents may be at work, and a run that waits for a person in its session.
fn session_at_work(bench: &Bench) -> (Client, Value, Value) {
    let mut client = subscribed(bench.sidecar().option("limits", json!({"maxAgents": 2})).open());
    let run = begin(&mut client, with(asking("[permission][say:Done.]"), "access", json!("read")));
    let blocked = client.wait_for_run(&run, "awaiting_input");
    (client, run, blocked)
}

fn allow(client: &mut Client, blocked: &Value) {
    let request = &blocked["blocker"]["requestID"];
    client.get("run/respond", json!({"id": blocked["id"], "requestID": request, "optionID": "allow_once"}));
}

#[test]
fn a_session_that_is_at_work_is_waited_for() {
    let bench = Bench::new();
    let (mut client, run, blocked) = session_at_work(&bench);
    let waiting = begin(&mut client, in_session("[recall]", &blocked["sessionID"]));
    nothing_happens(Duration::from_millis(500), || {
        assert_eq!(client.look_at(&waiting)["state"], "scheduled");
    });
    allow(&mut client, &blocked);
    assert_eq!(words(&ended(&mut client, &run)), "succeeded");
    let went_on = ended(&mut client, &waiting);
    assert_eq!((&went_on["continuity"], &went_on["sessionID"]), (&json!("resumed"), &blocked["sessionID"]));
    assert!(
        went_on["startedAt"].as_i64() >= client.look_at(&run)["completedAt"].as_i64(),
        "not before it was free"
    );
    assert!(went_on["result"]["text"].as_str().unwrap().contains("[permission]"), "{went_on}");
    bench.finish(client, &[]);
}

#[test]
fn a_session_is_waited_for_no_longer_than_a_run_may_take_to_start() {
    let bench = Bench::new();
    let (mut client, run, blocked) = session_at_work(&bench);
    let mut draft = in_session("[say:Done.]", &blocked["sessionID"]);
    draft["policy"] = json!({"startMs": 1000});
    let waiting = carried_out(&mut client, draft);
    assert_eq!(
        (&waiting["error"]["code"], &waiting["startedAt"]),
        (&json!("timed_out"), &json!(null)),
        "{waiting}"
    );
    assert_eq!(client.look_at(&run)["state"], "awaiting_input", "it is not disturbed");
    allow(&mut client, &blocked);
    assert_eq!(words(&ended(&mut client, &run)), "succeeded");
    bench.finish(client, &[]);
}

#[test]
fn a_run_that_waits_for_its_session_can_be_cancelled() {
    let bench = Bench::new();
    let (mut client, run, blocked) = session_at_work(&bench);
    let waiting = begin(&mut client, in_session("[say:Done.]", &blocked["sessionID"]));
    let asked = client.get("run/cancel", json!({"id": waiting}));
    assert_eq!(words(&ended(&mut client, &waiting)), "stopped: cancelled", "{asked}");
    assert!(bench.methods(&waiting).is_empty(), "no agent was started for it");
    allow(&mut client, &blocked);
    assert_eq!(words(&ended(&mut client, &run)), "succeeded");
    bench.finish(client, &[]);
}

#[test]
fn another_agent_does_not_go_on_in_a_session_of_this_one() {
    let bench = Bench::new();
    let providers = json!({AGENT: bench.provider(), "another": bench.provider()});
    let mut client = subscribed(bench.place.sidecar().option("providers", providers).open());
    let automation = client.create(continuing("[say:Done.]"));
    let run = client.run(&automation);
    ended(&mut client, &run);
    let model = json!({"providerID": "another", "modelID": "large"});
    client.get("automation/update", json!({"id": automation, "patch": {"task": {"model": model}}}));
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    assert_eq!((words(&run).as_str(), &run["continuity"]), ("succeeded", &json!("new")));
    eventually("its calls", || bench.methods(&run).contains(&"session/new".to_owned()).then_some(()));
    bench.finish(client, &[]);
}
