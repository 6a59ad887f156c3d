//! The subscriptions with which this window serves providers: where it is told what to do, and what it reports.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{Notify, mpsc, oneshot};

use super::Sidecar;
use crate::domain::id::{RunId, SubscriptionId};
use crate::domain::provider::{Offer, ProviderWork};
use crate::domain::refusal::{Refusal, StorageReason};
use crate::domain::request::{ReportRequest, Reported};
use crate::domain::run::OutputSize;
use crate::engine::Context;
use crate::engine::presence::Departure;
use crate::engine::{serve, served};
use crate::exec::spool;
use crate::failpoint::Failpoint;
use crate::ledger::Tx;
use crate::rpc::backend::{Answer, Feed};
use crate::rpc::caller::Caller;

/// What is on its way to the window on one subscription. Each run in hand waits with the next thing that it is to be
/// told, so that no more than these wait for a window that does not read.
const ON_THE_WAY: usize = 4;

/// What a window is told by.
pub(super) type Line = mpsc::Sender<OnTheWay>;

/// Something on its way to a window.
pub(super) struct OnTheWay {
    work: ProviderWork,
    /// Who is told when it is taken off the line. If nobody waits for that any more, it was withdrawn.
    taken: Option<oneshot::Sender<()>>,
}

impl OnTheWay {
    /// Something that the window is told in any case.
    pub(super) fn for_good(work: ProviderWork) -> Self {
        OnTheWay { work, taken: None }
    }

    /// Something that is withdrawn by closing what comes with it, until the window takes it.
    pub(super) fn until_withdrawn(work: ProviderWork) -> (Self, oneshot::Receiver<()>) {
        let (taken, is_taken) = oneshot::channel();
        (OnTheWay { work, taken: Some(taken) }, is_taken)
    }

    fn take(self) -> Option<ProviderWork> {
        match self.taken {
            Some(taken) => taken.send(()).is_ok().then_some(self.work),
            None => Some(self.work),
        }
    }
}

/// The subscriptions that are open.
#[derive(Default)]
pub(super) struct Servings {
    lines: Mutex<Lines>,
    ended: Notify,
}

enum Lines {
    /// The client is there, and reads these.
    Open(HashMap<SubscriptionId, Line>),
    /// The client has gone without a word.
    Gone,
}

impl Default for Lines {
    fn default() -> Self {
        Lines::Open(HashMap::new())
    }
}

impl Servings {
    /// Opens one. What comes of this is what the window is told.
    fn open(self: &Arc<Self>, id: SubscriptionId) -> Serving {
        let (line, work) = mpsc::channel(ON_THE_WAY);
        match &mut *self.lines() {
            Lines::Open(lines) => drop(lines.insert(id.clone(), line)),
            Lines::Gone => {}
        }
        Serving { id, work, servings: self.clone() }
    }

    /// What the window is told on this one, while it is open.
    pub(super) fn line(&self, id: &SubscriptionId) -> Option<Line> {
        match &*self.lines() {
            Lines::Open(lines) => lines.get(id).cloned(),
            Lines::Gone => None,
        }
    }

    /// Waits until one has ended.
    pub(super) async fn end_of_one(&self) {
        self.ended.notified().await;
    }

    /// The client has gone without a word, and all that it serves with it.
    pub(super) fn client_has_gone(&self) {
        *self.lines() = Lines::Gone;
        self.ended.notify_one();
    }

