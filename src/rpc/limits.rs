//! The limits that a client may set for its window, and what it may set them to.

use std::ops::RangeInclusive;

use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::scheduler::{Limits, SharedLimits};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const MIB: i64 = 1024 * 1024;
const GIB: i64 = 1024 * MIB;

/// Less than a sidecar may take that has much to do: with less, slots would be missed by who is there to fire them.
const GRACE_LEAST_MS: i64 = 100;

/// Some tens of gigabytes: whoever wants more wants an archive, not a history.
const EVENTS_MAX: i64 = 10_000_000;

/// One limit of `initializationOptions.limits`.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The contract's name.
    pub name: &'static str,
    /// What it bounds.
    pub what: &'static str,
    /// What it is if the client does not say.
    pub default: i64,
    /// What it may be set to.
    pub range: RangeInclusive<i64>,
}

const fn limit(name: &'static str, default: i64, range: RangeInclusive<i64>, what: &'static str) -> Limit {
    Limit { name, what, default, range }
}

/// All limits, in the order of the contract.
pub const LIMITS: [Limit; 9] = [
    limit("minIntervalMs", 30_000, 10..=DAY_MS, "The least `everyMs` that this window may give an interval."),
    limit("maxMessageBytes", 16 * MIB, 1024..=GIB, "The longest message, in both directions."),
    limit(
        "graceMs",
        60_000,
        GRACE_LEAST_MS..=DAY_MS,
        "How late a scheduled time may be and still count as in time. The owner's holds.",
    ),
    limit(
        "standbyMs",
        2000,
        50..=MINUTE_MS - 1,
        "How long another window waits for one that does not do its part before it does that itself. The owner's holds; \
         less than `graceMs`, half of it if this is absent.",
    ),
    limit(
        "stableWakeMs",
        10_000,
        0..=HOUR_MS,
        "How long the machine has to be awake after a sleep before anything is begun. The owner's holds.",
    ),
    limit(
        "maxConcurrentRuns",
        4,
        1..=1000,
        "How many runs of the whole ledger may be at work at once. The owner's holds.",
    ),
    limit(
        "maxAgents",
        1,
        1..=1000,
        "How many agents of the whole ledger may be at work at once. The owner's holds.",
    ),
    limit("outputBytes", 16 * MIB, 0..=GIB, "How much output of a run is kept."),
    limit(
        "eventHistory",
        100_000,
        0..=EVENTS_MAX,
        "How many of the newest events are kept, or those of seven days if these are more. The owner's holds.",
    ),
];

/// Reads the limits that a client sets.
pub(super) fn read(sent: &mut Fields<'_>, limits: &mut Limits) {
    for Limit { name, range, .. } in &LIMITS {
        let Some(value) = sent.integer(name, range.clone()) else { continue };
        match *name {
            "minIntervalMs" => limits.min_interval_ms = value,
            "maxMessageBytes" => limits.max_message_bytes = value.unsigned_abs(),
            "graceMs" => limits.shared.grace_ms = value,
            "standbyMs" => limits.shared.standby_ms = value,
            "maxConcurrentRuns" => limits.shared.max_concurrent_runs = value,
            "maxAgents" => limits.shared.max_agents = value,
            "stableWakeMs" => limits.shared.stable_wake_ms = value,
            "eventHistory" => limits.shared.event_history = value,
            "outputBytes" => limits.output_bytes = value.unsigned_abs(),
            // A limit that nobody takes in would be accepted and ignored.
            _ => sent.fault(name, Word::NotAvailableYet),
        }
    }
    let SharedLimits { grace_ms, standby_ms, .. } = &mut limits.shared;
    if *standby_ms >= *grace_ms {
        if sent.has("standbyMs") {
            let hint = format!(
                "say less than `graceMs`, which is {grace_ms}: whoever stands by would miss every slot"
            );
            sent.fault_hint("standbyMs", Word::OutOfRange, hint);
        }
        *standby_ms = *grace_ms / 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fields::Faults;
    use crate::domain::sent::Sent;

    #[test]
    fn every_limit_is_taken_in_and_its_default_is_what_holds_without_it() {
        for Limit { name, default, range, .. } in &LIMITS {
            let read_one = |value: i64| {
                let sent = Sent::from(&serde_json::json!({ *name: value }));
                let faults = Faults::new();
                let mut limits = Limits::default();
                read(&mut Fields::root(sent.as_object().unwrap(), &faults), &mut limits);
                assert!(faults.is_empty(), "{name} {value}: {:?}", faults.take());
                limits
            };
            assert_eq!(read_one(*default), Limits::default(), "{name}");
            assert_ne!(read_one(*range.end()), Limits::default(), "{name}");
        }
    }

    #[test]
    fn whoever_stands_by_does_so_within_the_grace() {
        let read_both = |sent: serde_json::Value| {
            let sent = Sent::from(&sent);
            let faults = Faults::new();
            let mut limits = Limits::default();
            read(&mut Fields::root(sent.as_object().unwrap(), &faults), &mut limits);
            let words: Vec<(String, Word)> =
                faults.take().into_iter().map(|fault| (fault.field, fault.message)).collect();
            (limits.shared.standby_ms, words)
        };
        assert_eq!(read_both(serde_json::json!({"graceMs": 500})), (250, vec![]));
        assert_eq!(read_both(serde_json::json!({"graceMs": 500, "standbyMs": 400})), (400, vec![]));
        let refused = vec![("standbyMs".to_owned(), Word::OutOfRange)];
        assert_eq!(read_both(serde_json::json!({"graceMs": 500, "standbyMs": 500})).1, refused);
    }
}
