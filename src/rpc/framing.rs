//! Cuts a stream of bytes into messages, and messages into a stream of bytes.
//!
//! Two framings are told apart by the first byte that is neither white space nor a byte order mark: a letter
//! begins language-server headers, anything else one JSON value per line.

use std::io::{self, BufRead, ErrorKind, Write};

/// How messages are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length: N`, an empty line, N bytes.
    Headers,
    /// One JSON value per line.
    Lines,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message.
    Message {
        /// Its bytes, not yet looked at.
        bytes: Vec<u8>,
        /// Whether its end was marked, or only the end of the input.
        ending: Ending,
    },
    /// A message that is longer than allowed. It was skipped without being kept in memory.
    TooLarge {
        /// Whether its end was marked, or only the end of the input.
        ending: Ending,
    },
    /// A header block that cannot be understood. Nothing after it can be told apart.
    Unreadable {
        /// What is wrong with it.
        why: String,
    },
    /// The input has ended.
    End(Border),
}

/// How the end of a message was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was marked.
    Marked,
    /// The input ended.
    EndOfInput,
}

/// Where the input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Between two messages.
    BetweenMessages,
    /// Inside a message.
    InsideMessage,
}

/// The longest header line, in bytes; real ones have 30 to 80.
const HEADER_LINE_MAX: usize = 4096;

/// The most header lines in a block; real ones have one or two.
const HEADER_LINES_MAX: usize = 64;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads messages.
pub struct FrameReader<R> {
    input: R,
    framing: Option<Framing>,
    /// The beginning of a message that could have been a byte order mark, and was none.
    begun: &'static [u8],
}

impl<R: BufRead> FrameReader<R> {
    /// Reads from here.
    pub fn new(input: R) -> Self {
        FrameReader { input, framing: None, begun: &[] }
    }

