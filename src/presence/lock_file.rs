//! A file that at most one process holds. The lock goes with its holder, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::process::FileIdentity;

/// A lock that this process holds. Dropping it gives it up.
#[derive(Debug)]
pub struct HeldLock {
    file: File,
    path: PathBuf,
    identity: FileIdentity,
}

/// What came of trying to take a lock.
#[derive(Debug)]
pub enum Attempt {
    /// It is ours.
    Taken(HeldLock),
    /// Another process holds it.
    HeldByAnother,
    /// There is no such file.
    Missing,
}

/// Whether a file that is not there is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMissing {
    /// It is.
    Create,
    /// It is not: a lock of somebody else's is never made by us.
    Leave,
}

impl HeldLock {
    /// Which file is locked.
    pub fn identity(&self) -> FileIdentity {
        self.identity
    }

    /// Whether the file that is locked is still the one at its path. If not, the lock keeps nobody out any more.
    ///
    /// # Errors
    /// When the path cannot be looked at.
    pub fn is_in_place(&self) -> io::Result<bool> {
        Ok(identity_at(&self.path)? == Some(self.identity))
    }

    /// Removes the file and gives up the lock, in this order: nobody can lock what is about to go.
    pub fn remove(self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "a lock file could not be removed");
        }
        self.release();
    }

    /// Gives up the lock at once, rather than when the last copy of the descriptor goes.
    pub fn release(self) {
        if let Err(error) = self.file.unlock() {
            tracing::debug!(path = %self.path.display(), %error, "a lock could not be given up");
        }
    }
}

/// Tries to take a lock without waiting.
///
/// # Errors
/// When the file cannot be opened or locked for another reason than that somebody holds it.
pub fn try_take(path: &Path, if_missing: IfMissing) -> io::Result<Attempt> {
    /// A lock on a file that has been replaced meanwhile is worth nothing; this often is never seen twice.
    const ATTEMPTS: usize = 16;
    for _ in 0..ATTEMPTS {
        let Some(file) = open(path, if_missing)? else { return Ok(Attempt::Missing) };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Attempt::HeldByAnother),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let identity = FileIdentity::of(&file.metadata()?);
        if identity_at(path)? == Some(identity) {
            return Ok(Attempt::Taken(HeldLock { file, path: path.to_owned(), identity }));
        }
    }
    Err(io::Error::other(format!("{} is replaced again and again", path.display())))
}

/// Somebody in line for a lock that another process holds. Dropping it leaves the line.
#[derive(Debug)]
pub struct Candidate {
    file: File,
    path: PathBuf,
    identity: FileIdentity,
}

/// What has become of a wait for a lock.
#[derive(Debug)]
pub enum Succession {
    /// It is ours.
    Taken(HeldLock),
    /// Another file is at its path by now, or none: the lock that was waited for is worth nothing.
    Replaced,
}

impl Candidate {
    /// Gets in line for the lock of this file, which is made if it is not there. Nothing is waited for yet.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn enter(path: &Path) -> io::Result<Candidate> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let file = open(path, IfMissing::Create)?.ok_or_else(missing)?;
        let identity = FileIdentity::of(&file.metadata()?);
        Ok(Candidate { file, path: path.to_owned(), identity })
    }

    /// Which file it is the lock of.
    pub fn identity(&self) -> FileIdentity {
        self.identity
    }

    /// Waits until the lock is ours, for ever if need be. Blocks.
    ///
    /// # Errors
    /// When the file cannot be locked, or its path cannot be looked at.
    pub fn wait(self) -> io::Result<Succession> {
        lock(&self.file)?;
        Ok(if identity_at(&self.path)? == Some(self.identity) {
            Succession::Taken(HeldLock { file: self.file, path: self.path, identity: self.identity })
        } else {
            Succession::Replaced
        })
    }
}

/// Waits until nobody else holds the lock of this file, for ever if need be, or finds that there is no such file.
/// Blocks; the lock is not kept.
///
/// # Errors
/// When the file cannot be opened or locked.
pub fn wait_until_free(path: &Path) -> io::Result<()> {
    let Some(file) = open(path, IfMissing::Leave)? else { return Ok(()) };
    lock(&file)
}

/// Locks a file, however long that takes.
fn lock(file: &File) -> io::Result<()> {
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            locked => return locked,
        }
    }
}

