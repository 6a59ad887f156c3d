//! The one thread that reads for requests, on a connection that cannot write.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::column::View;
use super::condition::Condition;
use super::files::Files;
use super::writer::Progress;
use super::{migrate, open};
use crate::domain::refusal::{Refusal, StorageReason};

/// Looks that wait for the reader: as many as requests may run at once, and some of the sidecar's own.
const WAITING: usize = 512;

type Look = Box<dyn FnOnce(&Connection) + Send>;

pub(super) struct Reader {
    looks: mpsc::Sender<Look>,
    progress: Progress,
    files: Arc<Files>,
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
        let work = move || {
            while let Some(look) = inbox.blocking_recv() {
                look(&connection);
            }
        };
        std::thread::Builder::new().name("ledger-reader".to_owned()).spawn(work)?;
        Ok(Reader { looks, progress, files, condition })
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
        let (files, condition) = (self.files.clone(), self.condition.clone());
        let work = move |connection: &Connection| {
            let looked = catch_unwind(AssertUnwindSafe(|| look_once(connection, &files, look)))
                .unwrap_or_else(|_| Err(Refusal::Internal("a look at the ledger panicked".to_owned())));
            if let Err(refusal) = &looked {
                condition.refused(refusal);
                if matches!(refusal, Refusal::Storage { reason: StorageReason::Damaged, .. }) {
                    open::forget_pages(connection);
                }
            }
            // Who no longer waits does not need the answer.
            let _ = reply.send(looked);
        };
        self.looks.send(Box::new(work)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

/// Everything that one look reads comes from one state of the database, which is the one at its path.
fn look_once<T>(
    connection: &Connection,
    files: &Files,
    look: impl FnOnce(&View<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    files.check()?;
    let snapshot = connection.unchecked_transaction()?;
    migrate::refuse_newer(&snapshot)?;
    let looked = look(&View::new(&snapshot));
    snapshot.finish()?;
    looked
}
