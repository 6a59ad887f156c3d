//! Opens the database the one way in which everybody opens it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::error::{LedgerError, Trouble};
use super::loss::{self, Loss};
use super::marker::Found;
use super::{files, migrate};
use crate::domain::id::LedgerId;
use crate::domain::refusal::{Refusal, StorageReason};
use crate::domain::time::Timestamp;

/// The oldest SQLite that does not corrupt a database when two connections write at once.
pub(super) const OLDEST_SQLITE: i32 = 3_051_003;

/// Marks the file as a ledger of ours ("sext").
pub(super) const APPLICATION_ID: i32 = 0x7365_7874;

/// How long a transaction waits for another process's, more or less: pauses may be longer than they are meant to be.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it pauses before it tries again. Another process that writes all the time lets go for a moment only, and
/// SQLite's own pauses, which soon take a tenth of a second, would nearly always miss it.
const SHORT_PAUSE: Duration = Duration::from_millis(1);

/// The same for who has waited this long. Whoever keeps everybody waiting until then has been stopped, and trying costs
/// the machine power.
const LONG_PAUSE: Duration = Duration::from_millis(10);
const LONG_WAIT: Duration = Duration::from_secs(1);

/// Statements that are kept prepared; a little more than there are.
const STATEMENTS: usize = 128;

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The SQLite in this binary is too old to be trusted.
    #[error("this build has SQLite {found}, which may corrupt a ledger; build it with 3.51.3 or later")]
    OldSqlite {
        /// Its version.
        found: String,
    },
    /// A later version wrote it.
    #[error("open ledger at {path}: its format {found} is newer than this build's {ours}{by}; update sexton")]
    NewerVersion {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this build knows.
        ours: i64,
        /// Which version wrote it, as the end of a sentence; empty if that is not known.
        by: String,
    },
    /// There has been more than there is.
    #[error(
        "open ledger at {path}: {marker} tells of a ledger here, but {loss}; nothing was changed: restore the files from a backup, or close all windows and run `sexton doctor --repair`, which moves what is damaged aside"
    )]
    Lost {
        /// The database.
        path: PathBuf,
        /// What tells of the ledger.
        marker: PathBuf,
        /// What is missing.
        loss: Loss,
    },
    /// It is a database, but not a ledger.
    #[error(
        "open ledger at {path}: the file is a database of another program; choose another state directory, or close all windows and run `sexton doctor --repair`, which moves it aside"
    )]
    NotALedger {
        /// The database.
        path: PathBuf,
    },
    /// Something else stands where one of its files is to be.
    #[error(
        "open ledger at {path}: {place} is {what}, and a ledger is kept in plain files; with all windows closed, move it away, and put the file itself in its place"
    )]
    NoFile {
        /// The database.
        path: PathBuf,
        /// Where it stands.
        place: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Another process has been writing for too long.
    #[error("open ledger at {path}: {why}")]
    Held {
        /// The database.
        path: PathBuf,
        /// Who, and what to do about it.
        why: String,
    },
    /// Anything else.
    #[error("open ledger at {path}: {source}")]
    Failed {
        /// The database.
        path: PathBuf,
        /// What failed.
        source: LedgerError,
    },
}

impl OpenError {
    /// Whether the files are damaged, so that no window can do anything about it.
    pub fn is_damage(&self) -> bool {
        match self {
            OpenError::Lost { .. } | OpenError::NotALedger { .. } => true,
            OpenError::OldSqlite { .. }
            | OpenError::NewerVersion { .. }
            | OpenError::NoFile { .. }
            | OpenError::Held { .. } => false,
            OpenError::Failed { source, .. } => source.reason() == StorageReason::Damaged,
        }
    }

    /// Why there is no ledger in memory.
    pub(super) fn of_memory(self) -> LedgerError {
        match self {
            OpenError::Failed { source, .. } => source,
            error @ (OpenError::OldSqlite { .. }
            | OpenError::NewerVersion { .. }
            | OpenError::Lost { .. }
            | OpenError::NotALedger { .. }
            | OpenError::NoFile { .. }
            | OpenError::Held { .. }) => LedgerError::Broken(error.to_string()),
        }
    }

