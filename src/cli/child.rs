//! A sidecar as an editor sees it: a child process that is asked and that tells.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::exec;

/// Messages from the sidecar that were not looked at yet; it waits when there are more.
const UNREAD: usize = 256;

/// A sidecar of our own.
pub(super) struct Sidecar {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    events: VecDeque<Value>,
    last_id: u64,
}

impl Sidecar {
    /// Spawns this very binary, with its state below `state`.
    pub(super) fn spawn(state: &std::path::Path) -> io::Result<Sidecar> {
        let mut command = Command::new(exec::this_binary()?);
        command.arg("--stdio").env("SEXTON_STATE_DIR", state);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("the sidecar was started without pipes"));
        };
        let (sender, messages) = sync_channel(UNREAD);
        let read = move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(message) = serde_json::from_str(&line) else { continue };
                if sender.send(message).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("sidecar-output".to_owned()).spawn(read)?;
        Ok(Sidecar { process, input, messages, events: VecDeque::new(), last_id: 0 })
    }

    /// Asks, and waits for the answer. Events that come meanwhile are kept.
    pub(super) fn ask(&mut self, method: &str, params: &Value) -> io::Result<Value> {
        /// No method that is used here takes longer.
        const PATIENCE: Duration = Duration::from_secs(5);
        self.last_id += 1;
        let id = self.last_id;
        writeln!(self.input, "{}", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        let deadline = now() + PATIENCE;
        loop {
            let Some(message) = self.next_message(deadline)? else {
                return Err(io::Error::other(format!("no answer to {method} within {PATIENCE:?}")));
            };
            match message {
                message if message["id"] != id => self.events.push_back(message["params"]["result"].clone()),
                message if message["error"].is_object() => {
                    return Err(io::Error::other(format!("{method} was refused: {}", message["error"])));
                }
                mut message => return Ok(message["result"].take()),
            }
        }
    }

    /// The next event, if there is one before the deadline.
    pub(super) fn next_event(&mut self, deadline: Instant) -> io::Result<Option<Value>> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        Ok(self.next_message(deadline)?.map(|mut message| message["params"]["result"].take()))
    }

    fn next_message(&mut self, deadline: Instant) -> io::Result<Option<Value>> {
        match self.messages.recv_timeout(deadline.saturating_duration_since(now())) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the sidecar has ended")),
        }
    }

    /// Kills it so that it can do nothing about it, and waits until it has gone.
    pub(super) fn kill(mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait().map(drop)
    }

    /// Says goodbye as an editor does, and gives how the process ended.
    pub(super) fn shut_down(mut self) -> io::Result<ExitStatus> {
        self.ask("shutdown", &json!({}))?;
        writeln!(self.input, "{}", json!({"jsonrpc": "2.0", "method": "exit"}))?;
        self.process.wait()
    }
}

#[expect(clippy::disallowed_methods, reason = "a client waits for answers with a deadline of its own")]
pub(super) fn now() -> Instant {
    Instant::now()
}
