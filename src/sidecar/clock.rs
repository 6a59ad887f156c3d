//! The one place that asks for the time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    /// The time. A clock before 1970 reads as the epoch.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks for the time")]
    pub fn now(self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
