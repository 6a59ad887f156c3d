//! The doorbell: a file that whoever has committed something writes to, in a directory that every window watches.
//!
//! It says no more than "look now": what there is to see is in the ledger. So rings that fall together, that come
//! for nothing or that are heard twice do no harm, and one that is missed costs time only.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use super::lock_file::{identity_at, owner_only};
use crate::domain::process::FileIdentity;

/// The directory that is watched, and the file in it.
const DIRECTORY: &str = "bell";
const RING: &str = "ring";

/// The bell of one project.
#[derive(Clone, Debug)]
pub struct Doorbell {
    directory: PathBuf,
}

/// Hears the bell. Dropping it stops listening.
#[derive(Debug)]
pub struct Ear {
    heard: Arc<Notify>,
    /// Whether something of the bell was removed. A new one may pass for the old one, because numbers of files are
    /// given again.
    taken_down: Arc<AtomicBool>,
    directory: PathBuf,
    identity: FileIdentity,
    /// Calls back for as long as it is there.
    _watcher: RecommendedWatcher,
}

impl Doorbell {
    /// The bell in this state directory.
    pub fn of(state: &Path) -> Doorbell {
        Doorbell { directory: state.join(DIRECTORY) }
    }

    /// Tells every window, this one included, that there is something to look at. Waits for nobody.
    ///
    /// # Errors
    /// When the file cannot be written, or something else stands in its place: then nobody was told.
    pub fn ring(&self) -> io::Result<()> {
        // The byte always goes to the same place, so that the file never grows. The file is closed each time, because
        // some systems tell of a change no earlier.
        self.open()?.write_all(b"!")
    }

    fn open(&self) -> io::Result<File> {
        match self.open_ring() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match make_directory(&self.directory) {
                    // Another window was faster.
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                    _ => self.open_ring(),
                }
            }
            opened => opened,
        }
    }

    /// Opens what is rung, and nothing that stands in its place: a pipe would take the byte, and watchers of the
    /// directory would not hear of it.
    fn open_ring(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        owner_only(&mut options);
        wait_for_nobody(&mut options);
        let path = self.directory.join(RING);
        let opened = options.open(&path);
        let found = match &opened {
            Ok(file) => file.metadata(),
            Err(_) => std::fs::metadata(&path),
        };
        if found.is_ok_and(|found| !found.is_file()) {
            let why = format!("{} is no file; remove it, and it is made anew", path.display());
            return Err(io::Error::other(why));
        }
        opened
    }

    /// Begins to listen. Goes to the disk, so it is not for a thread that has other things to do.
    ///
    /// # Errors
    /// When the system watches nothing more for this user or process, or the directory cannot be made.
    pub fn listen(&self) -> io::Result<Ear> {
        // What is to be watched must be there.
        self.open()?;
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
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let identity = identity_at(&self.directory)?.ok_or_else(missing)?;
        let mut watcher = notify::recommended_watcher(hear).map_err(into_io)?;
        // Some systems tell of what happens to a file only if that is watched itself, which this asks for.
        watcher.watch(&self.directory, RecursiveMode::Recursive).map_err(into_io)?;
        Ok(Ear { heard, taken_down, directory: self.directory.clone(), identity, _watcher: watcher })
    }
}

impl Ear {
    /// Waits for the next ring since this was called last.
    pub async fn rung(&self) {
        self.heard.notified().await;
    }

