//! Whether the open database is still the one at its path.
//!
//! SQLite writes happily to files that were removed or replaced while they were open, and what it wrote is gone
//! when the process ends. So the files are looked at by name before each transaction. They are never opened
//! here: closing a second descriptor of a file would drop the locks that SQLite has on it.

use std::fs::Metadata;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use super::error::{LedgerError, Trouble};
use super::open::{self, OpenError};
use crate::domain::process::FileIdentity;
use crate::domain::refusal::StorageReason;

/// What stands beside the database: its log, and the index of the log, which holds SQLite's locks too. SQLite
/// keeps both while anybody has the database open.
pub(super) const BESIDE: [&str; 2] = [LOG, INDEX];

/// What the name of the log has more than that of the database.
const LOG: &str = "-wal";

/// What the name of the index of the log has more.
pub(super) const INDEX: &str = "-shm";

/// As much as is written to find out whether the disk takes anything, in bytes.
const TRIAL: usize = 4096;

/// The length of what every database begins with, in bytes.
const HEADER: u64 = 100;

/// The files of one open database.
pub(super) struct Files {
    path: PathBuf,
    opened: Vec<(PathBuf, FileIdentity)>,
    extent: Mutex<Extent>,
}

/// How long the database is. It only ever grows, unless somebody tidies it up or damages it.
struct Extent {
    longest: u64,
    /// A shorter one that was looked through and found damaged: its length, and when it was written.
    damaged: Option<(u64, Option<SystemTime>)>,
}

/// The file that is at this path now.
pub(super) fn identity_at(path: &Path) -> io::Result<Option<FileIdentity>> {
    Ok(look_at(path)?.map(|metadata| FileIdentity::of(&metadata)))
}

/// The length of the file that is at this path now, in bytes.
pub(super) fn length_at(path: &Path) -> io::Result<Option<u64>> {
    Ok(look_at(path)?.map(|metadata| metadata.len()))
}

/// Whether SQLite may take a database of this length for a new one, and remove the log beside it, in which there are
/// commits. It does so at one byte too, and nothing shorter than the header of a database is one.
pub(super) fn passes_for_new(length: u64) -> bool {
    length < HEADER
}

/// Refuses where something else than a file stands in the place of one. SQLite follows a link and looks for the log
/// beside the file that it leads to, so that windows which came by different ways would have two logs.
pub(super) fn refuse_what_is_none(database: &Path) -> Result<(), OpenError> {
    let beside = BESIDE.into_iter().map(|suffix| beside(database, suffix));
    for place in std::iter::once(database.to_owned()).chain(beside) {
        // What cannot be looked at is told of by whoever opens it.
        let Ok(metadata) = std::fs::symlink_metadata(&place) else { continue };
        let what = match metadata.file_type() {
            kind if kind.is_file() => continue,
            kind if kind.is_symlink() => "a symbolic link",
            kind if kind.is_dir() => "a directory",
            _ => "no file",
        };
        return Err(OpenError::NoFile { path: database.to_owned(), place, what });
    }
    Ok(())
}

