//! Ends what is left of a run whose guard cannot do it: because it was killed, or because its sidecar died.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::process::{self, Held, Key, Process, State};
use super::{ProcessIdentity, TOKEN_VARIABLE};

/// How long a sweep waits for the killed to be gone. Each takes a millisecond or so; what takes this long
/// hangs in the kernel (a dead network file system) or belongs to another user.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long to wait for an end before looking again for what has been started meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What a sweep found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leftovers {
    /// How many processes were found alive and have ended since, the guard not counted.
    pub swept: u32,
    /// Whether nothing that this process can see is left of the run.
    pub all_gone: bool,
}

/// Ends what is left of a run: kills its guard, but only if pid, start time, boot and token are those of the
/// run, then everything below the guard, and everything that carries the token in its environment. Waits
/// until they are gone, at most two seconds.
///
/// Harmless when repeated, and when nothing is left. It blocks and reads all of `/proc`: call it on a thread
/// that may wait.
pub fn end_leftovers(identity: &ProcessIdentity, token: &str) -> Leftovers {
    if identity.boot_id != process::boot_id() {
        // The machine has been started anew: nothing can be left.
        return Leftovers { swept: 0, all_gone: true };
    }
    let mut sweep = Sweep::of(token);
    // In another pid namespace the number means another process.
    if identity.pid_namespace == process::pid_namespace() {
        sweep.begin_with_guard((identity.pid, identity.start_time));
    }
    sweep.carry_out()
}

/// As [`end_leftovers`], when it is not known who the guard was, or known that it has gone.
pub(super) fn end_carriers(token: &str) -> Leftovers {
    Sweep::of(token).carry_out()
}

struct Sweep {
    /// What a process of the run has in its environment.
    entry: String,
    guard: Option<Key>,
    /// Everything that was ever seen to belong to the run: once its parents are dead, a process that has
    /// cleared its environment cannot be recognised any more.
    known: BTreeSet<Key>,
}

impl Sweep {
    fn of(token: &str) -> Self {
        Self { entry: format!("{TOKEN_VARIABLE}={token}"), guard: None, known: BTreeSet::new() }
    }

    /// Kills the guard, having noted what hangs below it.
    fn begin_with_guard(&mut self, guard: Key) {
        let Some(held) = Held::take(guard) else { return };
        // Read while the process is held: it cannot have become another one in between.
        if !process::carries(guard.0, &self.entry) {
            return;
        }
        self.guard = Some(guard);
        self.known.insert(guard);
        self.known.extend(process::descendants(guard.0, &process::list()).iter().map(Process::key));
        held.kill();
    }

    fn carry_out(mut self) -> Leftovers {
        let give_up_at = now() + PATIENCE;
        loop {
            let alive = self.look();
            let left = give_up_at.saturating_duration_since(now());
            if alive.is_empty() || left.is_zero() {
                let found = self.known.len() - usize::from(self.guard.is_some());
                let swept = u32::try_from(found.saturating_sub(alive.len())).unwrap_or(u32::MAX);
                return Leftovers { swept, all_gone: alive.is_empty() };
            }
            let held: Vec<Held> = alive.into_iter().filter_map(Held::take).collect();
            let look_again_at = now() + left.min(LOOK_AGAIN);
            for one in &held {
                one.kill();
            }
            for one in &held {
                one.wait(look_again_at.saturating_duration_since(now()));
            }
        }
    }

    /// What is alive of the run. Never this process itself: a sidecar may be part of a run of another one.
    fn look(&mut self) -> Vec<Key> {
        let all = process::list();
        let mut alive = Vec::new();
        for one in all.iter().filter(|one| one.state == State::Alive && one.pid != std::process::id()) {
            if self.known.contains(&one.key()) || process::carries(one.pid, &self.entry) {
                self.known.extend(process::descendants(one.pid, &all).iter().map(Process::key));
                self.known.insert(one.key());
            }
        }
        // A second pass, because a child may be listed before the parent that makes it known.
        for one in all.iter().filter(|one| one.state == State::Alive && one.pid != std::process::id()) {
            if self.known.contains(&one.key()) {
                alive.push(one.key());
            }
        }
        alive
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a sweep may take is a span, and nothing depends on it"
)]
fn now() -> Instant {
    Instant::now()
}
