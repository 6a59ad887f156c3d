//! What surprises people in the fires of a schedule: clock changes, days that a month has not, steps that do not fit.
//!
//! A schedule's words say what is meant; its notes say where single fires are other than these words let expect.

mod calendar;
pub(super) mod clocks;
mod uneven;

use schemars::JsonSchema;
use serde::Serialize;

use super::describe::dates::Dates;
use super::local::{LocalMinute, MS_PER_MINUTE};
use super::rhythm::Rhythm;
use super::zone::Zone;
use crate::domain::time::Timestamp;

/// Something to know about the fires around one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// The fire that it is about; where none is, the instant at which one could have been expected.
    pub at: Timestamp,
    /// What it is about.
    pub kind: NoteKind,
    /// The same in a sentence.
    pub text: String,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Clocks skip a time, and nothing fires for it.
    ClockSkipped,
    /// Clocks skip a time, and what was to fire then fires at the first instant after it.
    ClockMoved,
    /// Clocks show a time twice, and it fires both times; for a one-shot: which of the two it is.
    ClockRepeated,
    /// Clocks show a time twice, and it fires the first time only.
    ClockOnce,
    /// Clocks change, and an interval, which does not follow them, fires at other times of day from here on.
    ClockShifted,
    /// It fires on a day that comes in leap years only.
    LeapDay,
    /// A month lacks a day on which it would fire.
    MissingDay,
    /// A step does not fit its field, so that the distance to the fire before is another one here.
    UnevenStep,
}

/// The part of a schedule's future that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// Where it begins: fires come after this. Intervals without an anchor count from it.
    pub after: Timestamp,
    /// The last instant that belongs to it.
    pub through: Timestamp,
    /// All fires in it, in their order.
    pub fires: &'a [Timestamp],
}

impl Span<'_> {
    fn holds(&self, at: Timestamp) -> bool {
        self.after < at && at <= self.through
    }
}

/// What to know about a one-shot.
pub fn once(fire_at: Timestamp, zone: &Zone, span: Span<'_>) -> Vec<Note> {
    let local = LocalMinute::of(zone, fire_at);
    let offset = local.offset_if_repeated(zone, fire_at);
    let which = if fire_at.since_ms(local.first_instant(zone)) < MS_PER_MINUTE { "first" } else { "second" };
    let note = |offset| Note {
        at: fire_at,
        kind: NoteKind::ClockRepeated,
        text: format!(
            "Clocks show {} twice on {} ({zone}): it fires the {which} time, at {offset}.",
            local.time(),
            local.date()
        ),
    };
    offset.filter(|_| span.holds(fire_at)).map(note).into_iter().collect()
}

/// What to know about these fires of what repeats, in the order of the notes' instants and not more than `most`: where
/// there are more, the last ones are left out.
pub fn recurring(rhythm: &Rhythm, zone: &Zone, span: Span<'_>, most: usize) -> Vec<Note> {
    let mut notes: Vec<Note> = match rhythm {
        Rhythm::Interval { every_ms, .. } => {
            clocks::of_interval(*every_ms, rhythm, zone, span).take(most).collect()
        }
        Rhythm::Cron(cron) => {
            let dates = Dates::of(&cron.days);
            let clocks = clocks::of_cron(cron, dates, zone, span).take(most);
            let missing = calendar::missing_days(cron, dates, zone, span).take(most);
            let leap_days = calendar::leap_days(dates, zone, span).take(most);
            let uneven = uneven::steps(cron, dates, zone, span);
            clocks.chain(missing).chain(leap_days).chain(uneven).collect()
        }
    };
    notes.sort_by_key(|note| note.at);
    notes.truncate(most);
    notes
}
