//! Who rings the bell: whoever holds the owner lock. It is tried at the beginning; whoever has not got it waits in line
//! on a thread of its own that is parked at the lock, so that nothing is looked at meanwhile and the next owner
//! is there the moment the operating system gives the lock up.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use tokio::sync::mpsc;

use super::health::Part;
use super::{Parts, Sidecar};
use crate::domain::process::FileIdentity;
use crate::domain::refusal::{Refusal, StorageReason};
use crate::domain::scheduler::Role;
use crate::engine::Context;
use crate::engine::presence::{own, resign};
use crate::failpoint::Failpoint;
use crate::ledger::Tx;
use crate::presence::lock_file::{Attempt, Candidate, HeldLock, IfMissing, Succession, try_take};

/// The most files that this window waits for at once. Each time that the lock is removed under a holder that is
/// stopped, there is one more; beyond this the lock is only tried now and then.
const LINES: usize = 8;

/// As much as waiting for a lock needs, in bytes.
const STACK: usize = 64 * 1024;

/// The lock of the owner, as this window stands to it.
pub(super) struct Bell {
    held: Option<HeldLock>,
    /// The files that threads of this window are parked at.
    lines: HashSet<FileIdentity>,
    /// Each thread says once what has become of its wait, so there is always room.
    over: mpsc::Sender<Wait>,
    waits: mpsc::Receiver<Wait>,
}

/// A wait in line that is over.
pub(super) struct Wait {
    at: FileIdentity,
    outcome: io::Result<Succession>,
}

/// Tries to take the lock, without waiting.
///
/// # Errors
/// A sentence for the person, when nobody could take it.
pub(super) fn try_to_take(parts: &Parts) -> Result<Option<HeldLock>, String> {
    match try_take(&lock_path(parts), IfMissing::Create) {
        Ok(Attempt::Taken(held)) => Ok(Some(held)),
        Ok(Attempt::HeldByAnother | Attempt::Missing) => Ok(None),
        Err(error) => Err(cannot_be_locked(parts, &error)),
    }
}

/// Writes down that whoever holds the lock, which this window does, rings from now on.
///
/// # Errors
/// When that cannot be written.
pub(super) async fn begin_term(sidecar: &Sidecar) -> Result<(), Refusal> {
    sidecar.decide_between([Failpoint::BeforeTerm, Failpoint::AfterTerm], own).await
}

/// The same in the transaction in which this window enters.
///
/// # Errors
/// When that cannot be written.
pub(super) async fn enter_with_a_term<F>(sidecar: &Sidecar, entry: F) -> Result<(), Refusal>
where
    F: FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<(), Refusal> + Send + 'static,
{
    let decision = move |tx: &Tx<'_>, context: &mut Context<'_>| {
        entry(tx, context)?;
        own(tx, context)
    };
    sidecar.decide_between([Failpoint::BeforeTerm, Failpoint::AfterTerm], decision).await
}

impl Bell {
    /// The bell of a window that has tried the lock.
    pub(super) fn new(held: Option<HeldLock>) -> Bell {
        let (over, waits) = mpsc::channel(LINES);
        Bell { held, lines: HashSet::new(), over, waits }
    }

    /// Whether this window rings it.
    pub(super) fn is_ours(&self) -> bool {
        self.held.is_some()
    }

    /// Waits until a wait in line is over.
    pub(super) async fn end_of_a_wait(&mut self) -> Wait {
        loop {
            // One sender is kept here, so there is always something to wait for.
            if let Some(wait) = self.waits.recv().await {
                self.lines.remove(&wait.at);
                return wait;
            }
        }
    }

    /// Takes the bell over if the wait that is over was for the lock that counts.
    ///
    /// # Errors
    /// When that cannot be found out or written down: the lock is given up then, for somebody who can.
    pub(super) async fn take_over(&mut self, sidecar: &Sidecar, wait: Wait) -> Result<(), Refusal> {
        match wait.outcome {
            // It gave up the project while it stood in line.
            Ok(Succession::Taken(lock)) if sidecar.role() == Role::Observer => {
                lock.release();
                Ok(())
            }
            Ok(Succession::Taken(lock)) if self.held.is_none() => self.ring_with(sidecar, lock).await,
            // The file was put back after this window had taken another one.
            Ok(Succession::Taken(_)) => Ok(()),
            Ok(Succession::Replaced) => self.stand_in_line(sidecar).await,
            Err(error) => {
                cannot_be_locked(&sidecar.parts, &error);
                Ok(())
            }
        }
    }

