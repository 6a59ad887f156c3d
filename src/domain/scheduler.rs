//! Who rings the bell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::automation::Actor;
use super::time::Timestamp;

/// The instance that owns the bell, and its term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    /// Counts the owners of this ledger, from 1.
    pub term: i64,
    /// Who.
    #[serde(flatten)]
    pub by: Actor,
    /// Since when.
    pub since: Timestamp,
}

/// What a sidecar does beside answering its client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It may own the bell, and executes what it is given.
    #[default]
    Participant,
    /// It never owns, and executes only the runs that it was asked for itself. Whatever else a later version may
    /// have is given nothing by this one either.
    #[serde(other)]
    Observer,
}

/// The limits that hold for the whole ledger: those of the owner of the bell, whoever decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedLimits {
    /// How late a slot may be and still fire as if it were on time, in milliseconds.
    pub grace_ms: i64,
    /// How long another window waits for one that does not do its part before it does that itself, in
    /// milliseconds.
    #[serde(default = "standby_ms")]
    pub standby_ms: i64,
    /// How many runs of the whole ledger may be at work at once.
    pub max_concurrent_runs: i64,
    /// How many agents of the whole ledger may be at work at once: each may take half a gigabyte of memory.
    #[serde(default = "max_agents")]
    pub max_agents: i64,
    /// How many of the newest events are kept, however old they are.
    #[serde(default = "event_history")]
    pub event_history: i64,
    /// How long the machine has to be awake before slots are claimed again, in milliseconds: a wake of seconds with
    /// the lid closed must consume nothing.
    #[serde(default = "stable_wake_ms")]
    pub stable_wake_ms: i64,
}

/// The patience of an owner that does not say: also of one that did not know of it yet.
const fn standby_ms() -> i64 {
    2000
}

/// The agents of an owner that does not say: also of one that did not know of it yet.
const fn max_agents() -> i64 {
    1
}

/// The history of an owner that does not say: also of one that did not know of it yet.
const fn event_history() -> i64 {
    100_000
}

/// The same for how long the machine has to be awake.
const fn stable_wake_ms() -> i64 {
    10_000
}

/// What a window was told to do differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The least distance of an interval, in milliseconds.
    pub min_interval_ms: i64,
    /// What holds for the whole ledger while this window owns the bell.
    pub shared: SharedLimits,
    /// How much of a run's output is kept, in bytes.
    pub output_bytes: u64,
    /// How long a message may be, in bytes.
    pub max_message_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Limits {
            min_interval_ms: 30_000,
            shared: SharedLimits {
                grace_ms: 60_000,
                standby_ms: standby_ms(),
                max_concurrent_runs: 4,
                max_agents: max_agents(),
                event_history: event_history(),
                stable_wake_ms: stable_wake_ms(),
            },
            output_bytes: 16 * MIB,
            max_message_bytes: 16 * MIB,
        }
    }
}