fn open(path: &Path, if_missing: IfMissing) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(if_missing == IfMissing::Create);
    owner_only(&mut options);
    match options.open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && if_missing == IfMissing::Leave => Ok(None),
        Err(error) => Err(error),
    }
}

/// Which other process has locked a byte of this file for itself alone with the locks of POSIX, if one has and it can be
/// told. It may be gone by the time it is known.
///
/// The file is opened once and never closed: closing any descriptor of it would drop the locks of this kind that this
/// process has on it, whoever took them.
#[cfg(unix)]
pub fn who_locks(path: &Path, byte: u64) -> Option<u32> {
    use std::collections::HashMap;
    use std::sync::{Mutex, PoisonError};

    use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};

    static OPEN: Mutex<Option<HashMap<PathBuf, &'static File>>> = Mutex::new(None);
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = open.get_or_insert_default();
    let file = match known.get(path) {
        Some(file) => *file,
        None => {
            let file: &'static File = Box::leak(Box::new(File::open(path).ok()?));
            known.insert(path.to_owned(), file);
            file
        }
    };
    let wanted = Flock {
        start: byte,
        length: 1,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    let held = fcntl_getlk(file, &wanted).ok()??;
    u32::try_from(held.pid?.as_raw_nonzero().get()).ok()
}

/// Nobody can be told here.
#[cfg(windows)]
pub fn who_locks(_path: &Path, _byte: u64) -> Option<u32> {
    None
}

/// Which process holds the lock of this file, where the system tells.
#[cfg(target_os = "linux")]
pub fn holder(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let inode = std::fs::metadata(path).ok()?.ino();
    // `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`
    let of_this_file = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (kind, pid, place) = (fields.next()?, fields.nth(2)?, fields.next()?);
        let found = place.rsplit(':').next()?.parse::<u64>().ok()?;
        (kind == "FLOCK" && found == inode).then(|| pid.parse().ok()).flatten()
    };
    std::fs::read_to_string("/proc/locks").ok()?.lines().find_map(of_this_file)
}

/// Nobody can be told here.
#[cfg(not(target_os = "linux"))]
pub fn holder(_path: &Path) -> Option<u32> {
    None
}

/// Which file is at this path now.
///
/// # Errors
/// When it cannot be looked at.
pub fn identity_at(path: &Path) -> io::Result<Option<FileIdentity>> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(FileIdentity::of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
pub(super) fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(windows)]
pub(super) fn owner_only(_options: &mut OpenOptions) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(path: &Path) -> Attempt {
        try_take(path, IfMissing::Create).unwrap()
    }

    #[test]
    fn one_holder_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lock");
        assert!(matches!(try_take(&path, IfMissing::Leave).unwrap(), Attempt::Missing));
        let Attempt::Taken(held) = take(&path) else { panic!("nobody holds it") };
        assert!(matches!(take(&path), Attempt::HeldByAnother));
        #[cfg(target_os = "linux")]
        assert_eq!(holder(&path), Some(std::process::id()));
        held.release();
        #[cfg(target_os = "linux")]
        assert_eq!(holder(&path), None);
        assert!(matches!(take(&path), Attempt::Taken(_)));
    }

    #[test]
    fn whoever_is_in_line_has_the_lock_when_its_holder_goes_unless_it_is_worth_nothing_by_then() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lock");
        let Attempt::Taken(held) = take(&path) else { panic!("nobody holds it") };
        let line: Vec<Candidate> = (0..2).map(|_| Candidate::enter(&path).unwrap()).collect();
        assert_eq!(line[0].identity(), held.identity());
        held.release();
        let mut line = line.into_iter();
        let Succession::Taken(held) = line.next().unwrap().wait().unwrap() else {
            panic!("it is in its place")
        };
        assert!(matches!(take(&path), Attempt::HeldByAnother));
        std::fs::remove_file(&path).unwrap();
        drop(held);
        assert!(matches!(line.next().unwrap().wait().unwrap(), Succession::Replaced));
        assert!(matches!(Candidate::enter(&path).unwrap().wait().unwrap(), Succession::Taken(_)));
    }

    #[test]
    fn a_new_file_at_the_same_path_is_another_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lock");
        let Attempt::Taken(held) = take(&path) else { panic!("nobody holds it") };
        std::fs::remove_file(&path).unwrap();
        let Attempt::Taken(other) = take(&path) else { panic!("the new file is free") };
        assert_ne!(held.identity(), other.identity());
        assert_eq!(identity_at(&path).unwrap(), Some(other.identity()));
    }
}
