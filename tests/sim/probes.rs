//! Agents are asked what they offer: by whom, how often, and what becomes of it.

use serde_json::{Value, json};
use sexton::domain::fault::Word;
use sexton::domain::id::{ProbeId, ProviderId, RunId};
use sexton::domain::provider::{Provider, ProviderStatus};
use sexton::domain::refusal::Refusal;
use sexton::domain::request::UpdateRequest;
use sexton::domain::scheduler::Role;
use sexton::domain::sent::Sent;
use sexton::engine::agents::Start;
use sexton::engine::ending::Remains;
use sexton::engine::probe::{self, Refreshing};
use sexton::engine::{create, providers, report, standby, update};
use sexton::ledger::EventFilter;

use crate::agents::START_MS;
use crate::app::{AGENT, MODEL};
use crate::closer::by_hand;
use crate::drafts::{every, prompt, with};
use crate::window::dead_work;
use crate::world::{Who, World};

const MINUTE: i64 = 60_000;

/// How long a window may take to say what an agent offers.
const LONGEST_MS: i64 = 3 * START_MS + probe::PATIENCE_MS;

fn refresh(world: &mut World, who: Who) -> Refreshing {
    let id = ProviderId::from_text(AGENT);
    world.decide(who, |tx, context| probe::refresh(tx, context, Some(&id))).unwrap()
}

fn the_agent(world: &World) -> Provider {
    providers::providers(&world.view()).unwrap().into_iter().find(|it| it.id.as_str() == AGENT).unwrap()
}

/// The answers that were told, in words.
fn told(world: &World) -> Vec<String> {
    let filter = EventFilter { kinds: vec!["provider.updated".to_owned()], automation: None };
    let events = world.view().events_after(0, &filter, 1000).unwrap();
    let words = events.iter().map(|event| {
        let provider = serde_json::from_str::<Value>(&event.payload).unwrap()["provider"].take();
        format!("{} {}", provider["status"].as_str().unwrap(), provider["models"].as_array().unwrap().len())
    });
    words.collect()
}

/// What is asked before it can be decided whether this is created.
fn asked_first(world: &mut World, who: Who, draft: &Value) -> Option<ProbeId> {
    let params = world.read_create(draft);
    world.decide(who, |tx, context| create::ask_first(tx, context, &params)).unwrap()
}

fn faults(world: &mut World, who: Who, draft: &Value) -> Vec<(String, Word, String)> {
    match world.try_create(who, draft) {
        Ok(_) => Vec::new(),
        Err(Refusal::InvalidAutomation(faults)) => {
            let told =
                |fault: sexton::domain::fault::Fault| (fault.field, fault.message, fault.hint.unwrap());
            faults.into_iter().map(told).collect()
        }
        Err(refusal) => panic!("{refusal}"),
    }
}

/// A run that the agent is at work on.
fn at_work(world: &mut World, who: Who) -> RunId {
    let run = by_hand(world, who, with(prompt(json!({})), json!({"access": "read"}))).1;
    world.begin(who, &run).unwrap();
    run
}

#[test]
fn an_agent_is_asked_once_by_the_window_that_wants_to_know_and_all_share_the_answer() {
    let (mut world, owner) = World::with_owner();
    let (first, second) = (world.open(), world.open());
    for who in [owner, first, second] {
        world.configure(who, &[AGENT]);
    }
    assert_eq!((the_agent(&world).status, the_agent(&world).checked_at), (ProviderStatus::Unknown, None));
    let draft = prompt(every(60));
    let asked = asked_first(&mut world, first, &draft).unwrap();
    for who in [owner, first, second] {
        assert_eq!(asked_first(&mut world, who, &draft).as_ref(), Some(&asked), "the same question");
        assert_eq!(refresh(&mut world, who).asked.as_slice(), std::slice::from_ref(&asked));
        assert_eq!(world.to_ask(who).len(), usize::from(who == first), "who asks");
    }
    assert!(world.view().is_asked(&asked).unwrap());
    assert_eq!(world.to_ask(first)[0].first.as_deref(), Some(MODEL), "the model that matters");
    world.answer(first, Ok(&[MODEL, "small"]));
    assert!(!world.view().is_asked(&asked).unwrap());
    assert_eq!((the_agent(&world).status, the_agent(&world).models.len()), (ProviderStatus::Ready, 2));
    assert_eq!(the_agent(&world).checked_at, Some(world.now));
    assert_eq!(faults(&mut world, second, &draft), []);
    assert_eq!(told(&world), ["unknown 0", "ready 2"]);
    world.audit_all();
}

