//! The files of the ledger are removed or replaced, cut, or taken over by a later version, while a window has them
//! open.

use std::collections::HashSet;
use std::fs;

use serde_json::{Value, json};

use super::{contents, expect_storage_errors, refuses_everything, titles, until_health};
use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell, with};
use crate::support::{Place, ledger};

/// A window with an automation that fires all the time.
fn ringing(place: &Place) -> Client {
    let mut client = place.open_with(json!({"minIntervalMs": 200}));
    expect_storage_errors(&mut client);
    client.subscribe(json!({}));
    client.create(every("ticking", 200, shell(LOG)));
    place.wait_for_lines("log", 2);
    client
}

/// Nothing fires, though it would have been due several times.
fn is_silent(place: &Place) {
    let before = place.lines("log");
    crate::support::nothing_happens(std::time::Duration::from_millis(700), || {});
    let after = place.lines("log");
    // What had begun before the fault may still write its line.
    assert!(after.len() <= before.len() + 1, "{before:?} {after:?}");
}

/// It fires again, and no slot has fired twice.
fn rings_again(place: &Place, client: &mut Client) {
    until_health(client, "ok");
    place.wait_for_lines("log", place.lines("log").len() + 2);
    let lines = place.lines("log");
    let unique: HashSet<&String> = lines.iter().collect();
    assert_eq!(unique.len(), lines.len(), "a slot fired twice: {lines:?}");
}

#[test]
fn nothing_is_written_while_the_directory_is_away_and_all_goes_on_when_it_is_back() {
    let place = Place::new();
    let mut client = ringing(&place);
    let directory = ledger::directory(&client);
    let aside = place.beside("aside");
    fs::rename(&directory, &aside).unwrap();
    refuses_everything(&mut client, "replaced");
    is_silent(&place);
    let before = contents(&aside);
    is_silent(&place);
    assert!(contents(&aside) == before, "what is not at its place is not written");
    assert!(!directory.join("ledger.db").exists(), "and nothing is made in its place");
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::rename(&aside, &directory).unwrap();
    rings_again(&place, &mut client);
    assert_eq!(titles(&mut client), ["ticking"]);
    client.finish();
}

#[test]
fn a_window_on_a_ledger_that_was_replaced_leaves_the_new_one_alone() {
    let place = Place::new();
    let mut old = ringing(&place);
    let directory = ledger::directory(&old);
    let aside = place.beside("aside");
    fs::rename(&directory, &aside).unwrap();
    let mut new = place.open();
    assert_ne!(new.opened["ledgerID"], old.opened["ledgerID"]);
    assert_eq!(new.opened["scheduler"]["owner"], true);
    new.create(dormant("new", shell("true")));
    refuses_everything(&mut old, "replaced");
    is_silent(&place);
    // Longer than two slow looks: neither lock nor marker of the new ledger is touched.
    let id = new.opened["ledgerID"].clone();
    crate::support::nothing_happens(std::time::Duration::from_secs(6), || {});
    assert_eq!(titles(&mut new), ["new"]);
    let marker: Value = serde_json::from_slice(&fs::read(directory.join("ledger.json")).unwrap()).unwrap();
    assert_eq!(marker["ledgerID"], id);
    let status = until_health(&mut new, "ok");
    assert_eq!((&status["isOwner"], &status["owner"]["term"]), (&json!(true), &json!(1)));
    let before = contents(&aside);
    old.finish();
    assert!(contents(&aside) == before, "also when it closes");
    new.finish();
}

#[test]
fn a_run_that_ends_while_its_ledger_is_away_is_written_down_when_that_is_back() {
    let place = Place::new();
    let mut client = place.open();
    expect_storage_errors(&mut client);
    client.expect_error("a report could not be written");
    client.subscribe(json!({}));
    let (mut gate, _, run) = place.held_up(&mut client, "at work");
    let directory = ledger::directory(&client);
    let aside = place.beside("aside");
    fs::rename(&directory, &aside).unwrap();
    gate.open();
    crate::support::eventually("the report waits", || {
        let status = super::status(&mut client);
        let reasons = status["reasons"].as_array().unwrap();
        reasons.iter().any(|reason| reason == "what became of a run waits to be written").then_some(())
    });
    // Longer than two attempts to write it.
    crate::support::nothing_happens(std::time::Duration::from_millis(2_200), || {});
    let log = client.stderr();
    assert_eq!(log.matches("a report could not be written").count(), 1, "the same is told once: {log}");
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::rename(&aside, &directory).unwrap();
    client.wait_for_run(&run, "succeeded");
    until_health(&mut client, "ok");
    client.finish();
}

