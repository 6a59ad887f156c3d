//! `automation/simulate`: finds out what will happen, on a thread of its own and in a copy of the ledger, so that nobody
//! waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Sidecar;
use super::workers::Workers;
use crate::domain::automation::Task;
use crate::domain::draft::{Commitment, CreateParams};
use crate::domain::refusal::Refusal;
use crate::domain::simulation::{SimulateRequest, Simulation};
use crate::engine::simulate::{self, Around, Means, Patience};
use crate::rpc::backend::{Answer, Backend};
use crate::rpc::caller::Caller;

/// Simulations that one window has worked out at once. Each keeps one processor busy and has a copy of its own in memory;
/// people look at one.
const AT_ONCE: usize = 2;

/// How long one is worked out, in milliseconds; then what has been found out is the answer. Most take far less than a second, and a person
/// who has waited for so long would rather see the beginning.
const PATIENCE_MS: i64 = 10_000;

/// Who may have something worked out now.
pub(super) struct Simulations {
    workers: Workers,
    /// How often all that were worked out were given up.
    given_up: AtomicU64,
}

impl Default for Simulations {
    fn default() -> Self {
        Simulations { workers: Workers::new("simulation", AT_ONCE), given_up: AtomicU64::new(0) }
    }
}

impl Simulations {
    /// Gives up all that are worked out: this window is to end, and would not before they have.
    pub(super) fn give_up(&self) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
    }

    fn times_given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }
}

/// Nobody waits for the answer any more when this has gone.
struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Sidecar {
    pub(super) async fn foretell(&self, request: SimulateRequest) -> Answer<Simulation> {
        let worker = match self.parts.simulations.workers.take() {
            Ok(Some(worker)) => worker,
            Ok(None) => {
                return Err(Refusal::Overloaded(format!(
                    "{AT_ONCE} simulations are worked out already; wait for one of them, or cancel it"
                )));
            }
            Err(error) => {
                return Err(Refusal::Overloaded(format!(
                    "no thread could be started: {error}; try again later"
                )));
            }
        };
        let times_given_up = self.parts.simulations.times_given_up();
        if let Some(draft) = request.draft.clone().filter(|draft| may_have_to_ask(&draft.definition.task)) {
            // Agents are asked what its creation needs to know. This can be cancelled all the while, so it goes without the
            // permit of the request.
            let params = CreateParams { draft, commitment: Commitment::DryRun, key: None, note: None };
            self.create(params, Caller::default()).await?;
        }
        // What this client has changed before it sees.
        self.parts.ledger.read(|_| Ok(())).await?;
        let given_up = Arc::new(AtomicBool::new(false));
        let waits = Waits(given_up.clone());
        let sidecar = self.clone();
        let work = move || {
            let clock = sidecar.parts.clock;
            let begun_ms = clock.read().awake_ms;
            let simulations = &sidecar.parts.simulations;
            let patience = || match given_up.load(Ordering::Relaxed) {
                true => Patience::Gone,
                false if simulations.times_given_up() != times_given_up => Patience::Gone,
                false if clock.read().awake_ms - begun_ms > PATIENCE_MS => Patience::Over,
                false => Patience::Lasts,
            };
            sidecar.simulate_now(request, &patience)
        };
        let simulated = worker.work_out(work).await;
        drop(waits);
        simulated.map_err(|_| Refusal::Internal("a simulation panicked".to_owned()))?
    }

    /// Blocks.
    fn simulate_now(&self, request: SimulateRequest, patience: &dyn Fn() -> Patience) -> Answer<Simulation> {
        let parts = &self.parts;
        let reading = parts.clock.read();
        let prepared = parts.ledger.look_apart(|view| simulate::prepare(view, reading.wall, request))?;
        let around = Around {
            reading,
            boot: &parts.boot,
            me: &parts.me,
            limits: &parts.limits,
            project: &parts.project,
            vcs: parts.vcs,
            patience,
        };
        simulate::simulate(prepared, &around, Means::Memory)
    }
}

/// Whether an agent may have to say first what it offers, which is asked by a row of the ledger. Else the simulation itself
/// refuses what cannot be created, and waits for nobody who writes.
fn may_have_to_ask(task: &Task) -> bool {
    match task {
        Task::Prompt(_) => true,
        Task::Command(_) | Task::Notify { .. } => false,
    }
}
