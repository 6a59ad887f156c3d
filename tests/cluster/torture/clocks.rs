//! The clock of the machine, which is set, and the machine, which sleeps.

use std::time::Duration;

use super::life::{GRACE_MS, Life};
use crate::support::{clock, eventually};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Life<'_> {
    fn set_the_clock(&mut self, by_ms: i64) {
        self.evidence.note(format_args!("  the clock is set by {by_ms} ms"));
        self.machine.set_clock(by_ms);
    }

    /// By less than what counts as late: nothing is missed, and nothing comes again.
    pub(super) fn nudge_the_clock(&mut self) {
        self.goes_on();
        let by_ms = self.rng.within(1 - GRACE_MS..GRACE_MS);
        self.set_the_clock(by_ms);
    }

    fn far(&mut self) -> i64 {
        let most = *self.rng.pick(&[2 * GRACE_MS, HOUR_MS, DAY_MS - HOUR_MS]).expect("spans");
        self.rng.within(GRACE_MS + 1..most)
    }

    pub(super) fn set_the_clock_ahead(&mut self) {
        self.goes_on();
        let by_ms = self.far();
        self.set_the_clock(by_ms);
    }

    pub(super) fn set_the_clock_back(&mut self) {
        self.goes_on();
        let by_ms = -self.far();
        self.set_the_clock(by_ms);
    }

    /// As a machine begins whose clock has forgotten the time, until the network tells it.
    pub(super) fn be_a_day_ahead(&mut self) {
        /// How long the clock is wrong after everybody knows it, at most.
        const WRONG_MS: i64 = 1500;
        self.goes_on();
        let by_ms = self.rng.within(DAY_MS + HOUR_MS..400 * DAY_MS);
        let set = "SELECT coalesce(max(row), 0) FROM disturbances WHERE kind = 'clock'";
        let before = self.number(set);
        self.set_the_clock(by_ms);
        if self.rng.one_in(3) {
            self.edit_something();
        }
        eventually("it is noticed that the clock was set", || {
            self.take_in();
            (self.number(set) > before).then_some(())
        });
        let until = clock() + Duration::from_millis(self.rng.within(0..WRONG_MS).unsigned_abs());
        while clock() < until {
            self.edit_something();
        }
        // Put right, it is not exactly what it was.
        let off_ms = self.rng.within(-500..500);
        self.set_the_clock(off_ms - by_ms);
    }

    pub(super) fn suspend_the_machine(&mut self) {
        self.goes_on();
        let ms = match self.rng.within(0..3) {
            0 => self.rng.within(1100..60_000),
            1 => self.rng.within(60_000..8 * HOUR_MS),
            _ => self.rng.within(8 * HOUR_MS..60 * HOUR_MS),
        };
        self.evidence.note(format_args!("  the machine sleeps for {ms} ms"));
        self.machine.suspend(ms);
    }
}
