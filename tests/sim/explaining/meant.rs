//! Which slot somebody means who names a time: an exact one before any other of the same minute.

use serde_json::json;
use sexton::domain::request::ActiveRun;

use super::{HOUR, MINUTE, SECOND, backup};
use crate::drafts::{every, once, with};
use crate::window::exited;
use crate::world::{START, World};

#[test]
fn a_one_shot_that_ran_is_found_though_it_was_edited_to_the_same_minute() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, once(START.plus_ms(6 * SECOND).as_millis()));
    world.run_for(10 * SECOND);
    let run = world.last_run(&id).id;
    world.finish(&run, exited(0));
    world.update(owner, &id, json!({"fireAt": START.plus_ms(50 * SECOND).as_millis()}));
    let told = world.try_explain(&id, START.plus_ms(6 * SECOND)).unwrap();
    assert_eq!(told.scheduled_at, Some(START.plus_ms(6 * SECOND)), "{}", told.summary);
    let told = world.try_explain(&id, START.plus_ms(50 * SECOND)).unwrap();
    assert_eq!(told.scheduled_at, Some(START.plus_ms(50 * SECOND)), "{}", told.summary);
}

#[test]
fn a_slot_of_a_pause_is_not_the_first_one_after_it() {
    let (mut world, owner) = World::with_owner();
    world.run_for(40 * SECOND);
    let id = world.create(owner, every(30));
    world.pause(owner, &id, None).unwrap();
    world.run_for(35 * SECOND);
    world.resume(owner, &id).unwrap();
    let told = world.try_explain(&id, START.plus_ms(70 * SECOND)).unwrap();
    assert_eq!(told.scheduled_at, Some(START.plus_ms(70 * SECOND)), "{}", told.summary);
}

#[test]
fn a_time_after_the_end_is_not_the_last_one_before_it() {
    let (mut world, owner) = World::with_owner();
    world.run_for(40 * SECOND);
    let until = START.plus_ms(80 * SECOND).as_millis();
    let draft = with(every(30), json!({"stop": {"kind": "until", "at": until}}));
    let id = world.create(owner, draft);
    world.run_for(MINUTE);
    let told = world.try_explain(&id, START.plus_ms(100 * SECOND)).unwrap();
    assert_eq!(told.scheduled_at, Some(START.plus_ms(100 * SECOND)), "{}", told.summary);
}

#[test]
fn the_minute_of_a_slot_means_it_also_if_its_schedule_began_in_that_minute() {
    let (mut world, owner) = World::with_owner();
    world.run_for(MINUTE + 40 * SECOND);
    let id = world.create(owner, once(START.plus_ms(MINUTE + 50 * SECOND).as_millis()));
    world.run_for(MINUTE);
    let told = world.try_explain(&id, START.plus_ms(MINUTE)).unwrap();
    assert_eq!(told.scheduled_at, Some(START.plus_ms(MINUTE + 50 * SECOND)), "{}", told.summary);
    let told = world.try_explain(&id, START).unwrap();
    assert_eq!(told.scheduled_at, None, "{}", told.summary);
}

#[test]
fn no_number_of_edits_hides_a_run() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 * * * *", json!({})));
    world.run_for(HOUR);
    let run = world.last_run(&id).id;
    world.finish(&run, exited(0));
    for minute in 1..40 {
        let rhythm = json!({"kind": "cron", "expression": format!("{minute} 9 * * *")});
        world.update(owner, &id, json!({"rhythm": rhythm}));
    }
    let told = world.try_explain(&id, START.plus_ms(HOUR)).unwrap();
    assert_eq!(told.scheduled_at, Some(START.plus_ms(HOUR)), "{}", told.summary);
    assert!(told.summary.contains("succeeded"), "{}", told.summary);
}

#[test]
fn what_nobody_decided_about_before_a_pause_or_a_deletion_is_not_said_to_be_too_late() {
    let (mut world, owner) = World::with_owner();
    let paused = world.create(owner, backup("0 9 * * *", json!({})));
    let deleted = world.create(owner, backup("0 9 * * *", json!({})));
    world.now = START.plus_ms(9 * HOUR + 10 * MINUTE);
    world.pause(owner, &paused, None).unwrap();
    world.delete(owner, &deleted, ActiveRun::Finish).unwrap();
    for (id, what) in [(paused, "a pause starts nothing"), (deleted, "a deletion starts nothing")] {
        let summary = world.summary(&id, 9 * HOUR);
        assert!(summary.contains(what) && summary.contains("by “simulation”"), "{summary}");
        assert!(!summary.contains("too late") && !summary.contains("did not come to it"), "{summary}");
    }
}

#[test]
fn nothing_is_being_decided_where_nobody_is() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(2 * HOUR);
    world.prepare_to_leave(owner).unwrap();
    world.leave(owner).unwrap();
    world.now = START.plus_ms(9 * HOUR + SECOND);
    let summary = world.summary(&id, 9 * HOUR);
    assert!(summary.contains("nobody was there to start it since 02:00"), "{summary}");
}

#[test]
fn who_asks_a_little_beside_what_fired_once_is_told_what_became_of_it() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, once(START.plus_ms(HOUR).as_millis()));
    world.run_for(HOUR);
    let run = world.last_run(&id).id;
    world.finish(&run, exited(0));
    let summary = world.summary(&id, 2 * HOUR);
    assert!(summary.contains("as scheduled, and succeeded"), "{summary}");
}

#[test]
fn a_title_steers_no_terminal() {
    let (mut world, owner) = World::with_owner();
    let title = json!({"title": "one\u{1b}[31m\ntwo\u{202e}"});
    let id = world.create(owner, backup("0 9 * * *", title));
    let summary = world.summary(&id, 9 * HOUR);
    assert!(summary.contains("“one [31m two”"), "{summary}");
}
