//! What windows do to close: they ask, find what is ready, carry it out, and tell how that ended.
//!
//! This follows `sidecar::closing`.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, IdSource, RunId, SubscriptionId};
use sexton::domain::lifecycle::{CloseKind, CloseMode, CloseRequest, Extent, LifecycleStatus};
use sexton::domain::refusal::Refusal;
use sexton::domain::scheduler::Role;
use sexton::engine::close::{self, Accepted, ReadyClose};
use sexton::engine::hold;
use sexton::ledger::EventFilter;

use crate::drafts::{every, with};
use crate::looking::words;
use crate::world::{Who, World};

/// All in which a window works.
pub(crate) const PROJECT: &[&str] = &[];

impl World {
    /// Asks for a close: of the whole project, if no directories are named.
    pub(crate) fn try_close(
        &mut self,
        who: Who,
        kind: CloseKind,
        mode: CloseMode,
        directories: &[&str],
    ) -> Result<Accepted, Refusal> {
        let extent = match directories {
            PROJECT => Extent::Project,
            some => Extent::Directories(some.iter().map(|&one| one.to_owned()).collect()),
        };
        self.decide(who, |tx, context| close::close(tx, context, CloseRequest { kind, mode, extent }))
    }

    pub(crate) fn try_hold(&mut self, who: Who, directory: &str) -> Result<SubscriptionId, Refusal> {
        let id = SubscriptionId::from_unique(&self.ids.unique());
        let (hold, directory) = (id.clone(), directory.to_owned());
        self.decide(who, |tx, context| hold::hold(tx, context, hold, directory, "a turn".to_owned()))?;
        Ok(id)
    }

    pub(crate) fn release(&mut self, who: Who, id: &SubscriptionId) -> Result<(), Refusal> {
        self.decide(who, |tx, context| hold::release(tx, context, id))
    }

    /// Carries out what is ready, in its order.
    pub(crate) fn carry_out_closes(&mut self, who: Who) -> Result<(), Refusal> {
        for ready in self.ready(who) {
            self.carry_out(who, &ready)?;
        }
        Ok(())
    }

    pub(crate) fn ready(&self, who: Who) -> Vec<ReadyClose> {
        close::ready(&self.view(), &self.window(who).actor.instance).unwrap()
    }

    /// What has to be done outside of the ledger, and then the end.
    fn carry_out(&mut self, who: Who, ready: &ReadyClose) -> Result<(), Refusal> {
        let outcome = match self.closes_fail {
            true => Err("it could not be read".to_owned()),
            false => Ok(()),
        };
        let gives_up = match ready.kind {
            CloseKind::Reload => false,
            CloseKind::Dispose | CloseKind::Shutdown => ready.extent == Extent::Project,
        };
        if gives_up && outcome.is_ok() {
            self.release_bell(who);
            let window = self.window_mut(who);
            window.believes_to_own = false;
            window.role = Role::Observer;
        }
        let told = self.decide(who, |tx, context| close::complete(tx, context, &ready.id, outcome))?;
        assert_eq!(told.map(|told| told.id).as_ref(), Some(&ready.id), "what was ready is told of");
        let me = &self.window(who).actor.instance;
        let rows = self.view().instances().unwrap();
        let role = rows.into_iter().find(|row| row.actor.instance == *me).map(|row| row.role);
        self.window_mut(who).role = role.unwrap_or(Role::Observer);
        Ok(())
    }
}

pub(crate) fn by_hand(world: &mut World, who: Who, fields: Value) -> (AutomationId, RunId) {
    let id = world.create(who, with(with(every(60), json!({"paused": true})), fields));
    let run = world.run(who, &id);
    (id, run)
}

/// A run that its window is at work on.
pub(crate) fn at_work(world: &mut World, who: Who) -> RunId {
    let (_, run) = by_hand(world, who, json!({}));
    world.settle();
    assert_eq!(world.carrier_of(&run), Some(who));
    run
}

pub(crate) fn said(world: &World, run: &RunId) -> String {
    words(&world.run_row(run).run)
}

pub(crate) fn given_to(world: &World, run: &RunId) -> Option<String> {
    world.run_row(run).given_to.map(|instance| instance.to_string())
}

/// What was told of closes, in order.
pub(crate) fn told(world: &World) -> Vec<String> {
    let kinds = ["lifecycle.completed", "lifecycle.failed"].map(str::to_owned).to_vec();
    let filter = EventFilter { kinds, automation: None };
    let events = world.view().events_after(0, &filter, usize::MAX).unwrap();
    let words = events.iter().map(|event| {
        let lifecycle = serde_json::from_str::<Value>(&event.payload).unwrap()["lifecycle"].take();
        let of = |name: &str| lifecycle[name].as_str().unwrap().to_owned();
        format!("{} {} {}", event.kind.rsplit('.').next().unwrap(), of("kind"), of("mode"))
    });
    words.collect()
}

/// A close that is accepted.
pub(crate) fn close(world: &mut World, who: Who, kind: CloseKind, mode: CloseMode) -> Accepted {
    world.try_close(who, kind, mode, PROJECT).unwrap()
}

pub(crate) fn status(world: &World, who: Who) -> LifecycleStatus {
    close::status(&world.view(), &world.window(who).actor.instance).unwrap()
}

pub(crate) fn role(world: &World, who: Who) -> Role {
    let rows = world.view().instances().unwrap();
    rows.into_iter().find(|row| row.actor == world.window(who).actor).unwrap().role
}
