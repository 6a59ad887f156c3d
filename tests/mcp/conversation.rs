//! The conversation itself: what is listed, what goes over the pipes, and how it ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use rmcp::model::{CallToolRequestParams, ClientRequest, Request};
use rmcp::service::PeerRequestOptions;
use serde_json::{Value, json};

use super::host::{Host, mcp};
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, children_of, eventually, resident_kb, signal};

#[test]
fn two_tools_are_listed_and_no_project_is_needed_for_that() {
    let place = Place::new();
    std::fs::remove_dir(place.project()).unwrap();
    let host = Host::at(&place);
    let said = host.service().peer_info().unwrap();
    assert_eq!(said.server_info.as_ref().unwrap().name, "sexton");
    assert!(said.instructions.as_ref().unwrap().contains("`automate` creates one"));
    for (name, destructive) in [("automate", false), ("automate_manage", true)] {
        let tool = host.tool(name);
        let hints = tool.annotations.as_ref().unwrap();
        assert_eq!(hints.destructive_hint, Some(destructive), "{name}");
        assert_eq!((hints.read_only_hint, hints.open_world_hint), (Some(false), Some(false)), "{name}");
        let schemas = [tool.schema_as_json_value(), json!(tool.output_schema.as_ref().unwrap())];
        for schema in schemas {
            jsonschema::meta::validate(&schema).unwrap();
            assert_eq!(schema["type"], "object", "{name}");
            assert!(!schema.to_string().contains("$ref"), "{schema}");
            assert!(!schema.to_string().contains("\"format\""), "not every host knows it: {schema}");
        }
        let input = tool.schema_as_json_value();
        assert_eq!(input["additionalProperties"], json!(false));
        for (argument, schema) in input["properties"].as_object().unwrap() {
            assert!(schema["description"].as_str().is_some_and(|about| about.len() > 15), "{argument}");
        }
    }
    assert!(!place.state().exists(), "nothing was opened");
    let told = host.mistake("automate_manage", json!({"action": "list"}));
    told.says("The project cannot be opened, so nothing was done.");
    told.says("with `--project`, where this server is configured.");
    assert!(!told.text.contains("initializationOptions"), "{}", told.text);
    // It is there now: the same server goes on.
    std::fs::create_dir(place.project()).unwrap();
    host.manage(json!({"action": "list"})).says("There are no automations in this project.");
    let unknown = host.ask("automat", json!({})).unwrap_err();
    assert!(unknown.to_string().contains("there are `automate` and `automate_manage`"), "{unknown}");
    host.finish();
}

#[test]
fn a_sidecar_that_has_died_is_replaced_at_the_next_call() {
    let place = Place::new();
    let host = Host::at(&place);
    host.automate(json!({"title": "Kept", "every": "1h", "reminder": "x"}));
    for _ in 0..2 {
        let sidecars = children_of(host.pid);
        assert_eq!(sidecars.len(), 1);
        signal("KILL", sidecars[0]);
        host.manage(json!({"action": "list"})).says("“Kept”");
    }
    host.finish();
}

#[test]
fn a_call_that_is_cancelled_leaves_what_it_has_asked_for() {
    let place = Place::new();
    let host = Host::at(&place);
    let mut gate = place.gate("gate");
    host.automate(json!({"title": "Gated", "every": "1h", "shell": "echo began > log; read line < gate"}));
    let arguments = json!({"action": "run", "automation": "Gated", "wait_seconds": 50});
    let call =
        CallToolRequestParams::new("automate_manage").with_arguments(arguments.as_object().unwrap().clone());
    host.wait(async {
        let request = ClientRequest::CallToolRequest(Request::new(call));
        let options = PeerRequestOptions::no_options();
        let asked = host.service().send_cancellable_request(request, options).await.unwrap();
        let began = || place.file("log").exists();
        while !began() {
            tokio::task::yield_now().await;
        }
        asked.cancel(None).await.unwrap();
    });
    // That the command began is seen before it is recorded.
    eventually("the run runs", || {
        let told = host.manage(json!({"action": "runs", "automation": "Gated"}));
        (told.structure["runs"][0]["state"] == "running").then_some(())
    });
    gate.open();
    host.finish();
}

/// A server to which lines are written as they are.
struct Raw {
    process: Child,
}

impl Raw {
    fn at(place: &Place) -> Raw {
        let mut command = mcp(place);
        command.env("SEXTON_LOG", "trace").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Raw { process: command.spawn().unwrap() }
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{message}").unwrap();
    }

    fn greet(&mut self) {
        self.say(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}}));
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    }

    fn call(&mut self, id: i64, tool: &str, arguments: Value) {
        let params = json!({"name": tool, "arguments": arguments});
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}));
    }

    /// Everything that it says until it ends, each line a message, and how it ends.
    fn ends(mut self) -> (Vec<Value>, Option<i32>) {
        drop(self.process.stdin.take());
        let output = BufReader::new(self.process.stdout.take().unwrap());
        let message = |line: std::io::Result<String>| {
            let line = line.unwrap();
            let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no message: {line}"));
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            message
        };
        let said = output.lines().map(message).collect();
        let code = eventually("its end", || self.process.try_wait().unwrap()).code();
        (said, code)
    }
}

