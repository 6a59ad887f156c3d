//! What becomes of a run, as it happens.

use serde_json::{Value, json};

use super::opened::Trouble;
use crate::client::model::Run;
use crate::client::{Client, Event, Events, Follow};
use crate::domain::id::{AutomationId, RunId};

/// What is told of the runs of an automation from now on. Whoever begins to listen before asking misses nothing.
pub(super) struct Changes<'a> {
    client: &'a Client,
    events: Events<'a>,
}

impl<'a> Changes<'a> {
    pub(super) async fn of(client: &'a Client, automation: &AutomationId) -> Result<Changes<'a>, Trouble> {
        let kinds = ["run.updated", "run.warning"].map(str::to_owned).to_vec();
        let wanted = Follow { after: None, kinds, automation: Some(automation.to_string()) };
        Ok(Changes { client, events: client.events(wanted).await? })
    }

    /// The next thing that is told of this run, with the run as it was then.
    pub(super) async fn next_of(&mut self, id: &RunId) -> Result<(Run, Event), Trouble> {
        loop {
            let Some(mut event) = self.events.next().await? else { return Err(gone()) };
            if event.kind == "resync" {
                // What was told meanwhile is not kept any more: what counts is how it is now.
                let run: Value = self.client.ask("run/get", json!({"id": id})).await?;
                "run.updated".clone_into(&mut event.kind);
                event.about = [("run".to_owned(), run)].into_iter().collect();
            }
            if let Some(run) = event.run().filter(|run| run.id == *id) {
                return Ok((run, event));
            }
        }
    }
}

/// The sidecar behind this process has ended without being asked to.
pub(super) fn gone() -> Trouble {
    Trouble::Failed("the sidecar of this command has ended before it was told to".to_owned())
}
