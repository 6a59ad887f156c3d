//! A run as a client reads it.

use serde::{Deserialize, Deserializer};

use super::if_understood;
use crate::domain::automation::PublicTask;
use crate::domain::id::{AutomationId, InstanceId, RunId};
use crate::domain::policy::Money;
use crate::domain::run::machine::{State, StopReason};
use crate::domain::run::{
    Attendance, Blocker, Continuity, OutputSize, ProcessEnd, RunError, RunResult, Skipped, SlotRange,
    Stopping, Trigger, Waiting,
};
use crate::domain::time::Timestamp;

/// One carrying-out of an automation, or the record of slots that were never carried out. A field that belongs to one
/// state is there only in that state.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// The automation it belongs to, which may have been deleted.
    #[serde(rename = "automationID")]
    pub automation_id: AutomationId,
    /// The automation's title when the run was created.
    #[serde(default)]
    pub automation_title: String,
    /// What is carried out.
    #[serde(default, deserialize_with = "if_understood")]
    pub task: Option<PublicTask>,
    /// Counts the published changes of the run.
    pub revision: i64,
    /// Why there is a run.
    #[serde(default, deserialize_with = "if_understood")]
    pub trigger: Option<Trigger>,
    /// Whether somebody is there.
    #[serde(default, deserialize_with = "if_understood")]
    pub attendance: Option<Attendance>,
    /// The scheduled times it answers for.
    #[serde(default, deserialize_with = "if_understood")]
    pub slots: Option<SlotRange>,
    /// The scheduled time it stands for; none for a manual run.
    #[serde(default)]
    pub scheduled_at: Option<Timestamp>,
    /// When it was created.
    pub triggered_at: Timestamp,
    /// When its work started, if it did.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
    /// Where it is in its life.
    pub state: RunState,
    /// What it waits for.
    #[serde(default, deserialize_with = "if_understood")]
    pub waiting: Option<Waiting>,
    /// That it was asked to end, and its work has not gone yet.
    #[serde(default, deserialize_with = "if_understood")]
    pub stopping: Option<Stopping>,
    /// The slots that overlap skipped behind it.
    #[serde(default, deserialize_with = "if_understood")]
    pub skipped: Option<Skipped>,
    /// What it waits for a person for.
    #[serde(default, deserialize_with = "if_understood")]
    pub blocker: Option<Blocker>,
    /// What came out of it, if it succeeded.
    #[serde(default, deserialize_with = "if_understood")]
    pub result: Option<RunResult>,
    /// Why it failed, if it did.
    #[serde(default, deserialize_with = "if_understood")]
    pub error: Option<RunError>,
    /// Why it was stopped, if it was.
    #[serde(default, deserialize_with = "if_understood")]
    pub stop_reason: Option<StopReason>,
    /// How its process ended, if it had one.
    #[serde(default, deserialize_with = "if_understood")]
    pub end: Option<ProcessEnd>,
    /// The agent's session.
    #[serde(default, rename = "sessionID")]
    pub session_id: Option<String>,
    /// Whether that session was new.
    #[serde(default, deserialize_with = "if_understood")]
    pub continuity: Option<Continuity>,
    /// Where it works: an absolute path.
    pub directory: String,
    /// The worktree, if it has one of its own.
    #[serde(default)]
    pub worktree: Option<String>,
    /// The steps an agent took.
    #[serde(default)]
    pub steps: i64,
    /// What it has cost.
    #[serde(default, deserialize_with = "if_understood")]
    pub cost: Option<Money>,
    /// How much output there is.
    #[serde(default)]
    pub output: OutputSize,
    /// Who executes it; set when it has started.
    #[serde(default, rename = "instanceID")]
    pub instance_id: Option<InstanceId>,
}

/// Where a run is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// In a state that this version knows.
    Known(State),
    /// In one that a later version calls so.
    Later(String),
}

impl<'de> Deserialize<'de> for RunState {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = String::deserialize(from)?;
        let known = State::ALL.into_iter().find(|state| state.as_str() == word);
        Ok(known.map_or(RunState::Later(word), RunState::Known))
    }
}

impl RunState {
    /// The contract's word, or that of the later version.
    pub fn as_str(&self) -> &str {
        match self {
            RunState::Known(state) => state.as_str(),
            RunState::Later(word) => word,
        }
    }
}

impl Run {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.completed_at.is_some()
    }
}
