//! Times as a page tells them.

use super::super::model::Timeline;
use crate::domain::schedule::clock::ClockTime;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// Tells times by the clocks of a timeline.
pub(super) struct Clocks {
    zone: Zone,
    now: Timestamp,
    /// The year that goes without saying.
    year: i64,
}

impl Clocks {
    pub(super) fn of(timeline: &Timeline) -> Clocks {
        let year = ClockTime::of(&timeline.zone, timeline.now).year();
        Clocks { zone: timeline.zone.clone(), now: timeline.now, year }
    }

    fn clock(&self, at: Timestamp) -> ClockTime {
        ClockTime::of(&self.zone, at)
    }

    /// `Mon 6 Jan`, with the year if it is not this one.
    fn day(&self, clock: ClockTime) -> String {
        let year = if clock.year() == self.year { String::new() } else { format!(" {}", clock.year()) };
        format!("{} {}{year}", clock.weekday(), clock.date())
    }

    /// The time of day, with seconds where they are not zero.
    fn time(clock: ClockTime) -> String {
        match clock.at.as_millis().rem_euclid(60_000) / 1000 {
            0 => clock.time(),
            _ => clock.time_with_seconds(),
        }
    }

    /// `03:00`.
    pub(super) fn time_of_day(&self, at: Timestamp) -> String {
        self.clock(at).time()
    }

    /// `Mon 6 Jan 03:00`.
    pub(super) fn at(&self, at: Timestamp) -> String {
        let clock = self.clock(at);
        format!("{} {}", self.day(clock), Self::time(clock))
    }

    /// The same without the day if that is today.
    pub(super) fn soon(&self, at: Timestamp) -> String {
        let clock = self.clock(at);
        match clock.day() == self.clock(self.now).day() {
            true => Self::time(clock),
            false => self.at(at),
        }
    }

    /// `Mon 6 Jan 03:00 – 04:00`.
    pub(super) fn span(&self, from: Timestamp, to: Timestamp) -> String {
        let (begin, end) = (self.clock(from), self.clock(to));
        match (from == to, begin.day() == end.day()) {
            (true, _) => self.at(from),
            (false, true) => format!("{} – {}", self.at(from), Self::time(end)),
            (false, false) => format!("{} – {}", self.at(from), self.at(to)),
        }
    }

    pub(super) fn zone(&self) -> &str {
        self.zone.name()
    }
}
