//! What the tests ask for.

use serde_json::{Value, json};

use crate::app::{AGENT, MODEL};

/// A command every so many seconds.
pub(crate) fn every(seconds: i64) -> Value {
    json!({
        "title": format!("every {seconds} s"), "kind": "recurring",
        "rhythm": {"kind": "interval", "everyMs": seconds * 1000},
        "task": {"kind": "command", "program": "work"},
    })
}

/// A command once.
pub(crate) fn once(at_ms: i64) -> Value {
    json!({
        "title": "once", "kind": "oneshot", "fireAt": at_ms,
        "task": {"kind": "command", "program": "work"},
    })
}

/// The draft with these fields put in or replaced.
pub(crate) fn with(mut draft: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else { panic!("{fields} is no object") };
    draft.as_object_mut().unwrap().extend(fields);
    draft
}

/// The draft with something that people are told, instead of a command.
pub(crate) fn reminder(draft: Value) -> Value {
    with(draft, json!({"task": {"kind": "notify", "text": "look"}}))
}

/// The draft with this policy.
pub(crate) fn policy(draft: Value, policy: Value) -> Value {
    with(draft, json!({"policy": policy}))
}

/// The draft with something that the usual agent is asked to do, instead of a command.
pub(crate) fn prompt(draft: Value) -> Value {
    let model = json!({"providerID": AGENT, "modelID": MODEL});
    with(draft, json!({"task": {"kind": "prompt", "prompt": "look around", "model": model}}))
}
