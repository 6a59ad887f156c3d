//! Runs that could not start are tried again.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::policy::IfBusy;
use sexton::domain::request::ActiveRun;
use sexton::domain::run::Attendance;
use sexton::domain::run::machine::State;

use crate::drafts::{every, once, policy, with};
use crate::looking::words;
use crate::window::{Stage, exited, guard_lost, not_started, precheck_only};
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

fn retried(attempts: i64, delay_ms: i64) -> Value {
    policy(every(600), json!({"retry": {"attempts": attempts, "delayMs": delay_ms}}))
}

/// The newest run of an automation is given by now, and cannot start.
fn fail_to_start(world: &mut World, owner: Who, id: &AutomationId) -> RunId {
    world.tick(owner).unwrap();
    world.act(owner);
    let run = world.last_run(id).id;
    world.set_stage(owner, &run, Some(Stage::Ended(not_started())));
    world.carry(owner, &run);
    assert_eq!(world.run_row(&run).run.state(), State::Failed);
    run
}

/// A world at the first slot of an automation, whose run has not been able to start.
fn failed(draft: Value) -> (World, Who, AutomationId, RunId) {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, draft);
    world.now = world.automation(&id).state.next_fire_at.unwrap();
    let run = fail_to_start(&mut world, owner, &id);
    (world, owner, id, run)
}

#[test]
fn a_run_that_could_not_start_is_tried_again_after_a_while() {
    let (mut world, _, id, first) = failed(retried(1, 30 * SECOND));
    let failed_at = world.now;
    assert_eq!(world.story(&id), ["schedule failed start_failed slots 600..600 x1", "retry scheduled retry"]);
    let second = world.last_run(&id);
    let shown = serde_json::to_value(&second).unwrap();
    assert_eq!(shown["trigger"], json!({"kind": "retry", "of": first}));
    assert_eq!((&shown["slots"], &shown["scheduledAt"]), (&Value::Null, &Value::Null));
    assert_eq!((second.attendance, second.triggered_at), (Attendance::Unattended, failed_at));
    let until = second.waiting().unwrap().until_at;
    assert_eq!(until, Some(failed_at.plus_ms(30 * SECOND + HOUR)), "counted from its time");
    world.run_for(30 * SECOND - 1);
    assert_eq!(words(&world.last_run(&id)), "retry scheduled retry");
    world.run_for(1);
    assert_eq!(words(&world.last_run(&id)), "retry running");
    assert_eq!(world.spawn_log[0].at, failed_at.plus_ms(30 * SECOND));
    world.finish(&second.id, exited(0));
    let state = world.automation(&id).state;
    assert_eq!((state.completed_runs, state.failure_streak), (1, 0));
    world.audit_all();
}

#[test]
fn a_chain_counts_once_when_it_ends() {
    let draft = retried(2, SECOND);
    let (mut world, owner, id, _) = failed(with(draft, json!({"stop": {"kind": "count", "count": 1}})));
    for _ in 0..2 {
        let state = world.automation(&id).state;
        assert_eq!((state.completed_runs, state.failure_streak, state.active_runs.len()), (0, 0, 1));
        world.now = world.now.plus_ms(SECOND);
        fail_to_start(&mut world, owner, &id);
    }
    assert_eq!(
        world.story(&id),
        [
            "schedule failed start_failed slots 600..600 x1",
            "retry failed start_failed",
            "retry failed start_failed"
        ]
    );
    let state = world.automation(&id).state;
    assert_eq!((state.completed_runs, state.failure_streak), (1, 1));
    world.run_for(HOUR);
    assert_eq!(world.runs(&id).len(), 3, "its count is reached");
    world.audit_all();
}

#[test]
fn a_chain_whose_last_try_is_stopped_has_failed() {
    let (mut world, owner, id, _) = failed(retried(3, MINUTE));
    let waits = world.last_run(&id).id;
    world.cancel(owner, &waits).unwrap();
    assert_eq!(words(&world.last_run(&id)), "retry stopped cancelled");
    let state = world.automation(&id).state;
    assert_eq!((state.completed_runs, state.failure_streak, state.active_runs.len()), (1, 1, 0));
    world.audit_all();
}

