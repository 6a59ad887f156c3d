//! The life of a run: which state may follow which, and for which reasons (protocol, section 4).
//!
//! `TABLE` is the rule; everything else here reads it. A test walks all states and steps against a snapshot.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::ErrorCode as E;
use self::State as S;
use self::StopReason as R;

const WORK_FAILURES: &[ErrorCode] = &[
    E::ExecutionFailed,
    E::StepCap,
    E::LoopGate,
    E::TimedOut,
    E::BudgetExceeded,
    E::NeedsUserInput,
    E::Crashed,
];

/// What may happen to a run in each state. A state that is not here never changes.
const TABLE: &[(State, &[Step])] = &[
    (
        S::Scheduled,
        &[
            Step::Start,
            Step::Stop(&[
                R::Cancelled,
                R::Superseded,
                R::WriterBusy,
                R::Capacity,
                R::PreviousRunActive,
                R::Expired,
                R::Ended,
                R::Paused,
                R::PrecheckSkipped,
                R::Interrupted,
                R::Shutdown,
            ]),
            Step::Fail(&[E::StartFailed, E::ProviderUnavailable, E::TimedOut, E::Crashed]),
        ],
    ),
    (
        S::Running,
        &[
            Step::Block,
            Step::Succeed,
            Step::Fail(WORK_FAILURES),
            Step::Stop(&[R::Cancelled, R::Superseded, R::Interrupted, R::Shutdown]),
        ],
    ),
    (
        S::AwaitingInput,
        &[
            Step::Unblock,
            Step::Fail(WORK_FAILURES),
            Step::Stop(&[R::Cancelled, R::Superseded, R::Expired, R::BlockerLost, R::Shutdown]),
        ],
    ),
];

/// Why a run can be born ended: it stands for slots that were never started.
pub const BORN_STOPPED: &[StopReason] =
    &[R::MissedSchedule, R::PreviousRunActive, R::PreviousRunAwaitingInput, R::Paused, R::Cancelled];

/// The state after `event`.
///
/// # Errors
/// When the table does not have it; the run then stays as it is.
pub fn next(from: State, event: RunEvent) -> Result<State, IllegalStep> {
    let steps = TABLE.iter().find(|(state, _)| *state == from).map_or(&[][..], |(_, steps)| steps);
    let allowed = steps.iter().any(|step| step.allows(event));
    if allowed { Ok(event.leads_to()) } else { Err(IllegalStep { from, event }) }
}

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits, or its work is being set up.
    Scheduled,
    /// Its work has really started.
    Running,
    /// Its work waits for a person.
    AwaitingInput,
    /// Its work was done.
    Succeeded,
    /// Its work failed, or could not be started.
    Failed,
    /// It was ended from outside, or never started.
    Stopped,
}

impl State {
    /// All states, in the order of the contract.
    pub const ALL: [State; 6] =
        [S::Scheduled, S::Running, S::AwaitingInput, S::Succeeded, S::Failed, S::Stopped];

    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            S::Scheduled => "scheduled",
            S::Running => "running",
            S::AwaitingInput => "awaiting_input",
            S::Succeeded => "succeeded",
            S::Failed => "failed",
            S::Stopped => "stopped",
        }
    }

    /// Whether the run has not ended.
    pub const fn is_active(self) -> bool {
        match self {
            S::Scheduled | S::Running | S::AwaitingInput => true,
            S::Succeeded | S::Failed | S::Stopped => false,
        }
    }
}

/// Something that happens to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEvent {
    /// Its work has really started.
    Start,
    /// Its work needs a person.
    Block,
    /// A person has answered, or the question was withdrawn.
    Unblock,
    /// Its work is done.
    Succeed,
    /// Its work failed.
    Fail(ErrorCode),
    /// It was ended from outside.
    Stop(StopReason),
}

impl RunEvent {
    const fn leads_to(self) -> State {
        match self {
            RunEvent::Start | RunEvent::Unblock => S::Running,
            RunEvent::Block => S::AwaitingInput,
            RunEvent::Succeed => S::Succeeded,
            RunEvent::Fail(_) => S::Failed,
            RunEvent::Stop(_) => S::Stopped,
        }
    }
}

