//! Days that not every month has.

use super::super::calendar::{Date, first_of_month, is_leap_year, length_of_month};
use super::super::cron::{Cron, MINUTES_PER_DAY};
use super::super::describe::dates::{Dates, Numbered, Reach};
use super::super::describe::days::month_name;
use super::super::describe::list::{listed, members, ordinal};
use super::super::local::LocalMinute;
use super::super::zone::Zone;
use super::{Note, NoteKind, Span};

/// Months of the span that lack days by whose numbers the expression selects.
///
/// Steps and spans that go to the end of a month lack nothing, and where weekdays must match too nobody expects each
/// of the days.
pub(super) fn missing_days<'a>(
    cron: &'a Cron,
    dates: Dates,
    zone: &'a Zone,
    span: Span<'a>,
) -> impl Iterator<Item = Note> + 'a {
    let numbered = match dates {
        Dates::Numbered(numbered) | Dates::Either { numbered, .. } => Some(numbered),
        Dates::Every { .. } | Dates::Weekdays { .. } | Dates::Both { .. } => None,
    };
    let numbered = numbered.filter(|numbered| match numbered.reach() {
        Reach::ToTheEnd { .. } | Reach::Through(_) => false,
        // Months that never have one of the days were asked for all the same.
        Reach::Within | Reach::Beyond => !numbered.is_leap_day(),
    });
    numbered.into_iter().flat_map(move |numbered| {
        let selected = |(_, month): &(i64, i64)| cron.days.months >> month & 1 == 1;
        months(zone, span).filter(selected).filter_map(move |month| missing_from(month, numbered, zone, span))
    })
}

fn missing_from((year, month): (i64, i64), numbered: Numbered, zone: &Zone, span: Span<'_>) -> Option<Note> {
    let length = length_of_month(year, month);
    let missing = members(numbered.days).into_iter().filter(|day| *day > length);
    let missing: Vec<String> = missing.map(|day| format!("no {}", ordinal(day))).collect();
    let after_it = LocalMinute((first_of_month(year, month) + length) * MINUTES_PER_DAY);
    let at = after_it.first_instant(zone);
    let text = format!("{} {year} has {}.", month_name(month), listed(&missing));
    (!missing.is_empty() && span.holds(at)).then_some(Note { at, kind: NoteKind::MissingDay, text })
}

/// The months that the span touches, as year and month.
fn months(zone: &Zone, span: Span<'_>) -> impl Iterator<Item = (i64, i64)> + use<> {
    let of = |at| LocalMinute::of(zone, at).calendar_date();
    let (first, last) = (of(span.after), of(span.through));
    let number = |date: Date| date.year * 12 + date.month - 1;
    (number(first)..=number(last)).map(|number| (number.div_euclid(12), number.rem_euclid(12) + 1))
}

/// The fires of an expression that selects the leap day alone.
pub(super) fn leap_days<'a>(dates: Dates, zone: &'a Zone, span: Span<'a>) -> impl Iterator<Item = Note> + 'a {
    let selects_it = match dates {
        Dates::Numbered(numbered) | Dates::Both { numbered, .. } => numbered.is_leap_day(),
        Dates::Every { .. } | Dates::Weekdays { .. } | Dates::Either { .. } => false,
    };
    let on_it = span.fires.iter().filter(move |_| selects_it).filter_map(|at| {
        let Date { year, month, day } = LocalMinute::of(zone, *at).calendar_date();
        ((month, day) == (2, 29)).then_some((*at, year))
    });
    on_it.map(|(at, year)| {
        // Around the turn of a century there are eight years between two leap days.
        let next = if is_leap_year(year + 4) { year + 4 } else { year + 8 };
        let text = format!("29 February {year} is a leap day; the next one is in {next}.");
        Note { at, kind: NoteKind::LeapDay, text }
    })
}
