//! `automation/simulate`: finds out what will happen, on a thread of its own and in a copy of the ledger, so that nobody
//! waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;

use super::Sidecar;
use crate::domain::draft::{Commitment, CreateParams};
use crate::domain::refusal::Refusal;
use crate::domain::simulation::{SimulateRequest, Simulation};
use crate::engine::simulate::{self, Around, Means};
use crate::rpc::backend::{Answer, Backend};
use crate::rpc::caller::Caller;

/// Simulations that one window has worked out at once. Each keeps one processor busy and has a copy of its own in memory;
/// people look at one.
const AT_ONCE: usize = 2;

/// Who may have something worked out now.
pub(super) struct Simulations(Arc<Semaphore>);

impl Default for Simulations {
    fn default() -> Self {
        Simulations(Arc::new(Semaphore::new(AT_ONCE)))
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
        let Ok(place) = self.parts.simulations.0.clone().try_acquire_owned() else {
            return Err(Refusal::Overloaded(format!(
                "{AT_ONCE} simulations are worked out already; wait for one of them, or cancel it"
            )));
        };
        if let Some(draft) = request.draft.clone() {
            // It is refused for what its creation would be refused for, and agents are asked what that needs to know. This
            // can be cancelled all the while, so it goes without the permit of the request.
            let params = CreateParams { draft, commitment: Commitment::DryRun, key: None };
            self.create(params, Caller::default()).await?;
        }
        // What this client has changed before it sees.
        self.parts.ledger.read(|_| Ok(())).await?;
        let given_up = Arc::new(AtomicBool::new(false));
        let waits = Waits(given_up.clone());
        let sidecar = self.clone();
        let work = move || {
            let simulation = sidecar.simulate_now(request, &|| given_up.load(Ordering::Relaxed));
            drop(place);
            simulation
        };
        let simulated = tokio::task::spawn_blocking(work).await;
        drop(waits);
        simulated.map_err(|error| Refusal::Internal(format!("a simulation panicked: {error}")))?
    }

    /// Blocks.
    fn simulate_now(&self, request: SimulateRequest, given_up: &dyn Fn() -> bool) -> Answer<Simulation> {
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
            given_up,
        };
        simulate::simulate(prepared, &around, Means::Memory)
    }
}
