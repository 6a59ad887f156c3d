//! What comes out of a run: it may look, and pause its own automation.

use serde_json::json;
use sexton::domain::automation::{Automation, PauseReason};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::refusal::Refusal;
use sexton::domain::request::{ActiveRun, RestRequest};
use sexton::domain::run::machine::State;
use sexton::engine::inside::{Deed, admit};
use sexton::engine::pause;

use crate::drafts::{every, policy, with};
use crate::window::{Stage, exited};
use crate::world::{START, Who, World};

const MINUTE: i64 = 60_000;

impl World {
    /// A pause that comes out of a run, or, if there is none, from a person.
    pub(crate) fn pause(
        &mut self,
        who: Who,
        id: &AutomationId,
        inside: Option<&RunId>,
    ) -> Result<Automation, Refusal> {
        let request = RestRequest { automation: id.clone(), note: Some("enough".to_owned()) };
        self.decide(who, |tx, context| {
            context.voice = admit(tx, inside, &Deed::Pause(id.clone()))?;
            pause::pause(tx, context, request)
        })
    }
}

#[test]
fn a_run_may_look_and_pause_its_own_automation_and_nothing_else() {
    let (mut world, owner) = World::with_owner();
    let [own, other] = [0, 1].map(|_| world.create(owner, with(every(60), json!({"paused": true}))));
    let run = world.run(owner, &own);
    let said = |inside: Option<&RunId>, deed: &Deed| match admit(&world.view(), inside, deed) {
        Ok(voice) => format!("{voice:?}"),
        Err(Refusal::InsideRun { run: named }) if named == run => "inside".to_owned(),
        Err(Refusal::NotFound { what: "run", id }) => format!("no {id}"),
        Err(refusal) => panic!("{refusal}"),
    };
    let deeds = [Deed::Look, Deed::Pause(own), Deed::Pause(other), Deed::Change];
    let each = |inside: Option<&RunId>| deeds.clone().map(|deed| said(inside, &deed));
    assert_eq!(each(None), ["Person", "Person", "Person", "Person"]);
    assert_eq!(each(Some(&run)), ["Run", "Run", "inside", "inside"]);
    let unknown = RunId::from_text("run_x");
    assert_eq!(each(Some(&unknown)), ["no run_x", "no run_x", "no run_x", "no run_x"]);
    assert_eq!(said(Some(&run), &Deed::Change), "inside");
}

#[test]
fn a_run_that_pauses_its_automation_goes_on_and_ends_as_it_would_have() {
    // As soon as it has begun its command may ask, also before its start is written down.
    for asks_at in [Stage::Spawned, Stage::Working] {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, policy(every(60), json!({"startMs": 5 * MINUTE})));
        world.now = START.plus_ms(MINUTE);
        world.tick(owner).unwrap();
        world.act(owner);
        let run = world.last_run(&id).id;
        while world.window(owner).carried[&run].stage != asks_at {
            world.carry(owner, &run);
        }
        world.now = START.plus_ms(2 * MINUTE);
        world.tick(owner).unwrap();
        let paused = world.pause(owner, &id, Some(&run)).unwrap();
        let pause = paused.pause.unwrap();
        assert_eq!(
            (pause.reason, pause.at, pause.note.as_deref()),
            (PauseReason::Run, world.now, Some("enough"))
        );
        assert_eq!(pause.by.as_ref(), Some(&world.window(owner).actor));
        assert_eq!((paused.revision, paused.updated_at, paused.state.next_fire_at), (2, world.now, None));
        assert_eq!(world.run_row(&run).run.stopping(), None);
        let again = world.pause(owner, &id, Some(&run)).unwrap();
        assert_eq!(
            (again.revision, again.pause),
            (2, world.automation(&id).pause),
            "a second time changes nothing"
        );
        world.settle();
        world.finish(&run, exited(0));
        let expected =
            ["schedule succeeded slots 60..60 x1", "schedule stopped previous_run_active slots 120..120 x1"];
        assert_eq!(world.story(&id), expected);
        world.run_for(60 * MINUTE);
        assert_eq!(world.runs(&id).len(), 2, "nothing is due any more");
        world.audit_all();
    }
}

#[test]
fn a_pause_from_inside_stops_the_runs_that_slots_asked_for_like_any_other() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    let holding = world.create(owner, with(every(3600), json!({"paused": true})));
    world.run(owner, &holding);
    world.settle();
    world.run_for(MINUTE);
    let waiting = world.last_run(&id);
    assert_eq!(waiting.state(), State::Scheduled);
    // No run can ask before it has begun; an application that says so is taken at its word all the same.
    world.pause(owner, &id, Some(&waiting.id)).unwrap();
    assert_eq!(
        world.story(&id),
        ["schedule stopped paused slots 60..60 x1"],
        "what has not begun is stopped"
    );
    assert_eq!(world.delete(owner, &id, ActiveRun::Refuse).map(drop).map_err(|it| it.to_string()), Ok(()));
    let gone = world.pause(owner, &id, Some(&waiting.id));
    assert!(matches!(gone, Err(Refusal::NotFound { what: "automation", .. })), "{gone:?}");
    world.audit_all();
}
