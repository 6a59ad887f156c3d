//! Edits: what they change, what becomes of the slots of the old schedule, and what counts towards a stop.

use serde_json::{Value, json};
use sexton::domain::automation::{Automation, EpochReason};
use sexton::domain::id::AutomationId;
use sexton::domain::refusal::Refusal;
use sexton::domain::request::{ActiveRun, UpdateRequest};
use sexton::domain::sent::Sent;
use sexton::engine::update;
use sexton::ledger::EventFilter;

use crate::drafts::{every, once, policy, with};
use crate::window::exited;
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

impl World {
    pub(crate) fn try_update(
        &mut self,
        who: Who,
        id: &AutomationId,
        if_revision: Option<i64>,
        patch: &Value,
    ) -> Result<Automation, Refusal> {
        let patch = Sent::from(patch).as_object().unwrap().clone();
        let request = UpdateRequest { automation: id.clone(), if_revision, patch };
        self.decide(who, |tx, context| update::update(tx, context, &request, "UTC"))
    }

    pub(crate) fn update(&mut self, who: Who, id: &AutomationId, patch: Value) -> Automation {
        self.try_update(who, id, None, &patch).unwrap()
    }
}

fn interval(seconds: i64) -> Value {
    json!({"rhythm": {"everyMs": seconds * SECOND}})
}

fn next_second(world: &World, id: &AutomationId) -> Option<i64> {
    world.automation(id).state.next_fire_at.map(|at| at.since_ms(START) / SECOND)
}

/// Every event after a place, as `kind revision` of an automation, or the state of a run.
fn told_since(world: &World, seq: i64) -> Vec<String> {
    let events = world.view().events_after(seq, &EventFilter::default(), 100).unwrap();
    let one = |event: &sexton::ledger::StoredEvent| {
        let payload: Value = serde_json::from_str(&event.payload).unwrap();
        match payload["run"]["state"].as_str() {
            Some(state) => format!("run {state}"),
            None => format!("automation {}", payload["automation"]["revision"]),
        }
    };
    events.iter().map(one).collect()
}

