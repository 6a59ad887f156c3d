//! Prompts that the sidecar has an agent of its own carry out, from the wire to the disk and back.
//!
//! The agent is the scripted one. It does what the prompt says in brackets, else what its script says, and writes down
//! what it is told.

mod bad_input;
mod cancelling;
mod closing;
mod how_many;
mod life;
mod limits;
mod people;
mod sessions;
mod told;
mod tools;
mod worktrees;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::agents::{AGENT, heard, scripted_agent};
use crate::support::audit;
use crate::support::client::Client;
use crate::support::drafts::dormant;
use crate::support::git::Repository;
use crate::support::{Place, Spawn, eventually, ledger, program};

/// The log of all agents of a test.
const LOG: &str = "agent.log";

/// A project, and an agent that does what it is told at any time.
struct Bench {
    place: Place,
}

impl Bench {
    fn new() -> Bench {
        let bench = Bench { place: Place::new() };
        std::os::unix::fs::symlink(scripted_agent(), bench.program()).expect("a link");
        bench.plays(&json!({}));
        bench
    }

    /// The same in a repository of git's, if there is git.
    fn in_repository() -> Option<(Bench, Repository)> {
        let bench = Bench::new();
        let repository = Repository::at(&bench.place.project())?;
        Some((bench, repository))
    }

    /// What the agent is to do from now on when it is started.
    fn plays(&self, script: &Value) {
        std::fs::write(self.script(), script.to_string()).expect("the script");
    }

    fn script(&self) -> PathBuf {
        self.place.beside("script.json")
    }

    /// The program that is configured: the scripted agent, unless a test puts another one there.
    fn program(&self) -> PathBuf {
        self.place.beside("agent")
    }

    /// The program is a script for the shell from now on. `$AGENT` is the scripted agent.
    fn program_becomes(&self, script: &str) {
        program::write(&self.program(), &format!("#!/bin/sh\n{script}\n"));
    }

    /// How the agent is configured.
    fn provider(&self) -> Value {
        let env = json!({"SCRIPTED_AGENT_FILE": self.script(), "SCRIPTED_AGENT_LOG": self.place.beside(LOG),
            "SCRIPTED_AGENT_SESSIONS": self.place.beside("sessions"), "AGENT": scripted_agent()});
        json!({"command": [self.program()], "env": env})
    }

    /// A window that has the agent configured.
    fn sidecar(&self) -> Spawn<'_> {
        self.place.sidecar().option("providers", json!({AGENT: self.provider()}))
    }

    fn open(&self) -> Client {
        subscribed(self.sidecar().open())
    }

    /// What the agent that carried out a run was told, after where it was started.
    fn told(&self, run: &Value) -> Vec<Value> {
        let run = run["id"].as_str().or(run.as_str()).expect("an id");
        let all = heard(&self.place, LOG);
        let of_run = |line: &Value| line["started"]["environment"]["SEXTON_RUN_ID"] == run;
        let Some(first) = all.iter().position(of_run) else { return Vec::new() };
        let next = all[first + 1..].iter().position(|line| line.get("started").is_some());
        all[first..next.map_or(all.len(), |count| first + 1 + count)].to_vec()
    }

    /// The methods that it was called with, in their order.
    fn methods(&self, run: &Value) -> Vec<String> {
        self.told(run).iter().filter_map(|line| line["method"].as_str().map(str::to_owned)).collect()
    }

    /// The prompt that it was given.
    fn prompt(&self, run: &Value) -> String {
        let told = self.told(run);
        let prompt = told.iter().find(|line| line["method"] == "session/prompt").expect("a prompt");
        prompt["params"]["prompt"][0]["text"].as_str().expect("a text").to_owned()
    }

    /// Waits until the agent of a run has been called with this method.
    fn is_called(&self, run: &Value, method: &str) {
        eventually(method, || self.methods(run).iter().any(|called| called == method).then_some(()));
    }

    /// Nothing is left of any run but its record: no process, no lock, no directory that is held, and nothing in the
    /// project but these. Windows that were killed may have left a lock file.
    fn leave_nothing(&self, clients: &[&Client], written: &[&str]) {
        let directory = ledger::directory(clients[0]);
        let ledger = ledger::open(directory.join("ledger.db"));
        eventually("everything has ended", || audit::is_at_rest(&ledger, clients.len()).then_some(()));
        audit::nothing_is_left(&ledger, &self.place, &clients.iter().map(|client| client.pid()).collect());
        audit::locks_are_of_instances(&ledger, 1);
        if let Ok(lock) = std::fs::File::open(directory.join("worktrees.lock")) {
            lock.try_lock().expect("nobody makes worktrees");
        }
        for name in files_of_runs(&directory) {
            let kept = ["agent.log", "output.log", "precheck.out"];
            assert!(kept.contains(&name.as_str()), "{name} is left of a run");
        }
        let entries = std::fs::read_dir(self.place.project()).expect("the project");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        let mut names: Vec<String> =
            names.filter(|name| ![".git", ".worktrees", "README"].contains(&&**name)).collect();
        names.sort();
        assert_eq!(names, written, "what has come into the project");
    }

    /// The same, and the window is closed.
    fn finish(&self, client: Client, written: &[&str]) {
        self.leave_nothing(&[&client], written);
        client.finish();
    }
}

