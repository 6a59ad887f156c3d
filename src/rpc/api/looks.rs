//! How many looks are made at once, by how long their answers may be.
//!
//! A client that does not read keeps answers waiting, and each may be as long as a message may be. So a look waits
//! for its seats before it begins, and keeps them until its answer is on its way. What changes something never
//! waits for a seat: its order would be lost, and its answer tells of one thing only.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::value::RawValue;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// Seats in all: 64 MiB, as much as may be on its way to the client beside it. As many looks for one thing at once
/// keep the ledger's reader as busy as more would.
const SEATS: usize = 32;

/// What one seat is for, in bytes.
const SEAT_BYTES: usize = 2 * 1024 * 1024;

/// Seats of the longest answer: a page is cut off at the length of a message, 16 MiB if the client wants no more.
const PAGE_SEATS: usize = 8;

/// What a look is for, which says how long its answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rpc) enum Look {
    /// One thing: an automation or a run with the longest texts, or a part of an output. None is much longer than
    /// a seat.
    One,
    /// As many things as `limit` says.
    Page {
        /// If it does not say.
        default: usize,
    },
}

/// The seats of one client.
#[derive(Clone, Debug)]
pub(in crate::rpc) struct Seats {
    free: Arc<Semaphore>,
    /// Held by the one who is next: how many seats it needs is asked when it is its turn.
    next: Arc<Mutex<()>>,
    /// The seats that the last pages would have needed. Pages take as many, so that a client with short ones is not
    /// held up; the first ones take all, because nothing is known of them.
    page: Arc<AtomicUsize>,
}

/// What a look keeps until its answer is on its way.
#[derive(Debug)]
pub(in crate::rpc) struct Seat {
    _taken: OwnedSemaphorePermit,
    /// Where to tell how long a page was.
    page: Option<Arc<AtomicUsize>>,
}

impl Seats {
    pub(in crate::rpc) fn new() -> Self {
        Seats {
            free: Arc::new(Semaphore::new(SEATS)),
            next: Arc::default(),
            page: Arc::new(AtomicUsize::new(PAGE_SEATS)),
        }
    }

    /// Waits for the seats of a look.
    pub(in crate::rpc) async fn take(self, look: Look, params: Option<&RawValue>) -> Option<Seat> {
        let _turn = self.next.lock().await;
        let (seats, page) = match look {
            Look::One => (1, None),
            Look::Page { default } => {
                let wanted = things(params).unwrap_or(default);
                (wanted.clamp(1, self.page.load(Ordering::Relaxed)), Some(self.page))
            }
        };
        // They are never closed.
        let taken = self.free.acquire_many_owned(u32::try_from(seats).ok()?).await.ok()?;
        Some(Seat { _taken: taken, page })
    }
}

impl Seat {
    /// The answer was as long as this. Others like it are expected at once, and shorter ones step by step.
    pub(super) fn was_enough_for(&self, bytes: usize) {
        let Some(page) = &self.page else { return };
        let needed = (bytes / SEAT_BYTES + 1).min(PAGE_SEATS);
        let before = page.load(Ordering::Relaxed);
        page.store(needed.max(usize::midpoint(before, needed)), Ordering::Relaxed);
    }
}

/// The things that a page is to have, if it says.
fn things(params: Option<&RawValue>) -> Option<usize> {
    #[derive(serde::Deserialize)]
    struct Asked {
        limit: Option<usize>,
    }
    // What cannot be read is refused by the method itself, which takes no room.
    serde_json::from_str::<Asked>(params?.get()).ok()?.limit
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Look = Look::Page { default: 50 };

    fn free(seats: &Seats) -> usize {
        seats.free.available_permits()
    }

    async fn take(seats: &Seats, look: Look, params: &str) -> Option<Seat> {
        seats.clone().take(look, Some(&RawValue::from_string(params.to_owned()).unwrap())).await
    }

    #[tokio::test]
    async fn a_page_takes_a_seat_for_each_thing_up_to_those_of_a_message() {
        let seats = Seats::new();
        for (look, params, taken) in [
            (Look::One, r#"{"id":"x"}"#, 1),
            (PAGE, r#"{"limit":3,"paused":true}"#, 3),
            (PAGE, r#"{"limit":500}"#, 8),
            (PAGE, r#"{"limit":0}"#, 1),
            (PAGE, r#"{"limit":"x"}"#, 8),
            (PAGE, "{}", 8),
        ] {
            let seat = take(&seats, look, params).await;
            assert_eq!(free(&seats), SEATS - taken, "{params}");
            drop(seat);
            assert_eq!(free(&seats), SEATS);
        }
    }

    #[tokio::test]
    async fn pages_take_as_many_seats_as_the_last_ones_would_have_needed() {
        let seats = Seats::new();
        for (bytes, taken) in
            [(100, 8), (100, 4), (100, 2), (100, 1), (SEAT_BYTES * 5, 1), (100, 6), (1 << 30, 3)]
        {
            let seat = take(&seats, PAGE, "{}").await.unwrap();
            assert_eq!(free(&seats), SEATS - taken);
            seat.was_enough_for(bytes);
        }
        let _seat = take(&seats, PAGE, "{}").await;
        assert_eq!(free(&seats), SEATS - 8);
    }
}
