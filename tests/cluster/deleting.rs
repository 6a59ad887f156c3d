//! An automation that several windows wish to delete, while its work does not go.

use serde_json::json;

use crate::support::{Place, kind, signal};

#[test]
fn who_deletes_waits_no_longer_than_for_their_own_wish() {
    let place = Place::new();
    let mut working = place.open();
    // A participant would end the work for it.
    let observe = || place.sidecar().option("role", json!("observer")).open();
    let (mut patient, mut hurried) = (observe(), observe());
    working.subscribe(json!({}));
    let (_gate, automation, run) = place.held_up(&mut working, "held");
    // It can neither end its work nor be taken for dead.
    signal("STOP", working.pid());
    let finishing = patient.send("automation/delete", json!({"id": automation, "activeRun": "finish"}));
    // The second wish joins the first, so that one has to be written before.
    let shown = patient.get("automation/get", json!({"id": automation}));
    let asked_at = crate::support::clock();
    let error = hurried.refusal("automation/delete", json!({"id": automation}));
    assert_eq!((kind(&error), &error["data"]["runID"]), ("active_run_still_running", &run), "{shown}");
    assert!(asked_at.elapsed().as_secs() >= 15, "{:?}", asked_at.elapsed());
    let error = hurried.refusal("automation/run", json!({"id": automation}));
    assert_eq!(kind(&error), "automation_conflict", "the other wish stands");
    signal("CONT", working.pid());
    let deleted = patient.answer(&finishing).expect("the work has gone");
    let stopped = &deleted["stoppedRuns"][0];
    assert_eq!((&stopped["id"], &stopped["stopReason"]), (&run, &json!("cancelled")));
    hurried.finish();
    patient.finish();
    working.finish();
}
