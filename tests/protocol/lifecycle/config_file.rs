//! The user's configuration file, which is followed: a change of what it means is a reload.

use std::time::Duration;

use serde_json::{Value, json};

use super::{assert_idle, close, completed, end_of, ends, failed, pending};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, clock};

/// Less than the time between two looks that a window takes by itself.
const AT_ONCE_MS: u128 = 4_000;

/// How long a file that is not whole has to stay as it is.
const HALF_WRITTEN: Duration = Duration::from_millis(500);

/// What cannot be used: it names no program.
const FAULTY: &str = r#"{"providers": {"agent": {"command": []}}}"#;

fn window(place: &Place) -> (Client, String) {
    let mut client = place.open();
    client.expect_error("a close has failed: the configuration file");
    let subscription = client.subscribe(json!({}));
    (client, subscription)
}

/// Waits until so many closes are told to be over, and gives how they ended.
fn wait_for_ends(client: &mut Client, subscription: &str, count: usize) -> Vec<Value> {
    client.wait(&format!("{count} closes"), |client| {
        let is_end = |event: &Value| event["lifecycle"].is_object();
        let ends: Vec<Value> = client.events(subscription).into_iter().filter(is_end).collect();
        (ends.len() >= count).then_some(ends)
    })
}

fn kinds(ends: &[Value]) -> Vec<&str> {
    ends.iter().map(|end| end["kind"].as_str().expect("a word")).collect()
}

#[test]
fn a_change_is_a_reload_however_it_is_written_and_what_means_the_same_is_none() {
    let place = Place::new();
    let (mut client, subscription) = window(&place);
    let began = clock();
    // Neither the directory nor the file was there.
    place.configure(FAULTY);
    let ends = wait_for_ends(&mut client, &subscription, 1);
    assert_eq!(
        (&ends[0]["lifecycle"]["kind"], &ends[0]["lifecycle"]["mode"]),
        (&json!("reload"), &json!("maintenance"))
    );
    let path = place.configuration_file();
    let beside = path.with_extension("new");
    std::fs::write(&beside, "{}").unwrap();
    std::fs::rename(&beside, &path).unwrap();
    wait_for_ends(&mut client, &subscription, 2);
    let took = began.elapsed();
    assert!(took.as_millis() < AT_ONCE_MS, "{took:?}");
    // Other texts with the same meaning.
    for text in ["{\n}\n", r#"{"providers": {}}"#] {
        std::fs::write(&path, text).unwrap();
    }
    std::fs::write(&path, FAULTY).unwrap();
    wait_for_ends(&mut client, &subscription, 3);
    std::fs::remove_file(&path).unwrap();
    let ends = wait_for_ends(&mut client, &subscription, 4);
    let (good, bad) = ("lifecycle.completed", "lifecycle.failed");
    assert_eq!(kinds(&ends), [bad, good, bad, good]);
    client.finish();
}

#[test]
fn what_may_be_half_written_is_given_time_to_become_whole() {
    let place = Place::new();
    let (mut client, subscription) = window(&place);
    for half in ["{\"prov", ""] {
        let seen = ends(&mut client, &subscription).len();
        let began = clock();
        place.configure(half);
        let told = wait_for_ends(&mut client, &subscription, seen + 1);
        assert!(began.elapsed() >= HALF_WRITTEN, "{half:?} after {:?}", began.elapsed());
        let why = told[seen]["lifecycle"]["error"].as_str().expect("a sentence");
        assert!(why.contains("no JSON object"), "{why}");
        place.configure("{}");
        wait_for_ends(&mut client, &subscription, seen + 2);
    }
    // An editor may take it away before it puts it back.
    place.configure(FAULTY);
    let seen = wait_for_ends(&mut client, &subscription, 5).len();
    let began = clock();
    std::fs::remove_file(place.configuration_file()).unwrap();
    wait_for_ends(&mut client, &subscription, seen + 1);
    assert!(began.elapsed() >= HALF_WRITTEN);
    client.finish();
}

#[test]
fn a_change_during_a_run_waits_for_it() {
    let place = Place::new();
    let (mut client, subscription) = window(&place);
    let (mut gate, _, held_up) = place.held_up(&mut client, "held up");
    place.configure(FAULTY);
    let pending = pending(&mut client, 1);
    assert_eq!(
        (&pending[0]["kind"], &pending[0]["waitingFor"]["runs"]),
        (&json!("reload"), &json!([held_up]))
    );
    let next = client.create(dormant("next", shell("echo next >> log")));
    let next = client.get("automation/run", json!({"id": next}));
    assert_eq!(next["waiting"]["for"], "close");
    assert_eq!(ends(&mut client, &subscription), Vec::<String>::new());
    gate.open();
    let told = end_of(&mut client, &pending[0]["lifecycleActionID"]);
    assert_eq!(told["kind"], "lifecycle.failed");
    client.wait_for_run(&next["id"], "succeeded");
    assert_idle(&mut client);
    client.finish();
}

#[test]
fn what_is_read_after_a_run_is_what_is_there_by_then() {
    let place = Place::new();
    let (mut client, subscription) = window(&place);
    let (mut gate, _, _) = place.held_up(&mut client, "held up");
    place.configure(FAULTY);
    let waiting = pending(&mut client, 1);
    for text in ["{}", r#"{"theme": "dark"}"#, "{}"] {
        place.configure(text);
    }
    gate.open();
    let told = end_of(&mut client, &waiting[0]["lifecycleActionID"]);
    assert_eq!(told["kind"], "lifecycle.completed");
    pending(&mut client, 0);
    let failed = ends(&mut client, &subscription).into_iter().find(|end| end.starts_with("lifecycle.failed"));
    assert_eq!(failed, None);
    client.finish();
}

#[test]
fn a_file_that_is_not_followed_is_read_when_a_reload_is_asked_for() {
    let place = Place::new();
    let mut client = place.sidecar().option("followConfigFile", json!(false)).open();
    client.expect_error("a close has failed: the configuration file");
    let subscription = client.subscribe(json!({}));
    place.configure(FAULTY);
    let error = client.refusal("lifecycle/close", json!({"kind": "reload", "mode": "maintenance"}));
    let id = &error["data"]["lifecycleActionID"];
    assert_eq!(ends(&mut client, &subscription), [failed(id)]);
    client.finish();
}

#[test]
fn a_window_that_has_given_up_the_project_is_not_brought_back_by_a_change() {
    let place = Place::new();
    let (mut client, subscription) = window(&place);
    let (mut other, seen) = window(&place);
    let disposed = close(&mut client, "dispose", "maintenance")["lifecycleActionID"].clone();
    place.configure(FAULTY);
    // The other window has taken it up by then.
    let theirs =
        other.wait_for_event("a reload of the other window", |event| event["kind"] == "lifecycle.failed");
    place.configure("{}");
    let ended = wait_for_ends(&mut other, &seen, 3);
    assert_eq!(kinds(&ended[1..]), ["lifecycle.failed", "lifecycle.completed"]);
    let instances = client.get("scheduler/status", json!({}))["instances"].clone();
    assert_eq!(instances[0]["role"], "observer", "{instances}");
    let reloaded = close(&mut client, "reload", "maintenance")["lifecycleActionID"].clone();
    let told = ends(&mut client, &subscription);
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!((&told[0], &told[3]), (&completed(&disposed), &completed(&reloaded)));
    assert_eq!(told[1], failed(&theirs["lifecycle"]["id"]));
    client.finish();
    other.finish();
}
