//! Nobody but the user reads what is kept, whatever the umask.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::agents::{AGENT, scripted_agent};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::git::Repository;
use crate::support::{Place, Spawn, ledger};

/// Everything below a state directory, with its mode.
fn kept(state: &Path) -> Vec<(PathBuf, u32)> {
    let (mut unseen, mut all) = (vec![state.to_owned()], Vec::new());
    while let Some(path) = unseen.pop() {
        // Files may go while they are listed.
        let Ok(there) = fs::symlink_metadata(&path) else { continue };
        all.push((path.clone(), there.permissions().mode() & 0o7777));
        // What git writes has the modes that git gives it; the directory around it is the user's alone.
        if there.is_dir() && !path.ends_with("before/objects") {
            unseen.extend(
                fs::read_dir(&path).into_iter().flatten().map(|entry| entry.expect("the place").path()),
            );
        }
    }
    all
}

/// That all of it is the user's alone, and that these are among it.
fn is_private(state: &Path, names: &[&str]) {
    let kept = kept(state);
    for name in names {
        assert!(kept.iter().any(|(path, _)| path.ends_with(name)), "{name} is not there: {kept:?}");
    }
    // An index that git has written, in a directory of the user's alone.
    let by_git = |path: &Path| path.ends_with("before/index");
    for (path, mode) in kept.iter().filter(|(path, _)| !by_git(path)) {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(*mode, wanted, "{} has mode {mode:04o}", path.display());
    }
}

/// A window that was started with this umask, and an agent that it has.
fn window(place: &Place, umask: &str) -> Client {
    let says = json!({"prompt": [{"say": "done"}]}).to_string();
    let env = json!({"SCRIPTED_AGENT": says, "SCRIPTED_AGENT_LOG": place.beside("told"),
        "SCRIPTED_AGENT_SESSIONS": place.beside("sessions")});
    let command = json!(["sh", "-c", "echo complaining >&2; exec \"$0\"", scripted_agent()]);
    let script = format!(r#"umask {umask}; exec "$@""#);
    let sidecar = Spawn::through(place, &["sh"], &script);
    let mut client = sidecar.option("providers", json!({AGENT: {"command": command, "env": env}})).open();
    client.subscribe(json!({}));
    client
}

/// Has doctor repair a ledger of which the last page is missing.
fn repair(place: &Place, directory: &Path, umask: &str) {
    ledger::into_one_file(directory.join("ledger.db"));
    let whole = fs::read(directory.join("ledger.db")).expect("the place");
    fs::write(directory.join("ledger.db"), &whole[..whole.len() - 4096]).expect("the place");
    let script = format!(r#"umask {umask}; exec "$@""#);
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_sexton"), "doctor", "--repair"]);
    command.current_dir(place.project()).env("SEXTON_STATE_DIR", place.state());
    let told = command.env("XDG_CONFIG_HOME", place.configuration()).output().expect("the place");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("a new ledger stands in the place"), "{told}");
}

#[test]
fn all_that_is_kept_is_its_users_alone_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        let place = Place::new();
        let Some(_repository) = Repository::at(&place.project()) else { return };
        let mut client = window(&place, umask);
        let directory = ledger::directory(&client);
        // Commands have the umask that the user gave.
        let plain = client.create(dormant("plain", shell("umask")));
        let run = client.run(&plain);
        let ended = client.wait_for_run(&run, "succeeded");
        assert!(ended["end"]["tail"].as_str().unwrap().trim_end().ends_with(umask), "{ended}");
        let model = json!({"providerID": AGENT, "modelID": "large"});
        let prompt = dormant("asks", json!({"kind": "prompt", "prompt": "look", "model": model}));
        let precheck = json!({"precheck": {"program": "echo", "args": ["facts"], "timeoutMs": 10_000}});
        let asks = client.create(with(prompt, "policy", precheck));
        let run = client.run(&asks);
        client.wait_for_run(&run, "succeeded");
        // One that is at work, so that what was there before it is kept.
        let gate = place.beside("gate");
        assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
        let mut gate_file = fs::OpenOptions::new().read(true).write(true).open(&gate).unwrap();
        let line = format!("read line < '{}'", gate.display());
        let draft = with(dormant("in a worktree", shell(&line)), "where", json!({"worktree": "w"}));
        let worktree = client.create(draft);
        let run: Value = client.run(&worktree);
        client.wait_for_run(&run, "running");
        let names = ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.json", "owner.lock", "bell/ring"];
        is_private(&directory, &names);
        is_private(
            &directory,
            &["output.log", "agent.log", "precheck.out", "worktrees.lock", "before/objects"],
        );
        std::io::Write::write_all(&mut gate_file, b"go\n").unwrap();
        client.wait_for_run(&run, "succeeded");
        client.finish();
        repair(&place, &directory, umask);
        is_private(&directory, &["damaged", "ledger.db", "ledger.json"]);
        let client = window(&place, umask);
        is_private(&directory, &["ledger.db-wal"]);
        client.finish();
    }
}

#[test]
fn what_others_could_read_below_it_is_made_private_as_well() {
    let place = Place::new();
    let client = place.open();
    let directory = ledger::directory(&client);
    client.finish();
    for name in ["runs", "instances", "bell", "ledger.db"] {
        let mode = if name == "ledger.db" { 0o666 } else { 0o777 };
        fs::set_permissions(directory.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let client = place.open();
    is_private(&directory, &["runs", "instances", "bell", "ledger.db"]);
    client.finish();
}
