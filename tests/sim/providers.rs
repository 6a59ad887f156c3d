//! What is told of providers, and which models an automation may name.

use serde_json::{Value, json};
use sexton::domain::fault::Word;
use sexton::domain::lifecycle::{CloseKind, CloseMode};
use sexton::domain::provider::{Provider, ProviderStatus};
use sexton::domain::refusal::Refusal;
use sexton::domain::scheduler::Role;
use sexton::engine::providers;
use sexton::ledger::EventFilter;

use crate::app::{AGENT, MODEL, offer};
use crate::closer::close;
use crate::drafts::{every, prompt, with};
use crate::world::{Who, World};

const MINUTE: i64 = 60_000;

fn listed(world: &World) -> Vec<Provider> {
    providers::providers(&world.view()).unwrap()
}

/// The providers in words: their models with variants.
fn words(world: &World) -> Vec<String> {
    let one = |provider: Provider| {
        let models = provider.models.iter().map(|model| format!("{}{:?}", model.id, model.variants));
        let status = if provider.status == ProviderStatus::Ready { "ready" } else { "unavailable" };
        format!("{} {status} {}", provider.id, models.collect::<Vec<_>>().join(" "))
    };
    listed(world).into_iter().map(one).collect()
}

fn told(world: &World) -> Vec<String> {
    let filter = EventFilter { kinds: vec!["provider.updated".to_owned()], automation: None };
    let events = world.view().events_after(0, &filter, 1000).unwrap();
    let status = |payload: &str| {
        let payload: Value = serde_json::from_str(payload).unwrap();
        payload["provider"]["status"].as_str().unwrap().to_owned()
    };
    events.iter().map(|event| status(&event.payload)).collect()
}

/// What is wrong with the task of a draft.
fn faults(world: &mut World, who: Who, task: Value) -> Vec<(String, Word)> {
    let draft = with(every(60), json!({"task": task}));
    match world.try_create(who, &draft) {
        Ok(_) => Vec::new(),
        Err(Refusal::InvalidAutomation(faults)) => {
            assert!(faults.iter().all(|fault| fault.hint.is_some()), "{faults:?}");
            faults.into_iter().map(|fault| (fault.field, fault.message)).collect()
        }
        Err(refusal) => panic!("{refusal}"),
    }
}

fn task(provider: &str, model: &str, variant: Option<&str>) -> Value {
    let mut task =
        json!({"kind": "prompt", "prompt": "look", "model": {"providerID": provider, "modelID": model}});
    if let Some(variant) = variant {
        task["variant"] = json!(variant);
    }
    task
}

fn fault(field: &str, word: Word) -> Vec<(String, Word)> {
    vec![(field.to_owned(), word)]
}

