//! `automation/explain`: why something ran at a time, or why it did not.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, every, once, shell, with};
use crate::support::{Place, assert_invalid_params, kind, wall_ms};

const HOUR_MS: i64 = 3_600_000;

fn explain(client: &mut Client, id: &Value, at: i64) -> Value {
    client.get("automation/explain", json!({"id": id, "at": at}))
}

fn next_fire(client: &mut Client, id: &Value) -> i64 {
    client.get("automation/get", json!({"id": id}))["state"]["nextFireAt"].as_i64().expect("a next fire")
}

fn texts(told: &Value) -> Vec<&str> {
    let evidence = told["evidence"].as_array().expect("evidence");
    evidence.iter().map(|piece| piece["text"].as_str().expect("a text")).collect()
}

#[test]
fn what_ran_is_told_with_its_run_and_the_events_behind_it() {
    let place = Place::new();
    let mut client = place.open();
    let due = wall_ms() + 300;
    let secret =
        json!({"kind": "command", "program": "sh", "args": ["-c", "exit 0"], "env": {"TOKEN": "S3CRET"}});
    let id = client.create(with(once("Tell me why", due, secret), "timezone", json!("Europe/Berlin")));
    client.subscribe(json!({}));
    let run = client.wait_for_event("its end", |event| event["run"]["state"] == "succeeded")["run"].take();
    let told = explain(&mut client, &id, due);
    assert_eq!((&told["verdict"], &told["scheduledAt"]), (&json!("ran"), &json!(due)), "{told}");
    assert_eq!(told["run"], client.get("run/get", json!({"id": run["id"]})));
    let summary = told["summary"].as_str().unwrap();
    assert!(summary.starts_with("“Tell me why” ") && summary.ends_with(" succeeded."), "{summary}");
    let client_name = client.opened["instanceID"].as_str().unwrap().to_owned();
    assert!(texts(&told).iter().any(|text| text.contains(&client_name)), "{told}");
    // Each event that is named tells of this automation or of this run.
    let history = client.subscribe(json!({"after": 0}));
    let named: Vec<Value> = told["evidence"].as_array().unwrap().clone();
    let named: Vec<Value> = named.into_iter().filter(|piece| piece["seq"].is_i64()).collect();
    assert!(named.len() >= 3, "created, started and ended: {told}");
    let newest = named.iter().filter_map(|piece| piece["seq"].as_i64()).max();
    let events = client.wait("the history", |client| {
        let events = client.events(&history);
        events.iter().any(|event| event["seq"].as_i64() >= newest).then_some(events)
    });
    for piece in named {
        let event = events.iter().find(|event| event["seq"] == piece["seq"]).expect("the event is kept");
        let about = [&event["run"]["automationID"], &event["automation"]["id"]];
        assert!(about.contains(&&id), "{piece} and {event}");
        assert_eq!(event["at"], piece["at"]);
    }
    assert!(!told.to_string().contains("S3CRET"), "values of the environment stay where they are");
    client.finish();
}

#[test]
fn what_is_to_come_is_told_with_what_is_foretold_of_it() {
    let place = Place::new();
    let mut client = place.open();
    let first = client.create(every("first", HOUR_MS, shell("true")));
    let due = next_fire(&mut client, &first);
    let told = explain(&mut client, &first, due);
    assert_eq!((&told["verdict"], &told["scheduledAt"]), (&json!("future"), &json!(due)), "{told}");
    assert!(told["summary"].as_str().unwrap().ends_with("; as things stand, it will run then."), "{told}");
    let twice = json!({"kind": "count", "count": 2});
    let counted = client.create(with(every("twice", HOUR_MS, shell("true")), "stop", twice));
    let due = next_fire(&mut client, &counted);
    assert_eq!(explain(&mut client, &counted, due + HOUR_MS)["verdict"], "future");
    let told = explain(&mut client, &counted, due + 2 * HOUR_MS);
    assert_eq!(
        (&told["verdict"], &told["scheduledAt"]),
        (&json!("ended"), &json!(due + 2 * HOUR_MS)),
        "{told}"
    );
    let short = every("often", 30_000, shell("true"));
    let often = client.create(short);
    let far = next_fire(&mut client, &often) + 30_000 * 1_000_000;
    let told = explain(&mut client, &often, far);
    assert_eq!(told["verdict"], "future", "too far ahead to be foretold, and told all the same: {told}");
    client.finish();
}

