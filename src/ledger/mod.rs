//! Remembers: the rows of one project and the events that tell of them, in one SQLite database.
//!
//! One thread writes, one reads. A [`Tx`] is an open write transaction and is what the engine decides in; a
//! [`View`] is a consistent look at the rows. No row is cached: what is in the database is what is true.

mod agents;
mod answers;
mod automations;
mod clock;
mod closes;
mod column;
mod commits;
mod condition;
mod copy;
mod definitions;
mod disturbances;
mod error;
mod events;
mod examination;
mod executors;
mod files;
mod history;
mod holder;
mod holds;
mod instances;
mod later;
mod loss;
mod marker;
mod migrate;
mod neglected;
mod open;
mod past;
mod probes;
mod providers;
mod reader;
mod reindex;
mod replacement;
mod retention;
mod runs;
mod said;
mod salvage;
mod scheduler;
mod shape;
mod wakeup;
mod worktrees;
mod writer;

pub use agents::AgentRow;
pub use answers::PendingAnswer;
pub use automations::{AutomationRow, Beginning, DeleteWish, Epoch, StoredAutomation};
pub use clock::{ClockRow, Remaining};
pub use closes::CloseRow;
pub use column::{Tx, View};
pub use commits::{Committed, Glimpse};
pub use copy::{FRESH, Frozen, MemoryCopy};
pub use disturbances::NotedDisturbance;
pub use error::{LedgerError, Trouble};
pub use events::{EventFilter, StoredEvent};
pub use examination::{
    Answer, AnsweredDay, AuditedEpoch, Examination, RunRule, SeenMarker, Unreferenced, sqlite,
};
pub use executors::{AgentRoom, Executors};
pub use history::{Account, PastEpoch, Term};
pub use holder::WhoLocks;
pub use instances::InstanceRow;
pub use later::{LaterAutomationRow, LaterRunRow, Stored};
pub use loss::Loss;
pub use open::{OpenError, open_in_memory};
pub use past::PastRuns;
pub use probes::{Given, ProbeRow, Turn};
pub use providers::{ProviderRow, ServingRow};
pub use reindex::rebuild_indexes;
pub use replacement::Replacement;
pub use retention::{EndedRun, EndedRuns, Need};
pub use runs::{
    AgentOrder, Asker, Begun, Guard, Order, Ordered, ProcessRow, RunRow, ServedOrder, StoredRun, Work,
};
pub use said::SaidRow;
pub use salvage::{Salvage, Salvaged, salvage};
pub use shape::{Fault, Misshapen, Part};
pub use worktrees::WorktreeUse;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::id::LedgerId;
use crate::domain::refusal::{Refusal, StorageReason};
use crate::domain::time::Timestamp;
use crate::failpoint::Failpoints;
use commits::Commits;
use condition::Condition;
use files::Files;
use marker::{Found, MarkerFile};
use writer::Behalf;

/// An open ledger. Cheap to clone; the last clone that goes ends the two threads.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    id: LedgerId,
    writer: writer::Writer,
    reader: reader::Reader,
    files: Arc<Files>,
    condition: Arc<Condition>,
    commits: Arc<Commits>,
    marker: MarkerFile,
    warning: Option<String>,
}

/// What the ledger needs to know and to tell of other processes, of which it knows nothing itself.
pub struct Outside {
    /// Called after each commit that changed anything, on a thread that others wait for, before whoever asked for the
    /// change is answered.
    pub bell: Box<dyn Fn() + Send>,
    /// The time, for writing down how long the ledger could not be written.
    pub clock: Box<dyn Fn() -> Timestamp + Send>,
    /// Asked when another process keeps the ledger from being written.
    pub who_locks: WhoLocks,
    /// Where a transaction may fail.
    pub failpoints: Failpoints,
}

impl Outside {
    /// Nobody is there, and no time passes.
    pub fn nobody() -> Outside {
        Outside {
            bell: Box::new(|| {}),
            clock: Box::new(|| Timestamp::EPOCH),
            who_locks: Box::new(|_, _| None),
            failpoints: Failpoints::default(),
        }
    }
}

