//! Opens a project: everything that `initialize` waits for, in order.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::clock::Clock;
use super::config::Environment;
use super::main_loop::{self, Locks};
use super::state_directory::{self, StateDirectory};
use super::{FreshIds, Parts, Sidecar, project};
use crate::domain::automation::Actor;
use crate::domain::id::{IdSource, InstanceId, LedgerId};
use crate::domain::process::ProcessIdentity;
use crate::domain::refusal::{Refusal, StorageReason};
use crate::domain::schedule::zone::{Zone, zone_data};
use crate::engine::presence::{arrive, bury, own, withdraw};
use crate::exec::{self, GuardProgram};
use crate::ledger::{InstanceRow, Ledger};
use crate::presence::instance::{self, Peer};
use crate::presence::lock_file::{Attempt, HeldLock, IfMissing, try_take};
use crate::rpc::backend::{Answer, Host};
use crate::rpc::initialize::{
    Capabilities, InitializeParams, InitializeResult, PROTOCOL_VERSION, Project as ProjectOnTheWire,
    SchedulerRole, ServerInfo, TimeZoneData,
};

/// This build's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Opens projects for one process.
pub struct SidecarHost {
    environment: Environment,
    working_directory: PathBuf,
    guard: GuardProgram,
}

impl SidecarHost {
    /// A host in this environment, with the working directory that a client's relative paths count from.
    pub fn new(environment: Environment, working_directory: PathBuf, guard: GuardProgram) -> Self {
        SidecarHost { environment, working_directory, guard }
    }
}

impl Host for SidecarHost {
    type Backend = Sidecar;

    async fn initialize(&self, params: InitializeParams) -> Answer<(InitializeResult, Sidecar)> {
        let clock = Clock;
        let project = project::find(params.directory.as_ref(), &self.working_directory)?;
        let root = match &params.state_directory {
            Some(chosen) => self.working_directory.join(chosen),
            None => self.environment.state_root().ok_or_else(state_directory::unknown_root)?,
        };
        let root = self.working_directory.join(root);
        let StateDirectory { path: state, warning } = state_directory::prepare(&root, &project.id)?;
        let fresh_id = LedgerId::from_unique(&FreshIds.unique());
        let ledger = Ledger::open(&state, &project.directory, fresh_id, clock.now())?;
        let me = Actor { instance: InstanceId::from_unique(&FreshIds.unique()), client: params.client };
        let locks_failed = |error: std::io::Error| Refusal::Storage {
            reason: StorageReason::Io,
            message: format!("no lock could be taken in {}: {error}", state.display()),
        };
        let lock = instance::take_own(&state, &me.instance).map_err(locks_failed)?;
        let process = exec::own_identity().map_err(locks_failed)?;
        let row = InstanceRow { actor: me.clone(), process, lock: lock.identity(), since: clock.now() };
        let (leave, asked_to_leave) = mpsc::channel(1);
        let sidecar = Sidecar {
            parts: Arc::new(Parts {
                ledger,
                clock,
                me,
                limits: params.limits,
                project: project.directory.clone(),
                state,
                machine_zone: Zone::machine(),
                guard: self.guard.clone(),
                environment: params.environment,
                inherited: self.environment.texts(),
                leave,
                left: watch::Sender::new(false),
            }),
        };
        let (locks, seq) = sidecar.open(row, lock).await?;
        let warnings = warning.into_iter().collect();
        let result = sidecar.introduce(&project, locks.owner.is_some(), seq, warnings);
        main_loop::start(sidecar.clone(), locks, asked_to_leave);
        Ok((result, sidecar))
    }
}

impl Sidecar {
    /// Enters this instance, settles dead ones, and tries to become the owner. After a failure nothing of this
    /// instance is left.
    async fn open(&self, row: InstanceRow, instance: HeldLock) -> Result<(Locks, i64), Refusal> {
        let me = row.actor.instance.clone();
        match self.enter_and_own(row).await {
            Ok((owner, seq)) => Ok((Locks { instance, owner }, seq)),
            Err(refusal) => {
                if let Err(error) = self.decide(move |tx, context| withdraw(tx, context, &me)).await {
                    tracing::warn!(%error, "this instance's row could not be removed; the next window settles it");
                }
                instance.remove();
                Err(refusal)
            }
        }
    }

    async fn enter_and_own(&self, row: InstanceRow) -> Result<(Option<HeldLock>, i64), Refusal> {
        self.enter(row).await?;
        let owner = match try_take(&self.parts.state.join("owner.lock"), IfMissing::Create) {
            Ok(Attempt::Taken(held)) => Some(held),
            Ok(Attempt::HeldByAnother | Attempt::Missing) => None,
            Err(error) => {
                tracing::error!(%error, "the owner lock cannot be taken; this window fires no timers");
                None
            }
        };
        if owner.is_some() {
            self.decide(own).await?;
        }
        let seq = self.parts.ledger.read(|view| Ok(view.newest_seq()?)).await?;
        Ok((owner, seq))
    }

    async fn enter(&self, row: InstanceRow) -> Result<(), Refusal> {
        let peers = self.parts.ledger.read(|view| Ok(view.instances()?)).await?;
        self.decide(move |tx, _| arrive(tx, &row, VERSION)).await?;
        for peer in peers {
            self.settle_if_dead(&peer).await?;
        }
        Ok(())
    }

    /// Settles what a dead peer left, while nobody else can: its lock is held meanwhile.
    async fn settle_if_dead(&self, peer: &InstanceRow) -> Result<(), Refusal> {
        let id = peer.actor.instance.clone();
        let lock = match instance::look_at(&self.parts.state, &id, peer.lock) {
            Ok(Peer::Alive) => return Ok(()),
            Ok(Peer::Dead(lock)) => Some(lock),
            Ok(Peer::AskItsProcess) if is_alive(&peer.process) => return Ok(()),
            Ok(Peer::AskItsProcess) => None,
            Err(error) => {
                tracing::warn!(%error, instance = %id, "cannot tell whether a peer is alive; it is left alone");
                return Ok(());
            }
        };
        tracing::info!(instance = %id, "a peer has died; what it left is settled");
        self.decide(move |tx, context| bury(tx, context, &id)).await?;
        if let Some(lock) = lock {
            lock.remove();
        }
        Ok(())
    }

    fn introduce(
        &self,
        project: &project::Project,
        owner: bool,
        seq: i64,
        warnings: Vec<String>,
    ) -> InitializeResult {
        let zones = zone_data();
        InitializeResult {
            protocol_version: PROTOCOL_VERSION,
            server_info: ServerInfo { name: "sexton", version: VERSION },
            capabilities: Capabilities { methods: Vec::new(), tasks: vec!["command"], features: Vec::new() },
            instance_id: self.parts.me.instance.clone(),
            ledger_id: self.parts.ledger.id().clone(),
            project: ProjectOnTheWire {
                id: project.id.clone(),
                directory: project.directory.clone(),
                vcs: project.vcs,
            },
            state_directory: self.parts.state.to_string_lossy().into_owned(),
            scheduler: SchedulerRole { owner },
            seq,
            time_zone_data: TimeZoneData { version: zones.version.clone(), source: zones.source.clone() },
            warnings,
        }
    }
}

/// A process in another namespace cannot be seen from here: it is taken for alive.
fn is_alive(process: &ProcessIdentity) -> bool {
    exec::is_alive(process)
}
