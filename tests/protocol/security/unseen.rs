//! Secrets are where they were put and nowhere else: not among the arguments of processes, and in no log, however much of
//! it is asked for.

use serde_json::{Value, json};

use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, children_of, eventually};

const SECRET: &str = "hunter2-correct-horse";

/// All that descends from a process, itself included.
fn tree(of: u32) -> Vec<u32> {
    let mut all = vec![of];
    let mut next = 0;
    while let Some(pid) = all.get(next).copied() {
        all.extend(children_of(pid));
        next += 1;
    }
    all
}

fn read(pid: u32, name: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default()).into_owned()
}

#[test]
fn values_of_the_environment_are_among_the_arguments_of_no_process() {
    let place = Place::new();
    let mut client = place.sidecar().option("environment", json!({"WINDOW_TOKEN": SECRET})).open();
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let mut task = with(shell("read line < gate"), "env", json!({"TOKEN": SECRET}));
    task["stdin"] = json!(SECRET);
    let automation = client.create(dormant("with a secret", task));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    let pids = tree(client.pid());
    assert!(pids.len() >= 3, "the sidecar, the guard and the command: {pids:?}");
    for pid in &pids {
        let told = read(*pid, "cmdline");
        assert!(!told.contains(SECRET), "{told}");
    }
    // Of all of them only what the command is has the value, which is for its user alone to see.
    let with_it: Vec<String> = pids
        .iter()
        .filter(|pid| read(**pid, "environ").contains(SECRET))
        .map(|pid| read(*pid, "comm"))
        .collect();
    assert_eq!(with_it, ["sh\n"]);
    gate.open();
    client.wait_for_run(&run, "succeeded");
    client.finish();
}

#[test]
fn no_choice_of_the_log_shows_values_of_the_environment() {
    for filter in ["trace", "trace,jsonrpsee-core=trace,jsonrpsee-client=trace", "jsonrpsee-core=trace"] {
        let place = Place::new();
        let mut client = place.sidecar().env("SEXTON_LOG", filter).open();
        client.subscribe(json!({}));
        let env = json!({"TOKEN": SECRET});
        let automation = client.create(dormant("with a secret", with(shell("true"), "env", env)));
        let shown = client.get("automation/get", json!({"id": automation}));
        assert_eq!(shown["task"]["env"]["TOKEN"], SECRET);
        let refused: Value = client.refusal("automation/create", json!({"task": {"env": {"TOKEN": SECRET}}}));
        assert!(!refused.to_string().contains(SECRET), "{refused}");
        if filter.starts_with("trace") {
            client.notify("initialized");
            eventually("a line of the log", || client.stderr().contains("initialized").then_some(()));
        }
        client.get("shutdown", json!({}));
        client.notify("exit");
        assert_eq!(client.exit_code(), Some(0));
        assert!(!client.stderr().contains(SECRET), "{filter}: {}", client.stderr());
    }
}
