//! The one thread that reads for requests, on a connection that cannot write.
//!
//! Looks that are waiting when one begins share what it costs to begin: whether the files are still those at their
//! paths is asked once, and all of them see the same state of the database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::column::View;
use super::condition::Condition;
use super::error::{LedgerError, Trouble};
use super::files::Files;
use super::writer::Progress;
use super::{migrate, open};
use crate::domain::refusal::{Refusal, StorageReason};

/// Looks that wait for the reader: as many as requests may run at once, and some of the sidecar's own.
const WAITING: usize = 512;

/// Looks that share a beginning. More would gain nothing.
const GROUP: usize = 64;

/// What is to be looked at in an open snapshot, or told why there is none.
type Look = Box<dyn FnOnce(Result<&View<'_>, Trouble>) -> Outcome + Send>;

/// Whether a look has come upon damage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Sound,
    Damaged,
}

pub(super) struct Reader {
    looks: mpsc::Sender<Look>,
    progress: Progress,
    condition: Arc<Condition>,
}

impl Reader {
    pub(super) fn start(
        connection: Connection,
        progress: Progress,
        files: Arc<Files>,
        condition: Arc<Condition>,
    ) -> Result<Reader, std::io::Error> {
        let (looks, mut inbox) = mpsc::channel::<Look>(WAITING);
        let thread = Thread { connection, files };
        let work = move || {
            while let Some(first) = inbox.blocking_recv() {
                let mut group = vec![first];
                while group.len() < GROUP
                    && let Ok(look) = inbox.try_recv()
                {
                    group.push(look);
                }
                thread.look(group);
            }
        };
        std::thread::Builder::new().name("ledger-reader".to_owned()).spawn(work)?;
        Ok(Reader { looks, progress, condition })
    }

    /// Looks when everything that was handed over for clients before has been done.
    pub(super) async fn run_after_changes<T, F>(&self, look: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.progress.clone().caught_up().await;
        self.run(look).await
    }

    /// Looks, whatever is still to be written.
    pub(super) async fn run<T, F>(&self, look: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        let ended = || Refusal::Internal("the ledger's reader has ended".to_owned());
        let (reply, answer) = oneshot::channel();
        let condition = self.condition.clone();
        let work = move |snapshot: Result<&View<'_>, Trouble>| {
            let looked = catch_unwind(AssertUnwindSafe(|| look(snapshot?)))
                .unwrap_or_else(|_| Err(Refusal::Internal("a look at the ledger panicked".to_owned())));
            let mut outcome = Outcome::Sound;
            if let Err(refusal) = &looked {
                condition.refused(refusal);
                if matches!(refusal, Refusal::Storage { reason: StorageReason::Damaged, .. }) {
                    outcome = Outcome::Damaged;
                }
            }
            // Who no longer waits does not need the answer.
            let _ = reply.send(looked);
            outcome
        };
        self.looks.send(Box::new(work)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

struct Thread {
    connection: Connection,
    files: Arc<Files>,
}

impl Thread {
    /// Everything that these looks read comes from one state of the database, which is the one at its path. It is no
    /// older than the youngest of them.
    fn look(&self, group: Vec<Look>) {
        let damaged = match self.snapshot() {
            Ok(snapshot) => {
                let view = View::new(snapshot.0);
                look_each(group, || Ok(&view))
            }
            Err(error) => {
                let trouble = Trouble::from(error);
                look_each(group, || Err(trouble.clone()))
            }
        };
        if damaged {
            open::forget_pages(&self.connection);
        }
    }

    fn snapshot(&self) -> Result<Snapshot<'_>, LedgerError> {
        self.files.check()?;
        Snapshot::begin(&self.connection)
    }
}

/// One state of the database, for as long as it is there. The statements around it are kept prepared like all others: they
/// come with each look.
struct Snapshot<'c>(&'c Connection);

impl<'c> Snapshot<'c> {
    fn begin(connection: &'c Connection) -> Result<Self, LedgerError> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        let snapshot = Snapshot(connection);
        migrate::refuse_newer(connection)?;
        Ok(snapshot)
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // Nothing was changed in it. What it could not read has ended it already.
        if !self.0.is_autocommit()
            && let Err(error) = self.0.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]))
        {
            tracing::debug!(%error, "a look at the ledger could not be ended");
        }
    }
}

/// Looks at one state of the database by this connection, whose files are those at their paths.
pub(super) fn look_once<T>(
    connection: &Connection,
    look: impl FnOnce(&View<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let snapshot = Snapshot::begin(connection)?;
    look(&View::new(snapshot.0))
}

/// Whether any of them has come upon damage.
fn look_each<'v>(group: Vec<Look>, view: impl Fn() -> Result<&'v View<'v>, Trouble>) -> bool {
    let outcomes: Vec<Outcome> = group.into_iter().map(|look| look(view())).collect();
    outcomes.contains(&Outcome::Damaged)
}
