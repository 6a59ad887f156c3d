//! On whose behalf a change is asked for, and whether it is still wanted.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;

/// Requests that have made their change and only wait for runs to end, and those that wait for agents to answer. Each of them looks at the ledger after each
/// commit, and what others read waits behind these looks: with so many, for some tens of milliseconds.
pub(super) const RESTING: usize = 512;

/// What comes with every request that changes something.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The run that the request comes out of, as the application that forwards it says.
    pub inside_run: Option<RunId>,
    /// Whether the request may still change anything.
    pub permit: Permit,
}

/// Decides between a change and its cancellation: the first of them wins, and the other one is told.
///
/// A cancel never hides a change: what has begun to be committed is answered as it comes out.
#[derive(Clone, Debug, Default)]
pub struct Permit(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: AtomicU8,
    /// Told when the permit is withdrawn.
    withdrawn: Notify,
    rests: Rests,
    /// The request's place among those that rest.
    rest: OnceLock<OwnedSemaphorePermit>,
}

/// The places of requests that only wait for runs to end. One conversation has one.
#[derive(Clone, Debug)]
pub(super) struct Rests {
    places: Arc<Semaphore>,
    /// Told when one is taken.
    taken: Arc<Notify>,
}

impl Rests {
    /// How many rest.
    pub(super) fn count(&self) -> usize {
        RESTING.saturating_sub(self.places.available_permits())
    }

    /// Waits until one more rests than when this resolved before.
    pub(super) async fn one_more(&self) {
        self.taken.notified().await;
    }
}

impl Default for Rests {
    fn default() -> Self {
        Rests { places: Arc::new(Semaphore::new(RESTING)), taken: Arc::default() }
    }
}

const OPEN: u8 = 0;
const BEGUN: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Permit {
    /// A permit of a conversation whose requests share these places to rest.
    pub(super) fn among(rests: &Rests) -> Self {
        Permit(Arc::new(Shared { rests: rests.clone(), ..Shared::default() }))
    }

    /// The change has been decided, and the request will only wait for runs to end, or it waits for an agent before it
    /// decides: others may run in its stead. To be called where the change can still be undone.
    ///
    /// # Errors
    /// When too many wait already. The change must not be made then.
    pub fn rest(&self) -> Result<(), Refusal> {
        let rests = &self.0.rests;
        let Ok(place) = rests.places.clone().try_acquire_owned() else {
            return Err(Refusal::Overloaded(format!(
                "{RESTING} requests wait for runs or agents already; nothing was changed; wait for these, or cancel them"
            )));
        };
        // A request that rests already needs no second place.
        let _ = self.0.rest.set(place);
        rests.taken.notify_one();
        Ok(())
    }

    /// The change begins; false if it was cancelled before.
    #[must_use]
    pub fn begin(&self) -> bool {
        self.settle(BEGUN)
    }

    /// The request is cancelled; false if its change has begun.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        let withdrawn = self.settle(WITHDRAWN);
        if withdrawn {
            self.0.withdrawn.notify_waiters();
        }
        withdrawn
    }

    /// Resolves when the request is cancelled.
    pub async fn withdrawn(&self) {
        // Made before the state is looked at, so that a withdrawal in between is not missed.
        let told = self.0.withdrawn.notified();
        if self.0.state.load(Ordering::Acquire) != WITHDRAWN {
            told.await;
        }
    }

    fn settle(&self, wanted: u8) -> bool {
        match self.0.state.compare_exchange(OPEN, wanted, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(found) => found == wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_change_and_its_cancellation_wins() {
        let permit = Permit::default();
        assert!(permit.begin() && permit.begin());
        assert!(!permit.withdraw(), "it has begun");
        let permit = Permit::default();
        assert!(permit.withdraw() && permit.withdraw());
        assert!(!permit.begin(), "it was withdrawn");
    }
}
