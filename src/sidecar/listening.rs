//! News of other windows: hears the doorbell and has whoever follows the ledger look.
//!
//! It only reads, so news comes also while somebody keeps the ledger from being written.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::Sidecar;
use super::health::{Health, LastTold, Part};
use super::main_loop::LOOK_AGAIN;
use crate::failpoint::{Failpoint, Failpoints};
use crate::presence::doorbell::{Doorbell, Ear};

/// How often the ledger is looked at where nothing can be heard. As long a breath is taken between two ears: whatever
/// takes the bell down again and again must not keep this thread busy.
const DEAF: Duration = Duration::from_millis(250);

/// Rings for everybody, after each commit. A ring that fails costs time only: others look now and then by themselves.
pub(super) fn ring_after_commit(bell: &Doorbell, health: &Health, failpoints: &Failpoints) {
    let reached = failpoints.reach(Failpoint::BeforeRing).map_err(std::io::Error::from);
    note(reached.and_then(|()| bell.ring()), health);
}

/// What has become of a ring.
fn note(rung: std::io::Result<()>, health: &Health) {
    match rung {
        Ok(()) => health.well(Part::Ring),
        Err(error) => {
            let why = format!(
                "other windows learn of changes only within seconds, because their doorbell in the state directory cannot be rung: {error}; see whether the disk works"
            );
            health.failed(Part::Ring, &why);
        }
    }
}

/// Listens until this sidecar has left.
pub(super) async fn listen(sidecar: Sidecar, bell: Doorbell) {
    let left = sidecar.parts.left.subscribe();
    let mut listener = Listener { sidecar, bell, left, told: LastTold::default() };
    while listener.listen().await.is_some() {}
}

struct Listener {
    sidecar: Sidecar,
    bell: Doorbell,
    left: watch::Receiver<bool>,
    told: LastTold,
}

impl Listener {
    /// Listens for as long as that works, or looks again and again for a while. None when this sidecar has left.
    async fn listen(&mut self) -> Option<()> {
        let heard = self.on_another_thread(|bell| bell.listen()).await?;
        let health = &self.sidecar.parts.health;
        match heard {
            Ok(ear) => {
                health.well(Part::Ear);
                self.hear(&ear).await
            }
            Err(error) => {
                let why = format!(
                    "changes of other windows are looked for four times a second, because they cannot be listened for: {error}; see that the state directory is in its place, and that this user may watch more files (on Linux: fs.inotify.max_user_instances and max_user_watches)"
                );
                health.failed(Part::Ear, &why);
                self.look_again_and_again().await
            }
        }
    }

    async fn hear(&mut self, ear: &Ear) -> Option<()> {
        loop {
            // After the ear is there, so that nothing falls between the two; and at the latest after a while, should
            // a ring be lost.
            self.look().await?;
            if !ear.hears_the_right_one() {
                return self.breathe().await;
            }
            tokio::select! {
                _ = timeout(LOOK_AGAIN, ear.rung()) => {}
                () = has_left(&mut self.left) => return None,
            }
        }
    }

    async fn look_again_and_again(&mut self) -> Option<()> {
        // As often as fits between two attempts to listen.
        let times = LOOK_AGAIN.as_millis() / DEAF.as_millis();
        for _ in 0..times {
            self.look().await?;
            self.breathe().await?;
        }
        Some(())
    }

    /// Lets a moment pass. None when this sidecar has left.
    async fn breathe(&mut self) -> Option<()> {
        match timeout(DEAF, has_left(&mut self.left)).await {
            Ok(()) => None,
            Err(_) => Some(()),
        }
    }

    /// Looks for news, and tells others of ours if they could not be told before. None when this sidecar has left.
    async fn look(&mut self) -> Option<()> {
        match self.sidecar.parts.ledger.look_for_news().await {
            Ok(()) => self.told.over(),
            Err(refusal) => {
                if self.told.is_news(&refusal) {
                    tracing::error!(%refusal, "news of other windows cannot be read; trying again");
                }
            }
        }
        if self.sidecar.parts.health.has_failed(Part::Ring) {
            let health = self.sidecar.parts.health.clone();
            self.on_another_thread(move |bell| note(bell.ring(), &health)).await?;
        }
        Some(())
    }

    /// The disk may take its time, and this thread has requests to answer. None when this sidecar has left.
    async fn on_another_thread<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&Doorbell) -> T + Send + 'static,
    ) -> Option<T> {
        let bell = self.bell.clone();
        tokio::select! {
            done = tokio::task::spawn_blocking(move || act(&bell)) => match done {
                Ok(done) => Some(done),
                Err(error) => {
                    tracing::error!(%error, "nobody listens for other windows any more");
                    None
                }
            },
            () = has_left(&mut self.left) => None,
        }
    }
}

async fn has_left(left: &mut watch::Receiver<bool>) {
    // An error means that nothing is left that could leave.
    let _ = left.wait_for(|left| *left).await;
}