impl Ledger {
    /// Opens the ledger in this directory, creating or migrating it when necessary. It is created only if nothing
    /// tells that there has been one.
    ///
    /// `fresh_id` and `now` are used only if the ledger is created.
    ///
    /// # Errors
    /// When the directory or the database cannot be used, when a newer version wrote it, or when it has lost what
    /// its marker tells of; nothing has been changed then.
    pub fn open(
        directory: &Path,
        project: &str,
        fresh_id: LedgerId,
        now: Timestamp,
        outside: Outside,
    ) -> Result<Ledger, OpenError> {
        let path = directory.join("ledger.db");
        let failed = |error: LedgerError| OpenError::failed(&path, error);
        // The marker is read before the database is looked at: whoever creates a ledger writes it last.
        let found = marker::find(directory);
        let before = files::identity_at(&path).map_err(|error| failed(error.into()))?;
        let first_writes = || {
            let writing = open::for_writing(&path, &found)?;
            migrate::migrate(&writing, &path)?;
            let id = open::identify(&writing, &path, project, fresh_id.clone(), now)?;
            Ok((writing, id))
        };
        let (writing, id) = first_writes().map_err(|error| holder::at_opening(error, &outside.who_locks))?;
        let reading = open::for_reading(&path)?;
        let files = Arc::new(Files::of(&path, before).map_err(failed)?);
        let format = migrate::format(&writing).map_err(failed)?;
        let newest = View::new(&writing).newest_seq().map_err(failed)?;
        let marker = MarkerFile::of(directory, id.clone(), format, &fresh_id, &found);
        let warning = match &found {
            Found::Marker(_) => None,
            Found::Nothing => marker.write(newest).err().map(unmarked),
            Found::Unreadable(why) => Some(rewritten(why, marker.write(newest))),
        };
        open::close_tidily(&writing).map_err(failed)?;
        let condition = Arc::new(Condition::default());
        let commits = Arc::new(Commits::new());
        let writer =
            writer::Writer::start(writing, files.clone(), condition.clone(), commits.clone(), outside)
                .map_err(|source| open::no_thread(&path, source))?;
        let reader = reader::Reader::start(reading, writer.progress(), files.clone(), condition.clone())
            .map_err(|source| open::no_thread(&path, source))?;
        let inner = Inner { id, writer, reader, files, condition, commits, marker, warning };
        Ok(Ledger { inner: Arc::new(inner) })
    }

    /// What a person should know about how it was opened.
    pub fn warning(&self) -> Option<&str> {
        self.inner.warning.as_deref()
    }

    /// This ledger's identity.
    pub fn id(&self) -> &LedgerId {
        &self.inner.id
    }

    /// Decides inside a write transaction and commits. Jobs run in the order in which they are handed over, and
    /// the answer comes when what was decided is on disk. A refusal leaves no trace.
    ///
    /// # Errors
    /// What `decide` refused, or that the transaction could not be committed.
    pub async fn write<T, F>(&self, decide: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.inner.writer.run(Behalf::Own, decide).await
    }

    /// Like [`Ledger::write`], on behalf of a client: every [`Ledger::read`] that comes later sees it.
    ///
    /// # Errors
    /// What `decide` refused, or that the transaction could not be committed.
    pub async fn write_for_client<T, F>(&self, decide: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.inner.writer.run(Behalf::Client, decide).await
    }

    /// Looks at the rows as they are when everything that was handed to [`Ledger::write_for_client`] before has been
    /// done.
    ///
    /// # Errors
    /// What `look` refused, or that the database could not be read.
    pub async fn read<T, F>(&self, look: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.inner.reader.run_after_changes(look).await
    }

    /// Looks at the rows as they are now, whatever waits to be written.
    ///
    /// # Errors
    /// What `look` refused, or that the database could not be read.
    pub async fn read_now<T, F>(&self, look: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.inner.reader.run(look).await
    }

    /// Whether [`Ledger::read`] would have to wait for changes that were handed to [`Ledger::write_for_client`].
    pub fn is_behind(&self) -> bool {
        self.inner.writer.progress().is_behind()
    }

