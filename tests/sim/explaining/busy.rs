//! What was kept from starting by other runs, or by work of the user's own.

use serde_json::json;

use super::{HOUR, MINUTE, SECOND, backup};
use crate::closer::by_hand;
use crate::drafts::with;
use crate::window::exited;
use crate::world::World;

#[test]
fn a_time_that_is_counted_on_the_run_before_is_overlapped_and_stays_so_when_that_has_ended() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 * * * *", json!({"policy": {"wallMs": 12 * HOUR}})));
    world.run_for(3 * HOUR);
    insta::assert_snapshot!(world.explained(&id, 2 * HOUR), @r"
    overlapped, 2025-01-06 02:00, run_00002
    “Backup” did not run at 2025-01-06 02:00, because its previous run, of 01:00, is still at work; 2 scheduled times are counted on it so far.
    2025-01-06 00:00 it was created by “simulation”: Every hour at :00, UTC [2]
    2025-01-06 01:00 run_00002 was created because it was due [3]
    2025-01-06 01:00 run_00002 started in window ins_window0 [5]
    ");
    let run = world.last_run(&id).id;
    world.now = world.now.plus_ms(10 * MINUTE);
    world.finish(&run, exited(0));
    insta::assert_snapshot!(world.explained(&id, 2 * HOUR), @r"
    overlapped, 2025-01-06 02:00, run_00003
    “Backup” did not run at 2025-01-06 02:00, because its previous run, which was there from 01:00 to 03:10, was still active; 2 scheduled times were skipped behind it.
    2025-01-06 00:00 it was created by “simulation”: Every hour at :00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 01:00 run_00002 was created because it was due [3]
    2025-01-06 01:00 run_00002 started in window ins_window0 [5]
    2025-01-06 03:10 run_00002 succeeded [10]
    2025-01-06 03:10 run_00003 recorded that nothing was started for 2 scheduled times, because the previous run was active [11]
    ");
}

#[test]
fn a_run_that_made_way_names_the_one_that_came() {
    let (mut world, owner) = World::with_owner();
    let policy = json!({"policy": {"overlap": "queueOne", "wallMs": 12 * HOUR}});
    let id = world.create(owner, backup("0 * * * *", policy));
    world.run_for(3 * HOUR);
    insta::assert_snapshot!(world.explained(&id, 2 * HOUR), @r"
    overlapped, 2025-01-06 02:00, run_00003
    “Backup” did not run at 2025-01-06 02:00: its run made way for the next one, of 03:00.
    2025-01-06 00:00 it was created by “simulation”: Every hour at :00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 02:00 run_00003 was created because it was due [6]
    2025-01-06 02:00 run_00003 waited for its previous run to go, behind run_00002 of “Backup” [6]
    2025-01-06 03:00 run_00003 was stopped: it made way for the next one [8]
    2025-01-06 03:00 run_00004 was created because it was due [10]
    2025-01-06 03:00 run_00004 waited for its previous run to go, behind run_00002 of “Backup” [10]
    ");
    insta::assert_snapshot!(world.summary(&id, 3 * HOUR), @"“Backup” was due at 2025-01-06 03:00 and waits, because its previous run, run_00002 of “Backup”, has not gone; if that lasts, it is given up at 04:00.");
    world.run_for(2 * HOUR - SECOND);
    insta::assert_snapshot!(world.summary(&id, 4 * HOUR), @"“Backup” was due at 2025-01-06 04:00 and waits, because its previous run, run_00002 of “Backup”, has not gone; if that lasts, it is given up at 05:00.");
}

#[test]
fn a_directory_that_was_busy_is_told_with_who_had_it() {
    let (mut world, owner) = World::with_owner();
    by_hand(&mut world, owner, json!({"title": "Index", "policy": {"wallMs": 12 * HOUR}}));
    let waits = backup("0 9 * * *", json!({"policy": {"queueMs": 20 * MINUTE}}));
    let id = world.create(owner, waits);
    let never = backup("0 9 * * *", json!({"policy": {"ifBusy": "skip"}}));
    let other = world.create(owner, with(never, json!({"title": "Copies"})));
    world.run_for(9 * HOUR + MINUTE);
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    waiting, 2025-01-06 09:00, run_00005
    “Backup” was due at 2025-01-06 09:00 and waits, because run_00002 of “Index” has its directory, or is ahead of it there; if that lasts, it is given up at 09:20.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [5]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 09:00 run_00005 was created because it was due [8]
    2025-01-06 09:00 run_00005 waited for its directory, behind run_00002 of “Index” [8]
    ");
    insta::assert_snapshot!(world.summary(&other, 9 * HOUR), @"“Copies” did not run at 2025-01-06 09:00, because its directory was busy: run_00005 of “Backup” had it, or was ahead of it there; it is not to wait for that (policy.ifBusy: skip).");
    world.run_for(HOUR);
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    busy, 2025-01-06 09:00, run_00005
    “Backup” did not run at 2025-01-06 09:00, because its directory was busy: run_00002 of “Index” had it, or was ahead of it there; it waited until 09:20 and was then given up.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [5]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 09:00 run_00005 was created because it was due [8]
    2025-01-06 09:00 run_00005 waited for its directory, behind run_00002 of “Index” [8]
    2025-01-06 09:20 run_00005 was stopped: its directory was busy [13]
    ");
}

#[test]
fn a_run_that_waited_and_started_tells_for_what() {
    let (mut world, owner) = World::with_owner();
    let (_, first) = by_hand(&mut world, owner, json!({"title": "Index", "policy": {"wallMs": 12 * HOUR}}));
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(9 * HOUR + 20 * MINUTE);
    world.finish(&first, exited(0));
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    ran_late, 2025-01-06 09:00, run_00004
    “Backup” was due at 2025-01-06 09:00 and ran 20 minutes late, at 09:20, because it waited for its directory, behind run_00002 of “Index”; it is still at work.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [5]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 09:00 run_00004 was created because it was due [7]
    2025-01-06 09:00 run_00004 waited for its directory, behind run_00002 of “Index” [7]
    2025-01-06 09:20 run_00004 started in window ins_window0 [12]
    ");
}

#[test]
fn each_that_was_waited_behind_is_told_once() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(8 * HOUR + 55 * MINUTE);
    let [first, second] = ["Index", "Lint"].map(|title| {
        let title = json!({"title": title, "policy": {"wallMs": 12 * HOUR}});
        by_hand(&mut world, owner, title).1
    });
    world.run_for(10 * MINUTE);
    world.cancel(owner, &second).unwrap();
    world.run_for(10 * MINUTE);
    world.finish(&first, exited(0));
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    ran_late, 2025-01-06 09:00, run_00006
    “Backup” was due at 2025-01-06 09:00 and ran 15 minutes late, at 09:15, because it waited for its directory, behind run_00003 of “Index”; it is still at work.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 09:00 run_00006 was created because it was due [10]
    2025-01-06 09:00 run_00006 waited for its directory, behind run_00005 of “Lint” [10]
    2025-01-06 09:00 run_00006 waited for its directory, behind run_00003 of “Index” [14]
    2025-01-06 09:15 run_00006 started in window ins_window0 [18]
    ");
}

#[test]
fn room_that_was_not_there_is_told() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.max_concurrent_runs = 1;
    world.restart();
    let owner = world.open().max(owner);
    by_hand(&mut world, owner, json!({"access": "read", "policy": {"wallMs": 12 * HOUR}}));
    let id = world.create(owner, backup("0 9 * * *", json!({"access": "read"})));
    world.run_for(10 * HOUR);
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR), @"“Backup” did not run at 2025-01-06 09:00, because as many runs were at work as may be at once; it waited until 10:00 and was then given up.");
}

#[test]
fn work_of_the_users_own_is_told_by_its_title_while_it_goes_on() {
    let (mut world, owner) = World::with_owner();
    world.try_hold(owner, "/project").unwrap();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(9 * HOUR);
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR), @"“Backup” was due at 2025-01-06 09:00 and waits, because work of the user's own (“a turn”) has its directory, or is ahead of it there; if that lasts, it is given up at 10:00.");
}

#[test]
fn a_run_before_that_waited_itself_is_told_with_what_it_waited_for() {
    let (mut world, owner) = World::with_owner();
    let (_, first) = by_hand(&mut world, owner, json!({"title": "Index", "policy": {"wallMs": 12 * HOUR}}));
    let id = world.create(owner, backup("0 * * * *", json!({"policy": {"queueMs": 3 * HOUR}})));
    world.run_for(2 * HOUR + 10 * MINUTE);
    world.finish(&first, exited(0));
    world.run_for(MINUTE);
    let run = world.runs(&id)[0].id.clone();
    world.finish(&run, exited(0));
    let summary = world.summary(&id, 2 * HOUR);
    let told = "its previous run, of 01:00, itself waited until 02:10 for its directory, behind run_00002 of “Index”";
    assert!(summary.contains(told), "{summary}");
}
