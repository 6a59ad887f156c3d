//! `run/cancel`: asked to end, and killed when asked twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::drafts::{dormant, every, shell, with};
use crate::support::{Place, clock, eventually, processes_with};

#[test]
fn a_cancelled_command_is_asked_to_end() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let line =
        r#"trap 'echo asked >> log; exit 5' TERM; echo begun >> log; while :; do read line < gate; done"#;
    let _gate = place.gate("gate");
    let automation = client.create(dormant("polite", shell(line)));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    place.wait_for_lines("log", 1);
    let asked = client.get("run/cancel", json!({"id": run}));
    assert_eq!((&asked["state"], &asked["completedAt"]), (&json!("running"), &Value::Null));
    assert_eq!((&asked["stopping"]["as"], &asked["stopping"]["now"]), (&json!("cancelled"), &json!(false)));
    assert!(asked["stopping"]["since"].as_i64().unwrap() >= asked["startedAt"].as_i64().unwrap());
    let stopped = client.wait_for_run(&run, "stopped");
    assert_eq!((&stopped["stopReason"], &stopped["end"]["exitCode"]), (&json!("cancelled"), &json!(5)));
    assert_eq!((&stopped["stopping"], &stopped["error"]), (&Value::Null, &Value::Null));
    assert_eq!(place.lines("log"), ["begun", "asked"]);
    // Ended runs answer as they are.
    assert_eq!(client.get("run/cancel", json!({"id": run})), stopped);
    let told = client.events(&subscription).iter().filter(|event| event["run"]["id"] == run).count();
    assert_eq!(told, 4, "scheduled, running, stopping, stopped");
    let shown = client.get("automation/get", json!({"id": automation}));
    assert_eq!((&shown["state"]["failureStreak"], &shown["state"]["completedRuns"]), (&json!(0), &json!(0)));
    client.finish();
}

#[test]
fn a_command_that_is_cancelled_twice_is_killed_with_all_it_has_started() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let mark = place.project().display().to_string();
    let line = r#"trap '' TERM; setsid tail -f /dev/null & echo begun >> log; while :; do wait; done"#;
    let automation = client.create(dormant("stubborn", shell(line)));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    place.wait_for_lines("log", 1);
    let began = clock();
    assert_eq!(client.get("run/cancel", json!({"id": run}))["stopping"]["now"], false);
    assert_eq!(client.get("run/cancel", json!({"id": run}))["stopping"]["now"], true);
    let stopped = client.wait_for_run(&run, "stopped");
    assert_eq!((&stopped["stopReason"], &stopped["end"]["signal"]), (&json!("cancelled"), &json!(9)));
    assert!(began.elapsed() < Duration::from_secs(4), "the second cancel waits for nothing");
    // The sidecar itself was told the project's path only in a message.
    eventually("everything of it is gone", || processes_with(&mark).is_empty().then_some(()));
    client.finish();
}

#[test]
fn a_slot_that_fired_is_cancelled_like_any_other_run_and_the_next_one_fires() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 300}));
    client.subscribe(json!({}));
    let line = r#"echo "$SEXTON_SCHEDULED_AT" >> log; exec tail -f /dev/null"#;
    client.create(every("endless", 300, shell(line)));
    let first = client.wait_for_event("a run", |event| event["run"]["state"] == "running")["run"].clone();
    client.get("run/cancel", json!({"id": first["id"]}));
    client.wait_for_run(&first["id"], "stopped");
    let lines = place.wait_for_lines("log", 2);
    assert_ne!(lines[0], lines[1], "a cancelled slot does not fire again");
    client.finish();
}

#[test]
fn a_cancel_at_any_moment_of_the_start_leaves_nothing_running() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let mark = place.project().display().to_string();
    let automation = client.create(dormant("hurried", shell("echo begun >> log; exec tail -f /dev/null")));
    let mut spawned = 0;
    for round in 0..20 {
        let run = client.run(&automation);
        // A little later each time: before the guard, at the fence, after the start.
        for _ in 0..round {
            client.get("run/get", json!({"id": run}));
        }
        client.get("run/cancel", json!({"id": run}));
        let stopped = client.wait_for_run(&run, "stopped");
        assert_eq!(stopped["stopReason"], "cancelled");
        spawned += usize::from(!stopped["end"].is_null());
        let lines = place.lines("log").len();
        assert!(lines <= spawned, "round {round}: {lines} spawns, {spawned} of them told");
    }
    eventually("everything of it is gone", || processes_with(&mark).is_empty().then_some(()));
    println!("{spawned} of 20 had begun");
    client.finish();
}

#[test]
fn a_command_that_is_silent_for_too_long_is_ended() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    // What it writes is a sign of life.
    let talks = "for n in 1 2 3 4 5 6; do echo word; sleep 0.4; done; exec sleep 1000";
    let draft = with(dormant("talks", shell(talks)), "policy", json!({"idleMs": 1000}));
    let automation = client.create(draft);
    let run = client.run(&automation);
    let failed = client.wait_for_run(&run, "failed");
    assert_eq!((&failed["error"]["code"], &failed["error"]["class"]), (&json!("timed_out"), &json!("task")));
    assert!(failed["error"]["message"].as_str().unwrap().contains("`policy.idleMs`"), "{failed}");
    let worked_ms = failed["completedAt"].as_i64().unwrap() - failed["startedAt"].as_i64().unwrap();
    assert!(worked_ms >= 2000, "it talked for two seconds: {failed}");
    client.finish();
}
