//! Agents that windows are configured to start: who carries out their prompts, and how many of them there may be.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, ConfigurationId, ProviderId, RunId};
use sexton::domain::provider::{OfferedModel, ProviderKind, ProviderStatus};
use sexton::domain::refusal::Refusal;
use sexton::domain::run::OutputSize;
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::scheduler::Role;
use sexton::engine::agents::{self, ConfiguredAgent, Start};
use sexton::engine::ending::Remains;
use sexton::engine::presence::Left;
use sexton::engine::report::Fence;
use sexton::engine::{probe, providers, report, standby};

use crate::app::{AGENT, MODEL, offer};
use crate::closer::{given_to, said};
use crate::drafts::{prompt, with};
use crate::looking::failure;
use crate::world::{Who, World};

/// How long the agents of these tests may take to say what they offer.
pub(crate) const START_MS: i64 = 60_000;

impl World {
    /// The window has agents for these providers, and for no others, as most windows have them.
    pub(crate) fn try_configure(
        &mut self,
        who: Who,
        providers: &[&str],
        start: Start,
    ) -> Result<(), Refusal> {
        self.try_configure_as(who, "usual", providers, start)
    }

    /// The same, with agents that are started in the way of this name.
    pub(crate) fn try_configure_as(
        &mut self,
        who: Who,
        way: &str,
        providers: &[&str],
        start: Start,
    ) -> Result<(), Refusal> {
        let agent = |provider: &&str| ConfiguredAgent {
            provider: ProviderId::from_text(*provider),
            configuration: ConfigurationId::from_unique(way),
            start_ms: START_MS,
            start,
        };
        let configured: Vec<ConfiguredAgent> = providers.iter().map(agent).collect();
        self.decide(who, |tx, context| agents::configure(tx, context, &configured))
    }

    pub(crate) fn configure(&mut self, who: Who, providers: &[&str]) {
        self.try_configure(who, providers, Start::AsBefore).unwrap();
    }

    /// The window asks all that it is to ask, and this is said.
    pub(crate) fn answer(&mut self, who: Who, answer: Result<&[&str], &str>) {
        for asked in self.to_ask(who) {
            let answer = answer.map(|ids| ids.iter().map(|id| model(id)).collect()).map_err(str::to_owned);
            self.decide(who, |tx, context| probe::ended(tx, context, &asked, answer)).unwrap();
        }
    }

    pub(crate) fn to_ask(&self, who: Who) -> Vec<sexton::ledger::ProbeRow> {
        probe::to_ask(&self.view(), &self.window(who).actor.instance).unwrap()
    }

    /// The window has agents for these, and they have said that they offer the usual model.
    pub(crate) fn has_agents(&mut self, who: Who, ids: &[&str]) {
        self.configure(who, ids);
        self.decide(who, |tx, context| probe::refresh(tx, context, None)).unwrap();
        while !self.to_ask(who).is_empty() {
            self.answer(who, Ok(&[MODEL]));
        }
    }
}

fn model(id: &str) -> OfferedModel {
    OfferedModel { id: id.to_owned(), name: id.to_owned(), variants: vec!["careful".to_owned()] }
}

/// A prompt that only reads, so that nothing but agents keeps it waiting, asked for by hand.
fn ask(world: &mut World, who: Who) -> (AutomationId, RunId) {
    crate::closer::by_hand(world, who, with(prompt(json!({})), json!({"access": "read"})))
}

fn command(world: &mut World, who: Who, access: &str) -> (AutomationId, RunId) {
    let fields: Value = json!({"access": access});
    crate::closer::by_hand(world, who, fields)
}

/// An agent begins to work on a run, and is known on disk.
fn begin(world: &mut World, who: Who, run: &RunId) {
    assert_eq!(world.begin(who, run).unwrap(), Fence::Go, "{run} begins");
}

#[test]
fn as_many_agents_are_at_work_as_the_owner_lets_and_what_else_can_go_goes() {
    let (mut world, owner) = World::with_owner();
    world.has_agents(owner, &[AGENT]);
    let asked: Vec<RunId> = (0..3).map(|_| ask(&mut world, owner).1).collect();
    let (_, command) = command(&mut world, owner, "read");
    let words = |world: &World| asked.iter().map(|run| said(world, run)).collect::<Vec<_>>();
    assert_eq!(words(&world), ["manual scheduled", "manual scheduled capacity", "manual scheduled capacity"]);
    assert!(given_to(&world, &command).is_some(), "no agent holds it up");
    // In the order in which they came.
    world.cancel(owner, &asked[0]).unwrap();
    assert_eq!(words(&world), ["manual stopped cancelled", "manual scheduled", "manual scheduled capacity"]);
    world.cancel(owner, &asked[1]).unwrap();
    assert_eq!(words(&world)[2], "manual scheduled");
    world.audit_all();
}

#[test]
fn an_agent_that_has_ended_and_is_still_there_takes_the_place_of_another() {
    let (mut world, owner) = World::with_owner();
    world.has_agents(owner, &[AGENT]);
    let (_, first) = ask(&mut world, owner);
    begin(&mut world, owner, &first);
    let (_, second) = ask(&mut world, owner);
    let left = Left { process: None, output: OutputSize::default(), remains: Remains::Guard };
    world.decide(owner, |tx, context| standby::ended_for(tx, context, &first, left)).unwrap();
    assert_eq!(said(&world, &second), "manual scheduled capacity");
    world.decide(owner, |tx, context| report::gone(tx, context, &first)).unwrap();
    assert_eq!(said(&world, &second), "manual scheduled");
    world.audit_all();
}

