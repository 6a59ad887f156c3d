//! What happens when things are not as planned, as flags say it.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::typed::{Typed, number};
use crate::domain::schedule::typed::read_span;

/// How long a precheck may take if nobody says so, in milliseconds.
const PRECHECK_MS: i64 = 60_000;

const DAY_MS: i64 = 86_400_000;

#[derive(Args, Debug)]
#[command(next_help_heading = "When things are not as planned")]
pub(super) struct PolicyArgs {
    /// While a run is still at work, the next time is skipped, or waits, or the run is cancelled for it.
    #[arg(long, value_name = "WHAT")]
    overlap: Option<Overlap>,
    /// What was missed: `skip`, `run-once`, or `run-once=SPAN` if it may be so late.
    #[arg(long, value_name = "WHAT")]
    missed: Option<String>,
    /// Where another run works in its directory, it waits or does not run.
    #[arg(long, value_name = "WHAT")]
    if_busy: Option<IfBusy>,
    /// How long a run may wait before it starts.
    #[arg(long, value_name = "SPAN")]
    queue: Option<String>,
    /// How long a start may take.
    #[arg(long, value_name = "SPAN")]
    start_limit: Option<String>,
    /// How long a run may be silent; `none` for as long as it likes.
    #[arg(long, value_name = "SPAN")]
    idle_limit: Option<String>,
    /// How long a run may take.
    #[arg(long, value_name = "SPAN")]
    limit: Option<String>,
    /// How long an agent's question waits for you: if you asked for the run, and after a comma if a timer did.
    #[arg(long, value_name = "SPAN[,SPAN]")]
    answer_within: Option<String>,
    /// How many steps an agent may take.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    step_cap: Option<String>,
    /// What one run may cost, such as `2.50USD`; `none` for no limit.
    #[arg(long, value_name = "MONEY", allow_hyphen_values = true)]
    budget: Option<String>,
    /// Whether an agent's requests for permission are put to you.
    #[arg(long, value_name = "WHAT")]
    permissions: Option<Permissions>,
    /// How often a run that could not start is tried again, and how long after that.
    #[arg(long, value_name = "NUMBER[,SPAN]", allow_hyphen_values = true)]
    retry: Option<String>,
    /// After how many failures in a row it pauses itself; `never`.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pause_after: Option<String>,
    /// A line for the shell that decides whether a run goes on: exit code 0, it does; 75, there is nothing to do. `none`
    /// removes it.
    #[arg(long, value_name = "LINE")]
    precheck: Option<String>,
    /// How long the precheck may take [default: 1m].
    #[arg(long, value_name = "SPAN")]
    precheck_limit: Option<String>,
    /// How many ended runs are kept, and for how many days: `100,30d`, or one of the two.
    #[arg(long, value_name = "NUMBER,SPAN", allow_hyphen_values = true)]
    keep: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Overlap {
    Skip,
    QueueOne,
    CancelPrevious,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum IfBusy {
    Queue,
    Skip,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Permissions {
    Ask,
    Deny,
}

impl PolicyArgs {
    pub(super) fn read(&self, typed: &mut Typed) {
        if let Some(overlap) = self.overlap {
            let word = match overlap {
                Overlap::Skip => "skip",
                Overlap::QueueOne => "queueOne",
                Overlap::CancelPrevious => "cancelPrevious",
            };
            typed.set("policy.overlap", "--overlap", "", json!(word));
        }
        if let Some(missed) = &self.missed {
            read_missed(typed, missed);
        }
        if let Some(if_busy) = self.if_busy {
            let word = match if_busy {
                IfBusy::Queue => "queue",
                IfBusy::Skip => "skip",
            };
            typed.set("policy.ifBusy", "--if-busy", "", json!(word));
        }
        self.read_limits(typed);
        if let Some(within) = &self.answer_within {
            let (attended, unattended) = parts(within);
            typed.set_span("policy.blockerMs.attended", "--answer-within", attended);
            if let Some(unattended) = unattended {
                typed.set_span("policy.blockerMs.unattended", "--answer-within", unattended);
            }
        }
        if let Some(steps) = &self.step_cap {
            typed.set("policy.stepCap", "--step-cap", steps, number(steps));
        }
        if let Some(budget) = &self.budget {
            read_budget(typed, budget);
        }
        if let Some(permissions) = self.permissions {
            let word = match permissions {
                Permissions::Ask => "ask",
                Permissions::Deny => "deny",
            };
            typed.set("policy.permissions", "--permissions", "", json!(word));
        }
        if let Some(retry) = &self.retry {
            let (attempts, delay) = parts(retry);
            typed.set("policy.retry.attempts", "--retry", attempts, number(attempts));
            if let Some(delay) = delay {
                typed.set_span("policy.retry.delayMs", "--retry", delay);
            }
        }
        if let Some(failures) = &self.pause_after {
            let value = if failures == "never" { Value::Null } else { number(failures) };
            typed.set("policy.pauseAfterFailures", "--pause-after", failures, value);
        }
        self.read_precheck(typed);
        if let Some(keep) = &self.keep {
            read_keep(typed, keep);
        }
    }

    fn read_limits(&self, typed: &mut Typed) {
        let limits = [
            ("policy.queueMs", "--queue", &self.queue),
            ("policy.startMs", "--start-limit", &self.start_limit),
            ("policy.wallMs", "--limit", &self.limit),
        ];
        for (path, flag, span) in limits {
            if let Some(span) = span {
                typed.set_span(path, flag, span);
            }
        }
        match self.idle_limit.as_deref() {
            None => {}
            Some("none") => typed.set("policy.idleMs", "--idle-limit", "none", Value::Null),
            Some(span) => typed.set_span("policy.idleMs", "--idle-limit", span),
        }
    }

    fn read_precheck(&self, typed: &mut Typed) {
        match self.precheck.as_deref() {
            None => {}
            Some("none") => typed.set("policy.precheck", "--precheck", "none", Value::Null),
            Some(line) => {
                let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
                let precheck = json!({"program": shell, "args": [option, line], "timeoutMs": PRECHECK_MS});
                typed.set("policy.precheck", "--precheck", line, precheck);
            }
        }
        if let Some(limit) = &self.precheck_limit {
            typed.set_span("policy.precheck.timeoutMs", "--precheck-limit", limit);
        }
    }
}

/// What stands before a comma, and what stands behind it.
fn parts(typed: &str) -> (&str, Option<&str>) {
    match typed.split_once(',') {
        Some((first, second)) => (first.trim(), Some(second.trim())),
        None => (typed.trim(), None),
    }
}

fn read_missed(typed: &mut Typed, words: &str) {
    match words.split_once('=').unwrap_or((words, "")) {
        ("skip", "") => typed.set("policy.missed", "--missed", words, json!({"kind": "skip"})),
        // Whoever says no window wants none of before.
        ("run-once", "") => {
            typed.set("policy.missed", "--missed", words, json!({"kind": "runOnce", "windowMs": null}));
        }
        ("run-once", window) => {
            typed.set_span("policy.missed.windowMs", "--missed", window);
            typed.set("policy.missed", "--missed", words, json!({"kind": "runOnce"}));
        }
        (_, _) => typed.fault("--missed", format!("{words:?} is not `skip`, `run-once` or `run-once=SPAN`")),
    }
}

fn read_budget(typed: &mut Typed, words: &str) {
    if words == "none" {
        typed.set("policy.budget", "--budget", words, Value::Null);
        return;
    }
    let end = words.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(words.len());
    let (amount, currency) = (words[..end].trim(), words[end..].trim());
    match amount.parse::<f64>() {
        Ok(amount) if amount.is_finite() && !currency.is_empty() => {
            let per_run = json!({"amount": amount, "currency": currency.to_ascii_uppercase()});
            typed.set("policy.budget", "--budget", words, json!({"perRun": per_run}));
        }
        Ok(_) | Err(_) => {
            typed.fault("--budget", format!("{words:?} is no amount of money; write one such as `2.50USD`"));
        }
    }
}

fn read_keep(typed: &mut Typed, words: &str) {
    let (first, second) = parts(words);
    for part in std::iter::once(first).chain(second) {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        match (is_number, read_span(part)) {
            (true, _) => typed.set("policy.keep.runs", "--keep", part, number(part)),
            (false, Ok(span)) if span % DAY_MS == 0 => {
                typed.set("policy.keep.days", "--keep", part, json!(span / DAY_MS));
            }
            (false, Ok(_)) => typed.fault("--keep", format!("{part:?} is no whole number of days")),
            (false, Err(error)) => typed.fault("--keep", error),
        }
    }
}
