//! What is told of providers, and which models an automation may name.
//!
//! What is told of a provider is what the windows that serve it offer together, or what the agent has said that is
//! configured for it. When nobody has it any more, what it offered last is remembered, so that automations can still be
//! edited for a while.

use std::collections::HashSet;

use super::Context;
use crate::domain::automation::{Definition, Task};
use crate::domain::event::Event;
use crate::domain::fault::{Fault, Word};
use crate::domain::id::{InstanceId, ProviderId};
use crate::domain::prompt::{Model, Prompt};
use crate::domain::provider::{ANSWER_COUNTS_MS, OfferedModel, Provider, ProviderKind, ProviderStatus};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ledger::{AgentRow, ProviderRow, SaidRow, ServingRow, Tx, View};

/// What one window may serve at once, and how many providers are remembered that nobody has: more than any application
/// has, and few enough to look through with each change.
pub(super) const PROVIDERS: usize = 100;

/// How many names a hint tells.
const NAMES_TOLD: usize = 10;

/// All providers that are known, in the order of their identities.
///
/// # Errors
/// When the ledger fails.
pub fn providers(view: &View<'_>) -> Result<Vec<Provider>, Refusal> {
    Ok(view.providers()?.into_iter().map(shown).collect())
}

/// What is wrong with the model that a task names, if anything is: as far as is known now. An agent may have to be asked
/// before that.
pub(super) fn check_model(view: &View<'_>, task: &Task, now: Timestamp) -> Result<Option<Fault>, Refusal> {
    let prompt = match task {
        Task::Prompt(prompt) => prompt,
        Task::Command(_) | Task::Notify { .. } => return Ok(None),
    };
    let name = &prompt.model.provider;
    let Some(row) = view.provider(name)? else {
        let others = names(view.providers()?.iter().map(|other| other.id.as_str()));
        let way_out = "open the application that does, or write an agent for it into the configuration file";
        let hint = match others {
            Some(others) => {
                format!("nobody carries out prompts for `{name}`; {way_out}, or name one of: {others}")
            }
            None => format!("nobody carries out prompts for `{name}`; {way_out}"),
        };
        return Ok(Some(Fault::with_hint("task.model", Word::ModelLookupFailed, hint)));
    };
    Ok(match known(view, prompt, &row, now)? {
        Known::Offered => None,
        Known::NotOffered(fault) => Some(fault),
        Known::Nothing => {
            let hint = match row.reason {
                Some(reason) => format!("`{name}` cannot be given work: {reason}"),
                None => format!("`{name}` has not said what it offers; try again, or see `provider/list`"),
            };
            Some(Fault::with_hint("task.model", Word::ModelLookupFailed, hint))
        }
    })
}

/// The model of an agent that is to say whether it offers it before it can be decided about this task, if there is one.
pub(super) fn to_be_asked(view: &View<'_>, task: &Task, now: Timestamp) -> Result<Option<Model>, Refusal> {
    let prompt = match task {
        Task::Prompt(prompt) => prompt,
        Task::Command(_) | Task::Notify { .. } => return Ok(None),
    };
    let row = view.provider(&prompt.model.provider)?.filter(|row| row.kind == ProviderKind::Acp);
    let Some(row) = row else { return Ok(None) };
    if let Known::Offered = known(view, prompt, &row, now)? {
        return Ok(None);
    }
    let said = said_lately(view, &row.id, now)?;
    let has_said = |agent: &AgentRow| said.iter().any(|said| said.configuration == agent.configuration);
    // One that nobody asked may offer what another of its name does not.
    let all_have_said = view.agents_for(&row.id)?.iter().all(has_said);
    Ok((!all_have_said).then(|| prompt.model.clone()))
}

/// What is known of whether a provider offers what a prompt names.
enum Known {
    /// A window serves it, or an agent has said that it offers it.
    Offered,
    /// All that has been said of it speaks against that.
    NotOffered(Fault),
    /// Nobody has said anything, or too long ago.
    Nothing,
}

