//! Where somebody types: what came in can be looked at without waiting for it, and forgotten.

use std::io;

#[cfg(unix)]
pub(super) use unix::Keyboard;
#[cfg(windows)]
pub(super) use windows::Keyboard;

#[cfg(unix)]
mod unix {
    use std::os::fd::{AsFd, OwnedFd};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::{QueueSelector, tcflush};

    use super::io;

    /// The most that is taken together; a terminal gives no longer line.
    const TOGETHER: usize = 4096;

    /// See the module.
    pub(crate) struct Keyboard(OwnedFd);

    impl Keyboard {
        pub(crate) fn of_stdin() -> io::Result<Keyboard> {
            Ok(Keyboard::of(io::stdin().as_fd().try_clone_to_owned()?))
        }

        pub(crate) fn of(typed: OwnedFd) -> Keyboard {
            Keyboard(typed)
        }

        /// Waits until something has come in; a terminal hands it over by the line.
        pub(crate) fn wait(&self) -> io::Result<()> {
            self.has_come_in(None).map(drop)
        }

        /// What has come in, nothing at the end; `None` if there is nothing yet.
        pub(crate) fn take(&self) -> io::Result<Option<Vec<u8>>> {
            if !self.has_come_in(Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? {
                return Ok(None);
            }
            let mut bytes = vec![0; TOGETHER];
            let read = rustix::io::retry_on_intr(|| rustix::io::read(&self.0, &mut *bytes))?;
            bytes.truncate(read);
            Ok(Some(bytes))
        }

        /// What has come in and was not taken is nobody's any more, also a line that has only been begun.
        pub(crate) fn forget(&self) {
            // What is no terminal holds nothing that was typed.
            let _ = tcflush(&self.0, QueueSelector::IFlush);
        }

        fn has_come_in(&self, within: Option<&Timespec>) -> io::Result<bool> {
            let wanted = || [PollFd::new(&self.0, PollFlags::IN)];
            Ok(rustix::io::retry_on_intr(|| poll(&mut wanted(), within))? > 0)
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::sync::{Mutex, PoisonError};

    use super::io;

    /// See the module. A console can only be waited for by reading, so that what has come in is kept here.
    pub(crate) struct Keyboard(Mutex<Option<Vec<u8>>>);

    impl Keyboard {
        pub(crate) fn of_stdin() -> io::Result<Keyboard> {
            Ok(Keyboard(Mutex::new(None)))
        }

        /// Waits until a line has come in.
        pub(crate) fn wait(&self) -> io::Result<()> {
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(line.into_bytes());
            Ok(())
        }

        /// What has come in, nothing at the end; `None` if there is nothing yet.
        pub(crate) fn take(&self) -> io::Result<Option<Vec<u8>>> {
            Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).take())
        }

        /// What has come in and was not taken is nobody's any more.
        pub(crate) fn forget(&self) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}
