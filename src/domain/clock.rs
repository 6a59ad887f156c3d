//! What happens to the machine's clock: it sleeps with the machine, and it is set.
//!
//! Three clocks tell it. The *wall* clock may be set at any time. *Elapsed* time counts from the boot and goes on
//! while the machine sleeps; *awake* time stands still meanwhile. So what elapsed time has gained on awake time was
//! slept, and what the wall clock has gained on elapsed time was set. The ledger keeps the last known differences
//! ([`Known`]), so that everybody who decides sees the same change, once, also a window that was opened after it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Differences up to this are no news, in milliseconds: clocks that are read one after the other differ by
/// less, and nothing that is due is late because of it.
const UNNOTICED_MS: i64 = 1000;

/// A clock that is set forward by more than this is doubted, in milliseconds: no correction of a clock that was
/// about right is larger, and nothing that a wrong one has people miss for good is shorter.
pub const DOUBTED_MS: i64 = 24 * 3_600_000;

/// How long a doubted clock has to hold until it is believed, in milliseconds: those that set clocks by the
/// network, or by hand, have corrected a wrong one by then.
pub const DOUBT_LASTS_MS: i64 = 600_000;

/// Which boot of which machine a reading was made in. Elapsed time can be compared within one only, so where the
/// system does not tell, nothing is noticed of what happens to the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot(String);

impl Boot {
    /// The boot that the system calls so.
    pub fn from_text(text: impl Into<String>) -> Self {
        Boot(text.into())
    }

    /// Whether the system tells which boot this is.
    pub fn is_known(&self) -> bool {
        !self.0.is_empty()
    }

    /// What the system calls it; empty if it does not tell.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the machine's clocks show at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The time.
    pub wall: Timestamp,
    /// Since some instant of this boot, in milliseconds, also while the machine slept.
    pub elapsed_ms: i64,
    /// The same without the time that it slept.
    pub awake_ms: i64,
}

impl Reading {
    fn offset_ms(self) -> i64 {
        self.wall.as_millis().saturating_sub(self.elapsed_ms)
    }

    fn slept_ms(self) -> i64 {
        self.elapsed_ms.saturating_sub(self.awake_ms)
    }
}

/// A span in which the machine slept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suspended {
    /// When it fell asleep.
    pub from: Timestamp,
    /// When it was first seen to be awake again.
    pub to: Timestamp,
}

/// The clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockSet {
    /// What it would have shown otherwise; after a restart of the machine, the newest time that is known.
    pub from: Timestamp,
    /// What it shows instead.
    pub to: Timestamp,
}

impl ClockSet {
    fn by_ms(self) -> i64 {
        self.to.since_ms(self.from)
    }
}

impl Suspended {
    /// For how long it slept, in milliseconds.
    pub fn length_ms(self) -> i64 {
        self.to.since_ms(self.from)
    }
}

/// What is known of the clock by everybody who has the project open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Where the differences below hold.
    pub boot: Boot,
    /// What the wall clock is ahead of elapsed time.
    pub offset_ms: i64,
    /// What elapsed time is ahead of awake time.
    pub slept_ms: i64,
    /// From then on the machine has been awake for long enough since it slept.
    pub stable_at: Option<Timestamp>,
    /// Why the clock is doubted, if it is.
    pub doubt: Option<Doubt>,
}

/// The clock was set forward by so much that it may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What the wall clock was ahead of elapsed time when it was believed last.
    pub believed_offset_ms: i64,
    /// As [`ClockSet::from`].
    pub from: Timestamp,
    /// As [`ClockSet::to`].
    pub to: Timestamp,
    /// When it is believed, if it is not set again until then.
    pub until: Timestamp,
}

impl Doubt {
    /// What it keeps from being done now, for people.
    pub fn told_at(&self, now: Timestamp) -> String {
        const HOUR_MS: i64 = 3_600_000;
        let hours = (self.to.since_ms(self.from) + HOUR_MS / 2) / HOUR_MS;
        let left_s = self.until.since_ms(now).max(0).cast_unsigned().div_ceil(1000);
        format!(
            "the clock was set ahead by {hours} hours, so it may be wrong: no schedule fires for another {left_s} s, unless it is set back before"
        )
    }
}

/// What matters beside the clock itself.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// The newest time in the ledger.
    pub newest: Option<Timestamp>,
    /// See [`super::scheduler::SharedLimits`].
    pub grace_ms: i64,
    /// See [`super::scheduler::SharedLimits`].
    pub stable_wake_ms: i64,
}

/// Whose schedules begin anew, counted from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anew {
    /// Everybody's: what they were counted from may lie ahead.
    Every,
    /// Only those that began at a time that is still to come, because the clock was wrong then.
    Ahead,
}

/// What a reading shows that was not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What is known from now on.
    pub known: Known,
    /// The machine slept.
    pub suspended: Option<Suspended>,
    /// The clock was set, by more than anybody would not notice.
    pub set: Option<ClockSet>,
    /// What it was set by in all, in milliseconds: what is still to come moves along.
    pub set_by_ms: i64,
    /// It went back.
    pub anew: Option<Anew>,
}

impl Known {
    /// The first that is known in a boot.
    fn since(boot: &Boot, reading: Reading) -> Known {
        Known {
            boot: boot.clone(),
            offset_ms: reading.offset_ms(),
            slept_ms: reading.slept_ms(),
            stable_at: None,
            doubt: None,
        }
    }

