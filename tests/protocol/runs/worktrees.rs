//! Runs in a worktree of their own: where they work, what they are told to have changed, and who waits for whom.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::git::{self, Repository};
use crate::support::{Place, eventually, faults, nothing_happens};

fn in_worktree(name: &str, line: &str) -> Value {
    with(dormant(name, shell(line)), "where", json!({"worktree": name}))
}

/// A run that succeeds, as it ended.
fn carry_out(client: &mut Client, automation: &Value) -> Value {
    let run = client.run(automation);
    client.wait_for_run(&run, "succeeded")
}

#[test]
fn a_run_works_in_its_worktree_and_the_next_one_goes_on_there() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    let line = "pwd; echo line >> kept; echo new > \"$SEXTON_RUN_ID\"; git add . && git -c user.name=a -c user.email=b commit -qm work";
    let automation = client.create(in_worktree("Nightly Fixes!", line));
    let stored = client.get("automation/get", json!({"id": automation}));
    assert_eq!(stored["where"], json!({"worktree": "nightly-fixes"}), "the answer shows the name");
    let asked = client.get("automation/run", json!({"id": automation}));
    let worktree = repository.worktree("nightly-fixes");
    assert_eq!((&asked["directory"], &asked["worktree"]), (&json!(worktree), &json!("nightly-fixes")));
    let first = client.wait_for_run(&asked["id"], "succeeded");
    assert_eq!(first["end"]["tail"], format!("{}\n", worktree.display()));
    let id = first["id"].as_str().unwrap();
    assert_eq!(first["result"]["files"], json!(["kept", id]));
    assert_eq!(first["result"]["diffstat"], json!({"files": 2, "insertions": 2, "deletions": 0}));
    fs::write(worktree.join("by hand"), "not committed\n").unwrap();
    let second = carry_out(&mut client, &automation);
    assert_eq!(second["result"]["diffstat"], json!({"files": 2, "insertions": 2, "deletions": 0}));
    assert_eq!(fs::read_to_string(worktree.join("kept")).unwrap(), "line\nline\n");
    assert_eq!(git::git(&worktree, &["rev-parse", "--abbrev-ref", "HEAD"]), "sexton/nightly-fixes");
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    for run in [&first, &second] {
        let state = std::path::Path::new(client.opened["stateDirectory"].as_str().unwrap());
        let kept = state.join("runs").join(run["id"].as_str().unwrap());
        let names: Vec<_> = fs::read_dir(kept).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["output.log"], "nothing is left of the look at what was there");
    }
    client.finish();
}

#[test]
fn what_fails_or_works_elsewhere_has_no_files() {
    let place = Place::new();
    let Some(_repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    let automation = client.create(in_worktree("failing", "echo x > file; exit 3"));
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!((&run["result"], &run["end"]["exitCode"]), (&Value::Null, &json!(3)));
    let automation = client.create(dormant("in the project", shell("echo x > file")));
    let run = carry_out(&mut client, &automation);
    assert_eq!(run["result"], json!({"text": null, "outcome": null}));
    assert!(run.get("worktree").is_none());
    client.finish();
}

#[test]
fn each_worktree_is_a_directory_of_its_own_for_locks_holds_and_closes() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let line = format!("echo begun >> begun; read line < '{}'", place.file("gate").display());
    let mut begin = |name: &str, title: &str| {
        let draft = with(dormant(title, shell(&line)), "where", json!({"worktree": name}));
        let automation = client.create(draft);
        client.get("automation/run", json!({"id": automation}))
    };
    let (one, other, behind) = (begin("one", "a"), begin("other", "b"), begin("one", "c"));
    for run in [&one, &other] {
        client.wait_for_run(&run["id"], "running");
    }
    assert_eq!((&behind["waiting"]["for"], &behind["waiting"]["behind"]), (&json!("directory"), &one["id"]));
    let directory = |name: &str| repository.worktree(name).display().to_string();
    let held = client.get("directory/hold", json!({"directory": directory("held"), "title": "mine"}));
    let waiting = client.create(in_worktree("held", "true"));
    let waiting = client.get("automation/run", json!({"id": waiting}));
    assert_eq!(waiting["waiting"]["for"], "directory", "{waiting}");
    client.get("directory/release", json!({"subscription": held}));
    client.wait_for_run(&waiting["id"], "succeeded");
    let close = json!({"kind": "reload", "mode": "maintenance", "directories": [directory("other")]});
    let close = client.get("lifecycle/close", close);
    assert_eq!((&close["status"], &close["waitingFor"]["runs"]), (&json!("deferred"), &json!([other["id"]])));
    assert_eq!(close["affectedDirectoryKeys"], json!([other["directory"]]));
    for _ in 0..3 {
        gate.open();
    }
    for run in [&one, &other, &behind] {
        client.wait_for_run(&run["id"], "succeeded");
    }
    client.finish();
}

