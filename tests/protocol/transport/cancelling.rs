//! `$/cancelRequest`: what has changed nothing yet is given up, and no change is hidden.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::wire::BOTH;
use crate::support::{Place, kind, ledger};

fn cancel(client: &mut Client, id: &str) {
    client.message(&format!(r#"{{"jsonrpc":"2.0","method":"$/cancelRequest","params":{{"id":{id}}}}}"#));
}

fn assert_cancelled(client: &mut Client, id: &str) {
    let error = client.answer(id).expect_err("a cancel");
    assert_eq!((&error["code"], kind(&error)), (&json!(-32800), "cancelled"), "{error}");
}

#[test]
fn a_change_that_could_not_be_committed_yet_is_cancelled_and_does_not_happen() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        // Another program writes, so that nothing can be committed.
        let other = ledger::hold(ledger::directory(&client).join("ledger.db"));
        let unwanted = client.send("automation/create", dormant("unwanted", shell("true")));
        let wanted = client.send("automation/create", dormant("wanted", shell("true")));
        // A look waits for what was asked for before it.
        let look = client.send("automation/list", json!({}));
        cancel(&mut client, &unwanted);
        assert_cancelled(&mut client, &unwanted);
        cancel(&mut client, &look);
        assert_cancelled(&mut client, &look);
        drop(other);
        let created = client.answer(&wanted).unwrap();
        let items = client.get("automation/list", json!({}))["items"].clone();
        assert_eq!(items, json!([created]), "only what is wanted");
        client.finish();
    }
}

#[test]
fn a_cancel_after_the_commit_leaves_the_true_answer() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        client.subscribe(json!({}));
        let (mut gate, automation, run) = place.held_up(&mut client, "held up");
        let deleting = client.send("automation/delete", json!({"id": automation, "activeRun": "finish"}));
        client.wait("the wish is written down", |client| {
            let refused = client.ask("automation/run", json!({"id": automation}));
            refused.is_err_and(|error| kind(&error) == "automation_conflict").then_some(())
        });
        cancel(&mut client, &deleting);
        assert_eq!(
            client.get("run/get", json!({"id": run}))["state"],
            "running",
            "nothing came of the cancel"
        );
        gate.open();
        let deleted = client.answer(&deleting).unwrap();
        assert_eq!((&deleted["deleted"], &deleted["stoppedRuns"][0]["id"]), (&json!(true), &run));
        client.finish();
    }
}

#[test]
fn what_was_cancelled_and_what_was_not_adds_up() {
    let place = Place::new();
    let mut client = place.open();
    let mut asked = Vec::new();
    for number in 0..500 {
        let id = client.send("automation/create", dormant(&format!("{number}"), shell("true")));
        cancel(&mut client, &id);
        asked.push(id);
    }
    let mut created = Vec::new();
    for id in &asked {
        match client.answer(id) {
            Ok(automation) => created.push(automation["id"].clone()),
            Err(error) => assert_eq!(error["code"], -32800, "{error}"),
        }
    }
    println!("{} of {} were too late to cancel", created.len(), asked.len());
    let items = client.get("automation/list", json!({"limit": 500}))["items"].clone();
    let listed: Vec<Value> = items.as_array().unwrap().iter().rev().map(|one| one["id"].clone()).collect();
    assert_eq!(listed, created, "what was answered has happened, and nothing else has");
    client.finish();
}

#[test]
fn a_cancel_of_nothing_means_nothing() {
    let place = Place::new();
    let mut client = place.open();
    for params in
        ["null", "{}", "[1]", r#"{"id":null}"#, r#"{"id":1.5}"#, r#"{"id":"no such"}"#, r#"{"id":99}"#]
    {
        client.message(&format!(r#"{{"jsonrpc":"2.0","method":"$/cancelRequest","params":{params}}}"#));
    }
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
    // As a request it is none of ours.
    assert_eq!(client.refusal("$/cancelRequest", json!({"id": 1}))["code"], -32601);
    client.finish();
}
