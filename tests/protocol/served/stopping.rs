//! Cancelling what a window carries out.

use serde_json::{Value, json};

use crate::support::app::prompted;
use crate::support::{Place, kind};

#[test]
fn a_cancel_asks_a_second_one_urges_and_the_report_of_the_end_frees_the_directory() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let serving = client.serve();
    let automation = client.create(prompted(json!({"overlap": "queueOne"})));
    let run = client.at_work(&automation);
    let asked = client.get("run/cancel", json!({"id": run}));
    assert_eq!((&asked["stopping"]["as"], &asked["stopping"]["now"]), (&json!("cancelled"), &json!(false)));
    let cancel = client.hears(&run, "cancel");
    assert_eq!((&cancel["reason"], &cancel["now"]), (&json!("cancelled"), &json!(false)));
    // What it does until it ends is still taken in.
    client.report(&run, json!({"type": "step", "title": "tidies up"}));
    client.get("run/cancel", json!({"id": run}));
    client.wait_for_event("an urgent cancel", |work| work["type"] == "cancel" && work["now"] == true);
    client.report(&run, json!({"type": "failed", "code": "execution_failed", "message": "as you wish"}));
    let ended = client.look_at(&run);
    assert_eq!((&ended["state"], &ended["stopReason"]), (&json!("stopped"), &json!("cancelled")), "{ended}");
    assert_eq!(client.heard(&serving, &run).len(), 3, "a start and two cancels");
    let next = client.run_here(&automation);
    client.report(&next, json!({"type": "failed", "code": "start_failed", "message": "done"}));
    client.finish();
}

#[test]
fn a_run_that_is_told_to_end_at_once_and_ignores_it_ends_and_keeps_its_directory_until_it_reports() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    client.serve();
    let first = client.create(prompted(json!({})));
    let second = client.create(prompted(json!({})));
    let run = client.at_work(&first);
    for _ in 0..2 {
        client.get("run/cancel", json!({"id": run}));
    }
    let ended = client.wait_for_run(&run, "stopped");
    assert_eq!(ended["stopReason"], "cancelled");
    let waits = client.get("automation/run", json!({"id": second}));
    assert_eq!((&waits["state"], &waits["waiting"]["behind"]), (&json!("scheduled"), &run), "{waits}");
    let error = client.report_in_vain(&run, json!({"type": "step"}));
    assert_eq!((&error["code"], kind(&error)), (&json!(-32600), "invalid_request"));
    let error = client.report_in_vain(&run, json!({"type": "finished", "text": "too late"}));
    assert!(error["message"].as_str().is_some_and(|why| why.contains("stopped")), "{error}");
    assert_eq!(client.look_at(&run)["result"], Value::Null, "an ended run never changes");
    client.hears(&waits["id"], "start");
    client.report(&waits["id"], json!({"type": "failed", "code": "start_failed", "message": "done"}));
    client.finish();
}

#[test]
fn a_run_that_waits_for_its_window_is_cancelled_without_it() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let serving = client.serve();
    let automations = [client.create(prompted(json!({}))), client.create(prompted(json!({})))];
    let run = client.at_work(&automations[0]);
    let waits = client.run(&automations[1]);
    let cancelled = client.get("run/cancel", json!({"id": waits}));
    assert_eq!((&cancelled["state"], &cancelled["stopReason"]), (&json!("stopped"), &json!("cancelled")));
    client.report(&run, json!({"type": "finished"}));
    assert_eq!(client.heard(&serving, &waits), Vec::<Value>::new(), "it was never told of");
    client.finish();
}

#[test]
fn deleting_an_automation_waits_for_work_that_goes_on_after_its_run_has_ended() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.at_work(&automation);
    let deleting = [0; 2].map(|_| client.send("automation/delete", json!({"id": automation})));
    client.wait_for_run(&run, "stopped");
    // Nothing is told of an automation that waits; that it is there still is seen in what it is refused.
    let error = client.refusal("automation/run", json!({"id": automation}));
    assert_eq!(kind(&error), "automation_conflict", "{error}");
    client.report_in_vain(&run, json!({"type": "finished"}));
    for id in deleting {
        let deleted = client.answer(&id).expect("it is deleted");
        assert_eq!(deleted["stoppedRuns"][0]["id"], run, "{deleted}");
    }
    client.finish();
}

#[test]
fn deleting_an_automation_waits_for_the_report_of_its_run() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.at_work(&automation);
    let deleting = client.send("automation/delete", json!({"id": automation}));
    client.hears(&run, "cancel");
    client.report(&run, json!({"type": "finished"}));
    let deleted = client.answer(&deleting).expect("it is deleted");
    let stopped = &deleted["stoppedRuns"][0];
    assert_eq!((&stopped["id"], &stopped["stopReason"]), (&run, &json!("cancelled")), "{deleted}");
    client.finish();
}
