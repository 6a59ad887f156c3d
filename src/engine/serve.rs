//! Windows that carry out prompts themselves: when they begin to, and what follows when they no longer do.

use super::ending::{self, Remains};
use super::presence::{hand_back, lost};
use super::providers::{self, PROVIDERS};
use super::{Context, assign, close, report};
use crate::domain::automation::Task;
use crate::domain::id::{InstanceId, SubscriptionId};
use crate::domain::provider::{Offer, ProviderKind};
use crate::domain::refusal::Refusal;
use crate::ledger::{ServingRow, Tx};

/// A window carries out the prompts of a provider from now on; it is told what to do on this subscription.
///
/// # Errors
/// When the window serves this provider already, or has an agent for it, or serves as many as it may, or gives up the
/// project.
pub fn serve(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    id: SubscriptionId,
    offer: Offer,
) -> Result<(), Refusal> {
    let instance = context.me.instance.clone();
    close::check_open(tx, &instance)?;
    let served = tx.servings_of(&instance)?;
    let provider = offer.provider.clone();
    if tx.carried_by(&instance, &provider)? == Some(ProviderKind::Acp) {
        return Err(Refusal::InvalidRequest(format!(
            "an agent is configured for {provider} in this window; take it out of the configuration, or serve it as another provider"
        )));
    }
    if let Some(first) = served.iter().find(|serving| serving.offer.provider == provider) {
        return Err(Refusal::InvalidRequest(format!(
            "this window serves {provider} already, as subscription {}; end that one with `provider/unserve` to offer something else",
            first.id
        )));
    }
    if served.len() >= PROVIDERS {
        return Err(Refusal::Overloaded(format!(
            "this window serves {PROVIDERS} providers already; end one of them with `provider/unserve`"
        )));
    }
    let serving = ServingRow { id, instance, offer, since: context.now };
    tx.insert_serving(&serving)?;
    providers::look_again(tx, context, &provider, context.now)?;
    assign::go_on_elsewhere(tx, context)
}

/// A subscription on which a window served a provider has ended. What it had begun is lost with it, what it had not is
/// anybody's. One that has ended before is none of it.
///
/// # Errors
/// When the ledger fails.
pub fn unserve(tx: &Tx<'_>, context: &mut Context<'_>, id: &SubscriptionId) -> Result<(), Refusal> {
    let served = tx.servings_of(&context.me.instance)?;
    if let Some(serving) = served.into_iter().find(|serving| serving.id == *id) {
        end_serving(tx, context, &serving, Parting::Known)?;
        assign::go_on_elsewhere(tx, context)?;
    }
    Ok(())
}

/// How a window has come to serve nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parting {
    /// It could be asked until now.
    Known,
    /// It has died, and nobody knows when.
    Death,
}

/// An instance serves nothing any more.
pub(super) fn forget(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    instance: &InstanceId,
    parting: Parting,
) -> Result<(), Refusal> {
    for serving in tx.servings_of(instance)? {
        end_serving(tx, context, &serving, parting)?;
    }
    Ok(())
}

fn end_serving(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    serving: &ServingRow,
    parting: Parting,
) -> Result<(), Refusal> {
    let provider = &serving.offer.provider;
    tx.delete_serving(&serving.id)?;
    let said_at = match parting {
        Parting::Known => context.now,
        Parting::Death => {
            let before = tx.provider(provider)?.map(|row| row.checked_at);
            before.flatten().map_or(serving.since, |before| before.max(serving.since))
        }
    };
    providers::look_again(tx, context, provider, said_at)?;
    // What it has not begun is handed back first, so that what becomes free below finds it.
    for run in tx.runs_given_to(&serving.instance)? {
        let is_of_it = match &run.definition.task {
            Task::Prompt(prompt) => prompt.model.provider == serving.offer.provider,
            Task::Command(_) | Task::Notify { .. } => false,
        };
        if is_of_it && !run.begun {
            hand_back(tx, run)?;
        }
    }
    for id in tx.served_on(&serving.id)? {
        match tx.understood_run(&id)? {
            Some(run) if run.run.state().is_active() => {
                let outcome = lost(&run);
                ending::end(tx, context, run, outcome, None, Remains::Nothing)?;
            }
            // It had ended, and the window was still to say that its work has gone; or it is not understood here.
            Some(_) | None => report::gone(tx, context, &id)?,
        }
    }
    Ok(())
}
