//! Whether a peer is alive: it holds its lock file, or, where that is gone, its process is still there.

use std::io;
use std::path::{Path, PathBuf};

use super::lock_file::{Attempt, HeldLock, IfMissing, try_take};
use crate::domain::id::InstanceId;
use crate::domain::process::FileIdentity;

/// The lock file of an instance.
pub fn lock_path(state: &Path, instance: &InstanceId) -> PathBuf {
    state.join("instances").join(format!("{instance}.lock"))
}

/// Takes this instance's own lock, before its row is written, and sees that nobody else could.
///
/// # Errors
/// When the file cannot be made or locked, or the lock keeps nobody out.
pub fn take_own(state: &Path, instance: &InstanceId) -> io::Result<HeldLock> {
    let path = lock_path(state, instance);
    match try_take(&path, IfMissing::Create)? {
        Attempt::Taken(held) => match try_take(&path, IfMissing::Leave)? {
            Attempt::HeldByAnother => Ok(held),
            Attempt::Taken(_) | Attempt::Missing => {
                held.remove();
                Err(io::Error::other("locks on this file system keep nobody out; use a local disk"))
            }
        },
        Attempt::HeldByAnother | Attempt::Missing => Err(io::Error::other(format!(
            "the lock of the new instance {instance} is held by another process"
        ))),
    }
}

/// What is known of a peer.
#[derive(Debug)]
pub enum Peer {
    /// It lives.
    Alive,
    /// It has died, and nobody else can settle it while this lock is held.
    Dead(HeldLock),
    /// Its lock file is gone or another; only its process can tell.
    AskItsProcess,
}

/// Looks whether a peer is alive.
///
/// # Errors
/// When its lock file cannot be looked at.
pub fn look_at(state: &Path, peer: &InstanceId, lock: FileIdentity) -> io::Result<Peer> {
    Ok(match try_take(&lock_path(state, peer), IfMissing::Leave)? {
        Attempt::HeldByAnother => Peer::Alive,
        Attempt::Taken(held) if held.identity() == lock => Peer::Dead(held),
        Attempt::Taken(_) | Attempt::Missing => Peer::AskItsProcess,
    })
}
