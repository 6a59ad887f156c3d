//! Events for one subscriber, read from the ledger at its own place.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::clock::Clock;
use super::health::LastTold;
use crate::domain::refusal::Refusal;
use crate::domain::shown::{Voice, payload_shown_to};
use crate::domain::time::Timestamp;
use crate::ledger::{Committed, EventFilter, Ledger, StoredEvent};
use crate::rpc::backend::{Feed, Follow, Place};

/// Events that are read at once. A subscriber that does not read holds no more than these in memory.
const AT_ONCE: usize = 64;

/// The shortest time between two attempts to read events that could not be read: others may commit all the time.
const BREATHER: Duration = Duration::from_secs(1);

/// How long events that could not be read wait after that, unless there are more.
const READ_AGAIN: Duration = Duration::from_secs(4);

/// The events of the ledger after a subscriber's own place.
pub struct LedgerFeed {
    ledger: Ledger,
    clock: Clock,
    commits: watch::Receiver<Committed>,
    filter: EventFilter,
    /// On whose behalf they are read.
    voice: Voice,
    /// Everything up to here has been looked at.
    looked_through: i64,
    ready: VecDeque<Box<RawValue>>,
    told: LastTold,
}

impl LedgerFeed {
    /// Begins where the subscriber wants; if that cannot be, it is told where it can be.
    pub(super) fn begin(
        ledger: Ledger,
        wanted: Follow,
        voice: Voice,
        clock: Clock,
    ) -> Result<LedgerFeed, Refusal> {
        let commits = ledger.commits();
        let Place(newest) = wanted.asked_at;
        let foreign = wanted.ledger.as_ref().is_some_and(|named| named != ledger.id().as_str());
        let lost = wanted.after.is_some_and(|after| foreign || after > newest);
        let mut ready = VecDeque::new();
        if lost {
            ready.push_back(resync(newest, clock.now())?);
        }
        let looked_through = if lost { newest } else { wanted.after.unwrap_or(newest) };
        let filter = EventFilter { kinds: wanted.kinds, automation: wanted.automation };
        let told = LastTold::default();
        Ok(LedgerFeed { ledger, clock, commits, filter, voice, looked_through, ready, told })
    }

    /// Reads on, and gives whether there was anything. What is no longer kept, because the subscriber asked for
    /// it too late or has not read for long, or because it is damaged, is never passed over in silence.
    async fn read_on(&mut self) -> Result<bool, Refusal> {
        let (after, filter) = (self.looked_through, self.filter.clone());
        let read = self.ledger.read_now(move |view| {
            let newest = view.newest_seq()?;
            if after < view.pruned_through()? {
                return Ok((newest, None));
            }
            Ok((newest, Some(view.events_after(after, &filter, AT_ONCE)?)))
        });
        let (newest, events) = read.await?;
        let Some(events) = events else {
            self.ready.push_back(resync(newest, self.clock.now())?);
            self.looked_through = newest;
            return Ok(true);
        };
        for event in &events {
            let told = match on_the_wire(event, self.voice) {
                Ok(told) => told,
                Err(refusal) => {
                    tracing::error!(%refusal, "an event cannot be told; who follows is asked to list again");
                    resync(event.seq, self.clock.now())?
                }
            };
            self.ready.push_back(told);
            self.looked_through = event.seq;
        }
        if events.len() < AT_ONCE {
            self.looked_through = newest.max(after);
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
                Ok(true) => self.told.over(),
                Ok(false) => {
                    self.told.over();
                    let seen = self.looked_through;
                    self.commits.wait_for(|committed| committed.seq > seen).await.ok()?;
                }
                Err(refusal) => {
                    if self.told.is_news(&refusal) {
                        tracing::error!(%refusal, "events could not be read; trying again");
                    }
                    sleep(BREATHER).await;
                    // What is in the way may pass without anything being committed.
                    if let Ok(changed) = timeout(READ_AGAIN, self.commits.changed()).await {
                        changed.ok()?;
                    }
                }
            }
        }
    }
}

