//! `shutdown`, which is a close of the process.

use serde_json::{Value, json};

use super::{assert_idle, completed, end_of, ends};
use crate::support::client::Client;
use crate::support::drafts::{dormant, every, shell, with};
use crate::support::{Place, clock, eventually, kind};

/// How a shutdown that waits is asked for; gives its identity.
fn wait_for(client: &mut Client, run: &Value) -> Value {
    let closing = client.get("shutdown", json!({"mode": "maintenance"}));
    assert_eq!((&closing["status"], &closing["waitingFor"]["runs"]), (&json!("deferred"), &json!([run])));
    closing["lifecycleActionID"].clone()
}

/// A run as another window sees it when this one has gone.
fn afterwards(place: &Place, run: &Value) -> Value {
    let mut next = place.open();
    let run = next.get("run/get", json!({"id": run}));
    assert_idle(&mut next);
    next.finish();
    run
}

#[test]
fn with_nothing_to_wait_for_it_has_happened_when_it_is_answered() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let closed = client.get("shutdown", json!({"mode": "maintenance"}));
    let id = closed["lifecycleActionID"].clone();
    let expected = json!({"status": "completed", "lifecycleActionID": id,
        "affectedDirectoryKeys": [place.project()], "waitingFor": {"runs": [], "holds": []}});
    assert_eq!(closed, expected);
    let told = end_of(&mut client, &id);
    assert_eq!(
        (&told["kind"], &told["lifecycle"]["kind"]),
        (&json!("lifecycle.completed"), &json!("shutdown"))
    );
    let error = client.refusal("lifecycle/status", json!({}));
    assert_eq!((&error["code"], kind(&error)), (&json!(-32600), "invalid_request"));
    assert_eq!(client.events(&subscription).iter().filter(|event| event["lifecycle"].is_object()).count(), 1);
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
}

#[test]
fn before_anything_is_open_there_is_nothing_to_wait_for() {
    let place = Place::new();
    let mut client = place.sidecar().spawn();
    assert_eq!(client.get("shutdown", json!({"mode": "maintenance"})), Value::Null);
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
}

#[test]
fn it_waits_for_a_run_while_the_conversation_goes_on() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let (mut gate, automation, held_up) = place.held_up(&mut client, "held up");
    let closing = wait_for(&mut client, &held_up);
    assert_eq!(client.get("automation/get", json!({"id": automation}))["title"], "held up");
    for (method, params) in [
        ("directory/hold", json!({"title": "an agent"})),
        ("lifecycle/close", json!({"kind": "reload", "mode": "maintenance"})),
        ("shutdown", json!({"mode": "maintenance"})),
    ] {
        let error = client.refusal(method, params);
        assert_eq!((kind(&error), &error["data"]["lifecycleActionID"]), ("closing", &closing), "{method}");
        assert!(error["message"].as_str().unwrap().contains("ask another one, or open one"), "{error}");
    }
    let error = client.refusal("initialize", json!({}));
    assert_eq!(kind(&error), "invalid_request");
    let next = client.create(dormant("next", shell("echo next >> log")));
    let next = client.get("automation/run", json!({"id": next}));
    assert_eq!(next["waiting"]["for"], "close");
    gate.open();
    end_of(&mut client, &closing);
    assert_eq!(client.wait_for_run(&held_up, "succeeded")["closedBy"], Value::Null);
    eventually("only `exit` is left", || {
        let answer = client.ask("lifecycle/status", json!({}));
        answer.is_err_and(|error| kind(&error) == "invalid_request").then_some(())
    });
    let ends: Vec<Value> = client.events(&subscription);
    assert_eq!(ends.iter().filter(|event| event["lifecycle"].is_object()).count(), 1);
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
    // What waited goes on in the next window.
    let mut other = place.open();
    other.subscribe(json!({"after": 0}));
    other.wait_for_run(&next["id"], "succeeded");
    other.finish();
}

#[test]
fn exit_and_the_end_of_the_input_force_one_that_waits() {
    type End = fn(&mut Client);
    let ways: [(&str, End); 2] =
        [("exit", |client| client.notify("exit")), ("the end of the input", Client::close_input)];
    for (how, end) in ways {
        let place = Place::new();
        let mut client = place.open();
        client.subscribe(json!({}));
        let (_gate, _, held_up) = place.held_up(&mut client, "held up");
        wait_for(&mut client, &held_up);
        end(&mut client);
        assert_eq!(client.exit_code(), Some(0), "{how}");
        let stopped = afterwards(&place, &held_up);
        assert_eq!(
            (&stopped["state"], &stopped["stopReason"]),
            (&json!("stopped"), &json!("shutdown")),
            "{how}"
        );
        assert!(stopped["closedBy"].as_str().is_some_and(|id| id.starts_with("lca_")), "{how}: {stopped}");
    }
}

