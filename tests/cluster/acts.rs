//! What one window does about the runs of another.

use serde_json::{Value, json};

use crate::support::drafts::{dormant, shell};
use crate::support::{Place, kind, processes_with};

#[test]
fn an_automation_whose_run_lives_elsewhere_is_deleted_when_its_work_has_gone() {
    let place = Place::new();
    let (mut working, mut deleting) = (place.open(), place.open());
    let subscription = working.subscribe(json!({}));
    let (_gate, automation, run) = place.held_up(&mut working, "held");
    let deleted = deleting.get("automation/delete", json!({"id": automation, "activeRun": "cancel"}));
    let left = processes_with(&format!("SEXTON_RUN_ID={}", run.as_str().expect("an id")));
    assert!(left.is_empty(), "{left:?} outlive it");
    assert_eq!((&deleted["id"], &deleted["deleted"]), (&automation, &json!(true)));
    let [stopped] = &deleted["stoppedRuns"].as_array().expect("runs")[..] else { panic!("{deleted}") };
    assert_eq!(
        (&stopped["id"], &stopped["state"], &stopped["stopReason"]),
        (&run, &json!("stopped"), &json!("cancelled"))
    );
    assert_eq!(stopped["instanceID"], working.opened["instanceID"]);
    working.wait_for_event("the tombstone", |event| event["kind"] == "automation.deleted");
    let told = working.events(&subscription);
    let [.., end, tombstone] = &told[..] else { panic!("{told:?}") };
    assert_eq!((&end["kind"], &end["run"]), (&json!("run.updated"), stopped), "as it was answered");
    assert_eq!(
        (&tombstone["kind"], &tombstone["tombstone"]["revision"]),
        (&json!("automation.deleted"), &deleted["revision"])
    );
    for window in [&mut working, &mut deleting] {
        assert_eq!(kind(&window.refusal("automation/run", json!({"id": automation}))), "not_found");
        assert_eq!(window.get("run/get", json!({"id": run})), *stopped, "the run stays");
    }
    deleting.finish();
    working.finish();
}

#[test]
fn a_run_goes_on_as_it_was_while_another_window_edits_its_automation() {
    let place = Place::new();
    let (mut working, mut editing) = (place.open(), place.open());
    working.subscribe(json!({}));
    editing.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let automation = working.create(dormant("before", shell("read line < gate; echo before >> log")));
    let run = working.run(&automation);
    working.wait_for_run(&run, "running");
    let patch = json!({"title": "after", "task": shell("echo after >> log")});
    let edited = editing.get("automation/update", json!({"id": automation, "patch": patch}));
    assert_eq!((&edited["revision"], &edited["state"]["activeRuns"]), (&json!(2), &json!([run])));
    let title_and_revision =
        |run: &Value| (run["automationTitle"].clone(), run["definitionRevision"].clone());
    let at_work = editing.get("run/get", json!({"id": run}));
    assert_eq!(at_work["state"], "running");
    gate.open();
    let ended = editing.wait_for_run(&run, "succeeded");
    assert_eq!(title_and_revision(&ended), (json!("before"), json!(1)));
    assert_eq!(place.lines("log"), ["before"]);
    // The next one is the new, whichever window asks.
    for window in [&mut working, &mut editing] {
        let next = window.run(&automation);
        let ended = window.wait_for_run(&next, "succeeded");
        assert_eq!(title_and_revision(&ended), (json!("after"), json!(2)));
        assert_eq!(ended["instanceID"], window.opened["instanceID"]);
    }
    assert_eq!(place.lines("log"), ["before", "after", "after"]);
    editing.finish();
    working.finish();
}
