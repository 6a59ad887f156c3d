//! `sexton worktree`: looks after the worktrees in which automations work.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::process::{block_on, log_to_stderr};
use super::project::Chosen;
use super::{complain, tell};
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::domain::worktree::WorktreeName;
use crate::exec::GuardProgram;
use crate::exec::worktree::prune::{Fate, Meaning};
use crate::rpc::backend::{Backend, Host};
use crate::sidecar::SidecarHost;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "worktree prune";

/// What is logged if nobody chooses.
const LOGGED: &str = "warn";

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
        /// The project's directory [default: the working directory].
        #[arg(long, value_name = "DIRECTORY")]
        project: Option<PathBuf>,
        /// Where ledgers are kept [default: SEXTON_STATE_DIR, else this user's usual place]. It has to be the place
        /// where windows keep theirs.
        #[arg(long, value_name = "DIRECTORY")]
        state_directory: Option<PathBuf>,
    },
}

/// Does it. The exit code is 2 where what was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, command: WorktreeCommand) -> ExitCode {
    let WorktreeCommand::Prune { dry_run, project, state_directory } = command;
    log_to_stderr(&environment, LOGGED);
    let chosen = Chosen { project, state_directory };
    let meaning = if dry_run { Meaning::DryRun } else { Meaning::Real };
    match block_on(prune(environment, chosen, meaning)) {
        Ok(Ok(fates)) => match show(&mut io::stdout().lock(), &fates, meaning) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tell(&format!("what was done cannot be told: {error}"));
                ExitCode::FAILURE
            }
        },
        Ok(Err(why)) => complain(&why),
        Err(error) => {
            tell(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The inner error is about what was named.
async fn prune(
    environment: Environment,
    chosen: Chosen,
    meaning: Meaning,
) -> io::Result<Result<Vec<(WorktreeName, Fate)>, String>> {
    // It rings no bell and carries nothing out.
    let params = match chosen.introduce(&environment, CLIENT, Role::Observer) {
        Ok(params) => params,
        Err(why) => return Ok(Err(why)),
    };
    let host = SidecarHost::new(environment, std::env::current_dir()?, GuardProgram::this_binary()?);
    let host = match host {
        Ok(host) => host,
        Err(why) => return Ok(Err(why)),
    };
    let sidecar = match host.initialize(params).await {
        Ok((_, sidecar)) => sidecar,
        Err(refusal @ Refusal::InvalidParams(_)) => return Ok(Err(refusal.to_string())),
        Err(refusal) => return Err(io::Error::other(format!("the project cannot be opened: {refusal}"))),
    };
    let pruned = sidecar.prune_worktrees(meaning).await;
    sidecar.shutdown().await;
    pruned.map(Ok).map_err(|refusal| io::Error::other(refusal.to_string()))
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
