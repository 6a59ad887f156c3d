//! The time that somebody asks about who names none.

use super::Sidecar;
use crate::domain::id::AutomationId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::engine::explain;

impl Sidecar {
    /// The newest time at which an automation was due, or else the next one; see [`explain::recent`].
    ///
    /// # Errors
    /// When there never was such an automation, or the ledger cannot be read.
    pub async fn recent_time(&self, id: AutomationId) -> Result<Option<Timestamp>, Refusal> {
        let now = self.parts.clock.now();
        self.parts.ledger.read(move |view| explain::recent(view, now, &id)).await
    }
}
