//! What an agent says, on its way to the disk: gathered for a moment, and written by a thread that may wait.

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use super::super::OutputSize;
use super::super::spool::Spool;
use super::bounds::UNWRITTEN_BYTES;

/// How long it is gathered: who follows the output sees no delay.
const GATHERED: Duration = Duration::from_millis(100);

/// From how much on it is written at once.
const PART: usize = 64 * 1024;

pub(super) struct Output {
    spool: State,
    unwritten: Vec<u8>,
    /// When what was heard since is written, or marked where there was nothing to write.
    due_at: Option<Instant>,
}

enum State {
    Here(Spool),
    /// A thread writes to it.
    Away(JoinHandle<Spool>),
    /// That thread has failed.
    Lost,
}

impl Output {
    /// Begins an empty one.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) async fn create(path: PathBuf, limit: u64) -> io::Result<Output> {
        let spool = spawn_blocking(move || Spool::create(&path, limit)).await.map_err(io::Error::other)??;
        Ok(Output { spool: State::Here(spool), unwritten: Vec::new(), due_at: None })
    }

    pub(super) fn write(&mut self, text: &str) {
        self.unwritten.extend_from_slice(text.as_bytes());
        self.mark();
    }

    /// The agent has given a sign of life.
    pub(super) fn mark(&mut self) {
        self.due_at.get_or_insert_with(|| Instant::now() + GATHERED);
    }

    pub(super) fn has_room(&self) -> bool {
        self.unwritten.len() < UNWRITTEN_BYTES
    }

    /// Does the next part of the work, if there is any. Can be given up without losing anything.
    pub(super) async fn work(&mut self) {
        match (&mut self.spool, self.due_at) {
            (State::Away(thread), _) => {
                self.spool = thread.await.map_or(State::Lost, State::Here);
            }
            (State::Here(_), Some(due_at)) => {
                if self.unwritten.len() < PART {
                    sleep_until(due_at).await;
                }
                self.send_away();
            }
            (State::Here(_), None) => pending().await,
            (State::Lost, _) => {
                self.unwritten = Vec::new();
                pending().await
            }
        }
    }

    fn send_away(&mut self) {
        self.due_at = None;
        let part = std::mem::take(&mut self.unwritten);
        self.spool = match std::mem::replace(&mut self.spool, State::Lost) {
            State::Here(mut spool) => State::Away(spawn_blocking(move || {
                spool.take(&part);
                spool.mark();
                spool
            })),
            other @ (State::Away(_) | State::Lost) => other,
        };
    }

    /// Writes what is left. The end of it all, also of what is not in the file, and the size of the file.
    pub(super) async fn finish(mut self) -> (String, OutputSize) {
        if let State::Away(_) = self.spool {
            self.work().await;
        }
        match self.spool {
            State::Here(mut spool) => {
                let rest = self.unwritten;
                let last = spawn_blocking(move || {
                    spool.take(&rest);
                    spool.finish()
                });
                last.await.unwrap_or_default()
            }
            State::Away(_) | State::Lost => Default::default(),
        }
    }
}
