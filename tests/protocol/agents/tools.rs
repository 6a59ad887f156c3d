//! The tools of `sexton mcp` that an agent is given for its run.

use serde_json::{Value, json};

use super::{AGENT, Bench, LOG, asking, carried_out, ended, subscribed, words};
use crate::support::agents::heard;
use crate::support::client::Client;
use crate::support::drafts::with;
use crate::support::{Spawn, ledger, program};

/// The servers that each session of a run was opened with.
fn given(bench: &Bench, run: &Value) -> Vec<Value> {
    let told = bench.told(run);
    told.iter().filter_map(|line| line["params"].get("mcpServers").cloned()).collect()
}

fn automation(client: &mut Client, run: &Value) -> Value {
    client.get("automation/get", json!({"id": run["automationID"]}))
}

fn said(run: &Value) -> &str {
    run["result"]["text"].as_str().unwrap_or_else(|| panic!("no text: {run}"))
}

#[test]
fn a_watch_pauses_itself_when_what_it_watched_for_has_come() {
    let bench = Bench::new();
    let mut client = bench.open();
    let watch = with(asking("Is the build green? [manage:pause]"), "title", json!("Watch"));
    let run = carried_out(&mut client, watch);
    assert!(said(&run).contains("was paused"), "{run}");
    assert_eq!(
        run["end"]["swept"], 0,
        "the server ends by itself, though its agent has not waited for it: {run}"
    );
    let pause = automation(&mut client, &run)["pause"].clone();
    assert_eq!(pause["reason"], "run", "{pause}");
    let prompt = bench.prompt(&run);
    assert!(
        prompt.contains("`automate_manage` of the server `sexton` with `{\"action\": \"pause\"}`"),
        "{prompt}"
    );
    bench.finish(client, &[]);
}

#[test]
fn the_tools_are_of_the_project_and_the_ledger_of_their_run() {
    let bench = Bench::new();
    // The environment names another place, as that of a window may that is told one.
    let chosen = bench.place.beside("chosen");
    let sidecar = bench.sidecar().option("stateDirectory", json!(chosen));
    let mut client = subscribed(sidecar.env("SEXTON_STATE_DIR", "/nowhere").open());
    let run = carried_out(&mut client, with(asking("[manage:list][tools]"), "title", json!("Rounds")));
    assert!(said(&run).contains("“Rounds”") && said(&run).ends_with("automate automate_manage"), "{run}");
    assert!(ledger::directory(&client).starts_with(&chosen));
    let all = given(&bench, &run);
    assert_eq!(all.len(), 1);
    let server = &all[0][0];
    assert_eq!((&server["name"], &all[0][1]), (&json!("sexton"), &Value::Null));
    assert!(server["command"].as_str().is_some_and(|path| path.starts_with('/')), "{server}");
    assert_eq!(server["env"], json!([{"name": "SEXTON_RUN_ID", "value": run["id"]}]));
    client.finish();
}

#[test]
fn what_a_run_may_not_do_its_tools_refuse() {
    let bench = Bench::new();
    bench.plays(&json!({"prompt": [
        {"use": {"tool": "automate", "arguments": {"title": "x", "every": "1h", "reminder": "x"}}},
        {"use": {"tool": "automate_manage", "arguments": {"action": "run"}}}]}));
    let mut client = bench.open();
    let run = carried_out(&mut client, asking("Make more of these."));
    assert_eq!(said(&run).matches("may read but change nothing").count(), 2, "{run}");
    assert_eq!(client.get("automation/list", json!({}))["items"].as_array().map(Vec::len), Some(1));
    bench.finish(client, &[]);
}

