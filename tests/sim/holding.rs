//! Work of the user's own: runs that write wait behind it, and closes wait for it.

use std::slice;

use serde_json::json;
use sexton::domain::id::RunId;
use sexton::domain::lifecycle::CloseKind::{Dispose, Reload};
use sexton::domain::lifecycle::CloseMode::{Force, Maintenance};
use sexton::domain::policy::IfBusy;
use sexton::domain::refusal::Refusal;
use sexton::domain::run::Ahead;
use sexton::domain::scheduler::Role;

use crate::closer::{PROJECT, by_hand, said, told};
use crate::drafts::{every, policy, with};
use crate::window::exited;
use crate::world::World;

const MINUTE: i64 = 60_000;

fn ahead(world: &World, run: &RunId) -> Option<Ahead> {
    world.run_row(run).run.waiting().and_then(|waiting| waiting.behind.clone())
}

#[test]
fn runs_that_write_wait_behind_a_hold_and_others_do_not() {
    let (mut world, owner) = World::with_owner();
    let hold = world.try_hold(owner, "/project").unwrap();
    let (_, first) = by_hand(&mut world, owner, json!({}));
    let (_, second) = by_hand(&mut world, owner, json!({}));
    let (_, read) = by_hand(&mut world, owner, json!({"access": "read"}));
    world.run_for(MINUTE);
    assert_eq!(said(&world, &read), "manual running");
    assert_eq!(said(&world, &first), "manual scheduled directory");
    assert_eq!(ahead(&world, &first), Some(Ahead::Hold(hold.clone())));
    assert_eq!(ahead(&world, &second), Some(Ahead::Run(first.clone())));
    world.release(owner, &hold).unwrap();
    world.settle();
    assert_eq!(said(&world, &first), "manual running");
    assert_eq!(ahead(&world, &second), Some(Ahead::Run(first)));
    world.release(owner, &hold).unwrap();
    world.audit_all();
}

#[test]
fn what_is_at_work_goes_on_beside_a_hold_and_what_comes_after_waits_for_both() {
    let (mut world, owner) = World::with_owner();
    let (_, working) = by_hand(&mut world, owner, json!({}));
    world.settle();
    let (_, waits) = by_hand(&mut world, owner, json!({}));
    let hold = world.try_hold(owner, "/project").unwrap();
    assert_eq!(ahead(&world, &waits), Some(Ahead::Run(working.clone())));
    assert_eq!(said(&world, &working), "manual running");
    world.finish(&working, exited(0));
    assert_eq!(ahead(&world, &waits), Some(Ahead::Hold(hold.clone())));
    world.release(owner, &hold).unwrap();
    world.settle();
    assert_eq!(said(&world, &waits), "manual running");
    world.audit_all();
}

#[test]
fn who_waited_for_room_waits_behind_the_hold_that_comes() {
    let mut world = World::new();
    world.limits.shared.max_concurrent_runs = 1;
    let owner = world.open();
    let (_, read) = by_hand(&mut world, owner, json!({"access": "read"}));
    let (_, waits) = by_hand(&mut world, owner, json!({}));
    assert_eq!(said(&world, &waits), "manual scheduled capacity");
    let hold = world.try_hold(owner, "/project").unwrap();
    assert_eq!(said(&world, &waits), "manual scheduled directory");
    assert_eq!(ahead(&world, &waits), Some(Ahead::Hold(hold.clone())));
    world.release(owner, &hold).unwrap();
    assert_eq!(said(&world, &waits), "manual scheduled capacity");
    world.settle();
    world.finish(&read, exited(0));
    assert_eq!(said(&world, &waits), "manual running");
    world.audit_all();
}

#[test]
fn of_several_holds_the_oldest_is_waited_for_first() {
    let (mut world, owner) = World::with_owner();
    let first = world.try_hold(owner, "/project").unwrap();
    let (_, waits) = by_hand(&mut world, owner, json!({}));
    world.now = world.now.plus_ms(1);
    let second = world.try_hold(owner, "/project").unwrap();
    world.try_hold(owner, "/elsewhere").unwrap();
    let revision = world.run_row(&waits).run.revision;
    assert_eq!(ahead(&world, &waits), Some(Ahead::Hold(first.clone())));
    assert_eq!(revision, 1, "nothing has changed for it");
    world.release(owner, &first).unwrap();
    assert_eq!(ahead(&world, &waits), Some(Ahead::Hold(second.clone())));
    world.release(owner, &second).unwrap();
    world.settle();
    assert_eq!(said(&world, &waits), "manual running");
    world.audit_all();
}

#[test]
fn what_is_not_to_wait_ends_behind_a_hold() {
    let (mut world, owner) = World::with_owner();
    let hold = world.try_hold(owner, "/project").unwrap();
    let asked = world.create(owner, with(every(60), json!({"paused": true})));
    let refused = world.try_run_if_busy(owner, &asked, Some(IfBusy::Skip)).unwrap_err();
    assert!(matches!(refused, Refusal::WriterBusy { ahead } if ahead == Ahead::Hold(hold.clone())));
    let due = world.create(owner, policy(every(60), json!({"ifBusy": "skip"})));
    world.run_for(MINUTE);
    assert_eq!(world.story(&due), ["schedule stopped writer_busy slots 60..60 x1"]);
    world.audit_all();
}

#[test]
fn a_hold_ends_with_its_window_however_that_goes() {
    for leaves in [true, false] {
        let (mut world, owner) = World::with_owner();
        let holder = world.open_as(Role::Observer);
        let hold = world.try_hold(holder, "/project").unwrap();
        let (_, waits) = by_hand(&mut world, owner, json!({}));
        world.release(owner, &hold).unwrap();
        assert_eq!(ahead(&world, &waits), Some(Ahead::Hold(hold)), "it is not this window's to release");
        if leaves {
            world.prepare_to_leave(holder).unwrap();
            world.leave(holder).unwrap();
        } else {
            world.die(holder);
            world.settle_dead_peers(owner).unwrap();
        }
        world.settle();
        assert_eq!(said(&world, &waits), "manual running");
        world.audit_all();
    }
}

#[test]
fn closes_that_wait_wait_for_the_holds_of_their_own_window() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    world.try_hold(other, "/project").unwrap();
    let hold = world.try_hold(owner, "/worktree").unwrap();
    let elsewhere = world.try_close(owner, Reload, Maintenance, &["/project"]).unwrap();
    assert!(elsewhere.is_ready(), "other windows go on");
    let waits = world.try_close(owner, Reload, Maintenance, PROJECT).unwrap();
    assert_eq!(waits.waiting_for.holds, slice::from_ref(&hold));
    world.settle();
    assert_eq!(told(&world), ["completed reload maintenance"]);
    world.release(owner, &hold).unwrap();
    world.settle();
    assert_eq!(told(&world), ["completed reload maintenance"; 2]);
    world.try_hold(owner, "/worktree").unwrap();
    world.try_close(owner, Dispose, Force, PROJECT).unwrap();
    world.settle();
    assert_eq!(told(&world)[2..], ["completed dispose force"]);
    world.audit_all();
}
