//! Opens a project: everything that `initialize` waits for, in order.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::agents::Agents;
use super::clock::Clock;
use super::config::Environment;
use super::health::Health;
use super::located::Located;
use super::main_loop::{self, Locks};
use super::simulating::Simulations;
use super::state_directory::{self, StateDirectory};
use super::{FreshIds, Parts, Sidecar, bell, configuration, following, listening, peers, project};
use crate::domain::automation::Actor;
use crate::domain::clock::Boot;
use crate::domain::configuration::Configuration;
use crate::domain::id::{IdSource, InstanceId, LedgerId, RunId};
use crate::domain::refusal::{Refusal, StorageReason};
use crate::domain::schedule::zone::zone_data;
use crate::domain::scheduler::Role;
use crate::engine::presence::{arrive, withdraw};
use crate::engine::{Context, agents};
use crate::exec::{self, GuardProgram, Watched};
use crate::failpoint::Failpoints;
use crate::ledger::{InstanceRow, Ledger, Outside, Tx};
use crate::presence::doorbell::Doorbell;
use crate::presence::instance;
use crate::presence::lock_file::{self, HeldLock};
use crate::rpc::backend::{Answer, Host};
use crate::rpc::initialize::{
    Capabilities, ConfigFile, InitializeParams, InitializeResult, PROTOCOL_VERSION,
    Project as ProjectOnTheWire, SchedulerRole, ServerInfo, TimeZoneData,
};

/// This build's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Opens projects for one process.
pub struct SidecarHost {
    environment: Environment,
    working_directory: PathBuf,
    guard: GuardProgram,
    failpoints: Failpoints,
}

impl SidecarHost {
    /// A host in this environment, with the working directory that a client's relative paths count from.
    ///
    /// # Errors
    /// A sentence if the environment chooses what is not to be had.
    pub fn new(
        environment: Environment,
        working_directory: PathBuf,
        guard: GuardProgram,
    ) -> Result<Self, String> {
        let failpoints = environment.failpoints()?;
        let guard = guard.failing_at(failpoints.clone());
        Ok(SidecarHost { environment, working_directory, guard, failpoints })
    }
}

impl Host for SidecarHost {
    type Backend = Sidecar;

    async fn initialize(&self, params: InitializeParams) -> Answer<(InitializeResult, Sidecar)> {
        let clock = Clock;
        let Located { project, root } = self.locate(&params)?;
        let StateDirectory { path: state, warning } = state_directory::prepare(&root, &project.id)?;
        let fresh_id = LedgerId::from_unique(&FreshIds.unique());
        // Opening may wait for other processes; what listens for a signal must not wait with it.
        let (path, directory) = (state.clone(), project.directory.clone());
        let (health, doorbell) = (Arc::new(Health::default()), Doorbell::of(&state));
        let (by, rung, failpoints) = (health.clone(), doorbell.clone(), self.failpoints.clone());
        let outside = Outside {
            bell: Box::new(move || listening::ring_after_commit(&rung, &by, &failpoints)),
            clock: Box::new(move || clock.now()),
            who_locks: Box::new(lock_file::who_locks),
            failpoints: self.failpoints.clone(),
        };
        let opening = tokio::task::spawn_blocking(move || {
            Ledger::open(&path, &directory, fresh_id, clock.now(), outside)
        });
        let ledger = opening.await.map_err(|error| Refusal::Internal(error.to_string()))??;
        let inside_run = self.inside_run(&ledger).await?;
        let mut warnings: Vec<String> = warning.into_iter().collect();
        let role = match &inside_run {
            None => params.role,
            Some(run) => {
                warnings.push(format!(
                    "this process was started by run {run} of this project (SEXTON_RUN_ID), so it is an observer: it may look but not change anything, except pause that run's automation"
                ));
                Role::Observer
            }
        };
        let me = Actor { instance: InstanceId::from_unique(&FreshIds.unique()), client: params.client };
        let locks_failed = |error: std::io::Error| Refusal::Storage {
            reason: StorageReason::from(&error),
            message: format!(
                "no lock could be taken in {}: {error}; see that the directory can be written, or choose another with SEXTON_STATE_DIR",
                state.display()
            ),
        };
        let file = self.read_configuration(&mut warnings).await?;
        let agents = match &inside_run {
            None => Agents::new(params.configuration, file.clone().unwrap_or_default()),
            // It may carry out nothing, and what it may look at the ledger tells.
            Some(_) => Agents::default(),
        };
        let lock = instance::take_own(&state, &me.instance).map_err(locks_failed)?;
        let process = exec::own_identity().map_err(locks_failed)?;
        let since = clock.now();
        let row = InstanceRow { actor: me.clone(), process, lock: lock.identity(), role, since };
        let (role_now, role) = watch::channel(role);
        let parent = params.process.and_then(|pid| watch_parent(pid, &mut warnings));
        let (leave, asked_to_leave) = mpsc::channel(1);
        let sidecar = Sidecar {
            parts: Arc::new(Parts {
                ledger,
                clock,
                boot: Boot::from_text(exec::boot_of_clocks()),
                me,
                since,
                role,
                limits: params.limits,
                inside_run,
                project: project.directory.clone(),
                vcs: project.vcs,
                state,
                configuration_file: self.environment.configuration_file(),
                guard: self.guard.clone(),
                failpoints: self.failpoints.clone(),
                parent,
                environment: params.environment,
                inherited: self.environment.texts(),
                leave,
                left: watch::Sender::new(false),
                agents,
                servings: Arc::default(),
                simulations: Simulations::default(),
                health,
            }),
        };
        if let Some(warning) = sidecar.parts.ledger.warning() {
            tracing::warn!("{warning}");
            warnings.push(warning.to_owned());
        }
        let (locks, seq) = sidecar.open(row, lock, &mut warnings).await?;
        let result = sidecar.introduce(&project, locks.owner.is_some(), seq, warnings);
        tokio::spawn(listening::listen(sidecar.clone(), doorbell));
        if let (ConfigFile::Followed, Some(path)) =
            (params.config_file, sidecar.parts.configuration_file.clone())
        {
            tokio::spawn(following::follow(sidecar.clone(), path, file));
        }
        main_loop::start(sidecar.clone(), locks, role_now, asked_to_leave);
        Ok((result, sidecar))
    }
}

