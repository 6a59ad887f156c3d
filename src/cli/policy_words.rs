//! Where a policy differs from what it would be if nobody said anything, in the words of the flags that change it.

use super::ago::span;
use super::show_words::command_line;
use crate::domain::policy::{IfBusy, Missed, Overlap, Permissions, Policy, Precheck};

/// A line for each part that was chosen.
pub(super) fn chosen(policy: &Policy, default: &Policy) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |differs: bool, line: &dyn Fn() -> String| {
        if differs {
            lines.push(line());
        }
    };
    add(policy.overlap != default.overlap, &|| {
        match policy.overlap {
            Overlap::Skip => "while a run is at work, times are skipped",
            Overlap::QueueOne => "while a run is at work, the next one waits",
            Overlap::CancelPrevious => "a run that is still at work is cancelled for the next one",
        }
        .to_owned()
    });
    add(policy.missed != default.missed, &|| match policy.missed {
        Missed::Skip => "what was missed is not made up for".to_owned(),
        Missed::RunOnce { window_ms: None } => "what was missed is made up for once".to_owned(),
        Missed::RunOnce { window_ms: Some(window) } => {
            format!("what was missed is made up for once, up to {} late", span(window))
        }
    });
    add(policy.if_busy != default.if_busy, &|| {
        match policy.if_busy {
            IfBusy::Queue => "where its directory is in use, it waits",
            IfBusy::Skip => "where its directory is in use, it does not run",
        }
        .to_owned()
    });
    add(policy.queue_ms != default.queue_ms, &|| format!("waits at most {}", span(policy.queue_ms)));
    add(policy.start_ms != default.start_ms, &|| format!("starts within {}", span(policy.start_ms)));
    add(policy.idle_ms != default.idle_ms, &|| match policy.idle_ms {
        None => "may be silent for as long as it likes".to_owned(),
        Some(idle) => format!("may be silent for {}", span(idle)),
    });
    add(policy.wall_ms != default.wall_ms, &|| format!("may take {}", span(policy.wall_ms)));
    add(policy.blocker_ms != default.blocker_ms, &|| {
        let (attended, unattended) = (policy.blocker_ms.attended, policy.blocker_ms.unattended);
        format!("waits for an answer {}, or {} if nobody asked for it", span(attended), span(unattended))
    });
    add(policy.step_cap != default.step_cap, &|| format!("at most {} steps", policy.step_cap));
    add(policy.budget != default.budget, &|| match &policy.budget {
        None => "without a budget".to_owned(),
        Some(budget) => format!("at most {} {} for one run", budget.per_run.amount, budget.per_run.currency),
    });
    add(policy.permissions != default.permissions, &|| {
        match policy.permissions {
            Permissions::Ask => "permissions are asked of a person",
            Permissions::Deny => "permissions are denied, and nobody is asked",
        }
        .to_owned()
    });
    add(policy.retry != default.retry, &|| match policy.retry.attempts {
        0 => "is not tried again".to_owned(),
        attempts => {
            let times = if attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
            format!("what could not start is tried again {times}, after {}", span(policy.retry.delay_ms))
        }
    });
    add(policy.pause_after_failures != default.pause_after_failures, &|| match policy.pause_after_failures {
        None => "never pauses itself for failures in a row".to_owned(),
        Some(1) => "pauses itself after a failure".to_owned(),
        Some(failures) => format!("pauses itself after {failures} failures in a row"),
    });
    add(policy.precheck != default.precheck, &|| match &policy.precheck {
        None => "without a precheck".to_owned(),
        Some(Precheck { program, args, timeout_ms }) => {
            format!("only if this says so within {}: {}", span(*timeout_ms), command_line(program, args))
        }
    });
    add(policy.keep != default.keep, &|| {
        format!("keeps {} runs, for {} days", policy.keep.runs, policy.keep.days)
    });
    lines
}
