//! Keeps the history bounded: what is pruned is decided by the engine, in transactions with pauses between them.
//! The outputs of pruned runs follow after the commit.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use super::Sidecar;
use super::health::Part;
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::engine::{Progress, retention};

/// The pause between two transactions, in which everybody else has the ledger to themselves.
const PAUSE: Duration = Duration::from_millis(20);

/// Outputs that are removed before that is written down.
const OUTPUTS_AT_ONCE: usize = 100;

/// Whether this window has looked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// It has not: an owner that died may have left outputs of pruned runs behind.
    First,
    /// It has.
    Later,
}

/// Prunes until nothing is due any more. What fails is tried again at the next slow look.
pub(super) async fn prune(sidecar: Sidecar, round: Round) {
    let health = &sidecar.parts.health;
    match try_to_prune(&sidecar, round).await {
        Ok(()) => health.well(Part::History),
        Err(refusal) => health.failed(Part::History, &refusal.to_string()),
    }
}

async fn try_to_prune(sidecar: &Sidecar, round: Round) -> Result<(), Refusal> {
    let mut to_remove = round == Round::First;
    // Most of the time nothing is due, and a look keeps nobody from writing.
    while is_due(sidecar).await? {
        to_remove = true;
        match sidecar.decide(retention::prune).await? {
            Progress::More => sleep(PAUSE).await,
            Progress::Done => break,
        }
    }
    if to_remove { remove_outputs(sidecar).await } else { Ok(()) }
}

async fn is_due(sidecar: &Sidecar) -> Result<bool, Refusal> {
    let (own, now) = (sidecar.parts.limits.shared, sidecar.parts.clock.now());
    sidecar.parts.ledger.read(move |view| retention::is_due(view, own, now)).await
}

/// Removes the outputs of pruned runs. One that cannot be removed is left for the next time that something is
/// pruned, or for the next owner.
async fn remove_outputs(sidecar: &Sidecar) -> Result<(), Refusal> {
    let mut after = RunId::from_text("");
    loop {
        let last = after.clone();
        let page = sidecar.parts.ledger.read(move |view| Ok(view.pruned_outputs(&last, OUTPUTS_AT_ONCE)?));
        let page = page.await?;
        let Some(last) = page.last().cloned() else { return Ok(()) };
        after = last;
        let places: Vec<_> = page.into_iter().map(|run| (sidecar.run_directory(&run), run)).collect();
        let removing = move || {
            let removed = places.into_iter().filter(|(directory, _)| is_removed(directory));
            removed.map(|(_, run)| run).collect::<Vec<_>>()
        };
        let removed = tokio::task::spawn_blocking(removing).await;
        let removed = removed.map_err(|error| Refusal::Internal(error.to_string()))?;
        sidecar.decide(move |tx, _| Ok(tx.forget_outputs(&removed)?)).await?;
    }
}

fn is_removed(directory: &Path) -> bool {
    match std::fs::remove_dir_all(directory) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => {
            let directory = directory.display();
            tracing::warn!(%error, %directory, "the output of a pruned run could not be removed; trying again later");
            false
        }
    }
}
