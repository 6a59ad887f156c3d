//! Runs as somebody names them who types a command: by their id, or by their automation.

use serde_json::{Value, json};

use super::named::{Intent, Named, automation_named, quoted, title_of};
use super::opened::{Trouble, read};
use super::run_words::outcome;
use crate::client::model::Run;
use crate::client::{Client, Error};
use crate::domain::id::RunId;

/// Runs of one automation that are looked through for the one that is meant.
const LOOKED_THROUGH: usize = 200;

const NOT_ENDED: [&str; 3] = ["scheduled", "running", "awaiting_input"];

/// Which run of an automation is meant, if somebody names that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// The newest that has done something.
    Worked,
    /// The newest that has not ended; failing that, the newest that has done something.
    Newest,
    /// The only one that has not ended.
    Active,
    /// The only one that waits for a person.
    Asking,
}

/// What somebody has named who may mean either.
pub(super) enum RunOrAutomation {
    /// The answer to `run/get`.
    Run(Value),
    Automation(Named),
}

/// The run of this id; failing that, the automation. A title may begin like the id of a run.
pub(super) async fn run_or_automation(
    client: &Client,
    name: &str,
    intent: Intent,
) -> Result<RunOrAutomation, Trouble> {
    let name = name.trim();
    if !name.starts_with(RunId::PREFIX) {
        return Ok(RunOrAutomation::Automation(automation_named(client, name, intent).await?));
    }
    let no_run = match client.ask("run/get", json!({"id": name})).await {
        Ok(run) => return Ok(RunOrAutomation::Run(run)),
        Err(Error::Refused(refused)) if refused.kind == "not_found" => Error::Refused(refused),
        Err(error) => return Err(error.into()),
    };
    match automation_named(client, name, intent).await {
        Ok(automation) => Ok(RunOrAutomation::Automation(automation)),
        // Most likely the id of a run was meant.
        Err(Trouble::Unusable(_)) => Err(no_run.into()),
        Err(trouble @ Trouble::Failed(_)) => Err(trouble),
    }
}

/// The run of this id, or the one that is meant of the automation that is named.
pub(super) async fn run_named(client: &Client, name: &str, meant: Meant) -> Result<Run, Trouble> {
    let intent = match meant {
        Meant::Worked | Meant::Newest => Intent::Look,
        Meant::Active | Meant::Asking => Intent::Act,
    };
    let automation = match run_or_automation(client, name, intent).await? {
        RunOrAutomation::Run(run) => return read(run),
        RunOrAutomation::Automation(automation) => automation,
    };
    let title =
        automation.automation.as_ref().map_or_else(|| automation.id.to_string(), |it| quoted(&title_of(it)));
    let of_it = json!({"automationID": automation.id});
    let not_ended = json!({"automationID": automation.id, "states": NOT_ENDED});
    let wanted = match meant {
        Meant::Worked => of_it.clone(),
        Meant::Newest | Meant::Active => not_ended,
        Meant::Asking => json!({"automationID": automation.id, "states": ["awaiting_input"]}),
    };
    let (mut runs, there_are_more) = client.first::<Run>("run/list", wanted, LOOKED_THROUGH).await?;
    match meant {
        Meant::Newest if !runs.is_empty() => Ok(runs.remove(0)),
        Meant::Worked | Meant::Newest => {
            let has_worked = |run: &Run| run.started_at.is_some() || run.output.bytes > 0;
            let mut worked = runs.into_iter().find(has_worked);
            if worked.is_none() && (there_are_more || meant == Meant::Newest) {
                // What never did anything, such as what was missed, may be most of what there is.
                worked = client.all::<Run>("run/list", of_it).await?.into_iter().find(has_worked);
            }
            worked.ok_or_else(|| Trouble::Failed(format!("no run of {title} has done anything yet")))
        }
        Meant::Active | Meant::Asking => match runs.len() {
            0 if meant == Meant::Active => Err(Trouble::Failed(format!(
                "no run of {title} is at work or waits; `sexton runs` lists what was"
            ))),
            0 => Err(Trouble::Failed(format!("no run of {title} waits for an answer"))),
            1 => Ok(runs.remove(0)),
            several => {
                let each: Vec<String> =
                    runs.iter().map(|run| format!("{} ({})", run.id, outcome(run).0)).collect();
                Err(Trouble::Unusable(format!(
                    "{title} has {several} such runs; name one by its id: {}",
                    each.join(", ")
                )))
            }
        },
    }
}
