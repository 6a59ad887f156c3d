//! Parameters that are repeated, long, late, or wrong beside a draft.

use serde_json::json;

use crate::support::drafts::{LOG, dormant, once, shell, with};
use crate::support::{Place, assert_invalid_params, eventually, faults, kind, wall_ms};

#[test]
fn a_one_shot_that_is_asked_for_again_by_its_key_after_it_has_fired_is_the_first_one() {
    let place = Place::new();
    let mut client = place.open();
    let due = wall_ms() + 300;
    let keyless = once("at once", due, shell(LOG));
    let draft = with(keyless.clone(), "key", json!("k"));
    let first = client.create(draft.clone());
    assert_eq!(place.wait_for_lines("log", 1), [due.to_string()]);
    let last_run = eventually("its run has ended", || {
        let runs = client.get("run/list", json!({"automationID": first}));
        (runs["items"][0]["state"] == "succeeded").then(|| runs["items"][0]["id"].clone())
    });
    let again = client.get("automation/create", draft);
    assert_eq!((&again["id"], &again["state"]["lastRun"]), (&first, &last_run), "fulfilled in time");
    let error = client.refusal("automation/create", keyless.clone());
    assert_eq!((&error["code"], kind(&error)), (&json!(-32010), "invalid_automation"));
    assert_eq!(faults(&error), ["fireAt fireAt_must_be_future"]);
    let error = client.refusal("automation/create", with(keyless, "key", json!("another")));
    assert_eq!(faults(&error), ["fireAt fireAt_must_be_future"]);
    assert_eq!(client.get("automation/list", json!({}))["items"].as_array().map(Vec::len), Some(1));
    client.finish();
}

/// More than a statement of SQLite may have parameters.
const MANY: usize = 40_000;

#[test]
fn a_word_that_is_repeated_very_often_counts_once() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({"kinds": vec!["run.updated"; MANY]}));
    let automation = client.create(dormant("done", shell("true")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    let told = client.events(&subscription);
    assert!(told.iter().all(|event| event["kind"] == "run.updated"), "{told:?}");
    assert_eq!(told.len(), 3, "scheduled, running, succeeded");
    let page = client.get("run/list", json!({"states": vec!["succeeded"; MANY]}));
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{page}");
    assert_eq!(page["items"][0]["id"], run);
    let page = client.get("run/list", json!({"states": vec!["failed"; MANY]}));
    assert_eq!(page["items"], json!([]));
    // So does one that is told what was before, which is another way into the ledger.
    let again = client.subscribe(json!({"after": 0, "kinds": vec!["run.updated"; MANY]}));
    client.wait("all of it again", |client| (client.events(&again) == told).then_some(()));
    client.finish();
}

#[test]
fn faults_beside_a_draft_are_faults_of_the_parameters() {
    let place = Place::new();
    let mut client = place.open();
    let good = dormant("good", shell("true"));
    let bad = with(good.clone(), "title", json!(""));
    for (name, value, fault) in [
        ("key", json!("x".repeat(201)), "key too_long"),
        ("key", json!(""), "key required"),
        ("key", json!(7), "key wrong_type"),
        ("dryRun", json!("yes"), "dryRun wrong_type"),
    ] {
        let error = client.refusal("automation/create", with(good.clone(), name, value.clone()));
        assert_invalid_params(&error, &[fault]);
        let error = client.refusal("automation/create", with(bad.clone(), name, value));
        assert_eq!((&error["code"], kind(&error)), (&json!(-32010), "invalid_automation"), "{error}");
        assert_eq!(faults(&error), ["title required", fault]);
    }
    client.create(with(good, "key", json!("\u{1F514}".repeat(200))));

    let rhythm = json!({"kind": "interval", "everyMs": 60_000});
    for (name, value, fault) in [
        ("count", json!(0), "count out_of_range"),
        ("count", json!("5"), "count wrong_type"),
        ("after", json!(-1), "after out_of_range"),
    ] {
        let params = with(json!({"rhythm": rhythm}), name, value.clone());
        assert_invalid_params(&client.refusal("automation/preview", params), &[fault]);
        let error = client.refusal("automation/preview", with(json!({}), name, value));
        assert_eq!(
            (&error["code"], faults(&error)),
            (&json!(-32010), vec!["rhythm required".into(), fault.into()])
        );
    }
    assert_eq!(client.get("automation/list", json!({}))["items"].as_array().map(Vec::len), Some(1));
    client.finish();
}

#[test]
fn a_whole_number_is_whole_however_it_is_written() {
    let place = Place::new();
    let mut client = place.open();
    for written in ["60000", "60000.0", "6e4", "6.0E+4"] {
        let rhythm =
            format!(r#"{{"rhythm":{{"kind":"interval","everyMs":{written}}},"after":0,"count":2.0}}"#);
        let id = client.send_text("automation/preview", &rhythm);
        let fires = client.answer(&id).unwrap()["fires"].clone();
        assert_eq!(fires, json!([60_000, 120_000]), "{written}");
    }
    let id = client.send_text("automation/preview", r#"{"rhythm":{"kind":"interval","everyMs":1e17}}"#);
    assert_eq!(faults(&client.answer(&id).unwrap_err()), ["rhythm.everyMs out_of_range"]);
    client.finish();
}

/// How much larger the process may get at its largest for one message, in kilobytes: its text a few times over, and
/// the values that are kept of it.
const PEAK_KB: u64 = 64 * 1024;

#[test]
fn what_one_message_costs_does_not_grow_with_the_number_of_its_values() {
    let place = Place::new();
    let mut client = place.open();
    let before = peak_kb(client.pid());
    let args = "3,".repeat(2_000_000);
    let params = format!(r#"{{"title":"t","kind":"oneshot","task":{{"kind":"command","args":[{args}3]}}}}"#);
    let id = client.send_text("automation/create", &params);
    let error = client.answer(&id).expect_err("a refusal");
    assert_eq!(faults(&error), ["fireAt required", "task.program required", "task.args too_long"]);
    let grown = peak_kb(client.pid()) - before;
    assert!(grown < PEAK_KB, "{grown} kB more");
    client.finish();
}

fn peak_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("our own child");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its memory");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).expect("a number")
}
