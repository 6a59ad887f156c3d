//! What others do while a window closes: they cancel, delete, die, and stand in the same line.

use std::slice;

use serde_json::json;
use sexton::domain::lifecycle::CloseKind::{Dispose, Reload};
use sexton::domain::lifecycle::CloseMode::{Force, Maintenance};
use sexton::domain::refusal::Refusal;
use sexton::domain::request::ActiveRun;
use sexton::domain::scheduler::Role;
use sexton::engine::delete::Deletion;

use crate::closer::{at_work, by_hand, close, given_to, said, status, told};
use crate::drafts::{every, with};
use crate::window::exited;
use crate::world::World;

#[test]
fn what_a_dead_window_was_about_to_close_keeps_nobody_waiting() {
    for asked_of in [0, 1] {
        let (mut world, owner) = World::with_owner();
        let run = at_work(&mut world, owner);
        let other = world.open();
        for who in [owner, other] {
            close(&mut world, who, Dispose, Maintenance);
        }
        let (_, waits) = by_hand(&mut world, [owner, other][asked_of], json!({}));
        world.settle();
        assert_eq!(world.carrier_of(&run), Some(owner));
        // Who has given up the project carries out what it is asked for itself.
        let waits_for = ["close", "directory"][asked_of];
        assert_eq!(said(&world, &waits), format!("manual scheduled {waits_for}"));
        world.die(owner);
        let third = world.open();
        world.settle();
        assert_eq!(world.carrier_of(&waits), Some([third, other][asked_of]));
        let ends = ["completed dispose maintenance", "failed dispose maintenance"];
        assert_eq!(told(&world), ends, "of the window that is there, and of the other");
        world.audit_all();
    }
}

#[test]
fn a_run_that_waits_for_a_close_can_be_cancelled_and_leaves_no_mark() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner);
    let accepted = close(&mut world, owner, Reload, Maintenance);
    let (_, waits) = by_hand(&mut world, owner, json!({}));
    let other = world.open_as(Role::Observer);
    world.cancel(other, &waits).unwrap();
    assert_eq!(said(&world, &waits), "manual stopped cancelled");
    assert_eq!(status(&world, owner).pending[0].waiting_for.runs, slice::from_ref(&run));
    world.finish(&run, exited(0));
    assert_eq!(status(&world, owner).pending, [], "{} is over", accepted.id);
    assert_eq!(said(&world, &waits), "manual stopped cancelled");
    world.audit_all();
}

#[test]
fn an_automation_is_deleted_from_another_window_while_its_window_closes() {
    for active_run in [ActiveRun::Cancel, ActiveRun::Finish, ActiveRun::Refuse] {
        let (mut world, owner) = World::with_owner();
        let other = world.open_as(Role::Observer);
        let working = world.create(owner, with(every(60), json!({"paused": true})));
        let run = world.run(owner, &working);
        world.settle();
        close(&mut world, owner, Dispose, Maintenance);
        let (waiting, waits) = by_hand(&mut world, owner, json!({}));
        let deleted = [&working, &waiting].map(|id| world.delete(other, id, active_run));
        let shown = deleted.map(|deletion| match deletion {
            Ok(Deletion::Done { .. }) => "done",
            Ok(Deletion::Pending { .. }) => "pending",
            Err(Refusal::ActiveRunStillRunning { .. }) => "refused",
            Err(refusal) => panic!("{refusal}"),
        });
        let expected = match active_run {
            ActiveRun::Cancel => ["pending", "done"],
            ActiveRun::Finish => ["pending", "pending"],
            ActiveRun::Refuse => ["refused", "refused"],
        };
        assert_eq!(shown, expected);
        world.settle();
        if active_run != ActiveRun::Cancel {
            assert_eq!(said(&world, &waits), "manual scheduled close");
            world.finish(&run, exited(0));
        }
        assert_eq!(told(&world), ["completed dispose maintenance"]);
        world.settle();
        if active_run != ActiveRun::Cancel {
            assert_eq!(world.carrier_of(&waits), Some(owner), "it goes on where it was asked for");
            world.finish(&waits, exited(0));
        }
        let sql = "SELECT count(*) FROM automations WHERE deleted_at IS NOT NULL";
        let gone: i64 = world.connection().query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(gone, if active_run == ActiveRun::Refuse { 0 } else { 2 });
        world.audit_all();
    }
}

#[test]
fn what_is_handed_back_waits_for_the_close_and_those_behind_it_for_another() {
    let mut world = World::new();
    world.limits.shared.max_concurrent_runs = 1;
    let owner = world.open();
    let observer = world.open_as(Role::Observer);
    let (_, handed_back) = by_hand(&mut world, owner, json!({}));
    let (_, theirs) = by_hand(&mut world, observer, json!({}));
    let (_, behind) = by_hand(&mut world, observer, json!({}));
    assert_eq!(given_to(&world, &handed_back).as_deref(), Some("ins_window0"));
    close(&mut world, owner, Dispose, Force);
    assert_eq!(said(&world, &handed_back), "manual scheduled close");
    assert_eq!(given_to(&world, &theirs).as_deref(), Some("ins_window1"));
    let ahead = world.run_row(&behind).run.waiting().and_then(|waiting| waiting.run_ahead().cloned());
    assert_eq!(ahead, Some(theirs));
    world.settle();
    world.audit_all();
}

#[test]
fn who_stood_behind_what_is_handed_back_waits_for_what_is_left() {
    let mut world = World::new();
    world.limits.shared.max_concurrent_runs = 1;
    let owner = world.open();
    let observer = world.open_as(Role::Observer);
    let (_, handed_back) = by_hand(&mut world, owner, json!({}));
    let (_, read) = by_hand(&mut world, observer, json!({"access": "read"}));
    let (_, behind) = by_hand(&mut world, observer, json!({}));
    assert_eq!(said(&world, &behind), "manual scheduled directory");
    close(&mut world, owner, Dispose, Force);
    assert_eq!(said(&world, &handed_back), "manual scheduled close");
    assert_eq!(given_to(&world, &read).as_deref(), Some("ins_window1"));
    assert_eq!(said(&world, &behind), "manual scheduled capacity", "nobody is ahead of it any more");
    world.settle();
    world.audit_all();
}
