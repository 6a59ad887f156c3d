//! What is wrong with a call, said so that a model corrects it with its next one.

use schemars::JsonSchema;
use serde::Serialize;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Fault {
    /// The argument.
    pub(super) argument: String,
    /// What is wrong with it.
    pub(super) problem: String,
    /// What to do instead, as a clause; empty where the problem says it.
    pub(super) instead: String,
}

impl Fault {
    pub(super) fn new(
        argument: impl Into<String>,
        problem: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Fault { argument: argument.into(), problem: problem.into(), instead: instead.into() }
    }
}

/// All of them as a text, behind a sentence of what has become of the call.
pub(super) fn told(what_became: &str, faults: &[Fault]) -> String {
    let mut text = match faults.len() {
        1 => format!("{what_became} One argument is to be changed:"),
        count => format!("{what_became} {count} arguments are to be changed:"),
    };
    for Fault { argument, problem, instead } in faults {
        text.push_str(&format!("\n- `{argument}` {problem}"));
        if !instead.is_empty() {
            text.push_str(&format!("; {instead}"));
        }
    }
    text
}

/// Names as a sentence lists them.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The one of these that somebody may have meant who wrote something like it.
pub(super) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.map(|name| (distance(written, name), name)).min()?;
    // Of a short word half may be wrong, of a long one less: beyond that it is another word.
    let most = 1 + written.chars().count().max(near.1.chars().count()) / 3;
    (near.0 <= most).then_some(near.1)
}

/// How many letters are to be changed, added or left out to make one text of the other, whatever their case.
pub(super) fn distance(one: &str, other: &str) -> usize {
    let letters = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<char>>();
    let (one, other) = (letters(one), letters(other));
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.iter().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], above + 1);
        for (left, facing) in other.iter().enumerate() {
            let changed = corner + usize::from(letter != facing);
            corner = row[left + 1];
            row[left + 1] = changed.min(corner + 1).min(row[left] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_with_the_fewest_changes() {
        for (one, other, count) in
            [("", "", 0), ("cron", "Cron", 0), ("kitten", "sitting", 3), ("", "abc", 3)]
        {
            assert_eq!(distance(one, other), count, "{one} {other}");
            assert_eq!(distance(other, one), count, "{other} {one}");
        }
        let names = ["cron", "every", "at", "in", "reminder", "timezone"];
        for (written, meant) in [
            ("time_zone", Some("timezone")),
            ("remindr", Some("reminder")),
            ("Every", Some("every")),
            ("crn", Some("cron")),
            ("notification_channel", None),
        ] {
            assert_eq!(nearest(written, names.into_iter()), meant, "{written}");
        }
    }
}
