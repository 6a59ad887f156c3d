//! The doorbell between windows: it is heard at once, and where it cannot be, that is told and costs time only.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::{can, until_health};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, Spawn, clock, eventually, ledger, nothing_happens};

/// Less than the time between two looks that a window takes by itself.
const AT_ONCE: Duration = Duration::from_secs(4);

/// A namespace in which nothing can be watched.
const DEAF: [&str; 3] = ["unshare", "--map-root-user", "sh"];
const DEAFEN: &str = r#"echo 0 > /proc/sys/user/max_inotify_instances && exec "$@""#;

fn can_be_deaf() -> bool {
    can("a limit of watches in a namespace of one's own", || {
        let tried = Command::new(DEAF[0]).args(&DEAF[1..]).args(["-c", DEAFEN, "sh", "true"]).output();
        tried.is_ok_and(|output| output.status.success())
    })
}

/// One window makes changes, one after the other; how long the other takes to have heard of all.
fn heard(by: &mut Client, of: &mut Client, changes: usize) -> Duration {
    let id = of.create(dormant("t", shell("true")));
    let began = clock();
    for number in 0..changes {
        let title = json!(format!("change {number}"));
        of.get("automation/update", json!({"id": id, "patch": {"title": title}}));
        by.wait_for_event("the change", |event| event["automation"]["title"] == title);
    }
    began.elapsed()
}

#[test]
fn what_one_window_changes_the_other_hears_of_at_once() {
    let place = Place::new();
    let (mut one, mut other) = (place.open(), place.open());
    one.subscribe(json!({}));
    other.subscribe(json!({}));
    let took = heard(&mut one, &mut other, 30) + heard(&mut other, &mut one, 30);
    println!("60 changes in {took:?}");
    assert!(took < AT_ONCE, "a window looks by itself as rarely as that: {took:?}");
    let ring = ledger::directory(&one).join("bell/ring");
    assert_eq!(fs::metadata(ring).unwrap().len(), 1, "it does not grow");
    other.finish();
    one.finish();
}

#[test]
fn a_window_that_cannot_listen_looks_often_and_says_so() {
    if !can_be_deaf() {
        return;
    }
    let place = Place::new();
    let mut one = place.open();
    let mut deaf = Spawn::through(&place, &DEAF, DEAFEN).open();
    deaf.expect_error("looked for four times a second");
    let status = until_health(&mut deaf, "degraded");
    let told = status["reasons"].to_string();
    assert!(told.contains("four times a second") && told.contains("max_user_instances"), "{told}");
    deaf.subscribe(json!({}));
    one.subscribe(json!({}));
    let took = heard(&mut deaf, &mut one, 10);
    println!("10 changes in {took:?}");
    assert!(took < AT_ONCE, "it looks four times a second: {took:?}");
    let took = heard(&mut one, &mut deaf, 10);
    assert!(took < AT_ONCE, "it rings, though it does not hear: {took:?}");
    assert_eq!(until_health(&mut one, "ok")["reasons"], json!([]));
    deaf.finish();
    one.finish();
}

#[test]
fn a_bell_that_is_removed_is_put_up_again() {
    let place = Place::new();
    let (mut one, mut other) = (place.open(), place.open());
    one.subscribe(json!({}));
    heard(&mut one, &mut other, 1);
    let bell = ledger::directory(&one).join("bell");
    // A window that finds a part of it gone puts it up again, and may be faster than this.
    eventually("it is removed", || fs::remove_dir_all(&bell).ok());
    heard(&mut one, &mut other, 1);
    let took = heard(&mut one, &mut other, 30);
    assert!(took < AT_ONCE, "it hears the new one: {took:?}");
    for window in [&mut one, &mut other] {
        until_health(window, "ok");
    }
    other.finish();
    one.finish();
}

#[test]
fn a_bell_that_cannot_be_rung_is_told_of_until_it_can() {
    let place = Place::new();
    let (mut one, mut other) = (place.open(), place.open());
    for window in [&mut one, &mut other] {
        for part in ["cannot be rung", "cannot be listened for"] {
            window.expect_error(part);
        }
    }
    one.subscribe(json!({}));
    let bell = ledger::directory(&one).join("bell");
    // A window that finds it gone puts it up again, and may be faster.
    eventually("something stands in its way", || {
        fs::remove_dir_all(&bell).ok()?;
        fs::write(&bell, "in the way").ok()
    });
    heard(&mut one, &mut other, 3);
    let told = until_health(&mut other, "degraded")["reasons"].to_string();
    assert!(told.contains("cannot be rung"), "{told}");
    fs::remove_file(&bell).unwrap();
    // Nobody changes anything, and both try again.
    for window in [&mut one, &mut other] {
        until_health(window, "ok");
    }
    let took = heard(&mut one, &mut other, 30);
    assert!(took < AT_ONCE, "{took:?}");
    other.finish();
    one.finish();
}

#[test]
fn a_pipe_in_the_place_of_the_bell_keeps_nobody_waiting() {
    let place = Place::new();
    let (mut one, mut other) = (place.open(), place.open());
    for window in [&mut one, &mut other] {
        for part in ["cannot be rung", "cannot be listened for"] {
            window.expect_error(part);
        }
    }
    one.subscribe(json!({}));
    let ring = ledger::directory(&one).join("bell/ring");
    let pipe = place.beside("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::rename(&pipe, &ring).unwrap();
    let took = heard(&mut one, &mut other, 3);
    assert!(took < AT_ONCE, "it looks four times a second: {took:?}");
    let told = until_health(&mut other, "degraded")["reasons"].to_string();
    assert!(told.contains("cannot be rung") && told.contains("bell/ring is no file; remove it"), "{told}");
    until_health(&mut one, "degraded");
    fs::remove_file(&ring).unwrap();
    for window in [&mut one, &mut other] {
        until_health(window, "ok");
    }
    let took = heard(&mut one, &mut other, 30);
    assert!(took < AT_ONCE, "{took:?}");
    other.finish();
    one.finish();
}

#[test]
fn a_bell_that_is_taken_down_again_and_again_does_not_keep_a_window_busy() {
    /// Four in a second of each of two windows, and some more.
    const EARS: usize = 24;
    let place = Place::new();
    let (mut one, mut other) = (place.open(), place.open());
    one.subscribe(json!({}));
    let ring = ledger::directory(&one).join("bell/ring");
    let mut ears = 0;
    nothing_happens(Duration::from_secs(2), || {
        // Whoever begins to listen puts it up again, so it is there once for each new ear at most.
        ears += usize::from(fs::remove_file(&ring).is_ok());
    });
    println!("{ears} ears");
    assert!((2..=EARS).contains(&ears), "{ears} ears");
    heard(&mut one, &mut other, 1);
    let took = heard(&mut one, &mut other, 30);
    assert!(took < AT_ONCE, "{took:?}");
    other.finish();
    one.finish();
}
