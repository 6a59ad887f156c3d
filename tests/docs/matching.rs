//! What was expected, beside what came. `…` stands for whatever is different each time.

use std::collections::HashMap;

use serde_json::Value;

/// Stands for anything.
pub(crate) const ANYTHING: &str = "…";

/// Whether a line is as expected, where `…` stands for any letters or none.
pub(crate) fn text(expected: &str, came: &str) -> bool {
    let Some((begin, rest)) = expected.split_once(ANYTHING) else { return expected == came };
    let Some(came) = came.strip_prefix(begin) else { return false };
    let borders = came.char_indices().map(|(at, _)| at).chain([came.len()]);
    borders.into_iter().any(|at| text(rest, &came[at..]))
}

/// Whether lines are as expected, where a line that is only `…` stands for any lines or none.
pub(crate) fn lines(expected: &[&str], came: &[&str]) -> bool {
    match (expected.split_first(), came.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((first, rest)), _) if first.trim() == ANYTHING => {
            (0..=came.len()).any(|count| lines(rest, &came[count..]))
        }
        (Some(_), None) => false,
        (Some((first, rest)), Some((line, others))) => {
            text(first.trim_end(), line.trim_end()) && lines(rest, others)
        }
    }
}

/// What ids were found to be: by `atm_…` one of automations is meant, and by `atm_other…` another one.
pub(crate) type Names = HashMap<String, String>;

/// What the ids that are written like this begin with, if it is how an id is written.
fn kind_of_id(text: &str) -> Option<&str> {
    let (kind, word) = text.strip_suffix(ANYTHING)?.split_once('_')?;
    let is_written_so = kind.len() == 3 && [kind, word].iter().all(|part| is_lowercase(part));
    is_written_so.then_some(kind)
}

fn is_lowercase(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_lowercase())
}

/// Whether this may be the id that is named so: whoever has a name keeps it, and is called by no other one.
fn is_named(name: &str, kind: &str, found: &str, names: &mut Names) -> bool {
    let is_one = found.strip_prefix(kind).is_some_and(|rest| rest.starts_with('_'));
    match names.get(name) {
        Some(known) => known == found,
        None if !is_one || names.values().any(|other| other == found) => false,
        None => {
            names.insert(name.to_owned(), found.to_owned());
            true
        }
    }
}

/// Whether a value has everything that is expected of it, and which names it gives to what.
///
/// Members that are not expected may be there. An array has as many items, unless the last one that is expected
/// is `"…"`.
pub(crate) fn value(expected: &Value, came: &Value, names: &mut Names) -> bool {
    match (expected, came) {
        (Value::String(wanted), _) if wanted == ANYTHING => true,
        (Value::String(wanted), Value::String(found)) => match kind_of_id(wanted) {
            Some(kind) => is_named(wanted, kind, found, names),
            None => text(wanted, found),
        },
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(name, wanted)| found.get(name).is_some_and(|found| value(wanted, found, names))),
        (Value::Array(wanted), Value::Array(found)) => {
            let (wanted, open) = match wanted.split_last() {
                Some((last, wanted)) if last == ANYTHING => (wanted, true),
                Some(_) | None => (wanted.as_slice(), false),
            };
            (found.len() == wanted.len() || open && found.len() > wanted.len())
                && wanted.iter().zip(found).all(|(wanted, found)| value(wanted, found, names))
        }
        (Value::Number(_) | Value::Bool(_) | Value::Null, _) => expected == came,
        (Value::String(_) | Value::Object(_) | Value::Array(_), _) => false,
    }
}

/// The value with the names in it replaced by what they were found to be.
pub(crate) fn resolve(value: &mut Value, names: &Names) {
    match value {
        Value::String(text) => {
            if let Some(found) = names.get(text.as_str()) {
                *text = found.clone();
            }
        }
        Value::Object(members) => members.values_mut().for_each(|one| resolve(one, names)),
        Value::Array(items) => items.iter_mut().for_each(|one| resolve(one, names)),
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}
