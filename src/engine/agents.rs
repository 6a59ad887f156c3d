//! Agents that are configured in a window: it starts one for each prompt of their providers that it is given.

use super::presence::hand_back;
use super::{Context, assign, probe, providers};
use crate::domain::id::{ConfigurationId, InstanceId, ProviderId};
use crate::domain::refusal::Refusal;
use crate::ledger::{AgentRow, Tx};

/// An agent as a window is configured to start it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredAgent {
    /// For which provider.
    pub provider: ProviderId,
    /// How it is started: the same in all windows that start it in the same way.
    pub configuration: ConfigurationId,
    /// How long each call to it may take before it is at work, in milliseconds.
    pub start_ms: i64,
    /// Whether what it has said of itself still counts.
    pub start: Start,
}

/// How an agent is started, compared with how its window started it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// In the same way, or its configuration tells whether it is: the window has only just come.
    AsBefore,
    /// Otherwise, also if that cannot be seen of its configuration: it may be another agent altogether, which has said
    /// nothing yet.
    Otherwise,
}

/// This window has these agents from now on, and no others. What it had begun with one that it has no more goes on; what
/// it had not begun is anybody's.
///
/// # Errors
/// When this window serves one of their providers itself: nothing is changed then.
pub fn configure(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    configured: &[ConfiguredAgent],
) -> Result<(), Refusal> {
    let me = context.me.instance.clone();
    let is_configured = |provider: &ProviderId| configured.iter().any(|agent| agent.provider == *provider);
    let served = tx.servings_of(&me)?;
    if let Some(serving) = served.iter().find(|serving| is_configured(&serving.offer.provider)) {
        return Err(Refusal::InvalidRequest(format!(
            "this window serves {} itself, as subscription {}; end that with `provider/unserve`, or take the agent out of the configuration",
            serving.offer.provider, serving.id
        )));
    }
    let before = tx.agents_of(&me)?;
    for agent in before.iter().filter(|agent| !is_configured(&agent.provider)) {
        end(tx, context, agent)?;
    }
    for ConfiguredAgent { provider, configuration, start_ms, start } in configured {
        let (provider, configuration) = (provider.clone(), configuration.clone());
        let agent = AgentRow {
            provider,
            instance: me.clone(),
            configuration,
            start_ms: *start_ms,
            since: context.now,
        };
        let was = before.iter().find(|was| was.provider == agent.provider);
        tx.insert_agent(&agent)?;
        let is_another = was.is_some_and(|was| was.configuration != agent.configuration);
        if !is_another && *start == Start::Otherwise {
            tx.unsay(&agent.provider, &agent.configuration)?;
        }
        if is_another || *start == Start::Otherwise {
            probe::hand_on(tx, context, &agent.instance, &agent.provider)?;
        }
        providers::look_again(tx, context, &agent.provider, context.now)?;
    }
    assign::go_on_elsewhere(tx, context)
}

/// A window is about to leave: somebody else asks what it was to ask, and what is told of its agents is another matter.
pub(super) fn prepare_to_leave(
    tx: &Tx<'_>,
    context: &Context<'_>,
    instance: &InstanceId,
) -> Result<(), Refusal> {
    for agent in tx.agents_of(instance)? {
        probe::hand_on(tx, context, instance, &agent.provider)?;
    }
    Ok(())
}

/// A window has no agents any more.
pub(super) fn forget(tx: &Tx<'_>, context: &mut Context<'_>, instance: &InstanceId) -> Result<(), Refusal> {
    for agent in tx.agents_of(instance)? {
        end(tx, context, &agent)?;
    }
    Ok(())
}

/// A window has an agent no more: what it was given for it and has not begun is anybody's.
fn end(tx: &Tx<'_>, context: &mut Context<'_>, agent: &AgentRow) -> Result<(), Refusal> {
    tx.delete_agent(agent)?;
    providers::look_again(tx, context, &agent.provider, context.now)?;
    probe::hand_on(tx, context, &agent.instance, &agent.provider)?;
    for run in tx.runs_given_to(&agent.instance)? {
        if !run.begun && run.definition.task.provider() == Some(&agent.provider) {
            hand_back(tx, run)?;
        }
    }
    Ok(())
}
