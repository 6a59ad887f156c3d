//! `sexton worktree`: looks after the worktrees in which automations work.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Subcommand;

use super::opened::{Asker, Unopened, within};
use super::project::Chosen;
use super::tell;
use crate::domain::worktree::WorktreeName;
use crate::exec::worktree::prune::{Fate, Meaning};
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "worktree prune";

#[derive(Subcommand)]
pub(super) enum WorktreeCommand {
    /// Removes worktrees of automations that nobody needs any more, and tells what becomes of each.
    ///
    /// Removed is a worktree below `.worktrees/sexton` whose commits are all on another branch than its own, with its
    /// branch. What was not committed there is saved first, as a commit at `refs/sexton/RUN` (the last run that worked
    /// there, or the worktree's name); `git branch NAME refs/sexton/RUN` brings it back. What git ignores is not saved.
    ///
    /// Kept is one with commits that are on no other branch, or with work of which nothing was ever committed; one that
    /// a run uses or is to use, that somebody holds or has locked, that has other worktrees or repositories with such
    /// work in it, or that is in the middle of a rebase or a merge.
    Prune {
        /// Only tells what would be done.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        chosen: Chosen,
    },
}

/// Does it. The exit code is 2 where what was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, command: WorktreeCommand) -> ExitCode {
    let WorktreeCommand::Prune { dry_run, chosen } = command;
    let meaning = if dry_run { Meaning::DryRun } else { Meaning::Real };
    // Worktrees are looked after also where nobody has opened the project yet.
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Opened };
    let pruned = within(asker, chosen, async |sidecar| Ok(sidecar.prune_worktrees(meaning).await?));
    match pruned {
        Ok(fates) => match show(&mut io::stdout().lock(), &fates, meaning) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tell(&format!("what was done cannot be told: {error}"));
                ExitCode::FAILURE
            }
        },
        Err(trouble) => trouble.told(),
    }
}

fn show(out: &mut impl Write, fates: &[(WorktreeName, Fate)], meaning: Meaning) -> io::Result<()> {
    let (removed, saved) = match meaning {
        Meaning::Real => ("removed", "what was not committed is saved at"),
        Meaning::DryRun => ("would be removed", "what is not committed would be saved at"),
    };
    for (name, fate) in fates {
        match fate {
            Fate::Removed => writeln!(out, "{name}: {removed}")?,
            Fate::RemovedAfterSaving { reference } => {
                writeln!(out, "{name}: {removed}; {saved} {reference}")?
            }
            Fate::Kept { why } => writeln!(out, "{name}: kept: {why}")?,
        }
    }
    if fates.is_empty() {
        writeln!(out, "there are no worktrees of automations here")?;
    }
    out.flush()
}
