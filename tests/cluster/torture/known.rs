//! What windows have acknowledged, which has to be there in the end, whatever has happened since.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::client::Client;
use crate::support::kind;

/// What an automation was acknowledged to be.
pub(super) struct Automation {
    pub(super) id: Value,
    /// The answer to the last change of it.
    acknowledged: Value,
    /// Titles that were asked for since, by requests that were not answered: each may be there or not.
    perhaps: Vec<String>,
}

/// What was acknowledged so far.
#[derive(Default)]
pub(super) struct Known {
    pub(super) automations: Vec<Automation>,
    deleted: Vec<Value>,
    /// Of which it was said that they are being deleted, and not that they are.
    perhaps_deleted: Vec<Value>,
    /// Runs that somebody has asked for.
    pub(super) runs: Vec<Value>,
    /// Runs that were shown to have ended, as they were shown.
    ended: Vec<Value>,
    granted: BTreeMap<String, usize>,
    refused: BTreeMap<String, usize>,
}

impl std::fmt::Display for Known {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "granted {:?}, refused {:?}", self.granted, self.refused)
    }
}

impl Known {
    pub(super) fn is_granted(&mut self, method: &str) {
        *self.granted.entry(method.to_owned()).or_default() += 1;
    }

    pub(super) fn is_refused(&mut self, method: &str, error: &Value) {
        *self.refused.entry(format!("{method}: {}", kind(error))).or_default() += 1;
    }

    /// An answer that shows an automation as it is.
    pub(super) fn is_so(&mut self, acknowledged: Value) {
        let id = acknowledged["id"].clone();
        match self.automations.iter_mut().find(|one| one.id == id) {
            Some(known) => (known.acknowledged, known.perhaps) = (acknowledged, Vec::new()),
            None => self.automations.push(Automation { id, acknowledged, perhaps: Vec::new() }),
        }
    }

    /// An automation as it was found to be.
    pub(super) fn is_seen(&mut self, there: Value) {
        let known = self.automations.iter().find(|one| one.id == there["id"]);
        known.expect("an automation").is_so(there.clone());
        self.is_so(there);
    }

    /// It was asked for, and who was asked has died before it answered.
    pub(super) fn may_be_called(&mut self, id: &Value, title: String) {
        let known = self.automations.iter_mut().find(|one| one.id == *id);
        known.expect("an automation").perhaps.push(title);
    }

    pub(super) fn is_deleted(&mut self, id: &Value) {
        self.automations.retain(|one| one.id != *id);
        self.deleted.push(id.clone());
    }

    pub(super) fn may_be_deleted(&mut self, id: &Value) {
        self.automations.retain(|one| one.id != *id);
        self.perhaps_deleted.push(id.clone());
    }

    pub(super) fn next_that_may_be_deleted(&mut self) -> Option<Value> {
        self.perhaps_deleted.pop()
    }

    pub(super) fn is_asked_for(&mut self, run: &Value) {
        self.runs.push(run["id"].clone());
    }

    /// A run as it was shown. One that has ended never changes.
    pub(super) fn is_shown(&mut self, run: Value) {
        if run["completedAt"].is_i64() {
            self.ended.push(run);
        }
    }

    /// Each automation is as it was acknowledged.
    pub(super) fn everything_is_so(&self, client: &mut Client) {
        for known in &self.automations {
            known.is_so(client.get("automation/get", serde_json::json!({"id": known.id})));
        }
        for id in &self.deleted {
            let refusal = client.refusal("automation/get", serde_json::json!({"id": id}));
            assert_eq!(kind(&refusal), "not_found", "{id} was deleted");
        }
    }

    /// Each run that was asked for has ended, and those that were shown to have ended are as they were shown.
    pub(super) fn ended_runs_are_as_they_ended(&self, client: &mut Client) {
        for run in &self.runs {
            let there = client.get("run/get", serde_json::json!({"id": run}));
            assert!(there["completedAt"].is_i64(), "it was asked for, and has not ended: {there}");
        }
        for run in &self.ended {
            let there = client.get("run/get", serde_json::json!({"id": run["id"]}));
            assert_eq!(there, *run, "a run that had ended has changed");
        }
    }
}

impl Automation {
    fn is_so(&self, mut there: Value) {
        let mut told = self.acknowledged.clone();
        // What follows from its runs.
        for shown in [&mut there, &mut told] {
            shown["state"].take();
        }
        if there == told {
            return;
        }
        let (revision, acknowledged) = (there["revision"].as_u64(), told["revision"].as_u64());
        let may_be = there["title"].as_str().is_some_and(|title| self.perhaps.iter().any(|one| one == title))
            && revision > acknowledged
            && revision <= acknowledged.map(|revision| revision + self.perhaps.len() as u64);
        for field in ["title", "revision", "updatedAt"].iter().filter(|_| may_be) {
            there[*field] = told[*field].clone();
        }
        assert_eq!(there, told, "it is not what was acknowledged; asked for since: {:?}", self.perhaps);
    }
}
