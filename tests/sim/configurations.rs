//! Windows with different agents of one name: what each has said counts for those that start it in the same way.

use serde_json::{Value, json};
use sexton::domain::fault::Word;
use sexton::domain::id::{ProviderId, RunId};
use sexton::domain::provider::{Provider, ProviderStatus};
use sexton::domain::refusal::Refusal;
use sexton::engine::agents::Start;
use sexton::engine::{create, probe, providers};
use sexton::ledger::AgentRoom;

use crate::app::{AGENT, MODEL};
use crate::closer::{by_hand, given_to};
use crate::drafts::{every, prompt, with};
use crate::world::{Who, World};

impl World {
    /// The window has an agent that is started in this way.
    fn starts(&mut self, who: Who, way: &str) {
        self.try_configure_as(who, way, &[AGENT], Start::AsBefore).unwrap();
    }

    /// The window's own agent is asked, and this is said.
    fn asks(&mut self, who: Who, answer: Result<&[&str], &str>) {
        let id = ProviderId::from_text(AGENT);
        self.decide(who, |tx, context| probe::refresh(tx, context, Some(&id))).unwrap();
        assert_eq!(self.to_ask(who).len(), 1, "its own agent is asked");
        self.answer(who, answer);
    }
}

fn naming(model: &str) -> Value {
    json!({"task": {"kind": "prompt", "prompt": "look", "model": {"providerID": AGENT, "modelID": model}}})
}

fn ask_for(world: &mut World, who: Who, model: &str) -> RunId {
    by_hand(world, who, with(naming(model), json!({"access": "read"}))).1
}

fn name(world: &World, who: Who) -> Option<String> {
    Some(world.window(who).actor.instance.to_string())
}

fn the_agent(world: &World) -> Provider {
    providers::providers(&world.view()).unwrap().remove(0)
}

fn offered(world: &World) -> Vec<String> {
    the_agent(world).models.into_iter().map(|model| model.id).collect()
}

fn world_with_room(agents: i64) -> World {
    let mut world = World::new();
    world.limits.shared.max_agents = agents;
    world
}

#[test]
fn a_prompt_goes_to_a_window_whose_agent_is_known_to_offer_its_model() {
    let mut world = world_with_room(9);
    let (owner, other, unknown) = (world.open(), world.open(), world.open());
    world.starts(owner, "x");
    world.starts(other, "y");
    world.asks(owner, Ok(&["of-x", "both"]));
    world.asks(other, Ok(&["of-y", "both"]));
    assert_eq!(offered(&world), ["of-x", "both", "of-y"]);
    for (model, to) in [("of-x", owner), ("of-y", other), ("both", owner)] {
        let run = ask_for(&mut world, owner, model);
        assert_eq!(given_to(&world, &run), name(&world, to), "{model}");
        world.cancel(owner, &run).unwrap();
    }
    // Whoever was asked for it comes first among those that can.
    let run = ask_for(&mut world, other, "both");
    assert_eq!(given_to(&world, &run), name(&world, other));
    world.cancel(owner, &run).unwrap();
    // Of one that nobody has asked more can be hoped than of one that has failed, or that offers something else.
    world.asks(other, Err("log in first"));
    world.starts(unknown, "z");
    let run = ask_for(&mut world, other, "of-y");
    assert_eq!(given_to(&world, &run), name(&world, unknown));
    assert_eq!(the_agent(&world).status, ProviderStatus::Ready, "one of them can");
    world.audit_all();
}

#[test]
fn a_window_that_serves_a_model_is_given_its_prompts_before_an_agent_that_does_not_offer_it() {
    let mut world = world_with_room(9);
    let (owner, other) = (world.open(), world.open());
    world.starts(owner, "x");
    world.asks(owner, Ok(&["of-x"]));
    world.serve(other, 5);
    let run = ask_for(&mut world, owner, MODEL);
    assert_eq!(given_to(&world, &run), name(&world, other));
    // But it runs no prechecks.
    let precheck = json!({"access": "read", "policy": {"precheck": {"program": "true", "timeoutMs": 1000}}});
    let run = by_hand(&mut world, owner, with(naming(MODEL), precheck)).1;
    assert_eq!(given_to(&world, &run), name(&world, owner));
    world.audit_all();
}