#[test]
fn several_windows_offer_together_what_any_of_them_does() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    assert_eq!(words(&world), Vec::<String>::new());
    let first = world.try_serve(owner, offer("b", &[("large", &["fast"])], 1)).unwrap();
    world.now = world.now.plus_ms(1);
    world.try_serve(other, offer("b", &[("small", &[]), ("large", &["slow", "fast"])], 1)).unwrap();
    world.try_serve(other, offer("a", &[], 1)).unwrap();
    assert_eq!(words(&world), ["a ready ", r#"b ready large["fast", "slow"] small[]"#]);
    assert_eq!(told(&world), ["ready", "ready", "ready"]);
    world.unserve(owner, &first).unwrap();
    assert_eq!(words(&world), ["a ready ", r#"b ready small[] large["slow", "fast"]"#]);
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!(words(&world), ["a unavailable ", r#"b unavailable small[] large["slow", "fast"]"#]);
    assert!(listed(&world).iter().all(|provider| provider.reason.is_some()));
    assert_eq!(told(&world)[3..], ["ready", "unavailable", "unavailable"]);
    world.audit_all();
}

#[test]
fn what_a_window_that_has_died_offered_was_said_when_it_was_last_told() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    world.now = world.now.plus_ms(MINUTE);
    let said_at = world.now;
    world.serve(other, 1);
    world.die(other);
    world.now = world.now.plus_ms(10 * MINUTE + 1);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!(listed(&world)[0].checked_at, Some(said_at));
    assert_eq!(
        faults(&mut world, owner, task(AGENT, MODEL, None)),
        fault("task.model", Word::ModelLookupFailed)
    );
    world.audit_all();
}

#[test]
fn a_provider_is_ready_while_somebody_can_be_given_its_work() {
    let (mut world, _) = World::with_owner();
    let observer = world.open_as(Role::Observer);
    world.serve(observer, 1);
    let reason = |world: &World| listed(world)[0].reason.clone().unwrap_or_default();
    assert!(reason(&world).contains("all windows that serve it observe"), "{}", reason(&world));
    let serving = world.open();
    world.serve(serving, 1);
    for (kind, status) in [(CloseKind::Dispose, "unavailable"), (CloseKind::Reload, "ready")] {
        close(&mut world, serving, kind, CloseMode::Maintenance);
        world.settle();
        assert_eq!(told(&world).last().unwrap(), status);
        assert_eq!(reason(&world).is_empty(), status == "ready");
    }
    assert_eq!(told(&world), ["unavailable", "ready", "unavailable", "ready"]);
    world.audit_all();
}

#[test]
fn what_changes_nothing_that_is_listed_is_not_told() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    world.serve(owner, 1);
    let same = world.serve(other, 5);
    let before = listed(&world);
    world.now = world.now.plus_ms(MINUTE);
    world.unserve(other, &same).unwrap();
    assert_eq!(listed(&world), before);
    assert_eq!(told(&world), ["ready"]);
    world.audit_all();
}

#[test]
fn a_prompt_names_a_model_that_is_offered_and_one_of_its_variants() {
    let (mut world, owner) = World::with_owner();
    assert_eq!(
        faults(&mut world, owner, task(AGENT, MODEL, None)),
        fault("task.model", Word::ModelLookupFailed)
    );
    let serving = world.serve(owner, 1);
    for accepted in [task(AGENT, MODEL, None), task(AGENT, MODEL, Some("careful"))] {
        assert_eq!(faults(&mut world, owner, accepted), []);
    }
    assert_eq!(
        faults(&mut world, owner, task(AGENT, "tiny", None)),
        fault("task.model", Word::ModelNotFound)
    );
    let variant = task(AGENT, MODEL, Some("reckless"));
    assert_eq!(faults(&mut world, owner, variant), fault("task.variant", Word::InvalidVariantForModel));
    assert_eq!(
        faults(&mut world, owner, task("x", MODEL, None)),
        fault("task.model", Word::ModelLookupFailed)
    );
    // What it has said counts for ten minutes after it could be asked last.
    world.now = world.now.plus_ms(60 * MINUTE);
    world.unserve(owner, &serving).unwrap();
    world.now = world.now.plus_ms(10 * MINUTE);
    assert_eq!(faults(&mut world, owner, task(AGENT, MODEL, None)), []);
    assert_eq!(
        faults(&mut world, owner, task(AGENT, "tiny", None)),
        fault("task.model", Word::ModelNotFound)
    );
    world.now = world.now.plus_ms(1);
    assert_eq!(
        faults(&mut world, owner, task(AGENT, MODEL, None)),
        fault("task.model", Word::ModelLookupFailed)
    );
    world.audit_all();
}

#[test]
fn an_edit_that_does_not_touch_the_task_asks_nobody() {
    let (mut world, owner) = World::with_owner();
    let serving = world.serve(owner, 1);
    let id = world.create(owner, prompt(every(60)));
    world.unserve(owner, &serving).unwrap();
    world.now = world.now.plus_ms(11 * MINUTE);
    world.try_update(owner, &id, None, &json!({"title": "other"})).unwrap();
    world.try_update(owner, &id, None, &json!({"task": prompt(every(60))["task"]})).unwrap();
    let refused = world.try_update(owner, &id, None, &json!({"task": {"prompt": "something else"}}));
    assert!(matches!(refused, Err(Refusal::InvalidAutomation(_))));
    world.audit_all();
}

#[test]
fn hints_and_memory_are_bounded() {
    let (mut world, owner) = World::with_owner();
    for number in 0..150 {
        world.now = world.now.plus_ms(1);
        let name = format!("p{number:03}");
        let serving = world.try_serve(owner, offer(&name, &[], 1)).unwrap();
        world.unserve(owner, &serving).unwrap();
    }
    assert_eq!(listed(&world).len(), 100, "those that were heard of last");
    assert_eq!(listed(&world)[0].id.as_str(), "p050");
    let draft = with(every(60), json!({"task": task("x", MODEL, None)}));
    let Err(Refusal::InvalidAutomation(faults)) = world.try_create(owner, &draft) else { panic!() };
    let hint = faults[0].hint.clone().unwrap();
    assert!(hint.contains("p050") && hint.ends_with("and 90 more"), "{hint}");
    world.audit_all();
}