#[test]
fn what_an_agent_has_said_counts_for_ten_minutes() {
    let (mut world, owner) = World::with_owner();
    world.configure(owner, &[AGENT]);
    let draft = prompt(every(60));
    refresh(&mut world, owner);
    world.answer(owner, Ok(&[MODEL]));
    world.now = world.now.plus_ms(10 * MINUTE);
    assert_eq!(asked_first(&mut world, owner, &draft), None);
    let unknown = json!({"providerID": AGENT, "modelID": "tiny"});
    let unknown = with(draft.clone(), json!({"task": {"kind": "prompt", "prompt": "x", "model": unknown}}));
    let found = faults(&mut world, owner, &unknown);
    assert_eq!((found[0].0.as_str(), found[0].1), ("task.model", Word::ModelNotFound));
    assert!(found[0].2.contains("`agent` offers: large"), "{found:?}");
    let mut reckless = draft.clone();
    reckless["task"]["variant"] = json!("reckless");
    assert_eq!(faults(&mut world, owner, &reckless)[0].1, Word::InvalidVariantForModel);
    assert_eq!(faults(&mut world, owner, &draft), []);
    world.now = world.now.plus_ms(1);
    assert!(asked_first(&mut world, owner, &draft).is_some());
    // Whoever did not wait for the answer long enough is not told that there is such a model.
    assert_eq!(faults(&mut world, owner, &draft)[0].1, Word::ModelLookupFailed);
    world.audit_all();
}

#[test]
fn why_an_agent_could_not_be_asked_is_told() {
    let (mut world, owner) = World::with_owner();
    world.configure(owner, &[AGENT]);
    let draft = prompt(every(60));
    asked_first(&mut world, owner, &draft).unwrap();
    world.answer(owner, Err("log in first"));
    assert_eq!(the_agent(&world).reason.as_deref(), Some("log in first"));
    let found = faults(&mut world, owner, &draft);
    assert_eq!(
        (found[0].1, found[0].2.as_str()),
        (Word::ModelLookupFailed, "`agent` cannot be given work: log in first")
    );
    // Another try may go better, and nobody has to ask for that.
    asked_first(&mut world, owner, &draft).unwrap();
    world.answer(owner, Ok(&[MODEL]));
    assert_eq!(faults(&mut world, owner, &draft), []);
    // What it said then counts although it is down now.
    refresh(&mut world, owner);
    world.answer(owner, Err("it is gone"));
    assert_eq!(the_agent(&world).status, ProviderStatus::Unavailable);
    assert_eq!(faults(&mut world, owner, &draft), []);
    assert_eq!(told(&world), ["unknown 0", "unavailable 0", "ready 1", "unavailable 1"]);
    world.audit_all();
}

#[test]
fn an_edit_that_does_not_touch_the_task_asks_no_agent() {
    let (mut world, owner) = World::with_owner();
    world.configure(owner, &[AGENT]);
    refresh(&mut world, owner);
    world.answer(owner, Ok(&[MODEL]));
    let id = world.create(owner, prompt(every(60)));
    world.now = world.now.plus_ms(11 * MINUTE);
    let mut asked = |patch: Value| {
        let patch = Sent::from(&patch).as_object().unwrap().clone();
        let request = UpdateRequest { automation: id.clone(), if_revision: None, patch };
        world.decide(owner, |tx, context| update::ask_first(tx, context, &request, "UTC")).unwrap()
    };
    assert_eq!(asked(json!({"title": "other"})), None);
    assert_eq!(asked(json!({"task": prompt(every(60))["task"]})), None);
    assert!(asked(json!({"task": {"prompt": "something else"}})).is_some());
    world.audit_all();
}

