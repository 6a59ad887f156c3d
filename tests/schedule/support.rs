//! Short words for the tests.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;
use proptest::test_runner::Config;
use sexton::domain::schedule::cron::Cron;
use sexton::domain::schedule::zone::{Zone, zone_data};
use sexton::domain::time::Timestamp;

pub(crate) const MINUTE_MS: i64 = 60_000;

pub(crate) fn cron(expression: &str) -> Cron {
    Cron::parse(expression).unwrap_or_else(|fault| panic!("{expression}: {fault}"))
}

pub(crate) fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

/// The instant of a text such as `2025-03-09T05:30:00Z`.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

/// An instant as a text, for readable failures.
pub(crate) fn text(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap().to_string()
}

/// All fires after an instant. One that is not later than the fire before it ends the test at once, where it
/// would otherwise go on for ever.
pub(crate) fn fires(cron: &Cron, zone: &Zone, after: Timestamp) -> impl Iterator<Item = Timestamp> {
    let next = move |after: Timestamp| {
        let fire = cron.next_after(zone, after)?;
        assert!(fire > after, "{cron} in {zone} fires at {}, after {}", text(fire), text(after));
        Some(fire)
    };
    std::iter::successors(next(after), move |fire| next(*fire))
}

/// The next fires as texts.
pub(crate) fn next(expression: &str, zone_name: &str, after: &str, count: usize) -> Vec<String> {
    fires(&cron(expression), &zone(zone_name), at(after)).take(count).map(text).collect()
}

/// The calendar library's view of a zone, from the same data that the schedule uses.
pub(crate) fn library_zone(name: &str) -> TimeZone {
    let source = &zone_data().source;
    let database = match source.as_str() {
        "bundled" => TimeZoneDatabase::bundled(),
        directory => TimeZoneDatabase::from_dir(directory).unwrap(),
    };
    database.get(name).unwrap()
}

/// This many cases. A failing case is printed, to be kept as a test of its own.
pub(crate) fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// One field of an expression, written down together with what it selects.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) values: Vec<u32>,
}

/// A field of values from `low` to `high`, in any of its forms. `plain` makes values and lists likelier than
/// stars.
pub(crate) fn field(low: u32, high: u32) -> impl Strategy<Value = Written> {
    let star = Just(Written { text: "*".to_owned(), values: (low..=high).collect() });
    let stepped = (1..=high).prop_map(move |step| Written {
        text: format!("*/{step}"),
        values: (low..=high).step_by(step as usize).collect(),
    });
    prop_oneof![3 => star, 1 => stepped, 5 => list(low, high)]
}

/// A field that does not begin with a star.
pub(crate) fn list(low: u32, high: u32) -> impl Strategy<Value = Written> {
    let value = (low..=high).prop_map(|value| Written { text: value.to_string(), values: vec![value] });
    let range = (low..=high, low..=high, prop::option::of(1..=high)).prop_map(|(one, other, step)| {
        let (first, last) = (one.min(other), one.max(other));
        let suffix = step.map_or_else(String::new, |step| format!("/{step}"));
        let values = (first..=last).step_by(step.unwrap_or(1) as usize).collect();
        Written { text: format!("{first}-{last}{suffix}"), values }
    });
    prop::collection::vec(prop_oneof![3 => value, 1 => range], 1..4).prop_map(|items| Written {
        text: items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>().join(","),
        values: items.into_iter().flat_map(|item| item.values).collect(),
    })
}

/// The five fields of an expression.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) minute: Written,
    pub(crate) hour: Written,
    pub(crate) day_of_month: Written,
    pub(crate) month: Written,
    pub(crate) day_of_week: Written,
}

impl Fields {
    pub(crate) fn expression(&self) -> String {
        let Fields { minute, hour, day_of_month, month, day_of_week } = self;
        [minute, hour, day_of_month, month, day_of_week].map(|field| field.text.as_str()).join(" ")
    }
}

/// Any expression, with hours and months dense enough that something fires within days.
pub(crate) fn fields() -> impl Strategy<Value = Fields> {
    let month = prop_oneof![4 => Just(Written { text: "*".to_owned(), values: (1..=12).collect() }), 1 => field(1, 12)];
    let hour = prop_oneof![2 => field(0, 23), 2 => list(0, 4), 1 => list(22, 23)];
    (field(0, 59), hour, field(1, 31), month, field(0, 7)).prop_map(
        |(minute, hour, day_of_month, month, day_of_week)| Fields {
            minute,
            hour,
            day_of_month,
            month,
            day_of_week,
        },
    )
}
