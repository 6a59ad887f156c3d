//! The composition: the only layer that knows all others, reads the clock, and acts.
//!
//! [`Sidecar`] is one open project. Its loop (`main_loop`) ticks when something is due, and makes the world
//! match the rows: it starts and stops the work of runs that were given to this instance (`carry`).

mod agent;
mod agents;
mod backend;
mod bell;
mod carried;
mod carry;
pub mod clock;
mod closing;
mod compose;
pub mod config;
mod configuration;
pub mod doctor;
mod explaining;
mod feed;
mod following;
mod ground;
mod guarded;
mod health;
mod holding;
mod listening;
mod located;
mod main_loop;
mod output;
mod peers;
mod probing;
mod project;
mod pruning;
mod secrets;
mod served;
mod serving;
mod simulating;
mod state_directory;
mod sweep;
mod tools;
mod upkeep;
mod vigil;
mod workers;
mod worktrees;

pub use compose::SidecarHost;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::domain::automation::Actor;
use crate::domain::clock::Boot;
use crate::domain::id::{IdSource, RunId};
use crate::domain::refusal::{Refusal, StorageReason};
use crate::domain::scheduler::{Limits, Role};
use crate::domain::shown::Voice;
use crate::domain::time::Timestamp;
use crate::domain::worktree::Vcs;
use crate::engine::Context;
use crate::engine::clock::observe;
use crate::exec::{GuardProgram, Watched};
use crate::failpoint::{Failpoint, Failpoints};
use crate::ledger::{Ledger, Trouble, Tx};
use agents::Agents;
use clock::Clock;
use health::Health;
use serving::Servings;
use simulating::Simulations;

/// One open project. Cheap to clone.
#[derive(Clone)]
pub struct Sidecar {
    parts: Arc<Parts>,
}

struct Parts {
    ledger: Ledger,
    clock: Clock,
    /// What elapsed time counts from.
    boot: Boot,
    me: Actor,
    /// What it does beside answering, now. The loop writes it.
    role: watch::Receiver<Role>,
    /// Since when it has the project open.
    since: Timestamp,
    limits: Limits,
    /// The run of this ledger that this process was started by, if it was: it may look but not change anything.
    inside_run: Option<RunId>,
    project: String,
    /// What keeps the project's history.
    vcs: Option<Vcs>,
    state: PathBuf,
    /// The file in which the user configures sidecars, if the environment tells where that is.
    configuration_file: Option<PathBuf>,
    guard: GuardProgram,
    /// Where this sidecar may fail.
    failpoints: Failpoints,
    /// The process that this sidecar works for, if it said which and can be watched.
    parent: Option<Watched>,
    /// What this window adds to the environment of its processes. Kept here only, never stored.
    environment: BTreeMap<String, String>,
    /// What the sidecar itself inherited, where `{from: NAME}` looks after `environment`.
    inherited: BTreeMap<String, String>,
    /// Asks the loop to end everything; it answers when that is done. One request is enough.
    leave: mpsc::Sender<oneshot::Sender<()>>,
    /// Whether the loop has ended everything, so that nobody waits for what it would have done.
    left: watch::Sender<bool>,
    /// The agents that it starts.
    agents: Agents,
    /// The subscriptions with which this window carries out prompts itself.
    servings: Arc<Servings>,
    /// What it finds out about the future.
    simulations: Simulations,
    /// What cannot be done at the moment.
    health: Arc<Health>,
}

impl Sidecar {
    /// What it does beside answering, now. A process that a run has started is an observer, whatever it asked for, and
    /// so is a window that has given up the project.
    pub fn role(&self) -> Role {
        *self.parts.role.borrow()
    }

    /// Waits until another ledger has stood in the place of this one for a while: a window's user is told and decides,
    /// and nobody does for a sidecar without a window.
    pub async fn another_ledger_is_there(&self) {
        /// So many times in a row: whoever puts files back may not be done yet.
        const LOOKS: u32 = 2;
        let mut times = 0;
        while times < LOOKS {
            tokio::time::sleep(main_loop::LOOK_AGAIN).await;
            let replaced = |trouble: Trouble| trouble.reason == StorageReason::Replaced;
            let there = self.parts.state.join("ledger.db").exists();
            let another = there && self.parts.ledger.trouble().is_some_and(replaced);
            times = if another { times + 1 } else { 0 };
        }
    }

    /// Waits until nothing is looked after any more, which is so after a shutdown, and after a failure.
    pub async fn ceased(&self) {
        self.parts.leave.closed().await;
    }

    /// Has the engine decide in a write transaction, with the time read inside it.
    async fn decide<T, F>(&self, decision: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        let parts = self.parts.clone();
        self.parts.ledger.write(move |tx| parts.in_transaction(tx, decision)).await
    }

    /// The same, with a failpoint on either side of it.
    async fn decide_between<T, F>(&self, [before, after]: [Failpoint; 2], decision: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.parts.failpoints.reach(before)?;
        let decided = self.decide(decision).await?;
        self.parts.failpoints.pass(after);
        Ok(decided)
    }

    fn output_path(&self, run: &RunId) -> PathBuf {
        self.run_directory(run).join("output.log")
    }

    /// What belongs to a run beside its rows.
    fn run_directory(&self, run: &RunId) -> PathBuf {
        self.runs_directory().join(run.as_str())
    }

    fn runs_directory(&self) -> PathBuf {
        self.parts.state.join("runs")
    }
}

impl Parts {
    fn in_transaction<T>(
        &self,
        tx: &Tx<'_>,
        decision: impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut troubles = Vec::new();
        let reading = self.clock.read();
        let mut context = Context {
            now: reading.wall,
            due_by: reading.wall,
            reading,
            boot: &self.boot,
            ids: &mut FreshIds,
            me: &self.me,
            // What asks on behalf of a run says so before it decides.
            voice: Voice::Person,
            limits: &self.limits,
            project: &self.project,
            vcs: self.vcs,
            troubles: &mut troubles,
        };
        let decided = observe(tx, &mut context).and_then(|()| decision(tx, &mut context));
        for trouble in troubles {
            tracing::error!("{trouble}");
        }
        decided
    }
}

/// Identities that no other process makes.
struct FreshIds;

impl IdSource for FreshIds {
    fn unique(&mut self) -> String {
        uuid::Uuid::now_v7().simple().to_string()
    }
}
