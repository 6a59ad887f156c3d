//! The ground on which a run works: its worktree, and what was there before.

use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use super::Sidecar;
use super::guarded::Slot;
use crate::domain::run::{Changes, Run, StartFailure};
use crate::exec::facts::{self, Snapshot};
use crate::exec::worktree;

/// How long making a worktree may take at most: as long as the longest limit for the start of a run. The limit of the run
/// itself ends it before, as whoever prepares the ground then lets go of it.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// The ground of one run. Making a worktree may take longer than another window waits for a run to begin. So it is
/// prepared after the fence and before the guard is told to go, and the limit of the run's start holds for it.
pub(super) enum Ground<'a> {
    /// Nothing is done about it.
    Untouched,
    /// It is made, or looked at. Nothing of that goes on when this is dropped.
    InPreparation(Pin<Box<dyn Future<Output = Result<Option<Snapshot>, StartFailure>> + Send + 'a>>),
    /// It is there, with what was to be seen there before.
    Prepared(Option<Snapshot>),
    /// It is not to be had.
    Missing(StartFailure),
}

/// Whether there is ground to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    Missing,
}

impl<'a> Ground<'a> {
    /// Sets out to see that the directory of a run is there, if it is a worktree, and to note down what is in it, if git
    /// can tell.
    pub(super) fn prepare(sidecar: &'a Sidecar, run: &'a Run) -> Self {
        Ground::InPreparation(Box::pin(async move {
            sidecar.ensure_worktree(run).await?;
            let scratch = sidecar.run_directory(&run.id).join("before");
            Ok(facts::before(run.directory.as_ref(), scratch).await)
        }))
    }

    /// Waits until it is prepared, which is told once; for ever if nobody is at it.
    pub(super) async fn prepared(&mut self) -> Readiness {
        let prepared = match self {
            Ground::InPreparation(prepared) => prepared.await,
            Ground::Untouched | Ground::Prepared(_) | Ground::Missing(_) => std::future::pending().await,
        };
        match prepared {
            Ok(before) => {
                *self = Ground::Prepared(before);
                Readiness::Ready
            }
            Err(failure) => {
                *self = Ground::Missing(failure);
                Readiness::Missing
            }
        }
    }

    /// What the work has changed, as far as that can be seen before somebody wants the run to end.
    pub(super) async fn changes(self, slot: &Slot) -> Option<Changes> {
        match self {
            Ground::Prepared(Some(before)) => tokio::select! {
                changes = before.changed() => changes,
                () = slot.stop_is_wished() => None,
            },
            Ground::Untouched | Ground::InPreparation(_) | Ground::Prepared(None) | Ground::Missing(_) => {
                None
            }
        }
    }

    /// Why there is none, if that is so.
    pub(super) fn why_not(self) -> Option<StartFailure> {
        match self {
            Ground::Missing(failure) => Some(failure),
            Ground::Untouched | Ground::InPreparation(_) | Ground::Prepared(_) => None,
        }
    }
}

impl Sidecar {
    /// Sees that the worktree of a run is there, if it works in one.
    pub(super) async fn ensure_worktree(&self, run: &Run) -> Result<(), StartFailure> {
        match &run.worktree {
            None => Ok(()),
            Some(name) => {
                let search = self.parts.environment.get("PATH").map(String::as_str);
                worktree::ensure(self.parts.project.as_ref(), name, &self.worktree_lock(), LONGEST, search)
                    .await
            }
        }
    }

    /// Who makes or removes worktrees of the project holds this lock.
    pub(super) fn worktree_lock(&self) -> PathBuf {
        self.parts.state.join("worktrees.lock")
    }
}
