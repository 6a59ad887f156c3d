//! The marker beside the database: whose ledger it is, and how much it knew at least.
//!
//! A database alone cannot tell that it has lost something. An empty one passes every check, and garbage in its
//! log silently drops the commits that were in it. So the owner of the bell writes down beside it what has to be
//! found there again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::domain::id::LedgerId;

/// The marker's name, for messages too.
pub(super) const NAME: &str = "ledger.json";

/// No marker of ours is longer, in bytes.
const LONGEST: u64 = 4096;

/// What the database was known to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Marker {
    /// Its format, as in `migrate`.
    pub(super) format: i64,
    #[serde(rename = "ledgerID")]
    pub(super) ledger: LedgerId,
    /// It has at least the events up to here.
    pub(super) newest_seq: i64,
    /// The version of sexton that wrote this.
    pub(super) written_by: String,
}

/// What is found where a marker would be.
#[derive(Debug)]
pub(super) enum Found {
    /// The ledger is new, or was created by somebody who did not get as far as writing one.
    Nothing,
    /// There is one, so there has been a ledger, but what it says is lost.
    Unreadable(String),
    /// There is one.
    Marker(Marker),
}

/// Looks for the marker in a state directory.
pub(super) fn find(directory: &Path) -> Found {
    match read(&directory.join(NAME)) {
        Ok(text) => match serde_json::from_slice(&text) {
            Ok(marker) => Found::Marker(marker),
            Err(error) => Found::Unreadable(error.to_string()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Unreadable(error.to_string()),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening something else, like a pipe, might wait for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(text)
}

/// Writes the marker of one open ledger.
pub(super) struct MarkerFile {
    directory: PathBuf,
    ledger: LedgerId,
    format: i64,
    /// Part of the name of the file that becomes the marker, so that no two write to the same one.
    token: String,
    /// What it says now, as far as this process knows.
    written: Mutex<Option<i64>>,
}

impl MarkerFile {
    /// The marker of this ledger. `token` is a name that nobody else uses.
    pub(super) fn of(
        directory: &Path,
        ledger: LedgerId,
        format: i64,
        token: &LedgerId,
        found: &Found,
    ) -> Self {
        let written = match found {
            Found::Marker(marker) if marker.format == format => Some(marker.newest_seq),
            Found::Marker(_) | Found::Nothing | Found::Unreadable(_) => None,
        };
        MarkerFile {
            directory: directory.to_owned(),
            ledger,
            format,
            token: token.to_string(),
            written: Mutex::new(written),
        }
    }

    /// Has the marker say that the ledger holds the events up to `newest_seq`, unless it says so already and is
    /// there. Whoever reads it finds the old one or the new one, also after a power failure.
    pub(super) fn write(&self, newest_seq: i64) -> io::Result<()> {
        let said = *self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Somebody may have removed it, and without it a ledger that is lost would be begun anew.
        if said == Some(newest_seq) && self.directory.join(NAME).is_file() {
            return Ok(());
        }
        self.write_anew(newest_seq)
    }

    /// The same, whatever it says: somebody may have written something else into it.
    pub(super) fn write_anew(&self, newest_seq: i64) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let marker = Marker {
            format: self.format,
            ledger: self.ledger.clone(),
            newest_seq,
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut text = serde_json::to_vec(&marker)?;
        text.push(b'\n');
        let fresh = self.directory.join(format!("{NAME}.{}", self.token));
        let replaced = put(&fresh, &text).and_then(|()| std::fs::rename(&fresh, self.directory.join(NAME)));
        if let Err(error) = replaced {
            // The first error is the one to report.
            let _ = std::fs::remove_file(&fresh);
            return Err(error);
        }
        sync_directory(&self.directory)?;
        *written = Some(newest_seq);
        Ok(())
    }
}

fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// A new name is on disk when its directory is.
#[cfg(unix)]
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Elsewhere directories cannot be synced.
#[cfg(not(unix))]
pub(super) fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(directory: &Path) -> MarkerFile {
        let id = LedgerId::from_unique("a");
        MarkerFile::of(directory, id.clone(), 1_001, &id, &find(directory))
    }

    #[test]
    fn what_was_written_is_found() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(find(directory.path()), Found::Nothing));
        file(directory.path()).write(7).unwrap();
        let text = std::fs::read_to_string(directory.path().join(NAME)).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "{{\"format\":1001,\"ledgerID\":\"ldg_a\",\"newestSeq\":7,\"writtenBy\":\"{version}\"}}\n"
        );
        assert_eq!(text, expected);
        let Found::Marker(marker) = find(directory.path()) else { panic!("it was written") };
        assert_eq!((marker.newest_seq, marker.ledger), (7, LedgerId::from_unique("a")));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_it_says_already_is_not_written_again() {
        let directory = tempfile::tempdir().unwrap();
        file(directory.path()).write(7).unwrap();
        let again = file(directory.path());
        let path = directory.path().join(NAME);
        // As a sign of whether it is written.
        std::fs::write(&path, "{").unwrap();
        again.write(7).unwrap();
        assert!(matches!(find(directory.path()), Found::Unreadable(_)));
        again.write_anew(7).unwrap();
        assert!(matches!(find(directory.path()), Found::Marker(_)), "unless that is wanted");
        std::fs::remove_file(&path).unwrap();
        again.write(7).unwrap();
        assert!(matches!(find(directory.path()), Found::Marker(_)), "or there is none");
    }

    #[test]
    fn what_is_no_marker_is_told_from_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(NAME);
        for text in ["", "{", "[]", "{\"format\":1001}", "\0\0\0\0"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(find(directory.path()), Found::Unreadable(_)), "{text:?}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(find(directory.path()), Found::Unreadable(_)));
        file(directory.path()).write(1).unwrap_err();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn members_of_a_later_version_do_no_harm() {
        let directory = tempfile::tempdir().unwrap();
        let text = r#"{"format":1002,"ledgerID":"ldg_a","newestSeq":3,"writtenBy":"9","more":[]}"#;
        std::fs::write(directory.path().join(NAME), text).unwrap();
        assert!(matches!(find(directory.path()), Found::Marker(_)));
    }
}
