//! The part of a draft that says what happens when things are not as planned.
//!
//! A value that this version does not act on is refused, never stored and ignored: for those fields only the
//! default is accepted.

use serde_json::Value;

use super::limits::{KEPT_DAYS, KEPT_RUNS, PAUSE_AFTER_FAILURES, SPAN_MS};
use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::policy::{Keep, Missed, Policy};
use crate::domain::sent::Sent;

pub(super) fn read_policy(fields: &mut Fields<'_>) -> Option<Policy> {
    let mut policy = Policy::default();
    if !fields.has("policy") {
        return Some(policy);
    }
    let mut sent = fields.object("policy")?;
    let defaults = serde_json::to_value(&policy).unwrap_or_default();
    default_only(&mut sent, &defaults, "overlap");
    let missed = read_missed(&mut sent);
    default_only(&mut sent, &defaults, "ifBusy");
    let queue_ms = sent.integer("queueMs", 0..=SPAN_MS);
    let start_ms = sent.integer("startMs", 1000..=SPAN_MS);
    default_only(&mut sent, &defaults, "idleMs");
    let wall_ms = sent.integer("wallMs", 1000..=SPAN_MS);
    default_only(&mut sent, &defaults, "blockerMs");
    for name in ["stepCap", "budget", "permissions", "retry"] {
        default_only(&mut sent, &defaults, name);
    }
    let pause_after_failures = sent.nullable_integer("pauseAfterFailures", 1..=PAUSE_AFTER_FAILURES);
    default_only(&mut sent, &defaults, "precheck");
    let keep = read_keep(&mut sent, policy.keep);
    sent.finish(Word::UnsupportedAutomationField, |_| None);
    policy.missed = missed.unwrap_or(policy.missed);
    policy.queue_ms = queue_ms.unwrap_or(policy.queue_ms);
    policy.start_ms = start_ms.unwrap_or(policy.start_ms);
    policy.wall_ms = wall_ms.unwrap_or(policy.wall_ms);
    policy.pause_after_failures = pause_after_failures.unwrap_or(policy.pause_after_failures);
    policy.keep = keep.unwrap_or(policy.keep);
    Some(policy)
}

/// Accepts a field only with the value that it has anyway. An object may name some of its fields.
fn default_only(sent: &mut Fields<'_>, defaults: &Value, name: &'static str) {
    let Some(value) = sent.any(name) else { return };
    let same = match (value, &defaults[name]) {
        (Sent::Object(value), Value::Object(default)) => {
            value.iter().all(|(field, value)| default.get(field).is_some_and(|default| value.is(default)))
        }
        (value, default) => value.is(default),
    };
    if !same {
        let hint = format!("this version only does {}; leave `{name}` out", defaults[name]);
        sent.fault_hint(name, Word::NotAvailableYet, hint);
    }
}

fn read_missed(policy: &mut Fields<'_>) -> Option<Missed> {
    #[derive(Clone, Copy)]
    enum Kind {
        Skip,
        RunOnce,
    }
    if !policy.has("missed") {
        return None;
    }
    let mut missed = policy.object("missed")?;
    let kind = missed.choice("kind", &[("skip", Kind::Skip), ("runOnce", Kind::RunOnce)]);
    let read = match missed.require("kind", kind)? {
        Kind::Skip => Missed::Skip,
        Kind::RunOnce => Missed::RunOnce { window_ms: missed.integer("windowMs", 0..=SPAN_MS) },
    };
    missed.finish(Word::UnsupportedAutomationField, |_| None);
    Some(read)
}

/// Either number may be given alone.
fn read_keep(policy: &mut Fields<'_>, default: Keep) -> Option<Keep> {
    if !policy.has("keep") {
        return None;
    }
    let mut keep = policy.object("keep")?;
    let runs = keep.integer("runs", 1..=KEPT_RUNS);
    let days = keep.integer("days", 1..=KEPT_DAYS);
    keep.finish(Word::UnsupportedAutomationField, |_| None);
    Some(Keep { runs: runs.unwrap_or(default.runs), days: days.unwrap_or(default.days) })
}