    pub(super) fn failed(path: &Path, source: impl Into<LedgerError>) -> Self {
        OpenError::Failed { path: path.to_owned(), source: source.into() }
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        let reason = match &error {
            OpenError::OldSqlite { .. } | OpenError::NoFile { .. } => StorageReason::Io,
            OpenError::NewerVersion { .. } => StorageReason::NewerVersion,
            OpenError::Held { .. } => StorageReason::Busy,
            OpenError::NotALedger { .. } | OpenError::Lost { .. } => StorageReason::Damaged,
            OpenError::Failed { path, source } => {
                return files::look_closer(Trouble::new(source.reason(), &error), path).into();
            }
        };
        Refusal::Storage { reason, message: error.to_string() }
    }
}

pub(super) fn no_thread(path: &Path, source: std::io::Error) -> OpenError {
    OpenError::failed(
        path,
        std::io::Error::new(source.kind(), format!("no thread could be started: {source}")),
    )
}

/// Opens the database for writing, or creates it if nothing tells that there has been one. Until
/// [`close_tidily`], closing it leaves all files as they are.
pub(super) fn for_writing(path: &Path, found: &Found) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite { found: rusqlite::version().to_owned() });
    }
    files::refuse_what_is_none(path)?;
    loss::refuse_missing(path, found)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = match found {
        Found::Nothing => flags | OpenFlags::SQLITE_OPEN_CREATE,
        Found::Unreadable(_) | Found::Marker(_) => flags,
    };
    let look = || -> Result<Connection, LedgerError> {
        let mut connection = Connection::open_with_flags(path, flags)?;
        // SQLite opens a file that it may not write for reading only, and says so when something is written.
        if connection.is_readonly("main")? {
            let why = "the file may only be read";
            return Err(std::io::Error::new(std::io::ErrorKind::ReadOnlyFilesystem, why).into());
        }
        wait_patiently(&mut connection)?;
        close_untidily(&connection)?;
        settle(&connection)?;
        Ok(connection)
    };
    let mut connection = look().map_err(|source| OpenError::failed(path, source))?;
    // What is not ours, or is not what it was, is left as it is: nothing has been written yet.
    migrate::refuse_strangers(&connection, path)?;
    loss::refuse_less(&connection, path, found)?;
    let mut prepare = || -> Result<(), LedgerError> {
        keep_private(path);
        write_ahead(&connection)?;
        wait_patiently(&mut connection)?;
        // The sync of a commit is what the promise "acknowledged is on disk" rests on.
        connection.pragma_update(None, "synchronous", "FULL")?;
        #[cfg(target_os = "macos")]
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "journal_size_limit", 4 * 1024 * 1024)?;
        // An empty write transaction finds now what would otherwise be found at the first change.
        connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK;")?;
        Ok(())
    };
    prepare().map_err(|source| OpenError::failed(path, source))?;
    Ok(connection)
}

/// Closing the connection moves what is in the log into the database, as SQLite does if it is not told otherwise.
pub(super) fn close_tidily(connection: &Connection) -> Result<(), LedgerError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// Closing the connection leaves the files as they are.
pub(super) fn close_untidily(connection: &Connection) -> Result<(), LedgerError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// Has the connection read from the disk again what it knows by heart: it may have been damaged then, and be
/// whole now.
pub(super) fn forget_pages(connection: &Connection) {
    if let Err(error) = connection.execute_batch("PRAGMA shrink_memory") {
        tracing::debug!(%error, "pages could not be forgotten");
    }
}

/// Looks through the whole database, on a connection of its own because others know pages by heart.
pub(super) fn look_through(path: &Path) -> Result<(), LedgerError> {
    let connection = connect_for_reading(path)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match found.as_str() {
        "ok" => Ok(()),
        why => Err(LedgerError::Unsound { path: path.to_owned(), why: why.to_owned() }),
    }
}