#[test]
fn a_chain_whose_work_was_stopped_has_neither_failed_nor_succeeded() {
    let ends: [fn(&mut World, Who, &RunId); 4] = [
        |world, owner, run| {
            world.cancel(owner, run).unwrap();
            world.settle();
        },
        |world, owner, _| {
            world.prepare_to_leave(owner).unwrap();
            world.settle();
        },
        |world, owner, _| {
            world.die(owner);
            world.open();
            world.settle();
        },
        // The next slot takes its place.
        |world, _, _| world.run_for(9 * MINUTE),
    ];
    for (end, reason) in ends.into_iter().zip(["cancelled", "shutdown", "interrupted", "superseded"]) {
        let retry = json!({"attempts": 1, "delayMs": MINUTE});
        let draft = policy(every(600), json!({"overlap": "cancelPrevious", "retry": retry}));
        let (mut world, owner, id, _) = failed(draft);
        world.run_for(MINUTE);
        let run = world.last_run(&id).id;
        assert_eq!(words(&world.last_run(&id)), "retry running");
        end(&mut world, owner, &run);
        assert_eq!(world.story(&id)[1], format!("retry stopped {reason}"));
        let state = world.automation(&id).state;
        assert_eq!((state.completed_runs, state.failure_streak), (0, 0), "{reason}");
        world.audit_all();
    }
}

#[test]
fn a_retry_that_finds_nothing_to_do_is_no_failure() {
    let precheck = json!({"program": "check", "timeoutMs": 10_000});
    let retry = json!({"attempts": 3, "delayMs": MINUTE});
    let (mut world, owner, id, _) = failed(policy(every(600), json!({"precheck": precheck, "retry": retry})));
    world.now = world.now.plus_ms(MINUTE);
    world.tick(owner).unwrap();
    world.act(owner);
    let run = world.last_run(&id).id;
    while world.window(owner).carried[&run].stage != Stage::Passed {
        world.carry(owner, &run);
    }
    world.finish(&run, precheck_only(75));
    assert_eq!(world.story(&id)[1..], ["retry stopped precheck_skipped"]);
    let state = world.automation(&id).state;
    assert_eq!((state.completed_runs, state.failure_streak), (0, 0));
    world.audit_all();
}

#[test]
fn work_that_has_started_is_not_done_again() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, retried(3, SECOND));
    for end in [exited(1), guard_lost()] {
        let run = world.run(owner, &id);
        world.settle();
        world.finish(&run, end);
        assert_eq!(words(&world.last_run(&id)).split(' ').nth(1), Some("failed"));
    }
    // Nor is what somebody has ended.
    let run = world.run(owner, &id);
    world.cancel(owner, &run).unwrap();
    assert_eq!(world.runs(&id).len(), 3);
    world.audit_all();
}

#[test]
fn every_failure_before_the_start_is_tried_again() {
    let ends: [fn(&mut World, Who, &RunId); 3] = [
        |world, owner, run| world.set_stage(owner, run, Some(Stage::Ended(not_started()))),
        |world, owner, run| {
            world.carry(owner, run);
            world.carry(owner, run);
            world.set_stage(owner, run, Some(Stage::Ended(guard_lost())));
        },
        // It takes too long to start: its window hangs.
        |world, owner, run| {
            world.carry(owner, run);
            world.carry(owner, run);
            world.now = world.now.plus_ms(MINUTE);
            world.tick(owner).unwrap();
            world.act(owner);
            world.carry(owner, run);
        },
    ];
    for (end, code) in ends.into_iter().zip(["start_failed", "crashed", "timed_out"]) {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, retried(1, MINUTE));
        let run = world.run(owner, &id);
        world.act(owner);
        end(&mut world, owner, &run);
        world.carry(owner, &run);
        assert_eq!(world.story(&id), [format!("manual failed {code}"), "retry scheduled retry".to_owned()]);
        assert_eq!(world.last_run(&id).attendance, Attendance::Attended);
        world.audit_all();
    }
}

