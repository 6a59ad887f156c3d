//! `provider/…`: who carries out prompts, and windows that do so themselves.

use jsonrpsee::Extensions;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use schemars::JsonSchema;
use serde::Serialize;

use super::bounds::{CONCURRENT_MAX, MODELS_MAX, OFFER_BYTES, VARIANTS_MAX};
use super::in_order::{Handed, InOrder};
use super::looks::Look;
use super::table::Table;
use super::{forward, handled, refused, unsubscribed};
use crate::domain::draft::limits::AGENT_NAME;
use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::id::{ProviderId, RunId, SubscriptionId};
use crate::domain::provider::{Offer, OfferedModel, Provider, Refreshed};
use crate::domain::refusal::Refusal;
use crate::rpc::backend::Backend;
use crate::rpc::caller::Caller;
use crate::rpc::params;

/// The methods here that look and change nothing. A list has every model of every provider.
pub(super) const LOOKS: &[(&str, Look)] = &[("provider/list", Look::One)];

pub(super) fn register<B: Backend>(
    module: &mut Table<B>,
    in_order: &mut InOrder<B>,
) -> Result<(), RegisterMethodError> {
    module.register_async_method("provider/list", |params, backend, _| async move {
        params::read(&params, "", |_| Some(())).map_err(refused)?;
        handled(backend.providers().await.map(ProvidersOnTheWire::from))
    })?;
    module.register_async_method("provider/refresh", |params, backend, extensions| async move {
        let read = params::read(&params, "`id` and `insideRun`", |fields| {
            let only = provider_id_if_sent(fields);
            Some((only, params::caller(fields, &extensions)))
        });
        let (only, by) = read.map_err(refused)?;
        handled(backend.refresh(only, by).await.map(RefreshedOnTheWire::from))
    })?;
    // What is offered is written down before the client is answered, and in the order in which it was said.
    in_order.before("provider/serve", |backend, params, mut extensions| async move {
        let (offer, by) = read_offer(&params, &extensions)?;
        let Some(subscription) = extensions.get::<SubscriptionId>().cloned() else {
            return Err(Refusal::Internal("a subscription has no identity".to_owned()));
        };
        let work = backend.serve(offer, subscription, by).await?;
        extensions.insert(Handed::new(work));
        Ok(extensions)
    });
    in_order.before("provider/unserve", |backend, params, extensions| async move {
        backend.unserve(unsubscribed(&params)?).await?;
        Ok(extensions)
    });
    module.register_subscription(
        "provider/serve",
        "provider/work",
        "provider/unserve",
        |_, pending, _, extensions| async move {
            let work = extensions.get::<Handed<B::Work>>().and_then(Handed::take);
            // A client that has gone meanwhile is given no work.
            if let (Some(work), Ok(sink)) = (work, pending.accept().await) {
                forward(work, sink).await;
            }
        },
    )?;
    Ok(())
}

/// All providers that are known.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Providers")]
pub(in crate::rpc) struct ProvidersOnTheWire {
    /// In the order of their ids.
    items: Vec<Provider>,
}

impl From<Vec<Provider>> for ProvidersOnTheWire {
    fn from(items: Vec<Provider>) -> Self {
        ProvidersOnTheWire { items }
    }
}

/// All providers as they are after they were asked, or what is waited for before that.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "RefreshedProviders")]
pub(in crate::rpc) enum RefreshedOnTheWire {
    /// They were asked.
    Done(ProvidersOnTheWire),
    /// Some of them are asked when the runs that use them have ended; `provider.updated` tells what they said.
    #[serde(rename_all = "camelCase")]
    Deferred {
        /// That they are.
        status: Waits,
        /// The runs.
        waiting_for: Vec<RunId>,
    },
}

/// That something happens later.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::rpc) enum Waits {
    /// It does.
    Deferred,
}

impl From<Refreshed> for RefreshedOnTheWire {
    fn from(refreshed: Refreshed) -> Self {
        match refreshed {
            Refreshed::Done(items) => RefreshedOnTheWire::Done(items.into()),
            Refreshed::Deferred(waiting_for) => {
                RefreshedOnTheWire::Deferred { status: Waits::Deferred, waiting_for }
            }
        }
    }
}

fn provider_id_if_sent(fields: &mut Fields<'_>) -> Option<ProviderId> {
    fields.short_text("id", AGENT_NAME).map(ProviderId::from_text)
}

fn read_offer(params: &Params<'_>, extensions: &Extensions) -> Result<(Offer, Caller), Refusal> {
    params::read(params, "`id`, `models`, `maxConcurrent` and `insideRun`", |fields| {
        let provider = fields.required_short_text("id", AGENT_NAME).map(ProviderId::from_text);
        let models = read_models(fields);
        let max_concurrent = fields.integer("maxConcurrent", 1..=CONCURRENT_MAX).unwrap_or(1);
        let by = params::caller(fields, extensions);
        Some((Offer { provider: provider?, models: models?, max_concurrent }, by))
    })
}

fn read_models(fields: &mut Fields<'_>) -> Option<Vec<OfferedModel>> {
    let sent = fields.objects("models", MODELS_MAX);
    let sent = fields.require("models", sent)?;
    if sent.is_empty() {
        fields.fault_hint("models", Word::Required, "offer at least one");
    }
    let mut models: Vec<OfferedModel> = Vec::new();
    for mut model in sent {
        let id = model.required_short_text("id", AGENT_NAME);
        if models.iter().any(|other| Some(other.id.as_str()) == id) {
            model.fault_hint("id", Word::DuplicateField, "offer each model once");
        }
        let name = model.short_text("name", AGENT_NAME).or(id);
        let variants = read_variants(&mut model);
        model.finish(Word::UnknownValue, |_| None);
        if let (Some(id), Some(name)) = (id, name) {
            models.push(OfferedModel { id: id.to_owned(), name: name.to_owned(), variants });
        }
    }
    if models.iter().map(OfferedModel::bytes).sum::<usize>() > OFFER_BYTES {
        fields.fault_hint("models", Word::TooLong, format!("use at most {OFFER_BYTES} bytes in all names"));
    }
    Some(models)
}

fn read_variants(model: &mut Fields<'_>) -> Vec<String> {
    let variants = model.texts("variants").unwrap_or_default();
    if variants.len() > VARIANTS_MAX {
        model.fault_hint("variants", Word::TooLong, format!("use at most {VARIANTS_MAX}"));
    }
    for (index, variant) in variants.iter().enumerate() {
        let name = format!("variants[{index}]");
        if variant.trim().is_empty() {
            model.fault(&name, Word::Required);
        } else if variant.chars().nth(AGENT_NAME).is_some() {
            model.fault_hint(&name, Word::TooLong, format!("use at most {AGENT_NAME} characters"));
        } else if variants[..index].contains(variant) {
            model.fault_hint(&name, Word::DuplicateField, "offer each variant once");
        }
    }
    variants
}