/// Nobody but the user reads what the user asked for. By name, because closing a second handle of the file would
/// drop SQLite's locks; the files beside it get the same mode from SQLite.
pub(super) fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let private = std::fs::Permissions::from_mode(0o600);
        if let Err(error) = std::fs::set_permissions(path, private) {
            tracing::warn!(%error, path = %path.display(), "the mode of the ledger cannot be set");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

pub(super) fn for_reading(path: &Path) -> Result<Connection, OpenError> {
    connect_for_reading(path).map_err(|source| OpenError::failed(path, source))
}

fn connect_for_reading(path: &Path) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    wait_patiently(&mut connection)?;
    settle(&connection)?;
    Ok(connection)
}

/// A ledger in memory with all tables: what tests and simulations decide in.
///
/// # Errors
/// When the tables cannot be made.
pub fn open_in_memory(id: LedgerId) -> Result<Connection, OpenError> {
    let path = Path::new(":memory:");
    let connection = Connection::open_in_memory().map_err(|error| OpenError::failed(path, error))?;
    settle(&connection).map_err(|error| OpenError::failed(path, error))?;
    connection.pragma_update(None, "foreign_keys", true).map_err(|error| OpenError::failed(path, error))?;
    migrate::migrate(&connection, path)?;
    identify(&connection, path, "", id, Timestamp::EPOCH)?;
    Ok(connection)
}

/// Has the connection wait when another process is writing.
pub(super) fn wait_patiently(connection: &mut Connection) -> Result<(), LedgerError> {
    let mut waited = Duration::ZERO;
    let pause = move |pauses_before: i32| {
        if pauses_before == 0 {
            waited = Duration::ZERO;
        }
        let goes_on = waited < PATIENCE;
        if goes_on {
            let pause = if waited < LONG_WAIT { SHORT_PAUSE } else { LONG_PAUSE };
            std::thread::sleep(pause);
            waited += pause;
        }
        goes_on
    };
    Ok(connection.busy_handler(Some(pause))?)
}

/// Switches to write-ahead logging. SQLite does not wait for its busy timeout here when several processes open
/// a new database at once, so the wait is ours.
fn write_ahead(connection: &Connection) -> Result<(), LedgerError> {
    const ATTEMPTS: u32 = 200;
    const PAUSE: Duration = Duration::from_millis(10);
    connection.busy_timeout(Duration::ZERO)?;
    for _ in 1..ATTEMPTS {
        match set_write_ahead(connection) {
            Err(error) if error.reason() == StorageReason::Busy => std::thread::park_timeout(PAUSE),
            done => return done,
        }
    }
    set_write_ahead(connection)
}

fn set_write_ahead(connection: &Connection) -> Result<(), LedgerError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(LedgerError::Io(std::io::Error::other(format!(
            "SQLite uses journal mode {mode} where write-ahead logging is needed; choose a state directory on a local disk"
        ))));
    }
    Ok(())
}

/// Settings that every connection has.
pub(super) fn settle(connection: &Connection) -> Result<(), LedgerError> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -2000)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Plans do not depend on the values that are bound. Without this, SQLite compares them with the conditions
    // of partial indexes and prepares a statement anew each time it is used with others.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The identity of the ledger, which it is given when it is new.
pub(super) fn identify(
    connection: &Connection,
    path: &Path,
    project: &str,
    fresh: LedgerId,
    now: Timestamp,
) -> Result<LedgerId, OpenError> {
    let known = || {
        let sql = "SELECT id FROM ledger WHERE only = 1";
        connection.query_row(sql, [], |row| row.get::<_, String>(0)).optional()
    };
    let failed = |error| OpenError::failed(path, error);
    if let Some(id) = known().map_err(failed)? {
        return Ok(LedgerId::from_text(id));
    }
    // Two processes may get here at once; the first one's identity stays.
    let sql =
        "INSERT INTO ledger (only, id, project, created_at) VALUES (1, ?1, ?2, ?3) ON CONFLICT DO NOTHING";
    connection.execute(sql, (fresh.as_str(), project, now.as_millis())).map_err(failed)?;
    let id = known().map_err(failed)?;
    Ok(id.map_or(fresh, LedgerId::from_text))
}
