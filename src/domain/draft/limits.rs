//! How long and how large the parts of a draft may be.

/// The longest title, in Unicode scalar values.
pub const TITLE: usize = 160;

/// The most automations of one project: twice as many as figures are measured with. Whoever has more makes them by mistake, and
/// the disk is not to be full before that is seen.
pub const AUTOMATIONS: i64 = 200_000;

/// The longest note on a pause, in Unicode scalar values.
pub const NOTE: usize = 1000;

/// The longest key of a request, in Unicode scalar values.
pub const KEY: usize = 200;

/// The longest interval: ten years, in milliseconds. Beyond it a mistake is likelier than a wish.
pub const INTERVAL_MS: i64 = 10 * 366 * 86_400_000;

/// The largest stop by count.
pub const STOP_COUNT: i64 = 1_000_000_000;

/// The longest cron expression, in bytes: longer than any list of all values of all fields.
pub const EXPRESSION_BYTES: usize = 1000;

/// The longest name of a zone, in characters. Real ones have at most half as many.
pub const TIMEZONE: usize = 100;

/// The most fires that one preview gives.
pub const PREVIEW_FIRES: i64 = 1000;

/// The most notes that one preview gives: more than a person reads, and so little that an answer stays short, though
/// several months can lack a day from one fire to the next.
pub const PREVIEW_NOTES: usize = 100;

/// The most automations that one simulation can be asked for by name: more than a person chooses from a list.
pub const SIMULATED: usize = 1000;

/// The longest path or name of a program, in bytes; what Linux allows for a path.
pub const PROGRAM_BYTES: usize = 4096;

/// The most arguments.
pub const ARGS: usize = 1000;

/// The most bytes of all arguments, and of the environment, together. Linux allows more in total but no single text
/// of over 128 KiB.
pub const ARGS_BYTES: usize = 100 * 1024;

/// The longest name of a variable that a value is taken from, in characters.
pub const VARIABLE: usize = 1000;

/// The longest text on standard input, in bytes. Whatever follows from an automation's runs is told by an event with
/// the whole automation, so that each of the many events that are kept may hold this text once more.
pub const STDIN_BYTES: usize = 64 * 1024;

/// The longest prompt, in Unicode scalar values.
pub const PROMPT: usize = 20_000;

/// The longest name that something of an agent's has, in Unicode scalar values: a provider, a model, a variant of it, or
/// a session. Real ones have at most a third as many; each run shows them once more.
pub const AGENT_NAME: usize = 200;

/// The longest text that a worktree can be named by, in Unicode scalar values. Names are shorter; a title fits.
pub const WORKTREE: usize = 160;

/// The longest text of a reminder, in Unicode scalar values: what still fits where people are shown such things.
pub const REMINDER: usize = 2000;

/// The most steps that an agent can be allowed.
pub const STEPS: i64 = 1_000_000;

/// The most times that a run can be tried again.
pub const RETRIES: i64 = 1000;

/// The least time from a failure to the next try, in milliseconds: what fails at once is not to be all that the
/// machine does.
pub const RETRY_DELAY_MS: i64 = 1000;

/// The longest span of a policy: 365 days, in milliseconds.
pub const SPAN_MS: i64 = 365 * 86_400_000;

/// The most failures in a row that an automation can be let to have before it pauses itself.
pub const PAUSE_AFTER_FAILURES: i64 = 1_000_000;

/// The most ended runs of one automation that can be kept: one a minute for two years.
pub const KEPT_RUNS: i64 = 1_000_000;

/// The longest time for which ended runs can be kept: ten years.
pub const KEPT_DAYS: i64 = 3650;
