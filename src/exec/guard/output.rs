//! What a guard reads of a process, into a spool.

use std::io::PipeReader;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;

use super::super::spool::Spool;

/// As much as one read takes before the guard looks again at what else there is.
const PIPES_WORTH: usize = 64 * 1024;

/// The most that is read when nothing is left that could write: a pipe cannot hold more, by default.
const LAST_BYTES: usize = 1024 * 1024;

/// What processes write into a pipe, and the spool that it is read into.
pub(super) struct Output {
    /// `None` when nobody holds the writing end any more.
    pipe: Option<PipeReader>,
    spool: Spool,
}

impl Output {
    pub(super) fn new(pipe: PipeReader, spool: Spool) -> Self {
        Self { pipe: Some(pipe), spool }
    }

    /// What tells when there is something to read; nothing if there never will be.
    pub(super) fn readable(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Spools what is there, but not so much that others would have to wait for it.
    pub(super) fn read(&mut self) {
        self.read_up_to(PIPES_WORTH);
    }

    /// Spools what is left in the pipe, and gives the spool back.
    pub(super) fn finish(mut self) -> Spool {
        self.read_up_to(LAST_BYTES);
        self.spool
    }

    fn read_up_to(&mut self, at_most: usize) {
        let mut buffer = [0; PIPES_WORTH];
        let mut taken = 0;
        while taken < at_most
            && let Some(pipe) = &self.pipe
        {
            match rustix::io::read(pipe, &mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    taken += count;
                    self.spool.take(&buffer[..count]);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}
