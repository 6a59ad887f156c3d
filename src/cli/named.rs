//! Automations as somebody names them who types a command.

use serde_json::json;

use super::opened::Trouble;
use crate::client::model::Automation;
use crate::client::{Client, Error};
use crate::domain::automation::folded;
use crate::domain::draft::limits;
use crate::domain::id::AutomationId;
use crate::domain::one_line::one_line;
use crate::domain::schedule::zone::Zone;

/// The most titles that are told to somebody whose name fits none, and the most automations to somebody whose name fits
/// several.
const TOLD: usize = 10;

/// The fewest characters of an identity, behind what all of them begin with, that may stand for the whole of it where
/// something is done: so many are copied, and not typed by chance.
const COPIED: usize = 8;

/// What somebody wants of the automation that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// To look at it: the beginning of its title or identity will do.
    Look,
    /// To do something with it, which must not happen to one that is only called similarly.
    Act,
}

/// An automation that somebody has named.
pub(super) struct Named {
    pub(super) id: AutomationId,
    /// It as it is now; `None` if there is none of this identity, which one that was deleted has kept. Whoever wants to do
    /// something is never given that.
    pub(super) automation: Option<Automation>,
}

/// The automation with this identity or title. Failing that, the only one whose identity begins so, and for whoever looks
/// also the only one whose title does. Upper and lower case are alike.
pub(super) async fn automation_named(client: &Client, name: &str, intent: Intent) -> Result<Named, Trouble> {
    let name = name.trim();
    let unique = name.strip_prefix(AutomationId::PREFIX);
    if unique.is_some() {
        match client.ask("automation/get", json!({"id": name})).await {
            Ok(automation) => return Ok(named(automation)),
            Err(Error::Refused(refused)) if refused.kind == "not_found" => {}
            Err(error) => return Err(error.into()),
        }
    }
    let all = automations(client, None).await?;
    let wanted = folded(name);
    let is_title = |automation: &&Automation| folded(automation.title()) == wanted;
    let is_title_beginning = |automation: &&Automation| folded(automation.title()).starts_with(&wanted);
    let is_id_beginning = |automation: &&Automation| automation.id().as_str().starts_with(name);
    let exactly: Vec<&Automation> = all.iter().filter(is_title).collect();
    let by_id: Vec<&Automation> = match unique {
        Some(unique) if unique.chars().count() >= COPIED => all.iter().filter(is_id_beginning).collect(),
        Some(_) | None => Vec::new(),
    };
    let similar: Vec<&Automation> = match name.is_empty() {
        true => Vec::new(),
        false => {
            let begins = |automation: &&Automation| {
                is_title_beginning(automation) || (unique.is_some() && is_id_beginning(automation))
            };
            all.iter().filter(begins).collect()
        }
    };
    let meant = match (exactly.is_empty(), intent) {
        (false, _) => &exactly,
        (true, Intent::Look) => &similar,
        (true, Intent::Act) => &by_id,
    };
    match (meant.as_slice(), intent) {
        ([only], _) => Ok(named((*only).clone())),
        ([], Intent::Act) if !similar.is_empty() => Err(Trouble::Unusable(did_you_mean(name, &similar))),
        ([], Intent::Act) if unique.is_some() => Err(Trouble::Unusable(format!(
            "there is no automation {}: it was deleted, or never was",
            quoted(name)
        ))),
        // One that was deleted is known to whoever is asked about it.
        ([], Intent::Look) if unique.is_some() => {
            Ok(Named { id: AutomationId::from_text(name), automation: None })
        }
        ([], _) => Err(Trouble::Unusable(unknown(name, &all))),
        (several, _) => Err(Trouble::Unusable(ambiguous(name, several))),
    }
}

fn named(automation: Automation) -> Named {
    Named { id: automation.id().clone(), automation: Some(automation) }
}

/// The automations that somebody wants to look ahead of, by these names: no more than one simulation takes. One that was
/// deleted has an identity only.
pub(super) async fn named_to_foretell(
    client: &Client,
    names: &[String],
) -> Result<(Vec<AutomationId>, Vec<Automation>), Trouble> {
    let (mut ids, mut known) = (Vec::new(), Vec::new());
    for name in names {
        let found = automation_named(client, name, Intent::Look).await?;
        ids.push(found.id);
        known.extend(found.automation);
    }
    if ids.len() > limits::SIMULATED {
        let most = limits::SIMULATED;
        return Err(Trouble::Unusable(format!("name at most {most} automations, or none for all of them")));
    }
    Ok((ids, known))
}

/// All automations, or those whose title contains this text, newest first.
pub(super) async fn automations(client: &Client, query: Option<&str>) -> Result<Vec<Automation>, Trouble> {
    let wanted = match query {
        Some(query) => json!({"query": query}),
        None => json!({}),
    };
    Ok(client.all("automation/list", wanted).await?)
}

/// The title, as one line.
pub(super) fn title_of(automation: &Automation) -> String {
    one_line(automation.title(), limits::TITLE)
}

/// The zone of its clocks, if this version and this machine know it.
pub(super) fn zone_of(automation: &Automation) -> Option<Zone> {
    automation.known().and_then(|automation| Zone::named(&automation.definition.timezone).ok())
}

/// The zone of these automations if they have one in common, and that of the machine otherwise.
pub(super) fn common_zone(automations: &[Automation]) -> Zone {
    let mut zones = automations.iter().map(zone_of);
    match zones.next().flatten() {
        Some(first) if zones.all(|zone| zone.as_ref() == Some(&first)) => first,
        Some(_) | None => Zone::machine(),
    }
}

pub(super) fn quoted(title: &str) -> String {
    format!("“{}”", one_line(title, limits::TITLE))
}

fn ambiguous(name: &str, several: &[&Automation]) -> String {
    let is_title = |automation: &&&Automation| folded(automation.title()) == folded(name);
    let (how, called) = match several.iter().all(|automation| is_title(&automation)) {
        true => ("are called", several.iter().map(|one| one.id().to_string()).collect()),
        false => ("begin with", several.iter().map(|one| with_id(one)).collect()),
    };
    let called = at_most_told(called).join(", ");
    format!("{} automations {how} {}; name one by its id: {called}", several.len(), quoted(name))
}

fn did_you_mean(name: &str, similar: &[&Automation]) -> String {
    let called = at_most_told(similar.iter().map(|one| with_id(one)).collect()).join(" or ");
    format!("no automation is called {}; did you mean {called}?", quoted(name))
}

fn with_id(automation: &Automation) -> String {
    format!("{} ({})", quoted(&title_of(automation)), automation.id())
}

/// The first of them, and how many more there are.
fn at_most_told(mut called: Vec<String>) -> Vec<String> {
    let more = called.len().saturating_sub(TOLD);
    called.truncate(TOLD);
    if more > 0 {
        called.push(format!("{more} more"));
    }
    called
}

fn unknown(name: &str, all: &[Automation]) -> String {
    let name = quoted(name);
    let titles = at_most_told(all.iter().map(|automation| quoted(&title_of(automation))).collect());
    match titles.as_slice() {
        [] => format!("no automation is called {name}: this project has none"),
        _ => format!("no automation is called {name}; there are {}", titles.join(", ")),
    }
}
