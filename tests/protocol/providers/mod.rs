//! Providers that are agents, which the sidecar starts: how they are configured, and what is known of them.

mod asking;
mod configuring;
mod failing;

use serde_json::{Value, json};

use crate::support::agents::{AGENT, scripted};
use crate::support::client::Client;
use crate::support::{Place, eventually, processes_with};

/// The log of the agents that tests start.
const LOG: &str = "agent.log";

/// A window with an agent of its own that does what the script says.
fn window(place: &Place, script: &Value) -> Client {
    place.sidecar().option("providers", json!({AGENT: scripted(place, LOG, script)})).open()
}

/// Waits until no agent is left, nor anything that belongs to one.
fn nothing_is_left(place: &Place) {
    let name = place.beside(LOG).display().to_string();
    eventually("the ends of all agents", || processes_with(&name).is_empty().then_some(()));
}

/// What is left in the state directory of asking agents.
fn files_of_probes(place: &Place) -> usize {
    let projects = std::fs::read_dir(place.state()).expect("the state directory");
    let probes = projects.map(|project| project.expect("a project").path().join("probes"));
    probes.filter_map(|probes| std::fs::read_dir(probes).ok()).flatten().count()
}
