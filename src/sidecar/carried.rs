//! Work that the loop has in hand, whoever does it: it follows its orders, and says when it is over.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::domain::id::RunId;
use crate::ledger::Order;

/// Work that the loop has in hand.
pub(super) struct Carried {
    /// The giving by which this instance has it: another one is for another carrier.
    given_number: i64,
    state: State,
}

enum State {
    /// Somebody carries it out, or sets out to.
    AtWork(Arc<dyn Carrier>),
    /// It could not begin for a reason that may pass.
    Waiting { retry_at: Instant },
    /// Nothing is left of it.
    Forgotten,
}

/// Who carries a run out. What it was told before still holds, so that repeating it is harmless.
pub(super) trait Carrier: Send + Sync {
    /// Does what the rows want.
    fn follow(&self, order: &Order);

    /// Ends the work at once: the sidecar leaves.
    fn leave(&self);

    /// Ends the work at once, whatever it comes to: nothing is wanted of it any more.
    fn let_go(&self);
}

/// What becomes of the loop's hold on a run whose carrier has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// It is over.
    Done,
    /// Something that may pass kept it from beginning, or its end from being written: the rows say what is
    /// still to be done.
    TryAgain,
}

impl Carried {
    /// Has work go on in a task of its own, which says to the loop when it is over.
    pub(super) fn by(
        carrier: Arc<dyn Carrier>,
        order: &Order,
        work: impl Future<Output = Release> + Send + 'static,
        done: mpsc::Sender<(RunId, Release)>,
    ) -> Carried {
        let run = order.run.clone();
        tokio::spawn(async move {
            let release = work.await;
            // The loop may have ended meanwhile; then nobody counts.
            let _ = done.send((run, release)).await;
        });
        Carried { given_number: order.given_number, state: State::AtWork(carrier) }
    }

    /// Has the work follow its order. What is not at work hears of it when it is taken up again. What was handed back and
    /// given to this instance anew before that was noticed is over first, and then taken up as anything that is new: its
    /// carrier is not to begin it.
    pub(super) fn follow(&self, order: &Order) {
        match &self.state {
            State::AtWork(carrier) if order.given_number == self.given_number => carrier.follow(order),
            State::AtWork(carrier) => carrier.let_go(),
            State::Waiting { .. } | State::Forgotten => {}
        }
    }

    /// The sidecar leaves. Gives whether there is work whose end is to be waited for.
    pub(super) fn leave(&self) -> bool {
        match &self.state {
            State::AtWork(carrier) => {
                carrier.leave();
                true
            }
            State::Waiting { .. } | State::Forgotten => false,
        }
    }

    /// Nothing is wanted of it any more.
    pub(super) fn let_go(&mut self) {
        match &self.state {
            State::AtWork(carrier) => carrier.let_go(),
            State::Waiting { .. } | State::Forgotten => self.state = State::Forgotten,
        }
    }

    pub(super) fn wait_until(&mut self, retry_at: Instant) {
        self.state = State::Waiting { retry_at };
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { retry_at } => Some(retry_at),
            State::AtWork(_) | State::Forgotten => None,
        }
    }

    pub(super) fn may_try_again(&self) -> bool {
        self.retry_at().is_some_and(|retry_at| retry_at <= Instant::now())
    }

    pub(super) fn is_forgotten(&self) -> bool {
        matches!(self.state, State::Forgotten)
    }
}
