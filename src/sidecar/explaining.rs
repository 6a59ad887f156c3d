//! `automation/explain`: what the ledger tells, and, of a time that is to come, what a simulation does.

use std::time::Duration;

use tokio::time::timeout;

use super::Sidecar;
use crate::domain::explanation::Explanation;
use crate::domain::refusal::Refusal;
use crate::domain::request::ExplainRequest;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::engine::explain::{self, Foretold};
use crate::ledger::View;
use crate::rpc::backend::Answer;

/// How long somebody waits for what is to come: a person has clicked on a time. What takes longer lies so far ahead that
/// it says little.
const PATIENCE: Duration = Duration::from_secs(2);

impl Sidecar {
    pub(super) async fn explain_with_what_is_to_come(&self, request: ExplainRequest) -> Answer<Explanation> {
        let told = self.explain_by(&request, Foretold::Nothing).await?;
        match told.scheduled_at.filter(|_| told.verdict == Verdict::Future) {
            Some(slot) => {
                let foretold = self.look_ahead(&request, slot).await?;
                // Meanwhile another time may have become the one that is meant if none is named.
                let the_same = ExplainRequest { at: request.at.or(Some(slot)), ..request };
                self.explain_by(&the_same, foretold).await
            }
            None => Ok(told),
        }
    }

    async fn explain_by(&self, request: &ExplainRequest, foretold: Foretold) -> Answer<Explanation> {
        let now = self.parts.clock.now();
        let ExplainRequest { automation, at } = request.clone();
        let read = move |view: &View<'_>| {
            let at = match at {
                Some(at) => at,
                None => explain::recent(view, now, &automation)?.unwrap_or(now),
            };
            explain::explain(view, now, &automation, at, &foretold)
        };
        self.parts.ledger.read(read).await
    }

    /// What will become of a slot. That too many simulations are worked out already, or that the automation has just been
    /// deleted, keeps nobody from being told the rest.
    async fn look_ahead(&self, request: &ExplainRequest, slot: Timestamp) -> Answer<Foretold> {
        let question = Foretold::question(&request.automation, slot);
        match timeout(PATIENCE, self.foretell(question)).await {
            Ok(Ok(simulation)) => Ok(Foretold::by(simulation, slot)),
            Err(_) | Ok(Err(Refusal::Overloaded(_) | Refusal::NotFound { .. })) => Ok(Foretold::Nothing),
            Ok(Err(refusal)) => Err(refusal),
        }
    }
}
