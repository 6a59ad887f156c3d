//! One writer for each directory; readers beside it.

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::drafts::{dormant, shell, with};

#[test]
fn a_second_writer_waits_behind_the_first_and_then_runs() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let mut ask = |title: &str| {
        let automation = client.create(dormant(
            title,
            shell(&format!("echo begin {title} >> log; read line < gate; echo end {title} >> log")),
        ));
        client.get("automation/run", json!({"id": automation}))
    };
    let (a, b, c) = (ask("a"), ask("b"), ask("c"));
    assert!(a.get("waiting").is_none(), "a run that nothing holds back never waits: {a}");
    for (run, ahead) in [(&b, &a), (&c, &b)] {
        assert_eq!(run["waiting"]["for"], "directory", "{run}");
        assert_eq!(run["waiting"]["behind"], ahead["id"]);
        assert_eq!(run["waiting"]["since"], run["triggeredAt"]);
    }
    for run in [&a, &b, &c] {
        client.wait_for_run(&run["id"], "running");
        gate.open();
        client.wait_for_run(&run["id"], "succeeded");
    }
    assert_eq!(place.lines("log"), ["begin a", "end a", "begin b", "end b", "begin c", "end c"]);
    // When the run ahead has ended, the wait is over, and that is told before it runs.
    let told: Vec<(Value, Value)> = client
        .events(&subscription)
        .iter()
        .filter(|event| event["run"]["id"] == c["id"])
        .map(|event| (event["run"]["state"].clone(), event["run"]["waiting"]["behind"].clone()))
        .collect();
    let waits: Vec<&Value> =
        told.iter().filter(|(state, _)| state == "scheduled").map(|(_, behind)| behind).collect();
    assert_eq!(waits[0], &b["id"]);
    assert_eq!(waits.last(), Some(&&Value::Null), "{told:?}");
    let states: Vec<&Value> =
        told.iter().map(|(state, _)| state).filter(|state| *state != "scheduled").collect();
    assert_eq!(states, ["running", "succeeded"]);
    client.finish();
}

#[test]
fn readers_neither_hold_the_directory_nor_wait_for_it() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, _, writing) = place.held_up(&mut client, "writer");
    let mut reading = Vec::new();
    for number in 0..2 {
        let draft = dormant(&format!("reader {number}"), shell("read line < gate"));
        let reader = client.create(with(draft, "access", json!("read")));
        let run = client.get("automation/run", json!({"id": reader}));
        assert!(run.get("waiting").is_none(), "{run}");
        client.wait_for_run(&run["id"], "running");
        reading.push(run["id"].clone());
    }
    // All three are at work; whichever reads a line first goes on.
    for _ in 0..3 {
        gate.open();
    }
    for run in reading.iter().chain([&writing]) {
        client.wait_for_run(run, "succeeded");
    }
    client.finish();
}

#[test]
fn no_more_runs_than_allowed_are_at_work() {
    let place = Place::new();
    let mut client = place.open_with(json!({"maxConcurrentRuns": 2}));
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let mut runs = Vec::new();
    for number in 0..3 {
        let draft = dormant(&format!("reader {number}"), shell("echo begun >> log; read line < gate"));
        let reader = client.create(with(draft, "access", json!("read")));
        runs.push(client.get("automation/run", json!({"id": reader})));
    }
    assert_eq!(runs[2]["waiting"]["for"], "capacity", "{}", runs[2]);
    for run in &runs[..2] {
        client.wait_for_run(&run["id"], "running");
    }
    assert_eq!(place.wait_for_lines("log", 2).len(), 2);
    gate.open();
    client.wait_for_run(&runs[2]["id"], "running");
    gate.open();
    gate.open();
    for run in &runs {
        client.wait_for_run(&run["id"], "succeeded");
    }
    client.finish();
}

#[test]
fn a_waiting_run_that_is_cancelled_lets_the_next_one_move_up() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, _, holding) = place.held_up(&mut client, "holder");
    let mut ask = |title: &str| {
        let automation = client.create(dormant(title, shell(&format!("echo {title} >> log"))));
        client.run(&automation)
    };
    let (first, second) = (ask("first"), ask("second"));
    let cancelled = client.get("run/cancel", json!({"id": first}));
    assert_eq!((&cancelled["state"], &cancelled["stopReason"]), (&json!("stopped"), &json!("cancelled")));
    assert_eq!((&cancelled["startedAt"], &cancelled["end"]), (&Value::Null, &Value::Null));
    let moved = client.get("run/get", json!({"id": second}));
    assert_eq!(moved["waiting"]["behind"], holding);
    gate.open();
    client.wait_for_run(&second, "succeeded");
    assert_eq!(place.lines("log"), ["second"], "what was stopped before it began never spawns");
    client.finish();
}
