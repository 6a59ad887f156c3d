//! What dead sidecars left: their rows are settled, their processes ended, their directories freed. And what living ones
//! should have ended and have not.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::Sidecar;
use super::health::Part;
use crate::domain::id::{InstanceId, RunId};
use crate::domain::refusal::Refusal;
use crate::domain::run::{OutputSize, ProcessEnd};
use crate::domain::scheduler::Role;
use crate::engine::ending::Remains;
use crate::engine::presence::{Left, bury};
use crate::engine::{report, standby};
use crate::exec::{self, spool};
use crate::ledger::{InstanceRow, ProcessRow};
use crate::presence::instance::{self, Peer};
use crate::presence::lock_file::wait_until_free;

/// How long a window that opens waits for another one that is settling a dead peer. Longer than ending its work takes,
/// unless that hangs in the kernel.
const SETTLED_BY_ANOTHER: Duration = Duration::from_secs(3);

/// Settles the rows of every peer that has died, and waits for those that another window is settling.
pub(super) async fn see_the_dead_settled(sidecar: &Sidecar) -> Result<(), Refusal> {
    let locked = settle_the_dead(sidecar).await?;
    let mut peers = sidecar.parts.ledger.read(|view| Ok(view.instances()?)).await?;
    peers.retain(|peer| locked.contains(&peer.actor.instance) && !exec::is_alive(&peer.process));
    if peers.is_empty() {
        return Ok(());
    }
    for peer in peers {
        let id = &peer.actor.instance;
        let path = instance::lock_path(&sidecar.parts.state, id);
        let settled = tokio::task::spawn_blocking(move || wait_until_free(&path));
        if timeout(SETTLED_BY_ANOTHER, settled).await.is_err() {
            tracing::warn!(instance = %id, "another window has not yet settled what a dead peer left");
        }
    }
    // Whoever held a lock may only have waited for the end of the peer, or may have gone before it had settled it.
    settle_the_dead(sidecar).await.map(drop)
}

/// Settles the rows of every peer that has died, and gives those whose locks somebody holds. A peer that nobody can tell
/// about is left alone, and so is one whose rows this version does not understand: they must not keep a window from
/// opening.
pub(super) async fn settle_the_dead(sidecar: &Sidecar) -> Result<Vec<InstanceId>, Refusal> {
    let (mut locked, mut untold) = (Vec::new(), None);
    for peer in sidecar.parts.ledger.read(|view| Ok(view.instances()?)).await? {
        if peer.actor.instance == sidecar.parts.me.instance {
            continue;
        }
        match settle_if_dead(sidecar, &peer).await {
            Err(refusal) if refusal.is_about_the_rows() => {
                tracing::error!(%refusal, instance = %peer.actor.instance, "what a dead peer left cannot be settled");
            }
            looked => match looked? {
                Looked::Settled | Looked::Lives => {}
                Looked::Locked => locked.push(peer.actor.instance),
                Looked::CannotTell(error) => untold = Some(error),
            },
        }
    }
    let health = &sidecar.parts.health;
    match untold {
        None => health.well(Part::PeerLocks),
        Some(error) => health.failed(Part::PeerLocks, &cannot_be_told(&error)),
    }
    Ok(locked)
}

/// The same sentence whichever peers it is about, and however many: it is logged once.
fn cannot_be_told(error: &std::io::Error) -> String {
    format!(
        "whether other windows live cannot be told, so what dead ones left waits: their locks in the state directory cannot be looked at: {error}; see what stands in their place, and that this process may open more files (on Unix: `ulimit -n`)"
    )
}

/// What a look at a peer has come to.
enum Looked {
    /// It was dead, and what it left is settled.
    Settled,
    /// Somebody holds its lock: it lives, or another window settles it or waits for its end.
    Locked,
    /// Its lock is gone, and its process is there.
    Lives,
    /// Its lock cannot be looked at.
    CannotTell(std::io::Error),
}

/// Settles what a dead peer left, while nobody else can: its lock is held meanwhile.
async fn settle_if_dead(sidecar: &Sidecar, peer: &InstanceRow) -> Result<Looked, Refusal> {
    let id = peer.actor.instance.clone();
    let lock = match instance::look_at(&sidecar.parts.state, &id, peer.lock) {
        Ok(Peer::Alive) => return Ok(Looked::Locked),
        Ok(Peer::Dead(lock)) => Some(lock),
        Ok(Peer::AskItsProcess) if exec::is_alive(&peer.process) => return Ok(Looked::Lives),
        Ok(Peer::AskItsProcess) => None,
        Err(error) => return Ok(Looked::CannotTell(error)),
    };
    tracing::info!(instance = %id, "a peer has died; what it left is settled");
    let ended = end_what_it_had_begun(sidecar, &id).await?;
    sidecar.decide(move |tx, context| bury(tx, context, &id, ended)).await?;
    if let Some(lock) = lock {
        lock.remove();
    }
    Ok(Looked::Settled)
}

/// Ends the work of a dead peer, all of it at once, and gives what is known of the ends. What does not end is ended
/// later, by [`end_what_nobody_ends`].
async fn end_what_it_had_begun(
    sidecar: &Sidecar,
    dead: &InstanceId,
) -> Result<HashMap<RunId, Left>, Refusal> {
    let id = dead.clone();
    let begun = sidecar.parts.ledger.read(move |view| Ok(view.processes_of(&id)?)).await?;
    let ending = begun.into_iter().map(|(run, left)| {
        let output = sidecar.output_path(&run);
        tokio::task::spawn_blocking(move || (run, end_one(&left, &output)))
    });
    let ending: Vec<_> = ending.collect();
    let mut ended = HashMap::new();
    for one in ending {
        match one.await {
            Ok((run, left)) => drop(ended.insert(run, left)),
            Err(error) => tracing::error!(%error, "what a dead peer left could not be ended; trying again"),
        }
    }
    Ok(ended)
}

/// Ends a guard and everything below it.
fn end_one(left: &ProcessRow, output: &Path) -> Left {
    let leftovers = exec::end_leftovers(&left.process, &left.token);
    // What was written can be read as long as the run is kept; here it is told how much that is.
    let tail = spool::tail(output).unwrap_or_default();
    let bytes = std::fs::metadata(output).map_or(0, |metadata| metadata.len());
    Left {
        process: ProcessEnd { exit_code: None, signal: None, tail, swept: leftovers.swept },
        output: OutputSize { bytes, truncated: false },
        remains: if leftovers.all_gone { Remains::Nothing } else { Remains::Guard },
    }
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
        if end(sidecar, &run, left).await.is_none() {
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
        let Some(left) = end(sidecar, &run, left).await else { continue };
        let id = run.clone();
        let ended = sidecar.decide(move |tx, context| standby::stopped_for(tx, context, &id, left));
        if let Err(refusal) = ended.await {
            tracing::error!(%refusal, %run, "the end of a run could not be written down; trying again");
        }
    }
}

/// Ends a guard and everything below it, away from the loop; gives nothing if something is left.
async fn end(sidecar: &Sidecar, run: &RunId, left: ProcessRow) -> Option<Left> {
    let output = sidecar.output_path(run);
    match tokio::task::spawn_blocking(move || end_one(&left, &output)).await {
        Ok(left) if left.remains == Remains::Nothing => Some(left),
        Ok(_) | Err(_) => {
            tracing::error!(%run, "what is left of a run could not be ended entirely; trying again");
            None
        }
    }
}