#[test]
fn force_is_told_as_the_close_by_which_the_runs_have_ended() {
    let place = Place::new();
    let mut other = place.open();
    let subscription = other.subscribe(json!({}));
    let mut client = place.open();
    client.subscribe(json!({}));
    let (_gate, _, held_up) = place.held_up(&mut client, "held up");
    client.finish();
    let stopped = other.wait_for_run(&held_up, "stopped");
    assert_eq!(stopped["stopReason"], "shutdown");
    let told = end_of(&mut other, &stopped["closedBy"]);
    let lifecycle = &told["lifecycle"];
    assert_eq!((&lifecycle["kind"], &lifecycle["mode"]), (&json!("shutdown"), &json!("force")));
    assert_eq!(ends(&mut other, &subscription), [completed(&stopped["closedBy"])]);
    other.finish();
}

#[test]
fn force_overtakes_one_that_waits_and_both_complete() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (_gate, _, held_up) = place.held_up(&mut client, "held up");
    let patient = wait_for(&mut client, &held_up);
    let began = clock();
    assert_eq!(client.get("shutdown", json!({"mode": "force"})), Value::Null);
    let took = began.elapsed();
    println!("shutdown took {took:?}");
    assert!(took.as_millis() < 1800, "the contract says one second, on an idle machine: {took:?}");
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
    let mut next = place.open();
    let subscription = next.subscribe(json!({"after": 0}));
    let stopped = next.wait_for_run(&held_up, "stopped");
    let forced = stopped["closedBy"].clone();
    assert_ne!(forced, patient);
    let mut ended = next.wait("both are told", |next| {
        let ended = ends(next, &subscription);
        (ended.len() >= 2).then_some(ended)
    });
    ended.sort();
    let mut expected = [completed(&patient), completed(&forced)];
    expected.sort();
    assert_eq!(ended, expected);
    next.finish();
}

#[test]
fn a_window_that_does_not_read_closes_like_any_other() {
    let place = Place::new();
    let mut other = place.open();
    other.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let automation = other.create(dormant("held up", shell("read line < gate")));
    let mut deaf = place.sidecar().deaf().spawn();
    let params = deaf.initialize_params();
    deaf.send("initialize", params);
    deaf.send("events/subscribe", json!({}));
    deaf.send("automation/run", json!({"id": automation}));
    let running = other.wait_for_event("it is at work", |event| event["run"]["state"] == "running");
    let run = running["run"]["id"].clone();
    assert_ne!(running["run"]["instanceID"], other.opened["instanceID"]);
    // Far more answers than any pipe or queue holds.
    deaf.send("automation/create", dormant("big", shell(&format!("true {}", "x".repeat(50_000)))));
    for _ in 0..200 {
        deaf.send("automation/list", json!({}));
    }
    deaf.send("shutdown", json!({"mode": "maintenance"}));
    gate.open();
    other.wait_for_run(&run, "succeeded");
    let closed = other.wait_for_event("it has closed", |event| event["lifecycle"].is_object());
    let told = (&closed["kind"], &closed["lifecycle"]["kind"]);
    assert_eq!(told, (&json!("lifecycle.completed"), &json!("shutdown")));
    eventually("it is not there any more", || {
        let instances = other.get("scheduler/status", json!({}))["instances"].clone();
        (instances.as_array().map(Vec::len) == Some(1)).then_some(())
    });
    deaf.close_input();
    assert_eq!(deaf.exit_code(), Some(0));
    other.finish();
}

#[test]
fn what_fires_while_it_waits_is_left_to_others() {
    let place = Place::new();
    let limits = json!({"minIntervalMs": 100});
    let mut closing = place.open_with(limits.clone());
    closing.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let holder = with(dormant("holder", shell("read line < gate")), "access", json!("read"));
    let holder = closing.create(holder);
    let held_up = closing.run(&holder);
    closing.wait_for_run(&held_up, "running");
    let id = wait_for(&mut closing, &held_up);
    let mut other = place.open_with(limits);
    other.subscribe(json!({}));
    other.create(every("ticking", 200, shell("echo tick >> log")));
    place.wait_for_lines("log", 3);
    let fired = other.wait_for_event("a slot is fired", |event| event["run"]["state"] == "succeeded");
    assert_eq!(fired["run"]["instanceID"], other.opened["instanceID"]);
    gate.open();
    end_of(&mut closing, &id);
    closing.notify("exit");
    assert_eq!(closing.exit_code(), Some(0));
    other.finish();
}
