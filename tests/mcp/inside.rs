//! Inside a run: an agent whose own tools are these.

use std::process::Stdio;

use serde_json::{Value, json};

use super::host::{Host, automation, mcp};
use crate::support::Place;
use crate::support::agents::{AGENT, scripted};
use crate::support::drafts::{dormant, shell};

#[test]
fn a_watch_ends_itself_from_inside_a_run_of_an_agent() {
    let place = Place::new();
    // The agent is at work until it is told to stop.
    let script = json!({"prompt": [{"say": "looking"}, {"hang": "answer"}]});
    let mut window =
        place.sidecar().option("providers", json!({AGENT: scripted(&place, "log", &script)})).open();
    window.subscribe(json!({}));
    let host = Host::at(&place);
    let watch = json!({"title": "Watch", "every": "5m", "times": 100, "continue_session": true,
        "model": "agent/large", "prompt": "Look whether the build is green."});
    let id = host.automate(watch).id();
    let other = host.automate(json!({"title": "Other", "every": "1h", "reminder": "x"})).id();
    let asked = host.manage(json!({"action": "run", "automation": "Watch"}));
    let run = asked.structure["runs"][0]["id"].clone();
    window.wait_for_run(&run, "running");

    let agent = Host::inside(&place, &run);
    agent.manage(json!({"action": "list"})).says("There are 2 automations:");
    agent.manage(json!({"action": "runs", "automation": "Watch"})).says("running");
    agent.manage(json!({"action": "why", "automation": "Watch"})).says("“Watch”");
    for (tool, arguments) in [
        ("automate", json!({"title": "x", "every": "1h", "reminder": "x"})),
        ("automate", json!({"title": "x", "every": "1h", "reminder": "x", "dry_run": true})),
        ("automate", json!({"every": "soon"})),
        ("automate_manage", json!({"action": "pause", "automation": "Other"})),
        ("automate_manage", json!({"action": "pause", "automation": "Other", "confirm": "x"})),
        ("automate_manage", json!({"action": "resume"})),
        ("automate_manage", json!({"action": "run", "automation": "Other", "wait_seconds": 0})),
        ("automate_manage", json!({"action": "delete", "automation": "Other"})),
        ("automate_manage", json!({"action": "resume", "automation": "Watch"})),
        ("automate_manage", json!({"action": "run", "automation": "Other"})),
        ("automate_manage", json!({"action": "delete", "automation": "Other", "confirm": "Other"})),
    ] {
        let told = agent.mistake(tool, arguments);
        told.says("This is inside a run of an automation, which may read but change nothing");
        told.says("automate_manage {\"action\": \"pause\"}");
    }
    agent.manage(json!({"action": "pause", "note": "it is green"})).says("was paused.");
    agent.finish();

    let pause = automation(&mut window, &id)["pause"].clone();
    assert_eq!((&pause["reason"], &pause["note"]), (&json!("run"), &json!("it is green")));
    assert_eq!(automation(&mut window, &other)["pause"], Value::Null);
    host.manage(json!({"action": "list", "automation": "Watch"}))
        .says("It is paused by a run of its own since ");
    window.get("run/cancel", json!({"id": run}));
    window.wait_for_run(&run, "stopped");
    host.finish();
    window.finish();
}

/// What a host says at the least before it calls a tool, as lines.
fn lines(call: &Value) -> String {
    let greeting = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}});
    let begun = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call});
    format!("{greeting}\n{begun}\n{call}\n")
}

#[test]
fn what_a_run_starts_is_inside_of_it() {
    let place = Place::new();
    let mut window = place.open();
    window.subscribe(json!({}));
    let call = lines(&json!({"name": "automate_manage", "arguments": {"action": "pause"}}));
    std::fs::write(place.file("calls"), call).unwrap();
    let command = mcp(&place);
    let server = command.get_program().to_str().unwrap();
    // The state directory is that of the window, told by its environment.
    let line = format!("SEXTON_STATE_DIR={:?} '{server}' mcp < calls > answers", place.state());
    let made = window.create(dormant("Watch", shell(&line)));
    let run = window.run(&made);
    window.wait_for_run(&run, "succeeded");
    assert_eq!(automation(&mut window, &made)["pause"]["reason"], "run");
    let answers = place.lines("answers");
    assert_eq!(answers.len(), 2, "{answers:?}");
    window.finish();
}

#[test]
fn a_run_of_another_project_means_nothing() {
    let place = Place::new();
    let mut command = mcp(&place);
    command.env("SEXTON_RUN_ID", "run_of_another").stderr(Stdio::inherit());
    let host = Host::of(command);
    host.automate(json!({"title": "x", "every": "1h", "reminder": "x"}));
    let told = host.mistake("automate_manage", json!({"action": "pause"}));
    assert_eq!(told.problems(), ["automation"]);
    host.finish();
}
