//! Looks at a ledger without opening it as a window does: nothing of it is changed, and what is damaged can be looked
//! at as well.
//!
//! While somebody has the database open, or has died with it open, it is read beside them, in one transaction: one
//! state of it, whatever is written meanwhile. Where nobody has, there is no log, and SQLite would make one even to
//! read; so the file is read as if nothing could change it, and whether anything did is asked afterwards.

mod damage;
mod rows;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags};

use super::column::View;
use super::error::LedgerError;
use super::files::{self, BESIDE};
use super::loss;
use super::marker::{self, Found};
use super::migrate;
use super::open::{self, OLDEST_SQLITE, OpenError};
use crate::domain::id::LedgerId;
use crate::domain::process::FileIdentity;

pub use damage::Unreferenced;
pub use rows::{Answer, AnsweredDay, AuditedEpoch, RunRule};

/// What is kept of the database in memory, in kibibytes. Checking an index jumps between its pages and those of its
/// table; with as little as a window keeps, most of them would be read again and again.
const CACHE_KIB: i64 = 64 * 1024;

/// The ledger in a directory, while it is looked at.
pub struct Examination {
    connection: Connection,
    path: PathBuf,
    /// What was at the path before it was opened, if it is read as if nothing could change it.
    before: Option<Trace>,
    id: LedgerId,
    format: i64,
    marker: SeenMarker,
}

/// What is known of the marker beside a ledger that has lost nothing that it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenMarker {
    /// It agrees with the ledger.
    Agrees,
    /// There is none.
    Missing,
    /// It cannot be read, because of this.
    Unreadable(String),
}

/// By what a change of a file would be noticed.
#[derive(PartialEq, Eq)]
struct Trace {
    identity: FileIdentity,
    length: u64,
    written: Option<SystemTime>,
}

/// The version of SQLite in this binary, and whether it may be trusted with a ledger.
pub fn sqlite() -> (&'static str, bool) {
    (rusqlite::version(), rusqlite::version_number() >= OLDEST_SQLITE)
}

impl Examination {
    /// Begins to look at the ledger in this directory. None if there is none, and nothing tells that there has been
    /// one.
    ///
    /// # Errors
    /// When it is not what its marker tells of, is no ledger, is that of a newer version, or cannot be read at all.
    pub fn begin(directory: &Path) -> Result<Option<Examination>, OpenError> {
        let path = directory.join("ledger.db");
        let failed = |error: LedgerError| OpenError::failed(&path, error);
        // The marker is read first: whoever writes both writes it last.
        let found = marker::find(directory);
        files::refuse_what_is_none(&path)?;
        loss::refuse_missing(&path, &found)?;
        match files::length_at(&path).map_err(|error| failed(error.into()))? {
            None => return Ok(None),
            // SQLite would take it for a new one, and throw away what is in its log.
            Some(length) if files::passes_for_new(length) => return Ok(None),
            Some(_) => {}
        }
        let before = trace_of_quiet(&path).map_err(|error| failed(error.into()))?;
        let connection = connect(&path, before.is_some()).map_err(failed)?;
        let format = migrate::refuse_strangers(&connection, &path)?;
        loss::refuse_less(&connection, &path, &found)?;
        let Some(id) = loss::identity(&connection).map_err(failed)? else { return Ok(None) };
        let marker = match found {
            Found::Marker(_) => SeenMarker::Agrees,
            Found::Nothing => SeenMarker::Missing,
            Found::Unreadable(why) => SeenMarker::Unreadable(why),
        };
        Ok(Some(Examination { connection, path, before, id, format, marker }))
    }

    /// The rows, all of one state.
    pub fn view(&self) -> View<'_> {
        View::new(&self.connection)
    }

    /// The ledger's identity.
    pub fn id(&self) -> &LedgerId {
        &self.id
    }

    /// The format of its database.
    pub fn format(&self) -> i64 {
        self.format
    }

    /// What was seen of its marker.
    pub fn marker(&self) -> &SeenMarker {
        &self.marker
    }

    /// The length of the database in bytes, without its log.
    pub fn length(&self) -> u64 {
        files::length_at(&self.path).ok().flatten().unwrap_or_default()
    }

    /// Whether somebody has written while the database was read as if nobody could: then nothing that was found counts,
    /// and whoever wants to know looks again.
    pub fn was_disturbed(&self) -> bool {
        match &self.before {
            None => false,
            Some(before) => trace_of_quiet(&self.path).ok().flatten().as_ref() != Some(before),
        }
    }
}

/// Opens the database for reading and begins the transaction in which everything is looked at.
fn connect(path: &Path, quiet: bool) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = match quiet {
        true => Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)?,
        false => Connection::open_with_flags(path, flags)?,
    };
    open::wait_patiently(&mut connection)?;
    open::settle(&connection)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}

/// What there is to see of a database that nobody has open: none if there is a log or the index of one.
fn trace_of_quiet(path: &Path) -> std::io::Result<Option<Trace>> {
    for suffix in BESIDE {
        if files::identity_at(&files::beside(path, suffix))?.is_some() {
            return Ok(None);
        }
    }
    let metadata = std::fs::metadata(path)?;
    let identity = FileIdentity::of(&metadata);
    Ok(Some(Trace { identity, length: metadata.len(), written: metadata.modified().ok() }))
}

/// The path as an address that says that nothing changes the file, in the form of RFC 3986.
pub(super) fn immutable(path: &Path) -> String {
    let mut address = String::from("file:");
    let bytes = path.as_os_str().as_encoded_bytes();
    // A path with a drive is put behind an empty authority.
    if !bytes.starts_with(b"/") {
        address.push_str("///");
    }
    for byte in bytes {
        match byte {
            b'\\' if cfg!(windows) => address.push('/'),
            b'/' | b':' | b'-' | b'_' | b'.' => address.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => address.push(char::from(*byte)),
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address.push_str("?immutable=1");
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_an_address_whatever_is_in_it() {
        let address = immutable(Path::new("/a b/%41?#/ä.db"));
        assert_eq!(address, "file:/a%20b/%2541%3F%23/%C3%A4.db?immutable=1");
    }
}
