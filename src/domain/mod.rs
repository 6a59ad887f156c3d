//! Words and rules: automation, schedule, run, policy. Pure: no I/O, no clock, no async, no SQL.

pub mod automation;
pub mod briefing;
pub mod clock;
pub mod configuration;
pub mod draft;
pub mod event;
pub mod fault;
pub mod fields;
pub mod id;
pub mod later;
pub mod lifecycle;
pub mod policy;
pub mod process;
pub mod prompt;
pub mod provider;
pub mod refusal;
pub mod request;
pub mod run;
pub mod schedule;
pub mod scheduler;
pub mod secrets;
pub mod sent;
pub mod shown;
pub mod status;
pub mod time;
pub mod worktree;
