//! What ran, and what could not be started.

use serde_json::json;

use super::{HOUR, MINUTE, SECOND, backup};
use crate::drafts::every;
use crate::window::{Stage, exited, not_started, precheck_only};
use crate::world::World;

#[test]
fn what_ran_in_time_is_told_with_how_it_went() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(9 * HOUR);
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR), @"“Backup” ran at 2025-01-06 09:00, as scheduled, and is still at work.");
    let run = world.last_run(&id).id;
    world.now = world.now.plus_ms(5 * MINUTE);
    world.finish(&run, exited(0));
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    ran, 2025-01-06 09:00, run_00002
    “Backup” ran at 2025-01-06 09:00, as scheduled, and succeeded.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 09:00 run_00002 was created because it was due [3]
    2025-01-06 09:00 run_00002 started in window ins_window0 [5]
    2025-01-06 09:05 run_00002 succeeded [6]
    ");
    world.run_for(24 * HOUR);
    let run = world.last_run(&id).id;
    world.finish(&run, exited(3));
    insta::assert_snapshot!(world.summary(&id, 33 * HOUR), @"“Backup” ran at 2025-01-07 09:00, as scheduled, and failed: the command exited with code 3; `end.tail` has its last output.");
    world.run_for(24 * HOUR);
    let run = world.last_run(&id).id;
    world.cancel(owner, &run).unwrap();
    world.settle();
    insta::assert_snapshot!(world.summary(&id, 57 * HOUR), @"“Backup” ran at 2025-01-08 09:00, as scheduled, and was stopped at 09:05: it was cancelled.");
}

#[test]
fn seconds_within_the_grace_are_told() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.now = world.now.plus_ms(9 * HOUR + 40 * SECOND);
    world.settle();
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR), @"“Backup” was due at 2025-01-06 09:00, ran 40 seconds later, and is still at work.");
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR + 59 * SECOND), @"“Backup” was due at 2025-01-06 09:00, ran 40 seconds later, and is still at work.");
}

#[test]
fn the_first_second_is_not_noticed() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.now = world.now.plus_ms(9 * HOUR + SECOND - 1);
    world.settle();
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR), @"“Backup” ran at 2025-01-06 09:00, as scheduled, and is still at work.");
    world.finish(&world.last_run(&id).id, exited(0));
    world.now = world.now.plus_ms(24 * HOUR + 1);
    world.settle();
    insta::assert_snapshot!(world.summary(&id, 33 * HOUR), @"“Backup” was due at 2025-01-07 09:00, ran 1 second later, and is still at work.");
}

#[test]
fn one_run_stands_for_all_that_were_due_within_the_grace() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(30));
    world.now = world.now.plus_ms(70 * SECOND);
    world.settle();
    insta::assert_snapshot!(world.summary(&id, 30 * SECOND), @"“every 30 s” was due at 2025-01-06 00:00:30 and had no run of its own: the one of 00:01 stands for 1 other; it is still at work.");
    insta::assert_snapshot!(world.summary(&id, 60 * SECOND), @"“every 30 s” was due at 2025-01-06 00:01, ran 10 seconds later, and is still at work.");
}

#[test]
fn a_run_that_is_tried_again_is_one_with_its_tries() {
    let (mut world, owner) = World::with_owner();
    let retry = json!({"policy": {"retry": {"attempts": 2, "delayMs": 90 * SECOND}}});
    let id = world.create(owner, backup("0 9 * * *", retry));
    world.now = world.now.plus_ms(9 * HOUR);
    let fail = |world: &mut World| {
        world.tick(owner).unwrap();
        world.act(owner);
        let run = world.last_run(&id).id;
        world.set_stage(owner, &run, Some(Stage::Ended(not_started())));
        world.carry(owner, &run);
    };
    fail(&mut world);
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR), @"“Backup” was due at 2025-01-06 09:00 and waits, because it is tried again only after a while; if that lasts, it is given up at 10:01:30.");
    world.now = world.now.plus_ms(90 * SECOND);
    fail(&mut world);
    world.run_for(90 * SECOND);
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    ran_late, 2025-01-06 09:00, run_00004
    “Backup” was due at 2025-01-06 09:00 and ran 3 minutes late, at 09:03, because the first try could not be started (of class Transient; do something); it is still at work.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 09:00 run_00002 was created because it was due [3]
    2025-01-06 09:00 run_00002 failed: of class Transient; do something [5]
    2025-01-06 09:00 run_00003 was created to try run_00002 again [7]
    2025-01-06 09:00 run_00003 waited to be tried again [7]
    2025-01-06 09:01:30 run_00003 failed: of class Transient; do something [10]
    2025-01-06 09:01:30 run_00004 was created to try run_00003 again [12]
    2025-01-06 09:01:30 run_00004 waited to be tried again [12]
    2025-01-06 09:03 run_00004 started in window ins_window0 [15]
    ");
}

#[test]
fn what_was_not_started_is_told_with_its_reason() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 * * * *", json!({})));
    let end_as = |world: &mut World, end| {
        world.now = world.automation(&id).state.next_fire_at.unwrap();
        world.tick(owner).unwrap();
        world.act(owner);
        let run = world.last_run(&id).id;
        world.begin(owner, &run).unwrap();
        world.set_stage(owner, &run, Some(Stage::Ended(end)));
        world.carry(owner, &run);
    };
    end_as(&mut world, not_started());
    insta::assert_snapshot!(world.summary(&id, HOUR), @"“Backup” could not be started at 2025-01-06 01:00: of class Transient; do something.");
    end_as(&mut world, precheck_only(75));
    insta::assert_snapshot!(world.summary(&id, 2 * HOUR), @"“Backup” did not run at 2025-01-06 02:00: its precheck said that there was nothing to do.");
    world.try_hold(owner, "/project").unwrap();
    world.run_for(HOUR);
    insta::assert_snapshot!(world.summary(&id, 3 * HOUR), @"“Backup” was due at 2025-01-06 03:00 and waits, because work of the user's own (“a turn”) has its directory, or is ahead of it there; if that lasts, it is given up at 04:00.");
    let run = world.last_run(&id).id;
    world.cancel(owner, &run).unwrap();
    insta::assert_snapshot!(world.explained(&id, 3 * HOUR), @r"
    not_started, 2025-01-06 03:00, run_00005
    “Backup” did not run at 2025-01-06 03:00: it was cancelled at 03:00, before it could start.
    2025-01-06 00:00 it was created by “simulation”: Every hour at :00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 03:00 run_00005 was created because it was due [11]
    2025-01-06 03:00 run_00005 waited for its directory, behind work of the user's own (“a turn”) [11]
    2025-01-06 03:00 run_00005 was stopped: it was cancelled [13]
    ");
}
