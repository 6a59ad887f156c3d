//! What nobody can read concerns itself alone: what runs of such an automation come to is written down, and everybody
//! else goes on.

use rusqlite::types::Value;
use serde_json::json;
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::request::ActiveRun;

use crate::drafts::{every, policy, reminder, with};
use crate::window::exited;
use crate::world::{START, World};

fn read(world: &World, sql: &str) -> Value {
    world.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// What the automation is to do is not there any more; its runs keep what they are to do. Gives what it was.
fn lose_definition(world: &World, id: &AutomationId) -> i64 {
    let sql = "SELECT definition FROM automations WHERE id = ?1";
    let before = world.connection().query_row(sql, [id.as_str()], |row| row.get(0)).unwrap();
    define(world, id, 1_000_000);
    assert!(world.view().automation(id).unwrap().is_none());
    before
}

fn define(world: &World, id: &AutomationId, definition: i64) {
    let sql = "UPDATE automations SET definition = ?2 WHERE id = ?1";
    world.connection().execute(sql, (id.as_str(), definition)).unwrap();
}

/// What only reads, and is begun by hand.
fn reading(title: &str) -> serde_json::Value {
    with(every(3600), json!({"title": title, "paused": true, "access": "read"}))
}

/// How a run has ended, or in which state it is.
fn what_became_of(world: &World, run: &RunId) -> String {
    let sql = "SELECT coalesce(stop_reason, state) FROM runs WHERE id = ?1";
    world.connection().query_row(sql, [run.as_str()], |row| row.get(0)).unwrap()
}

/// Which automations are not decided about.
fn set_aside(world: &World) -> Vec<AutomationId> {
    let mut statement = world.connection().prepare("SELECT id FROM automations WHERE set_aside = 1").unwrap();
    let ids = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    ids.map(|id| AutomationId::from_text(id.unwrap())).collect()
}

fn fired(world: &World, id: &AutomationId) -> usize {
    world.runs(id).len()
}

#[test]
fn a_wait_is_over_also_where_the_automation_cannot_be_read() {
    let (mut world, owner) = World::with_owner();
    let holder = world.create(owner, with(every(3600), json!({"paused": true})));
    world.run(owner, &holder);
    let others = world.create(owner, reminder(every(60)));
    let id = world.create(owner, policy(every(60), json!({"queueMs": 100_000})));
    world.run_for(130_000);
    assert_eq!(world.story(&id), ["schedule scheduled directory slots 60..60 x1 skipped 120..120 x1"]);
    let run = world.runs(&id)[0].id.clone();
    let definition = lose_definition(&world, &id);
    let before = fired(&world, &others);
    // Its wait is over after 160 s. Nobody looks in vain after that, which the world asks for.
    world.run_for(60_000);
    assert_eq!(what_became_of(&world, &run), "writer_busy");
    assert_eq!(fired(&world, &others), before + 1, "others go on");
    assert_eq!(set_aside(&world).as_slice(), std::slice::from_ref(&id));
    let record =
        "SELECT slots_from || ' x' || slots_count FROM runs WHERE stop_reason = 'previous_run_active'";
    let second = START.plus_ms(120_000).as_millis();
    assert_eq!(read(&world, record), Value::Text(format!("{second} x1")), "what was counted on it");

    define(&world, &id, definition);
    world.release_bell(owner);
    world.try_the_bell(owner).unwrap();
    world.run_for(60_000);
    assert_eq!(set_aside(&world), []);
    world.audit_all();
}

#[test]
fn work_ends_and_frees_its_directory_also_where_the_automation_cannot_be_read() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, with(every(3600), json!({"paused": true})));
    let next = world.create(owner, with(every(3600), json!({"paused": true})));
    let run = world.run(owner, &id);
    let behind = world.run(owner, &next);
    world.settle();
    assert_eq!(world.story(&next), ["manual scheduled directory"]);
    lose_definition(&world, &id);
    world.finish(&run, exited(0));
    world.settle();
    assert_eq!(what_became_of(&world, &run), "succeeded");
    assert_eq!(what_became_of(&world, &behind), "running");
}

#[test]
fn what_a_dead_window_had_begun_was_interrupted_also_where_the_automation_cannot_be_read() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let (lost, sound) = (world.create(owner, reading("lost")), world.create(owner, reading("sound")));
    let (one, two) = (world.run(other, &lost), world.run(other, &sound));
    world.settle();
    lose_definition(&world, &lost);
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    assert_eq!([&one, &two].map(|run| what_became_of(&world, run)), ["interrupted", "interrupted"]);
    assert_eq!(world.view().instances().unwrap().len(), 1);
    world.settle();
}

#[test]
fn limits_beyond_all_times_keep_nobody_from_looking_at_other_windows() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let (begun, waiting) = (world.create(owner, reading("begun")), world.create(owner, reading("waiting")));
    let begun = world.run(other, &begun);
    world.settle();
    let waiting = world.run(other, &waiting);
    for (run, column) in [(&begun, "deadline_at"), (&waiting, "given_at")] {
        let sql = format!("UPDATE runs SET {column} = {} WHERE id = ?1", i64::MAX);
        world.connection().execute(&sql, [run.as_str()]).unwrap();
    }
    let neglected = world.view().next_neglected(&world.window(owner).actor.instance, 2000).unwrap();
    assert!(neglected.is_some_and(|at| at > sexton::domain::time::Timestamp::MAX), "{neglected:?}");
}

#[test]
fn a_directory_is_free_once_the_work_has_gone_also_where_the_automation_cannot_be_read() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let id = world.create(owner, with(every(3600), json!({"paused": true})));
    let next = world.create(owner, with(every(3600), json!({"paused": true})));
    world.run(other, &id);
    let behind = world.run(owner, &next);
    world.settle();
    world.leftovers_resist = true;
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    world.settle();
    assert_eq!(what_became_of(&world, &behind), "scheduled");
    lose_definition(&world, &id);
    world.end_leftovers(owner).unwrap();
    world.settle();
    assert_eq!(what_became_of(&world, &behind), "running");
}

#[test]
fn a_void_wish_to_delete_what_cannot_be_read_has_nobody_look_in_vain() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, with(every(3600), json!({"paused": true})));
    world.run(owner, &id);
    world.settle();
    world.delete(owner, &id, ActiveRun::Finish).unwrap();
    let soon = world.now.plus_ms(5000).as_millis();
    let over = format!("UPDATE automations SET deleting = json_set(deleting, '$.until', {soon})");
    world.connection().execute(&over, []).unwrap();
    let definition = lose_definition(&world, &id);
    world.run_for(10_000);
    assert_eq!(set_aside(&world).as_slice(), std::slice::from_ref(&id));
    define(&world, &id, definition);
    world.release_bell(owner);
    world.try_the_bell(owner).unwrap();
    world.settle();
    assert_eq!(
        read(&world, "SELECT deleting FROM automations"),
        Value::Null,
        "whoever can read it gives it up"
    );
    world.audit_all();
}