    /// The framing that is spoken, once the first byte has told.
    pub fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// The next message of at most `limit` bytes. The limit is asked for when the message begins, not while it
    /// is waited for: the client may have lowered it by then. After [`Frame::Unreadable`] and [`Frame::End`]
    /// nothing follows.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_frame(&mut self, limit: impl FnOnce() -> usize) -> io::Result<Frame> {
        let Some(first) = self.skip_blank()? else { return Ok(Frame::End(Border::BetweenMessages)) };
        let limit = limit();
        let framing = *self.framing.get_or_insert(match first.is_ascii_alphabetic() {
            true => Framing::Headers,
            false => Framing::Lines,
        });
        match framing {
            Framing::Headers => self.next_with_headers(limit),
            Framing::Lines => self.next_line(limit),
        }
    }

    /// Skips white space and byte order marks, and gives the byte that follows without taking it.
    fn skip_blank(&mut self) -> io::Result<Option<u8>> {
        loop {
            let Some(first) = fill(&mut self.input)?.first().copied() else { return Ok(None) };
            match first {
                b' ' | b'\t' | b'\r' | b'\n' => self.input.consume(1),
                _ if first == BYTE_ORDER_MARK[0] => match self.skip_mark()? {
                    BYTE_ORDER_MARK => {}
                    begun => {
                        self.begun = begun;
                        return Ok(Some(first));
                    }
                },
                _ => return Ok(Some(first)),
            }
        }
    }

    /// Takes as much of a byte order mark as there is, and tells how much that was. It may come in pieces.
    fn skip_mark(&mut self) -> io::Result<&'static [u8]> {
        for (place, byte) in BYTE_ORDER_MARK.iter().enumerate() {
            if fill(&mut self.input)?.first() != Some(byte) {
                return Ok(&BYTE_ORDER_MARK[..place]);
            }
            self.input.consume(1);
        }
        Ok(BYTE_ORDER_MARK)
    }

    fn next_line(&mut self, limit: usize) -> io::Result<Frame> {
        let (line, ending) = match self.read_line(limit)? {
            Line::Whole { bytes, ending } => (bytes, ending),
            Line::TooLong { ending } => return Ok(Frame::TooLarge { ending }),
        };
        Ok(Frame::Message { bytes: line, ending })
    }

    fn next_with_headers(&mut self, limit: usize) -> io::Result<Frame> {
        let unreadable = |why: String| Ok(Frame::Unreadable { why });
        let mut length: Option<u64> = None;
        for _ in 0..HEADER_LINES_MAX {
            let line = match self.read_line(HEADER_LINE_MAX)? {
                Line::Whole { ending: Ending::EndOfInput, .. } => {
                    return Ok(Frame::End(Border::InsideMessage));
                }
                Line::Whole { bytes, ending: Ending::Marked } => bytes,
                Line::TooLong { .. } => {
                    return unreadable(format!("a header is over {HEADER_LINE_MAX} bytes long"));
                }
            };
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                let Some(length) = length else {
                    return unreadable("the headers have no `Content-Length`".to_owned());
                };
                return self.body(length, limit);
            }
            let Some((name, value)) = line.split_once(':') else {
                return unreadable(format!("the header {line:?} has no colon"));
            };
            // A message without headers may have a colon too; its name has quotes and brackets.
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if !name.trim().bytes().all(is_name) {
                return unreadable(format!("{name:?} is no name of a header"));
            }
            if name.trim().eq_ignore_ascii_case("content-length") {
                let value = value.trim();
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                match value.parse() {
                    Ok(value) if digits && length.is_none_or(|length| length == value) => {
                        length = Some(value);
                    }
                    Ok(_) | Err(_) => return unreadable(format!("`Content-Length: {value}` is no length")),
                }
            }
        }
        unreadable(format!("a header block has more than {HEADER_LINES_MAX} lines"))
    }

    fn body(&mut self, length: u64, limit: usize) -> io::Result<Frame> {
        let fits = usize::try_from(length).ok().filter(|length| *length <= limit);
        let mut left = length;
        // The buffer grows with what really arrives, not with what a header claims.
        let mut bytes = Vec::new();
        while left > 0 {
            let available = fill(&mut self.input)?;
            if available.is_empty() {
                return Ok(Frame::End(Border::InsideMessage));
            }
            let taken = available.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if fits.is_some() {
                bytes.extend_from_slice(&available[..taken]);
            }
            self.input.consume(taken);
            left -= taken as u64;
        }
        Ok(match fits {
            Some(_) => Frame::Message { bytes, ending: Ending::Marked },
            None => Frame::TooLarge { ending: Ending::Marked },
        })
    }

    /// Reads up to and without the next line feed.
    fn read_line(&mut self, limit: usize) -> io::Result<Line> {
        let mut bytes = std::mem::take(&mut self.begun).to_vec();
        let mut too_long = bytes.len() > limit;
        loop {
            let available = fill(&mut self.input)?;
            if available.is_empty() {
                break Ok(match too_long {
                    true => Line::TooLong { ending: Ending::EndOfInput },
                    false => Line::Whole { bytes, ending: Ending::EndOfInput },
                });
            }
            let feed = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..feed.unwrap_or(available.len())];
            too_long |= bytes.len() + part.len() > limit;
            match too_long {
                true => bytes = Vec::new(),
                false => bytes.extend_from_slice(part),
            }
            let taken = part.len() + usize::from(feed.is_some());
            self.input.consume(taken);
            if feed.is_some() {
                break Ok(match too_long {
                    true => Line::TooLong { ending: Ending::Marked },
                    false => Line::Whole { bytes, ending: Ending::Marked },
                });
            }
        }
    }
}

enum Line {
    Whole { bytes: Vec<u8>, ending: Ending },
    TooLong { ending: Ending },
}

fn fill(input: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            // Whoever asked again would read again.
            Ok([]) => return Ok(&[]),
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // A borrow cannot leave a loop that might go on, so what is there is asked for again.
    input.fill_buf()
}

