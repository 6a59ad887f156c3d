//! The grammar of five-field expressions, as the crontab of Debian's cron reads it.
//!
//! A field is `item{,item}`; an item is `*`, `*/n`, `v`, `v-w` or `v-w/n`, with names allowed for months and
//! weekdays. What other dialects add (`?`, `L`, `W`, `#`, seconds, `v/n`) is refused with a way to write it.

use super::days::{DayRule, Days};
use super::{ClockRule, Cron, CronFault, Times, hint};

/// One of the five fields.
pub(super) struct Field {
    /// As it is called in a fault.
    pub(super) name: &'static str,
    pub(super) low: u32,
    pub(super) high: u32,
    /// Three-letter names; the first one means `low`.
    pub(super) names: &'static [&'static str],
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

pub(super) const MINUTE: Field = Field { name: "minute", low: 0, high: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", low: 0, high: 23, names: &[] };
pub(super) const DAY_OF_MONTH: Field = Field { name: "day-of-month", low: 1, high: 31, names: &[] };
pub(super) const MONTH: Field = Field { name: "month", low: 1, high: 12, names: &MONTHS };
/// Both 0 and 7 are Sunday.
pub(super) const DAY_OF_WEEK: Field = Field { name: "day-of-week", low: 0, high: 7, names: &WEEKDAYS };

/// The expression that each nickname stands for.
pub(super) const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

const BLANKS: [char; 2] = [' ', '\t'];

/// See [`Cron::parse`].
pub(super) fn parse(text: &str) -> Result<Cron, CronFault> {
    let expression = text.trim_matches(BLANKS);
    if expression.starts_with('@') {
        let Some((_, fields)) = NICKNAMES.iter().find(|(nickname, _)| *nickname == expression) else {
            return Err(hint::unknown_nickname(expression));
        };
        return parse_fields(expression.to_owned(), &split(fields));
    }
    let fields = split(expression);
    parse_fields(fields.join(" "), &fields)
}

fn split(fields: &str) -> Vec<&str> {
    fields.split(BLANKS).filter(|field| !field.is_empty()).collect()
}

fn parse_fields(expression: String, fields: &[&str]) -> Result<Cron, CronFault> {
    let [minute, hour, day_of_month, month, day_of_week] = *fields else {
        return Err(hint::not_five_fields(fields));
    };
    let minute = Selection::parse(&MINUTE, minute)?;
    let hour = Selection::parse(&HOUR, hour)?;
    let day_of_month = Selection::parse(&DAY_OF_MONTH, day_of_month)?;
    let month = Selection::parse(&MONTH, month)?;
    let mut day_of_week = Selection::parse(&DAY_OF_WEEK, day_of_week)?;
    // Sunday is written 0 or 7 and kept as 0.
    day_of_week.bits = (day_of_week.bits | day_of_week.bits >> 7) & 0x7f;

    let rule = if day_of_month.begins_with_star || day_of_week.begins_with_star {
        DayRule::Both
    } else {
        DayRule::Either
    };
    let days = Days { of_month: day_of_month.bits, months: month.bits, of_week: day_of_week.bits, rule };
    if !days.can_exist() {
        return Err(hint::impossible_date());
    }
    let clock = if minute.begins_with_star || hour.begins_with_star {
        ClockRule::EveryRealMinute
    } else {
        ClockRule::OncePerLocalTime
    };

    let mut warnings = Vec::new();
    if rule == DayRule::Both && days.of_month != EVERY_DAY_OF_MONTH && days.of_week != EVERY_DAY_OF_WEEK {
        warnings.push(hint::STEPPED_STAR.to_owned());
    }
    for selection in [&minute, &hour, &day_of_month, &month, &day_of_week] {
        warnings.extend(selection.warnings.iter().cloned());
    }
    let times = Times { minutes: minute.bits, hours: hour.bits };
    Ok(Cron { expression, times, days, clock, warnings })
}

const EVERY_DAY_OF_MONTH: u64 = 0xffff_fffe;
const EVERY_DAY_OF_WEEK: u64 = 0x7f;

/// What one field selects.
struct Selection {
    /// Bit n is value n. Never zero.
    bits: u64,
    /// The rules for days and for clock changes ask how a field is written, not what it selects.
    begins_with_star: bool,
    warnings: Vec<String>,
}

impl Selection {
    fn parse(field: &Field, text: &str) -> Result<Selection, CronFault> {
        let begins_with_star = text.starts_with('*');
        let mut selection = Selection { bits: 0, begins_with_star, warnings: Vec::new() };
        for item in text.split(',') {
            let item = Item::parse(field, item)?;
            selection.bits |= item.bits();
            if item.step > field.high - field.low {
                selection.warnings.push(hint::step_larger_than_field(field, item.step, item.first));
            }
        }
        Ok(selection)
    }
}

/// One item of a list: every `step`th value from `first` to `last`, both in the field's range.
struct Item {
    first: u32,
    last: u32,
    /// At least 1; a number too large to count with is as good as the largest.
    step: u32,
}

impl Item {
    fn parse(field: &Field, text: &str) -> Result<Item, CronFault> {
        if text.is_empty() {
            return Err(hint::empty_item(field));
        }
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        if range.is_empty() {
            return Err(hint::step_without_range(field, text));
        }
        let bounds = if range == "*" {
            Some((field.low, field.high))
        } else if let Some((first, last)) = range.split_once('-') {
            if first.is_empty() || last.is_empty() {
                return Err(hint::open_range(field, text));
            }
            Some((value(field, first)?, value(field, last)?))
        } else {
            None
        };
        let step_size = step.map(|step| step_size(field, text, step)).transpose()?;
        match (bounds, step_size) {
            (Some((first, last)), _) if first > last => {
                Err(hint::backward_range(field, text, first, last, step_size))
            }
            (Some((first, last)), _) => Ok(Item { first, last, step: step_size.unwrap_or(1) }),
            (None, None) => {
                let value = value(field, range)?;
                Ok(Item { first: value, last: value, step: 1 })
            }
            (None, Some(step)) => Err(hint::step_after_value(field, text, value(field, range)?, step)),
        }
    }

    /// The selected values; bit n is value n.
    fn bits(&self) -> u64 {
        let mut bits = 0;
        let mut value = self.first;
        while value <= self.last {
            bits |= 1 << value;
            value = value.saturating_add(self.step);
        }
        bits
    }
}

/// A single value: a number, or a name where the field has names.
fn value(field: &Field, text: &str) -> Result<u32, CronFault> {
    if let Some(number) = number(text) {
        if (field.low..=field.high).contains(&number) {
            return Ok(number);
        }
        return Err(hint::out_of_range(field, text));
    }
    let position = field.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    match position.and_then(|position| u32::try_from(position).ok()) {
        Some(position) => Ok(field.low + position),
        None => Err(hint::unknown_value(field, text)),
    }
}

fn step_size(field: &Field, item: &str, text: &str) -> Result<u32, CronFault> {
    match number(text) {
        Some(0) | None => Err(hint::bad_step(field, item)),
        Some(step) => Ok(step),
    }
}

/// A number of ASCII digits; one too large to hold becomes the largest, which no field reaches.
fn number(text: &str) -> Option<u32> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().unwrap_or(u32::MAX))
}