fn known(view: &View<'_>, prompt: &Prompt, row: &ProviderRow, now: Timestamp) -> Result<Known, Refusal> {
    let is_recent = row.checked_at.is_some_and(|at| counts(at, now));
    let (served, agents) = (view.servings_for(&row.id)?, view.agents_for(&row.id)?);
    let offered = match row.kind {
        ProviderKind::Served if row.reason.is_none() || is_recent => row.models.clone(),
        ProviderKind::Acp if served.is_empty() && agents.is_empty() && is_recent => row.models.clone(),
        ProviderKind::Served => return Ok(Known::Nothing),
        ProviderKind::Acp => {
            let served = offered_together(&served);
            if not_offered(prompt, &served).is_none() {
                return Ok(Known::Offered);
            }
            let said = said_lately(view, &row.id, now)?;
            if said.is_empty() {
                return Ok(Known::Nothing);
            }
            together(said.iter().flat_map(|said| &said.models).chain(&served))
        }
    };
    Ok(match not_offered(prompt, &offered) {
        None => Known::Offered,
        Some(fault) => Known::NotOffered(fault),
    })
}

/// What agents that windows have said so lately that it counts.
pub(super) fn said_lately(
    view: &View<'_>,
    provider: &ProviderId,
    now: Timestamp,
) -> Result<Vec<SaidRow>, Refusal> {
    let agents = view.agents_for(provider)?;
    let is_there = |said: &SaidRow| agents.iter().any(|agent| agent.configuration == said.configuration);
    let mut said = view.said(provider)?;
    said.retain(|said| is_there(said) && said.checked_at.is_some_and(|at| counts(at, now)));
    Ok(said)
}

/// Whether what was said then counts now. What was said in the future was said by a clock that was wrong.
fn counts(said_at: Timestamp, now: Timestamp) -> bool {
    (0..=ANSWER_COUNTS_MS).contains(&now.since_ms(said_at))
}

/// What is wrong with a precheck, if anything is: a window that carries prompts out itself has no guard that could run one
/// before them.
pub(super) fn check_precheck(view: &View<'_>, definition: &Definition) -> Result<Option<Fault>, Refusal> {
    let Some(provider) = definition.task.provider().filter(|_| definition.policy.precheck.is_some()) else {
        return Ok(None);
    };
    let is_served = view.provider(provider)?.is_some_and(|row| match row.kind {
        ProviderKind::Served => true,
        ProviderKind::Acp => false,
    });
    let hint = format!(
        "leave it out: a window carries out the prompts of `{provider}` itself, and runs no prechecks"
    );
    Ok(is_served.then(|| Fault::with_hint("policy.precheck", Word::NotAvailableYet, hint)))
}

fn not_offered(prompt: &Prompt, models: &[OfferedModel]) -> Option<Fault> {
    let provider = &prompt.model.provider;
    let Some(model) = models.iter().find(|model| model.id == prompt.model.model) else {
        let hint = match names(models.iter().map(|model| model.id.as_str())) {
            Some(offered) => format!("`{provider}` offers: {offered}"),
            None => format!("`{provider}` offers no model now"),
        };
        return Some(Fault::with_hint("task.model", Word::ModelNotFound, hint));
    };
    let variant = prompt.variant.as_ref()?;
    if model.variants.contains(variant) {
        return None;
    }
    let hint = match names(model.variants.iter().map(String::as_str)) {
        Some(offered) => format!("write one of: {offered}"),
        None => "leave it out: this model has no variants".to_owned(),
    };
    Some(Fault::with_hint("task.variant", Word::InvalidVariantForModel, hint))
}

/// The first of these, as a hint tells them; nothing if there are none.
fn names<'a>(all: impl Iterator<Item = &'a str>) -> Option<String> {
    let all: Vec<&str> = all.collect();
    let told = all.iter().take(NAMES_TOLD).copied().collect::<Vec<_>>().join(", ");
    match all.len() {
        0 => None,
        1..=NAMES_TOLD => Some(told),
        more => Some(format!("{told}, and {} more", more - NAMES_TOLD)),
    }
}

/// Whether an instance can be given work is another matter now, and so it may be with the providers that it has.
pub(super) fn role_changed(tx: &Tx<'_>, context: &Context<'_>, instance: &InstanceId) -> Result<(), Refusal> {
    let served = tx.servings_of(instance)?.into_iter().map(|serving| serving.offer.provider);
    let agents = tx.agents_of(instance)?.into_iter().map(|agent| agent.provider);
    for provider in served.chain(agents) {
        look_again(tx, context, &provider, context.now)?;
    }
    Ok(())
}

