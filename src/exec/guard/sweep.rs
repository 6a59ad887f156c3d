//! Ends everything below the guard.

use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::PollFlags;

use super::super::TOKEN_VARIABLE;
use super::super::process::{self, Held, Process, State};
use super::pipes::{self, Signals};
use super::watch::{Tree, now};

/// How long a sweep waits for the killed to be gone, which is less than a supervisor waits for the guard. Most
/// take a millisecond; one that gives back a lot of memory, or hangs in the kernel (a dead network file system),
/// may take longer than this. It will not execute another instruction of its own.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long to wait for an end before looking again. Ends of grandchildren are not signalled to the guard
/// until they have become its children.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(20);

pub(super) struct Swept {
    /// How many processes were killed, the command itself not counted.
    pub(super) killed: u32,
    /// How many are not gone: they belong to another user, or take their time.
    pub(super) left: u32,
}

/// Kills and reaps until nothing is left below this process, or the patience is over.
pub(super) fn sweep(tree: &mut Tree, signals: &Signals) -> Swept {
    let give_up_at = now() + PATIENCE;
    let command = tree.pid.as_raw_nonzero().get().cast_unsigned();
    let mut killed = BTreeSet::new();
    loop {
        signals.ended.clear();
        let has_children = tree.reap();
        if !has_children && process::ORPHANS_ARE_ADOPTED {
            return Swept { killed: count(killed.len()), left: 0 };
        }
        let alive = below(tree);
        for one in &alive {
            let is_command = tree.exit.is_none() && one.pid == command;
            let is_killed = Held::take(one.key()).is_some_and(|held| held.kill());
            if is_killed && is_command {
                tree.is_killed = true;
            } else if is_killed {
                killed.insert(one.key());
            }
        }
        if (!has_children && alive.is_empty()) || now() >= give_up_at {
            return Swept { killed: count(killed.len()), left: count(alive.len()) };
        }
        // A failure to wait only means to look again sooner.
        let _ = pipes::wait([(signals.ended.as_fd(), PollFlags::IN)], Some(LOOK_AGAIN));
    }
}

/// What lives of the run, parents before children, so that none can start another after it was looked at.
pub(super) fn below(tree: &Tree) -> Vec<Process> {
    let all = process::list();
    let own = std::process::id();
    let mut found = process::descendants(own, &all);
    if !process::ORPHANS_ARE_ADOPTED {
        let entry = format!("{TOKEN_VARIABLE}={}", tree.token);
        let known: BTreeSet<u32> = found.iter().map(|one| one.pid).chain([own]).collect();
        found.extend(all.into_iter().filter(|one| {
            one.state == State::Alive && !known.contains(&one.pid) && process::carries(one.pid, &entry)
        }));
    }
    found
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
