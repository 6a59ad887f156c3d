//! Elsewhere: what the system offers, by `notify`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use super::{DIRECTORY, RING, Told};

/// Watches one directory.
#[derive(Debug)]
pub(super) struct Watch {
    heard: Arc<Notify>,
    taken_down: Arc<AtomicBool>,
    /// Calls back for as long as it is there.
    _watcher: RecommendedWatcher,
}

impl Watch {
    pub(super) fn begin(directory: &Path) -> io::Result<Watch> {
        let (heard, taken_down) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (ears, gone) = (heard.clone(), taken_down.clone());
        let hear = move |told: notify::Result<Event>| {
            if told.as_ref().is_ok_and(is_a_removal) {
                gone.store(true, Ordering::Relaxed);
            }
            if told.as_ref().map_or(true, is_a_ring) {
                ears.notify_one();
            }
        };
        let mut watcher = notify::recommended_watcher(hear).map_err(into_io)?;
        // Some systems tell of what happens to a file only if that is watched itself, which this asks for.
        watcher.watch(directory, RecursiveMode::Recursive).map_err(into_io)?;
        Ok(Watch { heard, taken_down, _watcher: watcher })
    }

    /// Waits until something is told.
    pub(super) async fn told(&self) -> Told {
        self.heard.notified().await;
        match self.taken_down.load(Ordering::Relaxed) {
            true => Told::TakenDown,
            false => Told::Ring,
        }
    }
}

/// Whether what the watcher tells may be a ring. Opening and closing the file comes with each ring as well, and is
/// none. What the watcher has lost count of, it tells as something else.
fn is_a_ring(event: &Event) -> bool {
    !matches!(event.kind, EventKind::Access(_))
}

/// Whether the watcher tells that the bell, or its directory, is no longer at its place. What else may come and go
/// in that directory takes nothing away.
fn is_a_removal(event: &Event) -> bool {
    let of_the_bell = |path: &PathBuf| path.ends_with(DIRECTORY) || path.ends_with(RING);
    matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
        // Where it is not told what has gone, it may be anything.
        && (event.paths.is_empty() || event.paths.iter().any(of_the_bell))
}

fn into_io(error: notify::Error) -> io::Error {
    match error.kind {
        notify::ErrorKind::Io(error) => error,
        notify::ErrorKind::MaxFilesWatch => {
            io::Error::other("as many files are watched as the system allows")
        }
        notify::ErrorKind::Generic(_)
        | notify::ErrorKind::PathNotFound
        | notify::ErrorKind::WatchNotFound
        | notify::ErrorKind::InvalidConfig(_) => io::Error::other(error.to_string()),
    }
}
