//! Instants and spans as the contract writes them: whole milliseconds.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sent::INTEGER_MAX;

/// An instant: milliseconds since the Unix epoch, UTC.
///
/// Never negative in the ledger; never after the year 9999, so that every instant has a calendar date.
// Whatever else one is reckoned from lies within 2^53 - 1 of the epoch: every client reads it exactly, and the span
// between any two is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "i64", into = "i64")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The epoch itself.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// The last instant a client may name: 9999-12-30T00:00:00Z, inside the calendar library's range.
    pub const MAX: Timestamp = Timestamp(253_402_128_000_000);

    /// The instant this many milliseconds after the Unix epoch; what is out of range becomes the range's end.
    pub const fn from_millis(millis: i64) -> Self {
        match millis.unsigned_abs() <= INTEGER_MAX.unsigned_abs() {
            true => Timestamp(millis),
            false => Timestamp(INTEGER_MAX * millis.signum()),
        }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This instant moved by a span in milliseconds; a result out of range stays at the range's end.
    #[must_use]
    pub const fn plus_ms(self, span_ms: i64) -> Self {
        Timestamp::from_millis(self.0.saturating_add(span_ms))
    }

    /// How many milliseconds `earlier` lies before this instant; negative if it lies after it.
    pub const fn since_ms(self, earlier: Timestamp) -> i64 {
        self.0 - earlier.0
    }
}

impl TryFrom<i64> for Timestamp {
    type Error = &'static str;

    fn try_from(millis: i64) -> Result<Self, Self::Error> {
        match Timestamp::from_millis(millis) {
            Timestamp(within) if within == millis => Ok(Timestamp(within)),
            Timestamp(_) => Err("a time lies within 2^53 - 1 milliseconds of the Unix epoch"),
        }
    }
}

impl From<Timestamp> for i64 {
    fn from(timestamp: Timestamp) -> i64 {
        timestamp.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
