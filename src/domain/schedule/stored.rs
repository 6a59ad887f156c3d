//! Rhythms and ends as the contract and the ledger write them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cron::Cron;
use super::rhythm::{Rhythm, Stop};
use crate::domain::time::Timestamp;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schemars(rename = "Rhythm", description = "What repeats.")]
enum RhythmOnTheWire {
    /// Elapsed time.
    #[serde(rename_all = "camelCase")]
    Interval {
        /// The distance, in milliseconds.
        every_ms: i64,
        /// What it is counted from, in both directions; absent where that is the beginning of the schedule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        anchor_at: Option<Timestamp>,
    },
    /// Local time.
    Cron {
        /// Five fields as in a crontab, or a nickname.
        expression: String,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schemars(rename = "Stop", description = "When a recurring schedule ends.")]
enum StopOnTheWire {
    /// It does not end.
    Never,
    /// After so many runs that succeeded or failed.
    Count {
        /// How many.
        count: u64,
    },
    /// After this instant; a slot exactly then still fires.
    Until {
        /// When.
        at: Timestamp,
    },
}

impl Serialize for Rhythm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Rhythm::Interval { every_ms, anchor_at } => {
                RhythmOnTheWire::Interval { every_ms: *every_ms, anchor_at: *anchor_at }
            }
            Rhythm::Cron(cron) => RhythmOnTheWire::Cron { expression: cron.expression().to_owned() },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rhythm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match RhythmOnTheWire::deserialize(deserializer)? {
            RhythmOnTheWire::Interval { every_ms, anchor_at } => Rhythm::Interval { every_ms, anchor_at },
            RhythmOnTheWire::Cron { expression } => {
                Rhythm::Cron(Cron::parse(&expression).map_err(|fault| D::Error::custom(fault.message))?)
            }
        })
    }
}

impl Serialize for Stop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Stop::Never => StopOnTheWire::Never,
            Stop::Count(count) => StopOnTheWire::Count { count: *count },
            Stop::Until(at) => StopOnTheWire::Until { at: *at },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match StopOnTheWire::deserialize(deserializer)? {
            StopOnTheWire::Never => Stop::Never,
            StopOnTheWire::Count { count } => Stop::Count(count),
            StopOnTheWire::Until { at } => Stop::Until(at),
        })
    }
}

impl JsonSchema for Rhythm {
    fn schema_name() -> Cow<'static, str> {
        RhythmOnTheWire::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RhythmOnTheWire::json_schema(generator)
    }
}

impl JsonSchema for Stop {
    fn schema_name() -> Cow<'static, str> {
        StopOnTheWire::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        StopOnTheWire::json_schema(generator)
    }
}
