//! Several windows that are open at once, and one of them closes.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell};
use crate::support::{Place, eventually, ledger};

/// A run in this window that a gate holds up.
fn held(client: &mut Client, title: &str) -> Value {
    let line = format!("echo begin {title} >> log; read line < gate; echo end {title} >> log");
    let automation = client.create(dormant(title, shell(&line)));
    client.get("automation/run", json!({"id": automation}))
}

#[test]
fn a_run_waits_for_the_directory_that_another_window_works_in() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    let (mut one, mut other) = (place.open(), place.open());
    one.subscribe(json!({}));
    other.subscribe(json!({}));
    let first = held(&mut one, "first");
    one.wait_for_run(&first["id"], "running");
    let second = held(&mut other, "second");
    assert_eq!(
        (&second["waiting"]["for"], &second["waiting"]["behind"]),
        (&json!("directory"), &first["id"])
    );
    gate.open();
    one.wait_for_run(&first["id"], "succeeded");
    let running = other.wait_for_run(&second["id"], "running");
    assert_eq!(running["instanceID"], other.opened["instanceID"]);
    gate.open();
    other.wait_for_run(&second["id"], "succeeded");
    assert_eq!(place.lines("log"), ["begin first", "end first", "begin second", "end second"]);
    other.finish();
    one.finish();
}

#[test]
fn a_run_is_cancelled_from_another_window() {
    let place = Place::new();
    let _gate = place.gate("gate");
    let (mut one, mut other) = (place.open(), place.open());
    one.subscribe(json!({}));
    let run = held(&mut one, "first");
    one.wait_for_run(&run["id"], "running");
    let asked = other.get("run/cancel", json!({"id": run["id"]}));
    assert_eq!((&asked["state"], &asked["stopping"]["as"]), (&json!("running"), &json!("cancelled")));
    let stopped = one.wait_for_run(&run["id"], "stopped");
    assert_eq!(other.get("run/get", json!({"id": run["id"]})), stopped);
    assert_eq!(place.lines("log"), ["begin first"]);
    other.finish();
    one.finish();
}

#[test]
fn what_a_closing_window_left_waiting_is_carried_out_by_one_that_stays() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    let (mut closing, mut staying) = (place.open(), place.open());
    closing.subscribe(json!({}));
    staying.subscribe(json!({}));
    let first = held(&mut closing, "first");
    closing.wait_for_run(&first["id"], "running");
    place.wait_for_lines("log", 1);
    let second = held(&mut closing, "second");
    let third = held(&mut staying, "third");
    assert_eq!((&second["waiting"]["behind"], &third["waiting"]["behind"]), (&first["id"], &second["id"]));
    closing.finish();
    assert_eq!(staying.get("run/get", json!({"id": first["id"]}))["stopReason"], "shutdown");
    for run in [&second, &third] {
        let running = staying.wait_for_run(&run["id"], "running");
        assert_eq!(running["instanceID"], staying.opened["instanceID"]);
        gate.open();
        staying.wait_for_run(&run["id"], "succeeded");
    }
    let expected = ["begin first", "begin second", "end second", "begin third", "end third"];
    assert_eq!(place.lines("log"), expected);
    staying.finish();
}

#[test]
fn what_the_last_window_left_waiting_is_carried_out_by_the_next() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    let mut closing = place.open();
    closing.subscribe(json!({}));
    let first = held(&mut closing, "first");
    closing.wait_for_run(&first["id"], "running");
    place.wait_for_lines("log", 1);
    let second = held(&mut closing, "second");
    closing.finish();
    let mut next = place.open();
    next.subscribe(json!({"after": 0}));
    let running = next.wait_for_run(&second["id"], "running");
    assert_eq!(running["instanceID"], next.opened["instanceID"]);
    gate.open();
    next.wait_for_run(&second["id"], "succeeded");
    assert_eq!(place.lines("log"), ["begin first", "begin second", "end second"]);
    next.finish();
}

