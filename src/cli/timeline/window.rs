//! The span of time that a timeline shows.

use crate::cli::opened::Trouble;
use crate::domain::draft::limits;
use crate::domain::schedule::local_time;
use crate::domain::schedule::typed::{read_span, read_time};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

const MINUTE_MS: i64 = 60_000;

/// What is said of the span, as it was typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed<'a> {
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
    pub(super) past: &'a str,
    pub(super) next: &'a str,
}

/// A span of time; its end lies after its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Window {
    /// The span that is meant.
    ///
    /// # Errors
    /// A sentence if something is no time or no span, or the end is none.
    pub(super) fn of(typed: &Typed<'_>, zone: &Zone, now: Timestamp) -> Result<Window, Trouble> {
        let unusable = |option: &str, error: String| Trouble::Unusable(format!("{option}: {error}"));
        let time = |option: &str, typed: Option<&str>| {
            typed
                .map(|typed| read_time(typed, zone, now))
                .transpose()
                .map_err(|error| unusable(option, error.to_string()))
        };
        let span = |option: &str, typed: &str| match read_span(typed) {
            Ok(span) if span <= limits::SPAN_MS => Ok(span),
            Ok(_) => {
                let days = limits::SPAN_MS / 86_400_000;
                Err(unusable(option, format!("{typed:?} is longer than {days} days")))
            }
            Err(error) => Err(unusable(option, error.to_string())),
        };
        let (past, next) = (span("--past", typed.past)?, span("--next", typed.next)?);
        let (begin, end) = (time("--from", typed.from)?, time("--to", typed.to)?);
        // What is counted from now begins and ends with a minute, as clocks and schedules do.
        let now = now.plus_ms(-now.as_millis().rem_euclid(MINUTE_MS));
        // Only what is not said is counted from now, or from what was said where that lies elsewhere.
        let from =
            begin.unwrap_or_else(|| end.map_or(now, |end| end.min(now)).plus_ms(-past)).max(Timestamp::EPOCH);
        let to = end.unwrap_or_else(|| from.max(now).plus_ms(next)).min(Timestamp::MAX);
        if to <= from {
            let (from, to) = (local_time(zone, from), local_time(zone, to));
            return Err(unusable("--to", format!("{to} does not come after the beginning, {from}")));
        }
        if to.since_ms(from) > 2 * limits::SPAN_MS {
            let days = 2 * limits::SPAN_MS / 86_400_000;
            return Err(unusable(
                "--from",
                format!("from {} on there are more than {days} days", local_time(zone, from)),
            ));
        }
        Ok(Window { from, to })
    }
}
