//! Times at which nothing was due: it was paused, over, or deleted.

use serde_json::json;
use sexton::domain::request::ActiveRun;

use super::{DAY, HOUR, MINUTE, backup};
use crate::window::{Stage, exited, not_started};
use crate::world::{START, World};

#[test]
fn a_pause_tells_who_paused_it_and_when_it_went_on() {
    let (mut world, owner) = World::with_owner();
    let zed = world.open_for("Zed");
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(8 * HOUR);
    world.pause(zed, &id, None).unwrap();
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR), @"“Backup” is not due at 2025-01-06 09:00, because it was paused by “Zed” at 08:00 (“enough”); nothing of it is due until it is resumed.");
    world.run_for(2 * HOUR);
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR), @"“Backup” did not run at 2025-01-06 09:00, because it was paused by “Zed” at 08:00 (“enough”); it is still paused.");
    world.run_for(DAY);
    world.resume(owner, &id).unwrap();
    insta::assert_snapshot!(world.explained(&id, 33 * HOUR), @r"
    paused, 2025-01-07 09:00, no run
    “Backup” did not run at 2025-01-07 09:00, because it was paused by “Zed” at 2025-01-06 08:00 (“enough”); it was resumed by “simulation” at 10:00.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [2]
    2025-01-06 08:00 it was paused by “Zed” (“enough”) [3]
    2025-01-07 10:00 it was resumed by “simulation”: Every day at 09:00, UTC [4]
    ");
    insta::assert_snapshot!(world.explained(&id, 32 * HOUR), @r"
    not_scheduled, no slot, no run
    “Backup” was not scheduled at 2025-01-07 08:00, because hour 8 is not 9; the first one after is 2025-01-08 09:00.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [2]
    2025-01-06 08:00 it was paused by “Zed” (“enough”) [3]
    2025-01-07 10:00 it was resumed by “simulation”: Every day at 09:00, UTC [4]
    2025-01-08 09:00 the first scheduled time after 2025-01-07 08:00
    ");
}

#[test]
fn what_was_due_a_moment_before_the_pause_has_its_record() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.now = START.plus_ms(9 * HOUR + 5000);
    world.pause(owner, &id, None).unwrap();
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    paused, 2025-01-06 09:00, run_00002
    “Backup” was due at 2025-01-06 09:00 and was paused by “simulation” at 09:00:05 (“enough”), before that could start.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 09:00:05 run_00002 recorded that nothing was started, because the automation was paused [3]
    2025-01-06 09:00:05 it was paused by “simulation” (“enough”) [4]
    ");
}

#[test]
fn an_automation_that_paused_itself_says_why() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 * * * *", json!({"policy": {"pauseAfterFailures": 1}})));
    world.run_for(HOUR);
    let run = world.last_run(&id).id;
    world.finish(&run, exited(1));
    world.run_for(HOUR);
    insta::assert_snapshot!(world.summary(&id, 2 * HOUR), @"“Backup” did not run at 2025-01-06 02:00, because it paused itself at 01:00 after too many failures in a row; it is still paused.");
}

