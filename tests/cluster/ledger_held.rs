//! Another program holds the ledger, so that nothing can be written: a window closes all the same.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, every, shell, with};
use crate::support::{Place, clock, eventually, ledger, processes_with, signal};

/// The contract says one second, on an idle machine.
const SOON: Duration = Duration::from_secs(2);

/// What every process of this project has in its environment, below the guard too.
fn mark(place: &Place) -> String {
    format!("SEXTON_PROJECT={}", place.project().display())
}

/// A window with a run at work that would never end, and that does not listen to signals.
fn at_work(place: &Place) -> (Client, Value) {
    let mut client = place.open_with(json!({"minIntervalMs": 100}));
    client.subscribe(json!({}));
    let line = "trap '' TERM; setsid tail -f /dev/null & echo begun >> log; while :; do wait; done";
    let automation = client.create(dormant("endless", shell(line)));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    place.wait_for_lines("log", 1);
    (client, run)
}

/// Closes the window while the ledger is held, and sees what the next one finds.
fn closes_in_time(place: &Place, mut client: Client, run: &Value) {
    client.expect_error("leaving is not written down yet");
    client.expect_error("this instance's row could not be removed");
    let directory = ledger::directory(&client);
    let held = ledger::hold(directory.join("ledger.db"));
    // Time for the loop to come upon the ledger that it cannot write.
    crate::support::nothing_happens(Duration::from_millis(300), || {});
    let began = clock();
    assert_eq!(client.get("shutdown", json!({})), Value::Null);
    let took = began.elapsed();
    assert!(took < SOON, "shutdown took {took:?}");
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
    let took = began.elapsed();
    assert!(took < 2 * SOON, "the end of the process took {took:?}");
    let mark = mark(place);
    eventually("everything of it is gone", || processes_with(&mark).is_empty().then_some(()));
    drop(held);
    let mut next = place.open();
    let ended = next.get("run/get", json!({"id": run}));
    assert_eq!(
        (&ended["state"], &ended["stopReason"]),
        (&json!("stopped"), &json!("interrupted")),
        "{ended}"
    );
    // Its directory is free again.
    next.subscribe(json!({}));
    let automation = next.create(dormant("after it", shell("true")));
    let run = next.run(&automation);
    next.wait_for_run(&run, "succeeded");
    next.finish();
}

#[test]
fn a_shutdown_is_in_time_and_leaves_no_process_while_nothing_can_be_written() {
    let place = Place::new();
    let (client, run) = at_work(&place);
    closes_in_time(&place, client, &run);
}

#[test]
fn a_shutdown_is_in_time_also_when_the_loop_waits_for_what_is_due_to_be_written() {
    let place = Place::new();
    let (mut client, run) = at_work(&place);
    // Due again and again; it does not need the directory.
    client.create(with(every("ticking", 100, shell("true")), "access", json!("read")));
    client.wait_for_event("it fires", |event| event["run"]["trigger"]["kind"] == "schedule");
    closes_in_time(&place, client, &run);
}

#[test]
fn what_is_there_can_be_seen_while_nothing_can_be_written() {
    let place = Place::new();
    let (mut client, run) = at_work(&place);
    client.create(with(every("ticking", 100, shell("true")), "access", json!("read")));
    client.wait_for_event("it fires", |event| event["run"]["trigger"]["kind"] == "schedule");
    let held = ledger::hold(ledger::directory(&client).join("ledger.db"));
    // Time for the loop to wait for what is due to be written.
    crate::support::nothing_happens(Duration::from_millis(300), || {});
    let began = clock();
    assert_eq!(client.get("run/get", json!({"id": run}))["state"], "running");
    client.get("automation/list", json!({}));
    // A change that waits is waited for by what tells of it, and by nothing else.
    let creating = client.send("automation/create", dormant("later", shell("true")));
    let listing = client.send("automation/list", json!({}));
    client.get("scheduler/status", json!({}));
    let took = began.elapsed();
    assert!(took < SOON, "looking took {took:?}");
    drop(held);
    let created = client.answer(&creating).unwrap();
    assert_eq!(client.answer(&listing).unwrap()["items"][0]["id"], created["id"]);
    client.finish();
}

#[test]
fn a_signal_ends_a_window_that_waits_to_open() {
    let place = Place::new();
    let client = place.open();
    let path = ledger::directory(&client).join("ledger.db");
    client.finish();
    for name in ["TERM", "INT", "HUP"] {
        let held = ledger::hold(path.clone());
        let mut client = place.sidecar().spawn();
        let params = client.initialize_params();
        client.send("initialize", params);
        let files = format!("/proc/{}/fd", client.pid());
        eventually("it has come to the ledger", || {
            let open = std::fs::read_dir(&files).expect("it lives").filter_map(Result::ok);
            open.filter_map(|file| file.path().read_link().ok()).any(|file| file == path).then_some(())
        });
        let began = clock();
        signal(name, client.pid());
        assert_eq!(client.exit_code(), Some(1), "{name}");
        let took = began.elapsed();
        assert!(took < SOON, "{name}: the end took {took:?}");
        drop(held);
    }
    let next = place.open();
    assert_eq!(next.opened["scheduler"]["owner"], true);
    next.finish();
}

#[test]
fn a_shutdown_that_waits_for_the_ledger_keeps_the_conversation_going() {
    let place = Place::new();
    let (mut client, run) = at_work(&place);
    client.expect_error("leaving is not written down yet");
    client.expect_error("this instance's row could not be removed");
    let directory = ledger::directory(&client);
    let held = ledger::hold(directory.join("ledger.db"));
    let began = clock();
    client.send("shutdown", json!({"mode": "maintenance"}));
    assert_eq!(client.get("run/get", json!({"id": run}))["state"], "running");
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
    let took = began.elapsed();
    assert!(took < 2 * SOON, "the end of the process took {took:?}");
    let mark = mark(&place);
    eventually("everything of it is gone", || processes_with(&mark).is_empty().then_some(()));
    drop(held);
}