#[test]
fn the_limit_is_the_owners_whichever_window_has_the_agents() {
    let mut world = World::new();
    world.limits.shared.max_agents = 2;
    let owner = world.open();
    let other = world.open();
    world.has_agents(other, &["a", AGENT]);
    world.limits.shared.max_agents = 50;
    let runs: Vec<RunId> = (0..3).map(|_| ask(&mut world, other).1).collect();
    let given: Vec<bool> = runs.iter().map(|run| given_to(&world, run).is_some()).collect();
    assert_eq!(given, [true, true, false]);
    world.die(owner);
    world.open();
    world.settle_dead_peers(other).unwrap();
    world.try_the_bell(other).unwrap();
    world.settle();
    assert!(given_to(&world, &runs[2]).is_some(), "another owner lets more of them");
    world.audit_all();
}

#[test]
fn what_a_window_serves_is_not_counted_among_agents() {
    let (mut world, owner) = World::with_owner();
    world.has_agents(owner, &["a"]);
    world.serve(owner, 2);
    let by_agent = |world: &mut World| {
        let model = json!({"providerID": "a", "modelID": MODEL});
        let task = json!({"kind": "prompt", "prompt": "look", "model": model});
        crate::closer::by_hand(world, owner, json!({"task": task, "access": "read"})).1
    };
    let (first, second) = (by_agent(&mut world), by_agent(&mut world));
    let served = [ask(&mut world, owner).1, ask(&mut world, owner).1, ask(&mut world, owner).1];
    world.settle();
    assert_eq!(said(&world, &first), "manual running");
    assert_eq!(said(&world, &second), "manual scheduled capacity");
    let served: Vec<String> = served.iter().map(|run| said(&world, run)).collect();
    assert_eq!(served, ["manual running", "manual running", "manual scheduled executor"]);
    world.audit_all();
}

#[test]
fn where_one_window_serves_a_provider_and_another_has_an_agent_for_it_either_carries_it_out() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    world.serve(owner, 1);
    world.configure(other, &[AGENT]);
    let runs: Vec<RunId> = (0..3).map(|_| ask(&mut world, owner).1).collect();
    let to = |world: &World, place: usize| given_to(world, &runs[place]);
    let name = |world: &World, who: Who| Some(world.window(who).actor.instance.to_string());
    assert_eq!(to(&world, 0), name(&world, owner));
    assert_eq!(to(&world, 1), name(&world, other));
    assert_eq!(said(&world, &runs[2]), "manual scheduled capacity");
    let listed = providers::providers(&world.view()).unwrap();
    assert_eq!((listed[0].kind, listed[0].status), (ProviderKind::Acp, ProviderStatus::Ready));
    world.audit_all();
}

#[test]
fn what_leaves_the_configuration_is_given_nothing_more_and_what_it_has_begun_goes_on() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.max_agents = 2;
    world.die(owner);
    let owner = world.open();
    world.has_agents(owner, &[AGENT, "b"]);
    let (_, begun) = ask(&mut world, owner);
    begin(&mut world, owner, &begun);
    let (_, given) = ask(&mut world, owner);
    let (_, waiting) = ask(&mut world, owner);
    world.configure(owner, &["b"]);
    assert_eq!(world.run_row(&begun).given_to.as_ref(), Some(&world.window(owner).actor.instance));
    for run in [&given, &waiting] {
        let error = failure(&world, run);
        assert!(error.message.contains("has an agent for agent/large"), "{error:?}");
        assert_eq!(error.code, ErrorCode::ProviderUnavailable, "{run}");
    }
    let view = world.view();
    assert_eq!(
        view.carried_by(&world.window(owner).actor.instance, &ProviderId::from_text(AGENT)).unwrap(),
        None
    );
    assert_eq!(view.agents_at_work().unwrap(), 1, "it is counted as long as it is there");
    let listed = providers::providers(&view).unwrap();
    assert_eq!(listed[0].status, ProviderStatus::Unavailable);
    assert!(listed[0].reason.as_ref().unwrap().contains("no window that is open"), "{listed:?}");
    assert_eq!(listed[0].models.len(), 1, "what it said last is remembered");
    world.audit_all();
}

#[test]
fn a_window_serves_no_provider_that_it_has_an_agent_for_and_the_other_way_round() {
    let (mut world, owner) = World::with_owner();
    world.configure(owner, &["a"]);
    let refused = world.try_serve(owner, offer("a", &[(MODEL, &[])], 1)).unwrap_err();
    assert!(refused.to_string().contains("an agent is configured for a in this window"), "{refused}");
    world.serve(owner, 1);
    let refused = world.try_configure(owner, &["b", AGENT], Start::AsBefore).unwrap_err();
    assert!(refused.to_string().contains("this window serves agent itself"), "{refused}");
    let kinds = |world: &World| {
        let kind =
            |id| world.view().carried_by(&world.window(owner).actor.instance, &ProviderId::from_text(id));
        ["a", "b", AGENT].map(|id| kind(id).unwrap())
    };
    assert_eq!(kinds(&world), [Some(ProviderKind::Acp), None, Some(ProviderKind::Served)]);
    world.audit_all();
}

#[test]
fn an_agent_of_an_observer_is_for_what_that_one_was_asked_for() {
    let (mut world, owner) = World::with_owner();
    let observer = world.open_as(Role::Observer);
    world.has_agents(observer, &[AGENT]);
    let listed = providers::providers(&world.view()).unwrap();
    assert!(listed[0].reason.as_ref().unwrap().contains("could start the agent"), "{listed:?}");
    let (_, its_own) = ask(&mut world, observer);
    let me = world.window(observer).actor.instance.to_string();
    assert_eq!(given_to(&world, &its_own), Some(me));
    let (_, of_the_owner) = ask(&mut world, owner);
    let error = failure(&world, &of_the_owner);
    assert_eq!(error.code, ErrorCode::ProviderUnavailable);
    world.audit_all();
}
