//! Conversations with a sidecar: `-->` is said, `<--` is waited for. Whatever else was asked was granted.

use std::time::Instant;

use serde_json::Value;

use crate::blocks::Block;
use crate::matching::{self, Names};
use crate::reader::Reader;
use crate::support::{DEADLINE, clock, contract};
use crate::window::Window;

/// A part of a conversation.
struct Part {
    line: usize,
    way: Way,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To the sidecar.
    There,
    /// From the sidecar.
    Back,
    /// A remark.
    Aside,
}

const ARROWS: [(&str, Way); 3] = [("-->", Way::There), ("<--", Way::Back), ("---", Way::Aside)];

/// Has the conversation with a fresh sidecar.
pub(crate) fn check(block: &Block) -> Result<(), String> {
    let parts = parts(block)?;
    let reader = Reader::new();
    let mut talk = Talk {
        window: Window::start(&reader),
        names: Names::new(),
        unanswered: Vec::new(),
        heard: Vec::new(),
        told: 0,
    };
    for part in &parts {
        let text = reader.at_home(&part.text);
        let done = match part.way {
            Way::There => talk.say(&text),
            Way::Back => talk.expect(&text),
            Way::Aside => Ok(()),
        };
        done.map_err(|fault| format!("line {}: {fault}", part.line))?;
    }
    talk.nothing_else_was_refused()
}

struct Talk {
    window: Window,
    names: Names,
    /// The ids of what was asked and is not answered yet.
    unanswered: Vec<String>,
    /// What came and was not expected yet, each with the number of messages before it.
    heard: Vec<(usize, Value)>,
    /// How many messages have come.
    told: usize,
}

impl Talk {
    fn say(&mut self, text: &str) -> Result<(), String> {
        let line = match serde_json::from_str::<Value>(text) {
            Ok(mut message) => {
                matching::resolve(&mut message, &self.names);
                message.to_string()
            }
            // What is no JSON is said as it is, to show what comes of it.
            Err(_) => {
                self.unanswered.push(Value::Null.to_string());
                text.replace('\n', " ")
            }
        };
        self.unanswered.extend(contract::requests(&line).into_iter().map(|(id, _)| id));
        self.window.say(&line)
    }

    /// Waits for a message that has everything that is expected. Others may come before it, and may be expected later:
    /// answers come in the order in which they are ready, and news between them.
    fn expect(&mut self, text: &str) -> Result<(), String> {
        let expected = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}: {text}"))?;
        says_how_it_ended(&expected)?;
        let give_up_at = clock() + DEADLINE;
        let mut looked_at = 0;
        loop {
            for at in looked_at..self.heard.len() {
                let mut names = self.names.clone();
                if matching::value(&expected, &self.heard[at].1, &mut names) {
                    self.names = names;
                    self.claim(at);
                    return Ok(());
                }
            }
            looked_at = self.heard.len();
            if !self.hear(give_up_at) {
                let heard: Vec<String> = self.heard.iter().map(|(_, one)| one.to_string()).collect();
                let (heard, log) = (heard.join("\n"), self.window.log());
                return Err(format!("waited for\n{text}\nbut there came only\n{heard}\n{log}"));
            }
        }
    }

    /// Waits for one message more; not for ever.
    fn hear(&mut self, give_up_at: Instant) -> bool {
        let Some(message) = self.window.hear(give_up_at) else { return false };
        for answer in answers(&message) {
            let id = answer["id"].to_string();
            if let Some(at) = self.unanswered.iter().position(|one| *one == id) {
                self.unanswered.remove(at);
            }
        }
        self.told += 1;
        self.heard.push((self.told, message));
        true
    }

    /// A refusal that nobody is shown is a mistake in the example.
    fn nothing_else_was_refused(&mut self) -> Result<(), String> {
        let give_up_at = clock() + DEADLINE;
        while !self.unanswered.is_empty() && self.hear(give_up_at) {}
        let refused = self.heard.iter().flat_map(|(_, message)| answers(message));
        let refused: Vec<String> =
            refused.filter(|one| one.get("error").is_some()).map(Value::to_string).collect();
        match (refused.as_slice(), self.unanswered.as_slice()) {
            ([], []) => Ok(()),
            ([], unanswered) => Err(format!("not answered: {}", unanswered.join(", "))),
            (refused, _) => Err(format!("refused, and that is not shown: {}", refused.join("\n"))),
        }
    }

    /// News that came before news that was expected are not expected any more: their order is promised.
    fn claim(&mut self, at: usize) {
        let (number, message) = self.heard.remove(at);
        if message.get("method").is_some() {
            self.heard.retain(|(other, one)| one.get("method").is_none() || *other > number);
        }
    }
}

/// The answers in a message: in a batch each, in news none.
fn answers(message: &Value) -> impl Iterator<Item = &Value> {
    let all = message.as_array().map_or(std::slice::from_ref(message), Vec::as_slice);
    all.iter().filter(|one| one.get("method").is_none())
}

/// An answer that is shown is a result or a refusal, so that neither passes for the other.
fn says_how_it_ended(expected: &Value) -> Result<(), String> {
    let says = |one: &Value| one.get("result").is_some() || one.get("error").is_some();
    match answers(expected).all(says) {
        true => Ok(()),
        false => Err(format!("an answer has a `result` or an `error`: {expected}")),
    }
}

fn parts(block: &Block) -> Result<Vec<Part>, String> {
    let mut all: Vec<Part> = Vec::new();
    for (number, line) in block.content.lines().enumerate() {
        let arrow = ARROWS.iter().find_map(|(arrow, way)| Some((*way, line.strip_prefix(arrow)?)));
        match (arrow, all.last_mut()) {
            (Some((way, text)), _) => {
                all.push(Part { line: block.line + 1 + number, way, text: text.trim().to_owned() });
            }
            (None, Some(last)) => {
                last.text.push('\n');
                last.text.push_str(line);
            }
            (None, None) if line.trim().is_empty() => {}
            (None, None) => return Err("a conversation begins with `-->`".to_owned()),
        }
    }
    let answered = all.iter().any(|part| part.way == Way::Back);
    if answered { Ok(all) } else { Err("nothing is answered, so nothing is shown".to_owned()) }
}
