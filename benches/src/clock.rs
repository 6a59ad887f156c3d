//! The one place that reads a clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Now, for spans.
pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "spans are what is measured here")]
    Instant::now()
}

/// Milliseconds since the Unix epoch, with what is beyond them, as the contract's instants are.
pub(crate) fn wall_ms() -> f64 {
    #[expect(clippy::disallowed_methods, reason = "lateness is measured against the wall clock")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

/// The milliseconds since an instant.
pub(crate) fn ms_since(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}
