//! The owner of the bell waits for the end of each peer, on a thread of its own that is parked at the peer's lock:
//! nothing is looked at meanwhile, and the end is known the moment the operating system gives up the lock.
//!
//! A wait cannot be called off: the threads of a window that owns the bell no more stay until their peers end. Then each
//! holds the lock for a moment, and so does whoever settles the peer. Whoever comes upon such a lock waits again.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use tokio::sync::mpsc;

use super::health::LastTold;
use crate::domain::id::InstanceId;
use crate::presence::instance;
use crate::presence::lock_file::wait_until_free;

/// The most peers whose ends are waited for: more windows than anybody has on one project, and a bound on threads.
/// The end of others is noticed on the slow look.
const MOST: usize = 64;

/// Each wait keeps a file open. Of those that this process may have open, this part at most is for waits: most of the
/// rest is for the work of runs.
const PART: usize = 8;

/// How often the end of one peer is waited for between two slow looks. Its lock may be busy each time that it is looked
/// at, because others wait for the same end, and one of them is settling it; that many do not take turns by accident.
const AGAIN: usize = 8;

/// As much as waiting for a lock needs, in bytes.
const STACK: usize = 64 * 1024;

/// Waits for peers.
pub(super) struct Vigil {
    peers: HashMap<InstanceId, Waiting>,
    most: usize,
    /// Each thread says once what has become of its wait, so there is always room.
    over: mpsc::Sender<(InstanceId, io::Result<()>)>,
    ends: mpsc::Receiver<(InstanceId, io::Result<()>)>,
    told: LastTold,
}

struct Waiting {
    wait: Wait,
    /// How often it has begun since the last slow look.
    begun: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    GoesOn,
    /// The lock was free, or there is none to wait for.
    IsOver,
    /// It has failed, which says nothing about the peer.
    HasFailed,
    /// The lock was free, and busy when it was looked at after that.
    IsToBeginAgain,
}

impl Vigil {
    pub(super) fn new() -> Vigil {
        Vigil::of_at_most(MOST.min(most_open_files() / PART))
    }

    fn of_at_most(most: usize) -> Vigil {
        // A channel has a place at least.
        let (over, ends) = mpsc::channel(most.max(1));
        Vigil { peers: HashMap::new(), most, over, ends, told: LastTold::default() }
    }

    /// Waits for the ends of these, and of nobody whose end was told of already.
    pub(super) fn keep(&mut self, state: &Path, peers: Vec<InstanceId>) {
        self.peers.retain(|peer, waiting| waiting.wait == Wait::GoesOn || peers.contains(peer));
        let mut waits = self.peers.values().filter(|waiting| waiting.wait == Wait::GoesOn).count();
        for peer in peers {
            if waits >= self.most {
                return;
            }
            let begun = match self.peers.get(&peer).map(|waiting| (waiting.wait, waiting.begun)) {
                None => 0,
                Some((Wait::IsToBeginAgain, begun)) => begun,
                Some((Wait::GoesOn | Wait::IsOver | Wait::HasFailed, _)) => continue,
            };
            let wait = match park(state, peer.clone(), self.over.clone()) {
                Ok(()) => {
                    waits += 1;
                    Wait::GoesOn
                }
                Err(error) => {
                    self.tell(&error);
                    Wait::HasFailed
                }
            };
            self.peers.insert(peer, Waiting { wait, begun: begun + 1 });
        }
    }

    /// Waits until a peer has ended, or has no lock that could be waited for.
    pub(super) async fn end_of_a_peer(&mut self) {
        // One sender is kept here, so there is always something to wait for.
        while let Some((peer, outcome)) = self.ends.recv().await {
            let wait = match &outcome {
                Ok(()) => Wait::IsOver,
                Err(error) => {
                    self.tell(error);
                    Wait::HasFailed
                }
            };
            if let Some(waiting) = self.peers.get_mut(&peer) {
                waiting.wait = wait;
            }
            if outcome.is_ok() {
                return;
            }
        }
    }

    /// Somebody holds the locks of these, as was seen just now. Where that comes right after the end of a wait it is
    /// somebody who has waited for the same end, or settles the peer: whether that comes to anything is seen when
    /// the lock is free again.
    pub(super) fn wait_again_for(&mut self, locked: &[InstanceId]) {
        for peer in locked {
            if let Some(waiting) = self.peers.get_mut(peer)
                && waiting.wait == Wait::IsOver
                && waiting.begun < AGAIN
            {
                waiting.wait = Wait::IsToBeginAgain;
            }
        }
    }

    /// Waits anew also for those whose wait is over, if they are still there. To be called now and then only: where
    /// there is no lock to wait for, the wait is over at once.
    pub(super) fn begin_anew(&mut self) {
        if !self.peers.values().any(|waiting| waiting.wait == Wait::HasFailed) {
            self.told.over();
        }
        self.peers.retain(|_, waiting| waiting.wait == Wait::GoesOn);
        for waiting in self.peers.values_mut() {
            waiting.begun = 1;
        }
    }