fn on_the_wire(event: &StoredEvent, voice: Voice) -> Result<Box<RawValue>, Refusal> {
    let StoredEvent { seq, at, kind, important, payload } = event;
    let damaged = |why: String| Refusal::Internal(format!("event {seq} is damaged: {why}"));
    // It is written as it stands.
    if kind.is_empty() || !kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte)) {
        return Err(damaged(format!("{kind:?} is no kind of event")));
    }
    let payload = payload_shown_to(payload, voice).map_err(|error| damaged(error.to_string()))?;
    // The payload is an object that is not empty; its members follow ours.
    let members = payload.strip_prefix('{').ok_or_else(|| damaged("it has no members".to_owned()))?;
    let text = format!(r#"{{"seq":{seq},"at":{at},"kind":"{kind}","important":{important},{members}"#);
    RawValue::from_string(text).map_err(|error| damaged(error.to_string()))
}

/// History before the subscriber's place cannot be had: it has to list again.
fn resync(newest: i64, now: Timestamp) -> Result<Box<RawValue>, Refusal> {
    let event = serde_json::json!({"seq": newest, "at": now, "kind": "resync", "important": false});
    serde_json::value::to_raw_value(&event).map_err(|error| Refusal::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::automation::Actor;
    use crate::domain::event::Event;
    use crate::domain::id::{AutomationId, InstanceId, LedgerId};
    use crate::domain::scheduler::Owner;
    use crate::ledger::Outside;

    async fn publish(ledger: &Ledger, count: usize) {
        let published = ledger.write(move |tx| {
            let by = Actor { instance: InstanceId::from_unique("x"), client: None };
            let event = Event::SchedulerOwner { scheduler: Owner { term: 1, by, since: Timestamp::EPOCH } };
            for _ in 0..count {
                tx.publish(&event, Timestamp::EPOCH)?;
            }
            Ok(())
        });
        published.await.unwrap();
    }

    async fn forget(ledger: &Ledger, through: i64) {
        ledger.write(move |tx| Ok(tx.delete_events(through)?)).await.unwrap();
    }

    fn from_the_beginning(ledger: &Ledger, automation: Option<AutomationId>) -> LedgerFeed {
        let kinds = Vec::new();
        let wanted = Follow {
            asked_at: Place(200),
            after: Some(0),
            ledger: None,
            kinds,
            automation,
            inside_run: None,
        };
        LedgerFeed::begin(ledger.clone(), wanted, Voice::Person, Clock).unwrap()
    }

    async fn next(feed: &mut LedgerFeed) -> (i64, bool) {
        let event: serde_json::Value = serde_json::from_str(feed.next().await.unwrap().get()).unwrap();
        (event["seq"].as_i64().unwrap(), event["kind"] == "resync")
    }

    #[tokio::test]
    async fn a_subscriber_that_pruning_overtakes_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let fresh = LedgerId::from_unique("x");
        let ledger =
            Ledger::open(directory.path(), "/project", fresh, Timestamp::EPOCH, Outside::nobody()).unwrap();
        publish(&ledger, 200).await;
        let mut slow = from_the_beginning(&ledger, None);
        let mut filtered = from_the_beginning(&ledger, Some(AutomationId::from_unique("none")));
        assert_eq!(next(&mut slow).await, (1, false));
        forget(&ledger, 150).await;
        for seq in 2..=i64::try_from(AT_ONCE).unwrap() {
            assert_eq!(next(&mut slow).await, (seq, false), "what was read already");
        }
        for feed in [&mut slow, &mut filtered] {
            assert_eq!(next(feed).await, (200, true), "the rest is not passed over in silence");
        }
        publish(&ledger, 1).await;
        assert_eq!(next(&mut slow).await, (201, false));
        forget(&ledger, 201).await;
        publish(&ledger, 1).await;
        assert_eq!(next(&mut slow).await, (202, false), "what it has seen may go");
    }
}
