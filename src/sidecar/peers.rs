//! What dead sidecars left: their processes are ended and their rows settled.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::Sidecar;
use super::health::Part;
use crate::domain::id::{InstanceId, RunId};
use crate::domain::refusal::Refusal;
use crate::domain::run::{OutputSize, ProcessEnd};
use crate::engine::ending::Remains;
use crate::engine::presence::{Left, bury};
use crate::exec::{self, spool};
use crate::failpoint::Failpoint;
use crate::ledger::{Begun, InstanceRow, ProcessRow};
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
    sidecar.parts.failpoints.reach(Failpoint::BeforeLeftovers)?;
    let ended = end_what_it_had_begun(sidecar, &id).await?;
    let burial = [Failpoint::BeforeBurial, Failpoint::AfterBurial];
    sidecar.decide_between(burial, move |tx, context| bury(tx, context, &id, ended)).await?;
    if let Some(lock) = lock {
        lock.remove();
    }
    Ok(Looked::Settled)
}

/// Ends the work of a dead peer, all of it at once, and gives what is known of the ends. What does not end is ended
/// later, by the [`super::sweep`].
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

/// Ends a guard and everything below it. What a window has carried out itself has gone with that window.
pub(super) fn end_one(left: &ProcessRow, output: &Path) -> Left {
    let ended = match &left.begun {
        Begun::Guard(guard) => Some(exec::end_leftovers(&guard.process, &guard.token)),
        Begun::Served(_) => None,
    };
    // What was written can be read as long as the run is kept; here it is told how much that is.
    let tail = spool::tail(output).unwrap_or_default();
    let bytes = std::fs::metadata(output).map_or(0, |metadata| metadata.len());
    let process =
        ended.map(|leftovers| ProcessEnd { exit_code: None, signal: None, tail, swept: leftovers.swept });
    Left {
        process,
        output: OutputSize { bytes, truncated: false },
        remains: match ended {
            Some(leftovers) if !leftovers.all_gone => Remains::Guard,
            Some(_) | None => Remains::Nothing,
        },
    }
}
