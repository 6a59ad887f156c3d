//! Events for one subscriber, read from the ledger at its own place.

use std::collections::VecDeque;

use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ledger::{Committed, EventFilter, Ledger, StoredEvent};
use crate::rpc::backend::{Feed, Follow, Place};

/// Events that are read at once. A subscriber that does not read holds no more than these in memory.
const AT_ONCE: usize = 64;

/// The events of the ledger after a subscriber's own place.
pub struct LedgerFeed {
    ledger: Ledger,
    commits: watch::Receiver<Committed>,
    filter: EventFilter,
    /// Everything up to here has been looked at.
    looked_through: i64,
    ready: VecDeque<Box<RawValue>>,
}

impl LedgerFeed {
    /// Begins where the subscriber wants; if that cannot be, it is told where it can be.
    pub(super) fn begin(ledger: Ledger, wanted: Follow, now: Timestamp) -> Result<LedgerFeed, Refusal> {
        let commits = ledger.commits();
        let Place(newest) = wanted.asked_at;
        let foreign = wanted.ledger.as_ref().is_some_and(|named| named != ledger.id().as_str());
        let lost = wanted.after.is_some_and(|after| foreign || after > newest);
        let mut ready = VecDeque::new();
        if lost {
            ready.push_back(resync(newest, now)?);
        }
        let looked_through = if lost { newest } else { wanted.after.unwrap_or(newest) };
        let filter = EventFilter { kinds: wanted.kinds, automation: wanted.automation };
        Ok(LedgerFeed { ledger, commits, filter, looked_through, ready })
    }

    /// Reads on, and gives whether there was anything.
    async fn read_on(&mut self) -> Result<bool, Refusal> {
        let (after, filter) = (self.looked_through, self.filter.clone());
        let read = self.ledger.read(move |view| {
            let newest = view.newest_seq()?;
            Ok((newest, view.events_after(after, &filter, AT_ONCE)?))
        });
        let (newest, events) = read.await?;
        self.looked_through = match events.last() {
            Some(last) if events.len() == AT_ONCE => last.seq,
            Some(_) | None => newest.max(after),
        };
        for event in &events {
            self.ready.push_back(on_the_wire(event)?);
        }
        Ok(!events.is_empty())
    }
}

impl Feed for LedgerFeed {
    async fn next(&mut self) -> Option<Box<RawValue>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            match self.read_on().await {
                Ok(true) => {}
                Ok(false) => {
                    let seen = self.looked_through;
                    self.commits.wait_for(|committed| committed.seq > seen).await.ok()?;
                }
                Err(refusal) => {
                    tracing::error!(%refusal, "events could not be read; trying again at the next one");
                    self.commits.changed().await.ok()?;
                }
            }
        }
    }
}

fn on_the_wire(event: &StoredEvent) -> Result<Box<RawValue>, Refusal> {
    let StoredEvent { seq, at, kind, important, payload } = event;
    // The payload is an object that is not empty; its members follow ours.
    let members = payload.strip_prefix('{').unwrap_or("}");
    let text = format!(r#"{{"seq":{seq},"at":{at},"kind":"{kind}","important":{important},{members}"#);
    RawValue::from_string(text).map_err(|error| Refusal::Internal(format!("event {seq} is damaged: {error}")))
}

/// History before the subscriber's place cannot be had: it has to list again.
fn resync(newest: i64, now: Timestamp) -> Result<Box<RawValue>, Refusal> {
    let event = serde_json::json!({"seq": newest, "at": now, "kind": "resync", "important": false});
    serde_json::value::to_raw_value(&event).map_err(|error| Refusal::Internal(error.to_string()))
}
