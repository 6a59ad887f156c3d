//! `directory/hold`: the user's own work, which runs and closes wait for.

use serde_json::{Value, json};

use super::{assert_idle, close, completed, end_of, ends};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, assert_invalid_params, kind};

fn hold(client: &mut Client) -> Value {
    client.get("directory/hold", json!({"title": "an agent at work"}))
}

#[test]
fn runs_that_write_wait_behind_it_and_runs_that_read_do_not() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let held = hold(&mut client);
    assert!(held.as_str().is_some_and(|id| id.starts_with("sub_")), "{held}");
    let holds = client.get("lifecycle/status", json!({}))["holds"].clone();
    let since = holds[0]["since"].clone();
    let project = place.project();
    assert_eq!(
        holds,
        json!([{"id": held, "directory": project, "title": "an agent at work", "since": since}])
    );
    let writer = client.create(dormant("writer", shell("echo writer >> log")));
    let writing = client.get("automation/run", json!({"id": writer}));
    assert_eq!((&writing["waiting"]["for"], &writing["waiting"]["behind"]), (&json!("directory"), &held));
    let reader = client.create(with(dormant("reader", shell("echo reader >> log")), "access", json!("read")));
    let reading = client.run(&reader);
    client.wait_for_run(&reading, "succeeded");
    assert_eq!(place.lines("log"), ["reader"]);
    assert_eq!(client.get("directory/release", json!({"subscription": held})), true);
    client.wait_for_run(&writing["id"], "succeeded");
    assert_eq!(client.get("directory/release", json!({"subscription": held})), false, "it is over");
    assert_idle(&mut client);
    client.finish();
}

#[test]
fn what_is_asked_for_after_it_finds_it_and_after_its_release_does_not() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let writer = client.create(dormant("writer", shell("echo writer >> log")));
    let params = json!({"id": writer, "ifBusy": "skip"});
    for _ in 0..10 {
        // Without waiting for any answer.
        let asked = client.send("directory/hold", json!({"title": "an agent at work"}));
        let skipped = client.send("automation/run", params.clone());
        let held = client.answer(&asked).unwrap();
        let error = client.answer(&skipped).unwrap_err();
        assert_eq!((&error["code"], kind(&error)), (&json!(-32015), "writer_busy"), "{error}");
        assert_eq!((&error["data"]["holdID"], error["data"].get("runID")), (&held, None));
        let released = client.send("directory/release", json!({"subscription": held}));
        let run = client.send("automation/run", params.clone());
        assert_eq!(client.answer(&released).unwrap(), true);
        let run = client.answer(&run).unwrap();
        assert!(run.get("waiting").is_none(), "{run}");
        client.wait_for_run(&run["id"], "succeeded");
    }
    client.finish();
}

#[test]
fn a_directory_may_be_any_and_each_is_held_alone() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    std::os::unix::fs::symlink(place.project(), place.beside("link")).unwrap();
    for (named, meant) in [
        (json!("deep/down"), place.file("deep/down")),
        (json!(place.beside("elsewhere")), place.beside("elsewhere")),
        (json!(place.beside("link/deep")), place.file("deep")),
    ] {
        let held = client.get("directory/hold", json!({"directory": named, "title": "elsewhere"}));
        let holds = client.get("lifecycle/status", json!({}))["holds"].clone();
        assert_eq!(holds[0]["directory"], json!(meant));
        let writer = client.create(dormant("writer", shell("true")));
        let run = client.run(&writer);
        client.wait_for_run(&run, "succeeded");
        client.get("directory/release", json!({"subscription": held}));
    }
    // Two of one directory: both have to go.
    let (first, second) = (hold(&mut client), hold(&mut client));
    let writer = client.create(dormant("writer", shell("true")));
    let run = client.get("automation/run", json!({"id": writer}));
    assert_eq!(run["waiting"]["behind"], first);
    client.get("directory/release", json!({"subscription": first}));
    let still = client.get("run/get", json!({"id": run["id"]}));
    assert_eq!(still["waiting"]["behind"], second);
    client.get("directory/release", json!({"subscription": second}));
    client.wait_for_run(&run["id"], "succeeded");
    client.finish();
}

#[test]
fn maintenance_waits_for_it_and_force_does_not() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let held = hold(&mut client);
    let patient = close(&mut client, "reload", "maintenance");
    assert_eq!(patient["waitingFor"], json!({"runs": [], "holds": [held]}), "{patient}");
    let patient = patient["lifecycleActionID"].clone();
    let forced = close(&mut client, "reload", "force");
    assert_eq!(forced["status"], "completed");
    end_of(&mut client, &patient);
    let again = close(&mut client, "reload", "maintenance");
    assert_eq!(again["waitingFor"]["holds"], json!([held]), "force takes nothing from the user");
    assert_eq!(ends(&mut client, &subscription).len(), 2);
    client.get("directory/release", json!({"subscription": held}));
    let again = again["lifecycleActionID"].clone();
    end_of(&mut client, &again);
    assert_eq!(ends(&mut client, &subscription)[2], completed(&again));
    client.finish();
}

#[test]
fn a_run_at_work_goes_on_and_the_next_waits_for_both() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, _, working) = place.held_up(&mut client, "working");
    let held = hold(&mut client);
    let writer = client.create(dormant("writer", shell("echo writer >> log")));
    let run = client.get("automation/run", json!({"id": writer}));
    assert_eq!(run["waiting"]["behind"], working);
    gate.open();
    client.wait_for_run(&working, "succeeded");
    let moved = client.wait_for_event("it waits for the user now", |event| {
        event["run"]["id"] == run["id"] && event["run"]["waiting"]["behind"] == held
    });
    assert_eq!(moved["run"]["waiting"]["for"], "directory");
    client.get("directory/release", json!({"subscription": held}));
    client.wait_for_run(&run["id"], "succeeded");
    client.finish();
}

#[test]
fn what_cannot_be_held_is_refused() {
    let place = Place::new();
    let mut client = place.open();
    for (params, fault) in [
        (json!({}), "title required"),
        (json!({"title": " "}), "title required"),
        (json!({"title": "x".repeat(161)}), "title too_long"),
        (json!({"title": "x", "directory": ""}), "directory required"),
        (json!({"title": "x", "directory": 3}), "directory wrong_type"),
        (json!({"title": "x", "directory": "x".repeat(4097)}), "directory too_long"),
        (json!({"title": "x", "mode": "force"}), "mode unknown_value"),
    ] {
        let error = client.refusal("directory/hold", params);
        assert_invalid_params(&error, &[fault]);
    }
    let error = client.refusal("directory/release", json!({}));
    assert_invalid_params(&error, &["subscription required"]);
    // What another method has opened is no hold.
    let events = client.subscribe(json!({}));
    assert_eq!(client.get("directory/release", json!({"subscription": events})), false);
    assert_idle(&mut client);
    client.finish();
}
