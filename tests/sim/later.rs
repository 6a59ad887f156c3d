//! What a later version has added to a row stays when this one writes the row again.

use rusqlite::types::Value;
use serde_json::json;

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
