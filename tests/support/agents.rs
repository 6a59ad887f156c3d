//! Agents that the sidecar starts itself: the scripted one, as it is configured, and what it has heard.

#[path = "../agent/found.rs"]
mod found;

use serde_json::{Value, json};

pub(crate) use found::scripted_agent;

use super::Place;
use super::client::Client;
use super::drafts::dormant;

/// The name under which tests configure the agent unless they say otherwise.
pub(crate) const AGENT: &str = "agent";

/// How the agent is configured that does what the script says. It writes down what it hears in a log of this name.
pub(crate) fn scripted(place: &Place, log: &str, script: &Value) -> Value {
    let env = json!({"SCRIPTED_AGENT": script.to_string(), "SCRIPTED_AGENT_LOG": place.beside(log)});
    json!({"command": [scripted_agent()], "env": env})
}

/// What an agent has heard, oldest first; the first line of each process tells where it was started.
pub(crate) fn heard(place: &Place, log: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(place.beside(log)).unwrap_or_default();
    // The last line may not be whole yet.
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    lines.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// How often an agent was started.
pub(crate) fn starts(place: &Place, log: &str) -> usize {
    heard(place, log).iter().filter(|line| line["method"] == "initialize").count()
}

/// A prompt for the agent that is not due while a test lasts.
pub(crate) fn for_model(model: &str) -> Value {
    let model = json!({"providerID": AGENT, "modelID": model});
    dormant("for an agent", json!({"kind": "prompt", "prompt": "look around", "model": model}))
}

impl Client {
    /// The agent as it is listed.
    pub(crate) fn listed_agent(&mut self) -> Value {
        let listed = self.get("provider/list", json!({}))["items"].clone();
        let found = listed.as_array().expect("a list").iter().find(|one| one["id"] == AGENT);
        found.unwrap_or_else(|| panic!("no {AGENT} in {listed}")).clone()
    }
}