    /// Looks at the rows as they are now, on a connection of its own and in the calling thread, so that nobody waits for
    /// it however long it takes. Blocks.
    ///
    /// # Errors
    /// What `look` refused, or that the database could not be read.
    pub fn look_apart<T>(&self, look: impl FnOnce(&View<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.inner.files.check()?;
        let connection = open::for_reading(self.inner.files.database())?;
        reader::look_once(&connection, look)
    }

    /// Has those who follow [`Ledger::commits`] look again if anybody has committed something that nobody here has
    /// looked at yet. Waits for nothing that is to be written.
    ///
    /// # Errors
    /// When the database could not be read.
    pub async fn look_for_news(&self) -> Result<(), Refusal> {
        let glimpse = self.read_now(|view| Ok(view.glimpse()?)).await?;
        self.inner.commits.glimpsed(glimpse);
        Ok(())
    }

    /// Everything there is to do in this state of the ledger has been looked at, so that [`Ledger::look_for_news`]
    /// need not tell of it.
    pub fn looked_at(&self, glimpse: Glimpse) {
        self.inner.commits.looked_at(glimpse);
    }

    /// Brings the database file up to date with its log. To be called when this process has done its last write.
    pub async fn checkpoint(&self) {
        self.inner.writer.checkpoint().await;
    }

    /// What keeps the ledger from being used, as far as anybody has come upon it.
    pub fn trouble(&self) -> Option<Trouble> {
        self.inner.condition.trouble()
    }

    /// Tries whether the ledger can be written again: with a commit that changes nothing.
    pub async fn try_to_write(&self) {
        self.inner.writer.try_to_write().await;
    }

    /// Looks through the whole database, which takes as long as reading all of it. Whether it is sound decides
    /// about [`Ledger::trouble`]. Blocks.
    pub fn look_through(&self) {
        match self.inner.files.look_through() {
            Ok(()) => self.inner.condition.sound(),
            Err(error) => {
                self.inner.condition.failed(&error.into());
            }
        }
    }

    /// Writes down, beside the database, that it holds the events up to this one, so that a later loss of them
    /// is noticed. Blocks; does nothing if that is written already.
    ///
    /// # Errors
    /// When the marker cannot be written, or the database is not at its place any more.
    pub fn mark(&self, newest_seq: i64) -> Result<(), Refusal> {
        self.mark_by(|marker| marker.write(newest_seq))
    }

    /// The same, also if that is written already as far as this process knows: for the last time that it marks.
    ///
    /// # Errors
    /// As [`Ledger::mark`].
    pub fn mark_anew(&self, newest_seq: i64) -> Result<(), Refusal> {
        self.mark_by(|marker| marker.write_anew(newest_seq))
    }

    fn mark_by(&self, write: impl FnOnce(&MarkerFile) -> std::io::Result<()>) -> Result<(), Refusal> {
        self.inner.files.check()?;
        write(&self.inner.marker).map_err(|error| {
            let reason = StorageReason::from(&error);
            Trouble::beside(reason, &unmarked(error)).into()
        })
    }

    /// Tells of every commit of this process, and of those of others as far as they were noticed.
    pub fn commits(&self) -> watch::Receiver<Committed> {
        self.inner.commits.follow()
    }
}

/// Says what it means that the marker cannot be written.
fn unmarked(error: std::io::Error) -> String {
    format!(
        "{} cannot be written: {error}; without it nobody would notice if the ledger lost something",
        marker::NAME
    )
}

/// Says what it means that the marker could not be read. Alone that loses nothing: the database was opened and is
/// what it is, so the marker is written anew.
fn rewritten(why: &str, written: Result<(), std::io::Error>) -> String {
    let name = marker::NAME;
    match written {
        Ok(()) => format!(
            "{name} could not be read ({why}) and was written anew; whether the ledger had lost anything before that cannot be told"
        ),
        Err(error) => format!("{name} could not be read ({why}); {}", unmarked(error)),
    }
}