fn look_at(path: &Path) -> io::Result<Option<Metadata>> {
    use io::ErrorKind::{NotADirectory, NotFound};
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Files {
    /// The files of the database that has just been opened; `before` is what was at its path before that.
    pub(super) fn of(path: &Path, before: Option<FileIdentity>) -> Result<Files, LedgerError> {
        let mut opened = Vec::new();
        let beside = BESIDE.into_iter().map(|suffix| beside(path, suffix));
        for path in std::iter::once(path.to_owned()).chain(beside) {
            let identity = identity_at(&path)?;
            opened.push((path.clone(), identity.ok_or_else(|| gone(&path))?));
        }
        if before.is_some_and(|before| before != opened[0].1) {
            return Err(another(path));
        }
        let extent = Mutex::new(Extent { longest: 0, damaged: None });
        let files = Files { path: path.to_owned(), opened, extent };
        files.check()?;
        Ok(files)
    }

    /// Refuses if the files at their paths are not those that are open, or if the database has lost a part.
    pub(super) fn check(&self) -> Result<(), LedgerError> {
        for (path, opened) in &self.opened {
            let metadata = look_at(path)?.ok_or_else(|| gone(path))?;
            if FileIdentity::of(&metadata) != *opened {
                return Err(another(path));
            }
            if *path == self.path {
                self.check_extent(&metadata)?;
            }
        }
        Ok(())
    }

    /// A database that is shorter than it was has been tidied up by somebody, or a part of it is missing. SQLite
    /// would notice the latter only when it comes upon it, and might put new pages into the gap before.
    fn check_extent(&self, metadata: &Metadata) -> Result<(), LedgerError> {
        let length = metadata.len();
        let mut extent = self.extent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if length >= extent.longest {
            extent.longest = length;
            return Ok(());
        }
        let written = metadata.modified().ok();
        if extent.damaged != Some((length, written)) {
            // What SQLite might take for a new database is not shown to it.
            if !passes_for_new(length) && open::look_through(&self.path).is_ok() {
                extent.longest = length;
                return Ok(());
            }
            extent.damaged = Some((length, written));
        }
        Err(LedgerError::CutShort { path: self.path.clone(), length, longest: extent.longest })
    }

    /// Where the database is.
    pub(super) fn database(&self) -> &Path {
        &self.path
    }

    /// What is really the matter, if SQLite does not say.
    pub(super) fn look_closer(&self, trouble: Trouble) -> Trouble {
        look_closer(trouble, &self.path)
    }

    /// Looks through the whole database.
    pub(super) fn look_through(&self) -> Result<(), LedgerError> {
        self.check()?;
        open::look_through(&self.path)
    }
}

/// When SQLite says no more than that something failed, the operating system is asked whether files can be written
/// where the database is.
pub(super) fn look_closer(trouble: Trouble, database: &Path) -> Trouble {
    if trouble.reason != StorageReason::Io {
        return trouble;
    }
    let Some(directory) = database.parent() else { return trouble };
    let trial = directory.join(format!(".trial-{}", std::process::id()));
    let tried = std::fs::File::create(&trial).and_then(|mut file| {
        file.write_all(&[0; TRIAL])?;
        file.sync_all()
    });
    // One that was not made cannot be removed either.
    let _ = std::fs::remove_file(&trial);
    if let Err(error) = tried {
        let what = format!("no file can be written in {}: {error}", directory.display());
        return Trouble::new(StorageReason::from(&error), &what);
    }
    // Of its files only the log may be opened here: SQLite has its locks on the two others.
    let log = beside(database, LOG);
    match std::fs::OpenOptions::new().append(true).open(&log) {
        Ok(_) => trouble,
        // Before a database has been opened there is none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => trouble,
        Err(error) => {
            let what = format!("{} cannot be written: {error}", log.display());
            Trouble::new(StorageReason::from(&error), &what)
        }
    }
}

/// The path of a file that stands beside the database.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn gone(path: &Path) -> LedgerError {
    LedgerError::Replaced { path: path.to_owned(), now: "is not there any more" }
}

fn another(path: &Path) -> LedgerError {
    LedgerError::Replaced { path: path.to_owned(), now: "is another file now" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_cannot_be_written_is_what_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("ledger.db");
        let failed = |reason| look_closer(Trouble::new(reason, &"x"), &database);
        let io = Trouble::new(StorageReason::Io, &"x");
        assert_eq!(failed(StorageReason::Io), io, "there is no log");
        let log = directory.path().join("ledger.db-wal");
        std::fs::write(&log, "").unwrap();
        assert_eq!(failed(StorageReason::Io), io, "it can be written");
        std::fs::remove_file(&log).unwrap();
        std::fs::create_dir(&log).unwrap();
        let told = failed(StorageReason::Io).message;
        assert!(told.contains("ledger.db-wal cannot be written"), "{told}");
        assert_eq!(failed(StorageReason::Busy).reason, StorageReason::Busy, "SQLite has said why");
    }
}