/// Looks again at who carries out the prompts of a provider, which has last said at `said_at` what it offers if windows
/// serve it, and tells of it if anything can be seen of that.
pub(super) fn look_again(
    tx: &Tx<'_>,
    context: &Context<'_>,
    provider: &ProviderId,
    said_at: Timestamp,
) -> Result<(), Refusal> {
    let before = tx.provider(provider)?;
    let row = match kind(tx, provider, before.as_ref())? {
        ProviderKind::Served => served(tx, context, provider, before.as_ref(), said_at)?,
        ProviderKind::Acp => agent(tx, provider, before.as_ref())?,
    };
    let seen = |row: &ProviderRow| Provider { checked_at: None, ..shown(row.clone()) };
    match before.as_ref().is_some_and(|before| seen(before) == seen(&row)) {
        true => Ok(()),
        false => tell(tx, context, row),
    }
}

/// Remembers what a provider has said of itself, and tells of it.
pub(super) fn tell(tx: &Tx<'_>, context: &Context<'_>, row: ProviderRow) -> Result<(), Refusal> {
    tx.keep_provider(&row)?;
    forget_the_oldest(tx)?;
    tx.publish(&Event::ProviderUpdated { provider: Box::new(shown(row)) }, context.now)?;
    Ok(())
}

/// What a provider is. Where one window serves it and another has an agent for it, it is an agent to everybody; when
/// there is neither, it is what it was.
fn kind(tx: &Tx<'_>, provider: &ProviderId, before: Option<&ProviderRow>) -> Result<ProviderKind, Refusal> {
    if !tx.agents_for(provider)?.is_empty() {
        return Ok(ProviderKind::Acp);
    }
    let is_served = !tx.servings_for(provider)?.is_empty();
    Ok(before.map(|before| before.kind).filter(|_| !is_served).unwrap_or(ProviderKind::Served))
}

/// What is remembered of a provider that windows serve.
fn served(
    tx: &Tx<'_>,
    context: &Context<'_>,
    provider: &ProviderId,
    before: Option<&ProviderRow>,
    said_at: Timestamp,
) -> Result<ProviderRow, Refusal> {
    let servings = tx.servings_for(provider)?;
    let mut able = Vec::new();
    for serving in &servings {
        if tx.takes_any_work(&serving.instance)? {
            able.push(serving.clone());
        }
    }
    let reason = match (able.as_slice(), servings.as_slice()) {
        ([_, ..], _) => None,
        ([], [_, ..]) => {
            Some("all windows that serve it observe, or have given up the project; open another one")
        }
        ([], []) => Some("no window that is open serves it; open the application that does"),
    };
    let (models, checked_at) = match (able.as_slice(), servings.as_slice(), before) {
        (able @ [_, ..], _, _) => (offered_together(able), context.now),
        ([], servings @ [_, ..], _) => (offered_together(servings), context.now),
        ([], [], Some(before)) => (before.models.clone(), said_at),
        ([], [], None) => (Vec::new(), said_at),
    };
    Ok(ProviderRow {
        id: provider.clone(),
        kind: ProviderKind::Served,
        models,
        reason: reason.map(str::to_owned),
        checked_at: Some(checked_at),
    })
}

/// What is told of an agent: what those have said that windows have, and what is offered by windows that serve its provider
/// as well.
fn agent(tx: &Tx<'_>, provider: &ProviderId, before: Option<&ProviderRow>) -> Result<ProviderRow, Refusal> {
    let mut holders = holders(tx, provider)?;
    let mut there = HashSet::new();
    for holder in &holders {
        if tx.is_there(&holder.instance)? {
            there.insert(holder.instance.clone());
        }
    }
    holders.retain(|holder| there.contains(&holder.instance));
    if holders.is_empty() {
        let why = "no window that is open has an agent configured for it; open the application that does, or write it into the configuration file";
        return Ok(ProviderRow {
            id: provider.clone(),
            kind: ProviderKind::Acp,
            models: before.map(|before| before.models.clone()).unwrap_or_default(),
            reason: Some(why.to_owned()),
            checked_at: before.and_then(|before| before.checked_at),
        });
    }
    let mut able = Vec::new();
    for holder in &holders {
        if tx.takes_any_work(&holder.instance)? {
            able.push(holder.clone());
        }
    }
    let observed = "nobody is there who could start the agent: those who have it configured observe, or have given up the project; open a window, or run `sexton serve --headless`";
    let (reason, counted) = match able.as_slice() {
        [] => (Some(observed.to_owned()), holders),
        [first, ..] => {
            let all_fail = able.iter().all(|holder| holder.failure.is_some());
            (first.failure.clone().filter(|_| all_fail), able)
        }
    };
    Ok(ProviderRow {
        id: provider.clone(),
        kind: ProviderKind::Acp,
        models: together(counted.iter().flat_map(|holder| &holder.models)),
        reason,
        checked_at: counted.iter().filter_map(|holder| holder.checked_at).max(),
    })
}

