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

/// An automation that somebody has named.
pub(super) struct Named {
    pub(super) id: AutomationId,
    /// It as it is now; `None` if there is none of this identity, which one that was deleted has kept.
    pub(super) automation: Option<Automation>,
}

/// The automation with this identity or title; failing that, the only one whose identity or title begins so. Upper and
/// lower case are alike.
pub(super) async fn automation_named(client: &Client, name: &str) -> Result<Named, Trouble> {
    let name = name.trim();
    let is_id = name.starts_with(AutomationId::PREFIX);
    if is_id {
        match client.ask("automation/get", json!({"id": name})).await {
            Ok(automation) => return Ok(named(automation)),
            Err(Error::Refused(refused)) if refused.kind == "not_found" => {}
            Err(error) => return Err(error.into()),
        }
    }
    let all = automations(client, None).await?;
    let wanted = folded(name);
    let title = |automation: &Automation| folded(automation.title());
    let exactly: Vec<&Automation> = all.iter().filter(|automation| title(automation) == wanted).collect();
    let beginning = |automation: &&Automation| {
        title(automation).starts_with(&wanted) || (is_id && automation.id().as_str().starts_with(name))
    };
    let found = match exactly.is_empty() {
        true => all.iter().filter(beginning).filter(|_| !name.is_empty()).collect(),
        false => exactly,
    };
    match found.as_slice() {
        [only] => Ok(named((*only).clone())),
        // One that was deleted is known to whoever is asked about it.
        [] if is_id => Ok(Named { id: AutomationId::from_text(name), automation: None }),
        [] => Err(Trouble::Unusable(unknown(name, &all))),
        several => Err(Trouble::Unusable(ambiguous(name, several))),
    }
}

fn named(automation: Automation) -> Named {
    Named { id: automation.id().clone(), automation: Some(automation) }
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
        true => ("are called", Vec::from_iter(several.iter().map(|one| one.id().to_string()))),
        false => {
            let one = |one: &&Automation| format!("{} ({})", quoted(&title_of(one)), one.id());
            ("begin with", several.iter().map(one).collect())
        }
    };
    let mut called: Vec<String> = called;
    let more = called.len().saturating_sub(TOLD);
    called.truncate(TOLD);
    if more > 0 {
        called.push(format!("{more} more"));
    }
    format!("{} automations {how} {}; name one by its id: {}", several.len(), quoted(name), called.join(", "))
}

fn unknown(name: &str, all: &[Automation]) -> String {
    let name = quoted(name);
    let mut titles: Vec<String> =
        all.iter().take(TOLD).map(|automation| quoted(&title_of(automation))).collect();
    if all.len() > TOLD {
        titles.push(format!("{} more", all.len() - TOLD));
    }
    match titles.as_slice() {
        [] => format!("no automation is called {name}: this project has none"),
        _ => format!("no automation is called {name}; there are {}", titles.join(", ")),
    }
}
