//! Merge patches as the contract has them: what changes one draft into another.

use serde_json::{Map, Value};

use crate::domain::draft::EXCEPTIONS;

/// Whether one is replaced by the other whole.
fn is_replaced(path: &str, known: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    EXCEPTIONS.unions.contains(&path) && new.get("kind").is_some_and(|kind| known.get("kind") != Some(kind))
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// What becomes of what a patch removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Removed {
    /// It is gone.
    Gone,
    /// It is to be removed by whoever applies the result.
    ToBeRemoved,
}

/// The patch put on top of a draft that was not sent yet.
pub(in crate::cli) fn merge(draft: &mut Map<String, Value>, patch: &Map<String, Value>) {
    merge_at("", draft, patch, Removed::Gone);
}

/// One patch on top of another: the result does what both do, one after the other.
pub(in crate::cli) fn stack(patch: &mut Map<String, Value>, more: &Map<String, Value>) {
    merge_at("", patch, more, Removed::ToBeRemoved);
}

fn merge_at(path: &str, draft: &mut Map<String, Value>, patch: &Map<String, Value>, removed: Removed) {
    for (name, value) in patch {
        let path = below(path, name);
        let removes = removed == Removed::Gone && !EXCEPTIONS.nullable.contains(&path.as_str());
        match (draft.get_mut(name), value) {
            (_, Value::Null) if removes => drop(draft.remove(name)),
            (Some(Value::Object(known)), Value::Object(new)) if !is_replaced(&path, known, new) => {
                merge_at(&path, known, new, removed);
            }
            (_, Value::Object(new)) => {
                let mut fresh = Map::new();
                merge_at(&path, &mut fresh, new, removed);
                draft.insert(name.clone(), Value::Object(fresh));
            }
            (_, value) => drop(draft.insert(name.clone(), value.clone())),
        }
    }
}

/// The patch that changes one draft into another; empty where they are the same.
pub(in crate::cli) fn difference(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Map<String, Value> {
    difference_at("", before, after)
}

fn difference_at(path: &str, before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for (name, value) in after {
        let path = below(path, name);
        match (before.get(name), value) {
            (Some(known), value) if known == value => {}
            (Some(Value::Object(known)), Value::Object(new)) if !is_replaced(&path, known, new) => {
                patch.insert(name.clone(), Value::Object(difference_at(&path, known, new)));
            }
            (_, value) => drop(patch.insert(name.clone(), value.clone())),
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    patch.extend(gone.map(|name| (name.clone(), Value::Null)));
    patch
}

/// The fields that a patch is about, by their paths.
pub(in crate::cli) fn paths(patch: &Map<String, Value>) -> Vec<String> {
    let named = |(name, value): (&String, &Value)| match value.as_object() {
        Some(inner) if !inner.is_empty() && !inner.contains_key("kind") => {
            paths(inner).into_iter().map(|path| format!("{name}.{path}")).collect()
        }
        Some(_) | None => vec![name.clone()],
    };
    patch.iter().flat_map(named).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_difference_changes_one_draft_into_the_other() {
        let drafts = [
            json!({"title": "a", "rhythm": {"kind": "cron", "expression": "@daily"}, "policy": {"keep": {"runs": 1}}}),
            json!({"title": "a", "rhythm": {"kind": "interval", "everyMs": 5}, "policy": {"keep": {"days": 2}}}),
            json!({"title": "b", "rhythm": {"kind": "interval", "everyMs": 5, "anchorAt": 1}, "where": {"worktree": "w"}}),
            json!({"title": "b", "task": {"kind": "command", "args": ["x"], "env": {"A": {"from": "B"}}}, "where": {}}),
        ];
        for before in &drafts {
            for after in &drafts {
                let (before, after) = (object(before.clone()), object(after.clone()));
                let patch = difference(&before, &after);
                assert_eq!(patch.is_empty(), before == after);
                let mut patched = before;
                merge(&mut patched, &patch);
                assert_eq!(patched, after, "{patch:?}");
            }
        }
    }

    #[test]
    fn of_two_patches_the_later_one_wins_and_both_remove() {
        let mut patch =
            object(json!({"rhythm": {"kind": "cron", "expression": "@daily"}, "where": {"worktree": null}}));
        let more = json!({"rhythm": {"kind": "interval", "everyMs": 5}, "task": {"env": {"A": null}}});
        stack(&mut patch, &object(more));
        let expected = json!({"rhythm": {"kind": "interval", "everyMs": 5}, "where": {"worktree": null},
            "task": {"env": {"A": null}}});
        assert_eq!(Value::Object(patch), expected);
    }

    #[test]
    fn what_may_be_null_stays_null_in_a_draft_and_what_may_not_is_left_out() {
        let mut draft = object(json!({"where": {"worktree": "w"}}));
        let patch = json!({"policy": {"idleMs": null, "missed": {"kind": "runOnce", "windowMs": null}},
            "where": {"worktree": null}});
        merge(&mut draft, &object(patch));
        let expected = json!({"policy": {"idleMs": null, "missed": {"kind": "runOnce"}}, "where": {}});
        assert_eq!(Value::Object(draft), expected);
    }

    #[test]
    fn what_a_patch_is_about_is_named_by_its_fields() {
        let patch = object(json!({"title": "b", "policy": {"keep": {"runs": 1}, "budget": null},
            "rhythm": {"kind": "cron", "expression": "@daily"}}));
        let mut named = paths(&patch);
        named.sort();
        assert_eq!(named, ["policy.budget", "policy.keep.runs", "rhythm", "title"]);
    }
}
