//! The messages that a scripted agent receives, and the lines that it writes.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How many messages wait at most; then whoever writes them waits. An agent that does nothing else receives none.
const WAITING: usize = 64;

/// How the process ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Over {
    Exit(u8),
    Signal(i32),
}

pub(crate) struct Inbox {
    messages: Receiver<Value>,
    log: Option<File>,
}

/// What comes of waiting for a message.
pub(crate) enum Received {
    Message(Value),
    TimedOut,
    /// Stdin has ended.
    End,
}

impl Inbox {
    pub(crate) fn open(log: Option<&Path>) -> Inbox {
        let (sender, messages) = sync_channel(WAITING);
        let read = move || {
            for line in io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                let message = serde_json::from_str(&line).expect("a client sends messages only");
                if sender.send(message).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("stdin".to_owned()).spawn(read).unwrap();
        let log = log.map(|path| OpenOptions::new().create(true).append(true).open(path).unwrap());
        let mut inbox = Inbox { messages, log };
        let cwd = std::env::current_dir().unwrap();
        let environment: serde_json::Map<String, Value> =
            std::env::vars().map(|(name, value)| (name, json!(value))).collect();
        inbox.note(&json!({"started": {"pid": std::process::id(), "cwd": cwd, "environment": environment}}));
        inbox
    }

    fn note(&mut self, line: &Value) {
        if let Some(log) = &mut self.log {
            // In one piece, so that whoever looks sees whole lines.
            log.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }

    /// The next message, until then at most.
    pub(crate) fn receive(&mut self, until: Option<Instant>) -> Received {
        let received = match until {
            Some(until) => {
                let span = until.saturating_duration_since(now());
                self.messages.recv_timeout(span)
            }
            None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(message) => {
                self.note(&message);
                Received::Message(message)
            }
            Err(RecvTimeoutError::Timeout) => Received::TimedOut,
            Err(RecvTimeoutError::Disconnected) => Received::End,
        }
    }
}

pub(crate) fn in_ms(span: u64) -> Instant {
    now() + Duration::from_millis(span)
}

#[expect(clippy::disallowed_methods, reason = "an agent has a clock of its own")]
fn now() -> Instant {
    Instant::now()
}

/// Writes a message. Nobody may be there to read it.
pub(crate) fn send(message: &Value) -> Result<(), Over> {
    write_line(&message.to_string())
}

pub(crate) fn write_line(line: &str) -> Result<(), Over> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|_| Over::Exit(0))
}
