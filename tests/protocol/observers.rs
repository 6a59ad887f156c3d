//! `initializationOptions.role: "observer"`: a window that looks, asks and listens, but takes no part.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell, with};
use crate::support::{Place, assert_invalid_params};

fn observer(place: &Place) -> Client {
    let limits = json!({"minIntervalMs": 50});
    let mut observer = place.sidecar().option("role", json!("observer")).option("limits", limits).open();
    observer.subscribe(json!({}));
    observer
}

#[test]
fn an_observer_does_not_own_the_bell_and_leaves_it_to_the_next() {
    let place = Place::new();
    let mut observer = observer(&place);
    assert_eq!(observer.opened["scheduler"], json!({"owner": false}));
    assert_eq!(observer.opened["warnings"], json!([]));
    // It writes like everybody else.
    let made = observer.create(every("ticking", 50, shell(LOG)));
    let mut owner = place.open_with(json!({"minIntervalMs": 50}));
    assert_eq!(owner.opened["scheduler"], json!({"owner": true}));
    place.wait_for_lines("log", 3);
    let fired = observer.wait_for_event("what fires is told to it", |event| {
        event["run"]["state"] == "succeeded" && event["run"]["trigger"]["kind"] == "schedule"
    });
    assert_eq!(fired["run"]["instanceID"], owner.opened["instanceID"]);
    let resting = observer.get("automation/pause", json!({"id": made, "note": "enough"}));
    assert_eq!(resting["pause"]["by"]["instanceID"], observer.opened["instanceID"]);
    assert_eq!(owner.get("automation/get", json!({"id": made}))["paused"], true);
    let runs = observer.get("run/list", json!({"automationID": made}));
    let by_observer = |run: &&Value| run["instanceID"] == observer.opened["instanceID"];
    assert_eq!(runs["items"].as_array().unwrap().iter().find(by_observer), None);
    owner.finish();
    observer.finish();
}

#[test]
fn an_observer_carries_out_the_runs_that_it_is_asked_for() {
    let place = Place::new();
    let mut owner = place.open();
    owner.subscribe(json!({}));
    let (mut gate, _, holding) = place.held_up(&mut owner, "holder");
    let mut observer = observer(&place);
    let made = observer.create(dormant("mine", shell("echo $SEXTON_PROJECT >> log")));
    let run = observer.get("automation/run", json!({"id": made}));
    assert_eq!((&run["waiting"]["for"], &run["waiting"]["behind"]), (&json!("directory"), &holding));
    let theirs = owner.create(dormant("theirs", shell("true")));
    let behind = owner.get("automation/run", json!({"id": theirs}));
    assert_eq!(behind["waiting"]["behind"], run["id"]);
    gate.open();
    let ended = observer.wait_for_run(&run["id"], "succeeded");
    assert_eq!(ended["instanceID"], observer.opened["instanceID"]);
    assert_eq!(place.lines("log"), [place.project().to_str().unwrap()]);
    let theirs = owner.wait_for_run(&behind["id"], "succeeded");
    assert_eq!(
        theirs["instanceID"], owner.opened["instanceID"],
        "what it was not asked for is not given to it"
    );
    observer.finish();
    owner.finish();
}

#[test]
fn who_asks_and_leaves_takes_no_run_along_that_a_participant_is_to_carry_out() {
    let place = Place::new();
    let mut owner = place.open();
    owner.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let line = "echo begun >> log; read line < gate; echo ended >> log";
    let made = owner.create(dormant("left behind", shell(line)));
    let mut visitor = observer(&place);
    let run = visitor.get("automation/run", json!({"id": made, "executor": "participant"}))["id"].clone();
    place.wait_for_lines("log", 1);
    visitor.finish();
    gate.open();
    let ended = owner.wait_for_run(&run, "succeeded");
    assert_eq!(ended["instanceID"], owner.opened["instanceID"]);
    owner.finish();
    let mut visitor = observer(&place);
    let run = visitor.get("automation/run", json!({"id": made, "executor": "participant"}));
    assert_eq!(run["waiting"]["for"], "executor", "an observer is there, and carries nothing out");
    visitor.finish();
    let mut next = place.open();
    next.subscribe(json!({"after": 0}));
    gate.open();
    let ended = next.wait_for_run(&run["id"], "succeeded");
    assert_eq!(ended["instanceID"], next.opened["instanceID"]);
    let error = next.refusal("automation/run", json!({"id": made, "executor": "me"}));
    assert_invalid_params(&error, &["executor unknown_value"]);
    next.finish();
}

#[test]
fn an_observer_that_is_alone_queues_its_own_runs_by_directory_and_by_room() {
    let place = Place::new();
    let limits = json!({"maxConcurrentRuns": 2});
    let mut observer = place.sidecar().option("role", json!("observer")).option("limits", limits).open();
    observer.subscribe(json!({}));
    let (mut gate, _, holding) = place.held_up(&mut observer, "holder");
    let writer = observer.create(dormant("writer", shell("echo writer >> log")));
    let writer = observer.get("automation/run", json!({"id": writer}));
    assert_eq!((&writer["waiting"]["for"], &writer["waiting"]["behind"]), (&json!("directory"), &holding));
    let mut readers = Vec::new();
    for title in ["a", "b"] {
        let draft = with(dormant(title, shell("read line < gate")), "access", json!("read"));
        let reader = observer.create(draft);
        readers.push(observer.get("automation/run", json!({"id": reader})));
    }
    assert_eq!(readers[1]["waiting"]["for"], "capacity");
    let brief = dormant("brief", shell("echo brief >> log"));
    let brief = observer.create(with(brief, "policy", json!({"queueMs": 200})));
    let brief = observer.run(&brief);
    assert_eq!(observer.wait_for_run(&brief, "stopped")["stopReason"], "writer_busy", "its wait ends");
    for _ in 0..3 {
        gate.open();
    }
    for run in readers.iter().chain([&writer]) {
        observer.wait_for_run(&run["id"], "succeeded");
    }
    assert_eq!(place.lines("log"), ["writer"]);
    observer.finish();
}