impl SidecarHost {
    fn locate(&self, params: &InitializeParams) -> Answer<Located> {
        Located::of(params, &self.environment, &self.working_directory)
    }

    /// Where the ledger would be that these parameters open, if nobody has ever opened it: so that who only wants to look
    /// makes none.
    ///
    /// # Errors
    /// As [`Host::initialize`], for what is named.
    pub fn missing_ledger(&self, params: &InitializeParams) -> Answer<Option<PathBuf>> {
        let state = self.locate(params)?.state();
        // What cannot be looked at is told of by opening it.
        let nobody_was_there = state.try_exists().is_ok_and(|exists| !exists);
        Ok(nobody_was_there.then_some(state))
    }

    /// The run that this process was started by, if the ledger has it.
    async fn inside_run(&self, ledger: &Ledger) -> Answer<Option<RunId>> {
        let Some(run) = self.environment.run_id() else { return Ok(None) };
        let look = ledger.read(move |view| Ok(view.automation_of_run(&run)?.map(|_| run)));
        look.await
    }

    /// What the user's configuration file means now. What is wrong with it keeps no window from opening.
    async fn read_configuration(&self, warnings: &mut Vec<String>) -> Answer<Result<Configuration, String>> {
        let Some(file) = self.environment.configuration_file() else {
            return Ok(Ok(Configuration::default()));
        };
        let reading = tokio::task::spawn_blocking(move || configuration::read(&file)).await;
        let found = reading.map_err(|error| Refusal::Internal(error.to_string()))?;
        let meaning = found.meaning();
        warnings.extend(meaning.as_ref().err().cloned());
        Ok(meaning)
    }
}

/// Watches the process that this sidecar works for. One that cannot be watched, as in another pid namespace, is no
/// reason not to work: the end of the input tells as well.
fn watch_parent(pid: u32, warnings: &mut Vec<String>) -> Option<Watched> {
    match Watched::begin(pid) {
        Ok(watched) => Some(watched),
        Err(error) => {
            let warning = format!(
                "process {pid} (`processId`) is not watched: {error}; close stdin when the window has gone, or send null if nobody is to be watched"
            );
            tracing::warn!("{warning}");
            warnings.push(warning);
            None
        }
    }
}

impl Sidecar {
    /// Enters this instance, settles dead ones, and, as a participant, tries to become the owner. After a failure
    /// nothing of this instance is left.
    async fn open(
        &self,
        row: InstanceRow,
        instance: HeldLock,
        warnings: &mut Vec<String>,
    ) -> Result<(Locks, i64), Refusal> {
        let me = row.actor.instance.clone();
        match self.enter_and_own(row, warnings).await {
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

    async fn enter_and_own(
        &self,
        row: InstanceRow,
        warnings: &mut Vec<String>,
    ) -> Result<(Option<HeldLock>, i64), Refusal> {
        let role = row.role;
        // The term of whoever has died ends when that is settled, and only then may the next one begin. Where nobody else
        // is there is nothing to be settled, and one sync of the disk is enough for both.
        let alone = self.parts.ledger.read(|view| Ok(view.instances()?.is_empty())).await?;
        let mut owner = if alone { self.take_bell(role, warnings) } else { None };
        if owner.is_some() {
            bell::enter_with_a_term(self, self.entry(row)).await?;
        } else {
            self.decide(self.entry(row)).await?;
            peers::see_the_dead_settled(self).await?;
        }
        if !alone {
            owner = self.take_bell(role, warnings);
            if owner.is_some() {
                bell::begin_term(self).await?;
            }
        }
        let seq = self.parts.ledger.read(|view| Ok(view.newest_seq()?)).await?;
        Ok((owner, seq))
    }

    /// What is written when this instance enters.
    fn entry(
        &self,
        row: InstanceRow,
    ) -> impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<(), Refusal> + Send + 'static {
        let configured = self.parts.agents.configured(self.parts.ledger.id());
        move |tx, context| {
            arrive(tx, &row, VERSION)?;
            agents::configure(tx, context, &configured)
        }
    }

    fn take_bell(&self, role: Role, warnings: &mut Vec<String>) -> Option<HeldLock> {
        match role {
            Role::Participant => bell::try_to_take(&self.parts).unwrap_or_else(|warning| {
                warnings.push(warning);
                None
            }),
            Role::Observer => None,
        }
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
            capabilities: Capabilities {
                methods: Vec::new(),
                tasks: vec!["command", "prompt", "notify"],
                features: Vec::new(),
            },
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
