//! How many bytes may be on their way in one direction. Queues are bounded by count as well, but messages may be
//! small or very long.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
        let units = (bytes / UNIT + 1).min(BYTES / UNIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        // The room is never closed.
        Taken { _units: self.units.clone().acquire_many_owned(units).await.ok() }
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}
