//! What clock changes do to fires.

use super::super::cron::{ClockRule, Cron, MINUTES_PER_DAY};
use super::super::describe::dates::{Dates, EVERY_MONTH};
use super::super::describe::list::listed;
use super::super::local::{LocalMinute, MS_PER_MINUTE};
use super::super::rhythm::Rhythm;
use super::super::zone::{Stretch, Zone};
use super::{Note, NoteKind, Span};
use crate::domain::time::Timestamp;

/// The most times that a note names one by one.
const NAMED: usize = 3;

/// The notes of an expression whose days are these.
pub(super) fn of_cron<'a>(
    cron: &'a Cron,
    dates: Dates,
    zone: &'a Zone,
    span: Span<'a>,
) -> impl Iterator<Item = Note> + 'a {
    let noteworthy = move |change: &Change| !change.leaves_alone(cron, dates);
    let notes = changes(zone, span).filter(noteworthy).filter_map(|change| change.note_of_cron(cron, zone));
    notes.filter(move |note| span.holds(note.at))
}

/// The notes of an interval, which counts from the beginning of the span if it has no anchor.
///
/// One that takes the clock back to the same times day after day is expected to keep them; any other one is not.
pub(super) fn of_interval<'a>(
    every_ms: i64,
    rhythm: &'a Rhythm,
    zone: &'a Zone,
    span: Span<'a>,
) -> impl Iterator<Item = Note> + 'a {
    const DAY: i64 = MINUTES_PER_DAY * MS_PER_MINUTE;
    let every_ms = every_ms.max(1);
    let keeps_times = DAY % every_ms == 0 || every_ms % DAY == 0;
    let shifted = changes(zone, span)
        .filter(move |change| keeps_times && change.shift() * MS_PER_MINUTE % every_ms != 0)
        .filter(move |change| span.holds(change.at()));
    shifted.filter_map(move |change| {
        let at = rhythm.next_after(zone, span.after, change.at().plus_ms(-1).max(span.after))?;
        let local = LocalMinute::of(zone, at);
        let text = format!(
            "{}: an interval does not follow clocks, so what fired at {} fires at {} from here on.",
            change.in_words(zone),
            LocalMinute(local.0 - change.shift()).time(),
            local.time()
        );
        span.holds(at).then_some(Note { at, kind: NoteKind::ClockShifted, text })
    })
}

/// What a change of clocks takes away from an expression around this instant, as a clause: `clocks skip 02:30 on
/// 2025-03-30, and it fires at 03:00 instead`.
///
/// A time that is skipped has no instant. Who asks about it names one that is as far from the gap as the gap is long, on
/// one side or the other, or its end; so this is told of all of these.
pub(in super::super) fn taken_away(cron: &Cron, zone: &Zone, at: Timestamp) -> Option<String> {
    let minute = at.as_millis().div_euclid(MS_PER_MINUTE);
    let here = zone.stretch_at(minute);
    let into_it = Change { old: zone.stretch_at(here.start - 1), new: here };
    let out_of_it = Change { old: here, new: zone.stretch_at(here.end) };
    [into_it, out_of_it].iter().find_map(|change| {
        let shift = change.shift();
        let distance = minute - change.new.start;
        if shift == 0 || distance < -shift.abs() || distance >= shift.abs() {
            return None;
        }
        let Effect { times, kind } = change.effect_on(cron)?;
        let date = LocalMinute(times.first).date();
        let words = &times.words;
        match kind {
            EffectKind::Moved { .. } => Some(format!(
                "clocks skip {words} on {date}, and {} at {} instead",
                times.verb("it fires", "it fires once,"),
                change.to().time()
            )),
            EffectKind::Skipped => Some(format!("clocks skip {words} on {date}, and it does not fire then")),
            EffectKind::Once if distance >= 0 => {
                Some(format!("clocks show {words} twice on {date}, and it fires the first time only"))
            }
            EffectKind::Once | EffectKind::Repeated => None,
        }
    })
}

/// The changes that can touch fires of this span: one can also repeat what fired before it.
fn changes<'a>(zone: &'a Zone, span: Span<'_>) -> impl Iterator<Item = Change> + 'a {
    let first = span.after.as_millis().div_euclid(MS_PER_MINUTE) - MINUTES_PER_DAY;
    let last = span.through.as_millis().div_euclid(MS_PER_MINUTE) + MINUTES_PER_DAY;
    let from = move |old: Stretch| (old.end <= last).then(|| Change { old, new: zone.stretch_at(old.end) });
    std::iter::successors(from(zone.stretch_at(first)), move |change| from(change.new))
}

/// Where one offset ends and another begins.
struct Change {
    old: Stretch,
    new: Stretch,
}

