//! What is told of providers, and which models an automation may name.
//!
//! What is told of a provider is what the windows that serve it offer together. When nobody serves it any more, what it
//! offered last is remembered, so that automations can still be edited for a while.

use super::Context;
use crate::domain::automation::Task;
use crate::domain::event::Event;
use crate::domain::fault::{Fault, Word};
use crate::domain::id::ProviderId;
use crate::domain::prompt::Prompt;
use crate::domain::provider::{ANSWER_COUNTS_MS, OfferedModel, Provider, ProviderKind, ProviderStatus};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ledger::{ProviderRow, ServingRow, Tx, View};

/// What one window may serve at once, and how many providers are remembered that nobody serves: more than any application
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

/// What is wrong with the model that a task names, if anything is.
pub(super) fn check_model(view: &View<'_>, task: &Task, now: Timestamp) -> Result<Option<Fault>, Refusal> {
    let prompt = match task {
        Task::Prompt(prompt) => prompt,
        Task::Command(_) | Task::Notify { .. } => return Ok(None),
    };
    let name = &prompt.model.provider;
    let Some(row) = view.provider(name)? else {
        let others = names(view.providers()?.iter().map(|other| other.id.as_str()));
        let hint = match others {
            Some(others) => {
                format!("nobody serves `{name}`; open the application that does, or name one of: {others}")
            }
            None => format!("nobody serves `{name}`; open the application that does"),
        };
        return Ok(Some(Fault::with_hint("task.model", Word::ModelLookupFailed, hint)));
    };
    if row.reason.is_some() && now.since_ms(row.checked_at) > ANSWER_COUNTS_MS {
        let hint = format!("`{name}` cannot be given work: {}", row.reason.unwrap_or_default());
        return Ok(Some(Fault::with_hint("task.model", Word::ModelLookupFailed, hint)));
    }
    Ok(not_offered(prompt, &row.models))
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

/// Looks again at who serves a provider, which has last said at `said_at` what it offers, and tells of it if anything can
/// be seen of that.
pub(super) fn look_again(
    tx: &Tx<'_>,
    context: &Context<'_>,
    provider: &ProviderId,
    said_at: Timestamp,
) -> Result<(), Refusal> {
    let before = tx.provider(provider)?;
    let servings = tx.servings_for(provider)?;
    let mut able = Vec::new();
    for serving in &servings {
        if tx.takes_any_work(&serving.instance)? {
            able.push(serving.clone());
        }
    }
    let reason = match (able.as_slice(), servings.as_slice()) {
        ([_, ..], _) => None,
        ([], [_, ..]) => Some("only windows serve it that observe, or have given up the project"),
        ([], []) => Some("no window that is open serves it; open the application that does"),
    };
    let (models, checked_at) = match (able.as_slice(), servings.as_slice(), &before) {
        (able @ [_, ..], _, _) => (offered_together(able), context.now),
        ([], servings @ [_, ..], _) => (offered_together(servings), context.now),
        ([], [], Some(before)) => (before.models.clone(), said_at),
        ([], [], None) => (Vec::new(), said_at),
    };
    let (id, kind, reason) = (provider.clone(), ProviderKind::Served, reason.map(str::to_owned));
    if before.is_some_and(|before| before.models == models && before.reason == reason) {
        return Ok(());
    }
    let row = ProviderRow { id, kind, models, reason, checked_at };
    tx.keep_provider(&row)?;
    forget_the_oldest(tx)?;
    tx.publish(&Event::ProviderUpdated { provider: Box::new(shown(row)) }, context.now)?;
    Ok(())
}

/// Forgets the providers that nobody serves, but for those that were heard of last.
fn forget_the_oldest(tx: &Tx<'_>) -> Result<(), Refusal> {
    let mut all = tx.providers()?;
    if all.len() <= PROVIDERS {
        return Ok(());
    }
    all.sort_by_key(|provider| std::cmp::Reverse(provider.checked_at));
    for provider in all.into_iter().skip(PROVIDERS) {
        if tx.servings_for(&provider.id)?.is_empty() {
            tx.forget_provider(&provider.id)?;
        }
    }
    Ok(())
}

fn shown(row: ProviderRow) -> Provider {
    let status = match row.reason {
        Some(_) => ProviderStatus::Unavailable,
        None => ProviderStatus::Ready,
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
    let mut all: Vec<OfferedModel> = Vec::new();
    for model in servings.iter().flat_map(|serving| &serving.offer.models) {
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
