//! Why something ran when it did, or why it did not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::later::AnyRun;
use super::time::Timestamp;
use super::verdict::Verdict;

/// How much evidence is told at most: the pieces nearest to the time in question. A person reads a page of it.
pub const EVIDENCE: usize = 64;

/// What became of a time that somebody asks about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The scheduled time that is meant; none if nothing was scheduled in that minute.
    pub scheduled_at: Option<Timestamp>,
    /// What became of it.
    pub verdict: Verdict,
    /// The run that answers for it, or on which it is counted; of a chain of retries the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<AnyRun>,
    /// The same in a sentence for a person, with times of the automation's zone.
    pub summary: String,
    /// What is behind that, oldest first: at most 64 pieces.
    pub evidence: Vec<Evidence>,
}

/// Something that the ledger tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// When it happened or began.
    pub at: Timestamp,
    /// What, as a clause.
    pub text: String,
    /// The event that told it, if it is still kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
}
