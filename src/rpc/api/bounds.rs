//! How much one request may ask for.

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
