//! Somebody asks for a run.

use super::records::NewRun;
use super::start::start;
use super::{Context, KEY_MEMORY_MS, assign, find_automation, find_open_automation, overlap};
use crate::domain::fault::{Fault, Word};
use crate::domain::policy::Overlap;
use crate::domain::refusal::{Refusal, invalid_param};
use crate::domain::request::{Executor, RunRequest};
use crate::domain::run::{Run, Trigger};
use crate::ledger::{Asker, Tx};

/// Creates a run, or gives the one that was asked for with the same key within a day. No slot is moved.
///
/// # Errors
/// When there is no such automation, it is being deleted, a run of it is active and its policy is to skip, or its
/// directory is busy and it is not to wait.
pub fn trigger(tx: &Tx<'_>, context: &mut Context<'_>, request: RunRequest) -> Result<Run, Refusal> {
    let known = find_automation(tx, &request.automation)?;
    if let Some(key) = &request.key
        && let Some(first) = tx.run_by_key(known.row, key, context.now.plus_ms(-KEY_MEMORY_MS))?
    {
        return Ok(first.run);
    }
    find_open_automation(tx, context, &request.automation)?;
    // Those whose turn has come go first, and what becomes of them may concern this automation.
    assign::assign(tx, context)?;
    let mut automation = find_open_automation(tx, context, &request.automation)?;
    match (automation.definition.policy.overlap, tx.oldest_active_run(automation.row)?) {
        (Overlap::Skip, Some(active)) => {
            return Err(Refusal::ActiveRunStillRunning { run: active.run.id });
        }
        (Overlap::Skip, None) | (Overlap::QueueOne | Overlap::CancelPrevious, _) => {}
    }
    if request.context.is_some() && automation.definition.task.provider().is_none() {
        let hint = "leave it out: only prompts have a context";
        return Err(invalid_param(Fault::with_hint("context", Word::UnsupportedAutomationField, hint)));
    }
    overlap::make_way(tx, context, &mut automation)?;
    let new = NewRun {
        trigger: Trigger::Manual { key: request.key },
        attendance: request.attendance,
        slots: None,
        asker: match request.executor {
            Executor::Asker => Asker::Window(context.me.instance.clone()),
            Executor::Participant => Asker::Visitor,
        },
        not_before: None,
        if_busy: request.if_busy.unwrap_or(automation.definition.policy.if_busy),
        tries: 0,
        context: request.context,
    };
    start(tx, context, &mut automation, new)
}