/// The names of all that is kept of the runs of a project.
fn files_of_runs(directory: &Path) -> Vec<String> {
    let names = |path: PathBuf| {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
    };
    let runs = directory.join("runs");
    names(runs.clone()).flat_map(|run| names(runs.join(run)).collect::<Vec<_>>()).collect()
}

fn subscribed(mut client: Client) -> Client {
    client.subscribe(json!({}));
    client
}

/// An automation that asks the agent for something, and is not due while a test lasts.
fn asking(prompt: &str) -> Value {
    let model = json!({"providerID": AGENT, "modelID": "large"});
    dormant("asked", json!({"kind": "prompt", "prompt": prompt, "model": model}))
}

/// The same with a policy.
fn asking_with(prompt: &str, policy: Value) -> Value {
    let mut draft = asking(prompt);
    draft["policy"] = policy;
    draft
}

/// A run of a new automation.
fn begin(client: &mut Client, draft: Value) -> Value {
    let automation = client.create(draft);
    client.run(&automation)
}

/// The run as it ended.
fn ended(client: &mut Client, run: &Value) -> Value {
    let is_over = |event: &Value| event["run"]["id"] == *run && event["run"]["completedAt"].is_i64();
    client.wait_for_event("the end of the run", is_over)["run"].clone()
}

/// A run of a new automation, as it ended.
fn carried_out(client: &mut Client, draft: Value) -> Value {
    let run = begin(client, draft);
    ended(client, &run)
}

/// How a run ended, in a few words.
fn words(run: &Value) -> String {
    let state = run["state"].as_str().expect("a state");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match state {
        "stopped" => format!("stopped: {}", text(&run["stopReason"])),
        "failed" => format!("failed: {} {}", text(&run["error"]["code"]), text(&run["error"]["class"])),
        other => other.to_owned(),
    }
}

/// Why the automation of a run rests, or null.
fn pause_of(client: &mut Client, run: &Value) -> Value {
    client.get("automation/get", json!({"id": run["automationID"]}))["pause"]["reason"].clone()
}

/// The states of a run as its events told them, each once.
fn states(client: &Client, subscription: &str, run: &Value) -> Vec<String> {
    let of_run = client.events(subscription).into_iter().filter(|event| event["run"]["id"] == *run);
    let mut states: Vec<String> =
        of_run.map(|event| event["run"]["state"].as_str().expect("a state").to_owned()).collect();
    states.dedup();
    states
}

/// Waits until the agent has said this.
fn says(client: &mut Client, run: &Value, words: &str) {
    client.get("output/subscribe", json!({"runID": run}));
    client.wait_for_event("words", |chunk| chunk["data"].as_str().is_some_and(|data| data.contains(words)));
}
