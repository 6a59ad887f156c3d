//! A repository that wants to be run.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::agents::{AGENT, scripted};
use crate::support::drafts::{dormant, shell, with};
use crate::support::git::Repository;
use crate::support::program;

/// Names that a program of the repository could be found by.
const NAMES: [&str; 8] = ["git", "sexton", "agent", "claude", "opencode", "sh", "env", "git-lfs"];

/// Files that other tools read without being asked, each with this program in it.
fn bait(repository: &Repository, program: &str) {
    for name in NAMES {
        let path = repository.file(name);
        program::write(&path, &format!("#!/bin/sh\nexec {program} {name} \"$@\"\n"));
    }
    let provider = json!({"providers": {AGENT: {"command": [program, "provider"]}}}).to_string();
    for name in [".sexton/config.json", "sexton.json", "config.json", ".config/sexton/config.json"] {
        repository.write(name, &provider);
    }
    repository.write(".env", &format!("GIT_SSH_COMMAND={program}\nPATH=.\nSEXTON_STATE_DIR=.\nBAIT=taken\n"));
    let scripts = json!({"scripts": {"prepare": program, "preinstall": program}});
    repository.write("package.json", &scripts.to_string());
    repository.write(".gitattributes", "* diff=bait merge=bait\n");
}

/// What the repository has git start, by its own configuration and by hooks.
fn bait_git(repository: &Repository, program: &str) {
    for (name, value) in [
        ("core.fsmonitor", format!("{program} fsmonitor")),
        ("core.sshCommand", format!("{program} ssh")),
        ("core.editor", format!("{program} editor")),
        ("core.pager", format!("{program} pager")),
        ("core.hooksPath", repository.file("hooks").display().to_string()),
        ("diff.external", format!("{program} external")),
        ("diff.bait.textconv", format!("{program} textconv")),
        ("diff.bait.command", format!("{program} command")),
        ("merge.bait.driver", format!("{program} driver")),
        ("credential.helper", format!("!{program} credential")),
        ("gpg.program", program.to_owned()),
        ("gc.auto", "1".to_owned()),
        ("alias.add", format!("!{program} alias")),
    ] {
        repository.git(&["config", name, &value]);
    }
    for place in ["hooks", ".git/hooks"] {
        for hook in
            ["post-checkout", "pre-commit", "post-index-change", "reference-transaction", "pre-auto-gc"]
        {
            let path = repository.file(place).join(hook);
            fs::create_dir_all(path.parent().expect("the place")).expect("the place");
            program::write(&path, &format!("#!/bin/sh\nexec {program} hook {hook}\n"));
        }
    }
}

#[test]
fn nothing_of_a_repository_is_started_because_it_is_there() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let trace = place.beside("trace");
    // The names of places have a blank, and those of programs here have not.
    let short = tempfile::tempdir().unwrap();
    let program = short.path().join("bait");
    program::write(&program, &format!("#!/bin/sh\necho \"$@\" >> '{}'\n", trace.display()));
    let program = program.to_str().unwrap();
    bait(&repository, program);
    repository.commit("bait");
    bait_git(&repository, program);

    let usual = Command::new("sh").args(["-c", "printf %s \"$PATH\""]).output().unwrap().stdout;
    let path = format!(".:hooks::{}", String::from_utf8(usual).unwrap());
    let agent = scripted(&place, "told", &json!({"prompt": [{"say": "done"}]}));
    let sidecar = place.sidecar().env("PATH", &path).working_directory(&place.project());
    let mut client = sidecar.option("providers", json!({AGENT: agent})).open();
    client.subscribe(json!({}));
    client.get("provider/refresh", json!({}));
    let listed = client.get("provider/list", json!({}))["items"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "the user's own and no other: {listed}");
    let model = json!({"providerID": AGENT, "modelID": "large"});
    let line = "test -z \"$BAIT\" && /bin/echo changed > made";
    let command = json!({"kind": "command", "program": "/bin/sh", "args": ["-c", line]});
    let prompt = json!({"kind": "prompt", "prompt": "look", "model": model});
    let in_worktree = |draft: Value| with(draft, "where", json!({"worktree": "w"}));
    for draft in [
        dormant("command", command.clone()),
        dormant("prompt", prompt.clone()),
        in_worktree(dormant("command in a worktree", command)),
        in_worktree(dormant("prompt in a worktree", prompt)),
    ] {
        let automation = client.create(draft);
        let run = client.run(&automation);
        let ended = client.wait_for_run(&run, "succeeded");
        assert!(ended["error"].is_null(), "{ended}");
    }
    client.finish();
    for args in [vec!["doctor"], vec!["worktree", "prune"], vec!["status"], vec!["list"], vec!["timeline"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
        command.args(&args).current_dir(place.project()).env("PATH", &path);
        command.env("SEXTON_STATE_DIR", place.state()).env("XDG_CONFIG_HOME", place.configuration());
        assert!(command.output().unwrap().status.code().is_some(), "{args:?}");
    }
    let told = fs::read_to_string(&trace).unwrap_or_default();
    assert_eq!(told, "", "what was started of the repository");
}

#[test]
fn what_git_would_read_for_ever_keeps_no_run_from_being_started() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    let made = client.create(with(dormant("first", shell("true")), "where", json!({"worktree": "w"})));
    let run = client.run(&made);
    client.wait_for_run(&run, "succeeded");
    let index = repository.git(&["-C", ".worktrees/sexton/w", "rev-parse", "--git-path", "index"]);
    let index = repository.file(".worktrees/sexton/w").join(index);
    for stand_in in ["pipe", "device"] {
        fs::remove_file(&index).unwrap();
        match stand_in {
            "pipe" => assert!(Command::new("mkfifo").arg(&index).status().unwrap().success()),
            _ => std::os::unix::fs::symlink("/dev/zero", &index).unwrap(),
        }
        let run = client.run(&made);
        let ended = client.wait_for_run(&run, "succeeded");
        assert_eq!(ended["result"]["files"], Value::Null, "{stand_in}: what cannot be seen is left out");
    }
    client.finish();
}
