//! Which model a prompt goes to: what was named, or the only one there is.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::Given;
use super::fault::{Fault, distance, list};
use super::project::{Open, Trouble};
use crate::domain::one_line::one_line;

/// The most models that an answer lists, those first that are most like what was written.
pub(super) const LISTED: usize = 20;

/// A model that was chosen.
pub(super) struct Chosen {
    pub(super) provider: String,
    pub(super) model: String,
    /// What is to be told about the choice.
    pub(super) note: Option<String>,
}

/// Why none was.
pub(super) struct NotChosen {
    pub(super) fault: Fault,
    /// Those there are, as they are written in `model`.
    pub(super) offered: Vec<String>,
}

/// What `provider/list` tells, as far as it matters here.
#[derive(Deserialize)]
struct Providers {
    items: Vec<Provider>,
}

#[derive(Deserialize)]
struct Provider {
    id: String,
    status: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(default)]
    variants: Vec<String>,
}

/// The model that is meant.
///
/// # Errors
/// When nobody can be asked what there is.
pub(super) async fn resolve(open: &Open, given: &Given) -> Result<Result<Chosen, NotChosen>, Trouble> {
    let mut providers = providers(open).await?;
    if providers.is_empty() {
        let fault = Fault::new(
            "prompt",
            "cannot be carried out: no agent is configured on this machine, and no window serves one",
            "use `command`, `shell` or `reminder` instead, or have the user configure an agent (https://agentclientprotocol.com) in sexton's config.json",
        );
        return Ok(Err(NotChosen { fault, offered: Vec::new() }));
    }
    if !given.has("model") || found(given, &providers).is_none() {
        // What an agent has not said yet, or said long ago, it is asked once more.
        ask_again(open, given, &providers).await?;
        providers = self::providers(open).await?;
    }
    Ok(chosen(given, &providers))
}

/// The models there are, as they are written in `model`: the first of them, where they are many.
///
/// # Errors
/// When nobody can be asked.
pub(super) async fn offered(open: &Open) -> Result<Vec<String>, Trouble> {
    Ok(names(&providers(open).await?, ""))
}

async fn providers(open: &Open) -> Result<Vec<Provider>, Trouble> {
    Ok(open.client.ask::<Providers>("provider/list", json!({})).await?.items)
}

/// Has those agents asked what they offer whose answer would decide. That is a courtesy: what is known counts if it fails.
async fn ask_again(open: &Open, given: &Given, providers: &[Provider]) -> Result<(), Trouble> {
    let named = given.text("model").and_then(|model| model.split_once('/')).map(|(provider, _)| provider);
    let known = named.filter(|named| providers.iter().any(|provider| provider.id == *named));
    for provider in providers {
        let decides = match known {
            Some(known) => provider.id == known,
            None => provider.models.is_empty(),
        };
        if decides {
            let asked = open.client.ask::<Value>("provider/refresh", json!({"id": provider.id})).await;
            if let Err(crate::client::Error::Gone(why)) = asked {
                return Err(Trouble::Gone(why));
            }
        }
    }
    Ok(())
}

