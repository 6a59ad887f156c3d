//! The two pipes of an agent. What is to be said to it never keeps what it says from being read.

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::bounds::{REPLIES_BYTES, one_line};
use super::lines::{Line, Lines};
use super::message::{AgentError, Message};
use super::wire;
use crate::domain::secrets::Secrets;

/// How many lines of noise are kept for messages about failures, the last ones.
const NOISE_LINES: usize = 5;

/// The most of one such line, in characters.
const NOISE_LINE: usize = 200;

pub(super) struct Connection<R, W> {
    lines: Lines<R>,
    /// None once the agent reads nothing any more.
    stdin: Option<W>,
    /// What is to be said, and how much of it has been.
    outgoing: Vec<u8>,
    said: usize,
    last_call: i64,
    noise: Noise,
    /// What nobody is told of that which it says.
    secrets: Secrets,
}

/// Whether anything more is read of an agent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    On,
    /// What it has said is not dealt with yet; it may wait.
    Paused,
}

/// What comes of listening to an agent.
#[derive(Debug)]
pub(super) enum Heard {
    Message(Message),
    /// Something that means nothing.
    Noise,
    /// Its stdout has ended.
    Gone,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Connection<R, W> {
    pub(super) fn new(stdout: R, stdin: W, secrets: Secrets) -> Self {
        Connection {
            lines: Lines::of(stdout),
            stdin: Some(stdin),
            outgoing: Vec::new(),
            said: 0,
            last_call: 0,
            noise: Noise::default(),
            secrets,
        }
    }

    /// Calls a method. Answers which call it is, by which its answer is known.
    pub(super) fn call(&mut self, method: &str, params: &Value) -> i64 {
        self.last_call += 1;
        self.say(&wire::call(self.last_call, method, params));
        self.last_call
    }

    pub(super) fn notify(&mut self, method: &str, params: &Value) {
        self.say(&wire::notification(method, params));
    }

    /// Answers a request that was put to a person, of which there are few.
    pub(super) fn answer(&mut self, id: &RawValue, result: &Value) {
        self.say(&wire::answer(id, result));
    }

    /// Refuses a request. An agent that sends many and reads nothing is not answered beyond a bound.
    pub(super) fn refuse(&mut self, id: &RawValue, code: i64, message: &str) {
        if self.outgoing.len() - self.said < REPLIES_BYTES {
            self.say(&wire::refusal(id, code, message));
        }
    }

    fn say(&mut self, line: &[u8]) {
        if self.stdin.is_some() {
            self.outgoing.drain(..std::mem::take(&mut self.said));
            self.outgoing.extend_from_slice(line);
        }
    }

    /// The next thing that the agent says; meanwhile it is told what is to be said. Can be given up without losing
    /// anything.
    pub(super) async fn next(&mut self, reading: Reading) -> Heard {
        loop {
            let is_saying = self.stdin.is_some() && self.said < self.outgoing.len();
            tokio::select! {
                line = self.lines.next(), if reading == Reading::On => return match line {
                    Ok(Some(Line::Whole(line))) => self.understand(&line),
                    Ok(Some(Line::TooLong)) => {
                        tracing::warn!("an agent wrote a line that is too long to be read; it is skipped");
                        Heard::Noise
                    }
                    Ok(None) | Err(_) => Heard::Gone,
                },
                said = write(&mut self.stdin, &self.outgoing[self.said..]), if is_saying => match said {
                    Ok(count) if count > 0 => self.said += count,
                    // It reads nothing any more; what it still says is to be heard.
                    Ok(_) | Err(_) => {
                        self.stdin = None;
                        self.outgoing = Vec::new();
                        self.said = 0;
                    }
                },
                () = std::future::pending(), if !is_saying => {}
            }
        }
    }

    fn understand(&mut self, line: &[u8]) -> Heard {
        match Message::parse(line) {
            Some(Message::Answer { call, answer: Err(error) }) => {
                let error = AgentError {
                    message: self.secrets.hide(&error.message),
                    details: error.details.map(|details| self.secrets.hide(&details)),
                    ..error
                };
                Heard::Message(Message::Answer { call, answer: Err(error) })
            }
            Some(message) => Heard::Message(message),
            None => {
                self.noise.take(line, &self.secrets);
                Heard::Noise
            }
        }
    }

    /// What nobody is told of that which it says.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// What it wrote to its stdout that is not of the protocol, if anything, for a message about a failure.
    pub(super) fn noise(&self) -> Option<String> {
        (!self.noise.kept.is_empty()).then(|| self.noise.kept.join(" | "))
    }
}

async fn write<W: AsyncWrite + Unpin>(stdin: &mut Option<W>, bytes: &[u8]) -> std::io::Result<usize> {
    match stdin {
        Some(stdin) => stdin.write(bytes).await,
        None => std::future::pending().await,
    }
}

/// Some write to stdout what belongs to stderr, often why they do not work.
#[derive(Default)]
struct Noise {
    kept: Vec<String>,
}

impl Noise {
    fn take(&mut self, line: &[u8], secrets: &Secrets) {
        let beginning = &line[..line.len().min(4 * NOISE_LINE)];
        let text = one_line(&secrets.hide_in_part(&String::from_utf8_lossy(beginning)), NOISE_LINE);
        if text.is_empty() {
            return;
        }
        if self.kept.is_empty() {
            // Not what it says: an agent knows secrets.
            tracing::warn!("an agent writes to its stdout what is not of the protocol; it is skipped");
        }
        if self.kept.len() == NOISE_LINES {
            self.kept.remove(0);
        }
        self.kept.push(text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{DuplexStream, duplex, empty};

    use super::*;

    fn id() -> Box<RawValue> {
        RawValue::from_string("1".to_owned()).unwrap()
    }

    #[tokio::test]
    async fn refusals_that_nobody_reads_are_kept_up_to_a_bound_and_calls_are_not_lost() {
        let (stdin, _unread) = duplex(16);
        let mut connection = Connection::new(empty(), stdin, Secrets::default());
        let line = wire::refusal(&id(), -32601, "no").len();
        for _ in 0..2 * REPLIES_BYTES / line {
            connection.refuse(&id(), -32601, "no");
        }
        assert!(connection.outgoing.len() < REPLIES_BYTES + line, "{}", connection.outgoing.len());
        let before = connection.outgoing.len();
        connection.notify("session/cancel", &json!({}));
        assert!(connection.outgoing.len() > before);
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_reads_nothing_any_more_is_still_heard() {
        let (stdin, reads) = duplex(16);
        let (stdout, mut writes) = duplex(1024);
        drop(reads);
        let mut connection: Connection<DuplexStream, DuplexStream> =
            Connection::new(stdout, stdin, Secrets::default());
        connection.call("initialize", &json!({}));
        writes.write_all(b"{\"id\":1,\"result\":{}}\n").await.unwrap();
        assert!(matches!(
            connection.next(Reading::On).await,
            Heard::Message(Message::Answer { call: 1, .. })
        ));
        let silent =
            tokio::time::timeout(std::time::Duration::from_millis(50), connection.next(Reading::On)).await;
        assert!(silent.is_err(), "{silent:?}");
        connection.call("again", &json!({}));
        assert_eq!(connection.outgoing.len(), 0, "nothing waits for one that reads nothing");
        drop(writes);
        assert!(matches!(connection.next(Reading::On).await, Heard::Gone));
    }
}