    /// Whether the bell that is heard is still the one that others ring.
    pub fn hears_the_right_one(&self) -> bool {
        !self.taken_down.load(Ordering::Relaxed)
            && identity_at(&self.directory).is_ok_and(|found| found == Some(self.identity))
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

/// Opening a pipe that nobody reads would wait for a reader.
#[cfg(unix)]
fn wait_for_nobody(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(libc::O_NONBLOCK);
}

/// Here no such thing stands in a directory.
#[cfg(windows)]
fn wait_for_nobody(_options: &mut OpenOptions) {}

#[cfg(unix)]
fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(windows)]
fn make_directory(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use notify::event::{RemoveKind, RenameMode};
    use tokio::time::timeout;

    use super::*;

    /// Longer than anything here takes on a busy machine.
    const DEADLINE: Duration = Duration::from_secs(20);

    /// Longer than a ring takes to be heard.
    const QUIET: Duration = Duration::from_millis(100);

    async fn hears(ear: &Ear) {
        timeout(DEADLINE, ear.rung()).await.expect("a ring is heard");
    }

    async fn hears_nothing_more(ear: &Ear) {
        assert!(timeout(QUIET, ear.rung()).await.is_err(), "it was rung once");
    }

    /// Whatever is heard of one act, until it is over.
    async fn hears_all(ear: &Ear) {
        hears(ear).await;
        while timeout(QUIET, ear.rung()).await.is_ok() {}
    }

    #[tokio::test]
    async fn whoever_listens_hears_each_ring_once() {
        let state = tempfile::tempdir().unwrap();
        let bell = Doorbell::of(state.path());
        let ears = [bell.listen().unwrap(), bell.listen().unwrap()];
        for _ in 0..3 {
            bell.ring().unwrap();
            for ear in &ears {
                hears(ear).await;
                hears_nothing_more(ear).await;
            }
        }
        assert_eq!(std::fs::metadata(state.path().join("bell/ring")).unwrap().len(), 1, "it never grows");
    }

    #[tokio::test]
    async fn a_bell_that_was_replaced_is_told_apart() {
        let state = tempfile::tempdir().unwrap();
        let bell = Doorbell::of(state.path());
        let ear = bell.listen().unwrap();
        assert!(ear.hears_the_right_one());
        std::fs::rename(state.path().join("bell"), state.path().join("elsewhere")).unwrap();
        hears_all(&ear).await;
        assert!(!ear.hears_the_right_one());
        bell.ring().unwrap();
        assert!(!ear.hears_the_right_one(), "there is another one now");
        let anew = bell.listen().unwrap();
        bell.ring().unwrap();
        hears(&anew).await;
        hears_nothing_more(&anew).await;
        assert!(anew.hears_the_right_one());
        hears_nothing_more(&ear).await;
    }

    #[tokio::test]
    async fn a_bell_that_was_removed_is_not_mistaken_for_the_next_one() {
        let state = tempfile::tempdir().unwrap();
        let bell = Doorbell::of(state.path());
        for _ in 0..20 {
            let ear = bell.listen().unwrap();
            std::fs::remove_dir_all(state.path().join("bell")).unwrap();
            // The new directory often has the number of the old one.
            bell.ring().unwrap();
            while ear.hears_the_right_one() {
                hears(&ear).await;
            }
        }
    }

    #[test]
    fn only_the_bell_and_its_directory_can_be_taken_down() {
        let kinds = [
            EventKind::Remove(RemoveKind::File),
            EventKind::Remove(RemoveKind::Folder),
            EventKind::Modify(ModifyKind::Name(RenameMode::From)),
        ];
        for kind in kinds {
            let of = |path: &str| Event::new(kind).add_path(path.into());
            for gone in ["/state/bell", "/state/bell/ring"] {
                assert!(is_a_removal(&of(gone)), "{kind:?} {gone}");
            }
            assert!(!is_a_removal(&of("/state/bell/left by an editor")), "{kind:?}");
            assert!(is_a_removal(&Event::new(kind)), "{kind:?} of nobody knows what");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        use std::sync::mpsc::sync_channel;
        let state = tempfile::tempdir().unwrap();
        let bell = Doorbell::of(state.path());
        bell.ring().unwrap();
        let ring = state.path().join("bell/ring");
        std::fs::remove_file(&ring).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&ring).status().unwrap();
        assert!(made.success());
        let refused = || {
            let (tell, told) = sync_channel(1);
            let bell = bell.clone();
            let act = move || tell.send([bell.ring(), bell.listen().map(drop)]).unwrap();
            std::thread::Builder::new().spawn(act).unwrap();
            for outcome in told.recv_timeout(DEADLINE).expect("neither waits for a reader") {
                let why = outcome.expect_err("a pipe is no bell").to_string();
                assert!(why.contains("bell/ring is no file; remove it"), "{why}");
            }
        };
        refused();
        let reader = OpenOptions::new().read(true).write(true).open(&ring).unwrap();
        refused();
        drop(reader);
        std::fs::remove_file(&ring).unwrap();
        bell.ring().unwrap();
    }
}
