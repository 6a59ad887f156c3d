//! The lock of the owner of the bell is removed, replaced, or cannot be taken.

use std::collections::HashSet;
use std::fs;

use serde_json::json;

use super::{status, until_health};
use crate::support::drafts::{LOG, every, shell};
use crate::support::{Place, eventually, ledger};

#[test]
fn an_owner_whose_lock_was_removed_takes_the_one_that_counts_before_it_claims() {
    let place = Place::new();
    let mut first = place.open_with(json!({"minIntervalMs": 200}));
    first.create(every("ticking", 200, shell(LOG)));
    place.wait_for_lines("log", 2);
    let lock = ledger::directory(&first).join("owner.lock");
    fs::remove_file(&lock).unwrap();
    eventually("it has a lock again", || lock.exists().then_some(()));
    let seen = eventually("a new term", || {
        let seen = status(&mut first);
        (seen["owner"]["term"] == 2).then_some(seen)
    });
    assert_eq!((&seen["isOwner"], &seen["health"]), (&json!(true), &json!("ok")));
    let second = place.open();
    assert_eq!(second.opened["scheduler"]["owner"], false, "the new lock keeps others out");
    place.wait_for_lines("log", place.lines("log").len() + 3);
    let lines = place.lines("log");
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), lines.len(), "a slot fired twice: {lines:?}");
    second.finish();
    first.finish();
}

#[test]
fn an_owner_whose_lock_is_another_windows_by_now_claims_nothing_more() {
    let place = Place::new();
    let limits = json!({"minIntervalMs": 200});
    let mut first = place.open_with(limits.clone());
    let lock = ledger::directory(&first).join("owner.lock");
    fs::remove_file(&lock).unwrap();
    let mut second = place.open_with(limits);
    assert_eq!(second.opened["scheduler"]["owner"], true);
    second.create(every("ticking", 200, shell(LOG)));
    place.wait_for_lines("log", 6);
    let seen = until_health(&mut first, "ok");
    assert_eq!(seen["isOwner"], false);
    assert_eq!((&seen["owner"]["pid"], &seen["owner"]["term"]), (&json!(second.pid()), &json!(2)));
    let lines = place.lines("log");
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), lines.len(), "a slot fired twice: {lines:?}");
    first.finish();
    let seen = until_health(&mut second, "ok");
    assert_eq!(seen["owner"]["term"], 2, "one that goes does not end the term of another");
    second.finish();
}

#[test]
fn an_owner_that_cannot_have_its_lock_again_says_that_nobody_rings() {
    let place = Place::new();
    let mut client = place.open();
    client.expect_error("owner.lock cannot be locked");
    assert_eq!(status(&mut client)["isOwner"], true);
    let lock = ledger::directory(&client).join("owner.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let seen = until_health(&mut client, "degraded");
    let reason = seen["reasons"][0].as_str().unwrap();
    assert!(reason.contains("nobody can own the bell"), "{seen}");
    eventually("its term has ended", || {
        let seen = status(&mut client);
        (seen["isOwner"] == false && seen["owner"].is_null()).then_some(())
    });
    fs::remove_dir(&lock).unwrap();
    let seen = until_health(&mut client, "ok");
    assert_eq!((&seen["isOwner"], &seen["owner"]["term"]), (&json!(true), &json!(2)));
    client.finish();
}

#[test]
fn a_bell_that_cannot_be_owned_is_degraded_and_owned_as_soon_as_it_can_be() {
    let place = Place::new();
    let client = place.open();
    let lock = ledger::directory(&client).join("owner.lock");
    client.finish();
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let mut client = place.sidecar().option("limits", json!({"minIntervalMs": 200})).spawn();
    client.expect_error("owner.lock cannot be locked");
    client.initialize();
    client.create(every("ticking", 200, shell(LOG)));
    let seen = until_health(&mut client, "degraded");
    assert_eq!((&seen["isOwner"], &seen["reasons"]), (&json!(false), &client.opened["warnings"]));
    assert!(place.lines("log").is_empty());
    fs::remove_dir(&lock).unwrap();
    let seen = until_health(&mut client, "ok");
    assert_eq!(seen["isOwner"], true);
    place.wait_for_lines("log", 2);
    client.finish();
}
