//! A shutdown while as many requests run as may.

use serde_json::{Value, json};

use crate::support::drafts::{dormant, shell};
use crate::support::{Place, kind};

/// Requests that run at once.
const RUNNING: usize = 256;

#[test]
fn what_was_never_begun_is_refused_by_a_shutdown_and_does_not_happen() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let _gate = place.gate("gate");
    let other = client.create(dormant("never begun", shell("echo began >> log")));
    let automation = client.create(dormant("held up", shell("read line < gate")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    let delete = json!({"id": automation, "activeRun": "finish"});
    let deleting: Vec<String> =
        (0..RUNNING).map(|_| client.send("automation/delete", delete.clone())).collect();
    let running = client.send("automation/run", json!({"id": other}));
    let creating = client.send("automation/create", dormant("neither", shell("true")));
    let closing = client.send("shutdown", json!({}));
    for id in [running, creating] {
        let error = client.answer(&id).unwrap_err();
        assert_eq!((&error["code"], kind(&error)), (&json!(-32600), "invalid_request"), "{error}");
    }
    assert_eq!(client.answer(&closing).unwrap(), Value::Null);
    for id in deleting {
        // Each is told what became of the automation.
        assert_eq!(client.answer(&id).unwrap()["stoppedRuns"][0]["stopReason"], "shutdown");
    }
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
    assert_eq!(client.unclaimed(), Vec::<String>::new());

    let mut next = place.open();
    let runs = next.get("run/list", json!({}))["items"].clone();
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "a run that nobody was promised: {runs}");
    assert_eq!((&runs[0]["id"], &runs[0]["state"]), (&run, &json!("stopped")));
    let titles = next.get("automation/list", json!({}))["items"].clone();
    assert_eq!((titles.as_array().map(Vec::len), &titles[0]["id"]), (Some(1), &other));
    assert!(place.lines("log").is_empty());
    next.finish();
}
