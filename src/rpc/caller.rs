//! On whose behalf a change is asked for, and whether it is still wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

use crate::domain::id::RunId;

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
}

const OPEN: u8 = 0;
const BEGUN: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Permit {
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
