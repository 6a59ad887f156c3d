//! `automation/pause` and `automation/resume`: nothing is due in between, and nothing of that time is missed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, once, shell, with};
use crate::support::{Place, assert_invalid_params, eventually, faults, nothing_happens, program, wall_ms};

fn at(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no instant"))
}

fn shown(client: &mut Client, automation: &Value) -> Value {
    client.get("automation/get", json!({"id": automation}))
}

/// The newest event, which every change of the ledger moves.
fn seq(client: &mut Client) -> i64 {
    at(&client.get("automation/list", json!({}))["seq"])
}

/// An automation that has fired a few times and was paused; what was under way has ended.
fn paused(place: &Place, client: &mut Client) -> (Value, Value) {
    let made = client.get("automation/create", every("ticking", 100, shell(LOG)));
    place.wait_for_lines("log", 3);
    let paused = client.get("automation/pause", json!({"id": made["id"], "note": "for a while"}));
    eventually("what had begun has ended", || {
        let active = shown(client, &made["id"])["state"]["activeRuns"].clone();
        (active == json!([])).then_some(())
    });
    (made, paused)
}

#[test]
fn what_is_paused_does_not_fire_and_pausing_it_again_changes_nothing() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 100}));
    client.subscribe(json!({}));
    let (made, paused) = paused(&place, &mut client);
    assert_eq!((&paused["paused"], &paused["revision"]), (&json!(true), &json!(2)));
    assert_eq!((&paused["state"]["nextFireAt"], &paused["state"]["nextFires"]), (&Value::Null, &json!([])));
    let me = json!({"instanceID": client.opened["instanceID"], "client": "test"});
    let pause = json!({"reason": "user", "at": paused["updatedAt"], "note": "for a while", "by": me});
    assert_eq!(paused["pause"], pause);
    let told = client.wait_for_event("the pause", |event| event["automation"]["paused"] == true);
    assert_eq!((&told["kind"], &told["automation"]["revision"]), (&json!("automation.updated"), &json!(2)));

    let (lines, before) = (place.lines("log").len(), seq(&mut client));
    nothing_happens(Duration::from_millis(500), || assert_eq!(place.lines("log").len(), lines, "it fired"));
    let again = client.get("automation/pause", json!({"id": made["id"], "note": "another note"}));
    for field in ["revision", "updatedAt", "pause"] {
        assert_eq!(again[field], paused[field], "{field} of what was paused already");
    }
    assert_eq!(seq(&mut client), before, "an event about nothing");
    client.finish();
}

#[test]
fn what_is_resumed_begins_a_new_grid_from_now_and_has_missed_nothing() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 100}));
    client.subscribe(json!({}));
    let (made, _) = paused(&place, &mut client);
    let lines = place.lines("log").len();
    // Long enough for slots of the old grid, which nobody is to answer for.
    nothing_happens(Duration::from_millis(330), || {});
    let resumed = client.get("automation/resume", json!({"id": made["id"]}));
    let begin = at(&resumed["updatedAt"]);
    assert_eq!((&resumed["paused"], &resumed["pause"]), (&json!(false), &Value::Null));
    assert_eq!((&resumed["revision"], at(&resumed["state"]["nextFireAt"])), (&json!(3), begin + 100));
    let again = client.get("automation/resume", json!({"id": made["id"]}));
    assert_eq!((&again["revision"], &again["updatedAt"]), (&resumed["revision"], &resumed["updatedAt"]));

    let slots: Vec<i64> = place.wait_for_lines("log", lines + 5)[lines..]
        .iter()
        .map(|line| line.parse().expect("an instant"))
        .collect();
    for slot in &slots {
        assert!(*slot > begin && (slot - begin) % 100 == 0, "{slot} is not on the grid from {begin}");
    }
    let runs = client.get("run/list", json!({"automationID": made["id"], "fromAt": begin}));
    let ranges = runs["items"].as_array().expect("runs").iter().map(|run| at(&run["slots"]["fromAt"]));
    assert_eq!(ranges.min(), Some(begin + 100), "nothing answers for the time of the pause");
    let missed = client.get("run/list", json!({"automationID": made["id"], "limit": 100}));
    let missed = missed["items"].as_array().expect("runs").iter();
    assert_eq!(missed.filter(|run| run["stopReason"] == "missed_schedule").count(), 0);
    client.finish();
}

#[test]
fn what_begins_paused_may_say_why() {
    let place = Place::new();
    let mut client = place.open();
    let draft = |more: Value| {
        let mut draft = dormant("t", shell("true"));
        draft.as_object_mut().expect("a draft").extend(more.as_object().expect("members").clone());
        draft
    };
    let made = client.get("automation/create", draft(json!({"paused": true, "note": "not yet"})));
    assert_eq!((&made["pause"]["reason"], &made["pause"]["note"]), (&json!("user"), &json!("not yet")));
    let error = client.refusal("automation/create", draft(json!({"note": "not yet"})));
    assert_invalid_params(&error, &["note unknown_value"]);
    let error = client.refusal("automation/create", draft(json!({"paused": true, "note": "x".repeat(1001)})));
    assert_invalid_params(&error, &["note too_long"]);
    client.finish();
}

