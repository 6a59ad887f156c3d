//! Drafts as short as a test can say them.

use serde_json::{Value, json};

/// A task that has the shell do something, in the project directory.
pub(crate) fn shell(line: &str) -> Value {
    json!({"kind": "command", "program": "sh", "args": ["-c", line]})
}

/// Writes the scheduled time into the spawn log: one line for each time that the work was really done.
pub(crate) const LOG: &str = r#"echo "$SEXTON_SCHEDULED_AT" >> log"#;

/// An automation that is not due while a test lasts.
pub(crate) fn dormant(title: &str, task: Value) -> Value {
    every(title, 86_400_000, task)
}

/// An automation with an interval.
pub(crate) fn every(title: &str, every_ms: i64, task: Value) -> Value {
    let rhythm = json!({"kind": "interval", "everyMs": every_ms});
    json!({"title": title, "kind": "recurring", "rhythm": rhythm, "task": task})
}

/// An automation that is due once.
pub(crate) fn once(title: &str, fire_at: i64, task: Value) -> Value {
    json!({"title": title, "kind": "oneshot", "fireAt": fire_at, "task": task})
}

/// The draft with one more field, or another value in it.
pub(crate) fn with(mut draft: Value, field: &str, value: Value) -> Value {
    draft[field] = value;
    draft
}
