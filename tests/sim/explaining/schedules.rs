//! Times that were never scheduled, and times that are still to come.

use serde_json::json;
use sexton::domain::id::AutomationId;
use sexton::domain::refusal::Refusal;
use sexton::domain::time::Timestamp;

use super::{DAY, HOUR, MINUTE, SECOND, backup};
use crate::drafts::{every, once};
use crate::world::{START, World};

#[test]
fn a_time_that_was_never_scheduled_names_the_field_that_says_no_and_the_nearest_times() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(MINUTE);
    let berlin = backup("0 9 * * 1-5", json!({"timezone": "Europe/Berlin"}));
    let id = world.create(owner, berlin);
    world.run_for(3 * DAY);
    insta::assert_snapshot!(world.explained(&id, DAY + 8 * HOUR + 17 * MINUTE), @r"
    not_scheduled, no slot, no run
    “Backup” was not scheduled at 2025-01-07 09:17, because minute 17 is not 0; the nearest are 09:00 and 2025-01-08 09:00.
    2025-01-06 00:00 it was created by “simulation”: Weekdays at 09:00, Europe/Berlin [2]
    2025-01-07 08:00 the last scheduled time before 2025-01-07 09:17
    2025-01-08 08:00 the first scheduled time after 2025-01-07 09:17
    ");
    insta::assert_snapshot!(world.summary(&id, 5 * DAY + 8 * HOUR), @"“Backup” is not scheduled at 2025-01-11 09:00, because Saturday is not among Monday to Friday; the nearest are 2025-01-10 09:00 and 2025-01-13 09:00.");
    insta::assert_snapshot!(world.summary(&id, 7 * HOUR), @"“Backup” was not scheduled at 2025-01-06 08:00, because hour 8 is not 9; the first one after is 09:00.");
}

#[test]
fn an_interval_and_a_one_shot_say_when_they_are_due() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(MINUTE);
    let id = world.create(owner, every(5400));
    let other = world.create(owner, once(START.plus_ms(HOUR).as_millis()));
    world.run_for(2 * HOUR);
    insta::assert_snapshot!(world.summary(&id, HOUR), @"“every 5400 s” was not scheduled at 2025-01-06 01:00, because it fires every 90 minutes counted from 2025-01-06 00:00, the first time at 2025-01-06 01:30.");
    insta::assert_snapshot!(world.summary(&other, HOUR), @"“once” ran at 2025-01-06 01:00, as scheduled, and succeeded.");
    insta::assert_snapshot!(world.summary(&other, 2 * HOUR), @"“once” was not scheduled at 2025-01-06 02:00, because it fires once, at 2025-01-06 01:00. “once” ran at 2025-01-06 01:00, as scheduled, and succeeded.");
    insta::assert_snapshot!(world.summary(&other, 30 * MINUTE), @"“once” was not scheduled at 2025-01-06 00:30, because it fires once, at 2025-01-06 01:00. “once” ran at 2025-01-06 01:00, as scheduled, and succeeded.");
}