#[test]
fn whoever_goes_before_it_has_asked_is_followed_by_another() {
    let (mut world, owner) = World::with_owner();
    let (dies, leaves) = (world.open(), world.open());
    for who in [dies, leaves, owner] {
        world.configure(who, &[AGENT]);
    }
    let asked = refresh(&mut world, dies).asked;
    let late = world.to_ask(dies).remove(0);
    world.die(dies);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!((world.to_ask(owner).len(), world.to_ask(leaves).len()), (1, 0), "who settles it is there");
    world.decide(leaves, |tx, context| probe::ended(tx, context, &late, Ok(Vec::new()))).unwrap();
    assert!(world.view().is_asked(&asked[0]).unwrap(), "that was not for it to say");
    world.configure(owner, &[]);
    assert_eq!(world.to_ask(leaves).len(), 1, "the owner has it no more");
    world.prepare_to_leave(leaves).unwrap();
    assert!(!world.view().is_asked(&asked[0]).unwrap(), "nobody is left who could be asked");
    assert_eq!(the_agent(&world).status, ProviderStatus::Unavailable);
    world.audit_all();
}

#[test]
fn who_is_stopped_while_it_asks_is_waited_for_no_longer_than_an_agent_may_take() {
    let (mut world, owner) = World::with_owner();
    let stopped = world.open();
    world.configure(stopped, &[AGENT]);
    let asked = refresh(&mut world, owner).asked.remove(0);
    let late = world.to_ask(stopped).remove(0);
    world.window_mut(stopped).hangs = true;
    world.run_for(LONGEST_MS - 1);
    assert!(world.view().is_asked(&asked).unwrap());
    world.run_for(1);
    assert!(!world.view().is_asked(&asked).unwrap());
    assert_eq!((the_agent(&world).status, the_agent(&world).reason), (ProviderStatus::Unknown, None));
    assert_eq!(told(&world), ["unknown 0", "unknown 0"], "whoever waits is told");
    let again = refresh(&mut world, owner).asked.remove(0);
    world.decide(stopped, |tx, context| probe::ended(tx, context, &late, Ok(Vec::new()))).unwrap();
    assert!(world.view().is_asked(&again).unwrap(), "a late answer is to another question");
    world.audit_all();
}

#[test]
fn an_agent_that_a_run_uses_is_asked_when_nothing_of_that_is_left() {
    let mut world = World::new();
    world.limits.shared.max_agents = 2;
    let owner = world.open();
    world.configure(owner, &[AGENT]);
    refresh(&mut world, owner);
    world.answer(owner, Ok(&[MODEL]));
    let runs = [at_work(&mut world, owner), at_work(&mut world, owner)];
    let before = told(&world).len();
    for _ in 0..2 {
        let deferred = refresh(&mut world, owner);
        assert_eq!(
            (deferred.asked.as_slice(), deferred.waiting_for.as_slice()),
            ([].as_slice(), runs.as_slice())
        );
    }
    assert_eq!(world.to_ask(owner), []);
    for (run, remains) in [(&runs[0], Remains::Nothing), (&runs[1], Remains::Guard)] {
        let left = sexton::engine::presence::Left { remains, ..dead_work() };
        world.decide(owner, |tx, context| standby::ended_for(tx, context, run, left)).unwrap();
        assert_eq!(world.to_ask(owner), [], "something of it is there");
    }
    world.decide(owner, |tx, context| report::gone(tx, context, &runs[1])).unwrap();
    assert_eq!(world.to_ask(owner).len(), 1);
    assert_eq!(told(&world).len(), before);
    world.answer(owner, Ok(&[MODEL]));
    assert_eq!(told(&world).len(), before + 1, "also if it says what it said before");
    world.audit_all();
}

#[test]
fn whoever_creates_something_does_not_wait_for_runs_of_the_agent() {
    let (mut world, owner) = World::with_owner();
    world.configure(owner, &[AGENT]);
    refresh(&mut world, owner);
    world.answer(owner, Ok(&[MODEL]));
    at_work(&mut world, owner);
    assert_eq!(refresh(&mut world, owner).asked, []);
    world.now = world.now.plus_ms(11 * MINUTE);
    let asked = asked_first(&mut world, owner, &prompt(every(60))).unwrap();
    assert_eq!(refresh(&mut world, owner).asked, [asked], "it is asked now, for all that wait");
    world.answer(owner, Ok(&[MODEL]));
    assert_eq!(world.to_ask(owner), []);
    world.audit_all();
}

