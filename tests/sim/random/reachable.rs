//! Which transitions of runs a random world brings about: all that the table of a run's life has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sexton::domain::run::machine::{BORN_STOPPED, ErrorCode, RunEvent, State, StopReason, next};

/// Why automations are paused, beside the transitions of runs.
const PAUSES: [&str; 6] = ["auth", "config", "failures", "quota", "run", "user"];

/// Those that chance brings about less than once in a hundred thousand steps: a slot that ends with a record while
/// another run waits for a person (`asking.rs` has one), a run that waits when the count is reached (`previous.rs` has
/// one), and work that ends by itself, or is replaced, while it waits for a person.
pub(super) const RARE: &[&str] = &[
    "awaiting_input>failed:budget_exceeded",
    "awaiting_input>failed:crashed",
    "awaiting_input>failed:execution_failed",
    "awaiting_input>failed:loop_gate",
    "awaiting_input>failed:needs_user_input",
    "awaiting_input>failed:step_cap",
    "awaiting_input>failed:timed_out",
    "awaiting_input>stopped:superseded",
    "new>stopped:previous_run_awaiting_input",
    "scheduled>stopped:ended",
];

/// Everything that the table allows, in the words in which the audit counts it.
pub(super) fn allowed() -> BTreeSet<String> {
    let reasons = StopReason::ALL.into_iter().map(RunEvent::Stop);
    let codes = ErrorCode::ALL.into_iter().map(RunEvent::Fail);
    let others = [RunEvent::Start, RunEvent::Block, RunEvent::Unblock, RunEvent::Succeed];
    let events: Vec<RunEvent> = reasons.chain(codes).chain(others).collect();
    let mut allowed = BTreeSet::from(["new>scheduled".to_owned()]);
    allowed.extend(PAUSES.map(|reason| format!("automation>paused:{reason}")));
    allowed.extend(BORN_STOPPED.iter().map(|reason| format!("new>stopped:{}", word(reason))));
    for from in State::ALL {
        for event in &events {
            let Ok(to) = next(from, *event) else { continue };
            let why = match event {
                RunEvent::Stop(reason) => format!(":{}", word(reason)),
                RunEvent::Fail(code) => format!(":{}", word(code)),
                RunEvent::Start | RunEvent::Block | RunEvent::Unblock | RunEvent::Succeed => String::new(),
            };
            allowed.insert(format!("{}>{}{why}", from.as_str(), to.as_str()));
        }
    }
    allowed
}

/// What happened in all worlds, a line each with how often; what the table has and never happened stands there with 0.
pub(super) fn counted(allowed: &BTreeSet<String>, walked: &[BTreeMap<String, u64>]) -> BTreeMap<String, u64> {
    let mut counted: BTreeMap<String, u64> =
        allowed.iter().map(|transition| (transition.clone(), 0)).collect();
    for (transition, times) in walked.iter().flatten() {
        *counted.entry(transition.clone()).or_default() += times;
    }
    counted
}

/// How often runs that had not been born so were stopped for each reason, or not even begun.
pub(super) fn by_stop_reason(counted: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut reasons: BTreeMap<String, u64> = StopReason::ALL.iter().map(|reason| (word(reason), 0)).collect();
    for (transition, times) in counted {
        if let Some((_, reason)) = transition.split_once(">stopped:") {
            *reasons.entry(reason.to_owned()).or_default() += times;
        }
    }
    reasons
}

fn word(reason: &impl serde::Serialize) -> String {
    match serde_json::to_value(reason) {
        Ok(Value::String(word)) => word,
        other => panic!("not a word: {other:?}"),
    }
}
