//! What a later version has added to a row stays when this one writes the row again.

use rusqlite::types::Value;
use serde_json::json;
use sexton::domain::id::{InstanceId, RunId};

use crate::drafts::{every, with};
use crate::world::World;

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
