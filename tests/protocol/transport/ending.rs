//! Before `initialize`, after `shutdown`, and the exit codes.

use std::time::Duration;

use serde_json::json;

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::wire::BOTH;
use crate::support::{Place, clock, eventually, kind, processes_with, signal};

#[test]
fn nothing_is_answered_before_initialize_but_what_it_is_for() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).spawn();
        client.notify("$/setTrace");
        for method in ["automation/list", "events/subscribe", "no/such"] {
            let error = client.refusal(method, json!({}));
            assert_eq!((&error["code"], kind(&error)), (&json!(-32002), "not_initialized"), "{method}");
        }
        client.initialize();
        let params = client.initialize_params();
        let error = client.refusal("initialize", params);
        assert_eq!((&error["code"], kind(&error)), (&json!(-32600), "invalid_request"));
        client.finish();
    }
}

#[test]
fn what_is_read_after_initialize_waits_for_its_answer() {
    let place = Place::new();
    let mut client = place.sidecar().spawn();
    let params = client.initialize_params();
    let opened = client.send("initialize", params);
    let created = client.send("automation/create", dormant("at once", shell("true")));
    let listed = client.send("automation/list", json!({}));
    client.answer(&opened).unwrap();
    let created = client.answer(&created).unwrap();
    assert_eq!(client.answer(&listed).unwrap()["items"][0]["id"], created["id"]);
    client.finish();
}

#[test]
fn after_shutdown_there_is_only_exit() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        client.get("shutdown", json!({"mode": "force"}));
        for method in ["automation/list", "shutdown", "initialize"] {
            let error = client.refusal(method, json!({}));
            assert_eq!((&error["code"], kind(&error)), (&json!(-32600), "invalid_request"), "{method}");
        }
        client.notify("exit");
        assert_eq!(client.exit_code(), Some(0));
    }
}

#[test]
fn exit_is_no_request_and_whoever_sends_it_as_one_is_told() {
    let place = Place::new();
    let mut client = place.sidecar().spawn();
    let told = |client: &mut Client| {
        let error = client.refusal("exit", json!({}));
        assert_eq!((&error["code"], kind(&error)), (&json!(-32600), "invalid_request"));
        error["message"].as_str().expect("a sentence").to_owned()
    };
    let before = told(&mut client);
    assert!(before.contains("notification"), "{before}");
    client.initialize();
    let open = told(&mut client);
    assert!(open.contains("notification"), "{open}");
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]), "it goes on");
    client.get("shutdown", json!({}));
    told(&mut client);
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
}

#[test]
fn shutdown_without_a_project_is_a_good_end_too() {
    let place = Place::new();
    let client = place.sidecar().spawn();
    client.finish();
    assert!(!place.state().exists(), "nothing was opened, so nothing was left");
}

#[test]
fn a_shutdown_that_cannot_be_done_is_refused_and_the_conversation_goes_on() {
    let place = Place::new();
    let mut client = place.open();
    let error = client.refusal("shutdown", json!({"mode": "gently"}));
    assert_eq!(error["code"], -32602, "{error}");
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
    client.finish();
}

#[test]
fn shutdown_does_not_wait_for_a_request_that_waits_for_a_run() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (_gate, automation, _) = place.held_up(&mut client, "held up");
    let deleting = client.send("automation/delete", json!({"id": automation, "activeRun": "finish"}));
    let created = client.send("automation/create", dormant("just before", shell("true")));
    let began = clock();
    client.get("shutdown", json!({}));
    let took = began.elapsed();
    println!("shutdown took {took:?}");
    assert!(took < Duration::from_millis(1800), "the contract says one second, on an idle machine: {took:?}");
    assert_eq!(client.answer(&created).unwrap()["title"], "just before", "what was read before is done");
    let deleted = client.answer(&deleting).unwrap();
    assert_eq!(deleted["stoppedRuns"][0]["stopReason"], "shutdown");
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
}

#[test]
fn exit_without_shutdown_is_not_a_good_end() {
    let place = Place::new();
    let mut client = place.open();
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(1));
    let mut client = place.sidecar().spawn();
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(1), "also before initialize");
}

#[test]
fn the_end_of_the_input_between_messages_is_a_good_end() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        client.close_input();
        assert_eq!(client.exit_code(), Some(0));
    }
    let place = Place::new();
    let mut client = place.sidecar().spawn();
    client.close_input();
    assert_eq!(client.exit_code(), Some(0), "also when nothing was ever said");
}

fn shut_down(client: &mut Client) {
    client.get("shutdown", json!({}));
    client.notify("exit");
}

#[test]
fn every_end_takes_the_work_with_it() {
    type End = fn(&mut Client);
    let ends: [(&str, End, i32); 6] = [
        ("shutdown", shut_down, 0),
        ("the end of the input", |client| client.close_input(), 0),
        ("exit", |client| client.notify("exit"), 1),
        ("SIGTERM", |client| signal("TERM", client.pid()), 1),
        ("SIGHUP", |client| signal("HUP", client.pid()), 1),
        ("SIGINT", |client| signal("INT", client.pid()), 1),
    ];
    for (name, end, code) in ends {
        let place = Place::new();
        let mut client = place.open();
        client.subscribe(json!({}));
        let mark = place.project().display().to_string();
        // It would neither end by itself nor when it is asked to.
        let task = shell(r#"trap '' TERM; echo begun >> log; exec tail -f "$SEXTON_PROJECT/log""#);
        let automation = client.create(dormant("endless", task));
        let run = client.run(&automation);
        client.wait_for_run(&run, "running");
        place.wait_for_lines("log", 1);
        end(&mut client);
        assert_eq!(client.exit_code(), Some(code), "{name}");
        eventually("the work is gone", || processes_with(&mark).is_empty().then_some(()));
        let mut next = place.open();
        let run = next.get("run/get", json!({"id": run}));
        assert_eq!((&run["state"], &run["stopReason"]), (&json!("stopped"), &json!("shutdown")), "{name}");
        next.finish();
    }
}

#[test]
fn flags_that_editor_libraries_append_are_ignored() {
    let place = Place::new();
    let in_two_words = &["--clientProcessId", "5"][..];
    for flags in [&["--clientProcessId=7"], in_two_words, &["--node-ipc", "--clientProcessId", "--pipe=x"]] {
        let spawn = flags.iter().fold(place.sidecar(), |spawn, flag| spawn.arg(flag));
        spawn.open().finish();
    }
}
