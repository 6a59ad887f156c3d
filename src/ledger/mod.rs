//! Remembers: the rows of one project and the events that tell of them, in one SQLite database.
//!
//! One thread writes, one reads. A [`Tx`] is an open write transaction and is what the engine decides in; a
//! [`View`] is a consistent look at the rows. No row is cached: what is in the database is what is true.

mod automations;
mod column;
mod error;
mod events;
mod instances;
mod migrate;
mod open;
mod reader;
mod retention;
mod runs;
mod wakeup;
mod writer;

pub use automations::{AutomationRow, DeleteWish, Epoch};
pub use column::{Tx, View};
pub use error::LedgerError;
pub use events::{EventFilter, StoredEvent};
pub use instances::InstanceRow;
pub use open::{OpenError, open_in_memory};
pub use retention::{EndedRun, EndedRuns, Need};
pub use runs::{Order, ProcessRow, RunRow};
pub use writer::Committed;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::id::LedgerId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

/// An open ledger. Cheap to clone; the last clone that goes ends the two threads.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    id: LedgerId,
    writer: writer::Writer,
    reader: reader::Reader,
}

impl Ledger {
    /// Opens the ledger in this directory, creating or migrating it when necessary.
    ///
    /// `fresh_id` and `now` are used only if the ledger is created.
    ///
    /// # Errors
    /// When the directory or the database cannot be used, or a newer version wrote it.
    pub fn open(
        directory: &Path,
        project: &str,
        fresh_id: LedgerId,
        now: Timestamp,
    ) -> Result<Ledger, OpenError> {
        let path = directory.join("ledger.db");
        let writing = open::for_writing(&path)?;
        migrate::migrate(&writing, &path)?;
        let id = open::identify(&writing, &path, project, fresh_id, now)?;
        let reading = open::for_reading(&path)?;
        let writer = writer::Writer::start(writing).map_err(|source| open::no_thread(&path, source))?;
        let reader = reader::Reader::start(reading, writer.progress())
            .map_err(|source| open::no_thread(&path, source))?;
        Ok(Ledger { inner: Arc::new(Inner { id, writer, reader }) })
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
        self.inner.writer.run(decide).await
    }

    /// Looks at the rows as they are when everything that was handed to [`Ledger::write`] before has been done.
    ///
    /// # Errors
    /// What `look` refused, or that the database could not be read.
    pub async fn read<T, F>(&self, look: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.inner.reader.run(look).await
    }

    /// Has those who follow [`Ledger::commits`] look again if another process has added events.
    pub fn notice(&self, seq: i64) {
        self.inner.writer.notice(seq);
    }

    /// Brings the database file up to date with its log. To be called when this process has done its last write.
    pub async fn checkpoint(&self) {
        self.inner.writer.checkpoint().await;
    }

    /// Tells of every commit of this process.
    pub fn commits(&self) -> watch::Receiver<Committed> {
        self.inner.writer.commits()
    }
}