    /// Whether this reading shows anything that is not known, or ends a doubt.
    pub fn is_outdated(&self, boot: &Boot, reading: Reading) -> bool {
        self.boot != *boot
            || is_noticed(reading.slept_ms() - self.slept_ms)
            || is_noticed(reading.offset_ms() - self.offset_ms)
            || self.doubt.is_some_and(|doubt| doubt.until <= reading.wall)
    }

    /// Until when no slot is claimed.
    pub fn held_until(&self) -> Option<Timestamp> {
        self.stable_at.max(self.doubt.map(|doubt| doubt.until))
    }

    /// The time, as far as it is believed: up to then slots are due. While the clock is doubted elapsed time tells.
    pub fn believed(&self, reading: Reading) -> Timestamp {
        match self.doubt {
            Some(doubt) => Timestamp::from_millis(doubt.believed_offset_ms).plus_ms(reading.elapsed_ms),
            None => reading.wall,
        }
    }
}

/// What a reading shows beside what was known before.
pub fn see(known: Option<&Known>, boot: &Boot, reading: Reading, around: Around) -> Seen {
    match known {
        None => {
            Seen { known: Known::since(boot, reading), suspended: None, set: None, set_by_ms: 0, anew: None }
        }
        Some(known) if known.boot == *boot => within_boot(known, reading, around),
        Some(known) => after_boot(known, boot, reading, around),
    }
}

/// Elapsed time tells everything.
fn within_boot(before: &Known, reading: Reading, around: Around) -> Seen {
    let mut seen = Seen { known: before.clone(), suspended: None, set: None, set_by_ms: 0, anew: None };
    let set_by_ms =
        Some(reading.offset_ms() - before.offset_ms).filter(|by_ms| is_noticed(*by_ms)).unwrap_or(0);
    let undisturbed = reading.wall.plus_ms(-set_by_ms);
    // It may have held for long enough before it was set again.
    seen.known.doubt.take_if(|doubt| doubt.until <= undisturbed);
    if set_by_ms != 0 {
        (seen.set_by_ms, seen.known.offset_ms) = (set_by_ms, reading.offset_ms());
        // Who waits for a stable wake, waits as long as before.
        seen.known.stable_at = before.stable_at.map(|at| at.plus_ms(set_by_ms));
        let change = ClockSet { from: undisturbed, to: reading.wall };
        set(&mut seen, before.offset_ms, change, around);
    }
    let slept_ms = reading.slept_ms() - before.slept_ms;
    if is_noticed(slept_ms) {
        seen.known.slept_ms = reading.slept_ms();
    }
    if slept_ms > UNNOTICED_MS {
        seen.suspended = Some(Suspended { from: reading.wall.plus_ms(-slept_ms), to: reading.wall });
        seen.known.stable_at = Some(reading.wall.plus_ms(around.stable_wake_ms));
    }
    seen
}

fn set(seen: &mut Seen, offset_before_ms: i64, change: ClockSet, around: Around) {
    let by_ms = change.by_ms();
    let until = change.to.plus_ms(DOUBT_LASTS_MS);
    seen.set = (by_ms.abs() > around.grace_ms).then_some(change);
    match seen.known.doubt {
        None if by_ms > DOUBTED_MS => {
            let ClockSet { from, to } = change;
            seen.known.doubt = Some(Doubt { believed_offset_ms: offset_before_ms, from, to, until });
        }
        None => {
            let ahead = |newest: &Timestamp| newest.since_ms(change.to) > around.grace_ms;
            seen.anew = around.newest.filter(ahead).map(|_| Anew::Every);
        }
        Some(doubt) => {
            seen.set = Some(change);
            let ahead_ms = seen.known.offset_ms - doubt.believed_offset_ms;
            if ahead_ms > DOUBTED_MS {
                seen.known.doubt = Some(Doubt { to: change.to, until, ..doubt });
            } else {
                seen.known.doubt = None;
                let further = ahead_ms < -around.grace_ms;
                seen.anew = Some(if further { Anew::Every } else { Anew::Ahead });
            }
        }
    }
}

/// Only the wall clock tells. That it is later is no news: nobody was there.
fn after_boot(before: &Known, boot: &Boot, reading: Reading, around: Around) -> Seen {
    let mut seen =
        Seen { known: Known::since(boot, reading), suspended: None, set: None, set_by_ms: 0, anew: None };
    let now = reading.wall;
    let is_before = |time: Timestamp| time.since_ms(now) > around.grace_ms;
    match before.doubt {
        Some(doubt) if now >= doubt.to => {
            // Nobody can tell how long it has held.
            let believed_offset_ms = doubt.from.as_millis().saturating_sub(reading.elapsed_ms);
            let until = now.plus_ms(DOUBT_LASTS_MS);
            seen.known.doubt = Some(Doubt { believed_offset_ms, until, ..doubt });
        }
        Some(doubt) => {
            seen.set = Some(ClockSet { from: doubt.to, to: now });
            seen.anew = Some(if is_before(doubt.from) { Anew::Every } else { Anew::Ahead });
        }
        None => {
            if let Some(newest) = around.newest.filter(|newest| is_before(*newest)) {
                seen.set = Some(ClockSet { from: newest, to: now });
                seen.anew = Some(Anew::Every);
            }
        }
    }
    seen.set_by_ms = seen.set.map_or(0, ClockSet::by_ms);
    seen
}

fn is_noticed(difference_ms: i64) -> bool {
    difference_ms.abs() > UNNOTICED_MS
}

#[cfg(test)]
mod tests;
