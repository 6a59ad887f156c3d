//! What is written while work goes on: spooled up to a limit, its end remembered, the rest thrown away.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::super::{OutputSize, TAIL_BYTES};
use super::{Begin, open_to_write, tail_text};

/// How often a spool is marked: a limit of silence is a second at least.
const MARK_EVERY: Duration = Duration::from_millis(250);

/// The writing side of a spool. Nothing that goes wrong here stops the work. Each call may wait for the disk.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: File,
    /// How many more bytes may be written.
    room: u64,
    size: OutputSize,
    /// When it was last marked that something was thrown away.
    marked_at: Option<Instant>,
    /// The end of the output, between one and two times what is asked for, so that it is seldom moved.
    end: Vec<u8>,
}

impl Spool {
    /// Begins an empty one, of at most `limit` bytes. The file has the mode 0600; missing directories that lead to it are
    /// made with the mode 0700.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path, limit: u64) -> io::Result<Self> {
        let file = open_to_write(path, Begin::Anew)?;
        let (size, end) = (OutputSize::default(), Vec::new());
        Ok(Self { path: path.to_owned(), file, room: limit, size, marked_at: None, end })
    }

    /// Takes the next part: writes what there is room for, and remembers the end of it all.
    pub fn take(&mut self, bytes: &[u8]) {
        if self.end.len() + bytes.len() > 2 * TAIL_BYTES {
            let kept = self.end.len().min(TAIL_BYTES);
            self.end.drain(..self.end.len() - kept);
        }
        self.end.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);

        let fits = usize::try_from(self.room).map_or(bytes.len(), |room| room.min(bytes.len()));
        if fits < bytes.len() {
            self.size.truncated = true;
            self.mark();
        }
        let mut rest = &bytes[..fits];
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(written) if written > 0 => {
                    rest = &rest[written..];
                    self.size.bytes += written as u64;
                    self.room -= written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) => self.give_up(&io::ErrorKind::WriteZero.into(), &mut rest),
                Err(error) => self.give_up(&error, &mut rest),
            }
        }
    }

    /// Tells of a sign of life that is not written, because it is no output or because it is thrown away: whether work
    /// is silent is seen from when its spool was written last.
    pub fn mark(&mut self) {
        let now = now();
        if self.marked_at.is_none_or(|marked_at| now - marked_at >= MARK_EVERY) {
            self.marked_at = Some(now);
            // Where it cannot be marked, work that says much is taken for silent: there is nothing better.
            let _ = self.file.set_modified(wall_clock());
        }
    }

    /// After a failed write nothing more is written, even if there should be room again: a spool with a hole
    /// in it would be read as if it had none.
    fn give_up(&mut self, error: &io::Error, rest: &mut &[u8]) {
        *rest = &[];
        self.room = 0;
        self.size.truncated = true;
        self.size.write_error = Some(format!(
            "the output could not be written to {} after {} bytes: {error}; the work went on, the rest of its \
             output is lost; make room there",
            self.path.display(),
            self.size.bytes,
        ));
    }

    /// The end of everything that was taken, also of what is not in the file, and the size of the file.
    pub fn finish(self) -> (String, OutputSize) {
        (tail_text(&self.end), self.size)
    }
}

#[expect(clippy::disallowed_methods, reason = "how often a file is marked is a span; nothing depends on it")]
fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file is marked with the time as the file system itself would mark it"
)]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_to_the_byte_and_the_tail_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/output.log");
        let mut spool = Spool::create(&path, 10).unwrap();
        spool.take(b"12345");
        spool.take(b"67890");
        assert!(!spool.size.truncated, "exactly full is whole");
        spool.take(b"abc");
        let (tail, size) = spool.finish();
        assert_eq!((tail.as_str(), size.bytes, size.truncated), ("1234567890abc", 10, true));
        assert_eq!(std::fs::read(&path).unwrap(), b"1234567890");
    }

    #[test]
    fn what_is_thrown_away_is_a_sign_of_life() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("output.log");
        let mut spool = Spool::create(&path, 4).unwrap();
        spool.take(b"full");
        spool.file.set_modified(std::time::UNIX_EPOCH).unwrap();
        spool.take(b"more");
        let (at, bytes) = crate::exec::spool::last_write(&path).unwrap();
        assert!(at > 0 && bytes == 4, "{at}, {bytes}");
    }

    #[test]
    fn the_end_is_the_same_however_the_output_was_cut() {
        let text: String = (0..5000).map(|n| format!("{n}\n")).collect();
        let expected = &text[text.len() - TAIL_BYTES..];
        for step in [1, 7, TAIL_BYTES - 1, TAIL_BYTES, TAIL_BYTES + 1, 3 * TAIL_BYTES, text.len()] {
            let directory = tempfile::tempdir().unwrap();
            let mut spool = Spool::create(&directory.path().join("output.log"), 0).unwrap();
            for part in text.as_bytes().chunks(step) {
                spool.take(part);
            }
            assert_eq!(spool.finish().0, expected, "in parts of {step}");
        }
    }
}
