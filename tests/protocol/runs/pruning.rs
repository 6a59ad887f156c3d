//! `sexton worktree prune`: what nobody needs any more goes, and nothing is lost.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::git::{self, Repository};

/// What a run does to have something of its own in its worktree.
const COMMIT: &str = "echo work > work; git add . && git -c user.name=a -c user.email=b commit -qm work";

fn prune(place: &Place, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
    for name in ["SEXTON_LOG", "SEXTON_RUN_ID", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", place.configuration()).env("SEXTON_STATE_DIR", place.state());
    command.args(["worktree", "prune"]).args(args).current_dir(place.project()).output().expect("sexton")
}

fn told(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What is told of this one.
fn of<'a>(lines: &'a [String], name: &str) -> &'a str {
    let line = lines.iter().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("nothing of {name} in {lines:?}"))
}

/// A run that does this in the worktree of this name.
fn work(client: &mut Client, name: &str, line: &str) -> Value {
    let automation = client.create(with(dormant(name, shell(line)), "where", json!({"worktree": name})));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded")
}

fn merge(repository: &Repository, name: &str) {
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "taken over", &format!("sexton/{name}")]);
}

#[test]
fn what_is_merged_or_empty_goes_and_everything_else_stays() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    work(&mut client, "empty", "true");
    work(&mut client, "merged", COMMIT);
    work(&mut client, "unmerged", &COMMIT.replace("work", "other"));
    work(&mut client, "uncommitted", "echo never committed > work");
    let saved = work(&mut client, "saved", &format!("{}; echo more > more", COMMIT.replace("work", "third")));
    fs::write(repository.worktree("saved").join("third"), "changed\n").unwrap();
    for name in ["merged", "saved"] {
        merge(&repository, name);
    }
    let reference = format!("refs/sexton/{}", saved["id"].as_str().unwrap());
    let before = repository.everything();
    let dry = told(&prune(&place, &["--dry-run"]));
    assert!(repository.everything() == before, "a dry run changes nothing");
    assert_eq!(of(&dry, "empty"), "would be removed");
    assert_eq!(
        of(&dry, "saved"),
        format!("would be removed; what is not committed would be saved at {reference}")
    );
    let lines = told(&prune(&place, &[]));
    assert_eq!(lines.len(), 5);
    for name in ["empty", "merged"] {
        assert_eq!(of(&lines, name), "removed");
    }
    assert_eq!(of(&lines, "saved"), format!("removed; what was not committed is saved at {reference}"));
    assert!(of(&lines, "unmerged").starts_with("kept: its commits are on no other branch"), "{lines:?}");
    assert_eq!(of(&lines, "uncommitted"), "kept: there is work in it that was never committed");
    for (name, is_there) in
        [("empty", false), ("merged", false), ("saved", false), ("unmerged", true), ("uncommitted", true)]
    {
        assert_eq!(repository.worktree(name).exists(), is_there, "{name}");
        let branch = repository.git(&["branch", "--list", &format!("sexton/{name}")]);
        assert_eq!(!branch.is_empty(), is_there, "{name}");
    }
    assert!(repository.worktree("uncommitted").join("work").exists());
    for (file, content) in [("third", "changed"), ("more", "more"), ("README", "first")] {
        assert_eq!(repository.git(&["show", &format!("{reference}:{file}")]), content);
    }
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    // The next run begins anew, from HEAD.
    work(&mut client, "merged", "test -e work");
    assert_eq!(told(&prune(&place, &[])).len(), 3);
    client.finish();
}

