//! Several windows: one fires, another serves, a third one looks on.

use serde_json::json;

use crate::support::app::{offer, prompt, prompted};
use crate::support::drafts::once;
use crate::support::{Place, wall_ms};

#[test]
fn the_owner_fires_and_the_window_that_serves_carries_out() {
    let place = Place::new();
    let mut owner = place.open();
    owner.subscribe(json!({}));
    let mut app = place.open();
    assert_eq!(
        (&owner.opened["scheduler"]["owner"], &app.opened["scheduler"]["owner"]),
        (&json!(true), &json!(false))
    );
    app.serve();
    let due = wall_ms() + 300;
    owner.create(once("once", due, prompt()));
    let run = app.wait_for_event("a start", |work| work["type"] == "start")["run"]["id"].clone();
    app.report(&run, json!({"type": "started", "sessionID": "s"}));
    let running = owner.wait_for_run(&run, "running");
    assert_eq!(running["instanceID"], app.opened["instanceID"]);
    app.report(&run, json!({"type": "output", "data": "seen from afar"}));
    assert_eq!(owner.get("run/output", json!({"id": run}))["data"], "seen from afar");
    app.report(&run, json!({"type": "finished", "text": "done"}));
    assert_eq!(owner.wait_for_run(&run, "succeeded")["result"]["text"], "done");
    app.finish();
    owner.finish();
}

#[test]
fn a_run_by_hand_goes_to_the_window_that_asked_and_others_to_the_least_busy() {
    let place = Place::new();
    let mut first = place.open();
    let mut second = place.open();
    let mut third = place.open();
    let mut offer = offer();
    offer["maxConcurrent"] = json!(2);
    first.serve_with(offer.clone());
    second.serve_with(offer);
    let mut draft = prompted(json!({}));
    draft["access"] = json!("read");
    let automations: Vec<_> = (0..4).map(|_| first.create(draft.clone())).collect();
    let here = second.run(&automations[0]);
    second.hears(&here, "start");
    // The one that has none yet is less busy.
    let there = third.run(&automations[1]);
    first.hears(&there, "start");
    third.subscribe(json!({}));
    first.kill();
    let lost = third.wait_for_run(&there, "stopped");
    assert_eq!(lost["stopReason"], "interrupted");
    let moved = third.run(&automations[2]);
    second.hears(&moved, "start");
    assert_eq!(third.get("provider/list", json!({}))["items"][0]["status"], "ready", "one still serves");
    second.finish();
    third.finish();
}

#[test]
fn an_observer_carries_out_what_it_asked_for_itself() {
    let place = Place::new();
    let mut other = place.open();
    let mut app = place.sidecar().option("role", json!("observer")).open();
    app.serve();
    let mut draft = prompted(json!({"pauseAfterFailures": null}));
    draft["access"] = json!("read");
    let automation = app.create(draft);
    let run = app.at_work(&automation);
    app.report(&run, json!({"type": "finished"}));
    assert_eq!(app.look_at(&run)["state"], "succeeded");
    let elsewhere = other.run(&automation);
    assert_eq!(other.look_at(&elsewhere)["error"]["code"], "provider_unavailable");
    app.finish();
    other.finish();
}

#[test]
fn a_window_answers_for_its_own_runs_wherever_they_are_cancelled() {
    let place = Place::new();
    let mut other = place.open();
    let mut app = place.open();
    app.serve();
    let automation = app.create(prompted(json!({})));
    let run = app.at_work(&automation);
    other.get("run/cancel", json!({"id": run}));
    assert_eq!(app.hears(&run, "cancel")["now"], false);
    app.report(&run, json!({"type": "finished"}));
    assert_eq!(other.look_at(&run)["stopReason"], "cancelled");
    app.finish();
    other.finish();
}