    /// Sees before each claim, and now and then, that the lock is still the one that others find. A file that was
    /// removed or replaced keeps nobody out: then the one at the path is tried, and without it nothing is claimed.
    ///
    /// # Errors
    /// When that cannot be found out or written down.
    pub(super) async fn confirm(&mut self, sidecar: &Sidecar) -> Result<(), Refusal> {
        let health = &sidecar.parts.health;
        match self.held.as_ref().map(HeldLock::is_in_place) {
            None => Ok(()),
            Some(Ok(true)) => {
                health.well(Part::Bell);
                Ok(())
            }
            Some(Ok(false)) => self.take_anew(sidecar).await,
            Some(Err(error)) => {
                let message =
                    format!("the lock of the bell cannot be looked at: {error}; see whether the disk works");
                health.failed(Part::Bell, &message);
                Err(Refusal::Storage { reason: StorageReason::from(&error), message })
            }
        }
    }

    /// Takes the lock or waits in line for it, unless this window has it, waits for it already, or does not own now. To be
    /// called when the lock may be another one, and now and then: it may have been removed, or could not be opened
    /// before.
    ///
    /// # Errors
    /// When the ledger is not the one that is open any more: its lock is somebody else's then. And when a term cannot
    /// be written down.
    pub(super) async fn stand_in_line(&mut self, sidecar: &Sidecar) -> Result<(), Refusal> {
        if self.held.is_some() || sidecar.role() == Role::Observer {
            return Ok(());
        }
        sidecar.parts.ledger.read(|_| Ok(())).await?;
        match try_to_take(&sidecar.parts) {
            Ok(Some(lock)) => return self.ring_with(sidecar, lock).await,
            Ok(None) => {}
            // That is told, and tried again.
            Err(_) => return Ok(()),
        }
        match self.enter(&sidecar.parts) {
            Ok(()) => sidecar.parts.health.well(Part::Bell),
            Err(error) => drop(cannot_be_locked(&sidecar.parts, &error)),
        }
        Ok(())
    }

    /// Gives the lock up at once, for whoever is in line. A thread that waits in line goes on waiting, and what it gets
    /// is given up as well for as long as this window is an observer.
    pub(super) fn hand_over(&mut self) {
        if let Some(held) = self.held.take() {
            held.release();
        }
    }

    /// The same for ever: no lock is taken that comes from now on.
    pub(super) fn give_up(&mut self) {
        self.hand_over();
        self.waits.close();
        while self.waits.try_recv().is_ok() {}
    }

    async fn take_anew(&mut self, sidecar: &Sidecar) -> Result<(), Refusal> {
        // If the whole directory was replaced, the lock in it is that of another ledger.
        sidecar.parts.ledger.read(|_| Ok(())).await?;
        tracing::warn!("the lock of the bell was removed or replaced; what is at its place now counts");
        self.held = None;
        if let Ok(Some(lock)) = try_to_take(&sidecar.parts) {
            return self.ring_with(sidecar, lock).await;
        }
        // Whoever is asked who rings says what the lock says.
        sidecar.decide(|tx, context| resign(tx, context)).await?;
        self.stand_in_line(sidecar).await
    }

    /// Begins a term. Without one there is no owner: if it cannot be written down, the lock is given up with the
    /// attempt.
    async fn ring_with(&mut self, sidecar: &Sidecar, lock: HeldLock) -> Result<(), Refusal> {
        begin_term(sidecar).await?;
        tracing::info!("this sidecar rings the bell from now on");
        self.held = Some(lock);
        sidecar.parts.health.well(Part::Bell);
        Ok(())
    }

    fn enter(&mut self, parts: &Parts) -> io::Result<()> {
        let candidate = Candidate::enter(&lock_path(parts))?;
        let at = candidate.identity();
        if self.lines.len() >= LINES || !self.lines.insert(at) {
            return Ok(());
        }
        let over = self.over.clone();
        let wait = move || {
            let outcome = candidate.wait();
            // The loop may have ended meanwhile. Then the lock goes with the message.
            let _ = over.blocking_send(Wait { at, outcome });
        };
        // It is never joined: it ends with its wait, or with this process.
        let parked = std::thread::Builder::new().name("bell".to_owned()).stack_size(STACK).spawn(wait);
        if parked.is_err() {
            self.lines.remove(&at);
        }
        parked.map(drop)
    }
}

fn lock_path(parts: &Parts) -> PathBuf {
    parts.state.join("owner.lock")
}

/// Nobody rings by the lock that cannot be had: says so to whoever asks how things are, and gives the sentence.
fn cannot_be_locked(parts: &Parts, error: &io::Error) -> String {
    let why = format!(
        "nobody can own the bell, so timers fire late (`limits.standbyMs`), because {} cannot be locked: {error}; remove what stands there, and within seconds it is tried again",
        lock_path(parts).display()
    );
    parts.health.failed(Part::Bell, &why);
    why
}
