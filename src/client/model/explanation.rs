//! Why something ran or did not, as a client reads it.

use serde::Deserialize;

use super::{Run, if_understood};
use crate::domain::explanation::Evidence;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;

/// What became of a time that somebody asks about.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The scheduled time that is meant; none if nothing was scheduled in that minute.
    pub scheduled_at: Option<Timestamp>,
    /// What became of it, if this version has a word for it.
    #[serde(default, deserialize_with = "if_understood")]
    pub verdict: Option<Verdict>,
    /// The run that answers for it, or on which it is counted.
    #[serde(default)]
    pub run: Option<Run>,
    /// The same in a sentence for a person.
    pub summary: String,
    /// What is behind that, oldest first.
    pub evidence: Vec<Evidence>,
}
