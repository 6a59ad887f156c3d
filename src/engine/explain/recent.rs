//! Which time somebody asks about who names none.

use crate::domain::id::AutomationId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::engine::no_automation;
use crate::ledger::View;

/// Epochs that are looked at: somebody who edits a schedule again and again asks about one of the last.
const EPOCHS: usize = 16;

/// The newest time up to now at which the automation was due, or would have been due had it not been paused or deleted;
/// if there was none, the next one. `None` if it is never due.
///
/// # Errors
/// When there never was such an automation, or the ledger fails.
pub fn recent(view: &View<'_>, now: Timestamp, id: &AutomationId) -> Result<Option<Timestamp>, Refusal> {
    let (row, _, _) = view.automation_fate(id)?.ok_or_else(|| no_automation(id))?;
    let epochs = view.epochs_before(row, now.plus_ms(1), EPOCHS)?;
    let mut until = now;
    for epoch in &epochs {
        let began = epoch.epoch.effective_at;
        if let Ok(schedule) = epoch.definition.schedule()
            && let Some(slot) = schedule.nearest(began, until.plus_ms(1)).before
        {
            return Ok(Some(slot));
        }
        until = until.min(began);
    }
    let newest = epochs.first().and_then(|epoch| Some((epoch, epoch.definition.schedule().ok()?)));
    Ok(newest.and_then(|(epoch, schedule)| schedule.next_after(epoch.epoch.effective_at, now)))
}
