//! The shapes that fields of parameters have, as JSON Schema says them.

use serde_json::{Map, Value, json};

use crate::domain::sent::INTEGER_MAX;
use crate::domain::time::Timestamp;

/// Text with these lengths in characters, without NUL; with at least one character that is no blank if it may not
/// be empty.
pub(super) fn text(least: usize, most: usize) -> Value {
    let pattern = if least == 0 { "^[^\\u0000]*$" } else { "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$" };
    let mut text = json!({"type": "string", "maxLength": most, "pattern": pattern});
    if least > 0 {
        text["minLength"] = json!(least);
    }
    text
}

/// Text whose length is bounded in bytes, which a schema can say in words only.
pub(super) fn bytes(least: usize, most: usize, what: &str) -> Value {
    saying(text(least, most), &format!("{what} At most {most} bytes of UTF-8."))
}

pub(super) fn integer(least: i64, most: i64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

/// A whole number that counts something of the ledger.
pub(super) fn number_from(least: i64) -> Value {
    integer(least, INTEGER_MAX)
}

pub(super) fn instant() -> Value {
    let mut instant = integer(0, Timestamp::MAX.as_millis());
    instant["description"] = json!("Milliseconds since 1970-01-01T00:00:00Z.");
    instant
}

pub(super) fn boolean() -> Value {
    json!({"type": "boolean"})
}

pub(super) fn one_of(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

pub(super) fn or_null(mut schema: Value) -> Value {
    if let Value::String(one) = &schema["type"] {
        schema["type"] = json!([one, "null"]);
    }
    schema
}

pub(super) fn list(items: Value, most: usize) -> Value {
    json!({"type": "array", "items": items, "maxItems": most})
}

/// Says what a field is for.
pub(super) fn saying(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}

pub(super) fn with_default(mut schema: Value, default: impl Into<Value>) -> Value {
    schema["default"] = default.into();
    schema
}

/// An object that has these fields and no others.
pub(super) fn object(fields: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let mut object = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// An object whose names are the client's own.
pub(super) fn map(values: Value) -> Value {
    json!({"type": "object", "additionalProperties": values,
        "propertyNames": {"minLength": 1, "pattern": "^[^=\\u0000]*$"}})
}

/// An object that is one of several, told apart by `kind`.
pub(super) fn union(variants: &[Value]) -> Value {
    json!({"oneOf": variants})
}

/// One of several objects: its kind, its fields, and those of them that must be there.
pub(super) fn variant(kind: &str, fields: &[(&str, Value)], required: &[&str]) -> Value {
    told_apart_by("kind", kind, fields, required)
}

/// The same, where another field tells them apart.
pub(super) fn told_apart_by(tag: &str, word: &str, fields: &[(&str, Value)], required: &[&str]) -> Value {
    let mut all = vec![(tag, json!({"const": word}))];
    all.extend(fields.iter().cloned());
    let required: Vec<&str> = std::iter::once(tag).chain(required.iter().copied()).collect();
    object(&all, &required)
}

/// The object with more fields.
pub(super) fn and(mut object: Value, fields: &[(&str, Value)]) -> Value {
    for (name, schema) in fields {
        object["properties"][name] = schema.clone();
    }
    object
}
