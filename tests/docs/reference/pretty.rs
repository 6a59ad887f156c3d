//! JSON as people write it: on one line where that is short, and what matters first.

use serde_json::Value;

/// The longest line.
const WIDTH: usize = 100;

/// What is read first, in this order. Everything else follows by its name.
const FIRST: [&str; 27] = [
    "jsonrpc",
    "method",
    "type",
    "seq",
    "at",
    "id",
    "runID",
    "title",
    "kind",
    "fireAt",
    "rhythm",
    "stop",
    "timezone",
    "task",
    "where",
    "access",
    "policy",
    "paused",
    "state",
    "revision",
    "program",
    "args",
    "expression",
    "everyMs",
    "prompt",
    "providerID",
    "modelID",
];

/// The members of an object, in the order in which they are read.
pub(super) fn in_order(object: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<(&String, &Value)> = object.iter().collect();
    let rank = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    members.sort_by_key(|(name, _)| rank(name));
    members
}

/// On one line.
pub(super) fn short(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let all = in_order(members).into_iter().map(|(name, one)| format!("\"{name}\": {}", short(one)));
            format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(short).collect::<Vec<_>>().join(", ")),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => value.to_string(),
    }
}

/// On as many lines as it takes.
pub(super) fn long(value: &Value) -> String {
    broken(value, 0)
}

fn broken(value: &Value, depth: usize) -> String {
    let line = short(value);
    if 2 * depth + line.chars().count() <= WIDTH {
        return line;
    }
    let inside = "  ".repeat(depth + 1);
    let outside = "  ".repeat(depth);
    match value {
        Value::Object(members) => {
            let all = in_order(members).into_iter();
            let all = all.map(|(name, one)| format!("{inside}\"{name}\": {}", broken(one, depth + 1)));
            format!("{{\n{}\n{outside}}}", all.collect::<Vec<_>>().join(",\n"))
        }
        Value::Array(items) => {
            let all = items.iter().map(|one| format!("{inside}{}", broken(one, depth + 1)));
            format!("[\n{}\n{outside}]", all.collect::<Vec<_>>().join(",\n"))
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => line,
    }
}
