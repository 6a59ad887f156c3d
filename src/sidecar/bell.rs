//! The lock of the owner of the bell: tried at the beginning, and seen to be the one that counts ever after.

use super::health::Part;
use super::{Parts, Sidecar};
use crate::domain::refusal::{Refusal, StorageReason};
use crate::engine::presence::{own, resign};
use crate::presence::lock_file::{Attempt, HeldLock, IfMissing, try_take};

/// Tries to take the lock, without waiting.
///
/// # Errors
/// A sentence for the person, when nobody could take it.
pub(super) fn try_to_take(parts: &Parts) -> Result<Option<HeldLock>, String> {
    let path = parts.state.join("owner.lock");
    match try_take(&path, IfMissing::Create) {
        Ok(Attempt::Taken(held)) => Ok(Some(held)),
        Ok(Attempt::HeldByAnother | Attempt::Missing) => Ok(None),
        Err(error) => {
            let why = format!(
                "this window fires no timers, because {} cannot be locked: {error}; remove what stands there, and within seconds it is tried again",
                path.display()
            );
            parts.health.failed(Part::Bell, &why);
            Err(why)
        }
    }
}

/// Sees before each claim, and on the slow look, that the lock is still the one that others find. A file that was
/// removed or replaced keeps nobody out: then the one at the path is tried, and without it nothing is claimed. So
/// is a lock that could not be tried at all before.
///
/// # Errors
/// When that cannot be found out or written down.
pub(super) async fn confirm(sidecar: &Sidecar, held: &mut Option<HeldLock>) -> Result<(), Refusal> {
    let health = &sidecar.parts.health;
    match held.as_ref().map(HeldLock::is_in_place) {
        None if !health.has_failed(Part::Bell) => Ok(()),
        None => take_anew(sidecar, held).await,
        Some(Ok(true)) => {
            health.well(Part::Bell);
            Ok(())
        }
        Some(Ok(false)) => {
            tracing::warn!("the lock of the bell was removed or replaced; the one that is there now counts");
            take_anew(sidecar, held).await
        }
        Some(Err(error)) => {
            let message =
                format!("the lock of the bell cannot be looked at: {error}; see whether the disk works");
            health.failed(Part::Bell, &message);
            Err(Refusal::Storage { reason: StorageReason::from(&error), message })
        }
    }
}

async fn take_anew(sidecar: &Sidecar, held: &mut Option<HeldLock>) -> Result<(), Refusal> {
    // If the whole directory was replaced, the lock in it is that of another ledger.
    sidecar.parts.ledger.read(|_| Ok(())).await?;
    *held = None;
    let taken = match try_to_take(&sidecar.parts) {
        Ok(Some(taken)) => taken,
        tried => {
            // Whoever is asked who rings says what the lock says.
            sidecar.decide(|tx, context| resign(tx, context)).await?;
            if tried.is_ok() {
                sidecar.parts.health.well(Part::Bell);
            }
            return Ok(());
        }
    };
    if let Err(refusal) = sidecar.decide(own).await {
        // Without a term there is no owner; the lock is given up with the attempt.
        sidecar.parts.health.failed(Part::Bell, &refusal.to_string());
        return Err(refusal);
    }
    *held = Some(taken);
    sidecar.parts.health.well(Part::Bell);
    Ok(())
}
