//! A schema in a cell of a table: what a value may be, in words.

use serde_json::Value;
use sexton::domain::sent::INTEGER_MAX;
use sexton::domain::time::Timestamp;

use super::{pretty, text};

/// What a value may be.
pub(super) fn of(schema: &Value) -> String {
    if schema == &Value::Bool(true) || schema.as_object().is_some_and(is_anything) {
        return "anything".to_owned();
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return link(reference);
    }
    if let Some(only) = schema.get("const") {
        return code(only);
    }
    if let Some(words) = schema["enum"].as_array() {
        return with_null(words.iter().map(code).collect::<Vec<_>>().join(", "), schema);
    }
    if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return any(choices);
    }
    let types = match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect(),
        Value::String(one) => vec![one.as_str()],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    let words: Vec<String> = types.iter().map(|one| plain(one, schema)).collect();
    with_null(words.join(" or "), schema)
}

fn is_anything(members: &serde_json::Map<String, Value>) -> bool {
    members.keys().all(|name| name == "description" || name == "default")
}

/// One type, with its bounds.
fn plain(name: &str, schema: &Value) -> String {
    match name {
        "string" => characters(schema),
        "integer" => number(schema),
        "number" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "`null`".to_owned(),
        "array" => {
            let items = of(&schema["items"]);
            match bounds(schema, "minItems", "maxItems", "").strip_prefix(", ") {
                Some(many) => format!("list ({many}) of {items}"),
                None => format!("list of {items}"),
            }
        }
        _ if schema.get("properties").is_none() && schema["additionalProperties"].is_object() => {
            format!("object of names and {}", of(&schema["additionalProperties"]))
        }
        _ => "object".to_owned(),
    }
}

fn characters(schema: &Value) -> String {
    format!("text{}", bounds(schema, "minLength", "maxLength", " characters"))
}

fn bounds(schema: &Value, least: &str, most: &str, of_what: &str) -> String {
    match (schema[least].as_u64(), schema[most].as_u64()) {
        (None | Some(0), None) => String::new(),
        (None | Some(0), Some(most)) => format!(", at most {}{of_what}", grouped(most)),
        (Some(1), None) => ", not empty".to_owned(),
        (Some(least), None) => format!(", at least {}{of_what}", grouped(least)),
        (Some(least), Some(most)) => format!(", {} to {}{of_what}", grouped(least), grouped(most)),
    }
}

fn number(schema: &Value) -> String {
    let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
    match (least, most) {
        (_, Some(most)) if most == Timestamp::MAX.as_millis() => "instant".to_owned(),
        (Some(0) | None, None) => "integer".to_owned(),
        (Some(least), Some(INTEGER_MAX) | None) => format!("integer, from {least}"),
        (None, Some(most)) => format!("integer, at most {}", grouped(most.unsigned_abs())),
        (Some(least), Some(most)) => {
            format!("integer, {} to {}", grouped(least.unsigned_abs()), grouped(most.unsigned_abs()))
        }
    }
}

/// The digits of a number in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn any(choices: &[Value]) -> String {
    let words: Vec<String> = choices.iter().map(of).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn with_null(words: String, schema: &Value) -> String {
    let null = schema["type"].as_array().is_some_and(|all| all.contains(&Value::from("null")));
    if null && schema["type"].as_array().is_some_and(|all| all.len() > 1) {
        format!("{words} or `null`")
    } else {
        words
    }
}

/// A type, where it is told of.
pub(super) fn link(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or_default();
    format!("[{name}](#{})", name.to_lowercase())
}

pub(super) fn code(value: &Value) -> String {
    let text = pretty::short(value);
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// A description on one line, as a cell takes it.
pub(super) fn sentence(schema: &Value) -> String {
    line(text(schema, "description"))
}

/// A text on one line of a table.
pub(super) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
