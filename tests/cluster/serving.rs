//! One window carries a prompt out, another one fires it and answers for the person, and the first one closes when it is
//! done.

use serde_json::{Value, json};

use crate::support::app::{permission, prompt, prompted};
use crate::support::client::Client;
use crate::support::drafts::once;
use crate::support::{Place, eventually, kind, signal, wall_ms};

fn has_happened(event: &Value, id: &Value) -> bool {
    event["kind"] == "lifecycle.completed" && event["lifecycle"]["id"] == *id
}

#[test]
fn a_window_that_was_stopped_while_its_run_was_ended_is_told_and_the_next_run_goes() {
    let place = Place::new();
    let mut other = place.open();
    other.subscribe(json!({}));
    let mut app = place.open();
    let serving = app.serve();
    let automations = [0; 2].map(|_| other.create(prompted(json!({}))));
    let run = other.run(&automations[0]);
    app.hears(&run, "start");
    app.report(&run, json!({"type": "started", "sessionID": "ses_1"}));
    let next = other.run(&automations[1]);
    signal("STOP", app.pid());
    for _ in 0..2 {
        other.get("run/cancel", json!({"id": run}));
    }
    assert_eq!(other.wait_for_run(&run, "stopped")["stopReason"], "cancelled");
    signal("CONT", app.pid());
    let cancel = app.hears(&run, "cancel");
    assert_eq!((&cancel["reason"], &cancel["now"]), (&json!("cancelled"), &json!(true)));
    let late = app.report_in_vain(&run, json!({"type": "finished"}));
    assert_eq!(kind(&late), "invalid_request", "{late}");
    app.hears(&next, "start");
    app.report(&next, json!({"type": "failed", "code": "start_failed", "message": "enough"}));
    assert_eq!(app.heard(&serving, &run).len(), 2, "a start, and one cancel");
    app.finish();
    other.finish();
}

fn instances(client: &mut Client) -> usize {
    client.get("scheduler/status", json!({}))["instances"].as_array().map_or(0, Vec::len)
}

#[test]
fn one_fires_and_answers_and_the_other_carries_out_and_closes_when_it_is_done() {
    let place = Place::new();
    let mut owner = place.open();
    let events = owner.subscribe(json!({}));
    let mut app = place.open();
    let told = app.subscribe(json!({}));
    app.serve();
    owner.create(once("triage", wall_ms() + 300, prompt()));
    let run = app.wait_for_event("a start", |work| work["type"] == "start")["run"]["id"].clone();
    app.report(&run, json!({"type": "started", "sessionID": "ses_1"}));
    app.report(&run, json!({"type": "blocked", "blocker": permission("req_1")}));
    let asks = owner.wait_for_run(&run, "awaiting_input");
    assert_eq!((&asks["attendance"], &asks["blocker"]["requestID"]), (&json!("unattended"), &json!("req_1")));

    // The person closes the window that works, and answers in the other one.
    let closing = app.get("shutdown", json!({"mode": "maintenance"}));
    assert_eq!(
        (&closing["status"], &closing["waitingFor"]["runs"]),
        (&json!("deferred"), &json!([run])),
        "{closing}"
    );
    let answered = owner.get("run/respond", json!({"id": run, "requestID": "req_1", "optionID": "yes"}));
    assert_eq!(answered["state"], "running");
    assert_eq!(app.hears(&run, "answer")["optionID"], "yes");
    let late = app.refusal("run/respond", json!({"id": run, "requestID": "req_1", "optionID": "no"}));
    assert_eq!(kind(&late), "blocker_gone", "the first answer counts");
    app.report(&run, json!({"type": "finished", "text": "three are new", "outcome": "findings"}));

    let id = &closing["lifecycleActionID"];
    app.wait_for_event("that it has closed", |event| has_happened(event, id));
    owner.wait_for_event("that the other one has closed", |event| has_happened(event, id));
    app.notify("exit");
    assert_eq!(app.exit_code(), Some(0));
    let done = owner.wait_for_run(&run, "succeeded");
    assert_eq!((&done["result"]["outcome"], &done["closedBy"]), (&json!("findings"), &Value::Null));
    eventually("one window is left", || (instances(&mut owner) == 1).then_some(()));
    let ends = |client: &mut Client, subscription: &str| {
        client.events(subscription).iter().filter(|event| has_happened(event, id)).count()
    };
    assert_eq!((ends(&mut app, &told), ends(&mut owner, &events)), (1, 1));
    assert_eq!(
        owner.get("lifecycle/status", json!({})),
        json!({"activeRuns": [], "holds": [], "pending": []})
    );
    assert_eq!(owner.get("provider/list", json!({}))["items"][0]["status"], "unavailable");
    owner.finish();
}
