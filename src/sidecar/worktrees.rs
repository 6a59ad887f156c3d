//! Worktrees that nobody needs any more are removed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Sidecar, state_directory};
use crate::domain::refusal::{Refusal, StorageReason};
use crate::domain::worktree::WorktreeName;
use crate::exec::worktree::hold;
use crate::exec::worktree::prune::{self, Fate, Meaning};
use crate::ledger::WorktreeUse;

/// How long it is waited for somebody who makes a worktree: as long as that may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Sidecar {
    /// Removes the worktrees of the project that are merged or empty and in which nobody works, and tells what has become
    /// of each.
    ///
    /// A run that is to work in a worktree waits meanwhile until it knows whether it is there.
    ///
    /// # Errors
    /// When a run asks for it, somebody makes a worktree all the time, or git or the ledger does not tell what there is.
    pub async fn prune_worktrees(&self, meaning: Meaning) -> Result<Vec<(WorktreeName, Fate)>, Refusal> {
        if let (Some(run), Meaning::Real) = (&self.parts.inside_run, meaning) {
            return Err(Refusal::InsideRun { run: run.clone() });
        }
        let project = Path::new(&self.parts.project);
        let held = hold(&self.worktree_lock(), PATIENCE).await.map_err(unable)?;
        let scratch = Scratch(self.parts.state.join("pruning"));
        let (mut fates, mut gone) = (Vec::new(), BTreeSet::new());
        for name in prune::worktrees_of(project).await.map_err(unable)? {
            scratch.make_anew().map_err(|error| unable(format!("{}: {error}", scratch.0.display())))?;
            let fate = match self.use_of(&name).await? {
                WorktreeUse { used_by: Some(run), .. } => {
                    Fate::Kept { why: format!("run {run} works there") }
                }
                WorktreeUse { held_for: Some(title), .. } => {
                    Fate::Kept { why: format!("somebody works there: {title}") }
                }
                WorktreeUse { last, .. } => {
                    let save_as = last.as_ref().map_or(name.as_str(), |run| run.as_str());
                    prune::prune(project, &name, save_as, &scratch.0, meaning, &mut gone, &held).await
                }
            };
            fates.push((name, fate));
        }
        Ok(fates)
    }

    /// Asked while nobody can begin to make or to find a worktree: who is not known yet has not found it yet.
    async fn use_of(&self, name: &WorktreeName) -> Result<WorktreeUse, Refusal> {
        let (name, directory) = (name.clone(), name.directory_in(&self.parts.project));
        self.parts.ledger.read(move |view| Ok(view.use_of_worktree(&name, &directory)?)).await
    }
}

/// A directory that goes when it is not needed any more.
struct Scratch(PathBuf);

impl Scratch {
    fn make_anew(&self) -> std::io::Result<()> {
        self.remove()?;
        state_directory::make(&self.0)
    }

    fn remove(&self) -> std::io::Result<()> {
        match std::fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::warn!(%error, path = %self.0.display(), "a directory that is not needed any more stays");
        }
    }
}

fn unable(why: String) -> Refusal {
    Refusal::Storage { reason: StorageReason::Io, message: format!("worktrees cannot be pruned: {why}") }
}
