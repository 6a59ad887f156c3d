//! Where agents are configured, and what follows from that.

use serde_json::{Value, json};

use super::{LOG, files_of_probes, nothing_is_left, window};
use crate::support::agents::{AGENT, for_model, heard, scripted, scripted_agent, starts};
use crate::support::app::offer;
use crate::support::client::Client;
use crate::support::drafts::with;
use crate::support::{Place, assert_invalid_params, eventually, wall_ms};

fn file(place: &Place, providers: &Value) {
    place.configure(&json!({"providers": providers}).to_string());
}

fn models(models: &[&str]) -> Value {
    let list: Vec<Value> = models.iter().map(|id| json!({"id": id})).collect();
    json!({"models": {"list": list}})
}

fn ids(listed: &Value) -> Vec<&str> {
    let models = listed["models"].as_array().expect("a list").iter();
    models.map(|model| model["id"].as_str().expect("an id")).collect()
}

/// Waits until the agent is told to be so.
fn told(client: &mut Client, status: &str) -> Value {
    let is_it = |event: &Value| event["provider"]["id"] == AGENT && event["provider"]["status"] == status;
    client.wait_for_event(&format!("an agent that is {status}"), is_it)["provider"].clone()
}

#[test]
fn an_agent_is_listed_as_unknown_until_it_has_said_what_it_offers() {
    let place = Place::new();
    let before = wall_ms();
    let mut client = window(&place, &json!({}));
    client.subscribe(json!({}));
    let unknown = json!({"id": AGENT, "kind": "acp", "status": "unknown", "checkedAt": null, "models": []});
    assert_eq!(client.listed_agent(), unknown);
    assert_eq!(starts(&place, LOG), 0, "nobody has asked for it");
    let refreshed = client.get("provider/refresh", json!({"id": AGENT}));
    let listed = refreshed["items"][0].clone();
    assert_eq!((&listed["status"], ids(&listed)), (&json!("ready"), vec!["small", "large"]));
    assert_eq!(listed["models"][1]["variants"], json!(["low", "high"]));
    assert!(listed["checkedAt"].as_i64().is_some_and(|at| at >= before), "{listed}");
    assert_eq!(client.listed_agent(), listed);
    assert_eq!(told(&mut client, "ready"), listed);
    nothing_is_left(&place);
    assert_eq!(files_of_probes(&place), 0);
    let started = &heard(&place, LOG)[0];
    assert!(started.to_string().contains(&place.project().display().to_string()), "{started}");
    client.finish();
}

#[test]
fn what_a_window_configures_wins_over_the_file() {
    let place = Place::new();
    let of_file = |model| scripted(&place, LOG, &models(&[model]));
    file(&place, &json!({AGENT: of_file("of the file"), "other": of_file("other")}));
    let mut client = window(&place, &models(&["of the window"]));
    let refreshed = client.get("provider/refresh", json!({}));
    let offered: Vec<Vec<&str>> = refreshed["items"].as_array().unwrap().iter().map(ids).collect();
    assert_eq!(offered, [["of the window"], ["other"]]);
    client.finish();
}

#[test]
fn a_change_of_the_file_is_taken_up_and_what_is_faulty_changes_nothing() {
    let place = Place::new();
    file(&place, &json!({AGENT: scripted(&place, LOG, &models(&["one"]))}));
    let mut client = place.open();
    client.expect_error("a close has failed: the configuration file");
    client.subscribe(json!({}));
    client.get("provider/refresh", json!({}));
    // It may be another agent altogether.
    file(&place, &json!({AGENT: scripted(&place, LOG, &models(&["two"]))}));
    let unknown = told(&mut client, "unknown");
    assert_eq!((&unknown["checkedAt"], ids(&unknown).len()), (&json!(null), 0));
    assert_eq!(ids(&client.get("provider/refresh", json!({}))["items"][0]), ["two"]);
    file(&place, &json!({AGENT: {"command": []}}));
    client.wait_for_event("a reload that fails", |event| event["kind"] == "lifecycle.failed");
    assert_eq!(client.listed_agent()["status"], "ready");
    assert_eq!(
        ids(&client.get("provider/refresh", json!({}))["items"][0]),
        ["two"],
        "the one before goes on"
    );
    file(&place, &json!({}));
    let gone = told(&mut client, "unavailable");
    assert!(gone["reason"].as_str().unwrap().contains("no window that is open"), "{gone}");
    assert_eq!(ids(&gone), ["two"], "what it said last is remembered");
    client.finish();
}

#[test]
fn a_faulty_file_is_a_warning_and_keeps_no_agent_of_the_window_away() {
    let place = Place::new();
    file(&place, &json!({"other": {"command": "agent"}}));
    let mut client = window(&place, &json!({}));
    let warnings = client.opened["warnings"].to_string();
    assert!(warnings.contains("providers.other.command: wrong type"), "{warnings}");
    assert_eq!(client.listed_agent()["status"], "unknown");
    assert_eq!(client.get("provider/list", json!({}))["items"].as_array().unwrap().len(), 1);
    client.finish();
}

