//! The owner of the bell waits for the end of each peer, on a thread of its own that is parked at the peer's lock:
//! nothing is looked at meanwhile, and the end is known the moment the operating system gives up the lock.

use std::collections::HashMap;
use std::path::Path;

use tokio::sync::mpsc;

use crate::domain::id::InstanceId;
use crate::presence::instance;
use crate::presence::lock_file::wait_until_free;

/// The most peers whose ends are waited for: more windows than anybody has on one project, and a bound on threads.
/// The end of others is noticed on the slow look.
const MOST: usize = 64;

/// As much as waiting for a lock needs, in bytes.
const STACK: usize = 64 * 1024;

/// Waits for peers.
pub(super) struct Vigil {
    peers: HashMap<InstanceId, Wait>,
    /// Each thread says once that its wait is over, so there is always room.
    over: mpsc::Sender<InstanceId>,
    ends: mpsc::Receiver<InstanceId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    GoesOn,
    /// The lock is free, or there is none to wait for.
    IsOver,
}

impl Vigil {
    pub(super) fn new() -> Vigil {
        let (over, ends) = mpsc::channel(MOST);
        Vigil { peers: HashMap::new(), over, ends }
    }

    /// Waits for the ends of these, and of nobody whose end was told of already.
    pub(super) fn keep(&mut self, state: &Path, peers: Vec<InstanceId>) {
        self.peers.retain(|peer, wait| *wait == Wait::GoesOn || peers.contains(peer));
        for peer in peers {
            if self.peers.len() >= MOST || self.peers.contains_key(&peer) {
                continue;
            }
            match park(state, peer.clone(), self.over.clone()) {
                Ok(()) => drop(self.peers.insert(peer, Wait::GoesOn)),
                Err(error) => {
                    tracing::warn!(%error, "no thread waits for the end of a peer; it is looked for now and then");
                    return;
                }
            }
        }
    }

    /// Waits until a peer has ended, or has no lock that could be waited for.
    pub(super) async fn end_of_a_peer(&mut self) {
        // One sender is kept here, so there is always an answer to wait for.
        if let Some(peer) = self.ends.recv().await
            && let Some(wait) = self.peers.get_mut(&peer)
        {
            *wait = Wait::IsOver;
        }
    }

    /// Waits anew also for those whose wait is over, if they are still there. To be called now and then only: where
    /// there is no lock to wait for, the wait is over at once.
    pub(super) fn begin_anew(&mut self) {
        self.peers.retain(|_, wait| *wait == Wait::GoesOn);
    }
}

/// The thread is never joined: it ends with its peer, or with this process.
fn park(state: &Path, peer: InstanceId, over: mpsc::Sender<InstanceId>) -> std::io::Result<()> {
    let path = instance::lock_path(state, &peer);
    let wait = move || {
        if let Err(error) = wait_until_free(&path) {
            tracing::debug!(%error, instance = %peer, "the end of a peer cannot be waited for");
        }
        // The loop may have ended meanwhile.
        let _ = over.blocking_send(peer);
    };
    std::thread::Builder::new().name("vigil".to_owned()).stack_size(STACK).spawn(wait)?;
    Ok(())
}
