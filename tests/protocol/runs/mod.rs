//! Section 4: what becomes of work.

mod commands;
mod deleting;
mod directory;
mod following;
mod life;
mod output;
mod overlap;
mod prechecks;
mod pruning;
mod stopping;
mod worktrees;