#[test]
fn a_window_cannot_serve_what_it_has_an_agent_for() {
    let place = Place::new();
    let mut client = place.sidecar().option("providers", json!({"editor": {"command": ["agent"]}})).open();
    let error = client.refusal("provider/serve", offer());
    assert!(error["message"].as_str().unwrap().contains("an agent is configured for editor"), "{error}");
    client.finish();
    // The other way round the reload fails, and says why.
    let place = Place::new();
    let mut client = place.sidecar().option("followConfigFile", json!(false)).open();
    client.expect_error("a close has failed: this window serves editor itself");
    let serving = client.serve();
    file(&place, &json!({"editor": {"command": ["agent"]}}));
    let reload = json!({"kind": "reload", "mode": "maintenance"});
    let error = client.refusal("lifecycle/close", reload.clone());
    assert!(error["message"].as_str().unwrap().contains("this window serves editor itself"), "{error}");
    assert_eq!(client.get("provider/list", json!({}))["items"][0]["kind"], "served");
    // What was refused can be asked for again.
    assert_eq!(client.get("provider/unserve", json!({"subscription": serving})), true);
    assert_eq!(client.get("lifecycle/close", reload)["status"], "completed");
    assert_eq!(client.get("provider/list", json!({}))["items"][0]["kind"], "acp");
    client.finish();
}

#[test]
fn faults_of_a_configuration_are_told_all_at_once() {
    let place = Place::new();
    let mut client = place.sidecar().spawn();
    let providers = json!({"a": {"command": ["./agent"], "startMs": 5, "model": "x"}, "b": [], "c": {"command": ["x"], "env": {"A": 1}}});
    let options = json!({"projectDirectory": place.project(), "providers": providers});
    let error = client.refusal("initialize", json!({"initializationOptions": options}));
    let at = |fault: &str| format!("initializationOptions.providers.{fault}");
    let expected = [
        "a.command[0] out_of_range",
        "a.startMs out_of_range",
        "a.model unknown_value",
        "b wrong_type",
        "c.env.A wrong_type",
    ];
    let expected = expected.map(at);
    assert_invalid_params(&error, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    client.kill();
}

#[test]
fn an_agent_of_a_window_that_has_gone_cannot_be_asked_and_is_remembered() {
    let place = Place::new();
    let mut other = place.open();
    other.subscribe(json!({}));
    let mut client = window(&place, &json!({}));
    client.get("provider/refresh", json!({}));
    assert_eq!(other.get("provider/refresh", json!({}))["items"][0]["status"], "ready", "asked by the other");
    client.kill();
    let gone = told(&mut other, "unavailable");
    assert_eq!(ids(&gone), ["small", "large"]);
    // What it said lately still counts.
    other.create(for_model("large"));
    assert_eq!(other.get("provider/refresh", json!({"id": AGENT}))["items"], json!([gone]));
    assert_eq!(starts(&place, LOG), 2);
    other.finish();
}

#[test]
fn values_of_an_agents_environment_are_in_no_ledger_no_log_and_no_answer() {
    const SECRET: &str = "hunter2-correct-horse";
    let place = Place::new();
    let line = r#"echo "the key is $TOKEN and $TAKEN" >&2; exit 3"#;
    let env = json!({"TOKEN": SECRET, "TAKEN": {"from": "TOKEN_SOURCE"}});
    let agent = json!({"command": ["sh", "-c", line], "env": env});
    file(&place, &json!({"of the file": agent}));
    let sidecar = place.sidecar().env("SEXTON_LOG", "trace").env("TOKEN_SOURCE", SECRET);
    let mut client = sidecar.option("providers", json!({AGENT: agent})).open();
    client.subscribe(json!({}));
    let refreshed = client.get("provider/refresh", json!({}));
    assert!(
        refreshed["items"][0]["reason"].as_str().unwrap().contains("the key is \u{2026} and"),
        "{refreshed}"
    );
    let refused = client.refusal("automation/create", for_model("large"));
    let event = client.wait_for_event("the agent", |event| event["provider"]["status"] == "unavailable");
    let missing =
        json!({"command": [scripted_agent()], "env": {"A": {"from": "NO_SUCH_VARIABLE"}, "B": SECRET}});
    file(&place, &json!({"of the file": missing}));
    client.wait_for_event("a reload", |event| event["kind"] == "lifecycle.completed");
    let unset = client.get("provider/refresh", json!({"id": "of the file"}))["items"][1].clone();
    assert!(unset["reason"].as_str().unwrap().contains("NO_SUCH_VARIABLE"), "{unset}");
    for told in [refreshed, refused, event, unset] {
        assert!(!told.to_string().contains(SECRET), "{told}");
    }
    client.notify("initialized");
    eventually("a line of the log", || client.stderr().contains("initialized").then_some(()));
    assert!(!client.stderr().contains(SECRET), "the log tells it");
    client.finish();
    is_in_no_file(&place, SECRET);
}

/// Nothing that is stored has this, but the log of an agent itself, which is its user's own.
fn is_in_no_file(place: &Place, secret: &str) {
    let mut files = vec![place.state()];
    while let Some(path) = files.pop() {
        match std::fs::read_dir(&path) {
            Ok(entries) => files.extend(entries.map(|entry| entry.expect("an entry").path())),
            Err(_) if path.ends_with("agent.log") => {}
            Err(_) => {
                let bytes = std::fs::read(&path).expect("a file");
                let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "{} has {secret:?}", path.display());
            }
        }
    }
}

