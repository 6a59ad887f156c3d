//! Whether a peer is alive: it holds its lock file, or, where that is gone, its process is still there.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// The instances whose lock files have been there for longer than it takes to enter a row, with or without one.
///
/// # Errors
/// When the directory cannot be read.
pub fn with_old_lock_files(state: &Path) -> io::Result<Vec<InstanceId>> {
    /// Far longer than anybody is between making the file and locking it.
    const OLD: Duration = Duration::from_secs(60);
    let mut instances = Vec::new();
    for entry in std::fs::read_dir(state.join("instances"))? {
        let entry = entry?;
        let old = entry.metadata()?.modified()?.elapsed().is_ok_and(|age| age > OLD);
        let name = entry.file_name();
        if let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".lock")).filter(|_| old) {
            instances.push(InstanceId::from_text(id));
        }
    }
    Ok(instances)
}

/// All instances that have a lock file.
///
/// # Errors
/// When the directory cannot be read.
pub fn with_lock_files(state: &Path) -> io::Result<Vec<InstanceId>> {
    let listed = match std::fs::read_dir(state.join("instances")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut instances = Vec::new();
    for entry in listed {
        let name = entry?.file_name();
        instances
            .extend(name.to_str().and_then(|name| name.strip_suffix(".lock")).map(InstanceId::from_text));
    }
    Ok(instances)
}

/// Takes the lock of an instance that may have no row any more, if nobody holds it.
///
/// # Errors
/// When the file cannot be opened or locked.
pub fn take_forgotten(state: &Path, instance: &InstanceId) -> io::Result<Option<HeldLock>> {
    Ok(match try_take(&lock_path(state, instance), IfMissing::Leave)? {
        Attempt::Taken(held) => Some(held),
        Attempt::HeldByAnother | Attempt::Missing => None,
    })
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