#[test]
fn a_worktree_that_is_not_to_be_had_fails_the_run_and_pauses_what_would_fail_again() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    repository.write(".worktrees/sexton/taken", "mine\n");
    let automation = client.create(in_worktree("taken", "echo ran > ran"));
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!((&run["error"]["code"], &run["error"]["class"]), (&json!("start_failed"), &json!("config")));
    let why = run["error"]["message"].as_str().unwrap();
    assert!(why.contains("is a file") && why.contains("`taken`"), "{why}");
    assert_eq!((&run["startedAt"], &run["end"]), (&Value::Null, &Value::Null));
    assert_eq!(repository.git(&["branch", "--list", "sexton/*"]), "", "no other name is tried");
    // Whoever moves it away and resumes gets what was wanted.
    fs::remove_file(repository.worktree("taken")).unwrap();
    client.get("automation/resume", json!({"id": automation}));
    carry_out(&mut client, &automation);
    assert!(repository.worktree("taken").join("ran").exists());
    client.finish();
}

#[test]
fn without_git_there_are_no_worktrees() {
    let place = Place::new();
    let Some(_repository) = Repository::at(&place.project()) else { return };
    let empty = place.beside("empty");
    fs::create_dir(&empty).unwrap();
    let mut client = place.sidecar().env("PATH", empty.to_str().unwrap()).open();
    client.subscribe(json!({}));
    let task = json!({"kind": "command", "program": "/bin/sh", "args": ["-c", "true"]});
    let automation = client.create(with(dormant("w", task), "where", json!({"worktree": "w"})));
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    let why = run["error"]["message"].as_str().unwrap();
    assert!(why.contains("no program `git`"), "{why}");
    client.finish();
}

#[test]
fn a_run_that_is_stopped_while_its_worktree_is_made_never_starts() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    repository.git(&["config", "filter.slow.smudge", "touch smudging; read line < \"$GATE\"; cat"]);
    repository.write(".gitattributes", "README filter=slow\n");
    repository.commit("slow");
    let mut gate = place.gate("gate");
    let mut client = place.sidecar().env("GATE", place.file("gate").to_str().unwrap()).open();
    client.subscribe(json!({}));
    let automation = client.create(in_worktree("w", "echo ran > ran"));
    let making = |client: &mut Client| {
        let smudging = repository.worktree("w").join("smudging");
        let run = client.run(&automation);
        eventually("git is at it", || smudging.exists().then_some(()));
        run
    };
    let run = making(&mut client);
    client.get("run/cancel", json!({"id": run}));
    let run = client.wait_for_run(&run, "stopped");
    assert_eq!((&run["stopReason"], &run["startedAt"]), (&json!("cancelled"), &Value::Null));
    // What was half made is made anew, by the next one that needs it.
    fs::remove_file(repository.worktree("w").join("smudging")).unwrap();
    let run = making(&mut client);
    gate.open();
    client.wait_for_run(&run, "succeeded");
    assert_eq!(fs::read_to_string(repository.worktree("w").join("README")).unwrap(), "first\n");
    client.finish();
}

#[test]
fn one_that_is_still_made_when_its_sidecar_was_killed_is_waited_for() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    repository.git(&[
        "config",
        "filter.slow.smudge",
        "echo smudging >> \"$BEGUN\"; read line < \"$GATE\"; cat",
    ]);
    repository.write(".gitattributes", "README filter=slow\n");
    repository.commit("slow");
    let mut gate = place.gate("gate");
    let (gate_path, begun) = (place.file("gate"), place.file("begun"));
    let open = || {
        let sidecar = place.sidecar().env("GATE", gate_path.to_str().unwrap());
        sidecar.env("BEGUN", begun.to_str().unwrap()).open()
    };
    let (mut first, mut second) = (open(), open());
    second.subscribe(json!({}));
    let automation = first.create(in_worktree("w", "cat README"));
    let killed = first.run(&automation);
    place.wait_for_lines("begun", 1);
    first.kill();
    second.wait_for_run(&killed, "stopped");
    let run = second.run(&automation);
    let waits = "the second one waits for the first";
    nothing_happens(Duration::from_millis(300), || assert_eq!(place.lines("begun").len(), 1, "{waits}"));
    gate.open();
    let run = second.wait_for_run(&run, "succeeded");
    assert_eq!((&run["end"]["tail"], place.lines("begun").len()), (&json!("first\n"), 1));
    second.finish();
}

