//! How much one request may ask for.

pub use crate::domain::provider::OFFER_BYTES;

/// The most automations of one page, and how many it has if the client does not say.
pub const AUTOMATIONS_MAX: i64 = 500;
/// See [`AUTOMATIONS_MAX`].
pub const AUTOMATIONS_DEFAULT: usize = 100;

/// The most runs of one page, and how many it has if the client does not say.
pub const RUNS_MAX: i64 = 100;
/// See [`RUNS_MAX`].
pub const RUNS_DEFAULT: usize = 50;

/// The most output that one answer carries, in bytes.
pub const OUTPUT_MAX: i64 = 1024 * 1024;
/// What one answer carries if the client does not say, in bytes.
pub const OUTPUT_DEFAULT: usize = 64 * 1024;

/// The longest text to look for in titles, in characters: a title's own length.
pub const QUERY_MAX: usize = 160;

/// The most directories that one close names: far more than a project has worktrees.
pub const CLOSE_DIRECTORIES: usize = 100;

/// The longest title of a hold, in characters: as long as an automation's, which is shown beside it.
pub const HOLD_TITLE: usize = 160;

/// The most models that one provider can offer, and the most variants that one of them can have. Whoever chooses one
/// looks at the whole list.
pub const MODELS_MAX: usize = 200;
/// See [`MODELS_MAX`].
pub const VARIANTS_MAX: usize = 50;

/// The most runs that one window can carry out at once for one provider: more than any machine serves agents.
pub const CONCURRENT_MAX: i64 = 100;

/// The longest title of a step, in characters: a line.
pub const STEP_MAX: usize = 200;

/// The longest text that a person is asked with, in characters, and the longest sentence about a failure.
pub const SENTENCE_MAX: usize = 4000;

/// The most answers that a person can be let to choose from.
pub const OPTIONS_MAX: usize = 20;

/// The longest name of an answer, in characters: what fits on a button.
pub const LABEL_MAX: usize = 200;

/// The most that is shown of what an agent wants to use, in bytes of JSON. It is in each event of a run that waits.
pub const TOOL_BYTES: usize = 16 * 1024;

/// The longest answer in words, in characters.
pub const ANSWER_MAX: usize = 20_000;

/// The longest result of a run, in bytes. It is in the last event of the run, and in each page of runs with it.
pub const RESULT_BYTES: usize = 64 * 1024;

/// The most output of one report, in bytes: as much as is shown at once. It is written while others wait to write.
pub const WRITTEN_BYTES: usize = 64 * 1024;