fn chosen(given: &Given, providers: &[Provider]) -> Result<Chosen, NotChosen> {
    let all: Vec<(&Provider, &Model)> = every(providers).collect();
    let written = given.text("model").unwrap_or_default().trim();
    let refused = |problem: String, instead: String| NotChosen {
        fault: Fault::new("model", problem, instead),
        offered: names(providers, written),
    };
    if !given.has("model") {
        return match all.as_slice() {
            [(provider, model)] => {
                let note = format!("The model is {}, the only one there is.", name(provider, model));
                let (provider, id) = (provider.id.clone(), model.id.clone());
                variant_of(given, model).map(|()| Chosen { provider, model: id, note: Some(note) })
            }
            [] => Err(refused("cannot be chosen: no model is offered".to_owned(), unavailable(providers))),
            several => {
                let (provider, model) = several[0];
                let problem = format!("is missing, and there are {}", several.len());
                Err(refused(
                    problem,
                    format!("write the one that the user wants, as in `{}`", name(provider, model)),
                ))
            }
        };
    }
    if let Some((provider, model)) = found(given, providers) {
        let (provider, id) = (provider.id.clone(), model.id.clone());
        let note = (written != format!("{provider}/{id}")).then(|| format!("The model is {provider}/{id}."));
        return variant_of(given, model).map(|()| Chosen { provider, model: id, note });
    }
    // A provider that cannot be asked at the moment may still have it: the sidecar knows what it said last.
    let named = written.split_once('/').and_then(|(id, model)| {
        let provider = providers.iter().find(|provider| provider.id == id)?;
        (provider.status != "ready" && provider.models.is_empty()).then_some((provider, model))
    });
    if let Some((provider, model)) = named {
        return Ok(Chosen { provider: provider.id.clone(), model: model.to_owned(), note: None });
    }
    let near = names(providers, written);
    let instead = match near.first() {
        Some(first) => format!("write `{first}` if that is meant, or another of those that are offered"),
        None => unavailable(providers),
    };
    Err(refused(format!("is not offered: {:?}", one_line(written, 80)), instead))
}

/// The model that was named: in full, or by its own name if only one provider offers it.
fn found<'a>(given: &Given, providers: &'a [Provider]) -> Option<(&'a Provider, &'a Model)> {
    let written = given.text("model")?.trim();
    let in_full = every(providers).find(|(provider, model)| name(provider, model) == written);
    in_full.or_else(|| {
        let mut alike = every(providers).filter(|(_, model)| model.id == written);
        alike.next().filter(|_| alike.next().is_none())
    })
}

fn variant_of(given: &Given, model: &Model) -> Result<(), NotChosen> {
    let Some(written) = given.text("variant").map(str::trim) else { return Ok(()) };
    if model.variants.iter().any(|variant| variant == written) {
        return Ok(());
    }
    let problem = format!("is none of the model's: {:?}", one_line(written, 80));
    let mut variants: Vec<&str> = model.variants.iter().map(String::as_str).collect();
    variants.sort_by_key(|variant| distance(variant, written));
    let instead = match variants.as_slice() {
        [] => "leave it out: the model has none".to_owned(),
        _ => format!("write one of {}, or leave it out", list(&variants)),
    };
    Err(NotChosen { fault: Fault::new("variant", problem, instead), offered: Vec::new() })
}

fn every(providers: &[Provider]) -> impl Iterator<Item = (&Provider, &Model)> {
    providers.iter().flat_map(|provider| provider.models.iter().map(move |model| (provider, model)))
}

fn name(provider: &Provider, model: &Model) -> String {
    format!("{}/{}", provider.id, model.id)
}

/// The models there are, those first that are most like what was written; of many the first only.
fn names(providers: &[Provider], written: &str) -> Vec<String> {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let unlike = |name: &String| match written {
        "" => 0,
        written => distance(name, written).min(distance(&last(name), &last(written))),
    };
    let mut names: Vec<String> = every(providers).map(|(provider, model)| name(provider, model)).collect();
    names.sort_by_cached_key(unlike);
    names.truncate(LISTED);
    names
}

/// Why none of the providers offers anything.
fn unavailable(providers: &[Provider]) -> String {
    let reasons: BTreeMap<&str, &str> = providers
        .iter()
        .map(|provider| {
            (provider.id.as_str(), provider.reason.as_deref().unwrap_or("it has not said what it offers"))
        })
        .collect();
    let reasons: Vec<String> =
        reasons.iter().map(|(id, reason)| format!("{id}: {}", one_line(reason, 300))).collect();
    format!(
        "use `command`, `shell` or `reminder` instead, or have the user see to the agent ({})",
        reasons.join("; ")
    )
}
