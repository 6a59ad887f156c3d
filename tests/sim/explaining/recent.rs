//! The time that somebody asks about who names none.

use serde_json::json;
use sexton::domain::id::AutomationId;
use sexton::domain::request::ActiveRun;
use sexton::engine::explain::recent;
use sexton::engine::pause;

use super::{DAY, HOUR, MINUTE, SECOND, backup};
use crate::drafts::{every, once};
use crate::world::{START, World};

/// It, in milliseconds after the start.
fn asked(world: &World, id: &AutomationId) -> Option<i64> {
    recent(&world.view(), world.now, id).unwrap().map(|at| at.since_ms(START))
}

#[test]
fn it_is_the_last_one_that_was_due_and_before_the_first_one_that_one() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    assert_eq!(asked(&world, &id), Some(9 * HOUR), "the first one is still to come");
    world.advance(9 * HOUR - 1);
    assert_eq!(asked(&world, &id), Some(9 * HOUR));
    world.advance(1);
    assert_eq!(asked(&world, &id), Some(9 * HOUR), "this very moment");
    world.advance(2 * DAY + HOUR);
    assert_eq!(asked(&world, &id), Some(2 * DAY + 9 * HOUR));
    let interval = world.create(owner, every(90));
    let begun = 2 * DAY + 10 * HOUR;
    assert_eq!(asked(&world, &interval), Some(begun + 90 * SECOND));
    world.advance(4 * MINUTE);
    assert_eq!(asked(&world, &interval), Some(begun + 180 * SECOND));
}

#[test]
fn what_rests_or_is_gone_is_asked_about_as_if_it_were_not() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.advance(10 * HOUR);
    let request = sexton::domain::request::RestRequest { automation: id.clone(), note: None };
    world.decide(owner, |tx, context| pause::pause(tx, context, request)).unwrap();
    world.advance(DAY);
    assert_eq!(asked(&world, &id), Some(DAY + 9 * HOUR));
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    world.advance(DAY);
    assert_eq!(asked(&world, &id), Some(2 * DAY + 9 * HOUR));
}

#[test]
fn an_edit_does_not_hide_what_was_due_before_it() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.advance(10 * HOUR);
    world.update(owner, &id, json!({"rhythm": {"kind": "cron", "expression": "0 8 * * *"}}));
    assert_eq!(asked(&world, &id), Some(9 * HOUR), "of the new schedule nothing was due yet");
    world.advance(DAY);
    assert_eq!(asked(&world, &id), Some(DAY + 8 * HOUR));
}

#[test]
fn what_is_due_once_is_asked_about_before_and_after_that() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, once(START.plus_ms(HOUR).as_millis()));
    assert_eq!(asked(&world, &id), Some(HOUR));
    world.advance(30 * DAY);
    assert_eq!(asked(&world, &id), Some(HOUR));
    let until = json!({"stop": {"kind": "until", "at": START.plus_ms(MINUTE).as_millis()}});
    let over = world.create(owner, backup("0 9 * * *", until));
    assert_eq!(asked(&world, &over), None, "it was over before it began");
    assert!(recent(&world.view(), world.now, &AutomationId::from_unique("none")).is_err());
}
