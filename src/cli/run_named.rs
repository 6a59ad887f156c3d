//! Runs as somebody names them who types a command: by their id, or by their automation.

use serde_json::json;

use super::named::{automation_named, quoted, title_of};
use super::opened::Trouble;
use super::run_words::outcome;
use crate::client::Client;
use crate::client::model::Run;
use crate::domain::id::RunId;

/// Runs of one automation that are looked through for the one that is meant.
const LOOKED_THROUGH: usize = 200;

/// Which run of an automation is meant, if somebody names that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// The newest that has done something.
    Worked,
    /// The only one that has not ended.
    Active,
    /// The only one that waits for a person.
    Asking,
}

/// The run of this id, or the one that is meant of the automation that is named.
pub(super) async fn run_named(client: &Client, name: &str, meant: Meant) -> Result<Run, Trouble> {
    let name = name.trim();
    if name.starts_with(RunId::PREFIX) {
        return Ok(client.ask("run/get", json!({"id": name})).await?);
    }
    let automation = automation_named(client, name).await?;
    let title =
        automation.automation.as_ref().map_or_else(|| automation.id.to_string(), |it| quoted(&title_of(it)));
    let mut wanted = json!({"automationID": automation.id});
    match meant {
        Meant::Worked => {}
        Meant::Active => wanted["states"] = json!(["scheduled", "running", "awaiting_input"]),
        Meant::Asking => wanted["states"] = json!(["awaiting_input"]),
    }
    let (mut runs, _) = client.first::<Run>("run/list", wanted, LOOKED_THROUGH).await?;
    match meant {
        Meant::Worked => {
            let worked = runs.into_iter().find(|run| run.started_at.is_some() || run.output.bytes > 0);
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
