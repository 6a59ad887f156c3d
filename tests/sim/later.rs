//! What a later version has added to a row stays when this one writes the row again.

use rusqlite::types::Value;
use serde_json::json;
use sexton::domain::id::{AutomationId, InstanceId, RunId};
use sexton::domain::refusal::Refusal;
use sexton::domain::request::{ActiveRun, DeleteRequest};
use sexton::engine::delete::{self, Deletion};
use sexton::ledger::EventFilter;

use crate::drafts::{every, with};
use crate::window::exited;
use crate::world::{Who, World};

fn read(world: &World, sql: &str) -> Value {
    world.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_belongs_to_a_wish_stays_with_the_wish() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, with(every(60), json!({"paused": true})));
    let run = world.run(owner, &id);
    world.settle();
    world.cancel(owner, &run).unwrap();
    let add = "UPDATE runs SET stopping = json_set(stopping, '$.because', 'later')";
    world.connection().execute(add, []).unwrap();
    world.cancel(owner, &run).unwrap();
    let stopping = "SELECT (stopping ->> '$.now') || (stopping ->> '$.because') FROM runs";
    assert_eq!(read(&world, stopping), Value::Text("1later".to_owned()));
    world.settle();
    assert_eq!(read(&world, "SELECT stopping FROM runs"), Value::Null, "and goes with it");
    world.audit_all();
}

#[test]
fn what_belongs_to_a_pause_stays_with_the_pause() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, with(every(60), json!({"paused": true})));
    let add = "UPDATE automations SET pause = json_set(pause, '$.until', 17)";
    world.connection().execute(add, []).unwrap();
    let run = world.run(owner, &id);
    world.settle();
    world.finish(&run, crate::window::exited(0));
    assert_eq!(read(&world, "SELECT pause ->> '$.until' FROM automations"), Value::Integer(17));
    world.resume(owner, &id).unwrap();
    assert_eq!(read(&world, "SELECT pause FROM automations"), Value::Null, "and goes with it");
    world.audit_all();
}

/// A run carries out what only a later version understands; its automation has been edited since.
fn bring_forward(world: &World, run: &RunId) {
    let sql = "INSERT INTO definitions (automation, revision, body)
               SELECT d.automation, d.revision, json_set(d.body, '$.policy.overlap', 'alternate')
               FROM runs r JOIN definitions d ON d.row = r.definition WHERE r.id = ?1";
    world.connection().execute(sql, [run.as_str()]).unwrap();
    let sql = "UPDATE runs SET definition = (SELECT max(row) FROM definitions) WHERE id = ?1";
    world.connection().execute(sql, [run.as_str()]).unwrap();
    assert!(world.view().stored_run(run).unwrap().unwrap().known().is_none());
}

/// Somebody is there who understands it.
fn bring_back(world: &World) {
    let sql = "UPDATE definitions SET body = json_set(body, '$.policy.overlap', 'skip')";
    world.connection().execute(sql, []).unwrap();
}

fn given_to(world: &World, run: &RunId) -> Option<InstanceId> {
    let sql = "SELECT given_to FROM runs WHERE id = ?1";
    let to: Option<String> = world.connection().query_row(sql, [run.as_str()], |row| row.get(0)).unwrap();
    to.map(InstanceId::from_text)
}

#[test]
fn a_run_that_a_dead_window_had_begun_and_nobody_understands_was_interrupted() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let id = world.create(owner, every(60));
    let run = world.run(other, &id);
    world.run_for(150_000);
    assert_eq!(world.story(&id), ["manual running skipped 60..120 x2"]);
    bring_forward(&world, &run);
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!(read(&world, "SELECT holds_directory FROM runs WHERE slots_to IS NULL"), Value::Integer(0));
    world.end_leftovers(owner).unwrap();
    world.audit_all();
    bring_back(&world);
    assert_eq!(
        world.story(&id),
        ["manual stopped interrupted", "schedule stopped previous_run_active slots 60..120 x2"]
    );
    assert!(!world.run_row(&run).holds_directory && world.view().instances().unwrap().len() == 1);
    world.run_for(60_000);
    assert_eq!(world.runs(&id).len(), 3, "it goes on under whoever understands it");
}

#[test]
fn a_run_that_was_not_begun_and_that_nobody_understands_waits_for_somebody_who_does() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let id = world.create(owner, with(every(60), json!({"paused": true})));
    let run = world.run(other, &id);
    assert_eq!(world.run_row(&run).given_to, Some(world.window(other).actor.instance.clone()));
    bring_forward(&world, &run);
    // It is neglected by whoever has it, which disturbs nobody.
    world.now = world.now.plus_ms(3000);
    world.tick(owner).unwrap();
    assert_eq!(given_to(&world, &run), Some(world.window(other).actor.instance.clone()));
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    world.tick(owner).unwrap();
    assert_eq!(given_to(&world, &run), None);
    bring_back(&world);
    world.settle();
    assert_eq!(world.story(&id), ["manual running"]);
    world.audit_all();
}

