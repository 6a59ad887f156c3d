//! Somebody wants a run to end.

use super::ending::{self, Remains};
use super::limits::{self, Limit};
use super::progress::LOOP_GATE;
use super::{Context, derive, find_run, standby};
use crate::domain::id::{LifecycleActionId, RunId};
use crate::domain::policy::STOP_GRACE_MS;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{ErrorCode, StopReason};
use crate::domain::run::{Outcome, Run, RunError, Stopping, Urgency, Wish};
use crate::ledger::{RunRow, Tx};

/// Cancels a run. One that has not begun ends at once; one that has is asked to end, and killed when asked a
/// second time. An ended run is given as it is.
///
/// # Errors
/// When there is no such run.
pub fn cancel(tx: &Tx<'_>, context: &mut Context<'_>, id: &RunId) -> Result<Run, Refusal> {
    let run = find_run(tx, id)?;
    let urgency = if run.run.stopping().is_some() { Urgency::Now } else { Urgency::Ask };
    wish(tx, context, run, Wish::Stop(StopReason::Cancelled), urgency)?;
    Ok(find_run(tx, id)?.run)
}

/// Has a run end as wished. Who carries it out sees the wish in its row.
pub(super) fn wish(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    run: RunRow,
    wish: Wish,
    urgency: Urgency,
) -> Result<(), Refusal> {
    wish_for(tx, context, run, wish, urgency, None)
}

/// Has a run that has begun end at once because its window closes. One that somebody has asked to end ends as that
/// asked.
pub(super) fn close(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    run: RunRow,
    action: &LifecycleActionId,
) -> Result<(), Refusal> {
    wish_for(tx, context, run, Wish::Stop(StopReason::Shutdown), Urgency::Now, Some(action))
}

fn wish_for(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut run: RunRow,
    wish: Wish,
    urgency: Urgency,
    closed_by: Option<&LifecycleActionId>,
) -> Result<(), Refusal> {
    if !run.run.state().is_active() {
        return Ok(());
    }
    if !run.begun {
        let outcome = outcome_of(&Stopping { wish, since: context.now, now: true, closed_by: None }, &run);
        ending::end(tx, context, run, outcome, None, Remains::Nothing)?;
        return Ok(());
    }
    if run.run.wish_to_stop(wish, urgency, closed_by, context.now) {
        // A limit that has led to a wish does not lead to another.
        let has_guard = tx.process(run.row)?.is_some_and(|process| process.guard().is_some());
        let patience_ms = match (urgency, has_guard) {
            (Urgency::Now, _) => standby::STOP_NOW_MS,
            (Urgency::Ask, true) => standby::STOP_MS,
            (Urgency::Ask, false) => standby::SERVED_STOP_MS,
        };
        run.deadline_at = Some(context.now.plus_ms(patience_ms));
        derive::publish_run(tx, &mut run, context.now)?;
    }
    Ok(())
}

/// How a run that was asked to end is recorded.
pub(super) fn outcome_of(stopping: &Stopping, run: &RunRow) -> Outcome {
    match stopping.wish {
        Wish::Stop(reason) => Outcome::Stopped(reason),
        Wish::Fail(code) => {
            // Work that started only after the wish had not started in time.
            let started_at = run.run.started_at().filter(|started_at| *started_at < stopping.since);
            let message = match (code, started_at) {
                (ErrorCode::TimedOut, Some(_)) => took_too_long(stopping, run),
                (ErrorCode::TimedOut, None) => {
                    let policy = &run.definition.policy;
                    let limit = policy.start_limit_ms();
                    let names = match policy.precheck {
                        Some(_) => format!(
                            "`policy.startMs`, `policy.precheck.timeoutMs` and {STOP_GRACE_MS} ms for the precheck's end"
                        ),
                        None => "`policy.startMs`".to_owned(),
                    };
                    format!("it did not start within {limit} ms ({names})")
                }
                (code, _) => why(code, run),
            };
            Outcome::Failed(RunError::of(code, message, started_at))
        }
    }
}

/// Why a run was asked to end as a failure for another reason than its time.
fn why(code: ErrorCode, run: &RunRow) -> String {
    let policy = &run.definition.policy;
    match code {
        ErrorCode::StepCap => {
            format!("it took more than {} steps (`policy.stepCap`) and was ended", policy.step_cap)
        }
        ErrorCode::LoopGate => {
            format!("it made the same step {LOOP_GATE} times in a row and was ended")
        }
        ErrorCode::BudgetExceeded => {
            "it cost all that it may cost (`policy.budget.perRun`) and was ended".to_owned()
        }
        ErrorCode::NeedsUserInput => {
            "it needed a person, and nobody is asked (`policy.permissions` is \"deny\")".to_owned()
        }
        ErrorCode::ExecutionFailed
        | ErrorCode::TimedOut
        | ErrorCode::StartFailed
        | ErrorCode::ProviderUnavailable
        | ErrorCode::Crashed => "it was ended".to_owned(),
    }
}

/// Which of its limits a run had reached when it was asked to end.
fn took_too_long(stopping: &Stopping, run: &RunRow) -> String {
    let policy = &run.definition.policy;
    match limits::reached(run, stopping.since) {
        Some(Limit::Idle) => format!(
            "it was silent for longer than its limit of {} ms (`policy.idleMs`) and was ended",
            policy.idle_ms.unwrap_or_default()
        ),
        Some(Limit::Wall | Limit::Start | Limit::Answer) | None => format!(
            "it worked for longer than its limit of {} ms (`policy.wallMs`) and was ended",
            policy.wall_ms
        ),
    }
}
