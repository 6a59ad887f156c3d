//! What happens to the machine in a random world: time passes, it sleeps, its clock is set, it is restarted.

use super::Walk;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Where the rules for a clock that is set change: what is noticed, the grace, how far it is believed.
const BORDERS: [i64; 6] = [SECOND, MINUTE, HOUR, DAY, 2 * DAY, 365 * DAY];

impl Walk {
    pub(super) fn pass_time(&mut self) {
        let ms = match self.rng.within(0..1000) {
            0..600 => self.rng.within(0..3000),
            600..920 => self.rng.within(3000..60_000),
            920..940 => self.rng.within(60_000..900_000),
            940..948 => self.rng.within(900_000..14_400_000),
            // Everybody is on holiday.
            948..949 => self.rng.within(0..10 * DAY),
            949..980 => return self.suspend(),
            980..998 => return self.set_clock(),
            _ => return self.world.restart(),
        };
        self.world.now = self.world.now.plus_ms(ms);
    }

    fn suspend(&mut self) {
        let ms = match self.rng.within(0..4) {
            0 => self.rng.within(990..1010),
            1 => self.rng.within(0..5 * SECOND),
            2 => self.rng.within(0..HOUR),
            _ => self.rng.within(0..10 * HOUR),
        };
        self.world.suspend(ms);
    }

    /// Often what was done is undone: the clock was wrong, and somebody has seen it.
    fn set_clock(&mut self) {
        let off_ms = self.world.machine.set_by_ms;
        let near = self.rng.within(-1100..1100);
        let ms = match self.rng.within(0..8) {
            0..3 => -off_ms,
            3 => -off_ms + near,
            number => {
                let border = *self.rng.pick(&BORDERS).unwrap();
                if number % 2 == 0 { near + border } else { near - border }
            }
        };
        // Nobody's clock shows a time long before the project was begun, or centuries after it.
        let range = -400 * DAY..2000 * DAY;
        if range.contains(&(off_ms + ms)) {
            self.world.set_clock(ms);
        }
    }
}
