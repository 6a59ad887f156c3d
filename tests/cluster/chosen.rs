//! What whoever runs a long test has chosen by the environment: how long it goes on, and with how much of everything.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::rng::text_from_environment;

/// Longer than anybody watches, so that a slip of the finger is noticed.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How long is chosen, if anything is.
pub(crate) fn span(name: &str) -> Option<Duration> {
    let text = text_from_environment(name)?;
    Some(read_span(&text).unwrap_or_else(|| {
        panic!("{name}={text}: write how long it is to go on, such as 90s, 10m or 1h, up to 24h; without it the short form runs")
    }))
}

/// A number that is chosen, or this one.
pub(crate) fn number(name: &str, default: u64, allowed: RangeInclusive<u64>) -> u64 {
    let Some(text) = text_from_environment(name) else { return default };
    let chosen = text.parse().ok().filter(|number| allowed.contains(number));
    chosen.unwrap_or_else(|| {
        let (least, most) = allowed.into_inner();
        panic!("{name}={text}: write a whole number from {least} to {most}; without it that is {default}")
    })
}

fn read_span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    // A sign is no digit.
    let number: u64 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    let span = Duration::from_secs(number.checked_mul(seconds)?);
    (!span.is_zero() && span <= LONGEST).then_some(span)
}

#[test]
fn a_span_is_a_whole_number_with_its_unit() {
    for (text, seconds) in [("90s", Some(90)), ("10m", Some(600)), ("1h", Some(3600)), ("24h", Some(86_400))]
    {
        assert_eq!(read_span(text), seconds.map(Duration::from_secs), "{text}");
    }
    for text in
        ["", "m", "10", "0s", "-1m", "+1m", "1.5m", "10 m", "10min", "25h", "long", "18446744073709551615h"]
    {
        assert_eq!(read_span(text), None, "{text}");
    }
}
