//! Agents that work in worktrees.

use serde_json::{Value, json};

use super::{Bench, asking, carried_out, ended, subscribed, words};
use crate::support::drafts::with;

fn in_worktree(name: &str, prompt: &str) -> Value {
    with(asking(prompt), "where", json!({"worktree": name}))
}

#[test]
fn an_agent_works_in_its_worktree_and_nowhere_else() {
    let Some((bench, repository)) = Bench::in_repository() else { return };
    let mut client = bench.open();
    let run = carried_out(&mut client, in_worktree("Nightly", "[write:made][say:Done.\nOutcome: nothing]"));
    let worktree = repository.worktree("nightly");
    assert_eq!((&run["directory"], &run["worktree"]), (&json!(worktree), &json!("nightly")));
    assert_eq!((&run["result"]["files"], &run["result"]["outcome"]), (&json!(["made"]), &json!("changed")));
    assert_eq!(run["result"]["diffstat"], json!({"files": 1, "insertions": 1, "deletions": 0}));
    assert!(worktree.join("made").exists());
    let told = bench.told(&run);
    assert_eq!(told[0]["started"]["cwd"], json!(worktree));
    let new = told.iter().find(|line| line["method"] == "session/new").unwrap();
    assert_eq!(new["params"]["cwd"], json!(worktree));
    assert_eq!(repository.git(&["status", "--porcelain"]), "", "the user's own work tree is as it was");
    bench.finish(client, &[]);
}

#[test]
fn two_agents_work_in_two_worktrees_at_once() {
    let Some((bench, repository)) = Bench::in_repository() else { return };
    let mut client = subscribed(bench.sidecar().option("limits", json!({"maxAgents": 2})).open());
    let prompt = |name: &str| format!("[write:{name}][permission][say:Done.]");
    let runs = ["one", "two"].map(|name| {
        let automation = client.create(in_worktree(name, &prompt(name)));
        client.run(&automation)
    });
    let blocked = runs.each_ref().map(|run| client.wait_for_run(run, "awaiting_input"));
    for (run, name) in blocked.iter().zip(["one", "two"]) {
        let request = &run["blocker"]["requestID"];
        client.get("run/respond", json!({"id": run["id"], "requestID": request, "optionID": "allow_once"}));
        let run = ended(&mut client, &run["id"]);
        assert_eq!((words(&run).as_str(), &run["result"]["files"]), ("succeeded", &json!([name])), "{run}");
        assert!(repository.worktree(name).join(name).exists());
    }
    bench.finish(client, &[]);
}
