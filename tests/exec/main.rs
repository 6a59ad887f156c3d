//! The `exec` layer against real processes: the guard is the built binary, and what counts as an effect is
//! what the work itself has written.

#![cfg(target_os = "linux")]

mod acp;
mod agents;
mod commands;
mod ending;
mod facts;
#[path = "../support/git.rs"]
mod git;
mod leftovers;
mod prechecks;
#[path = "../support/program.rs"]
mod program;
mod pruning;
mod support;
mod worktrees;
