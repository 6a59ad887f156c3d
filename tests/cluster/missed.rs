//! Slots that come while nobody is there.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::drafts::{LOG, every, once, shell, with};
use crate::support::{Place, eventually, nothing_happens, signal, wall_ms};

/// Waits until the clock on the wall has passed this instant.
fn pass(at: i64) {
    eventually("the time to pass", || (wall_ms() > at).then_some(()));
}

fn runs(client: &mut crate::support::client::Client, automation: &Value) -> Vec<Value> {
    client.get("run/list", json!({"automationID": automation}))["items"].as_array().expect("runs").clone()
}

#[test]
fn a_one_shot_that_was_missed_is_caught_up_once() {
    let place = Place::new();
    let open = || place.open_with(json!({"graceMs": 100}));
    let mut client = open();
    let due = wall_ms() + 300;
    let automation = client.create(once("missed", due, shell(LOG)));
    client.kill();
    pass(due + 100);
    let mut next = open();
    next.subscribe(json!({}));
    assert_eq!(place.wait_for_lines("log", 1), [due.to_string()]);
    eventually("its end", || (runs(&mut next, &automation)[0]["state"] == "succeeded").then_some(()));
    let run = runs(&mut next, &automation).pop().unwrap();
    assert_eq!(run["trigger"], json!({"kind": "catchUp"}));
    assert_eq!(run["slots"], json!({"fromAt": due, "toAt": due, "count": 1}));
    next.kill();
    let mut last = open();
    nothing_happens(Duration::from_millis(500), || {
        assert_eq!(place.lines("log").len(), 1, "caught up twice")
    });
    assert_eq!(runs(&mut last, &automation).len(), 1);
    last.finish();
}

#[test]
fn a_missed_slot_is_recorded_when_it_is_not_to_be_caught_up() {
    let place = Place::new();
    let open = || place.open_with(json!({"graceMs": 100}));
    let mut client = open();
    let due = wall_ms() + 300;
    let draft = once("missed", due, shell(LOG));
    let skip = client.create(with(draft.clone(), "policy", json!({"missed": {"kind": "skip"}})));
    let window = json!({"missed": {"kind": "runOnce", "windowMs": 150}});
    let narrow = client.create(with(draft, "policy", window));
    client.kill();
    pass(due + 200);
    let mut next = open();
    for automation in [skip, narrow] {
        let run = eventually("a record", || runs(&mut next, &automation).pop());
        assert_eq!((&run["state"], &run["stopReason"]), (&json!("stopped"), &json!("missed_schedule")));
        assert_eq!(run["slots"], json!({"fromAt": due, "toAt": due, "count": 1}));
        let shown = next.get("automation/get", json!({"id": automation}));
        assert_eq!(shown["state"]["nextFireAt"], Value::Null, "missed for good");
    }
    let history = next.subscribe(json!({"after": 0}));
    next.wait("both records", |next| {
        let missed = |event: &&Value| event["run"]["stopReason"] == "missed_schedule";
        let told = next.events(&history);
        let told: Vec<&Value> = told.iter().filter(missed).collect();
        (told.len() == 2).then(|| assert!(told.iter().all(|event| event["important"] == true)))
    });
    assert!(place.lines("log").is_empty());
    next.finish();
}

#[test]
fn a_slot_that_was_answered_does_not_fire_again_after_a_restart() {
    let place = Place::new();
    let mut client = place.open();
    let due = wall_ms() + 200;
    let automation = client.create(once("answered", due, shell(LOG)));
    place.wait_for_lines("log", 1);
    client.kill();
    for _ in 0..3 {
        let mut next = place.open();
        nothing_happens(Duration::from_millis(200), || assert_eq!(place.lines("log").len(), 1));
        assert_eq!(runs(&mut next, &automation).len(), 1);
        next.finish();
    }
}

#[test]
fn a_one_shot_within_the_grace_fires_as_usual() {
    let place = Place::new();
    let mut client = place.open();
    let due = wall_ms() + 300;
    let automation = client.create(once("late", due, shell(LOG)));
    client.kill();
    pass(due);
    let mut next = place.open();
    assert_eq!(place.wait_for_lines("log", 1), [due.to_string()]);
    let run = &runs(&mut next, &automation)[0];
    assert_eq!(run["trigger"], json!({"kind": "schedule"}));
    next.finish();
}

#[test]
fn a_sidecar_that_stood_still_fires_once_for_all_slots_that_it_slept_through() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 50}));
    client.subscribe(json!({}));
    let made = client.get("automation/create", every("ticking", 50, shell(LOG)));
    place.wait_for_lines("log", 2);
    let mut seen = 0;
    let woken = loop {
        signal("STOP", client.pid());
        pass(wall_ms() + 600);
        signal("CONT", client.pid());
        let woken = client.wait_for_event("one answer for many slots", |event| {
            event["seq"].as_i64() > Some(seen)
                && event["run"]["revision"] == 1
                && event["run"]["slots"]["count"].as_i64() > Some(5)
        });
        // Where it was stopped in the midst of a run, the slots were skipped behind that one.
        if woken["run"]["stopReason"] != "previous_run_active" {
            break woken;
        }
        seen = woken["seq"].as_i64().unwrap();
    };
    assert_eq!(woken["run"]["state"], "scheduled");
    place.wait_for_lines("log", 5);
    let slots = &woken["run"]["slots"];
    let at = |value: &Value| value.as_i64().unwrap();
    assert_eq!(at(&slots["toAt"]) - at(&slots["fromAt"]), 50 * (at(&slots["count"]) - 1));
    assert_eq!((at(&slots["toAt"]) - at(&made["createdAt"])) % 50, 0, "the grid has not moved");
    let lines = place.lines("log");
    let slept_through = |line: &&String| {
        let slot: i64 = line.parse().unwrap();
        (at(&slots["fromAt"])..at(&slots["toAt"])).contains(&slot)
    };
    assert_eq!(lines.iter().filter(slept_through).count(), 0, "only the newest of them fires: {lines:?}");
    client.finish();
}

#[test]
fn why_it_was_missed_is_told_without_claiming_more_than_is_known() {
    let place = Place::new();
    let limits = json!({"graceMs": 100});
    let mut client = place.open_with(limits.clone());
    let due = wall_ms() + 1000;
    let draft = once("Missed", due, shell(LOG));
    let id = client.create(with(draft, "policy", json!({"missed": {"kind": "skip"}})));
    let owner = client.opened["instanceID"].clone();
    client.kill();
    pass(due + 200);
    let mut next = place.open_with(limits);
    let told = eventually("a record", || {
        let told = next.get("automation/explain", json!({"id": id, "at": due}));
        (told["verdict"] != "waiting").then_some(told)
    });
    assert_eq!((&told["verdict"], &told["scheduledAt"]), (&json!("missed"), &json!(due)), "{told}");
    let summary = told["summary"].as_str().unwrap();
    assert!(summary.contains("had gone: it was last heard of at "), "{summary}");
    let of_the_dead = told["evidence"].as_array().unwrap().iter().find(|piece| {
        let text = piece["text"].as_str().unwrap();
        text.contains(owner.as_str().unwrap()) && text.contains("owned the bell; it was last heard of at ")
    });
    assert!(of_the_dead.is_some(), "{told}");
    next.finish();
}
