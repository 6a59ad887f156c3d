//! A run: one carrying-out of an automation, or the record of slots that were never carried out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod blocker;
mod changes;
mod failure;
pub mod machine;
mod waiting;
mod wire;

use super::automation::PublicTask;
use super::id::{AutomationId, InstanceId, LifecycleActionId, RunId};
use super::policy::Money;
use super::time::Timestamp;
use super::worktree::WorktreeName;
pub use blocker::{Asked, Blocker, Need, PermissionKind, PermissionOption, QuestionOption};
pub use changes::{Changes, Diffstat};
pub use failure::{ErrorClass, RunError, StartFailure};
use machine::{ErrorCode, IllegalStep, RunEvent, State, StopReason};
pub use waiting::{Ahead, Waiting, WaitingFor};

/// A run as the ledger and clients know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// The automation it belongs to, which may have been deleted.
    pub automation_id: AutomationId,
    /// The automation's title when the run was created.
    pub automation_title: String,
    /// What is carried out, as it was when the run was created.
    pub task: PublicTask,
    /// The automation's revision when the run was created.
    pub definition_revision: i64,
    /// Counts the published changes of the run.
    pub revision: i64,
    /// Why there is a run.
    pub trigger: Trigger,
    /// Whether somebody is there.
    pub attendance: Attendance,
    /// The scheduled times it answers for.
    pub slots: Option<SlotRange>,
    /// The scheduled time it stands for; none for a manual run.
    pub scheduled_at: Option<Timestamp>,
    /// When it was created.
    pub triggered_at: Timestamp,
    /// Where it is in its life, with what belongs there.
    pub phase: Phase,
    /// The slots that overlap skipped behind it.
    pub skipped: Option<Skipped>,
    /// The agent's session.
    pub session_id: Option<String>,
    /// Whether that session was new.
    pub continuity: Option<Continuity>,
    /// Where it works: an absolute path.
    pub directory: String,
    /// The worktree, if it has one of its own.
    pub worktree: Option<WorktreeName>,
    /// The steps an agent took.
    pub steps: i64,
    /// What it has cost.
    pub cost: Option<Money>,
    /// How much output there is.
    pub output: OutputSize,
    /// Who executes it; set when it has started.
    pub instance_id: Option<InstanceId>,
}

