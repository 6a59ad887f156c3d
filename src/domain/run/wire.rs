//! A run as the contract writes it: a flat object in which a field that belongs to one state exists only there.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::{
    Attendance, Blocker, Continuity, Ended, OutputSize, Phase, ProcessEnd, Run, RunError, RunResult, Skipped,
    SlotRange, Stopping, Trigger, Waiting,
};
use crate::domain::automation::PublicTask;
use crate::domain::id::{AutomationId, InstanceId, LifecycleActionId, RunId};
use crate::domain::policy::Money;
use crate::domain::run::machine::{State, StopReason};
use crate::domain::time::Timestamp;
use crate::domain::worktree::WorktreeName;

/// One carrying-out of an automation, or the record of slots that were never carried out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Run")]
struct RunOnTheWire<'a> {
    /// Its identity.
    id: &'a RunId,
    /// The automation it belongs to, which may have been deleted.
    #[serde(rename = "automationID")]
    automation_id: &'a AutomationId,
    /// The automation's title when the run was created.
    automation_title: &'a str,
    /// What is carried out, as it was when the run was created.
    task: &'a PublicTask,
    /// The automation's revision when the run was created.
    definition_revision: i64,
    /// Counts the published changes of the run.
    revision: i64,
    /// Why there is a run.
    trigger: &'a Trigger,
    /// Whether somebody is there.
    attendance: Attendance,
    /// The scheduled times it answers for.
    slots: Option<SlotRange>,
    /// The scheduled time it stands for; none for a manual run.
    scheduled_at: Option<Timestamp>,
    /// When it was created.
    triggered_at: Timestamp,
    /// When its work started, if it did.
    started_at: Option<Timestamp>,
    /// When it ended.
    completed_at: Option<Timestamp>,
    /// Where it is in its life.
    state: State,
    /// What it waits for; while it is scheduled and something holds it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<&'a Waiting>,
    /// That it was asked to end, and its work has not gone yet.
    stopping: Option<&'a Stopping>,
    /// The close that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_by: Option<&'a LifecycleActionId>,
    /// The slots that overlap skipped behind it.
    skipped: Option<&'a Skipped>,
    /// What it waits for a person for; while it awaits input.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocker: Option<&'a Blocker>,
    /// What came out of it, if it succeeded.
    result: Option<&'a RunResult>,
    /// Why it failed, if it did.
    error: Option<&'a RunError>,
    /// Why it was stopped, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<StopReason>,
    /// How its process ended, if it had one.
    end: Option<&'a ProcessEnd>,
    /// The agent's session.
    #[serde(rename = "sessionID")]
    session_id: Option<&'a str>,
    /// Whether that session was new.
    continuity: Option<Continuity>,
    /// Where it works: an absolute path.
    directory: &'a str,
    /// The worktree, if it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    worktree: Option<&'a WorktreeName>,
    /// The steps an agent took.
    steps: i64,
    /// What it has cost.
    cost: Option<&'a Money>,
    /// How much output there is.
    output: OutputSize,
    /// Who executes it; set when it has started.
    #[serde(rename = "instanceID")]
    instance_id: Option<&'a InstanceId>,
}

impl Serialize for Run {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (blocker, result, error, stop_reason) = match &self.phase {
            Phase::Scheduled { .. } | Phase::Running { .. } => (None, None, None, None),
            Phase::AwaitingInput { blocker, .. } => (Some(blocker), None, None, None),
            Phase::Succeeded { result, .. } => (None, Some(result), None, None),
            Phase::Failed { error, .. } => (None, None, Some(error), None),
            Phase::Stopped { reason, .. } => (None, None, None, Some(*reason)),
        };
        let ended = self.ended();
        RunOnTheWire {
            id: &self.id,
            automation_id: &self.automation_id,
            automation_title: &self.automation_title,
            task: &self.task,
            definition_revision: self.definition_revision,
            revision: self.revision,
            trigger: &self.trigger,
            attendance: self.attendance,
            slots: self.slots,
            scheduled_at: self.scheduled_at,
            triggered_at: self.triggered_at,
            started_at: self.started_at(),
            completed_at: ended.map(|ended| ended.completed_at),
            state: self.state(),
            waiting: self.waiting(),
            stopping: self.stopping(),
            closed_by: ended.and_then(|ended| ended.closed_by.as_ref()),
            skipped: self.skipped.as_ref(),
            blocker,
            result,
            error,
            stop_reason,
            end: ended.and_then(|ended| ended.process.as_ref()),
            session_id: self.session_id.as_deref(),
            continuity: self.continuity,
            directory: &self.directory,
            worktree: self.worktree.as_ref(),
            steps: self.steps,
            cost: self.cost.as_ref(),
            output: self.output,
            instance_id: self.instance_id.as_ref(),
        }
        .serialize(serializer)
    }
}

impl Run {
    /// What it has since it ended.
    pub fn ended(&self) -> Option<&Ended> {
        match &self.phase {
            Phase::Scheduled { .. } | Phase::Running { .. } | Phase::AwaitingInput { .. } => None,
            Phase::Succeeded { ended, .. } | Phase::Failed { ended, .. } | Phase::Stopped { ended, .. } => {
                Some(ended)
            }
        }
    }
}

impl JsonSchema for Run {
    fn schema_name() -> Cow<'static, str> {
        RunOnTheWire::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RunOnTheWire::json_schema(generator)
    }
}