/// Writes one message in the framing that is spoken: with exactly one header, or on exactly one line.
///
/// # Errors
/// When the output cannot be written.
pub fn write_frame(output: &mut impl Write, framing: Framing, message: &str) -> io::Result<()> {
    match framing {
        Framing::Headers => write!(output, "Content-Length: {}\r\n\r\n{message}", message.len()),
        Framing::Lines => writeln!(output, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn frames(input: &[u8], limit: usize, capacity: usize) -> Vec<Frame> {
        let mut reader = FrameReader::new(BufReader::with_capacity(capacity, input));
        let mut frames = Vec::new();
        loop {
            let frame = reader.next_frame(|| limit).unwrap();
            let last = matches!(frame, Frame::End(_) | Frame::Unreadable { .. });
            frames.push(frame);
            if last {
                return frames;
            }
        }
    }

    fn message(text: &str) -> Frame {
        Frame::Message { bytes: text.into(), ending: Ending::Marked }
    }

    fn last_message(text: &str) -> Frame {
        Frame::Message { bytes: text.into(), ending: Ending::EndOfInput }
    }

    const TOO_LARGE: Frame = Frame::TooLarge { ending: Ending::Marked };
    const END: Frame = Frame::End(Border::BetweenMessages);
    const CUT: Frame = Frame::End(Border::InsideMessage);

    #[test]
    fn lines_with_blank_ones_between_and_no_last_feed() {
        for capacity in [1, 2, 3, 4, 5, 64] {
            let found = frames(b"\xEF\xBB\xBF\n {\"a\":1}\n\n\r\n[2]\n3", 100, capacity);
            assert_eq!(found, [message("{\"a\":1}"), message("[2]"), last_message("3"), END]);
        }
    }

    #[test]
    fn headers_in_any_case_with_bare_feeds_and_others_beside_them() {
        let input =
            b"content-length: 2\n\n{}Content-Type: x; charset=utf-8\r\nCONTENT-LENGTH:4\r\n\r\n[12]\r\n";
        for capacity in [3, 4, 5, 64] {
            assert_eq!(frames(input, 100, capacity), [message("{}"), message("[12]"), END]);
        }
    }

    #[test]
    fn what_begins_like_a_mark_and_is_none_is_a_part_of_its_message() {
        for capacity in [1, 2, 64] {
            let part = |bytes: &[u8]| Frame::Message { bytes: bytes.to_vec(), ending: Ending::Marked };
            let found = frames(b"\xEF\xBBx\n\xEF\xBB\xBF\xEF\xBB\xBF1\n\xEF\n", 100, capacity);
            assert_eq!(found, [part(b"\xEF\xBBx"), message("1"), part(b"\xEF"), END]);
        }
        assert_eq!(frames(b"\xEF\xBBx\n1\n", 1, 1), [TOO_LARGE, message("1"), END]);
    }

    #[test]
    fn the_end_of_the_input_is_read_once() {
        /// Nothing, and then somebody who should not be listened to any more.
        struct Ended(bool);
        impl io::Read for Ended {
            fn read(&mut self, _into: &mut [u8]) -> io::Result<usize> {
                match std::mem::replace(&mut self.0, true) {
                    false => Ok(0),
                    true => Err(ErrorKind::Interrupted.into()),
                }
            }
        }
        let mut reader = FrameReader::new(BufReader::new(Ended(false)));
        assert_eq!(reader.next_frame(|| 10).unwrap(), END);
    }

    #[test]
    fn a_message_over_the_limit_is_skipped_and_the_next_one_read() {
        assert_eq!(frames(b"[1234567]\n[1]\n", 5, 4), [TOO_LARGE, message("[1]"), END]);
        let input = b"Content-Length: 9\r\n\r\n[1234567]Content-Length: 3\r\n\r\n[1]";
        assert_eq!(frames(input, 5, 4), [TOO_LARGE, message("[1]"), END]);
    }

    #[test]
    fn input_that_ends_inside_a_message() {
        assert_eq!(frames(b"Content-Length: 9\r\n\r\n[12", 50, 8), [CUT]);
        assert_eq!(frames(b"Content-Length: 9\r\n", 50, 8), [CUT]);
        assert_eq!(frames(b"Content-Le", 50, 8), [CUT]);
        assert_eq!(frames(b"", 50, 8), [END]);
    }

    #[test]
    fn headers_that_say_nothing_end_the_conversation() {
        for input in [
            "GET / HTTP/1.1\r\n\r\n",
            "Content-Length: x\r\n\r\n",
            "Content-Length: +3\r\n\r\n[1]",
            "Content-Length: 99999999999999999999\r\n\r\n",
            "Content-Type: x\r\n\r\n{}",
            "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            "Content-Length: 2\r\n{\"id\": 1}\r\n\r\n{}",
        ] {
            let found = frames(input.as_bytes(), 50, 64);
            assert!(matches!(found[..], [Frame::Unreadable { .. }]), "{input:?} gave {found:?}");
        }
    }
}
