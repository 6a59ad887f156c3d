//! What keeps slots from being settled in time, whoever is there.

use super::clock::{ClockSet, Suspended};
use super::refusal::StorageReason;
use super::time::Timestamp;

/// Something that was in the way for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// The machine slept.
    Slept(Suspended),
    /// Its clock was set.
    ClockSet(ClockSet),
    /// The ledger could not be written.
    Unwritable(Outage),
}

/// A span in which a window could not write the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When that was come upon.
    pub from: Timestamp,
    /// When it was written again.
    pub to: Timestamp,
    /// Why; none if that is a word of a later version.
    pub reason: Option<StorageReason>,
}

impl Disturbance {
    /// The first and the last time that the clock has shown meanwhile, or has passed over.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let (from, to) = match self {
            Disturbance::Slept(Suspended { from, to })
            | Disturbance::ClockSet(ClockSet { from, to })
            | Disturbance::Unwritable(Outage { from, to, .. }) => (*from, *to),
        };
        (from.min(to), from.max(to))
    }
}
