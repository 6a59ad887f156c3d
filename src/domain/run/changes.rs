//! What the work of a run has changed in its directory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is different in a directory from one moment to another, what was committed meanwhile included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Which files, in order, with `/` between the parts of a path; at most [`Changes::FILES`].
    pub files: Vec<String>,
    /// How much.
    pub diffstat: Diffstat,
}

impl Changes {
    /// The most files that are named: a result is shown with each event of its run, and nobody reads more.
    pub const FILES: usize = 1000;
}

/// How much the work of a run has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diffstat {
    /// How many files, also those beyond the first 1000, which `files` leaves out.
    pub files: u64,
    /// How many lines were added. Files that are no text have none.
    pub insertions: u64,
    /// How many lines were removed.
    pub deletions: u64,
}
