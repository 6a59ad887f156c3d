//! What was settled late: it was missed, or a run made up for it.

use serde_json::json;
use sexton::domain::disturbance::{Disturbance, Outage};
use sexton::domain::refusal::StorageReason;
use sexton::domain::verdict::Verdict;

use super::{DAY, HOUR, MINUTE, SECOND, backup};
use crate::window::exited;
use crate::world::{START, World};

#[test]
fn a_machine_that_slept_is_named_also_long_after_its_events_are_forgotten() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.event_history = 0;
    world.restart();
    let owner = world.open_for("Zed").max(owner);
    let id = world.create(
        owner,
        backup("0 3 * * *", json!({"policy": {"missed": {"kind": "runOnce", "windowMs": HOUR}}})),
    );
    world.run_for(2 * HOUR);
    world.suspend(6 * HOUR);
    world.settle();
    insta::assert_snapshot!(world.summary(&id, 3 * HOUR), @"“Backup” was due at 2025-01-06 03:00, and what becomes of that is decided only at 08:00:10, because the machine slept from 02:00 to 08:00.");
    world.run_for(10 * SECOND);
    insta::assert_snapshot!(world.explained(&id, 3 * HOUR), @r"
    missed, 2025-01-06 03:00, run_00002
    “Backup” was missed at 2025-01-06 03:00, because the machine slept from 02:00 to 08:00; at 08:00:10 it was too late to make up for it.
    2025-01-06 00:00 it was created by “Zed”: Every day at 03:00, UTC [3]
    2025-01-06 00:00 “Zed” (window ins_window1) owned the bell from then on
    2025-01-06 02:00 the machine slept from 02:00 to 08:00 [4]
    2025-01-06 08:00:10 run_00002 recorded that nothing was started, because it was missed [5]
    ");
    world.work_ms = Some(MINUTE);
    world.run_for(60 * DAY);
    world.prune(owner).unwrap();
    insta::assert_snapshot!(world.explained(&id, 3 * HOUR), @r"
    missed, 2025-01-06 03:00, run_00002
    “Backup” was missed at 2025-01-06 03:00, because the machine slept from 02:00 to 08:00; at 08:00:10 it was too late to make up for it.
    2025-01-06 00:00 it was created by “Zed”: Every day at 03:00, UTC
    2025-01-06 00:00 “Zed” (window ins_window1) owned the bell from then on
    2025-01-06 02:00 the machine slept from 02:00 to 08:00
    2025-01-06 08:00:10 run_00002 recorded that nothing was started, because it was missed
    ");
    world.audit_all();
}

#[test]
fn one_run_makes_up_for_what_was_slept_through() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(
        owner,
        backup("0 * * * *", json!({"policy": {"missed": {"kind": "runOnce", "windowMs": DAY}}})),
    );
    world.now = world.now.plus_ms(30 * MINUTE);
    world.settle();
    world.suspend(11 * HOUR + 55 * MINUTE);
    world.run_for(10 * SECOND);
    let run = world.last_run(&id).id;
    world.finish(&run, exited(0));
    insta::assert_snapshot!(world.explained(&id, 4 * HOUR), @r"
    ran_late, 2025-01-06 04:00, run_00002
    “Backup” was due at 2025-01-06 04:00: one run at 12:25:10 made up for it and 11 others, because the machine slept from 00:30 to 12:25; it succeeded.
    2025-01-06 00:00 it was created by “simulation”: Every hour at :00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 00:30 the machine slept from 00:30 to 12:25 [3]
    2025-01-06 12:25:10 run_00002 was created to make up for what was missed, for 12 scheduled times [4]
    2025-01-06 12:25:10 run_00002 started in window ins_window0 [6]
    2025-01-06 12:25:10 run_00002 succeeded [7]
    ");
    insta::assert_snapshot!(world.summary(&id, 12 * HOUR), @"“Backup” was due at 2025-01-06 12:00: one run at 12:25:10 made up for it and 11 others, because the machine slept from 00:30 to 12:25; it succeeded.");
}

#[test]
fn a_window_that_died_is_told_as_far_as_it_is_known() {
    let mut world = World::new();
    let first = world.open_for("Zed");
    let id = world.create(first, backup("0 12 * * *", json!({"policy": {"missed": {"kind": "skip"}}})));
    world.run_for(2 * HOUR);
    world.update(first, &id, json!({"title": "Copies"}));
    world.run_for(HOUR);
    world.die(first);
    world.now = START.plus_ms(15 * HOUR);
    world.open_for("Helix");
    world.settle();
    insta::assert_snapshot!(world.explained(&id, 12 * HOUR), @r"
    missed, 2025-01-06 12:00, run_00002
    “Copies” was missed at 2025-01-06 12:00, because the window that owned the bell, of “Zed”, had gone: it was last heard of at 02:00 and found gone at 15:00; what is missed is not made up for (policy.missed: skip).
    2025-01-06 00:00 it was created by “Zed”: Every day at 12:00, UTC [2]
    2025-01-06 00:00 “Zed” (window ins_window0) owned the bell; it was last heard of at 02:00 and found gone at 15:00
    2025-01-06 15:00 run_00002 recorded that nothing was started, because it was missed [5]
    2025-01-06 15:00 “Helix” (window ins_window1) owned the bell from then on
    ");
    world.audit_all();
}

#[test]
fn a_window_that_is_found_gone_after_a_sleep_is_not_said_to_have_been_there_until_then() {
    let (mut world, first) = World::with_owner();
    let id = world.create(first, backup("0 12 * * *", json!({"policy": {"missed": {"kind": "skip"}}})));
    world.run_for(HOUR);
    world.die(first);
    world.now = START.plus_ms(10 * HOUR);
    // Whoever comes first writes down that the machine slept, and that is the newest event.
    world.suspend(4 * HOUR);
    world.open();
    world.run_for(10 * SECOND);
    insta::assert_snapshot!(world.explained(&id, 12 * HOUR), @r"
    missed, 2025-01-06 12:00, run_00002
    “Backup” was missed at 2025-01-06 12:00, because the machine slept from 10:00 to 14:00; what is missed is not made up for (policy.missed: skip).
    2025-01-06 00:00 it was created by “simulation”: Every day at 12:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell; it was last heard of at 00:00 and found gone at 14:00
    2025-01-06 10:00 the machine slept from 10:00 to 14:00 [3]
    2025-01-06 14:00 “simulation” (window ins_window1) owned the bell from then on
    2025-01-06 14:00:10 run_00002 recorded that nothing was started, because it was missed [5]
    ");
}

#[test]
fn a_project_that_nobody_had_open_was_left_at_a_known_time() {
    let (mut world, first) = World::with_owner();
    let id = world.create(first, backup("0 12 * * *", json!({})));
    world.run_for(2 * HOUR);
    world.prepare_to_leave(first).unwrap();
    world.leave(first).unwrap();
    world.now = START.plus_ms(15 * HOUR);
    let next = world.open();
    world.settle();
    insta::assert_snapshot!(world.explained(&id, 12 * HOUR), @r"
    ran_late, 2025-01-06 12:00, run_00003
    “Backup” was due at 2025-01-06 12:00 and ran 3 hours late, at 15:00, because nobody was there to start it from 02:00 to 15:00; it is still at work.
    2025-01-06 00:00 it was created by “simulation”: Every day at 12:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell until 02:00
    2025-01-06 15:00 run_00003 was created to make up for what was missed [5]
    2025-01-06 15:00 run_00003 started in window ins_window1 [7]
    2025-01-06 15:00 “simulation” (window ins_window1) owned the bell from then on
    ");
    let run = world.last_run(&id).id;
    world.finish(&run, exited(0));
    world.prepare_to_leave(next).unwrap();
    world.leave(next).unwrap();
    world.now = START.plus_ms(60 * HOUR);
    world.open();
    world.settle();
    insta::assert_snapshot!(world.summary(&id, 36 * HOUR), @"“Backup” was due at 2025-01-07 12:00: one run at 2025-01-08 12:00 made up for it and 1 other, because nobody was there to start it from 2025-01-06 15:00 to 2025-01-08 12:00; it is still at work.");
}

#[test]
fn an_owner_that_stood_still_is_told_as_one_that_did_not_come_to_it() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 12 * * *", json!({"policy": {"missed": {"kind": "skip"}}})));
    world.window_mut(owner).hangs = true;
    world.now = START.plus_ms(13 * HOUR);
    insta::assert_snapshot!(world.summary(&id, 12 * HOUR), @"“Backup” was due at 2025-01-06 12:00, and nobody has decided about that yet, because “simulation”, which owned the bell, did not come to it (why is not known).");
    world.window_mut(owner).hangs = false;
    world.settle();
    insta::assert_snapshot!(world.summary(&id, 12 * HOUR), @"“Backup” was missed at 2025-01-06 12:00, because “simulation”, which owned the bell, did not come to it (why is not known); what is missed is not made up for (policy.missed: skip).");
}

#[test]
fn a_ledger_that_could_not_be_written_is_named() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 12 * * *", json!({})));
    world.now = START.plus_ms(12 * HOUR + 20 * MINUTE);
    let outage =
        Outage { from: START.plus_ms(12 * HOUR + 5), to: world.now, reason: Some(StorageReason::Full) };
    world.decide(owner, |tx, _| Ok(tx.note_disturbance(&Disturbance::Unwritable(outage), None)?)).unwrap();
    world.settle();
    insta::assert_snapshot!(world.explained(&id, 12 * HOUR), @r"
    ran_late, 2025-01-06 12:00, run_00002
    “Backup” was due at 2025-01-06 12:00 and ran 20 minutes late, at 12:20, because the ledger could not be written from 12:00 to 12:20 (the disk was full); it is still at work.
    2025-01-06 00:00 it was created by “simulation”: Every day at 12:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 12:00 the ledger could not be written from 12:00 to 12:20 (the disk was full)
    2025-01-06 12:20 run_00002 was created to make up for what was missed [3]
    2025-01-06 12:20 run_00002 started in window ins_window0 [5]
    ");
}

#[test]
fn a_clock_that_was_set_ahead_is_named() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 12 * * *", json!({"policy": {"missed": {"kind": "skip"}}})));
    world.run_for(HOUR);
    world.set_clock(14 * HOUR);
    world.settle();
    insta::assert_snapshot!(world.explained(&id, 12 * HOUR), @r"
    missed, 2025-01-06 12:00, run_00002
    “Backup” was missed at 2025-01-06 12:00, because the clock was set ahead from 01:00 to 15:00; what is missed is not made up for (policy.missed: skip).
    2025-01-06 00:00 it was created by “simulation”: Every day at 12:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 01:00 the clock was set ahead from 01:00 to 15:00 [3]
    2025-01-06 15:00 run_00002 recorded that nothing was started, because it was missed [4]
    ");
}

#[test]
fn a_time_that_clocks_showed_twice_is_answered_for_once() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 12 * * *", json!({})));
    world.run_for(12 * HOUR + MINUTE);
    let run = world.last_run(&id).id;
    world.finish(&run, exited(0));
    world.set_clock(-3 * HOUR);
    world.run_for(4 * HOUR);
    insta::assert_snapshot!(world.explained(&id, 12 * HOUR), @r"
    ran, 2025-01-06 12:00, run_00002
    “Backup” ran at 2025-01-06 12:00, as scheduled, and succeeded.
    2025-01-06 00:00 it was created by “simulation”: Every day at 12:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 09:01 the clock was set back from 12:01 to 09:01 [8]
    2025-01-06 12:00 run_00002 was created because it was due [3]
    2025-01-06 12:00 run_00002 started in window ins_window0 [5]
    2025-01-06 12:01 run_00002 succeeded [6]
    ");
    insta::assert_snapshot!(world.explained(&id, 11 * HOUR), @r"
    not_scheduled, no slot, no run
    “Backup” was not scheduled at 2025-01-06 11:00, because hour 11 is not 12; the first one after is 12:00.
    2025-01-06 00:00 it was created by “simulation”: Every day at 12:00, UTC [2]
    2025-01-06 12:00 its schedule began anew, because the clock had been set back: Every day at 12:00, UTC [4]
    2025-01-06 12:00 the first scheduled time after 2025-01-06 11:00
    ");
}

#[test]
fn what_made_up_for_a_time_ran_late_also_for_whoever_has_more_patience() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 * * * *", json!({})));
    world.die(owner);
    world.now = world.now.plus_ms(HOUR + 10 * MINUTE);
    world.open();
    world.settle();
    let run = world.last_run(&id);
    assert_eq!(world.story(&id), ["catchUp running slots 3600..3600 x1"]);
    assert_eq!(Verdict::of_run(&run, START.plus_ms(HOUR), DAY), Verdict::RanLate);
}
