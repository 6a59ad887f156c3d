//! Programs that are no part of what this package needs, which some tests speak with.

use std::io::Write;

/// Says that a test was left out because a program is not here. Where everything has to be here, that is a failure.
pub(crate) fn missing(what: &str, how_to_get_it: &str) {
    let told = format!("SKIPPED: {what} is not here ({how_to_get_it})");
    #[expect(clippy::disallowed_methods, reason = "CI says by its environment that it is one")]
    let everything = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!everything, "{told}");
    // Past the harness, which keeps what a test that passes prints.
    writeln!(std::io::stderr(), "{told}").expect("stderr can be written");
}
