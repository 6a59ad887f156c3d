//! The one thread that reads for requests, on a connection that cannot write.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::column::View;
use super::writer::Progress;
use crate::domain::refusal::Refusal;

/// Looks that wait for the reader: as many as requests may run at once, and some of the sidecar's own.
const WAITING: usize = 512;

type Look = Box<dyn FnOnce(&Connection) + Send>;

pub(super) struct Reader {
    looks: mpsc::Sender<Look>,
    progress: Progress,
}

impl Reader {
    pub(super) fn start(connection: Connection, progress: Progress) -> Result<Reader, std::io::Error> {
        let (looks, mut inbox) = mpsc::channel::<Look>(WAITING);
        let work = move || {
            while let Some(look) = inbox.blocking_recv() {
                look(&connection);
            }
        };
        std::thread::Builder::new().name("ledger-reader".to_owned()).spawn(work)?;
        Ok(Reader { looks, progress })
    }

    pub(super) async fn run<T, F>(&self, look: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        let ended = || Refusal::Internal("the ledger's reader has ended".to_owned());
        self.progress.clone().caught_up().await;
        let (reply, answer) = oneshot::channel();
        let work = move |connection: &Connection| {
            let looked = catch_unwind(AssertUnwindSafe(|| look_once(connection, look)))
                .unwrap_or_else(|_| Err(Refusal::Internal("a look at the ledger panicked".to_owned())));
            // Who no longer waits does not need the answer.
            let _ = reply.send(looked);
        };
        self.looks.send(Box::new(work)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

/// Everything that one look reads comes from one state of the database.
fn look_once<T>(
    connection: &Connection,
    look: impl FnOnce(&View<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let snapshot = connection.unchecked_transaction()?;
    let looked = look(&View::new(&snapshot));
    snapshot.finish()?;
    looked
}
