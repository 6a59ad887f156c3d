//! What becomes of a run while another one is in its way, and of one that could not start.

use serde_json::{Value, json};

use crate::support::drafts::{LOG, dormant, every, shell, with};
use crate::support::{Place, kind, program};

/// The draft with this policy.
fn policy(draft: Value, policy: Value) -> Value {
    with(draft, "policy", policy)
}

#[test]
fn one_run_waits_for_the_previous_one_and_gives_way_to_the_next() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let work = dormant("one after the other", shell("read line < gate; echo done >> log"));
    let draft = policy(with(work, "access", json!("read")), json!({"overlap": "queueOne"}));
    let automation = client.create(draft);
    let runs = [0; 3].map(|_| client.get("automation/run", json!({"id": automation})));
    assert!(runs[0].get("waiting").is_none(), "{}", runs[0]);
    for run in &runs[1..] {
        assert_eq!((&run["waiting"]["for"], &run["waiting"]["behind"]), (&json!("previous"), &runs[0]["id"]));
    }
    let second = client.get("run/get", json!({"id": runs[1]["id"]}));
    assert_eq!((&second["state"], &second["stopReason"]), (&json!("stopped"), &json!("superseded")));
    client.wait_for_run(&runs[0]["id"], "running");
    gate.open();
    client.wait_for_run(&runs[2]["id"], "running");
    gate.open();
    client.wait_for_run(&runs[2]["id"], "succeeded");
    assert_eq!(place.lines("log").len(), 2);
    client.finish();
}

#[test]
fn a_slot_ends_the_previous_run_and_starts_when_that_has_gone() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 300}));
    client.subscribe(json!({}));
    let line = r#"trap 'echo end >> log; exit' TERM; echo begin >> log; while :; do read line < gate; done"#;
    let _gate = place.gate("gate");
    let draft = with(every("restarted", 500, shell(line)), "access", json!("read"));
    let id = client.create(policy(draft, json!({"overlap": "cancelPrevious"})));
    place.wait_for_lines("log", 5);
    client.get("automation/pause", json!({"id": id}));
    let lines = place.lines("log");
    for pair in lines.chunks(2) {
        assert!(pair == ["begin", "end"] || pair == ["begin"], "one after the other: {lines:?}");
    }
    let stopped = client.get("run/list", json!({"automationID": id, "states": ["stopped"]}));
    let stopped = stopped["items"].as_array().expect("runs");
    assert!(
        !stopped.is_empty() && stopped.iter().all(|run| run["stopReason"] == "superseded"),
        "{stopped:?}"
    );
    client.finish();
}

#[test]
fn a_run_that_is_not_to_wait_for_its_directory_is_refused_or_ends_at_once() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 300}));
    client.subscribe(json!({}));
    let (mut gate, _, holding) = place.held_up(&mut client, "holder");
    let by_hand = client.create(dormant("by hand", shell(LOG)));
    let error = client.refusal("automation/run", json!({"id": by_hand, "ifBusy": "skip"}));
    assert_eq!(
        (kind(&error), &error["code"], &error["data"]["runID"]),
        ("writer_busy", &json!(-32015), &holding)
    );
    assert_eq!(client.get("run/list", json!({"automationID": by_hand}))["items"], json!([]));
    let id = client.create(policy(every("slot", 300, shell(LOG)), json!({"ifBusy": "skip"})));
    let told = client.wait_for_event("its end", |event| {
        event["run"]["automationID"] == id && event["run"]["state"] == "stopped"
    });
    assert_eq!(told["run"]["stopReason"], "writer_busy");
    gate.open();
    let ran = client.wait_for_event("the next", |event| {
        event["run"]["automationID"] == id && event["run"]["state"] == "succeeded"
    });
    assert_eq!(ran["run"]["trigger"], json!({"kind": "schedule"}));
    client.finish();
}

#[test]
fn a_run_whose_program_is_not_there_yet_is_tried_again() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let program = place.file("late");
    let task = json!({"kind": "command", "program": program.display().to_string()});
    let retry = json!({"retry": {"attempts": 5, "delayMs": 1000}});
    let id = client.create(policy(dormant("tried again", task), retry));
    let first = client.run(&id);
    let failed = client.wait_for_run(&first, "failed");
    assert_eq!(failed["error"]["code"], "start_failed");
    let again =
        client.wait_for_event("a retry", |event| event["run"]["trigger"]["of"] == first)["run"].clone();
    assert_eq!((&again["waiting"]["for"], &again["attendance"]), (&json!("retry"), &json!("attended")));
    assert_eq!(again["slots"], Value::Null);
    program::write(&program, "#!/bin/sh\necho done >> log\n");
    let ran = client.wait_for_event("a success", |event| event["run"]["state"] == "succeeded")["run"].clone();
    assert_eq!(ran["trigger"]["kind"], "retry");
    assert!(ran["startedAt"].as_i64() >= failed["completedAt"].as_i64().map(|at| at + 1000), "{ran}");
    let state = client.get("automation/get", json!({"id": id}))["state"].clone();
    assert_eq!((&state["completedRuns"], &state["failureStreak"]), (&json!(1), &json!(0)));
    assert_eq!(place.lines("log"), ["done"]);
    client.finish();
}
