//! Other users of the machine, and what stands in the place of what is kept.

use std::fs;
use std::os::unix::fs::{chown, lchown, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::drafts::{dormant, shell};
use crate::support::{Place, kind, ledger};

/// Somebody who is not the one that runs the tests.
const STRANGER: u32 = 54_321;

/// Whether this may give files away. Where it may not, nobody else's are made, and that is said.
fn may_give_away() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("NOT TESTED: only root can give files to another user");
    }
    is_root
}

/// Why a window does not open.
fn refusal(place: &Place) -> Value {
    let mut client = place.sidecar().spawn();
    let params = client.initialize_params();
    client.refusal("initialize", params)
}

fn says(refused: &Value, words: &str) {
    assert_eq!(kind(refused), "storage_unavailable", "{refused}");
    let message = refused["message"].as_str().expect("a sentence");
    assert!(message.contains(words), "{message}");
}

#[test]
fn what_belongs_to_another_user_is_not_used() {
    if !may_give_away() {
        return;
    }
    let place = Place::new();
    let client = place.open();
    let directory = ledger::directory(&client);
    client.finish();
    let own = |path: &Path, owner: u32| chown(path, Some(owner), None).unwrap();
    for name in ["", "runs", "instances", "bell"] {
        let given = directory.join(name);
        own(&given, STRANGER);
        says(&refusal(&place), "belongs to the user with the number 54321");
        own(&given, rustix::process::geteuid().as_raw());
    }
    // Nothing is made in what somebody else has put there before us.
    fs::remove_dir_all(&directory).unwrap();
    fs::create_dir(&directory).unwrap();
    own(&directory, STRANGER);
    says(&refusal(&place), "belongs to the user with the number 54321");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "nothing was made there");
    // Nor where somebody else's link leads.
    fs::remove_dir(&directory).unwrap();
    let elsewhere = place.beside("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &directory).unwrap();
    lchown(&directory, Some(STRANGER), None).unwrap();
    says(&refusal(&place), "belongs to the user with the number 54321");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0, "nothing was made there");
    // A link of one's own is one's own matter.
    lchown(&directory, Some(rustix::process::geteuid().as_raw()), None).unwrap();
    place.open().finish();
}

#[test]
fn no_directory_of_the_project_becomes_a_ledger_by_a_relative_path() {
    let place = Place::new();
    let mut client =
        place.sidecar().env("SEXTON_STATE_DIR", "state").working_directory(&place.project()).spawn();
    let params = client.initialize_params();
    says(&client.refusal("initialize", params), "set SEXTON_STATE_DIR to an absolute path");
    assert!(!place.file("state").exists());
}

#[test]
fn a_pipe_or_a_link_in_the_place_of_an_output_keeps_nobody_waiting_and_leads_nowhere() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let automation = client.create(dormant("writes", shell("echo written")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    let output = ledger::directory(&client).join("runs").join(run.as_str().unwrap()).join("output.log");
    let private = place.beside("private");
    fs::write(&private, "of somebody else\n").unwrap();
    for stand_in in ["pipe", "link"] {
        fs::remove_file(&output).unwrap();
        match stand_in {
            "pipe" => assert!(Command::new("mkfifo").arg(&output).status().unwrap().success()),
            _ => symlink(&private, &output).unwrap(),
        }
        let refused = client.refusal("run/output", json!({"id": run}));
        says(&refused, "something else stands in the place of the file");
        // Others are answered meanwhile.
        client.get("automation/list", json!({}));
    }
    client.finish();
}

#[test]
fn a_pipe_in_the_place_of_a_lock_or_the_marker_keeps_nobody_waiting() {
    for name in ["ledger.json", "ledger.db", "owner.lock"] {
        let place = Place::new();
        let client = place.open();
        let file = ledger::directory(&client).join(name);
        client.finish();
        let _ = fs::remove_file(&file);
        assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
        let mut client = place.sidecar().spawn();
        client.expect_error("owner.lock");
        // It opens or says why not; either way it answers.
        let params = client.initialize_params();
        let answered = client.ask("initialize", params);
        match name {
            "ledger.db" => says(&answered.unwrap_err(), "no file"),
            _ => {
                answered.unwrap();
                client.finish();
            }
        }
    }
}