impl Run {
    /// The state it is in.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Scheduled { .. } => State::Scheduled,
            Phase::Running { .. } => State::Running,
            Phase::AwaitingInput { .. } => State::AwaitingInput,
            Phase::Succeeded { .. } => State::Succeeded,
            Phase::Failed { .. } => State::Failed,
            Phase::Stopped { .. } => State::Stopped,
        }
    }

    /// The wish that it ends, if there is one and it has not ended.
    pub fn stopping(&self) -> Option<&Stopping> {
        match &self.phase {
            Phase::Scheduled { stopping, .. }
            | Phase::Running { stopping, .. }
            | Phase::AwaitingInput { stopping, .. } => stopping.as_ref(),
            Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Stopped { .. } => None,
        }
    }

    /// What it waits for, if it has not begun and something holds it back.
    pub fn waiting(&self) -> Option<&Waiting> {
        match &self.phase {
            Phase::Scheduled { waiting, .. } => waiting.as_ref(),
            Phase::Running { .. }
            | Phase::AwaitingInput { .. }
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Stopped { .. } => None,
        }
    }

    /// Stores what it waits for, and gives whether that has changed. Only a scheduled run waits.
    pub fn set_waiting(&mut self, new: Option<Waiting>) -> bool {
        let Phase::Scheduled { waiting, .. } = &mut self.phase else { return false };
        let changed = *waiting != new;
        *waiting = new;
        changed
    }

    /// When its work started, if it did.
    pub fn started_at(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Scheduled { .. } => None,
            Phase::Running { started_at, .. } | Phase::AwaitingInput { started_at, .. } => Some(*started_at),
            Phase::Succeeded { ended, .. } | Phase::Failed { ended, .. } | Phase::Stopped { ended, .. } => {
                ended.started_at
            }
        }
    }

    /// The work has really started.
    ///
    /// # Errors
    /// When the table does not allow it.
    pub fn start(&mut self, by: InstanceId, now: Timestamp) -> Result<(), IllegalStep> {
        machine::next(self.state(), RunEvent::Start)?;
        let stopping = self.stopping().cloned();
        self.phase = Phase::Running { started_at: now.max(self.triggered_at), stopping };
        self.instance_id = Some(by);
        Ok(())
    }

    /// Its work needs a person.
    ///
    /// # Errors
    /// When the table does not allow it.
    pub fn block(&mut self, blocker: Blocker) -> Result<(), IllegalStep> {
        machine::next(self.state(), RunEvent::Block)?;
        if let (Some(started_at), stopping) = (self.started_at(), self.stopping().cloned()) {
            self.phase = Phase::AwaitingInput { started_at, blocker, stopping };
        }
        Ok(())
    }

    /// Its work needs nobody any more.
    ///
    /// # Errors
    /// When the table does not allow it.
    pub fn unblock(&mut self) -> Result<(), IllegalStep> {
        machine::next(self.state(), RunEvent::Unblock)?;
        if let (Some(started_at), stopping) = (self.started_at(), self.stopping().cloned()) {
            self.phase = Phase::Running { started_at, stopping };
        }
        Ok(())
    }

    /// Stores what it waits for a person for, and gives whether that has changed. Only a run that waits for one has it.
    pub fn set_blocker(&mut self, new: Blocker) -> bool {
        let Phase::AwaitingInput { blocker, .. } = &mut self.phase else { return false };
        let changed = *blocker != new;
        *blocker = new;
        changed
    }

    /// What it waits for a person for, if it does.
    pub fn blocker(&self) -> Option<&Blocker> {
        match &self.phase {
            Phase::AwaitingInput { blocker, .. } => Some(blocker),
            Phase::Scheduled { .. }
            | Phase::Running { .. }
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Stopped { .. } => None,
        }
    }

    /// Somebody wishes that the run ends. The first wish decides how; a later one may only make it urgent.
    /// Gives whether anything changed; an ended run has no wishes.
    pub fn wish_to_stop(
        &mut self,
        wish: Wish,
        urgency: Urgency,
        closed_by: Option<&LifecycleActionId>,
        now: Timestamp,
    ) -> bool {
        let (Phase::Scheduled { stopping, .. }
        | Phase::Running { stopping, .. }
        | Phase::AwaitingInput { stopping, .. }) = &mut self.phase
        else {
            return false;
        };
        let at_once = urgency == Urgency::Now;
        match stopping {
            None => {
                *stopping = Some(Stopping { wish, since: now, now: at_once, closed_by: closed_by.cloned() });
                true
            }
            Some(stopping) if at_once && !stopping.now => {
                stopping.now = true;
                true
            }
            Some(_) => false,
        }
    }

    /// The run ends.
    ///
    /// # Errors
    /// When the table does not allow it: the run has ended already, or not for this reason.
    pub fn end(
        &mut self,
        outcome: Outcome,
        process: Option<ProcessEnd>,
        now: Timestamp,
    ) -> Result<(), IllegalStep> {
        let event = match &outcome {
            Outcome::Succeeded(_) => RunEvent::Succeed,
            Outcome::Failed(error) => RunEvent::Fail(error.code),
            Outcome::Stopped(reason) => RunEvent::Stop(*reason),
        };
        machine::next(self.state(), event)?;
        let started_at = self.started_at();
        let earliest = started_at.unwrap_or(self.triggered_at);
        let closed_by = self.stopping().and_then(|stopping| stopping.closed_by.clone());
        let ended = Ended { started_at, completed_at: now.max(earliest), process, closed_by };
        self.phase = match outcome {
            Outcome::Succeeded(result) => Phase::Succeeded { ended, result },
            Outcome::Failed(error) => Phase::Failed { ended, error },
            Outcome::Stopped(reason) => Phase::Stopped { ended, reason },
        };
        Ok(())
    }
}

