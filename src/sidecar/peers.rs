//! What dead sidecars left: their rows are settled, their processes ended, their directories freed. And what living ones
//! should have ended and have not.

use std::sync::Arc;

use tokio::sync::Notify;

use super::Sidecar;
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::domain::run::ProcessEnd;
use crate::domain::scheduler::Role;
use crate::engine::presence::bury;
use crate::engine::{report, standby};
use crate::exec;
use crate::ledger::{InstanceRow, ProcessRow};
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

/// Ends what nobody else ends, each time that it is asked to: one sweep goes on at a time, and what it was asked
/// meanwhile it does after that.
pub(super) async fn end_what_nobody_ends(sidecar: Sidecar, asked: Arc<Notify>) {
    loop {
        asked.notified().await;
        end_what_the_dead_left(&sidecar).await;
        if sidecar.parts.role == Role::Participant {
            end_what_is_to_stop(&sidecar).await;
        }
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
        if end(&run, left).await.is_none() {
            continue;
        }
        let id = run.clone();
        let freed = sidecar.decide(move |tx, context| report::gone(tx, context, &id));
        if let Err(refusal) = freed.await {
            tracing::error!(%refusal, %run, "a directory could not be freed");
        }
    }
}

/// Ends what living sidecars should have ended by now and have not.
async fn end_what_is_to_stop(sidecar: &Sidecar) {
    let (me, now) = (sidecar.parts.me.instance.clone(), sidecar.parts.clock.now());
    let overdue = match sidecar.parts.ledger.read(move |view| Ok(view.overdue_stops(&me, now)?)).await {
        Ok(overdue) => overdue,
        Err(refusal) => return tracing::error!(%refusal, "what is to stop could not be looked up"),
    };
    for (run, left) in overdue {
        tracing::warn!(%run, instance = %left.instance, "a window has not ended a run in time; it is ended for it");
        let Some(swept) = end(&run, left).await else { continue };
        let id = run.clone();
        let process = ProcessEnd { exit_code: None, signal: None, tail: String::new(), swept };
        let ended = sidecar.decide(move |tx, context| standby::stopped_for(tx, context, &id, process));
        if let Err(refusal) = ended.await {
            tracing::error!(%refusal, %run, "the end of a run could not be written down; trying again");
        }
    }
}

/// Ends a guard and everything below it, and gives how many there were; none if something is left.
async fn end(run: &RunId, left: ProcessRow) -> Option<u32> {
    let ending = move || exec::end_leftovers(&left.process, &left.token);
    match tokio::task::spawn_blocking(ending).await {
        Ok(leftovers) if leftovers.all_gone => Some(leftovers.swept),
        Ok(_) | Err(_) => {
            tracing::error!(%run, "what is left of a run could not be ended entirely; trying again");
            None
        }
    }
}
