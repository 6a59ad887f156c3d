//! Somebody asks for a run.

use super::records::NewRun;
use super::start::start;
use super::{Context, KEY_MEMORY_MS, assign, find_automation, find_open_automation};
use crate::domain::policy::Overlap;
use crate::domain::refusal::Refusal;
use crate::domain::request::RunRequest;
use crate::domain::run::{Run, Trigger};
use crate::ledger::Tx;

/// Creates a run, or gives the one that was asked for with the same key within a day. No slot is moved.
///
/// # Errors
/// When there is no such automation, it is being deleted, or a run of it is active and its policy is to skip.
pub fn trigger(tx: &Tx<'_>, context: &mut Context<'_>, request: RunRequest) -> Result<Run, Refusal> {
    let known = find_automation(tx, &request.automation)?;
    if let Some(key) = &request.key
        && let Some(first) = tx.run_by_key(known.row, key, context.now.plus_ms(-KEY_MEMORY_MS))?
    {
        return Ok(first.run);
    }
    let mut automation = find_open_automation(tx, context, &request.automation)?;
    if let Some(active) = tx.oldest_active_run(automation.row)? {
        match automation.definition.policy.overlap {
            Overlap::Skip => return Err(Refusal::ActiveRunStillRunning { run: active.run.id }),
        }
    }
    assign::assign(tx, context)?;
    let new = NewRun {
        trigger: Trigger::Manual { key: request.key },
        attendance: request.attendance,
        slots: None,
        asked_by: Some(context.me.instance.clone()),
        not_before: None,
    };
    start(tx, context, &mut automation, new)
}
