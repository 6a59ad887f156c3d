//! The part of a draft that says what happens when things are not as planned.
//!
//! A value that this version does not act on is refused, never stored and ignored: for those fields only the
//! default is accepted.

use serde::Serialize;
use serde_json::Value;

use super::limits::{KEPT_DAYS, KEPT_RUNS, PAUSE_AFTER_FAILURES, SPAN_MS};
use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::policy::{Keep, Missed, Policy};
use crate::domain::sent::Sent;

pub(super) fn read_policy(fields: &mut Fields<'_>, current: Option<&Policy>) -> Option<Policy> {
    let defaults = Policy::default();
    if !fields.has("policy") {
        return Some(defaults);
    }
    let mut policy = current.unwrap_or(&defaults).clone();
    let mut sent = fields.object("policy")?;
    default_only(&mut sent, "overlap", &mut policy.overlap, &defaults.overlap);
    choose(&mut sent, "missed", &mut policy.missed, &defaults.missed, read_missed);
    default_only(&mut sent, "ifBusy", &mut policy.if_busy, &defaults.if_busy);
    choose(&mut sent, "queueMs", &mut policy.queue_ms, &defaults.queue_ms, |sent| {
        sent.integer("queueMs", 0..=SPAN_MS)
    });
    choose(&mut sent, "startMs", &mut policy.start_ms, &defaults.start_ms, |sent| {
        sent.integer("startMs", 1000..=SPAN_MS)
    });
    default_only(&mut sent, "idleMs", &mut policy.idle_ms, &defaults.idle_ms);
    choose(&mut sent, "wallMs", &mut policy.wall_ms, &defaults.wall_ms, |sent| {
        sent.integer("wallMs", 1000..=SPAN_MS)
    });
    default_only(&mut sent, "blockerMs", &mut policy.blocker_ms, &defaults.blocker_ms);
    default_only(&mut sent, "stepCap", &mut policy.step_cap, &defaults.step_cap);
    default_only(&mut sent, "budget", &mut policy.budget, &defaults.budget);
    default_only(&mut sent, "permissions", &mut policy.permissions, &defaults.permissions);
    default_only(&mut sent, "retry", &mut policy.retry, &defaults.retry);
    let pause_after_failures = &mut policy.pause_after_failures;
    choose(&mut sent, "pauseAfterFailures", pause_after_failures, &defaults.pause_after_failures, |sent| {
        sent.nullable_integer("pauseAfterFailures", 1..=PAUSE_AFTER_FAILURES)
    });
    default_only(&mut sent, "precheck", &mut policy.precheck, &defaults.precheck);
    choose(&mut sent, "keep", &mut policy.keep, &defaults.keep, |sent| read_keep(sent, defaults.keep));
    sent.finish(Word::UnsupportedAutomationField, |_| None);
    Some(policy)
}

/// Whether a policy has a field of this name.
pub(super) fn is_policy(name: &str) -> bool {
    serde_json::to_value(Policy::default()).is_ok_and(|defaults| defaults.get(name).is_some())
}

/// Reads a field that may be chosen. One that is not there has its default; one that is as it was stays.
fn choose<T: Clone>(
    sent: &mut Fields<'_>,
    name: &'static str,
    value: &mut T,
    default: &T,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) {
    if !sent.unchanged(name) {
        *value = read(sent).unwrap_or_else(|| default.clone());
    }
}

/// Reads a field that may only have the value that it has anyway. An object may name some of its fields.
fn default_only<T: Clone + Serialize>(sent: &mut Fields<'_>, name: &'static str, value: &mut T, default: &T) {
    choose(sent, name, value, default, |sent| {
        let written = serde_json::to_value(default).unwrap_or_default();
        let same = match (sent.any(name)?, &written) {
            (Sent::Object(value), Value::Object(default)) => {
                value.iter().all(|(field, value)| default.get(field).is_some_and(|default| value.is(default)))
            }
            (value, default) => value.is(default),
        };
        if !same {
            let hint = format!("this version only does {written}; leave `{name}` out");
            sent.fault_hint(name, Word::NotAvailableYet, hint);
        }
        None
    });
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