/// A window that carries out the prompts of a provider which is an agent somewhere.
#[derive(Clone)]
struct Holder {
    instance: InstanceId,
    models: Vec<OfferedModel>,
    failure: Option<String>,
    checked_at: Option<Timestamp>,
}

/// Those that have an agent for a provider, longest first, and those that serve it.
fn holders(view: &View<'_>, provider: &ProviderId) -> Result<Vec<Holder>, Refusal> {
    let said = view.said(provider)?;
    let agent = |agent: AgentRow| {
        let said = said.iter().find(|said| said.configuration == agent.configuration);
        Holder {
            instance: agent.instance,
            models: said.map(|said| said.models.clone()).unwrap_or_default(),
            failure: said.and_then(|said| said.failure.clone()),
            checked_at: said.and_then(|said| said.checked_at),
        }
    };
    let served = |serving: ServingRow| Holder {
        instance: serving.instance,
        models: serving.offer.models,
        failure: None,
        checked_at: Some(serving.since),
    };
    let agents = view.agents_for(provider)?.into_iter().map(agent);
    Ok(agents.chain(view.servings_for(provider)?.into_iter().map(served)).collect())
}

/// An agent was asked that is started in this way: this is what it offers, or why it could not be asked. That is told in
/// any case: somebody waits.
pub(super) fn answered(
    tx: &Tx<'_>,
    context: &Context<'_>,
    agent_row: &AgentRow,
    answer: Result<Vec<OfferedModel>, String>,
) -> Result<(), Refusal> {
    let provider = &agent_row.provider;
    let before = tx.said(provider)?.into_iter().find(|said| said.configuration == agent_row.configuration);
    let (models, failure, checked_at) = match (answer, before) {
        (Ok(models), _) => (models, None, Some(context.now)),
        (Err(why), Some(before)) => (before.models, Some(why), before.checked_at),
        (Err(why), None) => (Vec::new(), Some(why), None),
    };
    let configuration = agent_row.configuration.clone();
    tx.keep_said(&SaidRow { provider: provider.clone(), configuration, models, failure, checked_at })?;
    tell(tx, context, agent(tx, provider, tx.provider(provider)?.as_ref())?)
}

/// Tells how a provider is, though nothing of it has changed.
pub(super) fn tell_again(tx: &Tx<'_>, context: &Context<'_>, provider: &ProviderId) -> Result<(), Refusal> {
    match tx.provider(provider)? {
        Some(row) => tell(tx, context, row),
        None => Ok(()),
    }
}

/// Forgets the providers that nobody has, but for those that were heard of last.
fn forget_the_oldest(tx: &Tx<'_>) -> Result<(), Refusal> {
    let mut all = tx.providers()?;
    if all.len() <= PROVIDERS {
        return Ok(());
    }
    all.sort_by_key(|provider| std::cmp::Reverse(provider.checked_at));
    for provider in all.into_iter().skip(PROVIDERS) {
        if tx.servings_for(&provider.id)?.is_empty() && tx.agents_for(&provider.id)?.is_empty() {
            tx.forget_provider(&provider.id)?;
        }
    }
    Ok(())
}

fn shown(row: ProviderRow) -> Provider {
    let status = match (&row.reason, row.kind, row.checked_at) {
        (Some(_), _, _) => ProviderStatus::Unavailable,
        (None, ProviderKind::Acp, None) => ProviderStatus::Unknown,
        (None, ProviderKind::Acp, Some(_)) | (None, ProviderKind::Served, _) => ProviderStatus::Ready,
    };
    Provider {
        id: row.id,
        kind: row.kind,
        status,
        reason: row.reason,
        checked_at: row.checked_at,
        models: row.models,
    }
}

/// What several windows offer: each model once, with the variants that any of them has, in the order in which they were
/// offered first.
fn offered_together(servings: &[ServingRow]) -> Vec<OfferedModel> {
    together(servings.iter().flat_map(|serving| &serving.offer.models))
}

fn together<'a>(models: impl Iterator<Item = &'a OfferedModel>) -> Vec<OfferedModel> {
    let mut all: Vec<OfferedModel> = Vec::new();
    for model in models {
        match all.iter_mut().find(|known| known.id == model.id) {
            Some(known) => {
                let new = model.variants.iter().filter(|variant| !known.variants.contains(variant));
                let new: Vec<String> = new.cloned().collect();
                known.variants.extend(new);
            }
            None => all.push(model.clone()),
        }
    }
    all
}
