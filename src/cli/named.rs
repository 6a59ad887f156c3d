//! Automations as somebody names them who types a command.

use super::opened::Trouble;
use crate::domain::automation::folded;
use crate::domain::draft::limits;
use crate::domain::id::AutomationId;
use crate::domain::later::AnyAutomation;
use crate::domain::one_line::one_line;
use crate::domain::refusal::Refusal;
use crate::domain::request::ListAutomations;
use crate::domain::schedule::zone::Zone;
use crate::rpc::backend::Backend;
use crate::sidecar::Sidecar;

/// Automations that are read at once.
const AT_ONCE: usize = 500;

/// The most titles that are told to somebody whose name fits none.
const TOLD: usize = 10;

/// An automation that somebody has named.
pub(super) struct Named {
    pub(super) id: AutomationId,
    /// It as it is now; `None` if there is none of this identity, which one that was deleted has kept.
    pub(super) automation: Option<AnyAutomation>,
}

/// The automation with this identity, or with this title if only one has it, in upper or lower case.
pub(super) async fn automation_named(sidecar: &Sidecar, name: &str) -> Result<Named, Trouble> {
    if name.starts_with(AutomationId::PREFIX) {
        let id = AutomationId::from_text(name);
        let automation = match sidecar.automation(id.clone(), None).await {
            Ok(automation) => Some(automation),
            Err(Refusal::NotFound { .. }) => None,
            Err(refusal) => return Err(refusal.into()),
        };
        return Ok(Named { id, automation });
    }
    let wanted = folded(name.trim());
    let mut having_it = automations(sidecar, Some(name.trim())).await?;
    having_it.retain(|automation| folded(&title_of(automation)) == wanted);
    match having_it.len() {
        1 => {
            let automation = having_it.remove(0);
            Ok(Named { id: id_of(&automation).clone(), automation: Some(automation) })
        }
        0 => Err(Trouble::Unusable(unknown(name, &automations(sidecar, None).await?))),
        several => {
            let ids: Vec<&str> = having_it.iter().map(|automation| id_of(automation).as_str()).collect();
            Err(Trouble::Unusable(format!(
                "{several} automations are called {}; name one by its id: {}",
                quoted(name),
                ids.join(", ")
            )))
        }
    }
}

/// All automations, or those whose title contains this text, newest first.
pub(super) async fn automations(
    sidecar: &Sidecar,
    query: Option<&str>,
) -> Result<Vec<AnyAutomation>, Trouble> {
    let query = query.map(str::to_owned);
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let wanted = ListAutomations { before, limit: AT_ONCE, paused: None, query: query.clone() };
        let page = sidecar.automations(wanted, None).await?;
        all.extend(page.items);
        before = page.next;
        if before.is_none() {
            return Ok(all);
        }
    }
}

pub(super) fn id_of(automation: &AnyAutomation) -> &AutomationId {
    match automation {
        AnyAutomation::Known(automation) => &automation.id,
        AnyAutomation::Later(automation) => &automation.id,
    }
}

/// The title, as one line.
pub(super) fn title_of(automation: &AnyAutomation) -> String {
    match automation {
        AnyAutomation::Known(automation) => one_line(&automation.definition.title, limits::TITLE),
        AnyAutomation::Later(automation) => one_line(automation.title().unwrap_or_default(), limits::TITLE),
    }
}

/// The zone of its clocks, if this version and this machine know it.
pub(super) fn zone_of(automation: &AnyAutomation) -> Option<Zone> {
    match automation {
        AnyAutomation::Known(automation) => Zone::named(&automation.definition.timezone).ok(),
        AnyAutomation::Later(_) => None,
    }
}

pub(super) fn quoted(title: &str) -> String {
    format!("“{}”", one_line(title, limits::TITLE))
}

fn unknown(name: &str, all: &[AnyAutomation]) -> String {
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
