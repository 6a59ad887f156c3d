//! What is assumed before anything happens: who is there, and what is at work.

use super::play::{Play, Window};
use crate::domain::automation::Actor;
use crate::domain::id::InstanceId;
use crate::domain::process::{FileIdentity, ProcessIdentity};
use crate::domain::provider::ProviderKind;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::State;
use crate::domain::scheduler::Role;
use crate::engine::tick::Duty;
use crate::engine::{assign, presence, report};
use crate::ledger::{AgentRow, InstanceRow};

/// How long an agent that is assumed may take to answer, in milliseconds; it takes no time.
const START_MS: i64 = 60_000;

impl Play<'_> {
    /// Makes of the copy what is assumed.
    pub(super) fn prepare(&mut self) -> Result<(), Refusal> {
        self.copy.never_be_silent()?;
        self.find_windows()?;
        self.release_what_is_left()?;
        self.take_up_work()?;
        // Who waited for what is assumed to be over waits for something else now, or for nothing.
        self.decide(self.leader(), assign::go_on_elsewhere)
    }

    /// Who is there, and who rings the bell. Somebody always does.
    fn find_windows(&mut self) -> Result<(), Refusal> {
        for InstanceRow { actor, role, .. } in self.tx.instances()? {
            let duty = match role {
                Role::Participant if self.tx.takes_any_work(&actor.instance)? => Some(Duty::Standby),
                Role::Observer if self.tx.is_there(&actor.instance)? => Some(Duty::Observer),
                // It is about to leave, and looks at nothing any more.
                Role::Participant | Role::Observer => None,
            };
            self.windows.push(Window { actor, duty });
        }
        let rings = self.tx.ringing_instance()?.map(|ringing| ringing.instance);
        let may_ring = |window: &Window| window.duty == Some(Duty::Standby);
        let owner = |window: &Window| may_ring(window) && Some(&window.actor.instance) == rings.as_ref();
        if let Some(place) = self.windows.iter().position(owner) {
            self.windows[place].duty = Some(Duty::Owner);
            return Ok(());
        }
        let place = match self.windows.iter().position(may_ring) {
            Some(place) => place,
            None => self.assume_a_window()?,
        };
        self.windows[place].duty = Some(Duty::Owner);
        self.decide(place, presence::own)
    }

    /// A window that can start every agent as it was known last.
    fn assume_a_window(&mut self) -> Result<usize, Refusal> {
        let actor = Actor { instance: InstanceId::from_unique("assumed"), client: None };
        let instance = actor.instance.clone();
        let nowhere =
            ProcessIdentity { pid: 0, start_time: 0, boot_id: String::new(), pid_namespace: String::new() };
        let row = InstanceRow {
            actor: actor.clone(),
            process: nowhere,
            lock: FileIdentity { device: 0, inode: 0 },
            role: Role::Participant,
            since: self.now,
        };
        self.windows.push(Window { actor, duty: Some(Duty::Standby) });
        let place = self.windows.len() - 1;
        self.decide(place, |tx, context| {
            presence::arrive(tx, &row, "")?;
            let agents = tx.providers()?.into_iter().filter(|row| row.kind == ProviderKind::Acp);
            for provider in agents.map(|row| row.id) {
                let said = tx.said(&provider)?.into_iter();
                let Some(said) = said.max_by_key(|said| (said.failure.is_none(), said.checked_at)) else {
                    continue;
                };
                tx.insert_agent(&AgentRow {
                    provider,
                    instance: instance.clone(),
                    configuration: said.configuration,
                    start_ms: START_MS,
                    since: context.now,
                })?;
            }
            Ok(())
        })?;
        Ok(place)
    }

    /// Of runs that have ended nothing is left.
    fn release_what_is_left(&mut self) -> Result<(), Refusal> {
        for run in self.copy.ended_runs()? {
            self.decide(self.leader(), |tx, context| report::gone(tx, context, &run.run.id))?;
            self.seen.insert(run.run.id);
        }
        Ok(())
    }

    /// What is at work goes on for as long as it takes in all. What waits for a person is not answered.
    fn take_up_work(&mut self) -> Result<(), Refusal> {
        for run in self.copy.active_runs()?.into_iter().filter(|run| run.begun) {
            match (run.run.state(), run.run.started_at()) {
                (State::Running, Some(started_at)) => self.goes_on(&run, started_at),
                (State::Scheduled, _) if run.run.stopping().is_none() => self.start(&run)?,
                (
                    State::Scheduled
                    | State::Running
                    | State::AwaitingInput
                    | State::Succeeded
                    | State::Failed
                    | State::Stopped,
                    _,
                ) => {}
            }
        }
        Ok(())
    }
}