#[test]
fn what_an_agent_was_given_is_hidden_in_all_that_is_told_of_its_runs() {
    const TOKEN: &str = "hunter2-correct-horse";
    // It begins as the other one, and nothing of it is to be left.
    const LONGER: &str = "hunter2-correct-horse-battery-staple";
    const ARGUMENT: &str = "argument-123456";
    const OF_WINDOW: &str = "of-the-window-123456";
    let all = format!("{LONGER} {TOKEN} {ARGUMENT} {OF_WINDOW}");
    let place = Place::new();
    let fails = place.beside("fails");
    // What is told of the log begins in the middle of a value.
    let log = r#"echo "$LONGER" >&2; head -c 970 /dev/zero | tr '\0' x >&2; echo "$TOKEN $1 $OF_WINDOW" >&2; exit 3"#;
    let line =
        format!("if test -e '{}'; then {log}; fi; exec '{}'", fails.display(), scripted_agent().display());
    let permission = json!({"permission": {"title": format!("use {all}")}});
    let tool = json!({"tool": {"title": format!("call {all}"), "input": {"with": "it"}}});
    let script = json!({"prompt": [permission, tool, {"say": format!("it was {all}")}]});
    let env = json!({"TOKEN": TOKEN, "LONGER": LONGER, "SCRIPTED_AGENT": script.to_string()});
    let agent = json!({"command": ["sh", "-c", line, "sh", format!("--key={ARGUMENT}")], "env": env});
    let sidecar =
        place.sidecar().env("SEXTON_LOG", "trace").option("environment", json!({"OF_WINDOW": OF_WINDOW}));
    let mut client = sidecar.option("providers", json!({AGENT: agent})).open();
    let subscription = client.subscribe(json!({}));
    let automation = client.create(for_model("large"));

    let works = client.run(&automation);
    let asks = client.wait_for_run(&works, "awaiting_input");
    let request = &asks["blocker"]["requestID"];
    client.get("run/respond", json!({"id": works, "requestID": request, "optionID": "allow_once"}));
    let done = client.wait_for_run(&works, "succeeded");
    assert_eq!(done["result"]["text"], "it was \u{2026} \u{2026} \u{2026} \u{2026}", "{done}");
    let output = client.get("run/output", json!({"id": works}));

    std::fs::write(&fails, "").unwrap();
    let breaks = client.run(&automation);
    let failed = client.wait_for_run(&breaks, "failed");
    let message = failed["error"]["message"].as_str().expect("a sentence");
    assert!(message.ends_with("\u{2026} --key=\u{2026} \u{2026}"), "{message}");
    let refreshed = client.get("provider/refresh", json!({}));
    assert!(refreshed["items"][0]["reason"].is_string(), "{refreshed}");

    let mut told = client.events(&subscription);
    told.extend([output, refreshed]);
    for secret in [TOKEN, ARGUMENT, OF_WINDOW, "-battery-staple", "rect-horse"] {
        for one in &told {
            assert!(!one.to_string().contains(secret), "{secret:?} is told: {one}");
        }
        assert!(!client.stderr().contains(secret), "the log tells {secret:?}");
    }
    client.finish();
    for secret in [TOKEN, ARGUMENT, OF_WINDOW, "-battery-staple"] {
        is_in_no_file(&place, secret);
    }
}

#[test]
fn as_many_agents_as_the_limit_says_and_no_other_number_is_taken() {
    let place = Place::new();
    for (limits, fault) in [
        (json!({"maxAgents": 0}), "initializationOptions.limits.maxAgents out_of_range"),
        (json!({"maxAgents": "1"}), "initializationOptions.limits.maxAgents wrong_type"),
    ] {
        let mut client = place.sidecar().spawn();
        let options = with(json!({"projectDirectory": place.project()}), "limits", limits);
        let error = client.refusal("initialize", json!({"initializationOptions": options}));
        assert_invalid_params(&error, &[fault]);
        client.kill();
    }
    place.open_with(json!({"maxAgents": 8})).finish();
}
