//! The requests that run or wait, by their identity: how many there may be, and how one is cancelled.

use std::collections::{HashMap, VecDeque};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::api::{Methods, Outcome};
use super::caller::{Permit, Rests};
use super::envelope::{Request, RequestId};
use super::errors::{Failure, Kind};
use super::reply::Reply;
use super::room::Taken;
use crate::domain::refusal::Refusal;

/// Requests that run at once, beside those that only wait for runs to end.
pub(super) const RUNNING: usize = 256;

/// Requests that wait for one that runs. A client that has sent more is told so.
pub(super) const WAITING: usize = 4096;

/// A request, the answer that it is owed, and the room that its message takes until then.
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) reply: Reply,
    /// Shared by the entries of a batch.
    pub(super) room: Option<Arc<Taken>>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Requests {
    tasks: JoinSet<RequestId>,
    /// No two of them have the same identity.
    stands: HashMap<RequestId, Stand>,
    waiting: VecDeque<Asked>,
    rests: Rests,
}

/// How far a request has come.
enum Stand {
    Waits,
    Runs(Permit),
}

/// What a request needs to be carried out.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) methods: &'a Methods,
    /// The longest answer, in bytes.
    pub(super) limit: usize,
}

impl Requests {
    /// Whether a request with this identity runs or waits.
    pub(super) fn has(&self, id: &RequestId) -> bool {
        self.stands.contains_key(id)
    }

    /// Has a request carried out, now or when there is room for it. One that is too many is given back.
    pub(super) fn add(&mut self, asked: Asked, means: Means<'_>) -> Result<(), (Reply, Failure)> {
        if self.waiting.len() >= WAITING {
            let why = format!("{WAITING} requests are waiting already; wait for answers before sending more");
            return Err((asked.reply, Failure::new(Kind::Overloaded, why)));
        }
        self.stands.insert(asked.request.id.clone(), Stand::Waits);
        self.waiting.push_back(asked);
        self.start_those_that_may(means);
        Ok(())
    }

    /// Waits until one has been answered, which gives its identity free, or only waits for runs to end. None if none
    /// runs. What waits is started by [`Requests::start_those_that_may`].
    pub(super) async fn next_that_makes_room(&mut self) -> Option<()> {
        tokio::select! {
            biased;
            answered = self.tasks.join_next() => match answered? {
                Ok(id) => drop(self.stands.remove(&id)),
                // A panic of a handler is caught where it can be answered.
                Err(error) => tracing::error!(%error, "a request could not be answered"),
            },
            () = self.rests.one_more() => {}
        }
        Some(())
    }

    /// Starts what waits, as far as there is room, in the order in which it was read.
    pub(super) fn start_those_that_may(&mut self, means: Means<'_>) {
        while self.tasks.len().saturating_sub(self.rests.count()) < RUNNING
            && let Some(Asked { request, reply, room }) = self.waiting.pop_front()
        {
            let permit = Permit::among(&self.rests);
            let id = request.id.clone();
            self.stands.insert(id.clone(), Stand::Runs(permit.clone()));
            let work = means.methods.call(request, permit.clone(), means.limit);
            self.tasks.spawn(async move {
                carry_out(work, &id, &permit, reply).await;
                drop(room);
                id
            });
        }
    }

    /// Cancels a request, unless it has begun to change something. One that has not been started is given back, to
    /// be answered; one that runs answers by itself.
    pub(super) fn cancel(&mut self, id: &RequestId) -> Option<(Reply, Failure)> {
        match self.stands.get(id) {
            None => tracing::debug!(?id, "there is nothing to cancel"),
            Some(Stand::Runs(permit)) => {
                if !permit.withdraw() {
                    tracing::debug!(?id, "too late to cancel; the true answer follows");
                }
            }
            Some(Stand::Waits) => {
                self.stands.remove(id);
                let place = self.waiting.iter().position(|asked| asked.request.id == *id)?;
                return self.waiting.remove(place).map(|asked| (asked.reply, Refusal::Cancelled.into()));
            }
        }
        None
    }

    /// Takes out everything that has not been started, to be answered otherwise.
    pub(super) fn give_up_waiting(&mut self) -> Vec<Reply> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting
            .into_iter()
            .map(|asked| {
                self.stands.remove(&asked.request.id);
                asked.reply
            })
            .collect()
    }

    /// Stops everything without an answer: the client has gone.
    pub(super) fn abort(&mut self) {
        self.tasks.abort_all();
    }
}

/// Carries a request out and answers it, in whichever way it ends.
async fn carry_out(work: impl Future<Output = Outcome>, id: &RequestId, permit: &Permit, reply: Reply) {
    let outcome = tokio::select! {
        biased;
        () = permit.withdrawn() => Err(Refusal::Cancelled.into()),
        outcome = until_panic(work) => match outcome {
            Some(outcome) => Ok(outcome),
            None => {
                tracing::error!(?id, "the handler of a request panicked");
                Err(Failure::panicked())
            }
        },
    };
    match outcome {
        Ok(outcome) => outcome.hand_over(reply).await,
        Err(failure) => reply.refuse(&failure).await,
    }
}

/// What comes of it; none if it panics.
async fn until_panic<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    // What panicked is dropped and never looked at again.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Some),
        Err(_) => std::task::Poll::Ready(None),
    })
    .await
}