#[test]
fn a_window_whose_ledger_a_later_version_has_taken_over_stops() {
    let place = Place::new();
    let mut client = ringing(&place);
    let later = ledger::open(ledger::directory(&client).join("ledger.db"));
    later.pragma_update(None, "user_version", 1_007).unwrap();
    place.wait_for_lines("log", place.lines("log").len() + 2);
    until_health(&mut client, "ok");
    later.pragma_update(None, "user_version", 2_001).unwrap();
    refuses_everything(&mut client, "newer_version");
    is_silent(&place);
    let rows = |name: &str| -> i64 {
        later.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0)).unwrap()
    };
    let before = (rows("events"), rows("runs"));
    is_silent(&place);
    assert_eq!((rows("events"), rows("runs")), before);
    later.pragma_update(None, "user_version", 1_001).unwrap();
    rings_again(&place, &mut client);
    client.finish();
}

#[test]
fn a_database_that_is_cut_while_it_is_open_is_left_alone_until_it_is_whole() {
    let place = Place::new();
    let mut client = ringing(&place);
    let path = ledger::directory(&client).join("ledger.db");
    for divisor in [0, 2] {
        let paused = client.get("automation/list", json!({}))["items"][0]["id"].clone();
        client.get("automation/pause", json!({"id": paused}));
        until_health(&mut client, "ok");
        // What is only in the log so far cannot be lost from the database.
        let moved = ledger::open(path.clone()).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        moved.unwrap();
        let whole = fs::read(&path).unwrap();
        let length = whole.len().checked_div(divisor).unwrap_or(0) as u64;
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
        refuses_everything(&mut client, "damaged");
        let before = contents(path.parent().unwrap());
        is_silent(&place);
        assert!(contents(path.parent().unwrap()) == before);
        fs::write(&path, &whole).unwrap();
        until_health(&mut client, "ok");
        client.get("automation/resume", json!({"id": paused}));
        rings_again(&place, &mut client);
    }
    assert_eq!(titles(&mut client), ["ticking"]);
    client.finish();
}

#[test]
fn a_ledger_that_another_program_holds_is_busy_until_it_lets_go() {
    let place = Place::new();
    let mut client = place.open();
    expect_storage_errors(&mut client);
    client.create(dormant("kept", shell("true")));
    let database = ledger::directory(&client).join("ledger.db");
    // This process passes for the sidecar of another window.
    let me = std::process::id();
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let start_time: i64 = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap().parse().unwrap();
    let other = ledger::open(database.clone());
    let sql = "INSERT INTO instances (id, pid, start_time, client, boot_id, pid_namespace, lock_device, lock_inode,
                 role, opened_as, version, since)
               SELECT 'ins_other', ?1, ?2, 'Another Editor', boot_id, pid_namespace, 0, 0, role, opened_as, version, since
               FROM instances";
    other.execute(sql, (me, start_time)).unwrap();
    let held = ledger::hold(database.clone());
    let mut opening = place.sidecar().spawn();
    let params = opening.initialize_params();
    let asked = opening.send("initialize", params);
    let draft = with(dormant("refused", shell("true")), "paused", json!(true));
    let sentence = super::unavailable(&client.refusal("automation/create", draft.clone()), "busy");
    let named = format!("process {me}, the sidecar of Another Editor");
    assert!(sentence.contains(&named), "{sentence}");
    let sentence = super::unavailable(&opening.answer(&asked).unwrap_err(), "busy");
    assert!(sentence.contains(&named), "a window that opens is told as well: {sentence}");
    let status = until_health(&mut client, "degraded");
    assert_eq!(status["isOwner"], true, "it can be read: {status}");
    assert_eq!(titles(&mut client), ["kept"]);
    drop(held);
    other.execute("DELETE FROM instances WHERE id = 'ins_other'", []).unwrap();
    client.create(with(draft, "title", json!("works again")));
    until_health(&mut client, "ok");
    assert_eq!(titles(&mut client), ["works again", "kept"]);
    client.finish();
}
