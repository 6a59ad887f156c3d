//! Deleting an automation: what becomes of its active runs.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, every, shell};
use crate::support::{Gate, Place, kind};

struct Held {
    place: Place,
    client: Client,
    gate: Gate,
    automation: Value,
    run: Value,
    subscription: String,
}

/// An automation with a run at work, which a gate holds up.
fn held() -> Held {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let gate = place.gate("gate");
    let automation = client.create(dormant("held", shell("read line < gate; echo went on >> log")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    Held { place, client, gate, automation, run, subscription }
}

/// The order in which the end of the run and of the automation were told.
fn last_told(client: &mut Client, subscription: &str) -> Vec<String> {
    client.wait_for_event("the tombstone", |event| event["kind"] == "automation.deleted");
    let told = client.events(subscription);
    let end = |event: &Value| match event["kind"].as_str().expect("a kind") {
        "run.updated" => format!("run {}", event["run"]["state"].as_str().expect("a state")),
        other => other.to_owned(),
    };
    told.iter().map(end).filter(|told| told != "automation.updated").collect()
}

#[test]
fn deleting_cancels_what_runs_and_answers_when_it_has_gone() {
    let Held { place, mut client, gate: _gate, automation, run, subscription } = held();
    let deleted = client.get("automation/delete", json!({"id": automation}));
    assert_eq!((&deleted["deleted"], &deleted["revision"]), (&json!(true), &json!(2)));
    let stopped = &deleted["stoppedRuns"][0];
    assert_eq!(
        (&stopped["id"], &stopped["state"], &stopped["stopReason"]),
        (&run, &json!("stopped"), &json!("cancelled"))
    );
    let told = last_told(&mut client, &subscription);
    assert_eq!(told, ["run scheduled", "run running", "run running", "run stopped", "automation.deleted"]);
    assert!(place.lines("log").is_empty());
    assert_eq!(client.get("run/get", json!({"id": run})), *stopped, "the run stays");
    client.finish();
}

#[test]
fn deleting_can_wait_for_what_runs() {
    let Held { place, mut client, mut gate, automation, run, subscription } = held();
    let deleting = client.send("automation/delete", json!({"id": automation, "activeRun": "finish"}));
    let error = client.refusal("automation/run", json!({"id": automation}));
    assert_eq!((&error["code"], kind(&error)), (&json!(-32012), "automation_conflict"));
    assert_eq!(error["data"]["current"]["id"], automation);
    gate.open();
    let deleted = client.answer(&deleting).unwrap();
    assert_eq!(
        (&deleted["stoppedRuns"][0]["id"], &deleted["stoppedRuns"][0]["state"]),
        (&run, &json!("succeeded"))
    );
    assert_eq!(
        last_told(&mut client, &subscription),
        ["run scheduled", "run running", "run succeeded", "automation.deleted"]
    );
    assert_eq!(place.lines("log"), ["went on"]);
    client.finish();
}

#[test]
fn as_many_deletions_as_run_at_once_wait_and_the_runs_can_still_be_seen_and_cancelled() {
    let Held { place: _place, mut client, gate: _gate, automation, run, .. } = held();
    let delete = json!({"id": automation, "activeRun": "finish"});
    let deleting: Vec<String> = (0..256).map(|_| client.send("automation/delete", delete.clone())).collect();
    assert_eq!(client.get("scheduler/status", json!({}))["health"], "ok");
    assert_eq!(client.get("run/list", json!({}))["items"][0]["id"], run);
    client.get("run/cancel", json!({"id": run}));
    for id in deleting {
        assert_eq!(client.answer(&id).unwrap()["stoppedRuns"][0]["state"], "stopped");
    }
    client.finish();
}

#[test]
fn deleting_can_be_refused_while_something_runs() {
    let Held { place, mut client, mut gate, automation, run, .. } = held();
    let error = client.refusal("automation/delete", json!({"id": automation, "activeRun": "refuse"}));
    assert_eq!((&error["code"], kind(&error)), (&json!(-32013), "active_run_still_running"));
    assert_eq!(error["data"]["runID"], run);
    gate.open();
    client.wait_for_run(&run, "succeeded");
    assert_eq!(place.lines("log"), ["went on"], "nothing was cancelled");
    let deleted = client.get("automation/delete", json!({"id": automation, "activeRun": "refuse"}));
    assert_eq!(deleted["stoppedRuns"], json!([]));
    client.finish();
}

#[test]
fn deleting_another_revision_than_is_meant_is_a_conflict() {
    let place = Place::new();
    let mut client = place.open();
    let automation = client.create(dormant("kept", shell("true")));
    let error = client.refusal("automation/delete", json!({"id": automation, "ifRevision": 2}));
    assert_eq!((&error["code"], kind(&error)), (&json!(-32012), "automation_conflict"));
    let shown = client.get("automation/get", json!({"id": automation}));
    assert_eq!(error["data"]["current"], shown);
    let deleted = client.get("automation/delete", json!({"id": automation, "ifRevision": 1}));
    assert_eq!(deleted["deleted"], true);
    let error = client.refusal("automation/delete", json!({"id": automation}));
    assert_eq!(kind(&error), "not_found");
    client.finish();
}

#[test]
fn a_deleted_automation_does_not_fire() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 50}));
    let deleted = client.create(every("deleted", 50, shell("echo x >> deleted")));
    place.wait_for_lines("deleted", 2);
    client.get("automation/delete", json!({"id": deleted}));
    let lines = place.lines("deleted").len();
    client.create(every("other", 50, shell("echo x >> other")));
    place.wait_for_lines("other", 5);
    assert_eq!(place.lines("deleted").len(), lines);
    client.finish();
}

#[test]
fn a_run_that_deletes_its_own_automation_is_not_lost() {
    let Held { place, mut client, mut gate, automation, run, .. } = held();
    // As an app does that forwards the wish of what it runs: the answer comes when the work has ended.
    let deleting = client.send("automation/delete", json!({"id": automation, "activeRun": "finish"}));
    gate.open();
    client.answer(&deleting).unwrap();
    let listed = client.get("run/list", json!({"automationID": automation}))["items"].clone();
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&run, &json!("succeeded")));
    assert_eq!(place.lines("log"), ["went on"]);
    client.finish();
}
