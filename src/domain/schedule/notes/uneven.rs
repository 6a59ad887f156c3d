//! Steps that do not fit their field: they begin anew with each hour, day or month, and the last one is cut short.

use super::super::calendar::length_of_month;
use super::super::cron::{Cron, MINUTES_PER_DAY};
use super::super::describe::dates::{Dates, EVERY_MONTH, Reach};
use super::super::describe::list::{self, Steps, members, ordinal};
use super::super::local::{LocalMinute, time_of_day};
use super::super::zone::Zone;
use super::{Note, NoteKind, Span};
use crate::domain::time::Timestamp;

/// The first fire of the span after a step that was cut short, for each field of which that is true.
pub(super) fn steps<'a>(
    cron: &'a Cron,
    dates: Dates,
    zone: &'a Zone,
    span: Span<'a>,
) -> impl Iterator<Item = Note> + 'a {
    let first_where = move |says: &dyn Fn(LocalMinute) -> Option<String>| {
        let found = |at: &Timestamp| says(LocalMinute::of(zone, *at)).map(|text| (*at, text));
        let (at, text) = span.fires.iter().find_map(found)?;
        Some(Note { at, kind: NoteKind::UnevenStep, text })
    };
    let minutes = cut_short(cron.times.minutes, 60).filter(|_| cron.times.hours.count_ones() == 24);
    let minutes = minutes.and_then(|Steps { first, last, step }| {
        let cut = first + 60 - last;
        let text = format!(
            "The minutes are counted anew from :{first:02} in each hour, so that from :{last:02} it is {} and not {step}.",
            counted(cut, "minute")
        );
        first_where(&|local| (local.0.rem_euclid(60) == first).then(|| text.clone()))
    });
    let hours = cut_short(cron.times.hours, 24).filter(|_| matches!(dates, Dates::Every { .. }));
    let hours = hours.and_then(|Steps { first, last, step }| {
        let minute = i64::from(cron.times.minutes.trailing_zeros());
        let (from, to) = (time_of_day(last * 60 + minute), time_of_day(first * 60 + minute));
        let text = format!(
            "The hours are counted anew from {to} on each day, so that from {from} it is {} and not {step}.",
            counted(first + 24 - last, "hour")
        );
        first_where(&|local| {
            (local.0.rem_euclid(MINUTES_PER_DAY) == first * 60 + minute).then(|| text.clone())
        })
    });
    let days = match dates {
        Dates::Numbered(numbered) if numbered.months == EVERY_MONTH => match numbered.reach() {
            Reach::Through(steps) => first_where(&|local| month_cut_short(steps, numbered.days, local)),
            Reach::Within | Reach::ToTheEnd { .. } | Reach::Beyond => None,
        },
        Dates::Numbered(_)
        | Dates::Every { .. }
        | Dates::Weekdays { .. }
        | Dates::Both { .. }
        | Dates::Either { .. } => None,
    };
    minutes.into_iter().chain(hours).chain(days)
}

/// The steps of a set that go all through a field of so many values and do not fit it.
fn cut_short(bits: u64, values: i64) -> Option<Steps> {
    list::steps(bits).filter(|steps| {
        let whole_field = steps.first < steps.step && steps.last + steps.step >= values;
        whole_field && steps.first + values != steps.last + steps.step
    })
}

/// What to say of the first of its days in a month, if the last step of the month before was cut short.
fn month_cut_short(steps: Steps, days: u64, local: LocalMinute) -> Option<String> {
    let date = local.calendar_date();
    if date.day != steps.first {
        return None;
    }
    let (year, month) = if date.month == 1 { (date.year - 1, 12) } else { (date.year, date.month - 1) };
    let length = length_of_month(year, month);
    let last = members(days).into_iter().rfind(|day| *day <= length)?;
    let distance = steps.first + length - last;
    (distance != steps.step).then(|| {
        format!(
            "The days are counted anew from the {} of each month, so that from the {} it is {} and not {}.",
            ordinal(steps.first),
            ordinal(last),
            counted(distance, "day"),
            steps.step
        )
    })
}

/// `1 day`, `2 days`.
fn counted(count: i64, unit: &str) -> String {
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}
