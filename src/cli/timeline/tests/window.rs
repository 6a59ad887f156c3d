//! Which span is meant.

use super::super::window::{Typed, Window};
use super::*;
use crate::domain::schedule::local_time;

const USUAL: Typed<'static> = Typed { from: None, to: None, past: "12h", next: "12h" };

fn meant(typed: &Typed<'_>) -> [String; 2] {
    let window = Window::of(typed, &berlin(), at("12:00:30")).unwrap();
    [window.from, window.to].map(|at| local_time(&berlin(), at))
}

#[test]
fn what_is_not_said_is_counted_from_now_in_whole_minutes() {
    let spans = [
        (USUAL, ["2025-01-06 00:00", "2025-01-07 00:00"]),
        (Typed { past: "30m", next: "90m", ..USUAL }, ["2025-01-06 11:30", "2025-01-06 13:30"]),
        (Typed { from: Some("09:00"), ..USUAL }, ["2025-01-06 09:00", "2025-01-07 00:00"]),
        (Typed { from: Some("tomorrow"), ..USUAL }, ["2025-01-07 00:00", "2025-01-07 12:00"]),
        (Typed { to: Some("2025-01-03"), ..USUAL }, ["2025-01-02 12:00", "2025-01-03 00:00"]),
        (Typed { to: Some("tomorrow"), ..USUAL }, ["2025-01-06 00:00", "2025-01-07 00:00"]),
        (
            Typed { from: Some("2025-03-29 12:00"), to: Some("2025-03-30 12:00"), ..USUAL },
            ["2025-03-29 12:00", "2025-03-30 12:00"],
        ),
    ];
    for (typed, expected) in spans {
        assert_eq!(meant(&typed), expected, "{typed:?}");
    }
}

#[test]
fn what_is_no_span_is_refused() {
    for (typed, why) in [
        (Typed { past: "soon", ..USUAL }, "--past: \"soon\" is no span of time"),
        (Typed { next: "400d", ..USUAL }, "--next: \"400d\" is longer than 365 days"),
        (Typed { from: Some("25:00"), ..USUAL }, "--from: \"25:00\" is no time"),
        (
            Typed { from: Some("09:00"), to: Some("09:00"), ..USUAL },
            "--to: 2025-01-06 09:00 does not come after",
        ),
        (
            Typed { from: Some("1971-01-01"), ..USUAL },
            "--from: from 1971-01-01 00:00 on there are more than 730 days",
        ),
    ] {
        let refused = Window::of(&typed, &berlin(), at("12:00")).unwrap_err();
        let crate::cli::opened::Trouble::Unusable(told) = refused else { panic!("{refused:?}") };
        assert!(told.starts_with(why), "{told}");
    }
}
