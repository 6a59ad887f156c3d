//! `automation/explain`: the sentence and the evidence of each verdict, in situations that have really come about.

mod busy;
mod foretold;
mod late;
mod meant;
mod oracle;
mod over;
mod ran;
mod recent;
mod schedules;
mod versions;

pub(crate) use oracle::ask_about_random_times;

use serde_json::{Value, json};
use sexton::domain::explanation::Explanation;
use sexton::domain::id::AutomationId;
use sexton::domain::refusal::Refusal;
use sexton::domain::schedule::local_time;
use sexton::domain::schedule::zone::Zone;
use sexton::domain::scheduler::Role;
use sexton::domain::time::Timestamp;
use sexton::engine::explain::{Foretold, explain};

use crate::drafts::with;
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl World {
    pub(crate) fn try_explain(&self, id: &AutomationId, at: Timestamp) -> Result<Explanation, Refusal> {
        explain(&self.view(), self.now, id, at, &Foretold::Nothing)
    }

    /// What is told of the time so many milliseconds after the start, a line for each part.
    fn explained(&self, id: &AutomationId, at_ms: i64) -> String {
        let told = self.try_explain(id, START.plus_ms(at_ms)).unwrap();
        let utc = |at| local_time(&Zone::utc(), at);
        let shown = serde_json::to_value(&told).unwrap();
        let word = shown["verdict"].as_str().unwrap();
        let slot = told.scheduled_at.map_or("no slot".to_owned(), utc);
        let run = shown["run"]["id"].as_str().unwrap_or("no run");
        let mut lines = vec![format!("{word}, {slot}, {run}"), told.summary];
        lines.extend(told.evidence.iter().map(|piece| {
            let seq = piece.seq.map_or(String::new(), |seq| format!(" [{seq}]"));
            format!("{} {}{seq}", utc(piece.at), piece.text)
        }));
        lines.join("\n")
    }

    /// The sentence alone.
    fn summary(&self, id: &AutomationId, at_ms: i64) -> String {
        self.try_explain(id, START.plus_ms(at_ms)).unwrap().summary
    }

    /// Another window opens, of an application of this name.
    fn open_for(&mut self, client: &str) -> Who {
        let who = self.arrive(Role::Participant).unwrap();
        self.window_mut(who).actor.client = Some(client.to_owned());
        self.settle_dead_peers(who).unwrap();
        self.try_the_bell(who).unwrap();
        who
    }
}

/// A backup by the clock, of which runs are told that `fields` say otherwise.
fn backup(expression: &str, fields: Value) -> Value {
    let draft = json!({
        "title": "Backup", "kind": "recurring", "timezone": "UTC",
        "rhythm": {"kind": "cron", "expression": expression},
        "task": {"kind": "command", "program": "backup"},
    });
    with(draft, fields)
}