    /// Why this sidecar goes, if it is asked to now.
    pub(super) fn departure(&self) -> Departure {
        match &*self.lines() {
            Lines::Open(_) => Departure::Asked,
            Lines::Gone => Departure::ClientGone,
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nobody can leave it half changed: nothing in between panics.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One subscription, on the side of the client. When it goes, the subscription has ended.
pub struct Serving {
    id: SubscriptionId,
    work: mpsc::Receiver<OnTheWay>,
    servings: Arc<Servings>,
}

impl Feed for Serving {
    async fn next(&mut self) -> Option<Box<RawValue>> {
        let work = loop {
            if let Some(work) = self.work.recv().await?.take() {
                break work;
            }
        };
        match to_raw_value(&work) {
            Ok(work) => Some(work),
            Err(error) => {
                tracing::error!(%error, "a window cannot be told what to do; it serves no more");
                None
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        match &mut *self.servings.lines() {
            Lines::Open(lines) => drop(lines.remove(&self.id)),
            Lines::Gone => {}
        }
        self.servings.ended.notify_one();
    }
}

impl Sidecar {
    /// Has this window serve a provider. It can be told what to do before that is written down, so that a row without
    /// an open subscription is one that has ended.
    pub(super) async fn open_serving(
        &self,
        offer: Offer,
        subscription: SubscriptionId,
        by: Caller,
    ) -> Answer<Serving> {
        let serving = self.parts.servings.open(subscription.clone());
        self.change(by, move |tx, context| serve::serve(tx, context, subscription, offer)).await?;
        Ok(serving)
    }

    /// Ends a serving because the client asks for it: whoever could begin it may end it.
    pub(super) async fn close_serving(&self, id: SubscriptionId) -> Answer<()> {
        self.parts.failpoints.reach(Failpoint::BeforeServingEnd)?;
        let parts = self.parts.clone();
        let end = move |tx: &Tx<'_>, context: &mut Context<'_>| serve::unserve(tx, context, &id);
        self.parts.ledger.write_for_client(move |tx| parts.in_transaction(tx, end)).await
    }

    /// Ends the servings whose subscriptions have ended, however that happened.
    pub(super) async fn end_servings(&self, written: Vec<SubscriptionId>) -> Result<(), Refusal> {
        for id in written {
            if self.parts.servings.line(&id).is_none() {
                self.parts.failpoints.reach(Failpoint::BeforeServingEnd)?;
                self.decide(move |tx, context| serve::unserve(tx, context, &id)).await?;
            }
        }
        Ok(())
    }

    /// Takes in what the window reports of a run.
    pub(super) async fn take_report(&self, request: ReportRequest, by: Caller) -> Answer<()> {
        let ReportRequest { run, reported } = request;
        self.parts.failpoints.reach(Failpoint::BeforeReport)?;
        match reported {
            Reported::Output(data) => self.take_output(run, data, by).await?,
            Reported::Other(report) => {
                let report = self.change(by, move |tx, context| served::report(tx, context, &run, report));
                match report.await? {
                    served::Reported::Taken => {}
                    served::Reported::TooLate(refusal) => return Err(refusal),
                }
            }
        }
        self.parts.failpoints.pass(Failpoint::AfterReport);
        Ok(())
    }

    /// Writes output down. It is written by whoever decides that it may be, so that it stands in the order of the reports,
    /// at the place that the row tells: what was written and could not be noted is overwritten by what comes next.
    async fn take_output(&self, run: RunId, data: String, by: Caller) -> Answer<()> {
        let (path, limit) = (self.output_path(&run), self.parts.limits.output_bytes);
        let write = move |OutputSize { bytes, truncated }| {
            let room = usize::try_from(limit.saturating_sub(bytes)).unwrap_or(usize::MAX);
            let fits = if truncated { 0 } else { room.min(data.len()) };
            // The ledger is well where this fails: it is told to whoever reports, and not taken for its trouble.
            spool::write_at(&path, bytes, &data.as_bytes()[..fits]).map_err(|error| unwritable(&error))?;
            Ok(OutputSize { bytes: bytes + fits as u64, truncated: truncated || fits < data.len() })
        };
        let taken = self.change(by, move |tx, context| served::output(tx, context, &run, write));
        taken.await?
    }
}

fn unwritable(error: &std::io::Error) -> Refusal {
    Refusal::Storage {
        reason: StorageReason::from(error),
        message: format!(
            "the output cannot be written: {error}; make room, see whether the disk works, and report it again"
        ),
    }
}
