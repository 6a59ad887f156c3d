//! `key`: a client that does not know whether its request was carried out asks again, and gets what the first made.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, faults, kind};

fn keyed(title: &str, key: &str) -> Value {
    with(dormant(title, shell("true")), "key", json!(key))
}

fn titles(client: &mut Client) -> Vec<Value> {
    let listed = client.get("automation/list", json!({}));
    listed["items"].as_array().into_iter().flatten().map(|item| item["title"].clone()).collect()
}

#[test]
fn the_same_key_gives_the_first_one_as_it_is_now_in_every_window() {
    let place = Place::new();
    let (mut one, mut other) = (place.open(), place.open());
    let first = one.get("automation/create", keyed("first", "k"));
    let paused = one.get("automation/pause", json!({"id": first["id"]}));
    let subscription = one.subscribe(json!({}));
    for window in [&mut one, &mut other] {
        assert_eq!(window.get("automation/create", keyed("another draft", "k")), paused);
    }
    assert_eq!(titles(&mut one), ["first"]);
    assert_eq!(one.events(&subscription), Vec::<Value>::new(), "nothing has happened");
    // A draft that could not be created is refused all the same: the key says which request, not that it is sound.
    let error = one.refusal("automation/create", keyed(" ", "k"));
    assert_eq!((kind(&error), faults(&error)), ("invalid_automation", vec!["title required".to_owned()]));
    other.finish();
    one.finish();
    let mut next = place.open();
    assert_eq!(next.get("automation/create", keyed("after a restart", "k"))["id"], first["id"]);
    next.finish();
}

#[test]
fn a_dry_run_neither_takes_a_key_nor_is_answered_by_one() {
    let place = Place::new();
    let mut client = place.open();
    let first = client.create(keyed("first", "k"));
    let shown = client.get("automation/create", with(keyed("what if", "k"), "dryRun", json!(true)));
    assert_eq!((&shown["id"], &shown["title"]), (&json!(""), &json!("what if")));
    assert_eq!(client.create(keyed("again", "k")), first, "the key still stands for the first");
    assert_eq!(titles(&mut client), ["first"]);
    client.finish();
}

#[test]
fn the_key_of_what_was_deleted_is_free_again() {
    let place = Place::new();
    let mut client = place.open();
    let first = client.create(keyed("first", "k"));
    client.get("automation/delete", json!({"id": first}));
    let second = client.create(keyed("second", "k"));
    assert_ne!(second, first, "what is gone is not given");
    assert_eq!(client.create(keyed("third", "k")), second);
    assert_eq!(titles(&mut client), ["second"]);
    client.finish();
}

#[test]
fn the_key_of_a_run_counts_for_its_automation_only() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let [one, other] = ["one", "other"].map(|title| client.create(dormant(title, shell("true"))));
    let ask = |client: &mut Client, id: &Value| {
        client.get("automation/run", json!({"id": id, "key": "k"}))["id"].clone()
    };
    let first = ask(&mut client, &one);
    client.wait_for_run(&first, "succeeded");
    let second = ask(&mut client, &other);
    assert_ne!(second, first);
    client.wait_for_run(&second, "succeeded");
    let mut window = place.open();
    for client in [&mut client, &mut window] {
        assert_eq!((ask(client, &one), ask(client, &other)), (first.clone(), second.clone()));
    }
    // The key of an automation is not that of a run.
    let made = client.create(keyed("made", "k"));
    assert!(made != one && made != other);
    client.get("automation/delete", json!({"id": one}));
    let error = client.refusal("automation/run", json!({"id": one, "key": "k"}));
    assert_eq!(kind(&error), "not_found");
    assert_eq!(client.get("run/get", json!({"id": first}))["trigger"], json!({"kind": "manual", "key": "k"}));
    window.finish();
    client.finish();
}

#[test]
fn a_run_that_was_refused_has_not_taken_its_key() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, automation, run) = place.held_up(&mut client, "busy");
    let asked = json!({"id": automation, "key": "k"});
    assert_eq!(kind(&client.refusal("automation/run", asked.clone())), "active_run_still_running");
    gate.open();
    client.wait_for_run(&run, "succeeded");
    let second = client.get("automation/run", asked);
    assert_ne!(second["id"], run);
    gate.open();
    client.wait_for_run(&second["id"], "succeeded");
    client.finish();
}
