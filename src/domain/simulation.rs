//! What will happen: which times will be due, and what will become of each.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draft::Draft;
use super::id::AutomationId;
use super::policy::Money;
use super::run::machine::{ErrorCode, StopReason};
use super::run::{Phase, Run, WaitingFor};
use super::time::Timestamp;
use super::verdict::Verdict;

/// The most fires that one simulation tells: a year of an hourly automation, and so few that the answer stays within
/// the room that is kept for one look.
pub const FIRES: usize = 10_000;

/// Of which automations fires are wanted, and between which times.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulateRequest {
    /// The first scheduled time that is wanted.
    pub from: Timestamp,
    /// The last one; what happens after it is not looked at.
    pub to: Timestamp,
    /// Only these automations, and the draft if there is one. Without it only the draft is wanted if there is one, and
    /// else all.
    pub ids: Option<Vec<AutomationId>>,
    /// An automation that there is not, and that is created now.
    pub draft: Option<Draft>,
    /// How long each run takes, in milliseconds, instead of what is known of its automation.
    pub assume_run_ms: Option<i64>,
}

/// What will become of the scheduled times of a span.
///
/// It is worked out by what the scheduler itself does, on the assumption that the machine is awake and a window is open
/// the whole time. The windows that are open now stay; if there is none, one is assumed that starts agents as they were
/// known last. A run takes as long as the last twenty of its automation did, by their median, a minute if none has run
/// yet, and succeeds, and so does its precheck, which takes no time, also where it has always kept runs from starting. One
/// that is at work now ends when that is over. Nobody answers what runs ask. Closes and holds that are waited for now end
/// now. An automation whose schedule or pause changes meanwhile is none of this. What is changed right after a simulation
/// was asked for may be in it. Automations and runs that cannot be read, or that only a later version understands, are left
/// out, as lists leave out what cannot be read; who asks for one by name is refused if it cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Simulation {
    /// The scheduled times, in order. What was over before now is not among them: `automation/explain` tells of that.
    #[schemars(length(max = FIRES))]
    pub fires: Vec<Fire>,
    /// Whether there are more than these.
    pub truncated: bool,
    /// How far this goes: `to`, or less if working it out would have taken too long, which is about ten seconds.
    pub simulated_through: Timestamp,
    /// How many there are, also of those that are not among `fires`.
    pub totals: Totals,
    /// What the runs that are started will cost, each as much as the last twenty of its automation did on the average;
    /// one amount for each currency. Absent if none of these automations is known to have cost anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_cost: Option<Vec<Money>>,
}

/// A scheduled time, and what will become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fire {
    /// The automation; empty for the draft.
    pub id: AutomationId,
    /// When it is due.
    pub at: Timestamp,
    /// What will become of it.
    pub outcome: Verdict,
    /// Why, if there is more to say: how its run was stopped or failed, or what it waits for or has waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When the work starts that answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
}

/// Why something becomes of a scheduled time: a word that runs have as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Reason {
    /// Its run is stopped for this.
    Stopped(StopReason),
    /// Its run fails with this.
    Failed(ErrorCode),
    /// Its run waits for this, or has waited for it last.
    Waited(WaitingFor),
}

impl Reason {
    /// Why this becomes of a scheduled time, as the run tells that answers for it and that waited for this last.
    pub fn of_run(run: &Run, verdict: Verdict, waited: Option<WaitingFor>) -> Option<Reason> {
        if verdict == Verdict::RanLate
            && let Some(what) = waited
        {
            return Some(Reason::Waited(what));
        }
        match &run.phase {
            Phase::Scheduled { waiting, .. } => waiting.as_ref().map(|waiting| Reason::Waited(waiting.what)),
            Phase::Running { .. } | Phase::AwaitingInput { .. } | Phase::Succeeded { .. } => None,
            Phase::Failed { error, .. } => Some(Reason::Failed(error.code)),
            Phase::Stopped { reason, .. } => Some(Reason::Stopped(*reason)),
        }
    }
}

/// How many scheduled times there are, by what becomes of them. Of those that one run answers for together at most 100,000
/// are counted, so that there may be more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Of all automations that were wanted.
    pub outcomes: Outcomes,
    /// Of each of them that has any, in the order in which they were created; of the first ones, if there are many.
    #[schemars(length(max = FIRES))]
    pub automations: Vec<AutomationTotals>,
}

/// How many scheduled times one automation has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AutomationTotals {
    /// The automation; empty for the draft.
    pub id: AutomationId,
    /// How many, by what becomes of them.
    pub outcomes: Outcomes,
}

/// How many times something becomes of a scheduled time; what does not happen is left out.
pub type Outcomes = BTreeMap<Verdict, u64>;
