//! Changes what a user asked for: a patch is merged into the draft as it stands, and the result is read like any
//! other draft.

use super::{Surroundings, policy, read_definition, read_only_hint};
use crate::domain::automation::Definition;
use crate::domain::fault::{Fault, Word};
use crate::domain::fields::{Faults, Fields};
use crate::domain::sent::{Exceptions, Sent, SentObject};

/// The fields that a patch may change, and `kind`, which it may repeat.
const FIELDS: [&str; 10] =
    ["title", "kind", "fireAt", "rhythm", "stop", "timezone", "task", "where", "access", "policy"];

/// Where the contract's patch differs from its standard. What may be null can be set to null, so that a whole draft
/// that a client was given and sends back changes nothing.
pub const EXCEPTIONS: Exceptions<'_> = Exceptions {
    unions: &["rhythm", "stop", "task", "policy.missed"],
    nullable: &["policy.idleMs", "policy.budget", "policy.pauseAfterFailures", "policy.precheck"],
};

/// The definition with a JSON merge patch applied. What the patch leaves as it was is not looked at again.
///
/// # Errors
/// All faults of what the patch changes, in the order in which the contract lists the fields.
pub fn read_patch(
    current: &Definition,
    patch: &SentObject,
    around: Surroundings<'_>,
) -> Result<Definition, Vec<Fault>> {
    let before = as_sent(current);
    let mut after = before.clone();
    after.merge(patch, &EXCEPTIONS);
    let faults = Faults::new();
    let mut fields = Fields::changed_root(&before, &after, &faults);
    let read = read_definition(&mut fields, around, Some(current));
    for name in removed_in_vain(patch) {
        let (field, message) = (fields.path(&name), Word::UnsupportedAutomationField);
        faults.push(Fault { field, message, hint: hint(&name) });
    }
    fields.finish(Word::UnsupportedAutomationField, hint);
    match (read, faults.take()) {
        (Some(definition), faults) if faults.is_empty() => {
            Ok(with_defaults_of_its_kind(current, patch, definition))
        }
        (_, faults) => Err(faults),
    }
}

/// Where the task became one of another kind, a limit that was the default of the old kind and that the patch does not
/// name is the default of the new one.
fn with_defaults_of_its_kind(current: &Definition, patch: &SentObject, mut edited: Definition) -> Definition {
    let policy = patch.get("policy").and_then(Sent::as_object);
    let named = policy.is_some_and(|policy| policy.get("idleMs").is_some());
    let (before, now) = (current.task.default_policy().idle_ms, edited.task.default_policy().idle_ms);
    if !named && current.policy.idle_ms == before && edited.policy.idle_ms == before {
        edited.policy.idle_ms = now;
    }
    edited
}

fn hint(name: &str) -> Option<String> {
    match name {
        "paused" => Some("use `automation/pause` and `automation/resume`".to_owned()),
        name => read_only_hint(name),
    }
}

/// The draft that would create this definition.
fn as_sent(definition: &Definition) -> SentObject {
    let value = serde_json::to_value(definition).unwrap_or_default();
    Sent::from(&value).as_object().cloned().unwrap_or_default()
}

/// The fields that a patch removes though there are none of that name: merging leaves no trace of them.
fn removed_in_vain(patch: &SentObject) -> Vec<String> {
    let mut found = Vec::new();
    find_removed_in_vain("", patch, &mut found);
    found
}

fn find_removed_in_vain(path: &str, patch: &SentObject, found: &mut Vec<String>) {
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, value) in patch.iter() {
        // What is inside a field that nobody knows is not looked at: the field itself is told.
        if let Some(inner) = value.as_object().filter(|_| may_have(path, name)) {
            find_removed_in_vain(&at(name), inner, found);
        }
    }
    let unknown = patch.iter().filter(|(name, value)| **value == Sent::Null && !may_have(path, name));
    found.extend(unknown.map(|(name, _)| at(name)));
}