#[test]
fn a_schedule_that_is_over_says_so() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(MINUTE);
    let count = world.create(owner, backup("0 * * * *", json!({"stop": {"kind": "count", "count": 2}})));
    let at = START.plus_ms(90 * MINUTE).as_millis();
    let until = world.create(owner, backup("0 * * * *", json!({"stop": {"kind": "until", "at": at}})));
    world.run_for(4 * HOUR);
    insta::assert_snapshot!(world.explained(&count, 3 * HOUR), @r"
    ended, 2025-01-06 03:00, no run
    “Backup” was over by 2025-01-06 03:00: it was to have 2 runs, and the last ended at 02:01.
    2025-01-06 00:00 it was created by “simulation”: Every hour at :00, UTC, until 2 runs have succeeded or failed [2]
    2025-01-06 02:01 the last run ended that it was to have [19]
    ");
    insta::assert_snapshot!(world.summary(&count, 2 * HOUR), @"“Backup” ran at 2025-01-06 02:00, as scheduled, and succeeded.");
    insta::assert_snapshot!(world.summary(&until, 2 * HOUR), @"“Backup” was over by 2025-01-06 02:00: its schedule ended at 01:30.");
    insta::assert_snapshot!(world.explained(&until, 2 * HOUR + 17 * MINUTE), @r"
    not_scheduled, no slot, no run
    “Backup” was not scheduled at 2025-01-06 02:17, because minute 17 is not 0, and it comes after the schedule's end at 2025-01-06 01:30; the last one before is 01:00.
    2025-01-06 00:00 it was created by “simulation”: Every hour at :00, UTC, up to and including 2025-01-06 01:30 [3]
    2025-01-06 01:00 the last scheduled time before 2025-01-06 02:17
    ");
    insta::assert_snapshot!(world.summary(&until, DAY), @"“Backup” was over by 2025-01-07 00:00: its schedule ended at 2025-01-06 01:30.");
}

#[test]
fn a_run_that_was_to_come_after_the_last_is_told() {
    let (mut world, owner) = World::with_owner();
    let fields = json!({"stop": {"kind": "count", "count": 1},
        "policy": {"overlap": "queueOne", "wallMs": 12 * HOUR}});
    let id = world.create(owner, backup("0 * * * *", fields));
    world.run_for(2 * HOUR);
    insta::assert_snapshot!(world.summary(&id, 2 * HOUR), @"“Backup” did not run at 2025-01-06 02:00, because its previous run, of 01:00, is still at work; this time is counted on it so far.");
    let run = world.runs(&id)[0].id.clone();
    world.finish(&run, exited(0));
    insta::assert_snapshot!(world.summary(&id, 2 * HOUR), @"“Backup” did not run at 2025-01-06 02:00, because its previous run, which was there from 01:00 to 02:00, was still active.");
    insta::assert_snapshot!(world.summary(&id, 3 * HOUR), @"“Backup” was over by 2025-01-06 03:00: it was to have 1 run, and the last ended at 02:00.");
}

#[test]
fn a_deleted_automation_is_explained_to_the_end_and_beyond() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(MINUTE);
    let zed = world.open_for("Zed");
    let id = world.create(owner, backup("0 * * * *", json!({})));
    world.run_for(90 * MINUTE);
    world.delete(zed, &id, ActiveRun::Cancel).unwrap();
    world.run_for(HOUR);
    insta::assert_snapshot!(world.summary(&id, HOUR), @"“Backup” ran at 2025-01-06 01:00, as scheduled, and succeeded.");
    insta::assert_snapshot!(world.explained(&id, 2 * HOUR), @r"
    deleted, 2025-01-06 02:00, no run
    “Backup” was not there any more at 2025-01-06 02:00: it had been deleted by “Zed” at 01:30.
    2025-01-06 00:00 it was created by “simulation”: Every hour at :00, UTC [2]
    2025-01-06 01:30 it was deleted by “Zed” [8]
    ");
    insta::assert_snapshot!(world.summary(&id, 5 * HOUR), @"“Backup” was not there any more at 2025-01-06 05:00: it had been deleted by “Zed” at 01:30.");
    insta::assert_snapshot!(world.summary(&id, 5 * HOUR + 17 * MINUTE), @"“Backup” is not scheduled at 2025-01-06 05:17, because minute 17 is not 0, and it had been deleted at 01:30; the last one before is 01:00.");
}

#[test]
fn who_wished_it_deleted_is_told_not_who_buried_it() {
    let (mut world, owner) = World::with_owner();
    let zed = world.open_for("Zed");
    let id = world.create(owner, backup("0 * * * *", json!({"policy": {"wallMs": 12 * HOUR}})));
    world.run_for(HOUR);
    world.delete(zed, &id, ActiveRun::Finish).unwrap();
    world.run_for(HOUR);
    insta::assert_snapshot!(world.summary(&id, 2 * HOUR), @"“Backup” was due at 2025-01-06 02:00 and is being deleted by “Zed”: nothing of it is started.");
    insta::assert_snapshot!(world.summary(&id, 3 * HOUR), @"“Backup” would be due at 2025-01-06 03:00, and is being deleted by “Zed”.");
    let run = world.last_run(&id).id;
    world.finish(&run, exited(0));
    insta::assert_snapshot!(world.summary(&id, 3 * HOUR), @"“Backup” was not there any more at 2025-01-06 03:00: it had been deleted by “Zed” at 02:00.");
    insta::assert_snapshot!(world.explained(&id, 2 * HOUR), @r"
    not_started, 2025-01-06 02:00, run_00003
    “Backup” did not run at 2025-01-06 02:00: it was deleted by “Zed” before it could start.
    2025-01-06 00:00 it was created by “simulation”: Every hour at :00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 02:00 run_00003 recorded that nothing was started, because it was cancelled [8]
    2025-01-06 02:00 it was deleted by “Zed” [9]
    ");
}

#[test]
fn what_was_deleted_while_it_was_paused_was_paused_first() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 * * * *", json!({"paused": true})));
    world.run_for(90 * MINUTE);
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    insta::assert_snapshot!(world.summary(&id, HOUR), @"“Backup” did not run at 2025-01-06 01:00, because it was paused by “simulation” at 00:00.");
    insta::assert_snapshot!(world.summary(&id, 2 * HOUR), @"“Backup” was not there any more at 2025-01-06 02:00: it had been deleted by “simulation” at 01:30.");
}

#[test]
fn a_moment_before_a_deletion_is_a_record() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 * * * *", json!({})));
    world.now = START.plus_ms(HOUR + 5000);
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    insta::assert_snapshot!(world.summary(&id, HOUR), @"“Backup” did not run at 2025-01-06 01:00: it was deleted by “simulation” before it could start.");
}

