//! How many bytes may be on their way in one direction. Queues are bounded by count as well, but messages may be
//! small or very long.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// Bytes on their way: four of the longest messages that a client may send without asking for longer ones.
const BYTES: usize = 64 * 1024 * 1024;

/// What is counted as one, in bytes.
const UNIT: usize = 1024;

/// Room for messages in one direction.
#[derive(Clone, Debug)]
pub struct Room {
    units: Arc<Semaphore>,
}

/// Room that a message takes until this is dropped.
#[derive(Debug)]
pub struct Taken {
    _units: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room in which nothing is yet.
    pub fn new() -> Self {
        Room { units: Arc::new(Semaphore::new(BYTES / UNIT)) }
    }

    /// Waits until there is room for a message of this length. One that is longer than the whole room waits until
    /// it has all of it.
    pub async fn take(&self, bytes: usize) -> Taken {
        // An error means that there is no bound any more.
        Taken { _units: self.units.clone().acquire_many_owned(units(bytes)).await.ok() }
    }

    /// Takes room for a message of this length if there is any now.
    pub fn take_now(&self, bytes: usize) -> Option<Taken> {
        match self.units.clone().try_acquire_many_owned(units(bytes)) {
            Ok(taken) => Some(Taken { _units: Some(taken) }),
            Err(TryAcquireError::NoPermits) => None,
            Err(TryAcquireError::Closed) => Some(Taken { _units: None }),
        }
    }

    /// Nobody waits for room any more: what is still to come is bounded in another way.
    pub fn lift(&self) {
        self.units.close();
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from((bytes / UNIT + 1).min(BYTES / UNIT)).unwrap_or(u32::MAX)
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}
