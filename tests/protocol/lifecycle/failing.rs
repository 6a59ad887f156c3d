//! Closes that fail: because the configuration file cannot be used.

use serde_json::{Value, json};

use super::{assert_idle, close, completed, deferred, end_of, ends, failed};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, kind};

/// What a close is refused with that fails because of the configuration file.
const LOGGED: &str = "a close has failed: the configuration file";

/// A window that reads the configuration file when it is asked to.
fn window(place: &Place) -> Client {
    let mut client = place.sidecar().option("followConfigFile", json!(false)).open();
    client.expect_error(LOGGED);
    client
}

#[test]
fn a_deferred_close_that_fails_is_told_and_leaves_nothing_closing() {
    let place = Place::new();
    let mut client = window(&place);
    let subscription = client.subscribe(json!({}));
    let (mut gate, _, held_up) = place.held_up(&mut client, "held up");
    let closing = deferred(&mut client, "reload", &[&held_up]);
    let next = client.create(dormant("next", shell("echo next >> log")));
    let next = client.run(&next);
    place.configure(r#"{"providers": {"agent": {"command": []}}, "theme": "dark"}"#);
    gate.open();
    let told = end_of(&mut client, &closing);
    assert_eq!((&told["kind"], &told["important"]), (&json!("lifecycle.failed"), &json!(true)));
    let why = told["lifecycle"]["error"].as_str().expect("a sentence");
    for part in ["config.json", "providers.agent.command: required", "theme: unknown value", "mend it"] {
        assert!(why.contains(part), "{part} is not in {why}");
    }
    client.wait_for_run(&next, "succeeded");
    assert_eq!(place.lines("log"), ["next"], "it did not wait for another close");
    assert_idle(&mut client);
    place.configure("{}");
    let again = close(&mut client, "reload", "maintenance");
    assert_eq!(again["status"], "completed");
    let again = again["lifecycleActionID"].clone();
    assert_eq!(ends(&mut client, &subscription), [failed(&closing), completed(&again)]);
    client.finish();
}

#[test]
fn a_close_that_fails_at_once_is_refused_and_told_as_well() {
    let place = Place::new();
    let mut client = window(&place);
    let subscription = client.subscribe(json!({}));
    place.configure("{\"prov");
    let mut ids: Vec<Value> = Vec::new();
    for mode in ["maintenance", "force"] {
        let error = client.refusal("lifecycle/close", json!({"kind": "reload", "mode": mode}));
        assert_eq!((&error["code"], kind(&error)), (&json!(-32019), "close_failed"), "{error}");
        let message = error["message"].as_str().expect("a sentence");
        assert!(message.contains("config.json") && message.contains("no JSON object"), "{message}");
        let id = error["data"]["lifecycleActionID"].clone();
        let told = end_of(&mut client, &id);
        assert_eq!(told["kind"], "lifecycle.failed");
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ends(&mut client, &subscription), [failed(&ids[0]), failed(&ids[1])]);
    assert_idle(&mut client);
    // What is not about the configuration is not kept from happening.
    assert_eq!(close(&mut client, "dispose", "maintenance")["status"], "completed");
    client.finish();
}
