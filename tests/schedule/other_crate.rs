//! Another implementation: the `cron` crate on `chrono-tz`, where its rules and zone data agree with ours.
//!
//! That is: no clock change in the span, and never two restricted day fields (it always wants both). Its
//! fields begin with seconds, and its weekdays are numbered from 1, Sunday.

use std::str::FromStr;

use proptest::prelude::*;

use super::support::{Fields, Written, at, cases, cron, field, text, zone};

/// The field with every value spelled out, shifted by `shift`.
fn spelled_out(field: &Written, modulus: u32, shift: u32) -> String {
    let mut values: Vec<u32> = field.values.iter().map(|value| value % modulus + shift).collect();
    values.sort_unstable();
    values.dedup();
    values.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

fn in_their_words(fields: &Fields) -> String {
    let plain = |field| spelled_out(field, 100, 0);
    format!(
        "0 {} {} {} {} {}",
        plain(&fields.minute),
        plain(&fields.hour),
        plain(&fields.day_of_month),
        plain(&fields.month),
        spelled_out(&fields.day_of_week, 7, 1)
    )
}

/// Expressions with at most one restricted day field.
fn without_union() -> impl Strategy<Value = Fields> {
    let star = |high: u32, low: u32| Written { text: "*".to_owned(), values: (low..=high).collect() };
    let days = prop_oneof![(field(1, 31), Just(star(7, 0))), (Just(star(31, 1)), field(0, 7)),];
    (field(0, 59), field(0, 23), days, field(1, 12)).prop_map(
        |(minute, hour, (day_of_month, day_of_week), month)| Fields {
            minute,
            hour,
            day_of_month,
            month,
            day_of_week,
        },
    )
}

/// Zones and spans of theirs without a clock change, in which 2025b and later data agree.
const CALM: [(&str, &str, &str); 9] = [
    ("UTC", "1980-01-01T00:00:00Z", "2090-01-01T00:00:00Z"),
    ("Asia/Kolkata", "1980-01-01T00:00:00Z", "2090-01-01T00:00:00Z"),
    ("Asia/Kathmandu", "1990-01-01T00:00:00Z", "2090-01-01T00:00:00Z"),
    ("America/Phoenix", "1980-01-01T00:00:00Z", "2090-01-01T00:00:00Z"),
    ("Pacific/Kiritimati", "2000-01-01T00:00:00Z", "2090-01-01T00:00:00Z"),
    ("America/New_York", "2024-03-12T00:00:00Z", "2024-11-01T00:00:00Z"),
    ("Europe/Dublin", "2024-04-02T00:00:00Z", "2024-10-25T00:00:00Z"),
    ("Australia/Lord_Howe", "2024-04-09T00:00:00Z", "2024-10-04T00:00:00Z"),
    ("America/St_Johns", "2023-11-07T00:00:00Z", "2024-03-08T00:00:00Z"),
];

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn agrees_with_the_cron_crate_where_the_rules_do(
        fields in without_union(),
        (zone_name, from, to) in prop::sample::select(&CALM[..]),
        place in 0.0..1.0f64,
    ) {
        let expression = fields.expression();
        prop_assume!(sexton::domain::schedule::cron::Cron::parse(&expression).is_ok());
        let (from, to) = (at(from), at(to));
        let after = from.plus_ms((to.since_ms(from) as f64 * place) as i64);

        let (cron, zone) = (cron(&expression), zone(zone_name));
        let ours = super::support::fires(&cron, &zone, after);
        let ours: Vec<String> = ours.take_while(|fire| *fire < to).take(20).map(text).collect();

        let theirs = cron::Schedule::from_str(&in_their_words(&fields)).unwrap();
        let chrono_zone = chrono_tz::Tz::from_str(zone_name).unwrap();
        let start = chrono::DateTime::from_timestamp_millis(after.as_millis()).unwrap();
        let theirs: Vec<String> = theirs
            .after(&start.with_timezone(&chrono_zone))
            .map(|fire| fire.timestamp_millis())
            .take_while(|fire| *fire < to.as_millis())
            .take(20)
            .map(|fire| text(sexton::domain::time::Timestamp::from_millis(fire)))
            .collect();
        prop_assert_eq!(ours, theirs, "{} in {}", expression, zone_name);
    }
}

#[test]
fn the_other_crate_counts_weekdays_from_one() {
    // The conversion above rests on this.
    let mondays = cron::Schedule::from_str("0 0 0 * * 2").unwrap();
    let start = chrono::DateTime::from_timestamp(0, 0).unwrap();
    let next = mondays.after(&start).next().unwrap();
    assert_eq!(next.to_rfc3339(), "1970-01-05T00:00:00+00:00");
}
