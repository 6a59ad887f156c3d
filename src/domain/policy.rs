//! What an automation does when things are not as planned: overlap, lateness, queues and limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The policy of an automation, every field filled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// What happens to a slot while the previous run is still active.
    pub overlap: Overlap,
    /// What happens to slots that are later than the grace.
    pub missed: Missed,
    /// What a run does when another run holds its directory, or is ahead of it there.
    pub if_busy: IfBusy,
    /// How long a run may wait before it starts, in milliseconds.
    pub queue_ms: i64,
    /// How long a start may take, in milliseconds. The time for a precheck, and for its end, comes on top of it.
    pub start_ms: i64,
    /// How long a run may be silent, in milliseconds; none for no limit.
    pub idle_ms: Option<i64>,
    /// How long a run may work, in milliseconds.
    pub wall_ms: i64,
    /// How long a run may wait for a person.
    pub blocker_ms: BlockerMs,
    /// How many steps an agent may take.
    pub step_cap: i64,
    /// What one run may cost.
    pub budget: Option<Budget>,
    /// Whether an agent's requests for permission are put to a person.
    pub permissions: Permissions,
    /// Whether runs whose work could not be started are tried again.
    pub retry: Retry,
    /// After how many failures in a row the automation pauses itself; none for never. A single failure of class
    /// `config`, `auth` or `quota` pauses it whatever this says.
    pub pause_after_failures: Option<i64>,
    /// A command that decides whether the run goes on.
    pub precheck: Option<Precheck>,
    /// How many ended runs are kept, and for how long.
    pub keep: Keep,
}

impl Default for Policy {
    fn default() -> Self {
        const HOUR_MS: i64 = 3_600_000;
        Policy {
            overlap: Overlap::Skip,
            missed: Missed::RunOnce { window_ms: None },
            if_busy: IfBusy::Queue,
            queue_ms: HOUR_MS,
            start_ms: 60_000,
            idle_ms: None,
            wall_ms: HOUR_MS,
            blocker_ms: BlockerMs { attended: 24 * HOUR_MS, unattended: HOUR_MS },
            step_cap: 50,
            budget: None,
            permissions: Permissions::Ask,
            retry: Retry { attempts: 0, delay_ms: 60_000 },
            pause_after_failures: Some(5),
            precheck: None,
            keep: Keep { runs: 1000, days: 90 },
        }
    }
}

/// How long the run of a prompt may be silent if nobody said otherwise, in milliseconds. Agents report all the time;
/// a command may well say nothing for hours.
pub const PROMPT_IDLE_MS: i64 = 600_000;

/// How long work that was asked to end may take before it is killed, in milliseconds.
pub const STOP_GRACE_MS: i64 = 5000;

impl Policy {
    /// How long a run may take from when it is given until its command has started, in milliseconds. A precheck that has
    /// taken too long is asked to end like any work. What is told of the run is that, and not that it did not start in
    /// time, so the limit does not pass meanwhile.
    pub fn start_limit_ms(&self) -> i64 {
        let precheck_ms =
            self.precheck.as_ref().map_or(0, |precheck| precheck.timeout_ms.saturating_add(STOP_GRACE_MS));
        self.start_ms.saturating_add(precheck_ms)
    }

    /// What a person should know about it although it is valid, where commands are carried out.
    pub fn warnings(&self) -> Vec<String> {
        let queue_ms = self.queue_ms;
        match self.overlap {
            Overlap::CancelPrevious if queue_ms <= STOP_GRACE_MS => vec![format!(
                "with `cancelPrevious` the previous run may take {STOP_GRACE_MS} ms to end, and a new one waits for \
                that only {queue_ms} ms (`policy.queueMs`): where the previous one ends slowly, nothing starts; choose \
                a `queueMs` of more than {STOP_GRACE_MS}"
            )],
            Overlap::CancelPrevious | Overlap::Skip | Overlap::QueueOne => Vec::new(),
        }
    }
}

/// What happens to a slot while the previous run is still active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Overlap {
    /// The slot is counted on the active run and recorded when that ends.
    Skip,
    /// A run waits until the previous one has ended; of several that wait, the newest.
    QueueOne,
    /// The previous run is asked to end, and the new one starts when it has gone.
    CancelPrevious,
}

/// What happens when the newest slot is later than the grace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Missed {
    /// All of them are recorded as missed.
    Skip,
    /// The newest is caught up with if it is inside the window; the run answers for the older ones too.
    #[serde(rename_all = "camelCase")]
    RunOnce {
        /// How late the newest slot may be, in milliseconds. None: half the distance to the next slot, at most 12 h.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window_ms: Option<i64>,
    },
}

/// What a run does when another run holds its directory, or is ahead of it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IfBusy {
    /// It waits, up to `queue_ms`.
    Queue,
    /// It does not take place.
    Skip,
}

/// How long a run may wait for a person, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlockerMs {
    /// When somebody asked for the run.
    pub attended: i64,
    /// When a timer did.
    pub unattended: i64,
}

/// What one run may cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// The limit of one run.
    pub per_run: Money,
}

/// An amount in a currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// How much.
    pub amount: f64,
    /// Of what, as an ISO 4217 code.
    pub currency: String,
}

/// Whether requests for permission are put to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Permissions {
    /// A person is asked.
    Ask,
    /// Nobody is asked: the answer is no.
    Deny,
}

/// Whether runs whose work could not be started are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// How often at most, after the first time.
    pub attempts: i64,
    /// How long after a failure, in milliseconds.
    pub delay_ms: i64,
}

/// A command that decides whether the run goes on: with exit code 0 it does, with 75 there is nothing to do, and
/// anything else is a failure to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Precheck {
    /// The program.
    pub program: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// How long it may take, in milliseconds.
    pub timeout_ms: i64,
}

impl Precheck {
    /// The exit code that says that there is nothing to do. `sysexits.h` has it for "try again later".
    pub const NOTHING_TO_DO: i32 = 75;
}

/// How many ended runs are kept, and for how long. What is pruned leaves a daily account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Keep {
    /// At most so many, the newest.
    pub runs: i64,
    /// At most so many days after they ended.
    pub days: i64,
}