/// A kind of event with the reasons for which it may happen.
#[derive(Clone, Copy)]
enum Step {
    Start,
    Block,
    Unblock,
    Succeed,
    Fail(&'static [ErrorCode]),
    Stop(&'static [StopReason]),
}

impl Step {
    fn allows(self, event: RunEvent) -> bool {
        match (self, event) {
            (Step::Start, RunEvent::Start)
            | (Step::Block, RunEvent::Block)
            | (Step::Unblock, RunEvent::Unblock)
            | (Step::Succeed, RunEvent::Succeed) => true,
            (Step::Fail(codes), RunEvent::Fail(code)) => codes.contains(&code),
            (Step::Stop(reasons), RunEvent::Stop(reason)) => reasons.contains(&reason),
            (
                Step::Start | Step::Block | Step::Unblock | Step::Succeed | Step::Fail(_) | Step::Stop(_),
                RunEvent::Start
                | RunEvent::Block
                | RunEvent::Unblock
                | RunEvent::Succeed
                | RunEvent::Fail(_)
                | RunEvent::Stop(_),
            ) => false,
        }
    }
}

/// A step that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {} cannot {event:?}", from.as_str())]
pub struct IllegalStep {
    /// The state the run is in.
    pub from: State,
    /// What was to happen.
    pub event: RunEvent,
}

/// Why a run was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The slots were too late to be started.
    MissedSchedule,
    /// The previous run of the automation was still active.
    PreviousRunActive,
    /// The previous run of the automation waited for a person.
    PreviousRunAwaitingInput,
    /// The automation was paused.
    Paused,
    /// Somebody cancelled it.
    Cancelled,
    /// A newer run of the automation took its place.
    Superseded,
    /// Another run held the directory for too long.
    WriterBusy,
    /// Too many other runs were at work for too long.
    Capacity,
    /// It waited too long for something else, or nobody answered.
    Expired,
    /// The automation reached its end.
    Ended,
    /// The precheck said that there is nothing to do.
    PrecheckSkipped,
    /// The sidecar that executed it died.
    Interrupted,
    /// The sidecar that executed it was shut down.
    Shutdown,
    /// The sidecar that asked a person for it died.
    BlockerLost,
}

impl StopReason {
    /// All of them.
    pub const ALL: [StopReason; 14] = [
        R::MissedSchedule,
        R::PreviousRunActive,
        R::PreviousRunAwaitingInput,
        R::Paused,
        R::Cancelled,
        R::Superseded,
        R::WriterBusy,
        R::Capacity,
        R::Expired,
        R::Ended,
        R::PrecheckSkipped,
        R::Interrupted,
        R::Shutdown,
        R::BlockerLost,
    ];
}

/// What kind of failure ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The work itself failed.
    ExecutionFailed,
    /// The agent took too many steps.
    StepCap,
    /// The agent did the same thing again and again.
    LoopGate,
    /// A limit of time was reached.
    TimedOut,
    /// The run cost too much.
    BudgetExceeded,
    /// The work needed a person and nobody was asked.
    NeedsUserInput,
    /// The work could not be started.
    StartFailed,
    /// Nothing could execute it.
    ProviderUnavailable,
    /// What executed it ended while its sidecar lived.
    Crashed,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [ErrorCode; 9] = [
        E::ExecutionFailed,
        E::StepCap,
        E::LoopGate,
        E::TimedOut,
        E::BudgetExceeded,
        E::NeedsUserInput,
        E::StartFailed,
        E::ProviderUnavailable,
        E::Crashed,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_events() -> Vec<RunEvent> {
        let mut events = vec![RunEvent::Start, RunEvent::Block, RunEvent::Unblock, RunEvent::Succeed];
        events.extend(ErrorCode::ALL.map(RunEvent::Fail));
        events.extend(StopReason::ALL.map(RunEvent::Stop));
        events
    }

    #[test]
    fn the_whole_table_is_as_agreed() {
        let mut lines = Vec::new();
        for state in State::ALL {
            for event in all_events() {
                if let Ok(next) = next(state, event) {
                    lines.push(format!("{} + {event:?} = {}", state.as_str(), next.as_str()));
                }
            }
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn an_ended_run_never_changes() {
        for state in State::ALL.into_iter().filter(|state| !state.is_active()) {
            for event in all_events() {
                assert_eq!(next(state, event), Err(IllegalStep { from: state, event }));
            }
        }
    }

    #[test]
    fn every_reason_and_code_is_reachable() {
        let from_some_state = |event| State::ALL.into_iter().any(|state| next(state, event).is_ok());
        for reason in StopReason::ALL {
            assert!(
                BORN_STOPPED.contains(&reason) || from_some_state(RunEvent::Stop(reason)),
                "{reason:?} can never happen"
            );
        }
        for code in ErrorCode::ALL {
            assert!(from_some_state(RunEvent::Fail(code)), "{code:?} can never happen");
        }
    }
}
