//! The lines that an agent writes. One that is too long is skipped without being kept.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::coop::consume_budget;

use super::bounds::LINE_BYTES;

/// How much is read at once: what a pipe holds.
const READ_BYTES: usize = 64 * 1024;

pub(super) struct Lines<R> {
    reader: R,
    longest: usize,
    buffer: Vec<u8>,
    /// Where the next line begins.
    begin: usize,
    /// Up to where there is no end of a line.
    searched: usize,
    line: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Kept,
    /// Its beginning has gone.
    Skipped,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its end.
    Whole(Vec<u8>),
    TooLong,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn of(reader: R) -> Self {
        Self::at_most(reader, LINE_BYTES)
    }

    fn at_most(reader: R, longest: usize) -> Self {
        Lines { reader, longest, buffer: Vec::new(), begin: 0, searched: 0, line: State::Kept }
    }

    /// The next line; none at the end. A last line without an end is one. Can be given up without losing anything.
    ///
    /// One read may bring tens of thousands of lines, and an agent may write without end. So each line counts as work: whoever
    /// has heard enough of them lets everybody else have a turn.
    ///
    /// # Errors
    /// When nothing can be read.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        consume_budget().await;
        loop {
            if let Some(line) = self.take() {
                return Ok(Some(line));
            }
            if self.buffer.len() > self.longest {
                self.line = State::Skipped;
                self.buffer = Vec::new();
                self.searched = 0;
            }
            self.buffer.reserve(READ_BYTES);
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(self.last());
            }
        }
    }

    fn take(&mut self) -> Option<Line> {
        match self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
            Some(length) => {
                let end = self.searched + length;
                let line = self.line_up_to(end);
                self.begin = end + 1;
                self.searched = self.begin;
                Some(line)
            }
            None => {
                self.buffer.drain(..self.begin);
                self.begin = 0;
                self.searched = self.buffer.len();
                None
            }
        }
    }

    fn last(&mut self) -> Option<Line> {
        let rest = self.begin < self.buffer.len() || self.line == State::Skipped;
        rest.then(|| {
            let line = self.line_up_to(self.buffer.len());
            self.buffer = Vec::new();
            (self.begin, self.searched) = (0, 0);
            line
        })
    }

    fn line_up_to(&mut self, end: usize) -> Line {
        let kept = std::mem::replace(&mut self.line, State::Kept) == State::Kept;
        match kept && end - self.begin <= self.longest {
            true => Line::Whole(self.buffer[self.begin..end].to_vec()),
            false => Line::TooLong,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    async fn lines_of(text: &[u8], longest: usize, pipe: usize) -> Vec<Line> {
        let (mut writer, reader) = tokio::io::duplex(pipe);
        let mut lines = Lines::at_most(reader, longest);
        let write = async move { writer.write_all(text).await.unwrap() };
        let read = async {
            let mut read = Vec::new();
            while let Some(line) = lines.next().await.unwrap() {
                read.push(line);
            }
            read
        };
        tokio::join!(write, read).1
    }

    #[tokio::test]
    async fn lines_are_the_same_however_they_are_cut() {
        for pipe in [1, 2, 3, 5, 64, 4096] {
            let lines = lines_of(b"one\n\ntwo three\r\nlast", 100, pipe).await;
            assert_eq!(lines, [whole("one"), whole(""), whole("two three\r"), whole("last")], "{pipe}");
        }
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_costs_itself_and_no_other() {
        for pipe in [1, 7, 4096] {
            let text = format!("{}\nshort\n{}\n{}", "x".repeat(11), "y".repeat(10), "z".repeat(1000));
            let lines = lines_of(text.as_bytes(), 10, pipe).await;
            assert_eq!(
                lines,
                [Line::TooLong, whole("short"), whole(&"y".repeat(10)), Line::TooLong],
                "{pipe}"
            );
        }
    }

    #[tokio::test]
    async fn whoever_reads_many_lines_lets_others_have_their_turn() {
        let text = "\n".repeat(READ_BYTES);
        let mut lines = Lines::of(text.as_bytes());
        let mut read = 0;
        tokio::select! {
            biased;
            () = async { while lines.next().await.unwrap().is_some() { read += 1 } } => {}
            () = std::future::ready(()) => {}
        }
        assert!(read < READ_BYTES, "all {read} lines are read at once");
    }

    #[tokio::test]
    async fn what_is_skipped_is_not_kept() {
        let (mut writer, reader) = tokio::io::duplex(1024);
        let mut lines = Lines::at_most(reader, 2048);
        let write = async {
            writer.write_all(&vec![b'x'; 1024 * 1024]).await.unwrap();
            drop(writer);
        };
        let read = async {
            assert_eq!(lines.next().await.unwrap(), Some(Line::TooLong));
            assert!(lines.buffer.capacity() < 4 * READ_BYTES, "{}", lines.buffer.capacity());
        };
        tokio::join!(write, read);
    }
}