/// The automation has been edited by a later version, in words that are not known here; its runs keep what they are to do.
fn edit_by_a_later_version(world: &World) {
    let sql = "INSERT INTO definitions (automation, revision, body)
               SELECT automation, revision, json_set(body, '$.access', 'append') FROM definitions;
               UPDATE automations SET definition = (SELECT max(row) FROM definitions)";
    world.connection().execute_batch(sql).unwrap();
}

/// A world with a run at work, whose automation only a later version understands by now.
fn at_work() -> (World, Who, AutomationId, RunId) {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, with(every(60), json!({"policy": {"pauseAfterFailures": null}})));
    let run = world.run(owner, &id);
    world.settle();
    (world, owner, id, run)
}

fn count(world: &World, column: &str) -> Value {
    read(world, &format!("SELECT {column} FROM automations"))
}

fn told(world: &World, kind: &str) -> usize {
    let filter = EventFilter { kinds: vec![kind.to_owned()], automation: None };
    world.view().events_after(0, &filter, 1000).unwrap().len()
}

#[test]
fn what_a_run_came_to_counts_for_an_automation_that_nobody_understands() {
    for (exit_code, before, streak) in [(0, 2, 0), (1, 2, 3)] {
        let (mut world, owner, _, run) = at_work();
        edit_by_a_later_version(&world);
        let set = format!("UPDATE automations SET failure_streak = {before}, completed_runs = 5");
        world.connection().execute(&set, []).unwrap();
        world.end_of_work(&run, exited(exit_code));
        let updates = told(&world, "automation.updated");
        while world.carry(owner, &run) == crate::window::Moved::Yes {}
        assert_eq!(count(&world, "completed_runs"), Value::Integer(6), "exit code {exit_code}");
        assert_eq!(count(&world, "failure_streak"), Value::Integer(streak), "exit code {exit_code}");
        assert_eq!(told(&world, "automation.updated"), updates + 1, "exit code {exit_code}");
    }
}

#[test]
fn what_was_counted_on_a_run_is_recorded_for_an_automation_that_nobody_understands() {
    let (mut world, owner, _, run) = at_work();
    world.run_for(150_000);
    edit_by_a_later_version(&world);
    world.end_of_work(&run, exited(0));
    while world.carry(owner, &run) == crate::window::Moved::Yes {}
    let record = "SELECT stop_reason || ' x' || slots_count FROM runs WHERE slots_to IS NOT NULL";
    assert_eq!(read(&world, record), Value::Text("previous_run_active x2".to_owned()));
    let skipped = "SELECT count(*) FROM runs WHERE skipped IS NOT NULL";
    assert_eq!(read(&world, skipped), Value::Integer(0));
}

#[test]
fn an_automation_that_nobody_understands_goes_when_its_work_has_if_that_is_still_wished() {
    for goes in [true, false] {
        let (mut world, owner, id, run) = at_work();
        let wished = world.delete(owner, &id, ActiveRun::Finish).unwrap();
        assert!(matches!(wished, Deletion::Pending { .. }), "its run is at work");
        edit_by_a_later_version(&world);
        if !goes {
            let over = "UPDATE automations SET deleting = json_set(deleting, '$.until', 1)";
            world.connection().execute(over, []).unwrap();
        }
        world.end_of_work(&run, exited(0));
        while world.carry(owner, &run) == crate::window::Moved::Yes {}
        let deleted = read(&world, "SELECT deleted_at IS NOT NULL FROM automations");
        assert_eq!(deleted, Value::Integer(i64::from(goes)));
        assert_eq!(told(&world, "automation.deleted"), usize::from(goes));
    }
}

#[test]
fn an_automation_that_nobody_understands_is_deleted_by_its_revision() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, with(every(60), json!({"paused": true})));
    edit_by_a_later_version(&world);
    let Value::Integer(revision) = count(&world, "revision") else { panic!("a revision is a number") };
    let mut delete = |if_revision| {
        let automation = id.clone();
        let request = DeleteRequest { automation, if_revision, active_run: ActiveRun::Finish };
        world.decide(owner, |tx, context| delete::delete(tx, context, &request))
    };
    let refused = delete(Some(revision + 1));
    assert!(matches!(refused, Err(Refusal::AutomationConflict { .. })), "it has another revision");
    let Deletion::Done { tombstone, .. } = delete(Some(revision)).unwrap() else {
        panic!("nothing is at work")
    };
    assert_eq!((tombstone.id, tombstone.revision), (id, revision + 1));
    assert_eq!(told(&world, "automation.deleted"), 1);
    assert_eq!(read(&world, "SELECT deleted_at IS NOT NULL FROM automations"), Value::Integer(1));
}
