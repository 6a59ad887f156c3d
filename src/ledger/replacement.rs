//! Puts a new ledger in the place of one that is damaged, and keeps everything of the old one.
//!
//! Nobody else has the ledger open meanwhile; whoever does this sees to that. The process may die after each step:
//!
//! 1. The new ledger is made in a directory of its own, and the old marker copied beside it. Nothing else is different.
//! 2. The marker at the old place tells of the new ledger. From now on no window opens the old one, which is not the
//!    one that the marker tells of, and none begins anew.
//! 3. The old files are moved aside, and then the new database is moved to its place.
//!
//! After the second step there is no way back, and whoever comes next does the third again: what has been moved stays
//! where it is.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::column::{Tx, View};
use super::error::LedgerError;
use super::files::{self, BESIDE};
use super::marker::{self, Found, Marker, MarkerFile};
use super::migrate;
use super::open::{self, OpenError};
use crate::domain::id::LedgerId;
use crate::domain::refusal::Refusal;
use crate::domain::schedule::local_time;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// Where what was damaged is kept, a directory for each time.
const DAMAGED: &str = "damaged";

/// Where a new ledger is made, in the directory of what it replaces.
const FRESH: &str = "fresh";

/// What belongs to the runs of a ledger.
const RUNS: &str = "runs";

/// A new ledger that is to stand, or stands, in the place of an old one.
#[derive(Debug)]
pub struct Replacement {
    state: PathBuf,
    aside: PathBuf,
    ledger: LedgerId,
    newest_seq: i64,
}

impl Replacement {
    /// One that somebody has begun and not finished.
    pub fn unfinished(state: &Path) -> Option<Replacement> {
        let Found::Marker(expected) = marker::find(state) else { return None };
        let of = |aside: PathBuf| {
            let made = match marker::find(&aside.join(FRESH)) {
                Found::Marker(made) if made.ledger == expected.ledger => made,
                Found::Marker(_) | Found::Nothing | Found::Unreadable(_) => return None,
            };
            let Marker { ledger, newest_seq, .. } = made;
            Some(Replacement { state: state.to_owned(), aside, ledger, newest_seq })
        };
        let listed = std::fs::read_dir(state.join(DAMAGED)).ok()?;
        listed.flatten().find_map(|entry| of(entry.path()))
    }

    /// Makes a new ledger with what is put into it here. It is not in its place yet.
    ///
    /// # Errors
    /// When it cannot be made, or what is to be put into it is refused.
    pub fn prepare<T>(
        state: &Path,
        project: &str,
        ledger: LedgerId,
        now: Timestamp,
        fill: impl FnOnce(&Tx<'_>) -> Result<T, Refusal>,
    ) -> Result<(Replacement, T), Refusal> {
        forget_those_not_begun(state);
        let aside = free(&place_for(state, now));
        let fresh = aside.join(FRESH);
        make(&fresh).map_err(LedgerError::from)?;
        let (newest_seq, filled) = create(&fresh, project, &ledger, now, fill)?;
        let old = state.join(marker::NAME);
        if old.exists() {
            std::fs::copy(&old, aside.join(marker::NAME)).map_err(LedgerError::from)?;
        }
        Ok((Replacement { state: state.to_owned(), aside, ledger, newest_seq }, filled))
    }

    /// Where everything of the old ledger is kept.
    pub fn aside(&self) -> &Path {
        &self.aside
    }

    /// Has the marker tell of the new ledger: from now on nobody opens the old one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&self) -> io::Result<()> {
        marker_of(&self.state, &self.ledger).write_anew(self.newest_seq)
    }

    /// Takes that back, as long as nothing else has been done.
    ///
    /// # Errors
    /// When the old marker cannot be put back.
    pub fn withdraw(self) -> io::Result<()> {
        let (place, kept) = (self.state.join(marker::NAME), self.aside.join(marker::NAME));
        match kept.exists() {
            true => std::fs::rename(kept, place)?,
            false => std::fs::remove_file(place)?,
        }
        std::fs::remove_dir_all(&self.aside)
    }

    /// Moves the old files aside and the new database to its place.
    ///
    /// # Errors
    /// When a file cannot be moved. Doing it again goes on from there.
    pub fn finish(&self) -> io::Result<()> {
        let fresh = self.aside.join(FRESH);
        let (made, place) = (fresh.join("ledger.db"), self.state.join("ledger.db"));
        if made.exists() {
            // The database goes before its log: beside a database, a log that is missing may not be noticed.
            let beside = BESIDE.into_iter().map(|suffix| files::beside(&place, suffix));
            for old in std::iter::once(place.clone()).chain(beside).chain([self.state.join(RUNS)]) {
                if let Some(name) = old.file_name()
                    && old.exists()
                {
                    std::fs::rename(&old, free(&self.aside.join(name)))?;
                }
            }
            marker::sync_directory(&self.aside)?;
            std::fs::rename(made, place)?;
            marker::sync_directory(&self.state)?;
        }
        std::fs::remove_dir_all(fresh)
    }
}

/// New ledgers that never got as far as a marker that tells of them are of no use to anybody.
fn forget_those_not_begun(state: &Path) {
    let listed = std::fs::read_dir(state.join(DAMAGED)).into_iter().flatten().flatten();
    for aside in listed.map(|entry| entry.path()) {
        if std::fs::remove_dir_all(aside.join(FRESH)).is_err() {
            continue;
        }
        // Beside it there is the copy of a marker, unless somebody has put an old marker back meanwhile.
        let listed = std::fs::read_dir(&aside);
        if listed.is_ok_and(|listed| listed.flatten().all(|entry| entry.file_name() == marker::NAME)) {
            // What stays does no harm.
            let _ = std::fs::remove_dir_all(&aside);
        }
    }
}

/// A ledger in a directory in which nobody else looks, closed again, in one file.
fn create<T>(
    directory: &Path,
    project: &str,
    ledger: &LedgerId,
    now: Timestamp,
    fill: impl FnOnce(&Tx<'_>) -> Result<T, Refusal>,
) -> Result<(i64, T), Refusal> {
    let path = directory.join("ledger.db");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |error: rusqlite::Error| OpenError::failed(&path, error);
    let connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
    open::settle(&connection)?;
    open::keep_private(&path);
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    migrate::migrate(&connection, &path)?;
    open::identify(&connection, &path, project, ledger.clone(), now)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let filled = fill(&Tx::new(&connection))?;
    connection.execute_batch("COMMIT")?;
    let newest = View::new(&connection).newest_seq()?;
    connection.close().map_err(|(_, error)| failed(error))?;
    marker_of(directory, ledger).write_anew(newest).map_err(LedgerError::from)?;
    Ok((newest, filled))
}

fn marker_of(directory: &Path, ledger: &LedgerId) -> MarkerFile {
    MarkerFile::of(directory, ledger.clone(), migrate::OURS, ledger, &Found::Nothing)
}

/// Where what was found to be damaged at this time is kept.
pub(super) fn place_for(state: &Path, now: Timestamp) -> PathBuf {
    let name = local_time(&Zone::utc(), now).replace(' ', "T").replace(':', "-");
    state.join(DAMAGED).join(name)
}

/// A path at which nothing is, as much like this one as possible.
pub(super) fn free(path: &Path) -> PathBuf {
    let mut candidate = path.to_owned();
    let mut number = 1_u64;
    while candidate.exists() {
        number += 1;
        candidate = files::beside(path, &format!(".{number}"));
    }
    candidate
}

#[cfg(unix)]
pub(super) fn make(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(not(unix))]
pub(super) fn make(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)
}