#[test]
fn a_retry_whose_time_has_come_waits_for_older_runs() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, retried(1, SECOND));
    let run = world.run(owner, &id);
    world.act(owner);
    let other = world.create(owner, with(every(600), json!({"paused": true})));
    world.run(owner, &other);
    world.set_stage(owner, &run, Some(Stage::Ended(not_started())));
    world.carry(owner, &run);
    assert_eq!(world.story(&other), ["manual scheduled"], "it has been given the directory");
    world.run_for(SECOND);
    assert_eq!(world.story(&id), ["manual failed start_failed", "retry scheduled directory"]);
    world.audit_all();
}

#[test]
fn a_retry_that_may_not_wait_goes_when_its_time_comes_or_never() {
    for (held, then) in [(false, "retry running"), (true, "retry stopped writer_busy")] {
        let draft = policy(every(600), json!({"retry": {"attempts": 1, "delayMs": MINUTE}, "queueMs": 0}));
        let (mut world, owner, id, _) = failed(draft);
        let observer = world.open_as(sexton::domain::scheduler::Role::Observer);
        if held {
            let other = world.create(owner, with(every(600), json!({"paused": true})));
            world.run(owner, &other);
            world.settle();
        }
        world.now = world.now.plus_ms(MINUTE);
        // Whoever looks first.
        world.look(observer).unwrap();
        world.settle();
        assert_eq!(words(&world.last_run(&id)), then);
        world.audit_all();
    }
}

#[test]
fn a_slot_is_not_tried_again_where_nothing_starts_by_itself() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, retried(3, SECOND));
    world.now = world.automation(&id).state.next_fire_at.unwrap();
    world.tick(owner).unwrap();
    world.act(owner);
    let run = world.last_run(&id).id;
    // It has begun, so that it goes on when the automation is paused.
    world.carry(owner, &run);
    world.carry(owner, &run);
    world.pause(owner, &id, None).unwrap();
    world.set_stage(owner, &run, Some(Stage::Ended(guard_lost())));
    world.carry(owner, &run);
    assert_eq!(world.story(&id), ["schedule failed crashed slots 600..600 x1"]);
    world.audit_all();
}

#[test]
fn nothing_is_tried_again_of_what_is_being_deleted() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, retried(3, SECOND));
    world.run(owner, &id);
    world.delete(owner, &id, ActiveRun::Finish).unwrap();
    fail_to_start(&mut world, owner, &id);
    assert_eq!(world.story(&id), ["manual failed start_failed"]);
    assert!(world.view().automation(&id).unwrap().is_none());
    world.audit_all();
}

#[test]
fn what_somebody_asked_for_is_tried_again_though_the_automation_rests() {
    let (mut world, owner) = World::with_owner();
    let paused = world.create(owner, with(retried(2, SECOND), json!({"paused": true})));
    let spent = with(retried(2, SECOND), json!({"stop": {"kind": "count", "count": 1}}));
    let spent = world.create(owner, spent);
    let only = world.run(owner, &spent);
    world.settle();
    world.finish(&only, exited(0));
    for id in [paused, spent] {
        let before = world.runs(&id).len();
        world.run(owner, &id);
        for _ in 0..2 {
            fail_to_start(&mut world, owner, &id);
            assert_eq!(words(&world.last_run(&id)), "retry scheduled retry");
            world.now = world.now.plus_ms(SECOND);
        }
        world.settle();
        let story = ["manual failed start_failed", "retry failed start_failed", "retry running"];
        assert_eq!(world.story(&id)[before..], story);
        let last = world.last_run(&id).id;
        world.finish(&last, exited(0));
        world.audit_all();
    }
}

#[test]
fn a_pause_leaves_what_tries_a_run_again_that_was_asked_for() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, retried(1, MINUTE));
    world.run(owner, &id);
    fail_to_start(&mut world, owner, &id);
    world.pause(owner, &id, None).unwrap();
    // Whoever asked need not stay for that.
    world.die(owner);
    world.open();
    world.run_for(MINUTE);
    assert_eq!(world.story(&id), ["manual failed start_failed", "retry running"]);
    world.audit_all();
}

