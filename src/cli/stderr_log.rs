//! The log of a process that serves: whoever has started it may not read what it writes to stderr, and that keeps no
//! timer from firing.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::process::log_to;
use crate::sidecar::config::Environment;

/// Entries that wait to be written: more than come at once when much goes wrong, and some hundred bytes each.
const UNWRITTEN: usize = 256;

/// How long the last entries may take to be written when the process ends.
const LAST_ENTRIES: Duration = Duration::from_millis(500);

/// The log. When it goes, what was logged is written, if somebody reads.
pub(super) struct StderrLog(Arc<Queue>);

impl StderrLog {
    /// Logs what `SEXTON_LOG` chooses, or this. What panics says so in the log.
    ///
    /// # Errors
    /// When the thread that writes cannot be started.
    pub(super) fn begin(environment: &Environment, unless_chosen: &str) -> io::Result<StderrLog> {
        let queue = Arc::new(Queue::default());
        let (written, logged) = (queue.clone(), queue.clone());
        let write = move || {
            loop {
                written.write_next(&mut io::stderr());
            }
        };
        std::thread::Builder::new().name("stderr".to_owned()).spawn(write)?;
        log_to(environment, unless_chosen, move || Entry(logged.clone()));
        // The usual hook waits until its words are read.
        std::panic::set_hook(Box::new(|panic| {
            tracing::error!("{panic}\nbacktrace: {}", std::backtrace::Backtrace::capture());
        }));
        Ok(StderrLog(queue))
    }
}

impl Drop for StderrLog {
    fn drop(&mut self) {
        self.0.wait_until_written(LAST_ENTRIES);
    }
}

/// What takes one entry; each is written at once.
struct Entry(Arc<Queue>);

impl Write for Entry {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Entries on their way to stderr.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    entries: VecDeque<Vec<u8>>,
    /// Entries that found no room behind those.
    lost: u64,
    /// Entries that were taken and are not written yet: one, or none.
    in_hand: usize,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, entry: Vec<u8>) {
        let mut state = self.state();
        match state.lost == 0 && state.entries.len() < UNWRITTEN {
            true => state.entries.push_back(entry),
            false => state.lost += 1,
        }
        self.changed.notify_all();
    }

    /// Waits for an entry and writes it, or how many were lost after the last one.
    fn write_next(&self, out: &mut impl Write) {
        let idle = |state: &mut State| state.entries.is_empty() && state.lost == 0;
        let waited = self.changed.wait_while(self.state(), idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let entry = state.entries.pop_front().unwrap_or_else(|| {
            let lost = std::mem::take(&mut state.lost);
            format!("{lost} entries of the log were lost here, because nobody read what was before them\n")
                .into()
        });
        state.in_hand = 1;
        drop(state);
        // Nobody may read stderr any more; there is nowhere else to tell.
        let _ = out.write_all(&entry);
        self.state().in_hand = 0;
        self.changed.notify_all();
    }

    fn wait_until_written(&self, at_most: Duration) {
        let unwritten = |state: &mut State| !state.entries.is_empty() || state.in_hand > 0;
        // Whether or not it was in time, the process ends.
        drop(self.changed.wait_timeout_while(self.state(), at_most, unwritten));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted_where_it_is_missing() {
        let queue = Queue::default();
        let mut out = Vec::new();
        for number in 0..UNWRITTEN + 3 {
            queue.push(format!("{number}\n").into_bytes());
        }
        // Room for one, but what comes now would stand before what was lost.
        queue.write_next(&mut out);
        queue.push(b"late\n".to_vec());
        for _ in 0..UNWRITTEN {
            queue.write_next(&mut out);
        }
        queue.push(b"again\n".to_vec());
        queue.write_next(&mut out);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), UNWRITTEN + 2);
        assert_eq!((lines[0], lines[UNWRITTEN - 1]), ("0", "255"));
        assert!(lines[UNWRITTEN].starts_with("4 entries of the log were lost"), "{}", lines[UNWRITTEN]);
        assert_eq!(lines[UNWRITTEN + 1], "again");
    }
}