#[test]
fn a_worktree_that_takes_longer_than_a_start_may_fails_the_run() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    repository.git(&["config", "filter.slow.smudge", "read line < \"$GATE\"; cat"]);
    repository.write(".gitattributes", "README filter=slow\n");
    repository.commit("slow");
    let _gate = place.gate("gate");
    let mut client = place.sidecar().env("GATE", place.file("gate").to_str().unwrap()).open();
    client.subscribe(json!({}));
    let draft = with(in_worktree("w", "echo ran > ran"), "policy", json!({"startMs": 1000}));
    let automation = client.create(draft);
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!((&run["error"]["code"], &run["startedAt"]), (&json!("timed_out"), &Value::Null));
    assert!(run["error"]["message"].as_str().unwrap().contains("startMs"));
    client.finish();
}

#[test]
fn a_worktree_is_named_by_create_and_by_edits_where_git_is() {
    let place = Place::new();
    let Some(_repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    assert_eq!(client.opened["project"]["vcs"], "git");
    let id = client.create(dormant("t", shell("true")));
    let patched = |client: &mut Client, worktree: Value| {
        let patch = json!({"id": id, "patch": {"where": {"worktree": worktree}}});
        let edited = client.get("automation/update", patch);
        (edited["where"].clone(), edited["revision"].as_i64().unwrap())
    };
    assert_eq!(patched(&mut client, json!("A  B")), (json!({"worktree": "a-b"}), 2));
    assert_eq!(
        patched(&mut client, json!("a-B")),
        (json!({"worktree": "a-b"}), 2),
        "the same name is no edit"
    );
    assert_eq!(patched(&mut client, json!("x".repeat(100))), (json!({"worktree": "x".repeat(64)}), 3));
    assert_eq!(patched(&mut client, Value::Null), (json!({}), 4));
    let prompt = json!({"kind": "prompt", "prompt": "x", "model": {"providerID": "p", "modelID": "m"},
        "context": "continue"});
    let draft = with(dormant("t", prompt.clone()), "where", json!({"worktree": "w"}));
    let draft = with(draft, "access", json!("admin"));
    let expected = ["where.worktree unsupported_continue_with_worktree", "access unknown_value"];
    assert_eq!(faults(&client.refusal("automation/create", draft)), expected);
    let placed = client.create(in_worktree("w", "true"));
    let error = client.refusal("automation/update", json!({"id": placed, "patch": {"task": prompt}}));
    assert_eq!(faults(&error), ["where.worktree unsupported_continue_with_worktree"]);
    client.finish();
}

#[test]
fn a_window_that_serves_finds_the_worktree_there() {
    let place = Place::new();
    let Some(repository) = Repository::at(&place.project()) else { return };
    let mut client = place.open();
    client.subscribe(json!({}));
    client.serve();
    let draft = crate::support::app::prompted(json!({}));
    let automation = client.create(with(draft, "where", json!({"worktree": "w"})));
    let run = client.run(&automation);
    let start = client.hears(&run, "start");
    assert_eq!(start["run"]["directory"], json!(repository.worktree("w")));
    assert!(repository.worktree("w").join("README").exists());
    client.report(&run, json!({"type": "started", "sessionID": "s"}));
    client.report(&run, json!({"type": "finished", "text": "done"}));
    client.wait_for_run(&run, "succeeded");
    // One that is not to be had is the end of the run, and the window hears nothing of it.
    repository.write(".worktrees/sexton/taken", "mine\n");
    let draft = crate::support::app::prompted(json!({}));
    let automation = client.create(with(draft, "where", json!({"worktree": "taken"})));
    let run = client.run(&automation);
    let failed = client.wait_for_run(&run, "failed");
    assert_eq!(
        (&failed["error"]["code"], &failed["error"]["class"]),
        (&json!("start_failed"), &json!("config"))
    );
    assert_eq!(client.told("start").len(), 1);
    client.finish();
}
