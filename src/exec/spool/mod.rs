//! What the work of a run has written. A [`Spool`] is written by the guard of a command, and by the sidecar for an agent;
//! of work that a window does itself the sidecar writes each part where its row says. Everyone who may read the state
//! directory reads it, also while it grows.

mod writer;

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{TAIL_BYTES, private};

pub use writer::Spool;

/// A part of a spool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// The bytes. A character may be cut at either end.
    pub data: Vec<u8>,
    /// Where the next part begins: the offset that was asked for, plus the length of `data`.
    pub next_offset: u64,
    /// How many bytes the spool held when this part was read.
    pub size: u64,
}

/// A spool that is read part by part. Once it has been found it can be read to its end, also if its name goes.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: Option<File>,
}

impl Reader {
    /// A reader of this spool, which need not exist yet.
    pub fn of(path: &Path) -> Self {
        Reader { path: path.to_owned(), file: None }
    }

    /// Reads at most `limit` bytes from `offset` on. A spool that does not exist (yet) is an empty one.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn read(&mut self, offset: u64, limit: usize) -> io::Result<Chunk> {
        if self.file.is_none() {
            self.file = match open_to_read(&self.path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        }
        let Some(file) = &mut self.file else { return Ok(Chunk { next_offset: offset, ..Chunk::default() }) };
        let size = file.metadata()?.len();
        let mut data = Vec::new();
        if offset < size {
            file.seek(SeekFrom::Start(offset))?;
            file.take(limit as u64).read_to_end(&mut data)?;
        }
        let next_offset = offset + data.len() as u64;
        // It may have grown between the two looks.
        let size = if data.is_empty() { size } else { size.max(next_offset) };
        Ok(Chunk { data, next_offset, size })
    }
}

/// Reads one part of a spool, see [`Reader::read`].
///
/// # Errors
/// When the file exists and cannot be read.
pub fn read(path: &Path, offset: u64, limit: usize) -> io::Result<Chunk> {
    Reader::of(path).read(offset, limit)
}

/// When something was written last, in milliseconds since the Unix epoch by the clock of the file system, and how many
/// bytes a spool holds. Nothing where that cannot be told.
pub fn last_write(path: &Path) -> Option<(i64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((i64::try_from(since.as_millis()).ok()?, metadata.len()))
}

/// What becomes of what a spool holds when it is opened for writing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// It goes.
    Anew,
    /// It stays.
    AsItIs,
}

/// Opens a file beside the outputs of runs, or one of them, for reading.
///
/// # Errors
/// When it cannot be read, or something else stands in its place.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    private::open(OpenOptions::new().read(true), path)
}

/// Opens a spool for writing, and makes it if it is not there: mode 0600, and 0700 the directories that lead to it.
pub(super) fn open_to_write(path: &Path, begin: Begin) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        private::make_directory(directory)?;
    }
    private::open_at_once(OpenOptions::new().write(true).create(true).truncate(begin == Begin::Anew), path)
}

/// Writes a part at this offset, which becomes the last one: what was written there or after it by somebody who could
/// not say so goes.
///
/// # Errors
/// When it cannot be written; then the spool is to be read up to `offset` only.
pub fn write_at(path: &Path, offset: u64, data: &[u8]) -> io::Result<()> {
    let mut file = open_to_write(path, Begin::AsItIs)?;
    if file.metadata()?.len() > offset {
        file.set_len(offset)?;
    }
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(data)
}

/// The last [`TAIL_BYTES`] bytes of a spool as text. A spool that does not exist (yet) is an empty one.
///
/// # Errors
/// When the file exists and cannot be read.
pub fn tail(path: &Path) -> io::Result<String> {
    let size = read(path, 0, 0)?.size;
    let start = size.saturating_sub(TAIL_BYTES as u64);
    Ok(tail_text(&read(path, start, TAIL_BYTES)?.data))
}

/// The end of an output as text of at most [`TAIL_BYTES`] bytes: bytes that are no UTF-8 become U+FFFD, and
/// a character that the cut went through is left out.
pub(super) fn tail_text(bytes: &[u8]) -> String {
    let cut = bytes.len().saturating_sub(TAIL_BYTES);
    let bytes = &bytes[cut..];
    let whole = if bytes.len() == TAIL_BYTES {
        // At most three bytes at the start can be the rest of a character that began before the cut.
        let rest = bytes.iter().take(3).take_while(|byte| (**byte & 0b1100_0000) == 0b1000_0000).count();
        &bytes[rest..]
    } else {
        bytes
    };
    let text = String::from_utf8_lossy(whole);
    // A replacement character is longer than the byte it stands for.
    let mut start = text.len().saturating_sub(TAIL_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_begins_with_a_whole_character() {
        let long = "ä".repeat(TAIL_BYTES);
        let tail = tail_text(&long.as_bytes()[1..]);
        assert_eq!(tail.len(), TAIL_BYTES);
        let odd = format!("{}x", "ä".repeat(TAIL_BYTES));
        let tail = tail_text(odd.as_bytes());
        assert_eq!(tail.len(), TAIL_BYTES - 1);
        assert!(tail.starts_with('ä') && tail.ends_with('x'));
    }

    #[test]
    fn a_tail_of_garbage_is_text_within_the_bound() {
        let tail = tail_text(&[0xff; 3 * TAIL_BYTES]);
        assert!(tail.len() <= TAIL_BYTES && tail.len() > TAIL_BYTES - 3, "{}", tail.len());
        assert!(tail.chars().all(|c| c == '\u{fffd}'));
        assert_eq!(tail_text(b"\x80 short"), "\u{fffd} short", "nothing was cut, so nothing is left out");
    }

    #[test]
    fn what_is_written_at_an_offset_is_the_last_part() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("runs/run_1/output.log");
        write_at(&path, 0, b"0123456789").unwrap();
        write_at(&path, 4, b"abc").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"0123abc");
        write_at(&path, 7, b"").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"0123abc");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn reading_past_the_end_or_before_the_beginning_is_empty() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("output.log");
        assert_eq!(read(&path, 7, 100).unwrap(), Chunk { data: vec![], next_offset: 7, size: 0 });
        assert_eq!(tail(&path).unwrap(), "");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read(&path, 3, 4).unwrap(), Chunk { data: b"3456".to_vec(), next_offset: 7, size: 10 });
        assert_eq!(read(&path, 7, 100).unwrap(), Chunk { data: b"789".to_vec(), next_offset: 10, size: 10 });
        assert_eq!(read(&path, 12, 100).unwrap(), Chunk { data: vec![], next_offset: 12, size: 10 });
        assert_eq!(tail(&path).unwrap(), "0123456789");
    }
}