#[test]
fn a_pause_a_delete_and_a_failing_streak_end_what_waits_to_be_tried_again() {
    let (mut world, owner, id, _) = failed(retried(3, MINUTE));
    world.pause(owner, &id, None).unwrap();
    assert_eq!(world.story(&id)[1..], ["retry stopped paused"]);
    world.run_for(HOUR);
    assert_eq!(world.runs(&id).len(), 2);
    world.audit_all();
    let (mut world, owner, id, _) = failed(retried(3, MINUTE));
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    assert_eq!(world.story(&id)[1..], ["retry stopped cancelled"]);
    world.audit_all();
    let (mut world, owner, id, _) = failed(retried(3, MINUTE));
    world.delete(owner, &id, ActiveRun::Finish).unwrap();
    world.run_for(MINUTE);
    assert_eq!(world.story(&id)[1..], ["retry running"], "it is an active run, which ends normally");
    let last = world.last_run(&id).id;
    world.finish(&last, exited(0));
    assert!(world.view().automation(&id).unwrap().is_none());
    world.audit_all();
}

#[test]
fn a_oneshot_is_tried_again_though_its_schedule_is_over() {
    let draft = once(START.plus_ms(MINUTE).as_millis());
    let (mut world, _, id, _) = failed(policy(draft, json!({"retry": {"attempts": 1, "delayMs": MINUTE}})));
    world.run_for(MINUTE);
    assert_eq!(world.story(&id)[1..], ["retry running"]);
    world.audit_all();
}

#[test]
fn an_edit_leaves_the_retry_as_it_was() {
    let (mut world, owner, id, _) = failed(retried(1, MINUTE));
    let patch = json!({"rhythm": {"kind": "interval", "everyMs": HOUR},
        "task": {"args": ["other"]}, "policy": {"retry": {"attempts": 0}}});
    world.try_update(owner, &id, None, &patch).unwrap();
    world.run_for(MINUTE);
    let again = world.last_run(&id);
    assert_eq!(words(&again), "retry running");
    let shown = serde_json::to_value(&again).unwrap();
    assert_eq!((&shown["task"]["args"], &shown["definitionRevision"]), (&json!([]), &json!(1)));
    world.audit_all();
}

#[test]
fn the_next_retry_after_an_edit_carries_out_what_was_edited() {
    let (mut world, owner, id, _) = failed(retried(1, MINUTE));
    let patch = json!({"task": {"args": ["other"]}, "access": "read",
        "policy": {"ifBusy": "skip", "retry": {"attempts": 2, "delayMs": 3 * MINUTE}}});
    world.try_update(owner, &id, None, &patch).unwrap();
    world.now = world.now.plus_ms(MINUTE);
    let second = fail_to_start(&mut world, owner, &id);
    let failed_at = world.now;
    assert_eq!(world.run_row(&second).run.definition_revision, 1);
    let third = world.last_run(&id).id;
    let row = world.run_row(&third);
    assert_eq!((words(&row.run).as_str(), row.if_busy), ("retry scheduled retry", IfBusy::Skip));
    let shown = serde_json::to_value(&row.run).unwrap();
    assert_eq!((&shown["task"]["args"], &shown["definitionRevision"]), (&json!(["other"]), &json!(2)));
    world.run_for(3 * MINUTE - 1);
    assert_eq!(words(&world.last_run(&id)), "retry scheduled retry");
    world.run_for(1);
    assert_eq!(words(&world.last_run(&id)), "retry running");
    assert_eq!(world.spawn_log[0].at, failed_at.plus_ms(3 * MINUTE));
    world.audit_all();
}

#[test]
fn an_edit_decides_how_often_a_run_is_tried_again() {
    let (mut world, owner, id, _) = failed(retried(3, MINUTE));
    world.try_update(owner, &id, None, &json!({"policy": {"retry": {"attempts": 1}}})).unwrap();
    world.now = world.now.plus_ms(MINUTE);
    fail_to_start(&mut world, owner, &id);
    assert_eq!(world.story(&id)[1..], ["retry failed start_failed"]);
    assert_eq!(world.automation(&id).state.failure_streak, 1);
    world.audit_all();
}

#[test]
fn a_command_that_has_become_a_reminder_is_told_when_it_is_tried_again() {
    let (mut world, owner, id, _) = failed(retried(2, MINUTE));
    world.try_update(owner, &id, None, &json!({"task": {"kind": "notify", "text": "look"}})).unwrap();
    world.now = world.now.plus_ms(MINUTE);
    fail_to_start(&mut world, owner, &id);
    assert_eq!(world.story(&id)[1..], ["retry failed start_failed", "retry succeeded"]);
    let state = world.automation(&id).state;
    assert_eq!((state.completed_runs, state.failure_streak), (1, 0));
    world.audit_all();
}

