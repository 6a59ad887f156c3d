//! What a client sent, byte for byte but for what is different each time: identities, paths, and with them the
//! lengths in the headers.

use std::path::PathBuf;
use std::process::Command;

use crate::editor::at;
use crate::support::{Place, program};

/// A message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The headers, as the client writes them, with the empty line.
    head: String,
    pub(crate) body: String,
}

impl Frame {
    /// The messages in these bytes, which have to be whole.
    pub(crate) fn all(mut bytes: &str) -> Vec<Frame> {
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let end = bytes.find("\r\n\r\n").unwrap_or_else(|| panic!("no headers in {bytes:?}")) + 4;
            let (head, rest) = bytes.split_at(end);
            let (body, rest) = rest.split_at(length(head).parse().unwrap());
            frames.push(Frame { head: head.to_owned(), body: body.to_owned() });
            bytes = rest;
        }
        frames
    }

    /// The same with another body.
    pub(crate) fn with(&self, body: String) -> Frame {
        let head = self.head.replacen(length(&self.head), &body.len().to_string(), 1);
        Frame { head, body }
    }

    pub(crate) fn bytes(&self) -> String {
        format!("{}{}", self.head, self.body)
    }
}

/// The digits of the length that headers tell.
fn length(head: &str) -> &str {
    let line = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    line.unwrap_or_else(|| panic!("no length in {head:?}"))
}

/// What the place and the process of a client are called in what is kept, and how it may write them: some write
/// addresses, and some put a backslash before each slash.
pub(crate) fn names(place: &Place, pid: u32) -> Vec<(&'static str, String)> {
    let path = place.project().display().to_string();
    let address = path.replace(' ', "%20");
    let escaped = |text: &str| text.replace('/', r"\/");
    // Longer ones first: none is a part of one that comes after it.
    vec![
        (r"«project%20\/»", escaped(&address)),
        (r"«project\/»", escaped(&path)),
        ("«project%20»", address),
        ("«project»", path),
        (r#""processId":«pid»"#, format!(r#""processId":{pid}"#)),
        (r#""processId": «pid»"#, format!(r#""processId": {pid}"#)),
    ]
}

/// The beginnings of identities that the sidecar gives.
pub(crate) const IDENTITIES: [&str; 2] = ["atm_", "run_"];

/// The identities of this kind in a text, each once, in the order in which they are first named.
pub(crate) fn identities(text: &str, kind: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(kind) {
        let rest = &text[at..];
        let end = rest.find('"').unwrap_or(rest.len());
        if !found.contains(&rest[..end].to_owned()) {
            found.push(rest[..end].to_owned());
        }
    }
    found
}

/// What the first, the second and so on identity of a kind is called.
pub(crate) fn placeholder(kind: &str, index: usize) -> String {
    format!("«{kind}{}»", index + 1)
}

/// Where it is kept what a client sends.
pub(crate) fn file(name: &str) -> PathBuf {
    at("tests/real_clients/sent").join(name).with_extension("txt")
}

/// A recording of one conversation.
pub(crate) struct Recording {
    bytes: PathBuf,
}

impl Recording {
    /// Has a listener stand between the client that this command starts and its sidecar, if that was asked for.
    pub(crate) fn if_wanted(place: &Place, command: &mut Command) -> Option<Recording> {
        /// The sidecar is the process that the client has started, so that its end is seen as it is; nothing else
        /// has what it writes to.
        const LISTENER: &str =
            "#!/usr/bin/env bash\nexec \"$LISTENED_TO\" \"$@\" < <(tee \"$SENT\" 2>/dev/null)\n";
        #[expect(clippy::disallowed_methods, reason = "recording is asked for by whoever runs the tests")]
        std::env::var_os("SEXTON_RECORD")?;
        let (bytes, listener) = (place.beside("sent"), place.beside("listener"));
        program::write(&listener, LISTENER);
        command
            .env("LISTENED_TO", env!("CARGO_BIN_EXE_sexton"))
            .env("SENT", &bytes)
            .env("SEXTON_BIN", listener);
        Some(Recording { bytes })
    }

    /// Keeps what was sent.
    pub(crate) fn keep(self, name: &str, place: &Place, pid: u32) {
        let mut sent = std::fs::read_to_string(self.bytes).unwrap();
        let before = Frame::all(&sent);
        for kind in IDENTITIES {
            for (index, identity) in identities(&sent, kind).iter().enumerate() {
                sent = sent.replace(identity, &placeholder(kind, index));
            }
        }
        for (name, text) in names(place, pid) {
            sent = sent.replace(&text, name);
        }
        // The headers still tell how long the bodies were.
        let mut rest = &*sent;
        let mut kept = String::new();
        for frame in before {
            rest = rest.strip_prefix(&*frame.head).unwrap();
            let end = rest.find("Content-Length: ").unwrap_or(rest.len());
            kept += &frame.with(rest[..end].to_owned()).bytes();
            rest = &rest[end..];
        }
        std::fs::write(file(name), kept).unwrap();
    }
}
