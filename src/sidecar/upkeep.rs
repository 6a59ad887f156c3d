//! What is done for the ledger beside the loop, on its slow look: the owner of the bell keeps the marker and removes what
//! others have left, and
//! everybody tries whether trouble is over and whether outputs have a place.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::Sidecar;
use super::health::Part;
use super::probing;
use crate::domain::id::InstanceId;
use crate::domain::refusal::{Refusal, StorageReason};
use crate::ledger::Ledger;
use crate::presence::instance;

/// After looking through a damaged database, so many times as long as that took pass before it is done again:
/// it may be large, and others want to read as well.
const REST: u32 = 10;

/// The work that is under way. It waits for the disk, and the loop must not.
#[derive(Default)]
pub(super) struct Upkeep {
    marker: Option<JoinHandle<()>>,
    recovery: Option<JoinHandle<()>>,
}

impl Upkeep {
    /// Does what is to be done, unless that is still under way.
    pub(super) fn look_after(&mut self, sidecar: &Sidecar, rings: bool) {
        let idle = |task: &Option<JoinHandle<()>>| task.as_ref().is_none_or(JoinHandle::is_finished);
        look_for_outputs(sidecar);
        if rings && idle(&self.marker) {
            let sidecar = sidecar.clone();
            self.marker = Some(tokio::spawn(async move {
                mark(&sidecar).await;
                let state = sidecar.parts.state.clone();
                let listed = tokio::task::spawn_blocking(move || {
                    (probing::files_of_questions(&state), instance::with_old_lock_files(&state))
                });
                let Ok((of_questions, of_instances)) = listed.await else { return };
                sidecar.remove_files_of_questions(of_questions).await;
                let removed = match of_instances {
                    Ok(old) => remove_forgotten_locks(&sidecar, old).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = removed {
                    tracing::debug!(%error, "lock files of windows that have gone could not be removed");
                }
            }));
        }
        if sidecar.parts.ledger.trouble().is_some() && idle(&self.recovery) {
            let sidecar = sidecar.clone();
            self.recovery = Some(tokio::spawn(async move { recover(&sidecar).await }));
        }
    }
}

/// Sees whether something stands where the outputs of runs are to be: then no command can be started. A directory
/// that is not there is made by the next run.
fn look_for_outputs(sidecar: &Sidecar) {
    let (health, path) = (&sidecar.parts.health, sidecar.runs_directory());
    let why = match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => return health.well(Part::Outputs),
        Ok(_) => "it is no directory".to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return health.well(Part::Outputs),
        Err(error) => error.to_string(),
    };
    let path = path.display();
    let why = format!(
        "no command can be started, because {path} cannot take its output: {why}; remove what stands there, and it is made anew"
    );
    health.failed(Part::Outputs, &why);
}

/// Removes the lock files of instances that have no row: of one that was killed before it had entered its own or after
/// somebody had removed it. Each is held meanwhile, and looked up once more, so that none is taken from a living one.
async fn remove_forgotten_locks(sidecar: &Sidecar, old: Vec<InstanceId>) -> std::io::Result<()> {
    for id in old {
        let has_row = || {
            let id = id.clone();
            sidecar.parts.ledger.read(move |view| Ok(view.has_instance(&id)?))
        };
        // A ledger that cannot be read tells so itself.
        if has_row().await.unwrap_or(true) {
            continue;
        }
        if let Some(lock) = instance::take_forgotten(&sidecar.parts.state, &id)?
            && !has_row().await.unwrap_or(true)
        {
            lock.remove();
        }
    }
    Ok(())
}

/// Has the marker say how much the ledger knows.
async fn mark(sidecar: &Sidecar) {
    mark_by(sidecar, Ledger::mark).await;
}

/// The same for the last time, whatever has become of the marker meanwhile.
pub(super) async fn mark_at_last(sidecar: &Sidecar) {
    mark_by(sidecar, Ledger::mark_anew).await;
}

async fn mark_by(sidecar: &Sidecar, mark: fn(&Ledger, i64) -> Result<(), Refusal>) {
    let ledger = sidecar.parts.ledger.clone();
    // A ledger that cannot be read tells so itself.
    let Ok(newest) = ledger.read(|view| Ok(view.newest_seq()?)).await else { return };
    match tokio::task::spawn_blocking(move || mark(&ledger, newest)).await {
        Ok(Ok(())) => sidecar.parts.health.well(Part::Marker),
        Ok(Err(refusal)) => sidecar.parts.health.failed(Part::Marker, &refusal.to_string()),
        Err(error) => tracing::error!(%error, "the marker could not be written"),
    }
}

/// Finds out whether what was wrong with the ledger is over.
async fn recover(sidecar: &Sidecar) {
    let ledger = sidecar.parts.ledger.clone();
    match ledger.trouble().map(|trouble| trouble.reason) {
        None => {}
        // A commit that succeeds says nothing about the rest of a damaged database.
        Some(StorageReason::Damaged) => {
            let began = Instant::now();
            let looked = tokio::task::spawn_blocking(move || ledger.look_through()).await;
            if let Err(error) = looked {
                tracing::error!(%error, "the ledger could not be looked through");
            }
            if sidecar.parts.ledger.trouble().is_some() {
                sleep(began.elapsed().saturating_mul(REST).max(Duration::from_millis(1))).await;
            }
        }
        Some(
            StorageReason::Full
            | StorageReason::ReadOnly
            | StorageReason::Unreadable
            | StorageReason::NotUnderstood
            | StorageReason::Replaced
            | StorageReason::NewerVersion
            | StorageReason::Busy
            | StorageReason::Io,
        ) => ledger.try_to_write().await,
    }
}
