//! Timers: fired on time, once, and within their limits.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::drafts::{LOG, dormant, every, once, shell, with};
use crate::support::{Place, nothing_happens, wall_ms};

/// Lateness beyond this is not a busy machine but a wrong timer.
const LATE_MS: i64 = 1500;

fn at(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no instant: {value}"))
}

#[test]
fn a_one_shot_fires_when_it_is_due_and_never_again() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let due = wall_ms() + 1500;
    let automation = client.create(once("once", due, shell(LOG)));
    let run = client.wait_for_event("its run", |event| event["run"]["state"] == "succeeded")["run"].clone();
    let lateness = at(&run["triggeredAt"]) - due;
    println!(
        "one-shot fired {lateness} ms late, its command started {} ms late",
        at(&run["startedAt"]) - due
    );
    assert!((0..LATE_MS).contains(&lateness), "{lateness} ms late");
    assert_eq!((&run["scheduledAt"], &run["trigger"]), (&json!(due), &json!({"kind": "schedule"})));
    assert_eq!(run["slots"], json!({"fromAt": due, "toAt": due, "count": 1}));
    assert_eq!((&run["attendance"], &run["automationID"]), (&json!("unattended"), &automation));
    let spent = client.get("automation/get", json!({"id": automation}));
    assert_eq!((&spent["state"]["nextFireAt"], &spent["state"]["nextFires"]), (&Value::Null, &json!([])));
    nothing_happens(Duration::from_millis(300), || assert_eq!(place.lines("log"), [due.to_string()]));
    // By hand it runs again.
    let by_hand = client.run(&automation);
    client.wait_for_run(&by_hand, "succeeded");
    assert_eq!(place.lines("log"), [due.to_string(), String::new()]);
    client.finish();
}

#[test]
fn a_run_by_hand_does_not_consume_a_one_shot() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let due = wall_ms() + 1000;
    let automation = client.create(once("once", due, shell(LOG)));
    let by_hand = client.run(&automation);
    client.wait_for_run(&by_hand, "succeeded");
    assert_eq!(client.get("automation/get", json!({"id": automation}))["state"]["nextFireAt"], due);
    assert_eq!(place.wait_for_lines("log", 2), [String::new(), due.to_string()]);
    client.finish();
}

#[test]
fn an_interval_keeps_its_grid_and_fires_each_slot_once() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 200}));
    let subscription = client.subscribe(json!({}));
    let made = client.get("automation/create", every("ticking", 200, shell(LOG)));
    let begin = at(&made["createdAt"]);
    let lines = place.wait_for_lines("log", 12);
    let slots: Vec<i64> = lines.iter().map(|line| line.parse().unwrap()).collect();
    for slot in &slots {
        assert_eq!((slot - begin) % 200, 0, "{slot} is not on the grid");
    }
    assert_eq!(slots.iter().collect::<HashSet<_>>().len(), slots.len(), "a slot fired twice: {slots:?}");
    client.wait("what is told", |client| {
        let ended = |event: &&Value| event["run"]["state"] == "succeeded";
        (client.events(&subscription).iter().filter(ended).count() >= 12).then_some(())
    });
    let events = client.events(&subscription);
    // What a slow machine skips behind a run is answered for by a record.
    let answers: Vec<&Value> =
        events.iter().map(|event| &event["run"]).filter(|run| run["revision"] == 1).collect();
    let fired = answers.iter().filter(|run| run["state"] == "scheduled");
    let mut late: Vec<i64> = fired.map(|run| at(&run["triggeredAt"]) - at(&run["scheduledAt"])).collect();
    late.sort_unstable();
    println!(
        "{} slots of 200 ms: fired {} ms late at the median, {} ms at most",
        late.len(),
        late[late.len() / 2],
        late[late.len() - 1]
    );
    assert!(late.iter().all(|late| (0..LATE_MS).contains(late)), "{late:?}");
    // Every slot is answered for: one range begins where the one before has ended.
    let mut answered = begin;
    for run in &answers {
        let slots = &run["slots"];
        assert_eq!(at(&slots["fromAt"]), answered + 200, "a slot that nothing answers for: {run}");
        answered = at(&slots["toAt"]);
    }
    client.finish();
}

