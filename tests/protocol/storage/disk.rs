//! The disk takes nothing: it is full, read-only, or a limit on files is in the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::{NAMESPACE, can, can_mount, expect_storage_errors, known, titles, unavailable, until_health};
use crate::support::Spawn;
use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, once, shell, with};
use crate::support::{Place, eventually, ledger, wall_ms};

/// A path as the sidecar sees it, in its own namespace.
fn seen_by(client: &Client, path: &Path) -> PathBuf {
    let below = path.strip_prefix("/").expect("paths of sidecars are absolute");
    Path::new("/proc").join(client.pid().to_string()).join("root").join(below)
}

/// Runs a command in the namespace of the sidecar.
fn beside(client: &Client, command: &[&str]) {
    let pid = client.pid().to_string();
    let enter = ["--target", &pid, "--user", "--mount", "--preserve-credentials", "--"];
    let done = Command::new("nsenter").args(enter).args(command).output().expect("nsenter");
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A draft so large that the log has to grow for it.
fn large(title: &str) -> serde_json::Value {
    dormant(title, with(shell("true"), "stdin", json!("x".repeat(60_000))))
}

/// A draft of over a megabyte: its characters are written as six each.
fn huge(title: &str) -> serde_json::Value {
    let filled = |bytes| json!("\u{1}".repeat(bytes));
    let task = with(shell("true"), "stdin", filled(65_000));
    dormant(title, with(with(task, "env", json!({"A": filled(100_000)})), "args", json!([filled(100_000)])))
}

#[test]
fn a_full_disk_refuses_changes_and_keeps_reports_until_there_is_room() {
    if !can_mount() {
        return;
    }
    let place = Place::new();
    fs::create_dir(place.state()).unwrap();
    let script = r#"mount -t tmpfs -o size=2m tmpfs "$SEXTON_STATE_DIR" && exec "$@""#;
    let mut client =
        Spawn::through(&place, &NAMESPACE, script).option("limits", json!({"minIntervalMs": 200})).open();
    expect_storage_errors(&mut client);
    for part in ["a report could not be written", "a run could not begin"] {
        client.expect_error(part);
    }
    client.subscribe(json!({}));
    client.create(dormant("kept", shell("true")));
    let (mut gate, _, run) = place.held_up(&mut client, "at work");
    let ballast = seen_by(&client, &ledger::directory(&client).join("ballast"));
    // Until nothing goes in any more.
    let filled = fs::write(&ballast, vec![0; 4 << 20]).unwrap_err();
    assert_eq!(filled.kind(), std::io::ErrorKind::StorageFull);
    let error = client.refusal("automation/create", large("refused"));
    let sentence = unavailable(&error, "full");
    assert!(sentence.contains("free some space"), "{sentence}");
    let status = until_health(&mut client, "degraded");
    assert_eq!(status["isOwner"], true, "{status}");
    assert_eq!(
        titles(&mut client),
        ["at work", "kept"],
        "what is refused leaves nothing, and reading goes on"
    );
    // Larger than what is kept in memory before the commit, so that SQLite undoes the transaction in its midst.
    unavailable(&client.refusal("automation/create", huge("refused")), "full");
    let status = until_health(&mut client, "degraded");
    let told = status["reasons"].as_array().unwrap();
    assert!(told.iter().all(|reason| reason.as_str().unwrap().contains("free some space")), "{status}");
    assert_eq!(titles(&mut client), ["at work", "kept"]);
    gate.open();
    fs::remove_file(&ballast).unwrap();
    client.wait_for_run(&run, "succeeded");
    client.create(large("works again"));
    until_health(&mut client, "ok");
    client.create(with(every("ticking", 200, shell(LOG)), "access", json!("read")));
    place.wait_for_lines("log", 2);
    assert_eq!(titles(&mut client), ["ticking", "works again", "at work", "kept"]);
    client.finish();
}

#[test]
fn what_was_late_because_the_disk_was_full_is_told_so() {
    if !can_mount() {
        return;
    }
    let place = Place::new();
    fs::create_dir(place.state()).unwrap();
    let script = r#"mount -t tmpfs -o size=2m tmpfs "$SEXTON_STATE_DIR" && exec "$@""#;
    let limits = json!({"minIntervalMs": 200, "graceMs": 100});
    let mut client = Spawn::through(&place, &NAMESPACE, script).option("limits", limits).open();
    expect_storage_errors(&mut client);
    let ballast = seen_by(&client, &ledger::directory(&client).join("ballast"));
    let due = wall_ms() + 3000;
    let id = client.create(once("Backup", due, shell(LOG)));
    let filled = fs::write(&ballast, vec![0; 4 << 20]).unwrap_err();
    assert_eq!(filled.kind(), std::io::ErrorKind::StorageFull);
    until_health(&mut client, "degraded");
    eventually("the time to pass", || (wall_ms() > due + 200).then_some(()));
    fs::remove_file(&ballast).unwrap();
    place.wait_for_lines("log", 1);
    until_health(&mut client, "ok");
    // The command writes its line before anybody has written down that it is running.
    eventually("its run has ended", || {
        client.get("run/list", json!({}))["items"][0]["completedAt"].is_i64().then_some(())
    });
    let told = client.get("automation/explain", json!({"id": id, "at": due}));
    assert_eq!((&told["verdict"], &told["scheduledAt"]), (&json!("ran_late"), &json!(due)), "{told}");
    let summary = told["summary"].as_str().unwrap();
    let why = "because the ledger could not be written from ";
    assert!(summary.contains(why) && summary.contains("(the disk was full)"), "{summary}");
    client.finish();
}

#[test]
fn a_state_directory_on_a_read_only_disk_is_refused_until_it_can_be_written() {
    if !can_mount() {
        return;
    }
    let place = Place::new();
    let directory = known(&place);
    let before = super::contents(&directory);
    let script = r#"mount --bind "$SEXTON_STATE_DIR" "$SEXTON_STATE_DIR" &&
        mount -o remount,bind,ro "$SEXTON_STATE_DIR" && exec "$@""#;
    let mut client = Spawn::through(&place, &NAMESPACE, script).spawn();
    let params = client.initialize_params();
    let sentence = unavailable(&client.refusal("initialize", params), "read_only");
    assert!(sentence.contains("SEXTON_STATE_DIR"), "{sentence}");
    assert!(super::contents(&directory) == before);
    beside(&client, &["mount", "-o", "remount,bind,rw", place.state().to_str().unwrap()]);
    client.initialize();
    assert_eq!(titles(&mut client), ["kept"]);
    client.finish();
}

#[test]
fn a_project_that_is_new_on_a_full_disk_is_refused_and_begins_when_there_is_room() {
    if !can_mount() {
        return;
    }
    let place = Place::new();
    fs::create_dir(place.state()).unwrap();
    let script = r#"mount -t tmpfs -o size=128k tmpfs "$SEXTON_STATE_DIR" && exec "$@""#;
    let mut client = Spawn::through(&place, &NAMESPACE, script).spawn();
    for _ in 0..2 {
        let params = client.initialize_params();
        unavailable(&client.refusal("initialize", params), "full");
    }
    beside(&client, &["mount", "-o", "remount,size=8m", place.state().to_str().unwrap()]);
    client.initialize();
    client.create(dormant("works", shell("true")));
    assert_eq!(titles(&mut client), ["works"]);
    client.finish();
}

/// Files that cannot be changed until this is dropped.
struct Immutable(Vec<PathBuf>);

impl Immutable {
    fn make(paths: Vec<PathBuf>) -> Option<Self> {
        let made = Immutable(paths);
        made.set("+i").then_some(made)
    }

    fn set(&self, flag: &str) -> bool {
        let set = Command::new("chattr").arg(flag).args(&self.0).output();
        set.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        self.set("-i");
    }
}

#[test]
fn files_that_become_read_only_are_told_as_such_and_used_again_when_they_are_not() {
    let place = Place::new();
    let mut client = place.open();
    expect_storage_errors(&mut client);
    client.create(dormant("kept", shell("true")));
    let directory = ledger::directory(&client);
    let log = directory.join("ledger.db-wal");
    let mut known = vec!["kept".to_owned()];
    for (files, title) in [(vec![directory, log.clone()], "works again"), (vec![log], "and again")] {
        let mut frozen = None;
        if !can("make files immutable (chattr +i)", || {
            frozen = Immutable::make(files);
            frozen.is_some()
        }) {
            return client.finish();
        }
        let sentence = unavailable(&client.refusal("automation/create", large("refused")), "read_only");
        assert!(sentence.contains("SEXTON_STATE_DIR"), "{sentence}");
        until_health(&mut client, "degraded");
        assert_eq!(titles(&mut client), known);
        drop(frozen);
        client.create(large(title));
        until_health(&mut client, "ok");
        known.insert(0, title.to_owned());
        assert_eq!(titles(&mut client), known);
    }
    client.finish();
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_of_the_change_and_not_the_end() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let place = Place::new();
    let mut client = place.open();
    expect_storage_errors(&mut client);
    client.create(dormant("kept", shell("true")));
    let pid = Pid::from_raw(client.pid().cast_signed());
    let limit = |current| {
        prlimit(pid, Resource::Fsize, Rlimit { current, maximum: None }).expect("our own child");
    };
    let log = ledger::directory(&client).join("ledger.db-wal");
    limit(Some(fs::metadata(log).unwrap().len()));
    let sentence = unavailable(&client.refusal("automation/create", large("refused")), "io");
    assert!(sentence.contains("limit on the size of files"), "{sentence}");
    until_health(&mut client, "degraded");
    assert_eq!(titles(&mut client), ["kept"]);
    limit(None);
    // Nobody has to ask for anything: it is tried again by itself.
    until_health(&mut client, "ok");
    client.create(large("works again"));
    assert_eq!(titles(&mut client), ["works again", "kept"]);
    client.finish();
}

#[test]
fn what_is_due_and_cannot_be_written_is_tried_about_once_a_second() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let place = Place::new();
    let mut client = place
        .sidecar()
        .option("limits", json!({"minIntervalMs": 20}))
        .env("SEXTON_LOG", "warn,sexton::ledger::writer=debug")
        .open();
    expect_storage_errors(&mut client);
    client.subscribe(json!({}));
    client.create(every("ticking", 20, json!({"kind": "notify", "text": "ding"})));
    client.wait_for_event("it fires", |event| event["run"]["state"] == "succeeded");
    let pid = Pid::from_raw(client.pid().cast_signed());
    let limit = |current| {
        prlimit(pid, Resource::Fsize, Rlimit { current, maximum: None }).expect("our own child");
    };
    limit(Some(0));
    until_health(&mut client, "degraded");
    let attempts = |client: &Client| client.stderr().matches("a transaction failed").count();
    let before = attempts(&client);
    crate::support::nothing_happens(std::time::Duration::from_secs(3), || {});
    let tried = attempts(&client) - before;
    // Due a hundred and fifty times meanwhile; the upkeep tries now and then as well.
    assert!((1..=8).contains(&tried), "{tried} attempts in three seconds");
    limit(None);
    until_health(&mut client, "ok");
    client.finish();
}

#[test]
fn outputs_that_have_no_place_are_told_until_they_have_one() {
    let place = Place::new();
    let mut client = place.open();
    client.expect_error("no command can be started");
    client.subscribe(json!({}));
    let automation = client.create(dormant("kept", shell("true")));
    let runs = ledger::directory(&client).join("runs");
    fs::remove_dir(&runs).unwrap();
    fs::write(&runs, "").unwrap();
    let status = until_health(&mut client, "degraded");
    let told = status["reasons"][0].as_str().unwrap();
    assert!(told.starts_with("no command can be started") && told.contains("remove"), "{status}");
    fs::remove_file(&runs).unwrap();
    until_health(&mut client, "ok");
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    client.finish();
}