/// Why each epoch of an automation began, and by whom, and whether it is in force.
fn epochs(world: &World, id: &AutomationId) -> Vec<(EpochReason, String, bool)> {
    let sql = "SELECT reason, began_by, ended_at IS NULL FROM epochs
               WHERE automation = (SELECT row FROM automations WHERE id = ?1) ORDER BY number";
    let mut statement = world.connection().prepare(sql).unwrap();
    let rows = statement.query_map([id.as_str()], |row| {
        let (reason, by): (String, String) = (row.get(0)?, row.get(1)?);
        let by: Value = serde_json::from_str(&by).unwrap();
        let reason = serde_json::from_value(Value::String(reason)).unwrap();
        Ok((reason, by["instanceID"].as_str().unwrap().to_owned(), row.get(2)?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn name(world: &World, who: Who) -> String {
    world.window(who).actor.instance.as_str().to_owned()
}

// The schedule.

#[test]
fn an_edited_schedule_begins_now_and_nothing_of_the_old_one_is_missed() {
    let (mut world, owner) = World::with_owner();
    let editor = world.open();
    let id = world.create(owner, every(60));
    world.run_for(30 * SECOND);
    let edited = world.update(editor, &id, interval(90));
    assert_eq!((edited.revision, edited.updated_at), (2, world.now));
    assert_eq!(next_second(&world, &id), Some(120), "counted from the edit");
    world.work_ms = Some(SECOND);
    world.run_for(4 * MINUTE);
    assert_eq!(
        world.story(&id),
        ["schedule succeeded slots 120..120 x1", "schedule succeeded slots 210..210 x1"]
    );
    assert_eq!(
        epochs(&world, &id),
        [
            (EpochReason::Created, name(&world, owner), false),
            (EpochReason::Edited, name(&world, editor), true)
        ]
    );
    world.audit_all();
}

#[test]
fn each_part_of_a_schedule_begins_an_epoch_and_nothing_else_does() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(600));
    world.run_for(MINUTE);
    let parts = [
        interval(300),
        json!({"timezone": "Europe/Berlin"}),
        json!({"stop": {"kind": "count", "count": 9}}),
        json!({"rhythm": {"kind": "cron", "expression": "0 9 * * *"}}),
    ];
    for (begun, part) in (2..).zip(parts) {
        world.update(owner, &id, part);
        assert_eq!(epochs(&world, &id).len(), begun);
    }
    let elsewhere = [
        json!({"title": "another"}),
        json!({"task": {"args": ["--fast"]}}),
        json!({"access": "read"}),
        json!({"policy": {"wallMs": 5000, "missed": {"kind": "skip"}}}),
        json!({"timezone": "europe/berlin"}),
        json!({"rhythm": {"expression": " 0 9 * * * "}}),
    ];
    for part in elsewhere {
        world.update(owner, &id, part);
        assert_eq!(epochs(&world, &id).len(), 5);
    }
    assert_eq!(world.automation(&id).revision, 9, "the last two were no edits");
}

#[test]
fn another_spelling_of_an_expression_begins_no_epoch_and_settles_nothing() {
    let (mut world, owner) = World::with_owner();
    let cron = |expression: &str| json!({"rhythm": {"kind": "cron", "expression": expression}});
    let mut draft = every(60);
    draft["rhythm"] = cron("0 9 * * MON")["rhythm"].clone();
    let id = world.create(owner, draft);
    // A slot is due that nobody has settled.
    world.now = START.plus_ms(8 * 24 * HOUR);
    let (before, seq) = (world.automation(&id), world.view().newest_seq().unwrap());
    for blanks in ["0  9 * * MON", "\t0 9\t*  * MON "] {
        assert_eq!(world.update(owner, &id, cron(blanks)), before, "{blanks}");
    }
    for (revision, spelling) in (2..).zip(["0 9 * * mon", "0 9 * * 1", "00 9,9 * 1-12 mon-1"]) {
        let edited = world.update(owner, &id, cron(spelling));
        assert_eq!((edited.revision, epochs(&world, &id).len()), (revision, 1), "{spelling}");
        assert_eq!(edited.state.next_fire_at, before.state.next_fire_at);
    }
    assert_eq!(told_since(&world, seq), ["automation 2", "automation 3", "automation 4"], "no run");
    world.update(owner, &id, cron("@daily"));
    assert_eq!(epochs(&world, &id).len(), 2);
    world.update(owner, &id, cron("0 0 * * *"));
    assert_eq!(epochs(&world, &id).len(), 2);
    world.update(owner, &id, cron("0 0-23 * * *"));
    world.update(owner, &id, cron("0 * * * *"));
    assert_eq!(epochs(&world, &id).len(), 4, "they differ when a clock changes");
    world.audit_all();
}

#[test]
fn an_edit_of_anything_else_moves_no_slot_and_settles_none() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(600));
    world.now = START.plus_ms(10 * MINUTE + 5 * SECOND);
    let seq = world.view().newest_seq().unwrap();
    world.update(owner, &id, json!({"title": "another"}));
    assert_eq!(told_since(&world, seq), ["automation 2"]);
    assert_eq!((world.story(&id).len(), next_second(&world, &id)), (0, Some(600)));
    world.settle();
    assert_eq!(world.story(&id), ["schedule running slots 600..600 x1"]);
    assert_eq!(world.last_run(&id).automation_title, "another");
    assert_eq!(next_second(&world, &id), Some(1200));
    world.audit_all();
}

/// What becomes of a slot at 600 s when the schedule is edited so long after it.
fn edited_late(draft: Value, late_ms: i64) -> (World, AutomationId) {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, draft);
    world.now = START.plus_ms(10 * MINUTE + late_ms);
    world.update(owner, &id, with(interval(1800), json!({"title": "edited"})));
    assert_eq!(world.automation(&id).state.next_fire_at, Some(world.now.plus_ms(30 * MINUTE)));
    world.settle();
    world.audit_all();
    (world, id)
}

#[test]
fn a_slot_that_was_due_before_the_edit_fires_as_it_was_asked_for() {
    for late_ms in [0, 1, MINUTE] {
        let (world, id) = edited_late(every(600), late_ms);
        assert_eq!(world.story(&id), ["schedule running slots 600..600 x1"], "{late_ms}");
        let run = world.run_row(&world.last_run(&id).id);
        assert_eq!((run.run.definition_revision, run.epoch), (1, 1));
        assert_eq!(run.run.automation_title, "every 600 s");
    }
    let (world, id) = edited_late(every(600), -1);
    assert_eq!(world.story(&id), Vec::<String>::new(), "nothing was due");
}

#[test]
fn a_slot_beyond_the_grace_is_caught_up_with_or_missed_by_the_policy_before_the_edit() {
    let (world, id) = edited_late(every(600), MINUTE + 1);
    assert_eq!(world.story(&id), ["catchUp running slots 600..600 x1"]);
    let draft = policy(every(600), json!({"missed": {"kind": "skip"}}));
    let (world, id) = edited_late(draft, MINUTE + 1);
    assert_eq!(world.story(&id), ["schedule stopped missed_schedule slots 600..600 x1"]);
}

