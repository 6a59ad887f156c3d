//! Tasks of kind `notify`: reminders, which are told and nothing more.

use serde_json::{Value, json};

use crate::support::drafts::{dormant, every, once, with};
use crate::support::{Place, faults, kind, wall_ms};

fn reminder(text: &str) -> Value {
    json!({"kind": "notify", "text": text})
}

#[test]
fn a_reminder_is_three_events_the_last_of_which_is_important() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    assert_eq!(client.opened["capabilities"]["tasks"], json!(["command", "prompt", "notify"]));
    let due = wall_ms() + 300;
    let made = client.get("automation/create", once("tea", due, reminder("the tea is ready")));
    assert_eq!(made["task"], reminder("the tea is ready"));
    let told = client.wait_for_event("it is told", |event| event["important"] == true);
    assert_eq!(told["text"], "the tea is ready");
    let run = &told["run"];
    assert_eq!((&run["state"], &run["task"]), (&json!("succeeded"), &reminder("the tea is ready")));
    assert_eq!((&run["scheduledAt"], &run["trigger"]), (&json!(due), &json!({"kind": "schedule"})));
    assert_eq!((&run["end"], &run["instanceID"]), (&Value::Null, &client.opened["instanceID"]));
    assert_eq!(run["startedAt"], run["completedAt"]);
    assert_eq!((&run["output"]["bytes"], &run["result"]["text"]), (&json!(0), &Value::Null));
    client.wait("the automation has had its time", |client| {
        let events = client.events(&subscription);
        let last = events.last()?;
        (last["automation"]["state"]["lastRun"] == run["id"]).then_some(())
    });
    let events = client.events(&subscription);
    let of_run: Vec<&Value> = events.iter().filter(|event| event["run"]["id"] == run["id"]).collect();
    let states: Vec<&Value> = of_run.iter().map(|event| &event["run"]["state"]).collect();
    assert_eq!(states, ["scheduled", "running", "succeeded"]);
    let revisions: Vec<&Value> = of_run.iter().map(|event| &event["run"]["revision"]).collect();
    assert_eq!(revisions, [1, 2, 3]);
    let important: Vec<&Value> = of_run.iter().map(|event| &event["important"]).collect();
    assert_eq!(important, [false, false, true]);
    assert!(of_run.iter().all(|event| event["at"] == of_run[0]["at"]), "in one transaction");
    let shown = client.get("automation/get", json!({"id": made["id"]}))["state"].clone();
    assert_eq!((&shown["nextFireAt"], &shown["completedRuns"]), (&Value::Null, &json!(1)));
    let output = client.get("run/output", json!({"id": run["id"]}));
    assert_eq!((&output["data"], &output["end"]), (&json!(""), &json!(true)));
    assert_eq!(client.get("run/get", json!({"id": run["id"]})), *run, "it is read as it was told");
    client.finish();
}

#[test]
fn a_reminder_by_hand_is_answered_as_it_ended_also_while_the_directory_is_held() {
    let place = Place::new();
    let mut client = place.open_with(json!({"maxConcurrentRuns": 1}));
    client.subscribe(json!({}));
    let (mut gate, _, holding) = place.held_up(&mut client, "holder");
    let automation = client.create(dormant("look", reminder("look")));
    for _ in 0..2 {
        let run = client.get("automation/run", json!({"id": automation}));
        assert_eq!((&run["state"], run.get("waiting")), (&json!("succeeded"), None), "{run}");
    }
    let keyed = client.get("automation/run", json!({"id": automation, "key": "k"}));
    assert_eq!(client.get("automation/run", json!({"id": automation, "key": "k"})), keyed);
    let ended = client.get("run/cancel", json!({"id": keyed["id"]}));
    assert_eq!(ended, keyed, "what has ended never changes");
    let shown = client.get("automation/get", json!({"id": automation}))["state"].clone();
    assert_eq!((&shown["completedRuns"], &shown["activeRuns"]), (&json!(3), &json!([])));
    gate.open();
    client.wait_for_run(&holding, "succeeded");
    client.finish();
}

#[test]
fn reminders_come_on_time_and_stop_by_count() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 20}));
    let subscription = client.subscribe(json!({"kinds": ["run.updated"]}));
    let draft = with(every("again", 20, reminder("again")), "stop", json!({"kind": "count", "count": 5}));
    let made = client.get("automation/create", draft);
    client.wait("all five", |client| {
        let important =
            client.events(&subscription).iter().filter(|event| event["important"] == true).count();
        (important == 5).then_some(())
    });
    let runs = client.get("run/list", json!({"automationID": made["id"]}));
    let mut answered = made["createdAt"].as_i64().unwrap();
    for run in runs["items"].as_array().unwrap().iter().rev() {
        assert_eq!(run["state"], "succeeded");
        assert_eq!(run["slots"]["fromAt"].as_i64(), Some(answered + 20), "no gap and no repeat");
        answered = run["slots"]["toAt"].as_i64().unwrap();
    }
    let shown = client.get("automation/get", json!({"id": made["id"]}))["state"].clone();
    assert_eq!((&shown["nextFireAt"], &shown["completedRuns"]), (&Value::Null, &json!(5)));
    client.finish();
}

#[test]
fn each_fault_of_a_reminder_has_its_word() {
    let place = Place::new();
    let mut client = place.open();
    let long = "\u{1F514}".repeat(2001);
    for (task, fault) in [
        (json!({"kind": "notify"}), "task.text required"),
        (reminder(" \n"), "task.text required"),
        (reminder(&long), "task.text too_long"),
        (reminder("a\u{0}b"), "task.text contains_nul"),
        (json!({"kind": "notify", "text": 7}), "task.text wrong_type"),
        (
            json!({"kind": "notify", "text": "x", "program": "true"}),
            "task.program unsupported_automation_field",
        ),
    ] {
        let error = client.refusal("automation/create", dormant("t", task));
        assert_eq!((kind(&error), faults(&error)), ("invalid_automation", vec![fault.to_owned()]), "{error}");
    }
    // The longest text counts characters, not bytes; fields that mean nothing for it are accepted all the same.
    let draft = with(dormant("t", reminder(&long[4..])), "access", json!("read"));
    client.create(with(draft, "policy", json!({"wallMs": 1000, "queueMs": 5})));
    client.finish();
}
