//! The part of the audit that looks at work which windows carry out themselves, and at what it asks people.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;
use serde_json::Value;
use sexton::domain::id::{InstanceId, RunId};
use sexton::ledger::{AgentRoom, Executors, PendingAnswer, RunRow, Tx};

/// What was asked, and what was answered.
#[derive(Default)]
pub(crate) struct Asking {
    /// How often each run has asked.
    asked: HashMap<String, usize>,
    /// The answers that were handed over. One may be handed over twice.
    handed: BTreeMap<String, BTreeSet<i64>>,
}

impl Asking {
    pub(crate) fn read_run(&mut self, before: &str, run: &Value) {
        if run["state"] == "awaiting_input" && before != "awaiting_input" {
            *self.asked.entry(run["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn hand_over(&mut self, run: &RunId, pending: &PendingAnswer) {
        assert_eq!(pending.answer.run, *run, "whose answer it is");
        let handed = self.handed.entry(run.as_str().to_owned()).or_default();
        handed.insert(pending.row);
        let asked = self.asked.get(run.as_str()).copied().unwrap_or_default();
        assert!(handed.len() <= asked, "{run} has asked {asked} times and was answered more often");
    }
}

/// What is told of work that goes on is what it was at some time: its output is told with whatever is told next, and
/// its steps and cost are held back for a while.
pub(crate) fn check_told(row: &RunRow, payload: &str) {
    let mut told = serde_json::from_str::<Value>(payload).unwrap()["run"].take();
    let mut served = serde_json::to_value(&row.run).unwrap();
    let held_back: &[&str] =
        if row.work.tell_at.is_some() { &["output", "steps", "cost"] } else { &["output"] };
    for run in [&mut told, &mut served] {
        let run = run.as_object_mut().unwrap();
        held_back.iter().for_each(|field| drop(run.remove(*field)));
    }
    assert_eq!(served, told, "what was told of {}", row.run.id);
}

/// Whether a prompt says what it waits for. Whether it can be carried out at all is asked when its turn has come; until
/// then it keeps its place.
pub(crate) fn is_told_rightly(connection: &Connection, run: &str, what: &str) -> bool {
    let view = Tx::new(connection);
    let row = view.run(&RunId::from_text(run)).unwrap().unwrap();
    let executors = view.executors(&row, &InstanceId::from_text(""), AgentRoom::Some).unwrap();
    match what {
        "executor" => executors == Executors::Full,
        "close" => executors == Executors::Closing,
        _ => executors != Executors::Closing,
    }
}

pub(crate) fn check(connection: &Connection) {
    let rules = [
        (
            "is carried out on a subscription that has ended",
            "SELECT r.id FROM processes p JOIN runs r ON r.row = p.run
             WHERE p.serving IS NOT NULL AND p.serving NOT IN (SELECT id FROM servings)",
        ),
        (
            "is a subscription of somebody who is not there",
            "SELECT id FROM servings WHERE instance NOT IN (SELECT id FROM instances)",
        ),
        (
            "is a provider that is served and not known",
            "SELECT provider FROM servings WHERE provider NOT IN (SELECT id FROM providers)",
        ),
        (
            "is said to be ready, or not to be, and is not so",
            "SELECT p.id FROM providers p WHERE (p.reason IS NULL) <> EXISTS
               (SELECT 1 FROM servings s JOIN instances i ON i.id = s.instance
                LEFT JOIN said n ON n.provider = s.provider AND n.configuration = s.configuration
                WHERE s.provider = p.id AND (s.kind = p.kind OR p.kind = 'acp') AND n.failure IS NULL
                  AND i.role = 'participant' AND i.leaving_at IS NULL)",
        ),
        (
            "has more work than it wants",
            "SELECT s.id FROM servings s WHERE s.max_concurrent <
               (SELECT count(*) FROM runs r WHERE r.completed_at IS NULL AND r.given_to = s.instance
                  AND r.provider = s.provider)
               + (SELECT count(*) FROM processes p JOIN runs r ON r.row = p.run
                  WHERE p.serving = s.id AND r.completed_at IS NOT NULL)",
        ),
        (
            "was given to somebody who does not serve it",
            "SELECT r.id FROM runs r WHERE r.completed_at IS NULL AND r.given_to IS NOT NULL
               AND r.provider IS NOT NULL AND NOT EXISTS (SELECT 1 FROM servings s
                 JOIN json_each(s.models) m ON m.value ->> '$.id' = r.model
                 WHERE s.instance = r.given_to AND s.provider = r.provider
                   AND (r.variant IS NULL
                     OR r.variant IN (SELECT v.value FROM json_each(m.value -> '$.variants') v)))
               AND NOT EXISTS (SELECT 1 FROM servings s
                 WHERE s.instance = r.given_to AND s.provider = r.provider AND s.kind = 'acp')
               AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row AND p.serving IS NULL)",
        ),
        (
            "is to be asked by somebody who does not have it",
            "SELECT p.provider FROM probes p WHERE p.instance IS NOT NULL AND NOT EXISTS
               (SELECT 1 FROM servings s JOIN instances i ON i.id = s.instance
                WHERE s.instance = p.instance AND s.provider = p.provider AND s.kind = 'acp'
                  AND i.leaving_at IS NULL)",
        ),
        (
            "waits to be asked, and nobody has it",
            "SELECT p.provider FROM probes p WHERE NOT EXISTS
               (SELECT 1 FROM servings s WHERE s.provider = p.provider AND s.kind = 'acp')",
        ),
        (
            "is at work somewhere else than where it was given",
            "SELECT id FROM runs WHERE completed_at IS NULL AND instance IS NOT NULL AND instance IS NOT given_to",
        ),
        (
            "is answered though its work has gone",
            "SELECT r.id FROM answers a JOIN runs r ON r.row = a.run
             WHERE NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row)",
        ),
        (
            "waits for a person, and its own time goes on",
            "SELECT id FROM runs WHERE state = 'awaiting_input'
               AND (blocker IS NULL OR wall_at IS NOT NULL OR active_at IS NOT NULL OR wall_left_ms IS NULL
                 OR (stopping IS NULL AND deadline_at IS NOT blocker ->> '$.expiresAt'))",
        ),
        (
            "works without a limit",
            "SELECT id FROM runs WHERE state = 'running' AND completed_at IS NULL
               AND (wall_at IS NULL OR deadline_at IS NULL)",
        ),
        (
            "works without anybody who says what it does",
            "SELECT id FROM runs WHERE state = 'awaiting_input'
               AND (provider IS NULL OR NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = runs.row))",
        ),
        (
            "is in a session in which another agent is at work",
            "SELECT r.id FROM processes p JOIN runs r ON r.row = p.run
               JOIN processes q ON q.run <> p.run JOIN runs o ON o.row = q.run
             WHERE p.serving IS NULL AND q.serving IS NULL
               AND o.provider = r.provider AND o.session_id = r.session_id",
        ),
        (
            "has ended and is still to be told of",
            "SELECT id FROM runs WHERE completed_at IS NOT NULL AND tell_at IS NOT NULL",
        ),
    ];
    for (what, sql) in rules {
        let mut statement = connection.prepare_cached(sql).unwrap();
        if let Some(found) = statement.query([]).unwrap().next().unwrap() {
            panic!("{} {what}", found.get::<_, String>(0).unwrap());
        }
    }
}