#[test]
fn a_session_that_is_taken_up_has_the_tools_of_the_new_run() {
    for lacks in [json!([]), json!(["resume"])] {
        let bench = Bench::new();
        bench.plays(&json!({"lacks": lacks}));
        let mut client = bench.open();
        let draft = with(
            asking("[manage:list]"),
            "task",
            json!({"kind": "prompt", "prompt": "[manage:list]",
            "context": "continue", "model": {"providerID": AGENT, "modelID": "large"}}),
        );
        let automation = client.create(draft);
        let mut runs = Vec::new();
        for continuity in ["new", if lacks == json!([]) { "resumed" } else { "loaded" }] {
            let run = client.run(&automation);
            let run = ended(&mut client, &run);
            assert_eq!(
                (&run["continuity"], words(&run).as_str()),
                (&json!(continuity), "succeeded"),
                "{run}"
            );
            runs.push(given(&bench, &run)[0][0]["env"][0]["value"].clone());
            assert_eq!(runs.last(), Some(&run["id"]));
        }
        assert_ne!(runs[0], runs[1]);
        bench.finish(client, &[]);
    }
}

#[test]
fn who_is_asked_what_it_offers_gets_no_tools_and_neither_does_who_is_not_to() {
    let bench = Bench::new();
    let mut provider = bench.provider();
    provider["tools"] = json!(false);
    let mut client = subscribed(bench.place.sidecar().option("providers", json!({AGENT: provider})).open());
    let run = carried_out(&mut client, asking("[say:Done.]"));
    let sessions = heard(&bench.place, LOG).into_iter().filter(|line| line["method"] == "session/new");
    let servers: Vec<Value> = sessions.map(|line| line["params"]["mcpServers"].clone()).collect();
    assert_eq!(servers, [json!([]), json!([])], "one of the question, one of the run");
    assert!(!bench.prompt(&run).contains("automate_manage"), "{}", bench.prompt(&run));
    bench.finish(client, &[]);
}

#[test]
fn an_agent_that_does_not_like_the_server_works_without() {
    for (message, is_tried_again) in [("MCP server sexton failed: spawn ENOENT", true), ("not today", false)]
    {
        let bench = Bench::new();
        let refuses = json!({"refuse_tools": message});
        bench.plays(&json!({"calls": {"session/new": refuses}}));
        let mut client = bench.open();
        let run = carried_out(&mut client, asking("[say:Done.]"));
        match is_tried_again {
            true => {
                assert_eq!(words(&run), "succeeded", "{run}");
                assert_eq!(given(&bench, &run)[1..], [json!([])]);
            }
            false => {
                assert_eq!(words(&run), "failed: start_failed agent", "{run}");
                assert_eq!(given(&bench, &run).len(), 1);
            }
        }
        bench.finish(client, &[]);
    }
}

#[test]
fn a_reminder_of_once_is_not_told_to_end_its_repetition() {
    let bench = Bench::new();
    let mut client = bench.open();
    let mut draft = asking("[tools]");
    for gone in ["rhythm", "kind"] {
        draft.as_object_mut().unwrap().remove(gone);
    }
    draft["kind"] = json!("oneshot");
    draft["fireAt"] = json!(4_000_000_000_000_i64);
    let run = carried_out(&mut client, draft);
    assert_eq!(said(&run), "automate automate_manage", "it may look all the same");
    assert!(!bench.prompt(&run).contains("end the repetition"), "{}", bench.prompt(&run));
    bench.finish(client, &[]);
}

#[test]
fn the_tools_of_a_sidecar_whose_binary_has_gone_or_was_replaced() {
    let bench = Bench::new();
    let copy = bench.place.beside("sexton");
    let install = || program::copy(env!("CARGO_BIN_EXE_sexton"), &copy);
    install();
    let sidecar = Spawn::of(&bench.place, &copy).option("providers", json!({AGENT: bench.provider()}));
    let mut client = subscribed(sidecar.open());
    let mut command = || {
        let run = carried_out(&mut client, asking("[manage:pause]"));
        assert!(said(&run).contains("was paused"), "{run}");
        given(&bench, &run)[0][0]["command"].as_str().unwrap().to_owned()
    };
    let path = copy.to_str().unwrap();
    assert_eq!(command(), path);
    std::fs::remove_file(&copy).unwrap();
    assert!(command().starts_with("/proc/"));
    install();
    assert_eq!(command(), path);
    bench.finish(client, &[]);
}
