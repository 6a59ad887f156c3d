//! The process that a sidecar works for is watched.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::drafts::{dormant, shell};
use crate::support::{Place, eventually, processes_with};

/// A process that does nothing until it is killed.
fn editor() -> Child {
    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat")
}

#[test]
fn when_the_watched_process_has_gone_the_sidecar_and_its_work_go_too() {
    let place = Place::new();
    let mut editor = editor();
    let mut client = place.sidecar().spawn();
    client.initialize_for(json!(editor.id()));
    assert_eq!(client.opened["warnings"], json!([]));
    client.subscribe(json!({}));
    let (_gate, _, run) = place.held_up(&mut client, "held up");
    let mark = place.project().display().to_string();
    editor.kill().expect("our own child");
    // Stdin stays open: nothing else tells.
    assert_eq!(client.exit_code(), Some(1));
    editor.wait().expect("our own child");
    eventually("the work is gone", || processes_with(&mark).is_empty().then_some(()));
    let mut next = place.open();
    let run = next.get("run/get", json!({"id": run}));
    assert_eq!((&run["state"], &run["stopReason"]), (&json!("stopped"), &json!("shutdown")));
    next.finish();
}

#[test]
fn a_process_that_cannot_be_watched_is_told_about_and_does_no_harm() {
    let place = Place::new();
    let mut gone = editor();
    gone.kill().expect("our own child");
    gone.wait().expect("our own child");
    for pid in [gone.id(), 0, 4_000_000_000] {
        let mut client = place.sidecar().spawn();
        client.initialize_for(json!(pid));
        let warnings = client.opened["warnings"].as_array().unwrap().clone();
        let [Value::String(warning)] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(warning.contains(&format!("process {pid} (`processId`)")), "{warning}");
        client.wait("the same in the log", |client| client.stderr().contains(warning).then_some(()));
        client.create(dormant("at work", shell("true")));
        client.finish();
    }
}

#[test]
fn nobody_is_watched_if_nobody_is_named() {
    let place = Place::new();
    let mut client = place.sidecar().spawn();
    client.initialize_for(Value::Null);
    assert_eq!(client.opened["warnings"], json!([]));
    client.close_input();
    assert_eq!(client.exit_code(), Some(0), "the end of the input is still the end");
}
