//! What answers for a slot.

use crate::domain::draft::limits;
use crate::domain::refusal::Refusal;
use crate::domain::run::Skipped;
use crate::domain::time::Timestamp;
use crate::ledger::{Account, AutomationRow, PastEpoch, RunRow, View};

pub(super) enum Answer {
    /// A run, and those that tried it again, in their order.
    Chain(Box<RunRow>, Vec<RunRow>),
    /// It is counted on this active run.
    Counted(Box<RunRow>, Skipped),
    /// The account of a day: the run is not kept any more.
    Account(Vec<Account>),
    /// Nothing that is kept.
    Unknown,
}

pub(super) fn find(
    view: &View<'_>,
    automation: &AutomationRow,
    epoch: &PastEpoch,
    slot: Timestamp,
) -> Result<Answer, Refusal> {
    let number = epoch.epoch.number;
    if let Some(first) = view.answering_run(automation.row, number, slot)? {
        let mut tries: Vec<RunRow> = Vec::new();
        while tries.len() < limits::RETRIES as usize
            && let Some(next) = view.retry_of(&tries.last().unwrap_or(&first).run.id)?
        {
            tries.push(next);
        }
        return Ok(Answer::Chain(Box::new(first), tries));
    }
    // Slots are counted in the newest epoch only: they become a record with its end.
    if number == automation.epoch.number
        && let Some(active) = view.oldest_active_run(automation.row)?
        && let Some(skipped) = active.run.skipped
        && (skipped.slots.from_at..=skipped.slots.to_at).contains(&slot)
    {
        return Ok(Answer::Counted(Box::new(active), skipped));
    }
    let accounts = view.account_of(automation.row, number, slot)?;
    Ok(if accounts.is_empty() { Answer::Unknown } else { Answer::Account(accounts) })
}
