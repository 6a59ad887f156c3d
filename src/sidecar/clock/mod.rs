//! The one place that asks for the time.
//!
//! The platforms are twins: the same two functions, one file each. What they tell is the same wherever it runs; that
//! it is right elsewhere than on Linux is taken from the systems' manuals and has not been tried.

#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

#[cfg(unix)]
use unix as platform;
#[cfg(not(unix))]
use windows as platform;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::clock::Reading;
use crate::domain::time::Timestamp;

/// How far apart the first and the last of the clocks of one reading may be asked, in milliseconds. Far less than
/// what is noticed as a change.
const TOGETHER_MS: i64 = 20;

/// How often a reading is begun anew that took longer: a process may be stopped, or the machine fall asleep, between
/// two of its clocks. On a machine that is so busy the best of them has to do.
const ATTEMPTS: usize = 5;

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    /// The time. A clock before 1970 reads as the epoch.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks for the time")]
    pub fn now(self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// What all clocks show at once.
    pub fn read(self) -> Reading {
        let (mut best, mut took_ms) = self.read_once();
        for _ in 1..ATTEMPTS {
            if took_ms <= TOGETHER_MS {
                break;
            }
            let again = self.read_once();
            if again.1 < took_ms {
                (best, took_ms) = again;
            }
        }
        best
    }

    /// A reading, and how much time went by in it, asleep or awake.
    fn read_once(self) -> (Reading, i64) {
        let elapsed_ms = platform::elapsed_ms();
        let reading = Reading { wall: self.now(), elapsed_ms, awake_ms: platform::awake_ms() };
        (reading, platform::elapsed_ms() - elapsed_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_and_awake_time_go_on_and_never_apart_by_themselves() {
        let first = Clock.read();
        let second = loop {
            let second = Clock.read();
            let goes_on = second.elapsed_ms > first.elapsed_ms && second.wall > first.wall;
            if goes_on && second.awake_ms > first.awake_ms {
                break second;
            }
        };
        assert!(
            first.elapsed_ms + TOGETHER_MS >= first.awake_ms,
            "it was awake for longer than it was there"
        );
        let apart = (second.elapsed_ms - second.awake_ms) - (first.elapsed_ms - first.awake_ms);
        assert!(apart.abs() <= TOGETHER_MS, "{apart} ms");
    }
}