/// Where a run is in its life. What belongs to one state exists only there.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the contract and are documented on their types")]
pub enum Phase {
    /// It waits for something, or its work is being set up.
    Scheduled { waiting: Option<Waiting>, stopping: Option<Stopping> },
    /// Its work goes on.
    Running { started_at: Timestamp, stopping: Option<Stopping> },
    /// Its work waits for a person.
    AwaitingInput { started_at: Timestamp, blocker: Blocker, stopping: Option<Stopping> },
    /// Its work was done.
    Succeeded { ended: Ended, result: RunResult },
    /// Its work failed, or could not be started.
    Failed { ended: Ended, error: RunError },
    /// It was ended from outside, or never started.
    Stopped { ended: Ended, reason: StopReason },
}

/// What every ended run has.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// When its work started, if it did.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Timestamp,
    /// How its process ended, if it had one.
    pub process: Option<ProcessEnd>,
    /// The close that ended it.
    pub closed_by: Option<LifecycleActionId>,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Its work was done.
    Succeeded(RunResult),
    /// Its work failed.
    Failed(RunError),
    /// It was ended from outside.
    Stopped(StopReason),
}

/// Why there is a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Trigger {
    /// A slot was due.
    Schedule,
    /// Somebody asked for it.
    Manual {
        /// The client's own name for its request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// Slots were missed and this run makes up for them.
    CatchUp,
    /// A run failed before its work began, and this one tries again.
    Retry {
        /// The run that failed.
        of: RunId,
    },
}

/// Whether somebody is there to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Attendance {
    /// Somebody asked for the run.
    Attended,
    /// A timer did.
    Unattended,
}

/// Scheduled times that one run answers for; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlotRange {
    /// The first.
    pub from_at: Timestamp,
    /// The last.
    pub to_at: Timestamp,
    /// How many; from 100,000 on there may be more.
    pub count: u64,
}

impl SlotRange {
    /// Up to how many slots are counted: counting those of a long absence has to end.
    pub const COUNTED: u64 = 100_000;
}

/// Slots that overlap skipped behind an active run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// Which.
    #[serde(flatten)]
    pub slots: SlotRange,
    /// `previous_run_active` or `previous_run_awaiting_input`.
    pub reason: StopReason,
}

/// The wish that a run ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stopping {
    /// How it will be recorded.
    #[serde(rename = "as")]
    pub wish: Wish,
    /// Since when.
    pub since: Timestamp,
    /// Whether its work is killed without being asked.
    pub now: bool,
    /// The close that ends it, if one does.
    #[serde(rename = "closedBy", default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<LifecycleActionId>,
}

/// How a run that is asked to end will be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Wish {
    /// As stopped.
    Stop(StopReason),
    /// As failed.
    Fail(ErrorCode),
}

/// How urgent a wish is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// The work is asked to end, and killed if it does not.
    Ask,
    /// The work is killed.
    Now,
}

/// What came out of a run that succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunResult {
    /// What an agent said at the end.
    pub text: Option<String>,
    /// What it means for the person.
    pub outcome: Option<ResultOutcome>,
    /// The files that the work has changed, commits included, seen from the run's directory: in order, at most 1000.
    /// Absent where that was not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
    /// How much the work has changed; with `files`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diffstat: Option<Diffstat>,
}

impl RunResult {
    /// The same, with what the work has changed if that is known.
    #[must_use]
    pub fn with_changes(self, changes: Option<Changes>) -> Self {
        let (files, diffstat) = changes.map(|changes| (changes.files, changes.diffstat)).unzip();
        RunResult { files, diffstat, ..self }
    }
}

/// What a result means for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultOutcome {
    /// Something was changed.
    Changed,
    /// Something was found.
    Findings,
    /// There was nothing to do.
    Nothing,
    /// A person has to look.
    NeedsHuman,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProcessEnd {
    /// Its exit code, if it exited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The number of the signal that killed it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The last 4 KiB of its output.
    pub tail: String,
    /// How many other processes it left behind, which were ended.
    pub swept: u32,
}

/// Whether an agent's session was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Continuity {
    /// It was.
    New,
    /// An earlier one was taken up without its history.
    Resumed,
    /// An earlier one was loaded with its history.
    Loaded,
}

/// How much output a run has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutputSize {
    /// What is kept, in bytes.
    pub bytes: u64,
    /// Whether there was more.
    pub truncated: bool,
}
