//! The part of a draft that says what happens when things are not as planned.

use super::limits::{KEPT_DAYS, KEPT_RUNS, PAUSE_AFTER_FAILURES, RETRIES, RETRY_DELAY_MS, SPAN_MS, STEPS};
use super::task::{read_args, read_program};
use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::policy::{Budget, IfBusy, Keep, Missed, Money, Overlap, Permissions, Policy, Precheck};

/// What is not said is as it was, or as the defaults have it.
pub(super) fn read_policy(
    fields: &mut Fields<'_>,
    current: Option<&Policy>,
    defaults: Policy,
) -> Option<Policy> {
    if !fields.has("policy") {
        return Some(defaults);
    }
    let mut policy = current.unwrap_or(&defaults).clone();
    let mut sent = fields.object("policy")?;
    choose(&mut sent, "overlap", &mut policy.overlap, &defaults.overlap, |sent| {
        let others = [("queueOne", Overlap::QueueOne), ("cancelPrevious", Overlap::CancelPrevious)];
        sent.choice("overlap", &[("skip", Overlap::Skip), others[0], others[1]])
    });
    choose(&mut sent, "missed", &mut policy.missed, &defaults.missed, read_missed);
    choose(&mut sent, "ifBusy", &mut policy.if_busy, &defaults.if_busy, read_if_busy);
    choose(&mut sent, "queueMs", &mut policy.queue_ms, &defaults.queue_ms, |sent| {
        sent.integer("queueMs", 0..=SPAN_MS)
    });
    choose(&mut sent, "startMs", &mut policy.start_ms, &defaults.start_ms, |sent| {
        sent.integer("startMs", 1000..=SPAN_MS)
    });
    choose(&mut sent, "idleMs", &mut policy.idle_ms, &defaults.idle_ms, |sent| {
        sent.nullable_integer("idleMs", 1000..=SPAN_MS)
    });
    choose(&mut sent, "wallMs", &mut policy.wall_ms, &defaults.wall_ms, |sent| {
        sent.integer("wallMs", 1000..=SPAN_MS)
    });
    if let Some(mut inner) = part(&mut sent, "blockerMs", &mut policy.blocker_ms, &defaults.blocker_ms) {
        let (value, default) = (&mut policy.blocker_ms, &defaults.blocker_ms);
        choose(&mut inner, "attended", &mut value.attended, &default.attended, |sent| {
            sent.integer("attended", 0..=SPAN_MS)
        });
        choose(&mut inner, "unattended", &mut value.unattended, &default.unattended, |sent| {
            sent.integer("unattended", 0..=SPAN_MS)
        });
        inner.finish(Word::UnsupportedAutomationField, |_| None);
    }
    choose(&mut sent, "stepCap", &mut policy.step_cap, &defaults.step_cap, |sent| {
        sent.integer("stepCap", 1..=STEPS)
    });
    choose(&mut sent, "budget", &mut policy.budget, &defaults.budget, read_budget);
    choose(&mut sent, "permissions", &mut policy.permissions, &defaults.permissions, |sent| {
        sent.choice("permissions", &[("ask", Permissions::Ask), ("deny", Permissions::Deny)])
    });
    if let Some(mut inner) = part(&mut sent, "retry", &mut policy.retry, &defaults.retry) {
        let (value, default) = (&mut policy.retry, &defaults.retry);
        choose(&mut inner, "attempts", &mut value.attempts, &default.attempts, |sent| {
            sent.integer("attempts", 0..=RETRIES)
        });
        choose(&mut inner, "delayMs", &mut value.delay_ms, &default.delay_ms, |sent| {
            sent.integer("delayMs", RETRY_DELAY_MS..=SPAN_MS)
        });
        inner.finish(Word::UnsupportedAutomationField, |_| None);
    }
    let pause_after_failures = &mut policy.pause_after_failures;
    choose(&mut sent, "pauseAfterFailures", pause_after_failures, &defaults.pause_after_failures, |sent| {
        sent.nullable_integer("pauseAfterFailures", 1..=PAUSE_AFTER_FAILURES)
    });
    choose(&mut sent, "precheck", &mut policy.precheck, &defaults.precheck, read_precheck);
    choose(&mut sent, "keep", &mut policy.keep, &defaults.keep, |sent| read_keep(sent, defaults.keep));
    sent.finish(Word::UnsupportedAutomationField, |_| None);
    Some(policy)
}

/// What a run is to do when another one is ahead of it in its directory, if that was said.
pub fn read_if_busy(fields: &mut Fields<'_>) -> Option<IfBusy> {
    fields.choice("ifBusy", &[("queue", IfBusy::Queue), ("skip", IfBusy::Skip)])
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

/// The fields of an object that is to be read. One that is not there has its default; one that is as it was stays.
fn part<'a, T: Clone>(
    sent: &mut Fields<'a>,
    name: &'static str,
    value: &mut T,
    default: &T,
) -> Option<Fields<'a>> {
    if sent.unchanged(name) {
        return None;
    }
    if !sent.has(name) {
        *value = default.clone();
    }
    sent.object(name)
}

fn read_budget(policy: &mut Fields<'_>) -> Option<Option<Budget>> {
    if policy.is_null("budget") {
        return Some(None);
    }
    let mut budget = policy.object("budget")?;
    let per_run = budget.object("perRun");
    let per_run = budget.require("perRun", per_run);
    budget.finish(Word::UnsupportedAutomationField, |_| None);
    let mut per_run = per_run?;
    let money = read_money(&mut per_run);
    per_run.finish(Word::UnsupportedAutomationField, |_| None);
    Some(Some(Budget { per_run: money? }))
}

/// An amount in a currency, as the fields of an object.
pub fn read_money(fields: &mut Fields<'_>) -> Option<Money> {
    let amount = fields.amount("amount");
    let amount = fields.require("amount", amount);
    let currency = fields.required_text("currency").filter(|code| {
        let sound = code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase());
        if !sound {
            fields.fault_hint("currency", Word::UnknownValue, "write an ISO 4217 code, such as EUR");
        }
        sound
    });
    Some(Money { amount: amount?, currency: currency?.to_owned() })
}

fn read_precheck(policy: &mut Fields<'_>) -> Option<Option<Precheck>> {
    let mut precheck = policy.nullable_object("precheck")?;
    let program = read_program(&mut precheck);
    let args = read_args(&mut precheck);
    let timeout_ms = precheck.integer("timeoutMs", 1000..=SPAN_MS);
    let timeout_ms = precheck.require("timeoutMs", timeout_ms);
    precheck.finish(Word::UnsupportedAutomationField, |_| None);
    Some(Some(Precheck { program: program?, args: args?, timeout_ms: timeout_ms? }))
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
