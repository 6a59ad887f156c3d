//! What a prompt needs of whoever carries it out: the provider, the model and its variant, and the session.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::provider::ProviderWork;
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::run::{Continuity, Phase};

use crate::app::{AGENT, MODEL, Manners, finished, offer, started};
use crate::closer::given_to;
use crate::drafts::{every, policy, prompt, with};
use crate::world::{Who, World};

/// The task of a prompt with these fields.
fn task(fields: Value) -> Value {
    let mut task = prompt(every(60))["task"].take();
    task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"task": task})
}

fn resting(world: &mut World, who: Who, fields: Value) -> AutomationId {
    world.create(who, with(with(every(60), task(fields)), json!({"paused": true})))
}

/// The session that a run was given, once its window has said in which it has started.
fn start(world: &mut World, who: Who, run: &RunId, says: &str) -> (Option<String>, Continuity) {
    world.settle();
    let start = world.window(who).app.work[run].start.clone();
    let ProviderWork::Start { session_id, .. } = start else { panic!("{start:?}") };
    world.report(who, run, started(says)).unwrap();
    (session_id, world.run_row(run).run.continuity.unwrap())
}

#[test]
fn only_who_offers_the_variant_is_given_a_prompt() {
    let (mut world, owner) = World::with_owner();
    let plain = world.open();
    world.try_serve(plain, offer(AGENT, &[(MODEL, &[])], 9)).unwrap();
    let careful = world.serve(owner, 9);
    let id = resting(&mut world, owner, json!({"variant": "careful"}));
    let run = world.run(plain, &id);
    assert_eq!(given_to(&world, &run), Some(world.window(owner).actor.instance.to_string()));
    world.settle();
    world.finish_served(&run);
    world.unserve(owner, &careful).unwrap();
    let run = world.run(plain, &id);
    let Phase::Failed { error, .. } = world.run_row(&run).run.phase else {
        panic!("it was given to somebody")
    };
    assert_eq!(error.code, ErrorCode::ProviderUnavailable);
    assert!(
        error.message.contains(&format!("{AGENT}/{MODEL} in the variant \"careful\"")),
        "{}",
        error.message
    );
    let any = resting(&mut world, owner, json!({}));
    let run = world.run(owner, &any);
    assert_eq!(given_to(&world, &run), Some(world.window(plain).actor.instance.to_string()));
    world.audit_all();
}

#[test]
fn a_session_is_continued_by_the_provider_that_has_it_and_by_no_other() {
    let (mut world, owner) = World::with_owner();
    world.window_mut(owner).app.manners = Manners::Silent;
    world.serve(owner, 9);
    world.try_serve(owner, offer("other", &[(MODEL, &[])], 9)).unwrap();
    let with_model = |provider: &str| {
        task(json!({"context": "continue", "model": {"providerID": provider, "modelID": MODEL}}))
    };
    let id = world.create(
        owner,
        with(
            policy(with(every(60), with_model(AGENT)), json!({"overlap": "queueOne"})),
            json!({"paused": true}),
        ),
    );
    let run = world.run(owner, &id);
    assert_eq!(start(&mut world, owner, &run, "s1"), (None, Continuity::New));
    world.report(owner, &run, finished()).unwrap();
    assert_eq!(world.automation(&id).state.session_id.as_deref(), Some("s1"));

    // This one is given the session, and has still to start when the provider is another.
    let late = world.run(owner, &id);
    world.settle();
    world.try_update(owner, &id, None, &with_model("other")).unwrap();
    assert_eq!(world.automation(&id).state.session_id, None);
    assert_eq!(start(&mut world, owner, &late, "s2").0.as_deref(), Some("s1"));
    world.report(owner, &late, finished()).unwrap();
    assert_eq!(world.automation(&id).state.session_id, None, "the other one does not know it");
    let run = world.run(owner, &id);
    assert_eq!(start(&mut world, owner, &run, "o1"), (None, Continuity::New));
    world.report(owner, &run, finished()).unwrap();
    assert_eq!(world.automation(&id).state.session_id.as_deref(), Some("o1"));

    // An edit of anything else leaves it where it is.
    world.try_update(owner, &id, None, &json!({"task": {"prompt": "look again"}})).unwrap();
    let run = world.run(owner, &id);
    assert_eq!(start(&mut world, owner, &run, "o1"), (Some("o1".to_owned()), Continuity::Resumed));
    world.audit_all();
}