#[test]
fn an_edit_is_told_after_what_it_settles() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(600));
    world.now = START.plus_ms(10 * MINUTE);
    let seq = world.view().newest_seq().unwrap();
    world.update(owner, &id, interval(1800));
    assert_eq!(told_since(&world, seq), ["run scheduled", "automation 1", "automation 2"]);
}

#[test]
fn what_overlap_has_skipped_is_recorded_before_the_edit() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    world.run_for(2 * MINUTE);
    let run = world.last_run(&id).id;
    // One slot is counted already; another one is due and nobody has looked.
    world.now = START.plus_ms(3 * MINUTE + SECOND);
    let seq = world.view().newest_seq().unwrap();
    world.update(owner, &id, interval(90));
    let told = ["run running", "automation 1", "run running", "run stopped", "automation 1", "automation 2"];
    assert_eq!(told_since(&world, seq), told);
    let record = "schedule stopped previous_run_active slots 120..180 x2";
    assert_eq!(world.story(&id), ["schedule running slots 60..60 x1", record]);
    world.run_for(2 * MINUTE);
    assert_eq!(world.story(&id)[0], "schedule running slots 60..60 x1 skipped 271..271 x1");
    world.finish(&run, exited(0));
    assert_eq!(
        world.story(&id),
        [
            "schedule succeeded slots 60..60 x1",
            record,
            "schedule stopped previous_run_active slots 271..271 x1"
        ]
    );
    world.audit_all();
}

#[test]
fn runs_that_wait_stay_and_do_what_was_asked_for_then() {
    let (mut world, owner) = World::with_owner();
    let ahead = world.create(owner, every(86_400));
    let ahead = world.run(owner, &ahead);
    let id = world.create(owner, every(60));
    world.run_for(MINUTE);
    assert_eq!(world.story(&id), ["schedule scheduled directory slots 60..60 x1"]);
    world.update(owner, &id, with(interval(3600), json!({"task": {"program": "other"}, "access": "read"})));
    world.finish(&ahead, exited(0));
    assert_eq!(world.story(&id), ["schedule running slots 60..60 x1"]);
    let run = serde_json::to_value(world.last_run(&id)).unwrap();
    assert_eq!((&run["task"]["program"], &run["definitionRevision"]), (&json!("work"), &json!(1)));
    world.audit_all();
}

#[test]
fn the_schedule_of_what_rests_may_be_edited_and_is_in_force_when_it_goes_on() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    world.pause(owner, &id, None).unwrap();
    world.run_for(5 * MINUTE);
    let edited = world.update(owner, &id, interval(90));
    assert_eq!((edited.paused, edited.state.next_fire_at), (true, None));
    world.run_for(5 * MINUTE);
    assert_eq!(world.story(&id), Vec::<String>::new());
    world.resume(owner, &id).unwrap();
    assert_eq!(next_second(&world, &id), Some(690));
    let reasons: Vec<_> = epochs(&world, &id).into_iter().map(|(reason, _, open)| (reason, open)).collect();
    use EpochReason::{Created, Edited, Resumed};
    assert_eq!(reasons, [(Created, false), (Edited, false), (Resumed, true)]);
    world.audit_all();
}

#[test]
fn a_one_shot_that_has_had_its_time_may_be_renamed_and_given_another_time() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(SECOND);
    let at = |ms| START.plus_ms(ms).as_millis();
    let id = world.create(owner, once(at(MINUTE)));
    world.run_for(2 * MINUTE);
    // The whole draft as it was, as a form sends it, with another title.
    let form = json!({"title": "spent", "kind": "oneshot", "fireAt": at(MINUTE)});
    assert_eq!(world.update(owner, &id, form).revision, 2);
    let refused = world.try_update(owner, &id, None, &json!({"fireAt": at(MINUTE + 1)}));
    assert!(matches!(refused, Err(Refusal::InvalidAutomation(_))), "{refused:?}");
    world.update(owner, &id, json!({"fireAt": at(3 * MINUTE)}));
    world.run_for(10 * MINUTE);
    assert_eq!(
        world.story(&id),
        ["schedule succeeded slots 60..60 x1", "schedule succeeded slots 180..180 x1"]
    );
    world.audit_all();
}

#[test]
fn an_edit_never_brings_back_what_an_earlier_schedule_has_had() {
    let (mut world, owner) = World::with_owner();
    let id =
        world.create(owner, with(every(60), json!({"rhythm": {"kind": "cron", "expression": "0 * * * *"}})));
    world.work_ms = Some(SECOND);
    world.run_for(HOUR);
    // The slot of this very minute belongs to the schedule before, which has had it.
    for expression in ["*/5 * * * *", "0 * * * *"] {
        world.update(owner, &id, json!({"rhythm": {"expression": expression}}));
        world.settle();
    }
    assert_eq!(world.story(&id).len(), 1);
    assert_eq!(next_second(&world, &id), Some(2 * 3600));
    world.audit_all();
}