#[test]
fn who_may_not_wait_is_not_made_to_wait_by_a_retry() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, retried(1, MINUTE));
    world.try_run_if_busy(owner, &id, Some(IfBusy::Skip)).unwrap();
    fail_to_start(&mut world, owner, &id);
    assert_eq!(world.run_row(&world.last_run(&id).id).if_busy, IfBusy::Skip);
}

#[test]
fn a_retry_that_waits_is_an_active_run_of_its_automation() {
    let after = |overlap: &str| {
        let retry = json!({"attempts": 1, "delayMs": 20 * MINUTE});
        let (mut world, owner, id, _) =
            failed(policy(every(600), json!({"overlap": overlap, "retry": retry})));
        world.now = world.now.plus_ms(10 * MINUTE);
        world.tick(owner).unwrap();
        world.audit_all();
        (world, id)
    };
    let (world, id) = after("skip");
    assert_eq!(world.story(&id)[1..], ["retry scheduled retry skipped 1200..1200 x1"]);
    let (mut world, id) = after("queueOne");
    assert_eq!(
        world.story(&id)[1..],
        ["retry scheduled retry", "schedule scheduled previous slots 1200..1200 x1"]
    );
    world.run_for(10 * MINUTE - 1);
    assert_eq!(
        world.story(&id)[1..],
        ["retry scheduled retry", "schedule scheduled previous slots 1200..1200 x1"]
    );
    world.run_for(1);
    assert_eq!(world.story(&id)[1], "retry running");
    let (mut world, id) = after("cancelPrevious");
    world.settle();
    assert_eq!(world.story(&id)[1..], ["retry stopped superseded", "schedule running slots 1200..1200 x1"]);
    assert_eq!(world.automation(&id).state.failure_streak, 1, "the chain has failed");
}

#[test]
fn a_run_that_waits_already_is_the_next_try() {
    let (mut world, owner) = World::with_owner();
    let retry = json!({"attempts": 3, "delayMs": SECOND});
    let id = world.create(owner, policy(every(600), json!({"overlap": "queueOne", "retry": retry})));
    let first = world.run(owner, &id);
    world.act(owner);
    world.run(owner, &id);
    world.set_stage(owner, &first, Some(Stage::Ended(not_started())));
    world.settle();
    assert_eq!(world.story(&id), ["manual failed start_failed", "manual running"]);
    assert_eq!(world.automation(&id).state.failure_streak, 1);
    world.audit_all();
}

#[test]
fn a_chain_that_makes_way_may_be_one_failure_too_many() {
    let draft = policy(
        every(600),
        json!({"overlap": "cancelPrevious", "pauseAfterFailures": 1,
            "retry": {"attempts": 1, "delayMs": 20 * MINUTE}}),
    );
    let (mut world, _, id, _) = failed(draft);
    world.run_for(10 * MINUTE);
    assert!(world.automation(&id).paused);
    assert_eq!(
        world.story(&id)[1..],
        ["retry stopped superseded", "schedule stopped paused slots 1200..1200 x1"]
    );
    assert!(world.spawn_log.is_empty());
    world.audit_all();
}

#[test]
fn catch_ups_do_not_wait_for_the_times_of_retries() {
    let (mut world, owner, _, _) = failed(retried(1, 10 * HOUR));
    let id = world.create(owner, every(600));
    world.advance(12 * MINUTE);
    assert_eq!(words(&world.last_run(&id)), "catchUp running slots 1200..1200 x1");
    world.audit_all();
}

#[test]
fn a_retry_waits_no_longer_when_the_clock_goes_back() {
    let (mut world, _, id, _) = failed(retried(1, 5 * MINUTE));
    world.run_for(MINUTE);
    world.set_clock(-24 * HOUR);
    let back_at = world.now;
    world.run_for(5 * MINUTE);
    assert_eq!(world.story(&id)[1], "retry running");
    assert_eq!(world.spawn_log[0].at.since_ms(back_at), 4 * MINUTE);
    world.audit_all();
}
