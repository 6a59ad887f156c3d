//! Why a run failed: the class of a failure by its code, and by its class what it means for the automation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::machine::ErrorCode;
use crate::domain::automation::PauseReason;
use crate::domain::time::Timestamp;

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunError {
    /// The kind of failure.
    pub code: ErrorCode,
    /// A sentence for the person.
    pub message: String,
    /// Whose fault it is.
    pub class: ErrorClass,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorClass {
    /// The task itself.
    Task,
    /// Something that passes.
    Transient,
    /// How it is configured. The automation pauses itself at once, as with the next two.
    Config,
    /// A login.
    Auth,
    /// A quota.
    Quota,
    /// A permission that was not given.
    Permission,
    /// The agent.
    Agent,
    /// The process.
    Crash,
}

impl ErrorCode {
    /// The class of such a failure if nothing more is known about it than when the work had started, if it had.
    ///
    /// None of these pauses an automation at once: that takes somebody who knows what is wrong.
    pub const fn default_class(self, started_at: Option<Timestamp>) -> ErrorClass {
        match (self, started_at) {
            // Limits that the user has set for the work. A budget that is spent is not a quota that comes back.
            (Self::TimedOut, Some(_)) | (Self::StepCap | Self::BudgetExceeded | Self::ExecutionFailed, _) => {
                ErrorClass::Task
            }
            (Self::TimedOut, None) | (Self::StartFailed | Self::ProviderUnavailable, _) => {
                ErrorClass::Transient
            }
            (Self::LoopGate, _) => ErrorClass::Agent,
            (Self::NeedsUserInput, _) => ErrorClass::Permission,
            (Self::Crashed, _) => ErrorClass::Crash,
        }
    }
}

impl ErrorClass {
    /// Why an automation rests at once after such a failure, if it does. Its next run would fail as well, however often
    /// it was tried, until a person has done something or a quota is there again. A run that is tried again fails when
    /// the last of its tries does.
    pub const fn pauses_at_once(self) -> Option<PauseReason> {
        match self {
            Self::Config => Some(PauseReason::Config),
            Self::Auth => Some(PauseReason::Auth),
            Self::Quota => Some(PauseReason::Quota),
            Self::Task | Self::Transient | Self::Permission | Self::Agent | Self::Crash => None,
        }
    }

    /// Whether a run that could not start because of such a failure may be tried again. A login and a quota do not come
    /// back by themselves within a few tries. What is configured may: a program that is not there now is there when
    /// whoever installs it is done.
    pub const fn may_be_tried_again(self) -> bool {
        match self {
            Self::Auth | Self::Quota => false,
            Self::Task | Self::Transient | Self::Config | Self::Permission | Self::Agent | Self::Crash => {
                true
            }
        }
    }
}

impl RunError {
    /// A failure of which nothing more is known than its code, and when the work had started, if it had.
    pub fn of(code: ErrorCode, message: String, started_at: Option<Timestamp>) -> Self {
        RunError { code, message, class: code.default_class(started_at) }
    }
}

/// Why work could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFailure {
    /// Whose fault it is.
    pub class: ErrorClass,
    /// A sentence that names what was to be started, and says what to do.
    pub message: String,
}

impl StartFailure {
    /// As it is configured it cannot start, whenever it is tried.
    pub fn config(message: impl Into<String>) -> Self {
        StartFailure { class: ErrorClass::Config, message: message.into() }
    }

    /// It may start another time, as it is.
    pub fn transient(message: impl Into<String>) -> Self {
        StartFailure { class: ErrorClass::Transient, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_each_code_is_as_agreed() {
        let started = Some(Timestamp::from_millis(1));
        let lines = ErrorCode::ALL.map(|code| {
            let (before, after) = (code.default_class(None), code.default_class(started));
            assert_eq!((before.pauses_at_once(), after.pauses_at_once()), (None, None), "{code:?}");
            format!("{code:?}: {before:?} before its work has started, {after:?} after")
        });
        insta::assert_snapshot!(lines.join("\n"));
    }
}
