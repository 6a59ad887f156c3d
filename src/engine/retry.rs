//! A run that failed before its work began is tried again (protocol, `policy.retry`).
//!
//! A run and those that try it again are one chain, which counts once, when it ends: as what its last run has come
//! to. If that was stopped before its work started, the chain has failed, because the runs before it have.

use super::records::NewRun;
use super::start::start;
use super::{Context, derive};
use crate::domain::automation::Task;
use crate::domain::policy::{Policy, Retry};
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::StopReason;
use crate::domain::run::{Ended, Phase, Trigger};
use crate::ledger::{AutomationRow, RunRow, Tx};

/// Whether a run that has just ended is tried again.
///
/// It is not where the failure is one that stays ([`crate::domain::run::ErrorClass::may_be_tried_again`]): the automation pauses at once
/// then. It is not where the automation is being deleted, and not where nothing starts by itself any more, because it rests or
/// has reached its count; what somebody has asked for is tried again there too. It is not either where another run of the automation is active: that one is the next try. That the schedule
/// was edited meanwhile, or is over, means nothing here: the run was due. How often it is tried again, and what is
/// carried out then, is said by the automation as it is now: whoever has mended it wants that to be tried.
pub(super) fn follows(tx: &Tx<'_>, automation: &AutomationRow, ended: &RunRow) -> Result<bool, Refusal> {
    let Retry { attempts, .. } = automation.definition.policy.retry;
    let failed_to_start = match &ended.run.phase {
        Phase::Failed { error, .. } => error.class.may_be_tried_again() && ended.run.started_at().is_none(),
        Phase::Scheduled { .. }
        | Phase::Running { .. }
        | Phase::AwaitingInput { .. }
        | Phase::Succeeded { .. }
        | Phase::Stopped { .. } => false,
    };
    let starts_by_itself = automation.pause.is_none() && derive::runs_left(automation) != Some(0);
    let wanted = automation.deleting.is_none() && (starts_by_itself || ended.was_asked_for());
    Ok(failed_to_start && ended.tries < attempts && wanted && tx.active_runs(automation.row)?.is_empty())
}

/// Creates the run that tries this one again.
pub(super) fn again(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    automation: &mut AutomationRow,
    failed: &RunRow,
) -> Result<(), Refusal> {
    let Policy { retry, if_busy, .. } = &automation.definition.policy;
    let not_before = match &automation.definition.task {
        Task::Command(_) | Task::Prompt(_) => Some(context.now.plus_ms(retry.delay_ms)),
        // It was something else when it failed. A reminder cannot fail to start, so it has nothing to wait for.
        Task::Notify { .. } => None,
    };
    // What whoever asked for the run wanted holds for all of its chain.
    let if_busy = match failed.if_busy == failed.definition.policy.if_busy {
        true => *if_busy,
        false => failed.if_busy,
    };
    let new = NewRun {
        trigger: Trigger::Retry { of: failed.run.id.clone() },
        attendance: failed.run.attendance,
        // They were answered for by the one that failed.
        slots: None,
        asker: failed.asker.clone(),
        not_before,
        if_busy,
        tries: failed.tries + 1,
        context: failed.context.clone(),
    };
    start(tx, context, automation, new).map(drop)
}

/// The run that this one has tried again, if it has, and that one is still there.
pub(super) fn tried_before(tx: &Tx<'_>, run: &RunRow) -> Result<Option<RunRow>, Refusal> {
    match &run.run.trigger {
        Trigger::Retry { of } => Ok(tx.understood_run(of)?),
        Trigger::Schedule | Trigger::Manual { .. } | Trigger::CatchUp => Ok(None),
    }
}

/// Whether a stopped retry leaves its chain as one that failed. Work that has started was stopped by somebody, not by
/// what kept the runs before from starting, and a precheck that finds nothing to do has been able to start.
pub(super) fn leaves_the_failure(ended: &Ended, reason: StopReason) -> bool {
    let found_nothing_to_do = match reason {
        StopReason::PrecheckSkipped => true,
        StopReason::MissedSchedule
        | StopReason::PreviousRunActive
        | StopReason::PreviousRunAwaitingInput
        | StopReason::Paused
        | StopReason::Cancelled
        | StopReason::Superseded
        | StopReason::WriterBusy
        | StopReason::Capacity
        | StopReason::Expired
        | StopReason::Ended
        | StopReason::Interrupted
        | StopReason::Shutdown
        | StopReason::BlockerLost => false,
    };
    ended.started_at.is_none() && !found_nothing_to_do
}