#[test]
fn an_interval_with_an_anchor_is_on_its_grid_again_when_it_is_resumed_or_edited() {
    let place = Place::new();
    let mut client = place.open();
    let anchor = wall_ms() - 90 * 60_000;
    let rhythm = json!({"kind": "interval", "everyMs": 86_400_000, "anchorAt": anchor});
    let draft = json!({"title": "t", "kind": "recurring", "rhythm": rhythm, "task": shell("true")});
    let id = client.create(draft);
    let next = anchor + 86_400_000;
    assert_eq!(shown(&mut client, &id)["rhythm"], rhythm);
    assert_eq!(at(&shown(&mut client, &id)["state"]["nextFireAt"]), next);
    client.get("automation/pause", json!({"id": id}));
    let resumed = client.get("automation/resume", json!({"id": id}));
    assert_eq!(at(&resumed["state"]["nextFireAt"]), next);
    let edit = |rhythm: Value| json!({"id": id, "patch": {"rhythm": rhythm}});
    let twice_as_often = client.get("automation/update", edit(json!({"everyMs": 43_200_000})));
    assert_eq!(at(&twice_as_often["state"]["nextFireAt"]), anchor + 43_200_000);
    let without = client.get("automation/update", edit(json!({"anchorAt": null})));
    assert_eq!(without["rhythm"], json!({"kind": "interval", "everyMs": 43_200_000}));
    assert_eq!(at(&without["state"]["nextFireAt"]), at(&without["updatedAt"]) + 43_200_000);
    let error = client.refusal("automation/update", edit(json!({"anchorAt": -1})));
    assert_eq!(faults(&error), ["rhythm.anchorAt out_of_range"]);
    client.finish();
}

#[test]
fn a_paused_one_shot_whose_time_has_passed_cannot_be_resumed() {
    let place = Place::new();
    let mut client = place.open();
    let due = wall_ms() + 1500;
    let automation = client.create(once("too late", due, shell(LOG)));
    let paused = client.get("automation/pause", json!({"id": automation}));
    assert_eq!(paused["state"]["nextFireAt"], Value::Null);
    eventually("its time to pass", || (wall_ms() > due).then_some(()));
    let before = seq(&mut client);
    let error = client.refusal("automation/resume", json!({"id": automation}));
    assert_eq!(
        (&error["code"], faults(&error)),
        (&json!(-32010), vec!["fireAt fireAt_must_be_future".into()])
    );
    assert_eq!(seq(&mut client), before);
    let shown = shown(&mut client, &automation);
    assert_eq!((&shown["paused"], &shown["revision"]), (&json!(true), &json!(2)), "it is as it was");
    nothing_happens(Duration::from_millis(200), || assert!(place.lines("log").is_empty(), "it fired"));
    client.finish();
}

#[test]
fn what_paused_itself_after_failures_counts_them_anew_when_it_is_resumed() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 100}));
    client.subscribe(json!({}));
    let draft = every("failing", 100, shell(&format!("{LOG}; exit 3")));
    let automation = client.create(with(draft, "policy", json!({"pauseAfterFailures": 2})));
    let mut after = 0;
    for pause in 1..=2 {
        let told = client.wait_for_event("the pause", |event| {
            event["automation"]["paused"] == true && event["seq"].as_i64() > Some(after)
        });
        after = at(&told["seq"]);
        assert_eq!((&told["kind"], &told["important"]), (&json!("automation.updated"), &json!(true)));
        let paused = shown(&mut client, &automation);
        assert_eq!((&paused["pause"]["reason"], &paused["pause"]["by"]), (&json!("failures"), &Value::Null));
        assert_eq!(paused["state"]["failureStreak"], 2);
        assert_eq!(place.lines("log").len(), 2 * pause, "two failures for each pause");
        let resumed = client.get("automation/resume", json!({"id": automation}));
        assert_eq!((&resumed["paused"], &resumed["state"]["failureStreak"]), (&json!(false), &json!(0)));
    }
    client.finish();
}

#[test]
fn what_cannot_start_as_it_is_configured_rests_at_once_and_goes_on_when_it_was_mended() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 100}));
    client.subscribe(json!({}));
    let automation = client.create(every("not there", 100, json!({"kind": "command", "program": "./tool"})));
    let told = client.wait_for_event("the pause", |event| event["automation"]["paused"] == true);
    assert_eq!((&told["kind"], &told["important"]), (&json!("automation.updated"), &json!(true)));
    let paused = shown(&mut client, &automation);
    let (pause, state) = (&paused["pause"], &paused["state"]);
    assert_eq!((&pause["reason"], &pause["by"]), (&json!("config"), &Value::Null));
    let note = pause["note"].as_str().expect("a note");
    assert!(
        note.contains("/tool does not exist; correct the path") && note.ends_with("resume the automation.")
    );
    assert_eq!((&paused["revision"], &state["failureStreak"]), (&json!(1), &json!(1)));
    assert_eq!(state["nextFireAt"], Value::Null);
    nothing_happens(Duration::from_millis(300), || {});
    let failed = client.get("run/list", json!({"automationID": automation, "states": ["failed"]}));
    assert_eq!(failed["items"].as_array().map(Vec::len), Some(1), "it is tried no more");

    let by_hand = client.run(&automation);
    let failed = client.wait_for_run(&by_hand, "failed");
    assert_eq!(
        (&failed["error"]["code"], &failed["error"]["class"]),
        (&json!("start_failed"), &json!("config"))
    );
    let still = shown(&mut client, &automation);
    assert_eq!((&still["pause"], &still["state"]["failureStreak"]), (pause, &json!(2)));

    let tool = place.file("tool");
    program::write(&tool, &format!("#!/bin/sh\n{LOG}\n"));
    let by_hand = client.run(&automation);
    client.wait_for_run(&by_hand, "succeeded");
    assert_eq!(&shown(&mut client, &automation)["pause"], pause, "only a person has it go on");
    let resumed = client.get("automation/resume", json!({"id": automation}));
    assert_eq!((&resumed["revision"], &resumed["pause"]), (&json!(2), &Value::Null));
    assert_eq!(resumed["state"]["failureStreak"], 0);
    place.wait_for_lines("log", 3);
    client.finish();
}
