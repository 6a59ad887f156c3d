//! Follows the user's configuration file: each change of what it means is a reload of this window.
//!
//! The directory of the file is watched, or the nearest one above it that is there. What cannot be watched, and what the
//! watcher does not tell, such as a change behind a link, is seen on the slow look.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::Sidecar;
use super::configuration::{self, Found, Stamp};
use super::health::LastTold;
use super::main_loop::LOOK_AGAIN;
use crate::domain::configuration::Configuration;
use crate::domain::process::FileIdentity;

/// How long a file that is not whole has to stay as it is before that is what somebody meant: an editor may empty a
/// file, or take it away, before it writes it anew.
const HALF_WRITTEN: Duration = Duration::from_millis(500);

/// How long is waited before another directory is watched: whatever makes and removes it again and again must not keep
/// this thread busy.
const BREATH: Duration = Duration::from_millis(50);

/// Follows the file until this sidecar has left. It was read before, and this is what it meant.
pub(super) async fn follow(sidecar: Sidecar, file: PathBuf, seen: Result<Configuration, String>) {
    let left = sidecar.parts.left.subscribe();
    let mut follower = Follower {
        sidecar,
        file,
        seen,
        taken_up: TakenUp::Nothing,
        left,
        heard: Arc::default(),
        told: LastTold::default(),
    };
    while follower.watch().await.is_some() {}
}

struct Follower {
    sidecar: Sidecar,
    file: PathBuf,
    /// What the file meant when this window was last reloaded for it.
    seen: Result<Configuration, String>,
    /// The file that was read last, if what it meant then has been taken up.
    taken_up: TakenUp,
    left: watch::Receiver<bool>,
    /// Told when something may have become of the file.
    heard: Arc<Notify>,
    told: LastTold,
}

/// What was read last and needs no second look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TakenUp {
    /// The file with this stamp; none if there was no file.
    File(Option<Stamp>),
    /// Nothing: it could not be taken up.
    Nothing,
}

/// Whether somebody was heard before a time had passed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Something,
    Nothing,
}

impl Follower {
    /// Watches a directory for as long as it is the one to watch, or looks once without watching any. None when this
    /// sidecar has left.
    async fn watch(&mut self) -> Option<()> {
        let directory = nearest(&self.file).to_owned();
        let identity = identity_of(&directory);
        let watcher = match watch_directory(&directory, &self.file, self.heard.clone()) {
            Ok(watcher) => {
                self.told.over();
                Some(watcher)
            }
            Err(error) => {
                if self.told.is_news(&error) {
                    tracing::warn!(%error, "{} cannot be watched; changes of the configuration file are seen only within seconds", directory.display());
                }
                None
            }
        };
        // After the watcher is there, so that nothing falls between the two.
        self.look().await;
        while nearest(&self.file) == directory && identity_of(&directory) == identity {
            match self.listen(LOOK_AGAIN).await? {
                Heard::Something => self.look().await,
                Heard::Nothing if self.is_taken_up() => {}
                Heard::Nothing => self.look().await,
            }
            if watcher.is_none() {
                break;
            }
        }
        self.breathe().await
    }

    /// Lets a moment pass. None when this sidecar has left.
    async fn breathe(&mut self) -> Option<()> {
        match timeout(BREATH, self.left.wait_for(|left| *left)).await {
            Ok(_) => None,
            Err(_) => Some(()),
        }
    }

    /// Waits until something is heard, but not for longer than this. None when this sidecar has left.
    async fn listen(&mut self, at_most: Duration) -> Option<Heard> {
        tokio::select! {
            heard = timeout(at_most, self.heard.notified()) => {
                Some(if heard.is_ok() { Heard::Something } else { Heard::Nothing })
            }
            _ = self.left.wait_for(|left| *left) => None,
        }
    }

    fn is_taken_up(&self) -> bool {
        self.taken_up == TakenUp::File(configuration::stamp(&self.file))
    }

    /// Looks at what the file means now, and has the window reloaded if that is something else than before.
    async fn look(&mut self) {
        let Some((found, stamp)) = self.settled().await else { return };
        let meaning = found.meaning();
        if meaning == self.seen {
            self.taken_up = TakenUp::File(stamp);
            return;
        }
        tracing::info!("the configuration file has changed; reloading");
        match self.sidecar.reload_for_the_file().await {
            Ok(()) => {
                self.seen = meaning;
                self.taken_up = TakenUp::File(stamp);
            }
            Err(refusal) => {
                self.taken_up = TakenUp::Nothing;
                tracing::warn!(%refusal, "the changed configuration file could not be taken up; it is tried again");
            }
        }
    }

    /// Reads the file when it is whole, or when nobody seems to write the rest of it. None when this sidecar has left.
    async fn settled(&mut self) -> Option<(Found, Option<Stamp>)> {
        loop {
            let stamp = configuration::stamp(&self.file);
            let file = self.file.clone();
            let found = tokio::task::spawn_blocking(move || configuration::read(&file)).await.ok()?;
            if !found.may_be_half_written() || found.meaning() == self.seen {
                return Some((found, stamp));
            }
            let heard = self.listen(HALF_WRITTEN).await?;
            if heard == Heard::Nothing && configuration::stamp(&self.file) == stamp {
                return Some((found, stamp));
            }
        }
    }
}

/// The directory of the file, or the nearest one above it that is there.
fn nearest(file: &Path) -> &Path {
    let above = file.ancestors().skip(1);
    above.into_iter().find(|directory| directory.is_dir()).unwrap_or(file)
}

fn identity_of(directory: &Path) -> Option<FileIdentity> {
    std::fs::metadata(directory).ok().map(|metadata| FileIdentity::of(&metadata))
}

/// Has somebody told when something in the directory may concern the file. The watcher calls back for as long as it is
/// there.
fn watch_directory(
    directory: &Path,
    file: &Path,
    heard: Arc<Notify>,
) -> Result<RecommendedWatcher, notify::Error> {
    // Paths are told in the way in which the directory is named here.
    let on_the_way_to = file.to_owned();
    let hear = move |told: notify::Result<Event>| {
        if told.as_ref().map_or(true, |event| may_concern(event, &on_the_way_to)) {
            heard.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(hear)?;
    // Some systems tell of what happens to a file only if that is watched itself, which this asks for. Above there may
    // be anything.
    let mode = match file.parent() == Some(directory) {
        true => RecursiveMode::Recursive,
        false => RecursiveMode::NonRecursive,
    };
    watcher.watch(directory, mode)?;
    Ok(watcher)
}

/// Whether an event may tell of a change of the file, or of a directory on the way to it. What the watcher has lost count
/// of, it tells without a path.
fn may_concern(event: &Event, file: &Path) -> bool {
    let on_the_way = |path: &PathBuf| file.starts_with(path);
    // Reading the file is told as well, and changes nothing.
    !matches!(event.kind, EventKind::Access(_))
        && (event.paths.is_empty() || event.paths.iter().any(on_the_way))
}
