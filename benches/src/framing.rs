//! Messages with a `Content-Length` header: how they are written, and how a stream of them is cut.
//!
//! Cutting reads headers and nothing else, so that the client is never what is measured.

use std::io::{self, Read};

use crate::broken;

/// More than any pipe holds, so that one read takes all there is.
const BUFFER: usize = 256 * 1024;

const BORDER: &[u8] = b"\r\n\r\n";

/// Adds a message to what is to be written.
pub(crate) fn frame(message: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(format!("Content-Length: {}\r\n\r\n{message}", message.len()).as_bytes());
}

/// Cuts what is read into messages.
pub(crate) struct Cutter<R> {
    source: R,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
}

impl<R: Read> Cutter<R> {
    pub(crate) fn new(source: R) -> Self {
        Cutter { source, buffer: vec![0; BUFFER], from: 0, to: 0 }
    }

    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// Reads once, waiting if there is nothing.
    pub(crate) fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        if self.to == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        match self.source.read(&mut self.buffer[self.to..])? {
            0 => Err(broken("the server has ended; what it says is above")),
            count => {
                self.to += count;
                Ok(())
            }
        }
    }

    /// The next message that has been read as a whole, if there is one.
    pub(crate) fn cut(&mut self) -> io::Result<Option<&[u8]>> {
        let ahead = &self.buffer[self.from..self.to];
        let Some(header) = ahead.windows(BORDER.len()).position(|part| part == BORDER) else {
            return Ok(None);
        };
        let begin = header + BORDER.len();
        let end = begin + length(&ahead[..header])?;
        if ahead.len() < end {
            return Ok(None);
        }
        let message = self.from + begin..self.from + end;
        self.from += end;
        Ok(Some(&self.buffer[message]))
    }
}

/// The length that a header block tells.
fn length(header: &[u8]) -> io::Result<usize> {
    let lines = header.split(|byte| *byte == b'\n');
    let told = lines.filter_map(|line| line.strip_prefix(b"Content-Length: ")).next();
    let digits = told.and_then(|digits| std::str::from_utf8(digits.trim_ascii_end()).ok());
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| broken(format!("no length in {:?}", String::from_utf8_lossy(header))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes one at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn what_is_framed_is_cut_again_however_it_arrives() {
        let mut bytes = Vec::new();
        for message in ["{}", "", r#"{"text":"Content-Length: 7\r\n\r\n"}"#] {
            frame(message, &mut bytes);
        }
        let mut cutter = Cutter::new(Slowly(&bytes));
        let mut cut = Vec::new();
        while cutter.fill().is_ok() {
            while let Some(message) = cutter.cut().unwrap() {
                cut.push(String::from_utf8(message.to_vec()).unwrap());
            }
        }
        assert_eq!(cut, ["{}", "", r#"{"text":"Content-Length: 7\r\n\r\n"}"#]);
    }

    #[test]
    fn a_header_without_a_length_is_refused() {
        let mut cutter = Cutter::new(&b"Content-Type: x\r\n\r\n{}"[..]);
        cutter.fill().unwrap();
        assert!(cutter.cut().is_err());
    }
}
