//! Linux: inotify. The runtime waits for its descriptor, so that a ring wakes one thread, once; of what happens to a file
//! only what may be a ring or a removal is asked for, because opening and closing it comes with each ring as well.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{RING, Told};

/// What is told of: writing, and whatever may take the bell or its directory away or put it there.
const WATCHED: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// What takes something of the directory away, or puts something else in its place.
const TAKEN: ReadFlags = ReadFlags::DELETE.union(ReadFlags::MOVED_FROM).union(ReadFlags::MOVED_TO);

/// What takes the directory itself away, after which nothing more is heard.
const LOST: ReadFlags =
    ReadFlags::DELETE_SELF.union(ReadFlags::MOVE_SELF).union(ReadFlags::UNMOUNT).union(ReadFlags::IGNORED);

/// Room for some dozens of events: one of the ring takes 32 bytes, and those of other names 272 at most.
const BUFFER: usize = 4096;

/// Watches one directory.
#[derive(Debug)]
pub(super) struct Watch(AsyncFd<OwnedFd>);

impl Watch {
    /// To be called inside the runtime.
    #[expect(unsafe_code, reason = "the runtime has to be promised that a descriptor stays what it is")]
    pub(super) fn begin(directory: &Path) -> io::Result<Watch> {
        let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        inotify::add_watch(&watch, directory, WATCHED).map_err(|error| match error {
            // This is not about the disk.
            Errno::NOSPC => io::Error::other("as many files are watched as the system allows"),
            error => error.into(),
        })?;
        // SAFETY: the descriptor is ours, so it stays open and the same until what is made here is dropped.
        let watch = unsafe { AsyncFd::register_with_interest(watch, Interest::READABLE) };
        Ok(Watch(watch.map_err(io::Error::from)?))
    }

    /// Waits until something is told, and gives all that is told by then. Whatever keeps it from being heard counts as a
    /// removal: then nothing more would be.
    pub(super) async fn told(&self) -> Told {
        loop {
            let Ok(mut ready) = self.0.readable().await else { return Told::TakenDown };
            match self.read() {
                Ok(Some(told)) => return told,
                Ok(None) => ready.clear_ready(),
                Err(_) => return Told::TakenDown,
            }
        }
    }

    /// Everything that was told and not read.
    fn read(&self) -> io::Result<Option<Told>> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut events = Reader::new(self.0.get_ref(), &mut buffer);
        let mut all = None;
        loop {
            match events.next() {
                Ok(event) => {
                    let of_the_bell =
                        event.file_name().is_some_and(|name| name.to_bytes() == RING.as_bytes());
                    let taken = event.events().intersects(TAKEN) && of_the_bell;
                    if taken || event.events().intersects(LOST) {
                        all = Some(Told::TakenDown);
                    }
                    all = all.or(Some(Told::Ring));
                }
                Err(Errno::AGAIN) => return Ok(all),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
