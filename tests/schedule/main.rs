//! What a schedule means, tested from outside: given cases, a slow matcher that works from the rules, another
//! implementation, and properties.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod examples;
mod faults;
mod notes;
mod other_crate;
mod page;
mod properties;
mod rhythm;
mod rules;
mod slow;
mod support;
mod typed;
mod why_not;
mod words;
