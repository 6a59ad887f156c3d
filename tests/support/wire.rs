//! Reads what a sidecar writes, strictly: anything that is not the protocol is noise, and noise fails a test.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::SyncSender;

use serde_json::Value;
use serde_json::value::RawValue;

/// How messages are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Lines,
    Headers,
}

pub(crate) const BOTH: [Framing; 2] = [Framing::Lines, Framing::Headers];

impl Framing {
    /// A message as it is sent.
    pub(crate) fn frame(self, message: &str) -> String {
        match self {
            Framing::Lines => format!("{message}\n"),
            Framing::Headers => format!("Content-Length: {}\r\n\r\n{message}", message.len()),
        }
    }
}

/// What came out of a sidecar.
pub(crate) enum Heard {
    /// A message, and its id exactly as it was written, if it has one.
    Message { id: Option<String>, message: Value, bytes: usize },
    /// The answer to a batch.
    Batch { answers: Vec<Value>, bytes: usize },
    /// Something that is no protocol.
    Noise(String),
    /// The output has ended; inside a message if there is a rest.
    End { rest: Vec<u8> },
}

/// Reads until the output ends or nobody listens any more.
pub(crate) fn listen(output: impl Read, framing: Framing, heard: &SyncSender<Heard>) {
    let mut output = BufReader::new(output);
    loop {
        let next = match framing {
            Framing::Lines => next_line(&mut output),
            Framing::Headers => next_with_header(&mut output),
        };
        let last = matches!(next, Heard::End { .. } | Heard::Noise(_));
        if heard.send(next).is_err() || last {
            return;
        }
    }
}

fn next_line(output: &mut impl BufRead) -> Heard {
    let mut line = Vec::new();
    output.read_until(b'\n', &mut line).expect("stdout can be read");
    match line.strip_suffix(b"\n") {
        Some(message) => read(message),
        None => Heard::End { rest: line },
    }
}

fn next_with_header(output: &mut impl BufRead) -> Heard {
    let mut header = Vec::new();
    output.read_until(b'\n', &mut header).expect("stdout can be read");
    if !header.ends_with(b"\n") {
        return Heard::End { rest: header };
    }
    let text = String::from_utf8_lossy(&header).into_owned();
    let digits = text.strip_prefix("Content-Length: ").and_then(|rest| rest.strip_suffix("\r\n"));
    let Some(length) = digits.and_then(|digits| digits.parse::<usize>().ok()) else {
        return Heard::Noise(format!("instead of `Content-Length: N`: {text:?}"));
    };
    let mut rest = vec![0; 2 + length];
    let mut filled = 0;
    while filled < rest.len() {
        match output.read(&mut rest[filled..]).expect("stdout can be read") {
            0 => return Heard::End { rest: rest[..filled].to_vec() },
            count => filled += count,
        }
    }
    match rest.strip_prefix(b"\r\n") {
        Some(message) => read(message),
        None => Heard::Noise(format!("a second header: {:?}", String::from_utf8_lossy(&rest))),
    }
}

/// Emacs and pygls refuse messages with any other member.
const MEMBERS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

fn read(bytes: &[u8]) -> Heard {
    if !bytes.starts_with(b"[") {
        return read_one(bytes);
    }
    let Ok(entries) = serde_json::from_slice::<Vec<&RawValue>>(bytes) else {
        return Heard::Noise(format!("no JSON: {:?}", String::from_utf8_lossy(bytes)));
    };
    let mut answers = Vec::new();
    for entry in &entries {
        match read_one(entry.get().as_bytes()) {
            Heard::Message { id: Some(_), message, .. } => answers.push(message),
            Heard::Noise(noise) => return Heard::Noise(noise),
            Heard::Message { id: None, .. } | Heard::Batch { .. } | Heard::End { .. } => {
                return Heard::Noise(format!("a batch with {entry}"));
            }
        }
    }
    match answers.is_empty() {
        true => Heard::Noise("a batch of nothing".to_owned()),
        false => Heard::Batch { answers, bytes: bytes.len() },
    }
}

fn read_one(bytes: &[u8]) -> Heard {
    #[derive(serde::Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }
    let noise = |why: &str| Heard::Noise(format!("{why}: {:?}", String::from_utf8_lossy(bytes)));
    let Ok(message) = serde_json::from_slice::<Value>(bytes) else { return noise("no JSON") };
    let Some(members) = message.as_object() else { return noise("no object") };
    if members.keys().any(|name| !MEMBERS.contains(&name.as_str())) || message["jsonrpc"] != "2.0" {
        return noise("members that do not belong there");
    }
    let is_answer = members.contains_key("id");
    let sound = match is_answer {
        true => members.contains_key("result") != members.contains_key("error") && members.len() == 3,
        false => members.contains_key("method") && members.contains_key("params") && members.len() == 3,
    };
    if !sound {
        return noise("neither an answer nor a notification");
    }
    let id = is_answer.then(|| {
        let envelope: Envelope<'_> = serde_json::from_slice(bytes).expect("an envelope");
        envelope.id.map_or_else(|| "null".to_owned(), |id| id.get().to_owned())
    });
    Heard::Message { id, message, bytes: bytes.len() }
}
