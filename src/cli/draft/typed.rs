//! What was typed: a merge patch, which flag said what of it, and what could not be read.

use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::patch::stack;
use crate::domain::one_line::one_line;
use crate::domain::schedule::typed::read_span;

/// As much of what was typed as is repeated.
const REPEATED: usize = 60;

/// What was typed.
#[derive(Debug, Default)]
pub(in crate::cli) struct Typed {
    /// It in the contract's words.
    pub(in crate::cli) patch: Map<String, Value>,
    /// What could not be read, each with its flag.
    pub(in crate::cli) faults: Vec<String>,
    said: Vec<Said>,
}

/// That a flag said something of a field.
#[derive(Debug)]
struct Said {
    path: String,
    flag: String,
    unit: Unit,
}

/// In what the contract tells the bounds of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// In what was typed.
    AsTyped,
    /// In milliseconds, where a span was typed.
    Milliseconds,
}

impl Typed {
    /// A flag says this of the field at this path, the parts of which are separated by points.
    pub(super) fn set(&mut self, path: &str, flag: &str, typed: &str, value: Value) {
        let parts: Vec<&str> = path.split('.').collect();
        self.set_member(&parts, flag, typed, value);
    }

    /// The same for what is typed beside the flags of a draft.
    pub(in crate::cli) fn say(&mut self, path: &str, flag: &str, typed: &str, value: Value) {
        self.set(path, flag, typed, value);
    }

    /// Puts what was typed on top of a patch that came from somewhere else.
    pub(in crate::cli) fn put_on_top_of(&mut self, mut patch: Map<String, Value>) {
        stack(&mut patch, &self.patch);
        self.patch = patch;
    }

    /// The same with the parts of the path, of which the last may be any name.
    pub(super) fn set_member(&mut self, parts: &[&str], flag: &str, typed: &str, value: Value) {
        let words = one_line(typed, REPEATED);
        let flag = if words.is_empty() { flag.to_owned() } else { format!("{flag} {words}") };
        self.said.push(Said { path: parts.join("."), flag, unit: Unit::AsTyped });
        put(&mut self.patch, parts, value);
    }

    /// A flag says a span of the field.
    pub(super) fn set_span(&mut self, path: &str, flag: &str, typed: &str) {
        match read_span(typed) {
            Ok(span) => {
                self.set(path, flag, typed, json!(span));
                if let Some(said) = self.said.last_mut() {
                    said.unit = Unit::Milliseconds;
                }
            }
            Err(error) => self.fault(flag, error),
        }
    }

    /// What was typed behind this flag cannot be read.
    pub(super) fn fault(&mut self, flag: &str, why: impl Display) {
        self.faults.push(format!("{flag}: {why}"));
    }

    /// The flag that said what is wrong with the field, and what its bounds are told in.
    pub(super) fn flag_of(&self, field: &str) -> Option<(&str, &'static str)> {
        let within = |path: &str, other: &str| {
            path == other || other.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        // Of several the one that is nearest to the field, and of those the one that was said last.
        let about = self.said.iter().filter(|said| within(&said.path, field) || within(field, &said.path));
        let said = about.max_by_key(|said| said.path.len())?;
        let unit = match said.unit {
            Unit::AsTyped => "",
            Unit::Milliseconds => ", in milliseconds",
        };
        Some((&said.flag, unit))
    }
}

fn put(object: &mut Map<String, Value>, parts: &[&str], value: Value) {
    match parts {
        [] => {}
        [name] => match (object.get_mut(*name), value) {
            // One flag says of what kind something is, and another one more of it.
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => drop(object.insert((*name).to_owned(), value)),
        },
        [name, rest @ ..] => {
            let inner = object.entry((*name).to_owned()).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// A number, or what was typed instead of one, which is refused as what it is.
pub(super) fn number(typed: &str) -> Value {
    typed.trim().parse::<i64>().map_or_else(|_| json!(typed), |number| json!(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_say_more_of_the_same_do_not_undo_each_other() {
        let mut typed = Typed::default();
        typed.set("rhythm.anchorAt", "--anchor", "now", json!(7));
        typed.set("rhythm", "--every", "90m", json!({"kind": "interval", "everyMs": 5}));
        typed.set_member(&["task", "env", "A.B"], "--env", "A.B", json!("x"));
        let expected = json!({"rhythm": {"kind": "interval", "everyMs": 5, "anchorAt": 7}, "task": {"env": {"A.B": "x"}}});
        assert_eq!(Value::Object(typed.patch), expected);
    }

    #[test]
    fn what_is_wrong_with_a_field_is_the_nearest_flags() {
        let mut typed = Typed::default();
        typed.set("task", "--", "cargo", json!({}));
        typed.set("task.model", "--model", "a/b", json!({}));
        typed.set_span("policy.retry.delayMs", "--retry", "5s");
        assert_eq!(typed.flag_of("task.args"), Some(("-- cargo", "")));
        assert_eq!(typed.flag_of("task.model.modelID"), Some(("--model a/b", "")));
        assert_eq!(typed.flag_of("policy.retry"), Some(("--retry 5s", ", in milliseconds")));
        assert_eq!(typed.flag_of("tasks"), None);
        assert_eq!(typed.flag_of("title"), None);
    }
}
