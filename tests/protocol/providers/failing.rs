//! Agents that cannot be asked: what is told of them, and of what names them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LOG, nothing_is_left};
use crate::support::agents::{AGENT, for_model, scripted, scripted_agent};
use crate::support::client::Client;
use crate::support::{Place, clock, faults, program};

/// What is told when an agent that is configured like this is asked: why it could not be.
fn why(agent: &Value) -> String {
    let place = Place::new();
    let mut client = place.sidecar().option("providers", json!({AGENT: agent})).open();
    let error = client.refusal("automation/create", for_model("large"));
    assert_eq!(faults(&error), ["task.model model_lookup_failed"], "{error}");
    let listed = client.listed_agent();
    assert_eq!((&listed["status"], &listed["checkedAt"]), (&json!("unavailable"), &json!(null)), "{listed}");
    let reason = listed["reason"].as_str().expect("a sentence").to_owned();
    let hint = error["data"]["details"][0]["hint"].as_str().expect("a hint").to_owned();
    assert_eq!(hint, format!("`agent` cannot be given work: {reason}"));
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
    client.finish();
    nothing_is_left(&place);
    reason
}

/// The same of a scripted agent that does this instead of answering a call.
fn why_of(script: &Value) -> String {
    let place = Place::new();
    let mut agent = scripted(&place, LOG, script);
    agent["startMs"] = json!(3000);
    why(&agent)
}

#[test]
fn an_agent_that_cannot_be_started_says_so() {
    let missing = why(&json!({"command": ["no-such-agent-anywhere"]}));
    assert!(missing.contains("no-such-agent-anywhere"), "{missing}");
    let place = Place::new();
    let plain = place.beside("plain");
    std::fs::write(&plain, "text").unwrap();
    let not_executable = why(&json!({"command": [plain]}));
    assert!(not_executable.contains("plain"), "{not_executable}");
}

#[test]
fn an_agent_that_exits_is_told_with_its_code_and_its_last_words() {
    let exits = why(&json!({"command": ["sh", "-c", "echo no license >&2; exit 7"]}));
    assert!(exits.contains("exited with code 7") && exits.contains("no license"), "{exits}");
    why(&json!({"command": ["true"]}));
    why(&json!({"command": ["sh", "-c", "kill -9 $$"]}));
}

#[test]
fn an_agent_that_hangs_is_given_up_within_its_time() {
    for method in ["initialize", "session/new"] {
        let hangs = why_of(&json!({"calls": {method: "hang"}}));
        assert!(hangs.contains(&format!("`{method}` within 3 s")), "each call has all of its time: {hangs}");
    }
    // One that stays when it was told to go is ended.
    why_of(&json!({"calls": {"initialize": "hang"}, "at_end_of_input": "stay"}));
}

#[test]
fn an_agent_that_dies_or_refuses_in_a_call_is_told_with_the_call() {
    for method in ["initialize", "session/new"] {
        why_of(&json!({"calls": {method: {"exit": 9}}}));
        why_of(&json!({"calls": {method: {"signal": 9}}}));
        let refused = why_of(&json!({"calls": {method: {"error": {"message": "not today"}}}}));
        assert!(refused.contains("not today"), "{refused}");
    }
}

#[test]
fn an_agent_that_wants_a_login_says_how() {
    let login = json!({"calls": {"session/new": {"error": {"code": -32000, "message": "Authentication required"}}},
        "auth_methods": [{"id": "browser", "name": "Log in with a browser"}]});
    let told = why_of(&login);
    assert!(told.contains("Log in with a browser"), "{told}");
}

#[test]
fn an_agent_of_another_version_of_the_protocol_is_told_so() {
    let told = why_of(&json!({"version": 7}));
    assert!(told.contains('7'), "{told}");
}

#[test]
fn an_agent_that_came_to_itself_is_ready_again() {
    let place = Place::new();
    let script = place.beside("script.json");
    std::fs::write(&script, json!({"calls": {"initialize": {"exit": 1}}}).to_string()).unwrap();
    let agent = json!({"command": [scripted_agent()], "env": {"SCRIPTED_AGENT_FILE": script}});
    let mut client = place.sidecar().option("providers", json!({AGENT: agent})).open();
    client.refusal("automation/create", for_model("large"));
    std::fs::write(&script, "{}").unwrap();
    client.create(for_model("large"));
    let listed = client.listed_agent();
    assert_eq!((&listed["status"], &listed["reason"]), (&json!("ready"), &Value::Null));
    // What it said then counts although it is down now.
    std::fs::write(&script, json!({"calls": {"initialize": {"exit": 1}}}).to_string()).unwrap();
    client.get("provider/refresh", json!({}));
    assert_eq!(client.listed_agent()["status"], "unavailable");
    client.create(for_model("small"));
    client.finish();
}

#[test]
fn no_program_of_the_project_is_started_because_of_its_name() {
    let place = Place::new();
    let program = place.project().join("agent-of-the-project");
    program::write(&program, "#!/bin/sh\ntouch started\n");
    for path in [".:/usr/bin:/bin", "/usr/bin:/bin:", ":/usr/bin", "../project:/usr/bin"] {
        let agent = json!({"command": ["agent-of-the-project"]});
        let by_provider = json!({"command": ["agent-of-the-project"], "env": {"PATH": path}});
        let sidecar = place.sidecar().env("PATH", path);
        let mut client = sidecar.option("providers", json!({"of window": agent, "own": by_provider})).open();
        let refreshed = client.get("provider/refresh", json!({}));
        for listed in refreshed["items"].as_array().unwrap() {
            let reason = listed["reason"].as_str().unwrap();
            assert!(reason.contains("was not found in PATH, \"/usr/bin"), "{path}: {reason}");
        }
        assert!(!place.project().join("started").exists(), "{path}");
        client.finish();
    }
}

/// Others are answered while an agent goes on, and do not wait for it.
fn is_in_nobodys_way(client: &mut Client) {
    let began = clock();
    for _ in 0..20 {
        client.get("scheduler/status", json!({}));
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "twenty answers took {took:?}");
}

#[test]
fn an_agent_that_writes_without_end_keeps_nobody_waiting() {
    for line in ["yes", "yes ''"] {
        let place = Place::new();
        let noisy = place.beside("noisy");
        let ready = json!({"SCRIPTED_AGENT": json!({"prompt": [{"repeat": {"noise": ""}}]}).to_string()});
        let command =
            format!("test -e '{}' && exec {line}; exec '{}'", noisy.display(), scripted_agent().display());
        let agent = json!({"command": ["sh", "-c", command], "env": ready, "startMs": 3000});
        let mut client = place.sidecar().option("providers", json!({AGENT: agent})).open();
        client.subscribe(json!({}));
        let automation = client.create(for_model("large"));

        let works = client.run(&automation);
        client.wait_for_run(&works, "running");
        is_in_nobodys_way(&mut client);
        client.get("run/cancel", json!({"id": works}));
        client.wait_for_run(&works, "stopped");

        std::fs::write(&noisy, "").unwrap();
        let asked = client.send("provider/refresh", json!({}));
        let starts = client.run(&automation);
        is_in_nobodys_way(&mut client);
        let listed = client.answer(&asked).expect("an answer")["items"][0].clone();
        assert!(listed["reason"].as_str().unwrap().contains("initialize"), "{listed}");
        let failed = client.wait_for_run(&starts, "failed");
        assert_eq!(failed["error"]["code"], "start_failed", "{failed}");
        client.finish();
    }
}
