//! Whether a failure is one after which an automation rests, until a person has it go on.

use super::derive;
use crate::domain::automation::{PauseReason, When};
use crate::domain::draft::limits;
use crate::domain::run::{Phase, RunError};
use crate::ledger::{AutomationRow, RunRow};

/// Why an automation pauses itself.
pub(super) struct Rest {
    pub(super) reason: PauseReason,
    /// What is wrong and what to do, where the count of failures does not say enough.
    pub(super) note: Option<String>,
}

/// Why an automation rests after a failure that has been counted, if it does. `failed` is the run that says of what it
/// was; one that nobody knows any more only counts.
///
/// What is not due again goes on as it is: a pause would keep nothing from happening. A one-shot never pauses itself,
/// not even when somebody has run it before its time. It fires once at most, so that a pause could only keep that from
/// happening, and could not be taken back once its time has passed.
pub(super) fn after_failure(automation: &AutomationRow, failed: Option<&RunRow>) -> Option<Rest> {
    let is_recurring = match automation.definition.when {
        When::Recurring { .. } => true,
        When::Oneshot { .. } => false,
    };
    // Nothing is due of what is paused or is being deleted.
    if !is_recurring || derive::next_fire(automation).is_none() {
        return None;
    }
    let limit = automation.definition.policy.pause_after_failures;
    let too_many = limit.is_some_and(|limit| automation.failure_streak >= limit);
    failed
        .and_then(|failed| at_once(automation, failed))
        .or_else(|| too_many.then_some(Rest { reason: PauseReason::Failures, note: None }))
}

/// Of some failures it is known that the next run would fail as well. Not if it would do something else, because the
/// automation was edited since that one was created: whoever has mended it wants that to be tried.
fn at_once(automation: &AutomationRow, failed: &RunRow) -> Option<Rest> {
    let Phase::Failed { error, .. } = &failed.run.phase else { return None };
    let reason = error.class.pauses_at_once()?;
    let (then, now) = (&failed.definition, &automation.definition);
    let does_the_same = then.task == now.task
        && then.placement == now.placement
        && then.policy.precheck == now.policy.precheck;
    does_the_same.then(|| Rest { reason, note: Some(note(error, reason)) })
}

/// What was wrong, which may be a text of any length, and what to do, which is never cut.
fn note(error: &RunError, reason: PauseReason) -> String {
    let advice = match reason {
        PauseReason::Config => "Then resume the automation.",
        PauseReason::Auth => "Log in again, then resume the automation.",
        PauseReason::Quota => "Resume the automation when there is quota again.",
        PauseReason::User | PauseReason::Failures | PauseReason::Run => "Resume the automation to go on.",
    };
    let wrong = error.message.trim().trim_end_matches('.');
    let room = limits::NOTE - advice.chars().count() - ". ".len();
    if wrong.is_empty() {
        advice.to_owned()
    } else if wrong.chars().count() <= room {
        format!("{wrong}. {advice}")
    } else {
        let begin: String = wrong.chars().take(room - 1).collect();
        format!("{begin}…. {advice}")
    }
}