impl Change {
    /// By how many minutes clocks go forward; negative if they go back.
    fn shift(&self) -> i64 {
        self.new.offset - self.old.offset
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.new.start * MS_PER_MINUTE)
    }

    /// What clocks would have shown next without the change.
    fn from(&self) -> LocalMinute {
        LocalMinute(self.new.start + self.old.offset)
    }

    /// What they show instead.
    fn to(&self) -> LocalMinute {
        LocalMinute(self.new.start + self.new.offset)
    }

    /// Whether fires are as far apart across the change as always, so that nobody notices it: minutes of every hour of
    /// every day that are the same ones after the change.
    fn leaves_alone(&self, cron: &Cron, dates: Dates) -> bool {
        let minutes = cron.times.minutes;
        let moved = self.shift().rem_euclid(60);
        let turned = (minutes << moved | minutes >> (60 - moved)) & ((1 << 60) - 1);
        cron.clock == ClockRule::EveryRealMinute
            && cron.times.hours.count_ones() == 24
            && dates == (Dates::Every { months: EVERY_MONTH })
            && turned == minutes
    }

    fn note_of_cron(&self, cron: &Cron, zone: &Zone) -> Option<Note> {
        let Effect { times, kind } = self.effect_on(cron)?;
        let change = self.in_words(zone);
        let (at, fate) = match kind {
            EffectKind::Moved { together } => {
                let fate = times.verb(" does not exist and fires at ", " do not exist and fire once, at ");
                let there = if together { ", together with that time itself" } else { " instead" };
                (self.at(), format!("{fate}{}{there}", self.to().time()))
            }
            EffectKind::Skipped => {
                let fate = times.verb(" does not exist and does not fire", " do not exist and do not fire");
                (self.at(), fate.to_owned())
            }
            EffectKind::Once => {
                let fate = times.verb(
                    " comes twice and fires the first time only",
                    " come twice and fire the first time only",
                );
                (Timestamp::from_millis((times.first - self.old.offset) * MS_PER_MINUTE), fate.to_owned())
            }
            EffectKind::Repeated => {
                let fate = times.verb(" comes twice and fires both times", " come twice and fire both times");
                (Timestamp::from_millis((times.first - self.new.offset) * MS_PER_MINUTE), fate.to_owned())
            }
        };
        let kind = match kind {
            EffectKind::Moved { .. } => NoteKind::ClockMoved,
            EffectKind::Skipped => NoteKind::ClockSkipped,
            EffectKind::Once => NoteKind::ClockOnce,
            EffectKind::Repeated => NoteKind::ClockRepeated,
        };
        Some(Note { at, kind, text: format!("{change}: {}{fate}.", times.words) })
    }

    /// What it does to the times that an expression selects, if it touches any.
    fn effect_on(&self, cron: &Cron) -> Option<Effect> {
        let (from, to) = (self.from().0, self.to().0);
        Some(match (self.shift() > 0, cron.clock) {
            (true, ClockRule::OncePerLocalTime) if self.new.answers_from < to => {
                let together = cron.first_local_match(to) == Some(to);
                let times = Times::of(cron, self.new.answers_from, to)?;
                Effect { times, kind: EffectKind::Moved { together } }
            }
            (true, ClockRule::OncePerLocalTime | ClockRule::EveryRealMinute) => {
                Effect { times: Times::of(cron, from, to)?, kind: EffectKind::Skipped }
            }
            (false, ClockRule::OncePerLocalTime) => {
                let shown_before = to.max(self.old.start + self.old.offset);
                Effect { times: Times::of(cron, shown_before, from)?, kind: EffectKind::Once }
            }
            (false, ClockRule::EveryRealMinute) => {
                Effect { times: Times::of(cron, to, from)?, kind: EffectKind::Repeated }
            }
        })
    }

    fn in_words(&self, zone: &Zone) -> String {
        let direction = if self.shift() > 0 { "forward" } else { "back" };
        let (from, to) = (self.from(), self.to());
        if from.day() == to.day() {
            let date = from.date();
            format!("On {date} clocks go {direction} from {} to {} ({zone})", from.time(), to.time())
        } else {
            format!("Clocks go {direction} from {from} to {to} ({zone})")
        }
    }
}

/// What a change does to an expression.
struct Effect {
    /// The local times that it skips or repeats and that the expression selects.
    times: Times,
    kind: EffectKind,
}

enum EffectKind {
    /// They are skipped and fire where the gap ends; `together` with a time of their own there.
    Moved { together: bool },
    /// They are skipped and do not fire.
    Skipped,
    /// They come twice and fire the first time.
    Once,
    /// They come twice and fire both times.
    Repeated,
}

/// The local times of a stretch of the clock that an expression selects, at least one.
struct Times {
    first: i64,
    count: usize,
    words: String,
}

impl Times {
    /// Those from one local time to before another one.
    fn of(cron: &Cron, from: i64, to: i64) -> Option<Times> {
        let matching = |from| cron.first_local_match(from).filter(|local| *local < to);
        let all: Vec<i64> = std::iter::successors(matching(from), |local| matching(local + 1)).collect();
        let mut words: Vec<String> = all.iter().take(NAMED).map(|local| LocalMinute(*local).time()).collect();
        if all.len() > NAMED {
            words.push(format!("{} more", all.len() - NAMED));
        }
        Some(Times { first: *all.first()?, count: all.len(), words: listed(&words) })
    }

    fn verb(&self, one: &'static str, several: &'static str) -> &'static str {
        if self.count == 1 { one } else { several }
    }
}
