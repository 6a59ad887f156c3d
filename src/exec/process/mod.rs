//! What this layer asks of the system about processes. The platforms are twins: the same functions, one file
//! each; `unix.rs` holds what they share.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod unix;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod windows;

use std::collections::{BTreeSet, VecDeque};

#[cfg(target_os = "linux")]
pub(super) use linux::*;
#[cfg(target_os = "macos")]
pub(super) use macos::*;
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub use unix::AgentPipes;
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) use unix::*;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub use windows::AgentPipes;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) use windows::*;

/// A process as the system lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) group: u32,
    /// As in [`super::ProcessIdentity::start_time`].
    pub(super) start_time: u64,
    pub(super) state: State,
}

/// Whether a process can still do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It runs, sleeps or is stopped.
    Alive,
    #[cfg_attr(
        not(any(target_os = "linux", target_os = "macos")),
        expect(dead_code, reason = "no process is ever listed there")
    )]
    /// A zombie: it has ended, and its parent has not asked how.
    Ended,
}

/// Names one process for as long as this machine is up: a pid alone may be given to another process.
pub(super) type Key = (u32, u64);

impl Process {
    pub(super) fn key(&self) -> Key {
        (self.pid, self.start_time)
    }
}

/// The living children of a process, their children, and so on, parents before children.
pub(super) fn descendants(of: u32, all: &[Process]) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut seen = BTreeSet::from([of]);
    let mut parents = VecDeque::from([of]);
    // The list is not one moment's truth, so that parents could even form a circle: `seen` ends it.
    while let Some(parent) = parents.pop_front() {
        for process in all.iter().filter(|process| process.parent == parent) {
            if seen.insert(process.pid) {
                parents.push_back(process.pid);
                found.push(*process);
            }
        }
    }
    found.retain(|process| process.state == State::Alive);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, state: State) -> Process {
        Process { pid, parent, group: pid, start_time: u64::from(pid), state }
    }

    #[test]
    fn descendants_come_parents_first_and_without_the_ended() {
        let all = [
            process(9, 7, State::Alive),
            process(5, 1, State::Alive),
            process(6, 5, State::Alive),
            process(7, 5, State::Ended),
            process(8, 6, State::Alive),
            process(2, 1, State::Alive),
        ];
        let pids: Vec<u32> = descendants(5, &all).iter().map(|process| process.pid).collect();
        assert_eq!(pids, [6, 8, 9], "also below a zombie, whose children have not been handed on yet");
    }

    #[test]
    fn a_list_with_a_circle_is_survived() {
        let all = [process(3, 4, State::Alive), process(4, 3, State::Alive)];
        assert_eq!(descendants(3, &all).len(), 1);
    }
}
