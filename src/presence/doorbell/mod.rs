//! The doorbell: a file that whoever has committed something writes to, in a directory that every window watches.
//!
//! It says no more than "look now": what there is to see is in the ledger. So rings that fall together, that come
//! for nothing or that are heard twice do no harm, and one that is missed costs time only.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(target_os = "linux")]
use linux::Watch;
#[cfg(not(target_os = "linux"))]
use other::Watch;

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
    watch: Watch,
    /// Whether something of the bell was removed. A new one may pass for the old one, because numbers of files are
    /// given again.
    taken_down: AtomicBool,
    directory: PathBuf,
    identity: FileIdentity,
}

/// What is told of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// There may be something to look at. What the system has lost count of is told like this as well.
    Ring,
    /// The same, and the bell or its directory is no longer at its place. What else may come and go in that directory
    /// takes nothing away.
    TakenDown,
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

    /// Begins to listen. Goes to the disk, so it is not for a thread that has other things to do. To be called inside the
    /// runtime.
    ///
    /// # Errors
    /// When the system watches nothing more for this user or process, or the directory cannot be made.
    pub fn listen(&self) -> io::Result<Ear> {
        // What is to be watched must be there.
        self.open()?;
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let identity = identity_at(&self.directory)?.ok_or_else(missing)?;
        let watch = Watch::begin(&self.directory)?;
        Ok(Ear { watch, taken_down: AtomicBool::new(false), directory: self.directory.clone(), identity })
    }
}

impl Ear {
    /// Waits for the next ring since this was called last.
    pub async fn rung(&self) {
        match self.watch.told().await {
            Told::Ring => {}
            Told::TakenDown => self.taken_down.store(true, Ordering::Relaxed),
        }
    }

    /// Whether the bell that is heard is still the one that others ring.
    pub fn hears_the_right_one(&self) -> bool {
        !self.taken_down.load(Ordering::Relaxed)
            && identity_at(&self.directory).is_ok_and(|found| found == Some(self.identity))
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

    #[tokio::test]
    async fn only_the_bell_and_its_directory_can_be_taken_down() {
        let state = tempfile::tempdir().unwrap();
        let bell = Doorbell::of(state.path());
        bell.ring().unwrap();
        let at = |name: &str| state.path().join("bell").join(name);
        let ear = bell.listen().unwrap();
        std::fs::write(at("left by an editor"), "").unwrap();
        std::fs::rename(at("left by an editor"), at("and renamed")).unwrap();
        std::fs::remove_file(at("and renamed")).unwrap();
        hears_all(&ear).await;
        assert!(ear.hears_the_right_one());
        std::fs::rename(at("ring"), at("rung")).unwrap();
        hears_all(&ear).await;
        assert!(!ear.hears_the_right_one());
        let ear = bell.listen().unwrap();
        std::fs::rename(at("rung"), at("ring")).unwrap();
        hears_all(&ear).await;
        assert!(!ear.hears_the_right_one(), "another file has taken its place");
        let ear = bell.listen().unwrap();
        std::fs::remove_file(at("ring")).unwrap();
        hears_all(&ear).await;
        assert!(!ear.hears_the_right_one());
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