#[test]
fn runs_that_are_no_longer_kept_are_in_the_account_of_their_day() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(MINUTE);
    let keep = json!({"policy": {"keep": {"runs": 3, "days": 90}}});
    let id = world.create(owner, backup("0 */6 * * *", keep));
    world.run_for(DAY);
    world.now = START.plus_ms(DAY + 6 * HOUR);
    world.tick(owner).unwrap();
    world.act(owner);
    let run = world.last_run(&id).id;
    world.set_stage(owner, &run, Some(Stage::Ended(not_started())));
    world.settle();
    world.run_for(2 * DAY);
    world.prune(owner).unwrap();
    insta::assert_snapshot!(world.explained(&id, 6 * HOUR), @r"
    pruned, 2025-01-06 06:00, no run
    What was due of “Backup” at 2025-01-06 06:00 was settled, and its run is no longer kept; what is left is the account of 2025-01-06: 3 runs succeeded.
    2025-01-06 00:00 it was created by “simulation”: Every day at 00:00, 06:00, 12:00 and 18:00, UTC [2]
    2025-01-06 00:00 no longer kept of this day, in UTC: 3 runs succeeded, for 3 scheduled times
    ");
    insta::assert_snapshot!(world.explained(&id, DAY + 6 * HOUR), @r"
    pruned, 2025-01-07 06:00, no run
    What was due of “Backup” at 2025-01-07 06:00 was settled, and its run is no longer kept; what is left is the account of 2025-01-07: 1 run failed (timed_out), 1 run stopped (previous_run_active), 2 runs succeeded.
    2025-01-06 00:00 it was created by “simulation”: Every day at 00:00, 06:00, 12:00 and 18:00, UTC [2]
    2025-01-07 00:00 no longer kept of this day, in UTC: 1 run failed (timed_out), for 1 scheduled time
    2025-01-07 00:00 no longer kept of this day, in UTC: 1 run stopped (previous_run_active), for 1 scheduled time
    2025-01-07 00:00 no longer kept of this day, in UTC: 2 runs succeeded, for 2 scheduled times
    ");
}