/// Whether the object at this path has a field of this name, in any of its variants.
fn may_have(path: &str, name: &str) -> bool {
    let names: &[&str] = match path {
        "" => &FIELDS,
        "rhythm" => &["kind", "everyMs", "anchorAt", "expression"],
        "stop" => &["kind", "count", "at"],
        "task" => &[
            "kind",
            "program",
            "args",
            "env",
            "stdin",
            "text",
            "prompt",
            "model",
            "variant",
            "context",
            "sessionID",
        ],
        "task.model" => &["providerID", "modelID"],
        "where" => &["worktree"],
        "policy" => return policy::is_policy(name),
        "policy.missed" => &["kind", "windowMs"],
        "policy.blockerMs" => &["attended", "unattended"],
        "policy.budget" => &["perRun"],
        "policy.budget.perRun" => &["amount", "currency"],
        "policy.retry" => &["attempts", "delayMs"],
        "policy.precheck" => &["program", "args", "timeoutMs"],
        "policy.keep" => &["runs", "days"],
        // The names in there are the client's own.
        "task.env" => return true,
        path if path.starts_with("task.env.") => &["from"],
        // No object belongs there, so that whoever reads it tells that.
        _ => return true,
    };
    names.contains(&name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::scheduler::Limits;
    use crate::domain::time::Timestamp;
    use crate::domain::worktree::Vcs;

    fn object(value: &Value) -> SentObject {
        Sent::from(value).as_object().cloned().unwrap()
    }

    fn with_surroundings<T>(read: impl FnOnce(Surroundings<'_>) -> T) -> T {
        let limits = Limits::default();
        read(Surroundings {
            machine_zone: "Asia/Tokyo",
            limits: &limits,
            now: Timestamp::from_millis(1000),
            vcs: Some(Vcs::Git),
        })
    }

    fn created(draft: &Value) -> Definition {
        let read = with_surroundings(|around| super::super::read_create(&object(draft), around, |_| ()));
        read.unwrap().0.draft.definition
    }

    fn patched(definition: &Definition, patch: &SentObject) -> Result<Definition, Vec<Fault>> {
        with_surroundings(|around| read_patch(definition, patch, around))
    }

    fn recurring() -> Definition {
        created(&json!({"title": "t", "kind": "recurring", "rhythm": {"kind": "interval", "everyMs": 60_000},
            "stop": {"kind": "count", "count": 2}, "timezone": "UTC", "access": "read",
            "task": {"kind": "command", "program": "p", "args": ["a"], "env": {"A": "1", "B": {"from": "C"}}},
            "policy": {"missed": {"kind": "runOnce", "windowMs": 7}, "pauseAfterFailures": null}}))
    }

    /// Values that a patch may hold for each field, most of them sound.
    fn pieces() -> Vec<(&'static str, Value)> {
        let of = |name, values: Vec<Value>| values.into_iter().map(move |value| (name, value));
        let pieces = [
            of("title", vec![json!("other"), json!("t"), Value::Null, json!(1)]),
            of("kind", vec![json!("recurring"), json!("oneshot")]),
            of(
                "rhythm",
                vec![
                    json!({"everyMs": 90_000}),
                    json!({"anchorAt": 7}),
                    json!({"anchorAt": null}),
                    json!({"kind": "cron", "expression": "0 9 * * *", "everyMs": null}),
                    json!({"expression": "0 9 * * *"}),
                ],
            ),
            of("stop", vec![Value::Null, json!({"count": 5}), json!({"kind": "until", "at": 5})]),
            of("timezone", vec![Value::Null, json!("utc"), json!("Europe/Paris"), json!("Nowhere")]),
            of(
                "task",
                vec![
                    json!({"args": null}),
                    json!({"env": {"A": null, "D": "2", "B": {"from": "X"}}}),
                    json!({"env": null, "stdin": "in"}),
                    json!({"kind": "notify", "text": "look"}),
                    json!({"kind": "prompt", "prompt": "look", "model": {"providerID": "p", "modelID": "m"}}),
                    json!({"model": {"modelID": "n"}, "variant": null}),
                ],
            ),
            of("access", vec![Value::Null, json!("write")]),
            of(
                "policy",
                vec![
                    Value::Null,
                    json!({"missed": {"kind": "skip"}}),
                    json!({"missed": {"windowMs": null}, "pauseAfterFailures": 3}),
                    json!({"queueMs": 5, "wallMs": null, "retry": {"attempts": 0}}),
                    json!({"pauseAfterFailures": null}),
                    json!({"idleMs": null}),
                    json!({"idleMs": 5000, "budget": {"perRun": {"amount": 1.5, "currency": "EUR"}}}),
                    json!({"budget": null, "blockerMs": {"attended": null}}),
                ],
            ),
            of(
                "where",
                vec![Value::Null, json!({}), json!({"worktree": "Some Words"}), json!({"worktree": null})],
            ),
        ];
        pieces.into_iter().flatten().collect()
    }

    fn patches() -> impl Strategy<Value = Value> {
        prop::sample::subsequence(pieces(), 0..8)
            .prop_map(|pieces| pieces.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_patch_that_was_applied_changes_nothing_more(first in patches(), second in patches()) {
            let mut definition = recurring();
            for patch in [first, second] {
                if let Ok(once) = patched(&definition, &object(&patch)) {
                    prop_assert_eq!(patched(&once, &object(&patch)), Ok(once.clone()), "{}", patch);
                    // The whole of it, as a form sends it, changes nothing either, and would create the same.
                    prop_assert_eq!(patched(&once, &as_sent(&once)), Ok(once.clone()));
                    prop_assert_eq!(&created(&serde_json::to_value(&once).unwrap()), &once);
                    definition = once;
                }
            }
        }

        #[test]
        fn a_patch_changes_only_what_it_names(patch in patches()) {
            let before = recurring();
            let Ok(after) = patched(&before, &object(&patch)) else { return Ok(()) };
            let mut expected = as_sent(&before);
            // What is said of a task of one kind may be said otherwise of one of another.
            let defaults = object(&json!({"policy": {"idleMs": after.task.default_policy().idle_ms}}));
            if before.task.default_policy() != after.task.default_policy() {
                expected.merge(&defaults, &EXCEPTIONS);
            }
            let after = as_sent(&after);
            for name in FIELDS {
                prop_assert!(patch.get(name).is_some() || expected.get(name) == after.get(name), "{}", name);
            }
        }
    }

    #[test]
    fn what_a_later_version_allowed_stays_until_it_is_changed() {
        let mut definition = recurring();
        definition.policy.step_cap = 7_000_000;
        definition.timezone = "Mars/Olympus".to_owned();
        definition.title = "x".repeat(500);
        let edited =
            patched(&definition, &object(&json!({"access": "write", "policy": {"queueMs": 5}}))).unwrap();
        assert_eq!((edited.policy.step_cap, &edited.timezone), (7_000_000, &definition.timezone));
        assert_eq!((edited.policy.queue_ms, &edited.title), (5, &definition.title));
        let patch = object(&json!({"policy": {"stepCap": 8_000_000}, "title": "y".repeat(500)}));
        let words: Vec<Word> =
            patched(&definition, &patch).unwrap_err().iter().map(|it| it.message).collect();
        assert_eq!(words, [Word::TitleTooLong, Word::OutOfRange]);
        let restored = patched(&definition, &object(&json!({"policy": {"stepCap": null}}))).unwrap();
        assert_eq!(restored.policy.step_cap, 50);
    }

    #[test]
    fn what_may_be_null_is_set_to_null_and_what_may_not_gets_its_default() {
        let policy =
            |policy: Value| patched(&recurring(), &object(&json!({"policy": policy}))).unwrap().policy;
        assert_eq!(policy(json!({"queueMs": 5})).pause_after_failures, None);
        assert_eq!(policy(json!({"pauseAfterFailures": null})).pause_after_failures, None);
        assert_eq!(policy(json!({"pauseAfterFailures": 3})).pause_after_failures, Some(3));
        assert_eq!(policy(json!({"missed": null})).missed, crate::domain::policy::Policy::default().missed);
        assert_eq!(policy(Value::Null).pause_after_failures, Some(5));
    }

    #[test]
    fn a_limit_that_was_the_default_is_that_of_the_new_kind_of_task() {
        let to_prompt =
            json!({"kind": "prompt", "prompt": "x", "model": {"providerID": "p", "modelID": "m"}});
        let to_command = json!({"kind": "command", "program": "p"});
        let idle_ms = |definition: &Definition, patch: Value| {
            let patched = patched(definition, &object(&patch)).unwrap();
            (patched.policy.idle_ms, patched)
        };
        let (idle, prompt) = idle_ms(&recurring(), json!({"task": to_prompt}));
        assert_eq!(idle, Some(600_000));
        assert_eq!(idle_ms(&prompt, json!({"task": to_command})).0, None);
        assert_eq!(idle_ms(&prompt, json!({"task": {"prompt": "y"}, "policy": {"queueMs": 1}})).0, idle);
        assert_eq!(idle_ms(&prompt, json!({"task": to_command, "policy": {"queueMs": 1}})).0, None);
        assert_eq!(idle_ms(&recurring(), json!({"task": to_prompt, "policy": null})).0, Some(600_000));
        // What somebody chose stays, also where it is what would be so anyway.
        assert_eq!(idle_ms(&prompt, json!({"policy": {"idleMs": null}})).0, None);
        assert_eq!(idle_ms(&recurring(), json!({"task": to_prompt, "policy": {"idleMs": null}})).0, None);
        let (_, chosen) = idle_ms(&prompt, json!({"policy": {"idleMs": 5000}}));
        assert_eq!(idle_ms(&chosen, json!({"task": to_command})).0, Some(5000));
    }

    #[test]
    fn a_zone_that_is_left_out_is_that_of_the_machine() {
        let restored = patched(&recurring(), &object(&json!({"timezone": null}))).unwrap();
        assert_eq!(restored.timezone, "Asia/Tokyo");
    }
}