#[test]
fn what_somebody_uses_stays() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    for name in ["active", "waiting", "held", "locked", "merging", "outer"] {
        work(&mut client, name, "true");
    }
    let mut gate = place.gate("gate");
    let line = format!("read line < '{}'", place.file("gate").display());
    let mut begin = |name: &str| {
        let automation = client.create(with(dormant(name, shell(&line)), "where", json!({"worktree": name})));
        client.run(&automation)
    };
    let runs = [begin("active"), begin("active"), begin("waiting")];
    client.wait_for_run(&runs[0], "running");
    client.wait_for_run(&runs[2], "running");
    let directory = repository.worktree("held").join("below");
    let hold = client.get("directory/hold", json!({"directory": directory, "title": "a look at it"}));
    repository.git(&[
        "worktree",
        "lock",
        "--reason",
        "mine",
        repository.worktree("locked").to_str().unwrap(),
    ]);
    let outer = repository.worktree("outer");
    git::git(&outer, &["worktree", "add", "--quiet", "-b", "inner", ".worktrees/sexton/inner"]);
    let merging = repository.worktree("merging");
    git::git(&merging, &["checkout", "--quiet", "-b", "aside"]);
    git::write(&merging.join("README"), "aside\n");
    git::commit(&merging, "aside");
    repository.write("README", "main\n");
    repository.commit("main");
    git::git_fails(&merging, &["-c", "user.name=a", "-c", "user.email=b", "merge", "main"]);
    let lines = told(&prune(&place, &[]));
    assert_eq!(of(&lines, "active"), format!("kept: run {} works there", runs[0].as_str().unwrap()));
    assert!(of(&lines, "waiting").ends_with("works there"));
    assert_eq!(of(&lines, "held"), "kept: somebody works there: a look at it");
    assert_eq!(of(&lines, "locked"), "kept: it is locked (`git worktree unlock`): mine");
    assert_eq!(of(&lines, "merging"), "kept: it is in the middle of a merge");
    assert_eq!(of(&lines, "outer"), "kept: there are other worktrees in it");
    gate.open();
    gate.open();
    gate.open();
    for run in &runs {
        client.wait_for_run(run, "succeeded");
    }
    client.get("directory/release", json!({"subscription": hold}));
    let lines = told(&prune(&place, &[]));
    for name in ["active", "waiting", "held"] {
        assert_eq!(of(&lines, name), "removed");
    }
    client.finish();
}

#[test]
fn what_could_not_be_brought_back_stays() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    let names = ["nested", "detached", "gone"];
    for name in names {
        work(&mut client, name, &COMMIT.replace("work", name));
        merge(&repository, name);
    }
    // A repository inside of it, of which a commit would keep a name only.
    Repository::at(&repository.worktree("nested").join("inner")).unwrap();
    let detached = repository.worktree("detached");
    git::git(&detached, &["checkout", "--quiet", "--detach"]);
    git::git(
        &detached,
        &["-c", "user.name=a", "-c", "user.email=b", "commit", "-q", "--allow-empty", "-m", "x"],
    );
    fs::remove_dir_all(repository.worktree("gone")).unwrap();
    let lines = told(&prune(&place, &[]));
    assert!(of(&lines, "nested").starts_with("kept: there is another repository in it"), "{lines:?}");
    assert!(of(&lines, "detached").starts_with("kept: its commits are on no other branch"), "{lines:?}");
    assert!(of(&lines, "gone").starts_with("kept: its directory was deleted"), "{lines:?}");
    for name in names {
        assert_eq!(repository.worktree(name).exists(), name != "gone", "{name}");
        assert_ne!(repository.git(&["branch", "--list", &format!("sexton/{name}")]), "", "{name}");
    }
    client.finish();
}

#[test]
fn who_may_not_or_cannot_is_told_so() {
    let place = Place::new();
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let Some(repository) = Repository::empty_at(&place.project()) else { return };
    assert_eq!(told(&prune(&place, &[])), ["there are no worktrees of automations here"]);
    fs::remove_dir_all(repository.file(".git")).unwrap();
    let output = prune(&place, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("not a git repository"), "{}", said(&output));
    let output = prune(&place, &["--project", "no such"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--project"), "{}", said(&output));
}

#[test]
fn a_run_may_not_prune_but_may_look() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    work(&mut client, "empty", "true");
    let sexton = env!("CARGO_BIN_EXE_sexton");
    let line = format!("'{sexton}' worktree prune --dry-run && ! '{sexton}' worktree prune");
    let automation = client.create(dormant("inside", shell(&line)));
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "succeeded");
    let tail = run["end"]["tail"].as_str().unwrap();
    assert!(tail.contains("empty: would be removed") && tail.contains(run["id"].as_str().unwrap()), "{tail}");
    assert!(repository.worktree("empty").exists());
    client.finish();
}
