//! What can be wrong with a field that a client sent.

use schemars::JsonSchema;
use serde::Serialize;

/// The closed list of words a client can match on in a refusal of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Absent, empty or blank.
    Required,
    /// It is of another type.
    WrongType,
    /// A number, or the length of a list, that is too small or too large.
    OutOfRange,
    /// It is none of the words or ids that are known here.
    UnknownValue,
    /// There is a NUL in it.
    ContainsNul,
    /// An escape in it stands for no character.
    NotUnicode,
    /// The same name stands twice in an object or a list that has each once.
    DuplicateField,
    /// More is inside one another than is read.
    NestedTooDeep,
    /// There is no such field, or only the sidecar sets it.
    UnsupportedAutomationField,
    /// It belongs to automations that are due again and again.
    UnsupportedForOneshotAutomation,
    /// It belongs to automations that are due once.
    UnsupportedForRecurringAutomation,
    /// The `kind` of an automation stays as it is: create another one.
    UnsupportedKindChange,
    /// A schedule ends `never`, by `count`, or `until` an instant.
    UnsupportedStopCondition,
    /// Longer than 160 characters.
    #[serde(rename = "title_too_long_160")]
    TitleTooLong,
    /// Longer than 20,000 characters.
    #[serde(rename = "prompt_too_long_20000")]
    PromptTooLong,
    /// More characters or bytes than its bound.
    TooLong,
    /// The time has passed.
    #[serde(rename = "fireAt_must_be_future")]
    FireAtMustBeFuture,
    /// No zone of the IANA data has this name.
    InvalidTimezone,
    /// Not five fields as in a crontab, no nickname, or nothing that ever comes.
    InvalidCronExpression,
    /// Shorter than `limits.minIntervalMs`, which is 30,000 ms if not lowered.
    #[serde(rename = "interval_below_minimum_30000ms")]
    IntervalBelowMinimum,
    /// Its provider was asked and does not offer it.
    ModelNotFound,
    /// Nobody is there who could be asked.
    ModelLookupFailed,
    /// The model has no such variant.
    InvalidVariantForModel,
    /// A session is named for runs that each have one of their own: say `continue`.
    UnsupportedSessionWithFresh,
    /// Nothing is left of it as a name.
    InvalidWorktreePlacement,
    /// The project is not the top of a git work tree.
    UnsupportedWhereWorktreeNotGit,
    /// Work in a worktree goes on in no session.
    UnsupportedContinueWithWorktree,
    /// A part of the contract that this version does not do.
    NotAvailableYet,
}

/// One fault: where, what, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fault {
    /// The path of the field inside what was sent, such as `rhythm.expression`.
    pub field: String,
    /// What is wrong with it.
    pub message: Word,
    /// A sentence that says what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fault {
    /// A fault whose word says it all.
    pub fn new(field: impl Into<String>, message: Word) -> Self {
        Fault { field: field.into(), message, hint: None }
    }

    /// A fault with a way out.
    pub fn with_hint(field: impl Into<String>, message: Word, hint: impl Into<String>) -> Self {
        Fault { field: field.into(), message, hint: Some(hint.into()) }
    }
}
