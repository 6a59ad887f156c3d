//! Lists, ordinals, and the shapes that sets of numbers have.

/// The members of a set: bit n is number n.
pub(in super::super) fn members(bits: u64) -> Vec<i64> {
    (0..64).filter(|bit| bits >> bit & 1 == 1).collect()
}

/// What follows each other without a gap, as first and last.
pub(super) fn runs(bits: u64) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for member in members(bits) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == member => *last = member,
            Some(_) | None => runs.push((member, member)),
        }
    }
    runs
}

/// Numbers at one distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Steps {
    pub(in super::super) first: i64,
    pub(in super::super) last: i64,
    /// At least 1.
    pub(in super::super) step: i64,
}

/// The set as numbers at one distance, if it is that and has three or more: two numbers have a distance whatever they
/// are.
pub(in super::super) fn steps(bits: u64) -> Option<Steps> {
    let members = members(bits);
    let (&[first, second, ..], &[.., last]) = (members.as_slice(), members.as_slice()) else { return None };
    let step = second - first;
    let even = members.len() >= 3 && members.windows(2).all(|pair| pair[1] - pair[0] == step);
    even.then_some(Steps { first, last, step })
}

/// `one`, `one and two`, `one, two and three`.
pub(in super::super) fn listed<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// The members by name, three and more in a row as `first to last`.
pub(in super::super) fn listed_runs(bits: u64, name: impl Fn(i64) -> String) -> String {
    let mut items = Vec::new();
    for (first, last) in runs(bits) {
        match last - first {
            0 => items.push(name(first)),
            1 => items.extend([name(first), name(last)]),
            _ => items.push(format!("{} to {}", name(first), name(last))),
        }
    }
    listed(&items)
}

/// `1st`, `2nd`, `3rd`, `11th`.
pub(in super::super) fn ordinal(number: i64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
