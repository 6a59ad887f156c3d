//! What dead sidecars left: their rows are settled, their processes ended, their directories freed.

use std::sync::Arc;

use tokio::sync::Notify;

use super::Sidecar;
use crate::domain::refusal::Refusal;
use crate::engine::presence::bury;
use crate::engine::report;
use crate::exec;
use crate::ledger::InstanceRow;
use crate::presence::instance::{self, Peer};

/// Settles the rows of every peer that has died. A peer that nobody can tell about is left alone, and so is one
/// whose rows this version does not understand: they must not keep a window from opening.
pub(super) async fn settle_the_dead(sidecar: &Sidecar) -> Result<(), Refusal> {
    for peer in sidecar.parts.ledger.read(|view| Ok(view.instances()?)).await? {
        if peer.actor.instance == sidecar.parts.me.instance {
            continue;
        }
        match settle_if_dead(sidecar, &peer).await {
            Err(refusal) if refusal.is_about_the_rows() => {
                tracing::error!(%refusal, instance = %peer.actor.instance, "what a dead peer left cannot be settled");
            }
            settled => settled?,
        }
    }
    Ok(())
}

/// Settles what a dead peer left, while nobody else can: its lock is held meanwhile.
async fn settle_if_dead(sidecar: &Sidecar, peer: &InstanceRow) -> Result<(), Refusal> {
    let id = peer.actor.instance.clone();
    let lock = match instance::look_at(&sidecar.parts.state, &id, peer.lock) {
        Ok(Peer::Alive) => return Ok(()),
        Ok(Peer::Dead(lock)) => Some(lock),
        Ok(Peer::AskItsProcess) if exec::is_alive(&peer.process) => return Ok(()),
        Ok(Peer::AskItsProcess) => None,
        Err(error) => {
            tracing::warn!(%error, instance = %id, "cannot tell whether a peer is alive; it is left alone");
            return Ok(());
        }
    };
    tracing::info!(instance = %id, "a peer has died; what it left is settled");
    sidecar.decide(move |tx, context| bury(tx, context, &id)).await?;
    if let Some(lock) = lock {
        lock.remove();
    }
    Ok(())
}

/// Ends what dead sidecars left running, each time that it is asked to: one sweep goes on at a time, and what it was
/// asked meanwhile it does after that.
pub(super) async fn end_what_the_dead_leave(sidecar: Sidecar, asked: Arc<Notify>) {
    loop {
        asked.notified().await;
        end_what_the_dead_left(&sidecar).await;
    }
}

/// Ends what dead sidecars have left running by now, and frees the directories that it held. What does not end keeps
/// its directory; the next look tries again.
async fn end_what_the_dead_left(sidecar: &Sidecar) {
    let orphaned = sidecar.parts.ledger.read(|view| Ok(view.orphaned_processes()?)).await;
    let orphaned = match orphaned {
        Ok(orphaned) => orphaned,
        Err(refusal) => return tracing::error!(%refusal, "what dead sidecars left could not be looked up"),
    };
    for (run, left) in orphaned {
        let ended =
            tokio::task::spawn_blocking(move || exec::end_leftovers(&left.process, &left.token)).await;
        match ended {
            Ok(leftovers) if leftovers.all_gone => {}
            Ok(_) | Err(_) => {
                tracing::error!(%run, "what a dead sidecar left could not be ended entirely; trying again");
                continue;
            }
        }
        let id = run.clone();
        let freed = sidecar.decide(move |tx, context| report::gone(tx, context, &id));
        if let Err(refusal) = freed.await {
            tracing::error!(%refusal, %run, "a directory could not be freed");
        }
    }
}
