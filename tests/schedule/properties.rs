//! What holds for every expression, zone and instant.

use proptest::prelude::*;
use sexton::domain::schedule::cron::Cron;
use sexton::domain::schedule::zone::Zone;
use sexton::domain::time::Timestamp;

use super::support::{MINUTE_MS, cases, cron, fields, zone};

/// The days of 400 years, in milliseconds.
const CYCLE_MS: i64 = 146_097 * 1440 * MINUTE_MS;

fn zones() -> impl Strategy<Value = Zone> {
    let names = [
        "UTC",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Nuuk",
        "Africa/Casablanca",
        "Europe/Amsterdam",
    ];
    prop::sample::select(names.to_vec()).prop_map(zone)
}

fn expressions() -> impl Strategy<Value = Cron> {
    fields().prop_filter_map("impossible date", |fields| Cron::parse(&fields.expression()).ok())
}

/// From 1900 to the year 9500.
fn instants() -> impl Strategy<Value = Timestamp> {
    (-2_200_000_000_000i64..237_000_000_000_000).prop_map(Timestamp::from_millis)
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn the_next_fire_is_later_and_at_a_whole_minute(cron in expressions(), zone in zones(), after in instants()) {
        if let Some(next) = cron.next_after(&zone, after) {
            prop_assert!(next > after);
            prop_assert_eq!(next.as_millis().rem_euclid(MINUTE_MS), 0);
        }
    }

    #[test]
    fn nothing_fires_between_an_instant_and_its_next_fire(
        cron in expressions(), zone in zones(), after in instants(), place in 0.0..1.0f64,
    ) {
        if let Some(next) = cron.next_after(&zone, after) {
            let between = after.plus_ms((next.since_ms(after) as f64 * place) as i64).min(next.plus_ms(-1));
            prop_assert_eq!(cron.next_after(&zone, between), Some(next));
            prop_assert_eq!(cron.next_after(&zone, next.plus_ms(-1)), Some(next));
        }
    }

    #[test]
    fn later_instants_have_no_earlier_fires(
        cron in expressions(), zone in zones(), one in instants(), distance in 0..40_000_000_000i64,
    ) {
        let other = one.plus_ms(distance);
        if let (Some(first), Some(second)) = (cron.next_after(&zone, one), cron.next_after(&zone, other)) {
            prop_assert!(first <= second);
        }
    }

    #[test]
    fn the_calendar_repeats_after_400_years(cron in expressions(), zone in zones(), second in 4_200_000_000i64..100_000_000_000) {
        let after = Timestamp::from_millis(second * 1000);
        if let Some(next) = cron.next_after(&zone, after) {
            prop_assert_eq!(cron.next_after(&zone, after.plus_ms(CYCLE_MS)), Some(next.plus_ms(CYCLE_MS)));
        }
    }

    #[test]
    fn any_text_is_an_expression_or_a_fault(text in "[-*/,0-9a-zA-Z@?LW# \t]{0,24}|\\PC{0,40}") {
        match Cron::parse(&text) {
            Ok(parsed) => prop_assert_eq!(cron(parsed.expression()), parsed),
            Err(fault) => prop_assert!(fault.message.ends_with('.')),
        }
    }

    #[test]
    fn any_text_is_a_zone_or_is_refused(text in "[A-Za-z_/+0-9.-]{0,24}|\\PC{0,40}") {
        match Zone::named(&text) {
            Ok(zone) => prop_assert!(zone.name().eq_ignore_ascii_case(&text)),
            Err(unknown) => prop_assert_eq!(unknown.name, text),
        }
    }
}