#[test]
fn an_owner_whose_lock_file_was_deleted_gives_way_and_no_slot_fires_twice() {
    let place = Place::new();
    let open = || place.open_with(json!({"minIntervalMs": 20}));
    let mut first = open();
    let state = first.opened["stateDirectory"].as_str().expect("a path").to_owned();
    std::fs::remove_file(std::path::Path::new(&state).join("owner.lock")).expect("the lock file is there");
    // The first finds out before it claims anything; until then both hold a lock.
    let second = open();
    first.create(every("ticking", 20, shell(LOG)));
    assert_eq!(
        (&first.opened["scheduler"], &second.opened["scheduler"]),
        (&json!({"owner": true}), &json!({"owner": true}))
    );
    place.wait_for_lines("log", 50);
    let mut fired = |by: &Client| {
        let runs = first.get("run/list", json!({"limit": 100}));
        let runs = runs["items"].as_array().unwrap().iter();
        runs.filter(|run| run["instanceID"] == by.opened["instanceID"]).count()
    };
    let by_second =
        eventually("the one whose lock counts fires", || Some(fired(&second)).filter(|count| *count > 0));
    println!("the second owner had {by_second} of the last 100 runs");
    let lines = place.lines("log");
    let unique: HashSet<&String> = lines.iter().collect();
    assert_eq!(unique.len(), lines.len(), "a slot fired twice: {lines:?}");
    second.finish();
    first.finish();
}

#[test]
fn windows_that_open_at_the_same_moment_share_one_new_ledger() {
    for _ in 0..5 {
        let place = Place::new();
        let mut windows: Vec<Client> = (0..4).map(|_| place.sidecar().spawn()).collect();
        let params = windows[0].initialize_params();
        let asked: Vec<String> =
            windows.iter_mut().map(|window| window.send("initialize", params.clone())).collect();
        let opened: Vec<Value> =
            windows.iter_mut().zip(asked).map(|(window, id)| window.answer(&id).unwrap()).collect();
        let ledgers: HashSet<String> = opened.iter().map(|one| one["ledgerID"].to_string()).collect();
        assert_eq!(ledgers.len(), 1, "{ledgers:?}");
        assert_eq!(opened.iter().filter(|one| one["scheduler"]["owner"] == true).count(), 1);
        windows[0].create(dormant("shared", shell("true")));
        for mut window in windows {
            assert_eq!(window.get("automation/list", json!({}))["items"][0]["title"], "shared");
            window.finish();
        }
    }
}

#[test]
fn work_of_many_windows_commits_side_by_side() {
    let place = Place::new();
    let mut windows: Vec<Client> = (0..4).map(|_| place.open()).collect();
    let mut asked = Vec::new();
    for number in 0..50 {
        for (index, window) in windows.iter_mut().enumerate() {
            asked.push((
                index,
                window.send("automation/create", dormant(&format!("{number}"), shell("true"))),
            ));
        }
    }
    for (index, id) in &asked {
        windows[*index].answer(id).unwrap();
    }
    let told: Vec<Vec<Value>> = windows
        .iter_mut()
        .map(|window| {
            let subscription = window.subscribe(json!({"after": 0}));
            window.wait("all events", |window| {
                let told = window.events(&subscription);
                (told.len() > asked.len()).then_some(told)
            })
        })
        .collect();
    assert!(told.iter().all(|events| *events == told[0]), "the same in every window");
    windows.into_iter().for_each(Client::finish);
}

#[test]
fn lock_files_that_nobody_needs_are_removed_and_those_of_living_windows_stay() {
    let place = Place::new();
    let window = place.open();
    let state = ledger::directory(&window);
    let forgotten = state.join("instances/ins_forgotten.lock");
    let old = std::time::SystemTime::UNIX_EPOCH;
    std::fs::File::create(&forgotten).unwrap().set_modified(old).unwrap();
    let own = state.join("instances").join(format!("{}.lock", window.opened["instanceID"].as_str().unwrap()));
    std::fs::File::options().write(true).open(&own).unwrap().set_modified(old).unwrap();
    eventually("it has gone", || (!forgotten.exists()).then_some(()));
    assert!(own.exists());
    window.finish();
    assert!(!own.exists());
}
