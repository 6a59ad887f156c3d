//! What to tell someone whose expression is refused, or means other than it seems to.
//!
//! Messages are whole sentences about what is wrong; hints say what to write instead.

use super::CronFault;
use super::parse::{DAY_OF_MONTH, DAY_OF_WEEK, Field, MONTH, NICKNAMES, parse};

/// The warning where a day field such as `*/2` meets another restricted day field.
pub(super) const STEPPED_STAR: &str = "The day of the month and the day of the week must both match, because \
     one of the two fields begins with `*`; to fire on either, write that field without `*`, such as \
     `1-31/2` for `*/2`.";

/// The warning where a step selects nothing but the first value.
pub(super) fn step_larger_than_field(field: &Field, step: u32, first: u32) -> String {
    let Field { name, low, high, .. } = field;
    format!("The step {step} is larger than the {name} field ({low} to {high}), so only {first} is selected.")
}

pub(super) fn empty_item(field: &Field) -> CronFault {
    let message = format!("The {} field has an empty list item.", field.name);
    in_field(field, message, Some("remove the comma that nothing stands beside".to_owned()))
}

pub(super) fn step_without_range(field: &Field, item: &str) -> CronFault {
    let message = format!("The {} field has a step without a range, {}.", field.name, quoted(item));
    in_field(field, message, Some(format!("write *{}", shortened(item))))
}

pub(super) fn open_range(field: &Field, item: &str) -> CronFault {
    let message = format!(
        "The range {} in the {} field needs a first and a last value, and none may be negative.",
        quoted(item),
        field.name
    );
    in_field(field, message, None)
}

pub(super) fn backward_range(
    field: &Field,
    item: &str,
    first: u32,
    last: u32,
    step: Option<u32>,
) -> CronFault {
    let message = format!("The range {} in the {} field runs backwards.", quoted(item), field.name);
    let write = match step {
        Some(step) => wrapped_values(field, first, last, step),
        None => wrapped_range(field, first, last),
    };
    in_field(field, message, Some(format!("write {write}")))
}

pub(super) fn step_after_value(field: &Field, item: &str, value: u32, step: u32) -> CronFault {
    let message = format!("The {} field has a step after a single value, {}.", field.name, quoted(item));
    in_field(field, message, Some(format!("write {value}-{}/{step}", field.high)))
}

pub(super) fn bad_step(field: &Field, item: &str) -> CronFault {
    let message = format!(
        "The step of {} in the {} field is not a whole number of at least 1.",
        quoted(item),
        field.name
    );
    in_field(field, message, None)
}

pub(super) fn out_of_range(field: &Field, text: &str) -> CronFault {
    let Field { name, low, high, .. } = field;
    let message = format!("{} is out of range; the {name} field goes from {low} to {high}.", quoted(text));
    in_field(field, message, None)
}

pub(super) fn unknown_value(field: &Field, text: &str) -> CronFault {
    let Field { name, low, high, names } = field;
    let known = match names {
        [] => format!("a number from {low} to {high}"),
        [first, .., last] => format!("a number from {low} to {high} or a name from {first} to {last}"),
        [only] => format!("a number from {low} to {high} or {only}"),
    };
    let message = format!("{} is not a value of the {name} field, which takes {known}.", quoted(text));
    in_field(field, message, better_value(field, text))
}

pub(super) fn impossible_date() -> CronFault {
    let message =
        "No value of the day-of-month field exists in any of the selected months, so it would never fire.";
    let hint = "write 28-31 to reach the last days of every month, or choose other months";
    in_field(&DAY_OF_MONTH, message.to_owned(), Some(hint.to_owned()))
}