    /// The first failure is logged, and the next one when none has failed for a while: there may be one for each peer,
    /// again and again, and not for the same reason.
    fn tell(&mut self, error: &io::Error) {
        let what = "the end of a peer cannot be waited for; it is looked for now and then";
        if self.told.is_news(&what) {
            tracing::warn!(%error, "{what}");
        }
    }
}

/// The thread is never joined: it ends with its peer, or with this process.
fn park(state: &Path, peer: InstanceId, over: mpsc::Sender<(InstanceId, io::Result<()>)>) -> io::Result<()> {
    let path = instance::lock_path(state, &peer);
    let wait = move || {
        let outcome = wait_until_free(&path);
        // The loop may have ended meanwhile.
        let _ = over.blocking_send((peer, outcome));
    };
    std::thread::Builder::new().name("vigil".to_owned()).stack_size(STACK).spawn(wait)?;
    Ok(())
}

/// How many files this process may have open.
#[cfg(unix)]
fn most_open_files() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// As many as there is memory for.
#[cfg(windows)]
fn most_open_files() -> usize {
    usize::MAX
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::presence::lock_file::{Attempt, HeldLock, IfMissing, try_take};

    /// Longer than anything here takes on a busy machine.
    const DEADLINE: Duration = Duration::from_secs(20);

    /// Longer than it takes to be told of an end.
    const QUIET: Duration = Duration::from_millis(100);

    struct Place {
        state: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Place {
            let state = tempfile::tempdir().unwrap();
            std::fs::create_dir(state.path().join("instances")).unwrap();
            Place { state }
        }

        fn peers(count: usize) -> Vec<InstanceId> {
            (0..count).map(|number| InstanceId::from_unique(&number.to_string())).collect()
        }

        fn hold(&self, peer: &InstanceId) -> HeldLock {
            let path = instance::lock_path(self.state.path(), peer);
            match try_take(&path, IfMissing::Create).unwrap() {
                Attempt::Taken(held) => held,
                Attempt::HeldByAnother | Attempt::Missing => panic!("nobody holds it"),
            }
        }
    }

    async fn is_told_of_an_end(vigil: &mut Vigil) -> bool {
        timeout(DEADLINE, vigil.end_of_a_peer()).await.is_ok()
    }

    async fn is_told_of_nothing(vigil: &mut Vigil) -> bool {
        timeout(QUIET, vigil.end_of_a_peer()).await.is_err()
    }

    #[tokio::test]
    async fn a_lock_that_is_busy_after_the_end_of_a_wait_is_waited_for_again_but_not_for_ever() {
        let (place, peers) = (Place::new(), Place::peers(1));
        let mut vigil = Vigil::new();
        let keep = |vigil: &mut Vigil| vigil.keep(place.state.path(), peers.clone());
        let mut held = place.hold(&peers[0]);
        for _ in 0..AGAIN {
            keep(&mut vigil);
            held.release();
            assert!(is_told_of_an_end(&mut vigil).await);
            // Somebody else is faster than whoever was told.
            held = place.hold(&peers[0]);
            keep(&mut vigil);
            vigil.wait_again_for(&peers);
        }
        keep(&mut vigil);
        held.release();
        assert!(is_told_of_nothing(&mut vigil).await);
        let held = place.hold(&peers[0]);
        vigil.begin_anew();
        keep(&mut vigil);
        held.release();
        assert!(is_told_of_an_end(&mut vigil).await);
    }

    #[tokio::test]
    async fn a_wait_that_has_failed_is_no_end_and_is_not_begun_again_at_once() {
        let (place, peers) = (Place::new(), Place::peers(2));
        let in_the_way = instance::lock_path(place.state.path(), &peers[0]);
        std::fs::create_dir(&in_the_way).unwrap();
        let held = place.hold(&peers[1]);
        let mut vigil = Vigil::new();
        vigil.keep(place.state.path(), peers.clone());
        assert!(is_told_of_nothing(&mut vigil).await);
        vigil.wait_again_for(&peers);
        std::fs::remove_dir(&in_the_way).unwrap();
        vigil.keep(place.state.path(), peers.clone());
        assert!(is_told_of_nothing(&mut vigil).await, "the lock is not there, which would be an end");
        held.release();
        assert!(is_told_of_an_end(&mut vigil).await, "the others are waited for all the same");
        vigil.begin_anew();
        vigil.keep(place.state.path(), peers);
        assert!(is_told_of_an_end(&mut vigil).await);
    }

    #[tokio::test]
    async fn no_more_is_waited_for_than_there_may_be_files() {
        let (place, peers) = (Place::new(), Place::peers(5));
        let mut held: Vec<HeldLock> = peers.iter().map(|peer| place.hold(peer)).collect();
        let mut vigil = Vigil::of_at_most(2);
        vigil.keep(place.state.path(), peers.clone());
        held.split_off(2).into_iter().for_each(HeldLock::release);
        assert!(is_told_of_nothing(&mut vigil).await, "these are not waited for");
        held.remove(0).release();
        assert!(is_told_of_an_end(&mut vigil).await);
        vigil.keep(place.state.path(), peers);
        assert!(is_told_of_an_end(&mut vigil).await, "there is a place for the next");
        held.into_iter().for_each(HeldLock::release);
    }
}
