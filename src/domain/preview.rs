//! What a schedule would do: its next fires, and what a person should know of them.

use schemars::JsonSchema;
use serde::Serialize;

use super::automation::When;
use super::draft::{ScheduleDraft, limits};
use super::fault::{Fault, Word};
use super::schedule::notes::{Note, Span};
use super::schedule::rhythm::Stop;
use super::schedule::zone::Zone;
use super::time::Timestamp;

/// When something would fire.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Preview {
    /// The next times.
    pub fires: Vec<Timestamp>,
    /// The schedule in words, for people.
    pub description: String,
    /// What is other in these fires, or between them, than the words let expect; the first such notes, in order.
    #[schemars(length(max = limits::PREVIEW_NOTES))]
    pub notes: Vec<Note>,
    /// What a person should know of the schedule as a whole.
    pub warnings: Vec<String>,
}

/// What this draft means if it begins at the instant that it names, or else now.
///
/// # Errors
/// When this machine's zone data does not know the zone.
pub fn preview(draft: &ScheduleDraft, now: Timestamp) -> Result<Preview, Fault> {
    let unknown = |_| Fault::new("timezone", Word::InvalidTimezone);
    let zone = Zone::named(&draft.timezone).map_err(unknown)?;
    let schedule = draft.when.in_zone(&draft.timezone).map_err(unknown)?;
    let begin = draft.after.unwrap_or(now);
    let most = match &draft.when {
        When::Recurring { stop: Stop::Count(count), .. } => {
            draft.count.min(usize::try_from(*count).unwrap_or(usize::MAX))
        }
        When::Recurring { stop: Stop::Never | Stop::Until(_), .. } | When::Oneshot { .. } => draft.count,
    };
    let first = schedule.next_after(begin, begin);
    let fires = std::iter::successors(first, |fire| schedule.next_after(begin, *fire));
    let fires: Vec<Timestamp> = fires.take(most).collect();
    let through = match &draft.when {
        // What a clock change takes from the end of a schedule comes after its last fire.
        When::Recurring { stop: Stop::Until(until), .. } if fires.len() < most => *until,
        When::Recurring { .. } | When::Oneshot { .. } => fires.last().copied().unwrap_or(begin),
    };
    let span = Span { after: begin, through, fires: &fires };
    let notes = draft.when.notes(&zone, span, limits::PREVIEW_NOTES);
    let mut warnings = draft.when.warnings();
    warnings.extend(schedule.warning_from(begin));
    Ok(Preview { description: draft.when.in_words(&zone), fires, notes, warnings })
}
