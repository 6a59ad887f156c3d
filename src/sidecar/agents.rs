//! The agents that this window starts, as they are configured: what is in force, and how something else comes into force.

use std::sync::{PoisonError, RwLock};

use uuid::Uuid;

use super::Sidecar;
use crate::domain::configuration::{Configuration, ProviderConfig};
use crate::domain::id::{ConfigurationId, LedgerId, ProviderId};
use crate::domain::refusal::Refusal;
use crate::engine::agents::{self, ConfiguredAgent, Start};

/// What is configured. Nothing of it but the names and spans is ever written down or told: the rest may be secret.
#[derive(Default)]
pub(super) struct Agents {
    /// What the window has said for itself, which wins.
    of_window: Configuration,
    in_force: RwLock<Configuration>,
}

impl Agents {
    /// Those of a window, and of the user's file.
    pub(super) fn new(of_window: Configuration, of_file: Configuration) -> Self {
        let in_force = RwLock::new(of_file.with(&of_window));
        Agents { of_window, in_force }
    }

    /// How the agent of this provider is started, if there is one.
    pub(super) fn of(&self, provider: &ProviderId) -> Option<ProviderConfig> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).providers.get(provider).cloned()
    }

    /// What the ledger is told of them when the window comes.
    pub(super) fn configured(&self, ledger: &LedgerId) -> Vec<ConfiguredAgent> {
        compared(&self.in_force(), &Configuration::default(), ledger)
    }

    fn in_force(&self) -> Configuration {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put_in_force(&self, configuration: Configuration) {
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = configuration;
    }
}

impl Sidecar {
    /// Takes up what the user's file says now. If the ledger does not take it, what was in force before stays so: it
    /// says why, as a sentence, unless this may pass.
    pub(super) async fn take_up(&self, of_file: Configuration) -> Result<Result<(), String>, Refusal> {
        let agents = &self.parts.agents;
        let before = agents.in_force();
        let after = of_file.with(&agents.of_window);
        // What a run has started carries out nothing, whatever is configured.
        if before == after || self.parts.inside_run.is_some() {
            return Ok(Ok(()));
        }
        let configured = compared(&after, &before, self.parts.ledger.id());
        // Whoever is given work because of the rows has to find how it is started.
        agents.put_in_force(after);
        let taken = self.decide(move |tx, context| agents::configure(tx, context, &configured)).await;
        if taken.is_err() {
            agents.put_in_force(before);
        }
        match taken {
            Ok(()) => Ok(Ok(())),
            Err(Refusal::InvalidRequest(why)) => Ok(Err(why)),
            Err(refusal) => Err(refusal),
        }
    }
}

/// What the ledger is told when this is in force in place of what was before.
fn compared(after: &Configuration, before: &Configuration, ledger: &LedgerId) -> Vec<ConfiguredAgent> {
    let agent = |(provider, config): (&ProviderId, &ProviderConfig)| ConfiguredAgent {
        provider: provider.clone(),
        configuration: name(config, ledger),
        start_ms: config.start_ms,
        start: match before.providers.get(provider) {
            Some(before) if before != config => Start::Otherwise,
            Some(_) | None => Start::AsBefore,
        },
    };
    after.providers.iter().map(agent).collect()
}

/// The name of a way to start an agent. It is made of the command and of which variables are set, never of their values,
/// and means something in one ledger only: nobody can tell from it what was configured elsewhere.
fn name(config: &ProviderConfig, ledger: &LedgerId) -> ConfigurationId {
    let of_ledger = Uuid::new_v5(&Uuid::NAMESPACE_OID, ledger.as_str().as_bytes());
    let names = config.env.keys();
    // The number keeps an argument from being taken for the name of a variable.
    let parts = [config.command.len().to_string()];
    let parts = parts.iter().chain(&config.command).chain(names);
    let text = parts.flat_map(|part| part.bytes().chain([0])).collect::<Vec<u8>>();
    ConfigurationId::from_unique(&Uuid::new_v5(&of_ledger, &text).simple().to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::configuration;
    use crate::domain::sent::SentObject;

    fn named(provider: &Value, ledger: &str) -> ConfigurationId {
        let text = json!({"providers": {"a": provider}}).to_string();
        let read = configuration::read(&SentObject::parse(&text).unwrap()).unwrap();
        name(&read.providers[&ProviderId::from_text("a")], &LedgerId::from_unique(ledger))
    }

    #[test]
    fn a_configuration_is_named_by_what_is_started() {
        let first = json!({"command": ["x", "y"], "env": {"A": "1", "B": "2"}, "startMs": 1000});
        let other_values = json!({"command": ["x", "y"], "env": {"B": "3", "A": {"from": "HOME"}}});
        assert_eq!(named(&first, "l"), named(&other_values, "l"));
        for other in [
            json!({"command": ["x"], "env": {"A": "1", "B": "2"}}),
            json!({"command": ["x", "y", "A"], "env": {"B": "2"}}),
            json!({"command": ["xy"], "env": {"A": "1", "B": "2"}}),
            json!({"command": ["x", "y"], "env": {"A": "1"}}),
        ] {
            assert_ne!(named(&first, "l"), named(&other, "l"), "{other}");
        }
        assert_ne!(named(&first, "l"), named(&first, "another"));
    }
}
