//! Whether what was told can be told again: no event is missing, and each can be read.

use super::counted;
use crate::domain::diagnosis::{Check, Finding, Subject};
use crate::domain::refusal::Refusal;
use crate::ledger::View;

const RECORD_ONLY: &str = "nothing has to be done: clients that list everything anew, as they do when they open, know all that is so";

/// Looks at the events.
///
/// # Errors
/// When the ledger cannot be read.
pub fn check(view: &View<'_>) -> Result<Check, Refusal> {
    let mut check = Check::of(Subject::Events);
    let kept = view.count_events()?;
    view.each_gap_of_events(|first, last| {
        let what = match last - first {
            0 => format!("event {first} is missing"),
            more => format!("the {} events from {first} to {last} are missing", more + 1),
        };
        let matters = "whoever followed the events from before has not been told what they said";
        check.find(Finding::warning(what, matters, RECORD_ONLY).at(format!("event {first}")));
    })?;
    let newest = match kept {
        0 => 0,
        _ => view.newest_seq()?,
    };
    let last_given = view.last_seq_given()?;
    // The newest are never pruned, however old they are, unless somebody wanted none to be kept.
    let wanted = view.last_limits()?.map_or(1, |limits| limits.event_history);
    if newest < last_given && (kept > 0 || wanted > 0) {
        let what =
            format!("the newest event is {newest}, and there has been one with the number {last_given}");
        let matters = "what happened last was not told to everybody";
        check.find(Finding::warning(what, matters, RECORD_ONLY).at(format!("event {last_given}")));
    }
    view.each_unreadable_event(|seq| {
        let what = format!("what event {seq} says cannot be read");
        let matters = "it is passed over when events are read";
        check.find(Finding::warning(what, matters, RECORD_ONLY).at(format!("event {seq}")));
    })?;
    let summary = match kept {
        0 => "none is kept".to_owned(),
        _ => format!("{}, the newest is {newest}", counted(kept.unsigned_abs(), "event")),
    };
    Ok(check.seen(summary))
}