#[test]
fn only_messages_go_over_stdout_and_what_was_asked_is_answered_when_stdin_ends() {
    let place = Place::new();
    let mut raw = Raw::at(&place);
    raw.greet();
    raw.say(&json!("noise"));
    raw.say(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    raw.call(2, "automate", json!({"title": "x", "every": "1h", "reminder": "two\nlines"}));
    raw.call(3, "automate", json!({"title": "y"}));
    raw.call(4, "automate", json!(["title", "z"]));
    raw.call(5, "automate_manage", json!("all of them"));
    let as_text = json!({"title": "As a text", "every": "1h", "reminder": "x", "dry_run": true}).to_string();
    raw.call(6, "automate", json!(as_text));
    raw.call(7, "automat", json!(as_text));
    let (said, code) = raw.ends();
    let of = |id: i64| {
        said.iter().find(|message| message["id"] == id).unwrap_or_else(|| panic!("{id} in {said:?}"))
    };
    assert_eq!(of(0)["result"]["serverInfo"]["name"], "sexton");
    assert_eq!(of(2)["result"]["isError"], json!(false));
    assert_eq!(of(3)["result"]["isError"], json!(true));
    let text = |id: i64| of(id)["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned();
    assert_eq!(of(4)["result"]["isError"], json!(true));
    assert!(text(4).contains("`arguments` is to be an object, not a list"), "{}", of(4));
    assert!(text(5).contains("`arguments` is to be an object, not a text"), "{}", of(5));
    assert!(text(6).contains("“As a text” would be made"), "{}", of(6));
    assert_eq!(of(7)["error"]["code"], -32602);
    assert_eq!(code, Some(0));
}

#[test]
fn a_wait_ends_with_stdin_and_nothing_is_left() {
    let place = Place::new();
    let gate = place.gate("gate");
    let mut window = place.open();
    window.create(dormant("Gated", shell("echo $$ >> log; read line < gate")));
    window.finish();
    let mut raw = Raw::at(&place);
    raw.greet();
    raw.call(2, "automate_manage", json!({"action": "run", "automation": "Gated", "wait_seconds": 50}));
    place.wait_for_lines("log", 1);
    let server = raw.process.id();
    let sidecars = children_of(server);
    let began = crate::support::clock();
    let (said, code) = raw.ends();
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "the wait was waited for");
    assert_eq!(code, Some(0));
    assert!(said.iter().any(|message| message["id"] == 2), "{said:?}");
    let command: u32 = place.lines("log")[0].parse().unwrap();
    eventually("nothing is left", || {
        let is_there = |pid: &u32| std::path::Path::new(&format!("/proc/{pid}")).exists();
        (!sidecars.iter().chain([&command]).any(is_there)).then_some(())
    });
    drop(gate);
}

#[test]
fn a_sidecar_that_is_stuck_does_not_keep_the_server_and_is_not_left() {
    let place = Place::new();
    let mut raw = Raw::at(&place);
    raw.greet();
    raw.call(1, "automate_manage", json!({"action": "list"}));
    let server = raw.process.id();
    // The answer is there: nothing is asked of the sidecar any more.
    let mut output = BufReader::new(raw.process.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("There are no automations") {
        assert!(output.read_line(&mut said).unwrap() > 0, "{said}");
    }
    let sidecars = children_of(server);
    signal("STOP", sidecars[0]);
    let began = crate::support::clock();
    drop(raw.process.stdin.take());
    let code = eventually("its end", || raw.process.try_wait().unwrap()).code();
    assert_eq!(code, Some(0));
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "the stuck sidecar was waited for");
    eventually("the sidecar's end", || {
        (!std::path::Path::new(&format!("/proc/{}", sidecars[0])).exists()).then_some(())
    });
}

#[test]
fn a_signal_ends_it() {
    let place = Place::new();
    let mut raw = Raw::at(&place);
    raw.greet();
    raw.call(1, "automate_manage", json!({"action": "list"}));
    let server = raw.process.id();
    eventually("a sidecar", || (!children_of(server).is_empty()).then_some(()));
    let sidecars = children_of(server);
    signal("TERM", server);
    let code = eventually("its end", || raw.process.try_wait().unwrap()).code();
    assert_eq!(code, Some(0));
    eventually("the sidecar's end", || {
        (!std::path::Path::new(&format!("/proc/{}", sidecars[0])).exists()).then_some(())
    });
}

#[test]
fn whoever_says_something_else_first_is_told_and_a_host_that_leaves_is_no_mistake() {
    let place = Place::new();
    let (said, code) = Raw::at(&place).ends();
    assert_eq!((said.len(), code), (0, Some(0)));
}

#[test]
fn a_line_without_end_is_skipped_and_the_next_call_is_answered() {
    let place = Place::new();
    let mut server = mcp(&place).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = server.stdin.take().unwrap();
    let mut answers = BufReader::new(server.stdout.take().unwrap()).lines();
    let client = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    for message in [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
    ] {
        writeln!(input, "{message}").unwrap();
    }
    let greeting: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
    assert_eq!(greeting["id"], 1);
    let before = resident_kb(server.id());
    let part = vec![b'x'; 1 << 20];
    for _ in 0..64 {
        input.write_all(&part).unwrap();
    }
    writeln!(input, "\n{}", json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})).unwrap();
    let listed: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
    assert_eq!((&listed["id"], listed["result"]["tools"].as_array().map(Vec::len)), (&json!(2), Some(2)));
    let more = resident_kb(server.id()).saturating_sub(before);
    assert!(more < 48 * 1024, "64 MiB took {more} KiB");
    drop(input);
    assert!(server.wait().unwrap().success());
}
