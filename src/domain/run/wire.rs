//! A run as the contract writes it: a flat object in which a field that belongs to one state exists only there.

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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunOnTheWire<'a> {
    id: &'a RunId,
    #[serde(rename = "automationID")]
    automation_id: &'a AutomationId,
    automation_title: &'a str,
    task: &'a PublicTask,
    definition_revision: i64,
    revision: i64,
    trigger: &'a Trigger,
    attendance: Attendance,
    slots: Option<SlotRange>,
    scheduled_at: Option<Timestamp>,
    triggered_at: Timestamp,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<&'a Waiting>,
    stopping: Option<&'a Stopping>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_by: Option<&'a LifecycleActionId>,
    skipped: Option<&'a Skipped>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocker: Option<&'a Blocker>,
    result: Option<&'a RunResult>,
    error: Option<&'a RunError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<StopReason>,
    end: Option<&'a ProcessEnd>,
    #[serde(rename = "sessionID")]
    session_id: Option<&'a str>,
    continuity: Option<Continuity>,
    directory: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    worktree: Option<&'a str>,
    steps: i64,
    cost: Option<&'a Money>,
    output: OutputSize,
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
            worktree: self.worktree.as_deref(),
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