// What is not an edit, and who may edit.

#[test]
fn a_patch_that_changes_nothing_is_no_edit() {
    let (mut world, owner) = World::with_owner();
    let draft = with(policy(every(60), json!({"queueMs": 5000})), json!({"timezone": "Europe/Berlin"}));
    let id = world.create(owner, draft.clone());
    world.now = START.plus_ms(MINUTE);
    let before = world.automation(&id);
    let seq = world.view().newest_seq().unwrap();
    let defaults = json!({"stop": {"kind": "never"}, "access": "write", "where": {}, "timezone": "EUROPE/berlin",
        "policy": {"overlap": "skip", "keep": {"runs": 1000}, "retry": null, "missed": {"kind": "runOnce"}}});
    let nulls = json!({"stop": null, "access": null, "where": null,
        "task": {"args": null, "env": null, "stdin": null}, "policy": {"startMs": null}});
    for patch in [json!({}), draft, defaults, nulls] {
        assert_eq!(world.update(owner, &id, patch.clone()), before, "{patch}");
    }
    assert_eq!(world.view().newest_seq().unwrap(), seq, "an event about nothing");
    assert_eq!(epochs(&world, &id).len(), 1);
}

#[test]
fn two_edits_of_different_fields_both_stand_and_one_of_a_stale_revision_does_not() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let id = world.create(owner, every(60));
    world.update(owner, &id, json!({"title": "one", "task": {"env": {"A": "1", "B": "1"}}}));
    let edited = world.update(other, &id, json!({"access": "read", "task": {"env": {"B": null, "C": "2"}}}));
    let edited = serde_json::to_value(edited).unwrap();
    assert_eq!(
        (&edited["title"], &edited["access"], &edited["revision"]),
        (&json!("one"), &json!("read"), &json!(3))
    );
    assert_eq!(edited["task"]["env"], json!({"A": "1", "C": "2"}));
    let seq = world.view().newest_seq().unwrap();
    // Also one that would change nothing: who names a revision wants to know.
    for patch in [json!({"title": "late"}), json!({}), json!({"title": 7})] {
        let Err(Refusal::AutomationConflict { current, .. }) = world.try_update(owner, &id, Some(2), &patch)
        else {
            panic!("{patch} for a stale revision was not a conflict");
        };
        assert_eq!(serde_json::to_value(current).unwrap(), edited);
    }
    assert_eq!(world.view().newest_seq().unwrap(), seq);
    assert_eq!(world.try_update(owner, &id, Some(3), &json!({"title": "now"})).unwrap().revision, 4);
}

#[test]
fn what_is_being_deleted_cannot_be_edited_until_the_wish_is_void() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    world.run_for(MINUTE);
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    let refused = world.try_update(owner, &id, None, &json!({"title": "x"}));
    assert!(matches!(refused, Err(Refusal::AutomationConflict { .. })), "{refused:?}");
    world.now = world.now.plus_ms(sexton::engine::delete::PATIENCE_MS);
    world.update(owner, &id, json!({"title": "x"}));
    assert_eq!(next_second(&world, &id), Some(120));
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    world.settle();
    let refused = world.try_update(owner, &id, None, &json!({"title": "x"}));
    assert!(matches!(refused, Err(Refusal::NotFound { .. })), "{refused:?}");
}

// Counting.

#[test]
fn a_changed_stop_counts_anew_and_another_change_of_the_schedule_does_not() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(SECOND);
    let counted = json!({"stop": {"kind": "count", "count": 2}});
    let id = world.create(owner, with(every(60), counted));
    world.run_for(10 * MINUTE);
    assert_eq!(world.automation(&id).state.completed_runs, 2);
    assert_eq!(world.update(owner, &id, interval(30)).state.next_fire_at, None, "it is over all the same");
    let edited = world.update(owner, &id, json!({"stop": {"count": 1}}));
    assert_eq!((edited.state.completed_runs, edited.state.next_fires.len()), (0, 1));
    world.run_for(10 * MINUTE);
    assert_eq!(world.story(&id).len(), 3);
    assert_eq!(world.update(owner, &id, json!({"stop": null})).state.next_fires.len(), 5);
    world.run_for(30 * SECOND);
    assert_eq!(world.story(&id).len(), 4);
    world.audit_all();
}
