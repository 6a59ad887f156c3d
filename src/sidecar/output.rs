//! The output of one run for one subscriber, read from its spool while it grows.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Sidecar;
use crate::domain::id::RunId;
use crate::domain::refusal::{Refusal, StorageReason};
use crate::exec::spool::{self, Chunk};
use crate::ledger::{Committed, Ledger};
use crate::rpc::backend::{Answer, FollowOutput, OutputFeed, OutputPart};

/// The most bytes of one part: what a client can show at once. A subscriber that does not read holds no more.
const PART: usize = 64 * 1024;

/// How often a spool is looked at. Nobody tells that it has grown, least of all another window's guard.
const LOOK_AGAIN: Duration = Duration::from_millis(75);

/// The output of a run that may be at work, in this window or another.
pub struct SpoolFeed {
    ledger: Ledger,
    commits: watch::Receiver<Committed>,
    run: RunId,
    /// None while a thread reads from it.
    spool: Option<spool::Reader>,
    work: Work,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    MayGoOn,
    /// Nothing is written any more.
    IsOver,
}

impl SpoolFeed {
    /// Begins where the subscriber wants.
    pub(super) async fn begin(sidecar: &Sidecar, wanted: FollowOutput) -> Answer<SpoolFeed> {
        let FollowOutput { run, .. } = wanted;
        let spool = spool::Reader::of(&sidecar.output_path(&run));
        let ledger = sidecar.parts.ledger.clone();
        let commits = ledger.commits();
        let mut feed =
            SpoolFeed { ledger, commits, run: run.clone(), spool: Some(spool), work: Work::MayGoOn };
        // The file is opened before the run is looked up: a run that is pruned from now on can be read to its end.
        feed.read(0, 0).await?;
        let id = run.clone();
        let known = feed.ledger.read(move |view| Ok(view.work_is_over(&id)?));
        match known.await? {
            Some(true) => feed.work = Work::IsOver,
            Some(false) => {}
            None => return Err(Refusal::NotFound { what: "run", id: run.to_string() }),
        }
        Ok(feed)
    }

    async fn read(&mut self, offset: u64, limit: usize) -> Answer<Chunk> {
        let Some(mut spool) = self.spool.take() else {
            return Err(Refusal::Internal("the output is being read already".to_owned()));
        };
        let reading = tokio::task::spawn_blocking(move || (spool.read(offset, limit), spool));
        let (chunk, spool) = reading.await.map_err(|error| Refusal::Internal(error.to_string()))?;
        self.spool = Some(spool);
        chunk.map_err(|error| unreadable(&error))
    }

    /// Waits until there may be more, or until the run is known to be over. None when nobody will write any more.
    async fn wait(&mut self) -> Option<()> {
        let pause = sleep(LOOK_AGAIN);
        tokio::pin!(pause);
        let run = self.run.clone();
        // A look at the ledger may wait behind others; the spool grows all the same.
        let looked = tokio::select! {
            () = &mut pause => return Some(()),
            looked = self.ledger.read_now(move |view| Ok(view.work_is_over(&run)?)) => looked,
        };
        match looked {
            // A run that is there no more was pruned, so it had ended.
            Ok(Some(true) | None) => {
                self.work = Work::IsOver;
                return Some(());
            }
            Ok(Some(false)) => {}
            Err(refusal) => tracing::debug!(%refusal, "whether a run goes on could not be looked up"),
        }
        tokio::select! {
            () = pause => Some(()),
            changed = self.commits.changed() => changed.ok(),
        }
    }
}

impl OutputFeed for SpoolFeed {
    async fn next(&mut self, offset: u64, known: u64) -> Option<OutputPart> {
        let mut failed = false;
        loop {
            let over = self.work == Work::IsOver;
            match self.read(offset, PART).await {
                // What was read after the work was over is all there is.
                Ok(Chunk { data, next_offset, size }) if over || next_offset > known => {
                    let end = over && next_offset >= size;
                    return Some(OutputPart { offset, data, end });
                }
                Ok(_) => self.wait().await?,
                Err(refusal) => {
                    if !failed {
                        tracing::error!(%refusal, run = %self.run, "an output cannot be followed; trying again");
                    }
                    failed = true;
                    sleep(LOOK_AGAIN).await;
                }
            }
        }
    }
}

/// An output that is there cannot be read.
pub(super) fn unreadable(error: &std::io::Error) -> Refusal {
    Refusal::Storage {
        reason: StorageReason::Io,
        message: format!("the output cannot be read: {error}; see whether the disk works"),
    }
}