pub(super) fn unknown_nickname(text: &str) -> CronFault {
    let known: Vec<&str> = NICKNAMES.iter().map(|(nickname, _)| *nickname).collect();
    let close = |nickname: &&&str| {
        let letters = text.chars().filter(|letter| !letter.is_whitespace());
        letters.flat_map(char::to_lowercase).eq(nickname.chars())
    };
    let hint = if text.eq_ignore_ascii_case("@reboot") {
        "there is no boot to wait for: choose a time, such as @daily, or start the run by hand".to_owned()
    } else if let Some(nickname) = known.iter().find(close) {
        format!("write {nickname}")
    } else {
        format!("write one of {}, with nothing after it", known.join(", "))
    };
    let message = format!("{} is not a supported nickname.", quoted(text));
    CronFault { field: "nickname", message, hint: Some(hint) }
}

/// The fault of an expression that has not five fields.
pub(super) fn not_five_fields(fields: &[&str]) -> CronFault {
    let message = match fields.len() {
        0 => "The expression is blank.".to_owned(),
        count => format!("An expression has five fields; this one has {count}."),
    };
    let hint = match fields {
        _ if fields.len() < 5 => {
            "write minute, hour, day of month, month and day of week, such as `0 9 * * 1-5`".to_owned()
        }
        [_, five @ ..] | [_, five @ .., _] if five.len() == 5 && is_valid(five) => {
            format!("fires are at whole minutes: leave out the seconds field and write `{}`", five.join(" "))
        }
        [five @ .., _] if five.len() == 5 && is_valid(five) => {
            format!("leave out what follows the day of week and write `{}`", five.join(" "))
        }
        _ if fields.iter().any(|field| field.starts_with(',') || field.ends_with(',')) => {
            "remove the blanks inside lists".to_owned()
        }
        _ => "write five fields, the first is the minute: there is no seconds field".to_owned(),
    };
    CronFault { field: "expression", message, hint: Some(hint) }
}

fn is_valid(fields: &[&str]) -> bool {
    parse(&fields.join(" ")).is_ok()
}

/// A range that runs past the end of the field, as forward ranges: `22-6` is `22-23,0-6`.
fn wrapped_range(field: &Field, first: u32, last: u32) -> String {
    // Sunday is 0 and 7, so a range up to it does not wrap, and one beyond it goes on with Monday.
    if field.name == DAY_OF_WEEK.name {
        return match last {
            0 => range(first, 7),
            last => format!("{},{}", range(first, 7), range(1, last)),
        };
    }
    format!("{},{}", range(first, field.high), range(field.low, last))
}

fn range(first: u32, last: u32) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

/// The values of a stepped range that runs past the end of the field, one by one.
fn wrapped_values(field: &Field, first: u32, last: u32, step: u32) -> String {
    let count = if field.name == DAY_OF_WEEK.name { 7 } else { field.high - field.low + 1 };
    let mut values = Vec::new();
    let mut distance = 0;
    while first + distance <= last + count {
        values.push(((first - field.low + distance) % count + field.low).to_string());
        distance = distance.saturating_add(step).min(2 * count);
    }
    values.join(",")
}

/// What to write for a value of another dialect.
fn better_value(field: &Field, text: &str) -> Option<String> {
    if text.starts_with('?') {
        return Some("write *".to_owned());
    }
    let short: String = text.chars().take(3).collect();
    let is_name_of = |other: &Field| other.names.iter().any(|name| name.eq_ignore_ascii_case(&short));
    if is_name_of(field) && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Some(format!("write {}", short.to_ascii_lowercase()));
    }
    for other in [&MONTH, &DAY_OF_WEEK] {
        if is_name_of(other) {
            return Some(format!("{} belongs into the {} field", quoted(text), other.name));
        }
    }
    let extension = text.contains(['L', 'W', '#', 'H', 'R', '~', '^']);
    extension.then(|| "extensions such as L, W, #, H and ~ are not part of five-field cron".to_owned())
}

fn in_field(field: &Field, message: String, hint: Option<String>) -> CronFault {
    CronFault { field: field.name, message, hint }
}

/// A text of unknown length and content, made fit for one line of a message.
fn quoted(text: &str) -> String {
    format!("`{}`", shortened(text))
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    let start: String = text.chars().take(LONGEST).collect();
    let cut = if start.len() < text.len() { "..." } else { "" };
    format!("{}{cut}", start.escape_debug())
}
