//! The agents that this window starts, as they are configured: what is in force, and how something else comes into force.

use std::sync::{PoisonError, RwLock};

use super::Sidecar;
use crate::domain::configuration::{Configuration, ProviderConfig};
use crate::domain::id::ProviderId;
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
    pub(super) fn configured(&self) -> Vec<ConfiguredAgent> {
        compared(&self.in_force(), &Configuration::default())
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
        let configured = compared(&after, &before);
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
fn compared(after: &Configuration, before: &Configuration) -> Vec<ConfiguredAgent> {
    let agent = |(provider, config): (&ProviderId, &ProviderConfig)| ConfiguredAgent {
        provider: provider.clone(),
        start_ms: config.start_ms,
        start: match before.providers.get(provider) {
            Some(before) if before != config => Start::Otherwise,
            Some(_) | None => Start::AsBefore,
        },
    };
    after.providers.iter().map(agent).collect()
}