#[test]
fn what_will_stand_in_its_way_is_foretold() {
    let place = Place::new();
    let mut client = place.open();
    // Each takes a minute, as long as nothing is known of it.
    let first = client.create(every("first", HOUR_MS, shell("true")));
    let second = client.create(every("second", HOUR_MS, shell("true")));
    let waits = client.create(every("waits", HOUR_MS, shell("true")));
    let skips = json!({"ifBusy": "skip"});
    let skips = client.create(with(every("skips", HOUR_MS, shell("true")), "policy", skips));
    for (id, expected) in [
        (&first, "; as things stand, it will run then."),
        (&waits, ", after it has waited for its directory."),
        (&skips, "; as things stand, it will not run then, because others will be at work for too long."),
    ] {
        let due = next_fire(&mut client, id);
        let told = explain(&mut client, id, due);
        assert_eq!(told["verdict"], "future", "{told}");
        assert!(told["summary"].as_str().unwrap().ends_with(expected), "{told}");
    }
    let due = next_fire(&mut client, &second);
    let told = explain(&mut client, &second, due);
    assert!(told["summary"].as_str().unwrap().contains("; as things stand, it will start at "), "{told}");
    client.finish();
}

#[test]
fn a_pause_from_another_window_names_it() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(every("hourly", HOUR_MS, shell("true")));
    let due = next_fire(&mut client, &id);
    let mut other = place.sidecar().open();
    other.get("automation/pause", json!({"id": id, "note": "on holiday"}));
    let told = explain(&mut client, &id, due);
    assert_eq!((&told["verdict"], &told["scheduledAt"]), (&json!("paused"), &json!(due)), "{told}");
    assert!(told["summary"].as_str().unwrap().contains("(“on holiday”)"), "{told}");
    client.get("automation/delete", json!({"id": id}));
    let told = explain(&mut other, &id, due);
    assert_eq!(told["verdict"], "deleted", "{told}");
    other.finish();
    client.finish();
}

#[test]
fn a_time_without_a_slot_has_none() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(dormant("daily", shell("true")));
    let told = explain(&mut client, &id, 0);
    assert_eq!((&told["verdict"], &told["scheduledAt"]), (&json!("not_scheduled"), &Value::Null), "{told}");
    assert_eq!(told.get("run"), None);
    client.finish();
}

#[test]
fn what_is_asked_has_to_be_in_order() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(dormant("daily", shell("true")));
    for (params, fault) in [
        (json!({}), vec!["id required"]),
        (json!({"id": id, "at": "now"}), vec!["at wrong_type"]),
        (json!({"id": id, "at": null}), vec!["at wrong_type"]),
        (json!({"id": id, "at": -1}), vec!["at out_of_range"]),
        (json!({"id": id, "at": 0, "why": true}), vec!["why unknown_value"]),
    ] {
        assert_invalid_params(&client.refusal("automation/explain", params), &fault);
    }
    for nothing in [json!({"id": "atm_nothing", "at": 0}), json!({"id": "atm_nothing"})] {
        assert_eq!(kind(&client.refusal("automation/explain", nothing)), "not_found");
    }
    // Who names no time means the last one, or where there was none the next one.
    let next = client.get("automation/get", json!({"id": id}))["state"]["nextFireAt"].clone();
    assert_eq!(client.get("automation/explain", json!({"id": id}))["scheduledAt"], next);
    client.finish();
}
