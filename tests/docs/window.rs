//! A window of a reader's: a sidecar, and the two ends of the conversation with it.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Builder;
use std::time::Instant;

use serde_json::{Value, json};

use crate::reader::{BINARY, Reader};
use crate::support::wire::{Framing, Heard, listen};
use crate::support::{DEADLINE, clock, contract};

/// More messages than any example is sent.
const UNHEARD: usize = 1 << 12;

/// A sidecar. When it goes, so does the sidecar.
pub(crate) struct Window {
    process: Child,
    input: Option<ChildStdin>,
    heard: Receiver<Heard>,
    asked: HashMap<String, contract::Asked>,
    log: std::path::PathBuf,
}

impl Window {
    /// A sidecar that has been started in the project, and told nothing.
    pub(crate) fn start(reader: &Reader) -> Window {
        let log = reader.beside("log");
        let errors = std::fs::File::create(&log).unwrap();
        let mut command = reader.command(BINARY);
        command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut process = command.spawn().unwrap();
        let output = process.stdout.take().unwrap();
        let (sender, heard) = sync_channel(UNHEARD);
        let read = move || listen(output, Framing::Lines, &sender);
        Builder::new().name("stdout".to_owned()).spawn(read).unwrap();
        let input = process.stdin.take();
        Window { process, input, heard, asked: HashMap::new(), log }
    }

    /// What it was told to write to its log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Says a line, which may be no JSON.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), String> {
        self.asked.extend(contract::requests(line));
        let input = self.input.as_mut().unwrap();
        let said = writeln!(input, "{line}").and_then(|()| input.flush());
        said.map_err(|error| format!("it does not read {line}: {error}"))
    }

    /// What it says next, held against the schema. None if that takes too long, or nothing comes any more.
    pub(crate) fn hear(&mut self, give_up_at: Instant) -> Option<Value> {
        match self.heard.recv_timeout(give_up_at.saturating_duration_since(clock())).ok()? {
            Heard::Message { id: Some(id), message, .. } => {
                contract::check_answer(self.asked.get(&id), &message);
                Some(message)
            }
            Heard::Message { id: None, message, .. } => {
                contract::check_notification(&message);
                Some(message)
            }
            Heard::Batch { answers, .. } => Some(Value::Array(answers)),
            Heard::Noise(noise) => panic!("it wrote what is no protocol: {noise}"),
            Heard::End { .. } => None,
        }
    }

    /// Asks, and waits for the result.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let id = format!("{method} {}", self.asked.len());
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string())?;
        let give_up_at = clock() + DEADLINE;
        while let Some(mut message) = self.hear(give_up_at) {
            if message["id"] == *id {
                let result = message.get_mut("result").map(Value::take);
                return result.ok_or_else(|| format!("{method} was refused: {}", message["error"]));
            }
        }
        Err(format!("{method} was not answered; it wrote {}", self.log()))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        drop(self.input.take());
        let give_up_at = clock() + DEADLINE;
        // The end of its input is its own; what it says until then is nobody's.
        while self.hear_quietly(give_up_at) {}
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Window {
    fn hear_quietly(&mut self, give_up_at: Instant) -> bool {
        let heard = self.heard.recv_timeout(give_up_at.saturating_duration_since(clock()));
        matches!(heard, Ok(Heard::Message { .. } | Heard::Batch { .. }))
    }
}
