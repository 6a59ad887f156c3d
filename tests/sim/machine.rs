//! The machine that all windows run on: it sleeps, its clock is set, it is restarted.

use sexton::domain::clock::{Boot, DOUBT_LASTS_MS, DOUBTED_MS, Reading};
use sexton::domain::scheduler::SharedLimits;
use sexton::domain::time::Timestamp;

use crate::world::{START, World};

/// What is slept or set by more than this is to be noticed.
const NOTICED_MS: i64 = 1000;

/// What really happens, and what follows from it for who claims slots.
pub(crate) struct Machine {
    pub(crate) boot: Boot,
    boots: u32,
    /// How much of the time since [`START`] it slept, and how far the clock is from what it would show otherwise.
    slept_ms: i64,
    pub(crate) set_by_ms: i64,
    /// What was so when somebody decided last.
    noticed: Noticed,
    /// How long it had been awake in all when it was noticed that it had slept.
    woke_at_ms: Option<i64>,
    /// The clock is far from what was believed.
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy)]
struct Noticed {
    boots: u32,
    slept_ms: i64,
    set_by_ms: i64,
}

struct Wrong {
    believed_set_by_ms: i64,
    since_elapsed_ms: i64,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Machine {
            boot: Boot::from_text("boot 0"),
            boots: 0,
            slept_ms: 0,
            set_by_ms: 0,
            noticed: Noticed { boots: 0, slept_ms: 0, set_by_ms: 0 },
            woke_at_ms: None,
            wrong: None,
        }
    }

    pub(crate) fn reading(&self, now: Timestamp) -> Reading {
        let elapsed_ms = now.since_ms(START) - self.set_by_ms;
        Reading { wall: now, elapsed_ms, awake_ms: elapsed_ms - self.slept_ms }
    }

    /// Somebody has decided something, and has seen the clock before that.
    pub(crate) fn notice(&mut self, now: Timestamp) {
        let Reading { elapsed_ms, awake_ms, .. } = self.reading(now);
        let Machine { boots, slept_ms, set_by_ms, .. } = *self;
        if self.noticed.boots != boots {
            // Nobody was there; what was wrong before may have been put right meanwhile.
            (self.woke_at_ms, self.wrong) = (None, None);
            self.noticed = Noticed { boots, slept_ms, set_by_ms };
        }
        if slept_ms - self.noticed.slept_ms > NOTICED_MS {
            self.woke_at_ms = Some(awake_ms);
            self.noticed.slept_ms = slept_ms;
        }
        if (set_by_ms - self.noticed.set_by_ms).abs() > NOTICED_MS {
            self.wrong.take_if(|wrong| elapsed_ms - wrong.since_elapsed_ms >= DOUBT_LASTS_MS);
            let believed = self.wrong.as_ref().map(|wrong| wrong.believed_set_by_ms);
            let believed_set_by_ms = believed.unwrap_or(self.noticed.set_by_ms);
            let far = set_by_ms - believed_set_by_ms > DOUBTED_MS;
            self.wrong = far.then_some(Wrong { believed_set_by_ms, since_elapsed_ms: elapsed_ms });
            self.noticed.set_by_ms = set_by_ms;
        }
    }

    /// Why nobody may consume a slot now. What nobody notices may shorten a wait by as much, twice: what was slept and
    /// what was set.
    pub(crate) fn must_not_claim(&self, now: Timestamp, limits: &SharedLimits) -> Option<&'static str> {
        let Reading { elapsed_ms, awake_ms, .. } = self.reading(now);
        if self
            .woke_at_ms
            .is_some_and(|woke_at_ms| awake_ms - woke_at_ms < limits.stable_wake_ms - 2 * NOTICED_MS)
        {
            return Some("the machine has just woken up");
        }
        let wrong = self.wrong.as_ref()?;
        (elapsed_ms - wrong.since_elapsed_ms < DOUBT_LASTS_MS - 2 * NOTICED_MS)
            .then_some("the clock is wrong")
    }
}

impl World {
    /// The machine sleeps for so long. Nobody notices while it does.
    pub(crate) fn suspend(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
        self.machine.slept_ms += ms;
    }

    /// Somebody sets the clock, forward or back.
    pub(crate) fn set_clock(&mut self, by_ms: i64) {
        self.now = self.now.plus_ms(by_ms);
        self.machine.set_by_ms += by_ms;
    }

    /// The machine is restarted. Nobody who ran on it is left.
    pub(crate) fn restart(&mut self) {
        self.alive().into_iter().for_each(|who| self.die(who));
        self.machine.boots += 1;
        self.machine.boot = Boot::from_text(format!("boot {}", self.machine.boots));
    }
}