#[test]
fn slots_that_come_while_a_run_is_active_are_skipped_and_recorded_once() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 100}));
    let subscription = client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let automation = client.create(every("slow", 100, shell(&format!("{LOG}; read line < gate"))));
    let first = client.wait_for_event("its run", |event| event["run"]["state"] == "running")["run"].clone();
    let skipped_three = |event: &Value| {
        event["run"]["id"] == first["id"] && event["run"]["skipped"]["count"].as_i64() >= Some(3)
    };
    let skipping = client.wait_for_event("three skipped slots", skipped_three)["run"].clone();
    assert_eq!(skipping["skipped"]["reason"], "previous_run_active");
    assert_eq!(at(&skipping["skipped"]["fromAt"]), at(&first["scheduledAt"]) + 100);
    let count = at(&skipping["skipped"]["count"]);
    assert_eq!(at(&skipping["skipped"]["toAt"]), at(&first["scheduledAt"]) + 100 * count);
    assert_eq!(place.lines("log").len(), 1, "no second run beside the first");
    gate.open();
    let ended = client.wait_for_run(&first["id"], "succeeded");
    assert_eq!(ended["skipped"], Value::Null, "it has become a record of its own");
    let is_record = |event: &Value| event["run"]["stopReason"] == "previous_run_active";
    let record = client.wait_for_event("the record", is_record)["run"].clone();
    assert_eq!((&record["state"], &record["automationID"]), (&json!("stopped"), &automation));
    assert_eq!(at(&record["slots"]["fromAt"]), at(&first["scheduledAt"]) + 100);
    let answered = at(&record["slots"]["toAt"]);
    assert_eq!(at(&record["slots"]["count"]), (answered - at(&first["scheduledAt"])) / 100);
    assert_eq!((&record["startedAt"], &record["end"]), (&Value::Null, &Value::Null));
    let records = client.events(&subscription).iter().filter(|event| is_record(event)).count();
    assert_eq!(records, 1);
    let second = client.wait_for_event("the next run", |event| {
        event["run"]["state"] == "running" && event["run"]["id"] != first["id"]
    });
    assert_eq!(at(&second["run"]["slots"]["fromAt"]), answered + 100, "without a gap");
    let lines = place.wait_for_lines("log", 2);
    assert_eq!(lines, [at(&first["scheduledAt"]).to_string(), at(&second["run"]["scheduledAt"]).to_string()]);
    client.finish();
}

#[test]
fn work_that_takes_too_long_is_ended_as_timed_out() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let draft = dormant("endless", shell("echo begun; exec tail -f /dev/null"));
    let automation = client.create(with(draft, "policy", json!({"wallMs": 1000})));
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!(
        (&run["error"]["code"], &run["error"]["class"]),
        (&json!("timed_out"), &json!("task")),
        "{run}"
    );
    assert!(run["error"]["message"].as_str().unwrap().contains("wallMs"), "{run}");
    assert_eq!((&run["end"]["tail"], &run["end"]["signal"]), (&json!("begun\n"), &json!(15)));
    let took = at(&run["completedAt"]) - at(&run["startedAt"]);
    assert!((1000..1000 + LATE_MS).contains(&took), "{took} ms");
    assert_eq!(run["stopping"], Value::Null, "an ended run has no wishes");
    client.finish();
}

#[test]
fn a_run_that_waits_too_long_for_its_directory_is_stopped() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (_gate, _, holding) = place.held_up(&mut client, "holder");
    let waiter = with(dormant("waiter", shell(LOG)), "policy", json!({"queueMs": 500}));
    let waiter = client.create(waiter);
    let waiting = client.get("automation/run", json!({"id": waiter}));
    assert_eq!(waiting["waiting"]["for"], "directory");
    assert_eq!(waiting["waiting"]["behind"], holding);
    assert_eq!(at(&waiting["waiting"]["untilAt"]), at(&waiting["triggeredAt"]) + 500);
    let stopped = client.wait_for_run(&waiting["id"], "stopped");
    assert_eq!(stopped["stopReason"], "writer_busy");
    let waited = at(&stopped["completedAt"]) - at(&stopped["triggeredAt"]);
    assert!((500..500 + LATE_MS).contains(&waited), "{waited} ms");
    assert!(stopped.get("waiting").is_none(), "{stopped}");
    assert!(place.lines("log").is_empty());
    client.finish();
}

#[test]
fn a_count_of_runs_ends_the_schedule() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 50}));
    client.subscribe(json!({}));
    let draft = with(every("three times", 50, shell(LOG)), "stop", json!({"kind": "count", "count": 3}));
    let automation = client.create(draft);
    let finished = client.wait_for_event("the end of it", |event| {
        event["automation"]["id"] == automation && event["automation"]["state"]["completedRuns"] == 3
    });
    assert_eq!(finished["automation"]["state"]["nextFireAt"], Value::Null);
    nothing_happens(Duration::from_millis(300), || assert_eq!(place.lines("log").len(), 3));
    client.finish();
}

#[test]
fn failures_in_a_row_pause_an_automation() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 50}));
    client.subscribe(json!({}));
    let draft = every("failing", 50, shell(&format!("{LOG}; exit 3")));
    let automation = client.create(with(draft, "policy", json!({"pauseAfterFailures": 2})));
    let paused = client.wait_for_event("the pause", |event| event["automation"]["paused"] == true);
    assert_eq!(paused["important"], true);
    let shown = client.get("automation/get", json!({"id": automation}));
    assert_eq!((&shown["pause"]["reason"], &shown["revision"]), (&json!("failures"), &json!(1)));
    assert_eq!((&shown["state"]["failureStreak"], &shown["state"]["nextFireAt"]), (&json!(2), &Value::Null));
    nothing_happens(Duration::from_millis(300), || assert_eq!(place.lines("log").len(), 2));
    client.finish();
}
