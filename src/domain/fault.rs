//! What can be wrong with a field that a client sent.

use schemars::JsonSchema;
use serde::Serialize;

/// The closed list of words a client can match on (protocol, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the documentation; those that are not plain have a line")]
pub enum Word {
    /// Absent, empty or blank.
    Required,
    WrongType,
    OutOfRange,
    UnknownValue,
    ContainsNul,
    NotUnicode,
    DuplicateField,
    NestedTooDeep,
    UnsupportedAutomationField,
    UnsupportedForOneshotAutomation,
    UnsupportedForRecurringAutomation,
    UnsupportedKindChange,
    UnsupportedStopCondition,
    #[serde(rename = "title_too_long_160")]
    TitleTooLong,
    #[serde(rename = "prompt_too_long_20000")]
    PromptTooLong,
    TooLong,
    #[serde(rename = "fireAt_must_be_future")]
    FireAtMustBeFuture,
    InvalidTimezone,
    InvalidCronExpression,
    #[serde(rename = "interval_below_minimum_30000ms")]
    IntervalBelowMinimum,
    /// Its provider was asked and does not offer it.
    ModelNotFound,
    /// Nobody is there who could be asked.
    ModelLookupFailed,
    InvalidVariantForModel,
    UnsupportedSessionWithFresh,
    /// Nothing is left of it as a name.
    InvalidWorktreePlacement,
    UnsupportedWhereWorktreeNotGit,
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
