//! Ends what nobody else ends: what dead sidecars left running, what living ones should have ended and have not, and what
//! has ended by itself without their saying so.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Sidecar;
use super::health::LastTold;
use super::main_loop::LOOK_AGAIN;
use super::peers::end_one;
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::engine::ending::Remains;
use crate::engine::presence::Left;
use crate::engine::{report, standby};
use crate::exec;
use crate::ledger::{ProcessRow, View};

/// Sweeps each time that it is asked to: one sweep goes on at a time, and what it was asked meanwhile it does after
/// that.
pub(super) async fn sweep(sidecar: Sidecar, asked: Arc<Notify>) {
    let mut sweep = Sweep { sidecar, silent: HashMap::new(), told: LastTold::default() };
    loop {
        asked.notified().await;
        sweep.once().await;
    }
}

struct Sweep {
    sidecar: Sidecar,
    /// Since when the guards of runs of other windows have been seen to have gone, without their windows saying how the
    /// runs ended.
    silent: HashMap<RunId, Instant>,
    told: LastTold,
}

impl Sweep {
    async fn once(&mut self) {
        let swept = self.everything().await;
        match swept {
            Ok(()) => self.told.over(),
            Err(refusal) if self.told.is_news(&refusal) => {
                tracing::error!(%refusal, "what nobody ends could not be ended; trying again");
            }
            Err(_) => {}
        }
    }

    async fn everything(&mut self) -> Result<(), Refusal> {
        // Mostly nothing is at work anywhere.
        if !self.look(|view| Ok(view.has_processes()?)).await? {
            self.silent.clear();
            return Ok(());
        }
        self.free_what_the_dead_held().await?;
        if self.sidecar.role() == Role::Observer {
            return Ok(());
        }
        self.end_what_is_to_stop().await?;
        self.end_what_nobody_tells_of().await
    }

    /// Ends what dead sidecars have left running by now, and frees the directories that it held. What does not end
    /// keeps its directory; the next sweep tries again.
    async fn free_what_the_dead_held(&self) -> Result<(), Refusal> {
        for (run, left) in self.look(|view| Ok(view.orphaned_processes()?)).await? {
            if self.end(&run, left).await.is_some() {
                self.sidecar.decide(move |tx, context| report::gone(tx, context, &run)).await?;
            }
        }
        Ok(())
    }

    /// Ends what living sidecars should have ended by now and have not.
    async fn end_what_is_to_stop(&self) -> Result<(), Refusal> {
        let parts = &self.sidecar.parts;
        let (me, boot, reading) = (parts.me.instance.clone(), parts.boot.clone(), parts.clock.read());
        let overdue = self.look(move |view| standby::overdue_stops(view, &me, &boot, reading));
        for (run, left) in overdue.await? {
            // Where its processes cannot be seen, they cannot be known to have ended either.
            if left.guard().is_some_and(|guard| exec::can_see(&guard.process)) {
                tracing::warn!(%run, instance = %left.instance, "a window has not ended a run in time; it is ended for it");
                self.end_for(run, left).await?;
            }
        }
        Ok(())
    }

    /// The work of a run has ended, and its window, which may be stopped, has not said how for too long: it would
    /// hold its directory and its place for as long as the window is stopped.
    async fn end_what_nobody_tells_of(&mut self) -> Result<(), Refusal> {
        let me = self.sidecar.parts.me.instance.clone();
        let own_limits = self.sidecar.parts.limits.shared;
        let looked_at = Instant::now();
        let (mut begun, patience_ms) = self
            .look(move |view| {
                let limits = view.owner_limits()?.unwrap_or(own_limits);
                Ok((view.begun_elsewhere(&me)?, limits.standby_ms))
            })
            .await?;
        begun.retain(|(_, left)| {
            left.guard().is_some_and(|guard| exec::can_see(&guard.process) && !exec::is_alive(&guard.process))
        });
        self.silent.retain(|run, _| begun.iter().any(|(silent, _)| silent == run));
        let patience = patience(Duration::from_millis(patience_ms.unsigned_abs()));
        for (run, left) in begun {
            let since = *self.silent.entry(run.clone()).or_insert(looked_at);
            if looked_at.duration_since(since) < patience {
                continue;
            }
            tracing::warn!(%run, instance = %left.instance, "a window has not told how a run ended; it is ended for it");
            // If that cannot be written, its own window may not have been able to write either: it has its time anew.
            self.silent.remove(&run);
            self.end_for(run, left).await?;
        }
        Ok(())
    }

    async fn end_for(&self, run: RunId, left: ProcessRow) -> Result<(), Refusal> {
        let Some(left) = self.end(&run, left).await else { return Ok(()) };
        self.sidecar.decide(move |tx, context| standby::ended_for(tx, context, &run, left)).await
    }

    /// Ends a guard and everything below it, away from the loop; gives nothing if something is left.
    async fn end(&self, run: &RunId, left: ProcessRow) -> Option<Left> {
        let output = self.sidecar.output_path(run);
        match tokio::task::spawn_blocking(move || end_one(&left, &output)).await {
            Ok(left) if left.remains == Remains::Nothing => Some(left),
            Ok(_) | Err(_) => {
                tracing::error!(%run, "what is left of a run could not be ended entirely; trying again");
                None
            }
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.sidecar.parts.ledger.read(look).await
    }
}

/// How far apart the first and the last look are that find a window silent, at least, where others wait so long for one
/// that does not do its part. Two looks in a row are enough if nobody is to wait for longer: they come [`LOOK_AGAIN`] after
/// each other, a little sooner or later where the machine is busy, and it must not be a third one that acts because of that.
fn patience(standby: Duration) -> Duration {
    standby.max(LOOK_AGAIN) - LOOK_AGAIN / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_looks_in_a_row_are_enough_also_on_a_busy_machine() {
        let early = LOOK_AGAIN - Duration::from_millis(900);
        assert!(patience(Duration::from_millis(300)) <= early);
        assert!(patience(Duration::from_millis(300)) > LOOK_AGAIN / 2, "its window has time to tell");
        let long = LOOK_AGAIN * 4;
        assert!(patience(long) > long - LOOK_AGAIN, "nobody is hurried who may take longer");
    }
}