#[test]
fn an_automation_may_name_what_any_of_the_agents_offers_and_those_that_said_nothing_are_asked() {
    let mut world = World::new();
    let (owner, other) = (world.open(), world.open());
    world.starts(owner, "x");
    world.starts(other, "y");
    world.asks(owner, Ok(&["of-x"]));
    let draft = with(every(60), naming("of-y"));
    let params = world.read_create(&draft);
    let asked = world.decide(owner, |tx, context| create::ask_first(tx, context, &params)).unwrap();
    assert!(asked.is_some());
    assert_eq!((world.to_ask(owner).len(), world.to_ask(other).len()), (0, 1), "that one may offer it");
    world.answer(other, Ok(&["of-y"]));
    for who in [owner, other] {
        for model in ["of-x", "of-y"] {
            world.create(who, with(every(60), naming(model)));
        }
        let unknown = with(every(60), naming("of-z"));
        let params = world.read_create(&unknown);
        let asked = world.decide(who, |tx, context| create::ask_first(tx, context, &params)).unwrap();
        assert_eq!(asked, None, "all have said what they offer");
        match world.try_create(who, &unknown) {
            Err(Refusal::InvalidAutomation(faults)) => assert_eq!(faults[0].message, Word::ModelNotFound),
            other => panic!("{other:?}"),
        }
    }
    world.audit_all();
}

#[test]
fn an_answer_is_kept_for_windows_that_start_the_agent_in_the_same_way() {
    let (mut world, owner) = World::with_owner();
    let first = world.open();
    world.starts(first, "x");
    world.asks(first, Ok(&["of-x"]));
    world.die(first);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!(
        (the_agent(&world).status, offered(&world)),
        (ProviderStatus::Unavailable, vec!["of-x".to_owned()])
    );
    let second = world.open();
    world.starts(second, "x");
    assert_eq!((the_agent(&world).status, offered(&world)), (ProviderStatus::Ready, vec!["of-x".to_owned()]));
    world.starts(second, "y");
    let now = the_agent(&world);
    assert_eq!((now.status, now.checked_at, now.models), (ProviderStatus::Unknown, None, vec![]));
    // Neither is a failure that of an agent which is started otherwise now.
    world.asks(second, Err("there is no such program"));
    assert_eq!(the_agent(&world).status, ProviderStatus::Unavailable);
    world.starts(second, "mended");
    assert_eq!(the_agent(&world).status, ProviderStatus::Unknown);
    world.audit_all();
}

#[test]
fn an_answer_that_is_dated_in_the_future_does_not_count() {
    let (mut world, owner) = World::with_owner();
    world.starts(owner, "x");
    world.asks(owner, Ok(&[MODEL]));
    world.now = world.now.plus_ms(-1);
    let params = world.read_create(&prompt(every(60)));
    let asked = world.decide(owner, |tx, context| create::ask_first(tx, context, &params)).unwrap();
    assert!(asked.is_some());
    world.answer(owner, Ok(&[MODEL]));
    world.create(owner, prompt(every(60)));
    world.audit_all();
}

#[test]
fn a_run_that_was_not_begun_is_not_passed_on_to_an_agent_that_does_not_offer_its_model() {
    let mut world = world_with_room(9);
    let (owner, other) = (world.open(), world.open());
    world.starts(owner, "x");
    world.starts(other, "y");
    world.asks(owner, Ok(&[MODEL, "both"]));
    world.asks(other, Ok(&["both"]));
    for (model, to) in [(MODEL, None), ("both", name(&world, other))] {
        let run = ask_for(&mut world, owner, model);
        let run = world.run_row(&run);
        let another = world.view().another_executor(&run, AgentRoom::Some).unwrap();
        assert_eq!(another.map(|id| id.to_string()), to, "{model}");
    }
    world.audit_all();
}