#[test]
fn an_agent_that_is_started_otherwise_has_said_nothing_yet() {
    let (mut world, owner) = World::with_owner();
    world.configure(owner, &[AGENT]);
    refresh(&mut world, owner);
    world.answer(owner, Ok(&[MODEL]));
    let asked = refresh(&mut world, owner).asked;
    let late = world.to_ask(owner).remove(0);
    world.configure(owner, &[AGENT]);
    assert_eq!(world.to_ask(owner).as_slice(), std::slice::from_ref(&late), "nothing has changed");
    world.try_configure(owner, &[AGENT], Start::Otherwise).unwrap();
    assert_eq!((the_agent(&world).status, the_agent(&world).models.len()), (ProviderStatus::Unknown, 0));
    world.decide(owner, |tx, context| probe::ended(tx, context, &late, Ok(Vec::new()))).unwrap();
    assert!(world.view().is_asked(&asked[0]).unwrap(), "another agent has said that");
    world.answer(owner, Ok(&["new"]));
    assert_eq!(the_agent(&world).models[0].id, "new");
    world.audit_all();
}

#[test]
fn a_window_that_takes_part_asks_before_one_that_observes() {
    let (mut world, owner) = World::with_owner();
    let observer = world.open_as(Role::Observer);
    let other = world.open();
    world.configure(observer, &[AGENT]);
    world.configure(other, &[AGENT]);
    refresh(&mut world, owner);
    assert_eq!((world.to_ask(observer).len(), world.to_ask(other).len()), (0, 1));
    world.answer(other, Ok(&[]));
    refresh(&mut world, observer);
    assert_eq!((world.to_ask(observer).len(), world.to_ask(other).len()), (1, 0), "its own user asks");
    let unknown = ProviderId::from_text("x");
    let refused = world.decide(owner, |tx, context| probe::refresh(tx, context, Some(&unknown)));
    assert!(matches!(refused, Err(Refusal::NotFound { .. })));
    world.audit_all();
}

#[test]
fn what_a_stopped_window_was_to_ask_another_asks() {
    let (mut world, owner) = World::with_owner();
    let (stopped, other) = (world.open(), world.open());
    world.configure(stopped, &[AGENT]);
    let asked = refresh(&mut world, owner).asked.remove(0);
    world.configure(other, &[AGENT]);
    let late = world.to_ask(stopped).remove(0);
    world.window_mut(stopped).hangs = true;
    world.run_for(LONGEST_MS);
    assert!(world.view().is_asked(&asked).unwrap(), "whoever waits for it waits on");
    assert_eq!((world.to_ask(stopped).len(), world.to_ask(other).len()), (0, 1));
    world.decide(stopped, |tx, context| probe::ended(tx, context, &late, Ok(Vec::new()))).unwrap();
    assert!(world.view().is_asked(&asked).unwrap(), "that comes too late");
    world.answer(other, Ok(&[MODEL]));
    assert_eq!((the_agent(&world).status, the_agent(&world).models.len()), (ProviderStatus::Ready, 1));
    world.audit_all();
}

#[test]
fn one_agent_is_asked_at_a_time() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let many = ["a", "b", "c", "d"];
    world.configure(owner, &many);
    world.configure(other, &["b", "e"]);
    let asked = world.decide(owner, |tx, context| probe::refresh(tx, context, None)).unwrap();
    assert_eq!((asked.asked.len(), asked.waiting_for.as_slice()), (5, [].as_slice()));
    let next = |world: &World| {
        let mut all = world.view().probes().unwrap();
        all.retain(|probe| probe.given.is_some());
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].provider.to_string()
    };
    assert_eq!(next(&world), "a");
    world.answer(owner, Ok(&[MODEL]));
    assert_eq!(next(&world), "b");
    // Whoever has it no more hands it on, and whoever goes makes room for the next one.
    world.configure(owner, &["a", "c", "d"]);
    assert_eq!((next(&world), world.to_ask(other).len()), ("b".to_owned(), 1));
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!(next(&world), "c");
    world.answer(owner, Err("no"));
    assert_eq!(next(&world), "d");
    world.answer(owner, Ok(&[MODEL]));
    assert!(asked.asked.iter().all(|id| !world.view().is_asked(id).unwrap()));
    world.audit_all();
}

#[test]
fn a_window_that_leaves_is_not_told_to_observe() {
    let (mut world, owner) = World::with_owner();
    world.has_agents(owner, &[AGENT]);
    world.prepare_to_leave(owner).unwrap();
    assert!(the_agent(&world).reason.unwrap().contains("no window that is open has an agent"));
    assert_eq!(told(&world), ["unknown 0", "ready 1", "unavailable 1"]);
}
