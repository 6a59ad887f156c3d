//! Closes and holds as this window carries them out. Whoever asks for a close writes it down; the loop does what it takes
//! when nothing is in its way any more, and writes its end; and whoever asked reads from the events what has become of
//! it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Sidecar;
use crate::domain::id::LifecycleActionId;
use crate::domain::lifecycle::{
    CloseKind, CloseMode, CloseRequest, CloseResult, CloseStatus, Extent, Lifecycle, LifecycleStatus,
    WaitedFor,
};
use crate::domain::refusal::Refusal;
use crate::domain::request::CloseParams;
use crate::engine::close::{self, Accepted};
use crate::ledger::EventFilter;
use crate::rpc::backend::Answer;
use crate::rpc::caller::Caller;

/// How long whoever asks for a close is kept waiting for it to happen: as long as a forced shutdown may take. After that
/// it is told that the close waits.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// The kinds of events that tell of the ends of closes.
const ENDS: [&str; 2] = ["lifecycle.completed", "lifecycle.failed"];

/// What has become of a close.
enum Fate {
    Over(Lifecycle),
    Waits(WaitedFor),
}

/// The payload of an event that tells of a close.
#[derive(serde::Deserialize)]
struct Told {
    lifecycle: Lifecycle,
}

impl Sidecar {
    /// Begins a close that a client asks for, and tells what has become of it.
    pub(super) async fn begin_close(&self, params: CloseParams, by: Caller) -> Answer<CloseResult> {
        let CloseParams { kind, mode, directories } = params;
        let extent = self.extent_of(directories)?;
        let permit = by.permit.clone();
        let begun = self.change(by, move |tx, context| {
            let before = tx.newest_seq()?;
            let accepted = close::close(tx, context, CloseRequest { kind, mode, extent })?;
            // From here on it only waits for its end.
            permit.rest()?;
            Ok((accepted, before))
        });
        let (accepted, before) = begun.await?;
        self.outcome_of(accepted, mode, before).await
    }

    /// Begins the close of a window that leaves when its runs have ended, and tells what has become of it.
    pub(super) async fn begin_to_leave(&self) -> Answer<CloseResult> {
        let begun = self.decide(|tx, context| {
            let before = tx.newest_seq()?;
            let (kind, mode) = (CloseKind::Shutdown, CloseMode::Maintenance);
            let request = CloseRequest { kind, mode, extent: Extent::Project };
            Ok((close::close(tx, context, request)?, before))
        });
        let (accepted, before) = begun.await?;
        self.outcome_of(accepted, CloseMode::Maintenance, before).await
    }

    /// The user's configuration file has changed: it is read when the runs of this window have ended.
    pub(super) async fn reload_for_the_file(&self) -> Answer<()> {
        let me = self.parts.me.instance.clone();
        let asked = self.decide(move |tx, context| {
            // A window that has given up the project is brought back by whoever uses it, not by a file.
            close::check_open(tx, &me)?;
            let mut pending = close::status(tx, &me)?.pending.into_iter();
            // One that waits reads what is there by then.
            let is_asked_for =
                pending.any(|one| one.kind == CloseKind::Reload && one.waiting_for != WaitedFor::default());
            if !is_asked_for {
                let (kind, mode) = (CloseKind::Reload, CloseMode::Maintenance);
                close::close(tx, context, CloseRequest { kind, mode, extent: Extent::Project })?;
            }
            Ok(())
        });
        match asked.await {
            Err(Refusal::Closing { .. }) => Ok(()),
            asked => asked,
        }
    }

    /// What this window carries out, holds and is about to close.
    pub(super) async fn closes_and_holds(&self) -> Answer<LifecycleStatus> {
        let me = self.parts.me.instance.clone();
        self.parts.ledger.read(move |view| close::status(view, &me)).await
    }

    /// Waits until a close is over, or waits for something, or has not been carried out for too long.
    async fn outcome_of(&self, accepted: Accepted, mode: CloseMode, before: i64) -> Answer<CloseResult> {
        let Accepted { id, affected_directory_keys, .. } = accepted;
        let result = |status, waiting_for| CloseResult {
            status,
            id: id.clone(),
            affected_directory_keys: affected_directory_keys.clone(),
            waiting_for,
        };
        let mut commits = self.parts.ledger.commits();
        let mut left = self.parts.left.subscribe();
        let give_up_at = Instant::now() + ANSWER_WITHIN;
        loop {
            commits.mark_unchanged();
            let has_left = *left.borrow_and_update();
            match self.fate_of(&id, before).await? {
                Fate::Over(Lifecycle { error: Some(why), .. }) => {
                    return Err(Refusal::CloseFailed { action: id.clone(), why });
                }
                Fate::Over(_) => return Ok(result(CloseStatus::Completed, WaitedFor::default())),
                Fate::Waits(waiting_for) => {
                    let is_patient = mode == CloseMode::Maintenance && waiting_for != WaitedFor::default();
                    if is_patient || has_left || give_up_at <= Instant::now() {
                        return Ok(result(CloseStatus::Deferred, waiting_for));
                    }
                }
            }
            tokio::select! {
                _ = commits.changed() => {}
                _ = left.changed() => {}
                () = sleep_until(give_up_at) => {}
            }
        }
    }

    async fn fate_of(&self, id: &LifecycleActionId, before: i64) -> Answer<Fate> {
        let (me, id) = (self.parts.me.instance.clone(), id.clone());
        let ends = EventFilter { kinds: ENDS.map(str::to_owned).to_vec(), automation: None };
        let read = self.parts.ledger.read_now(move |view| {
            let pending = close::status(view, &me)?.pending.into_iter().find(|one| one.id == id);
            if let Some(pending) = pending {
                return Ok(Fate::Waits(pending.waiting_for));
            }
            for event in view.events_after(before, &ends, usize::MAX)? {
                if let Ok(Told { lifecycle }) = serde_json::from_str(&event.payload)
                    && lifecycle.id == id
                {
                    return Ok(Fate::Over(lifecycle));
                }
            }
            Ok(Fate::Waits(WaitedFor::default()))
        });
        read.await
    }
}