#[test]
fn what_was_before_the_creation_was_never_scheduled() {
    let (mut world, owner) = World::with_owner();
    world.now = START.plus_ms(HOUR + 30 * SECOND);
    let id = world.create(owner, backup("0 * * * *", json!({})));
    insta::assert_snapshot!(world.explained(&id, 30 * MINUTE), @r"
    not_scheduled, no slot, no run
    “Backup” was not scheduled at 2025-01-06 00:30, because it was created only at 01:00:30; the first one after is 02:00.
    2025-01-06 01:00:30 it was created by “simulation”: Every hour at :00, UTC [2]
    2025-01-06 02:00 the first scheduled time after 2025-01-06 00:30
    ");
    insta::assert_snapshot!(world.summary(&id, HOUR), @"“Backup” was not scheduled at 2025-01-06 01:00, because it was created only at 01:00:30; the first one after is 02:00.");
    insta::assert_snapshot!(world.summary(&id, -DAY), @"“Backup” was not scheduled at 2025-01-05 00:00, because it was created only at 2025-01-06 01:00:30; the first one after is 2025-01-06 02:00.");
}

#[test]
fn each_time_is_explained_by_the_schedule_of_its_day() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(MINUTE);
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(DAY);
    let zed = world.open_for("Zed");
    world.update(
        zed,
        &id,
        json!({"rhythm": {"kind": "cron", "expression": "30 10 * * *"}, "title": "Copies"}),
    );
    world.run_for(DAY);
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    ran, 2025-01-06 09:00, run_00002
    “Copies” ran at 2025-01-06 09:00, as scheduled, and succeeded.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 09:00 run_00002 was created because it was due [3]
    2025-01-06 09:00 run_00002 started in window ins_window0 [5]
    2025-01-06 09:01 run_00002 succeeded [6]
    ");
    insta::assert_snapshot!(world.explained(&id, 33 * HOUR), @r"
    not_scheduled, no slot, no run
    “Copies” was not scheduled at 2025-01-07 09:00, because minute 0 is not 30, and hour 9 is not 10; the nearest are 2025-01-06 09:00 and 10:30.
    2025-01-06 09:00 the last scheduled time before 2025-01-07 09:00
    2025-01-07 00:00 its schedule was edited by “Zed”: Every day at 10:30, UTC [8]
    2025-01-07 10:30 the first scheduled time after 2025-01-07 09:00
    ");
    insta::assert_snapshot!(world.summary(&id, 34 * HOUR + 30 * MINUTE), @"“Copies” ran at 2025-01-07 10:30, as scheduled, and succeeded.");
    insta::assert_snapshot!(world.summary(&id, 10 * HOUR + 30 * MINUTE), @"“Copies” was not scheduled at 2025-01-06 10:30, because minute 30 is not 0, and hour 10 is not 9; the nearest are 09:00 and 2025-01-07 10:30.");
}

#[test]
fn a_time_that_is_to_come_is_told_as_that() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({"timezone": "Europe/Berlin"})));
    insta::assert_snapshot!(world.explained(&id, DAY + 8 * HOUR), @r"
    future, 2025-01-07 08:00, no run
    “Backup” will be due at 2025-01-07 09:00.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, Europe/Berlin [2]
    ");
    insta::assert_snapshot!(world.summary(&id, DAY + 9 * HOUR), @"“Backup” is not scheduled at 2025-01-07 10:00, because hour 10 is not 9; the nearest are 09:00 and 2025-01-08 09:00.");
}

#[test]
fn a_time_that_nobody_has_decided_about_says_what_that_waits_for() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(8 * HOUR);
    world.suspend(2 * HOUR);
    world.tick(owner).unwrap();
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    waiting, 2025-01-06 09:00, no run
    “Backup” was due at 2025-01-06 09:00, and what becomes of that is decided only at 10:00:10, because the machine slept from 08:00 to 10:00.
    2025-01-06 00:00 it was created by “simulation”: Every day at 09:00, UTC [2]
    2025-01-06 00:00 “simulation” (window ins_window0) owned the bell from then on
    2025-01-06 08:00 the machine slept from 08:00 to 10:00 [3]
    ");
}

#[test]
fn evidence_is_bounded_by_what_is_nearest() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 12 * * *", json!({"policy": {"missed": {"kind": "skip"}}})));
    world.run_for(11 * HOUR + 59 * MINUTE);
    for _ in 0..100 {
        // Too short to be awake for the ten seconds that are needed.
        world.suspend(5 * MINUTE);
        world.tick(owner).unwrap();
        world.now = world.now.plus_ms(2 * SECOND);
    }
    world.run_for(10 * SECOND);
    let told = world.try_explain(&id, START.plus_ms(12 * HOUR)).unwrap();
    assert!(told.evidence.len() > 20 && told.evidence.len() <= 64, "{}", told.evidence.len());
    assert!(told.evidence.is_sorted_by_key(|piece| piece.at));
    insta::assert_snapshot!(told.summary, @"“Backup” was missed at 2025-01-06 12:00, because the machine slept from 11:59 to 12:04; what is missed is not made up for (policy.missed: skip).");
}

#[test]
fn what_is_not_there_is_not_found() {
    let (world, _) = World::with_owner();
    let id = AutomationId::from_unique("nothing");
    for at in [Timestamp::EPOCH, START, Timestamp::MAX] {
        let refused = world.try_explain(&id, at).unwrap_err();
        assert!(matches!(refused, Refusal::NotFound { what: "automation", .. }), "{refused}");
    }
}

#[test]
fn the_ends_of_time_can_be_asked_about() {
    let (mut world, owner) = World::with_owner();
    let ids = [
        world.create(owner, every(60)),
        world.create(owner, backup("* * * * *", json!({}))),
        world.create(owner, once(START.plus_ms(HOUR).as_millis())),
    ];
    for id in ids {
        for at in [Timestamp::EPOCH, Timestamp::MAX] {
            world.try_explain(&id, at).unwrap();
        }
    }
}
