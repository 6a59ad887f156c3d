//! How a sidecar is spoken with that may end at any moment, or any part of which may fail.

use std::collections::VecDeque;
use std::io::Write;

use serde_json::{Value, json};

use super::{Client, Fate};

impl Client {
    /// Something that a test does may have the sidecar end, or have any part of it fail.
    pub(crate) fn may_fail(&mut self) {
        self.fate = Fate::Mortal;
        self.expect_error("");
    }

    /// Asks, and gives nothing if the sidecar has ended without an answer.
    pub(crate) fn ask_mortal(&mut self, method: &str, params: Value) -> Option<Result<Value, Value>> {
        self.last_id += 1;
        let id = self.last_id.to_string();
        let message = json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params});
        let message = message.to_string();
        self.expect_answers(&message);
        // If it does not read any more, its output ends as well.
        let _ = self
            .input
            .as_mut()
            .expect("the input is open")
            .write_all(self.framing.frame(&message).as_bytes());
        let answer = self.wait_mortal(&format!("the answer to {method}"), |client| {
            client.answers.get_mut(&id).and_then(VecDeque::pop_front)
        });
        answer.map(|mut answer| match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        })
    }

    /// Sends bytes as they are, as far as anybody takes them.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        // One that has ended, or does so because of them, takes no more.
        let _ = self.input.as_mut().expect("the input is open").write_all(bytes);
    }

    /// Waits for an event, and gives nothing if the sidecar has ended before.
    pub(crate) fn mortal_event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        self.wait_mortal(what, Client::news(wanted))
    }

    fn wait_mortal<T>(&mut self, what: &str, mut look: impl FnMut(&mut Client) -> Option<T>) -> Option<T> {
        self.wait(what, |client| match look(client) {
            Some(found) => Some(Some(found)),
            None => client.ended.then_some(None),
        })
    }
}
