//! Cancels, limits, deletes, and automations that pause themselves.

use serde_json::{Value, json};
use sexton::domain::automation::PauseReason;
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::refusal::Refusal;
use sexton::domain::request::ActiveRun;
use sexton::domain::run::{OutputSize, ProcessEnd};
use sexton::engine::delete::{Deletion, PATIENCE_MS};
use sexton::engine::report::{Fence, WorkEnd};
use sexton::ledger::EventFilter;

use crate::drafts::{every, policy, with};
use crate::looking::words;
use crate::window::{Moved, Stage, exited};
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;

/// An automation that never fires by itself, and a run of it by hand.
fn run_by_hand(world: &mut World, owner: Who, fields: Value) -> (AutomationId, RunId) {
    let id = world.create(owner, with(policy(every(60), fields), json!({"paused": true})));
    let run = world.run(owner, &id);
    (id, run)
}

fn running(world: &mut World, owner: Who) -> (AutomationId, RunId) {
    let (id, run) = run_by_hand(world, owner, json!({}));
    world.settle();
    assert_eq!(world.story(&id), ["manual running"]);
    (id, run)
}

/// The kinds and states of the events after a place.
fn told_since(world: &World, seq: i64) -> Vec<String> {
    let events = world.view().events_after(seq, &EventFilter::default(), 100).unwrap();
    let one = |event: &sexton::ledger::StoredEvent| {
        let payload: Value = serde_json::from_str(&event.payload).unwrap();
        let state = payload["run"]["state"].as_str().unwrap_or_default();
        format!("{} {state}", event.kind).trim().to_owned()
    };
    events.iter().map(one).collect()
}

// Cancels.

#[test]
fn a_run_cancelled_before_it_is_given_never_starts() {
    let (mut world, owner) = World::with_owner();
    let (_, ahead) = running(&mut world, owner);
    let (id, run) = run_by_hand(&mut world, owner, json!({}));
    world.cancel(owner, &run).unwrap();
    world.finish(&ahead, exited(0));
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
    assert_eq!(world.spawn_log.len(), 1);
}

#[test]
fn a_run_cancelled_between_giving_and_beginning_never_starts() {
    for steps in 0..=1 {
        let (mut world, owner) = World::with_owner();
        let (id, run) = run_by_hand(&mut world, owner, json!({}));
        world.act(owner);
        for _ in 0..steps {
            assert_eq!(world.carry(owner, &run), Moved::Yes);
        }
        world.cancel(owner, &run).unwrap();
        assert_eq!(world.story(&id), ["manual stopped cancelled"]);
        // The carrier has not heard of it: the fence tells it.
        while world.carry(owner, &run) == Moved::Yes {}
        world.settle();
        assert_eq!(world.spawn_log, []);
        assert!(world.window(owner).carried.is_empty());
        world.audit_all();
    }
}

#[test]
fn a_run_cancelled_between_beginning_and_starting_ends_without_a_start() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = run_by_hand(&mut world, owner, json!({}));
    world.act(owner);
    world.carry(owner, &run);
    world.carry(owner, &run);
    assert_eq!(world.window(owner).carried[&run].stage, Stage::Passed);
    let cancelled = world.cancel(owner, &run).unwrap();
    assert_eq!(words(&cancelled), "manual scheduled cancelled", "it is asked to end");
    world.settle();
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
    assert_eq!(world.spawn_log, []);
    world.audit_all();
}

#[test]
fn a_running_run_is_asked_to_end_and_killed_when_asked_twice() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = running(&mut world, owner);
    let asked = world.cancel(owner, &run).unwrap();
    assert!(!asked.stopping().unwrap().now);
    assert_eq!(world.view().orders(&world.window(owner).actor.instance).unwrap()[0].stopping, Some(false));
    let killed = world.cancel(owner, &run).unwrap();
    assert!(killed.stopping().unwrap().now);
    let seq = world.view().newest_seq().unwrap();
    assert_eq!(world.cancel(owner, &run).unwrap(), killed);
    assert_eq!(world.view().newest_seq().unwrap(), seq, "a third time tells nothing");
    world.settle();
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
    assert_eq!(world.runs(&id)[0].ended().unwrap().process.as_ref().unwrap().signal, Some(15));
    let ended = world.runs(&id).remove(0);
    assert_eq!(world.cancel(owner, &run).unwrap(), ended, "an ended run answers as it is");
    world.audit_all();
}

#[test]
fn work_that_ends_by_itself_after_a_stop_does_not_overwrite_it() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = running(&mut world, owner);
    world.cancel(owner, &run).unwrap();
    world.finish(&run, exited(0));
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
    assert_eq!(world.automation(&id).state.completed_runs, 0);
}

#[test]
fn the_fence_lets_nobody_through_twice() {
    let (mut world, owner) = World::with_owner();
    let (_, run) = run_by_hand(&mut world, owner, json!({}));
    assert_eq!(world.begin(owner, &run).unwrap(), Fence::Go);
    assert_eq!(world.begin(owner, &run).unwrap(), Fence::Withdrawn);
    world.cancel(owner, &run).unwrap();
    assert_eq!(world.begin(owner, &run).unwrap(), Fence::Withdrawn);
}

#[test]
fn the_fence_heeds_a_wish_that_another_version_wrote() {
    let (mut world, owner) = World::with_owner();
    let (_, run) = run_by_hand(&mut world, owner, json!({}));
    let wish = json!({"as": "cancelled", "since": world.now.as_millis(), "now": false}).to_string();
    let sql = "UPDATE runs SET stopping = ?1 WHERE id = ?2";
    world.connection().execute(sql, [&wish, run.as_str()]).unwrap();
    assert_eq!(world.begin(owner, &run).unwrap(), Fence::Withdrawn);
    assert!(!world.run_row(&run).begun);
}

// Limits.

#[test]
fn a_run_that_does_not_begin_in_time_fails() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = run_by_hand(&mut world, owner, json!({"startMs": 5000}));
    world.act(owner);
    world.carry(owner, &run);
    world.now = world.now.plus_ms(4999);
    world.tick(owner).unwrap();
    assert_eq!(world.story(&id), ["manual scheduled"]);
    world.now = world.now.plus_ms(1);
    world.settle();
    assert_eq!(world.story(&id), ["manual failed timed_out"]);
    assert_eq!(world.spawn_log, []);
    world.audit_all();
}

#[test]
fn a_start_that_takes_too_long_fails_and_says_so() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = run_by_hand(&mut world, owner, json!({"startMs": 5000}));
    world.act(owner);
    while world.window(owner).carried[&run].stage != Stage::Spawned {
        world.carry(owner, &run);
    }
    world.now = world.now.plus_ms(5000);
    world.settle();
    assert_eq!(world.story(&id), ["manual failed timed_out"]);
    let run = serde_json::to_value(world.last_run(&id)).unwrap();
    assert!(run["error"]["message"].as_str().unwrap().contains("policy.startMs"), "{run}");
    assert_eq!(run["error"]["class"], "transient", "the next may start in time");
    world.audit_all();
}

#[test]
fn work_that_takes_too_long_is_ended_and_fails() {
    let (mut world, owner) = World::with_owner();
    let (id, _) = run_by_hand(&mut world, owner, json!({"wallMs": 10_000}));
    world.run_for(9999);
    assert_eq!(world.story(&id), ["manual running"]);
    world.run_for(1);
    assert_eq!(world.story(&id), ["manual failed timed_out"]);
    let run = serde_json::to_value(world.last_run(&id)).unwrap();
    assert!(run["error"]["message"].as_str().unwrap().contains("policy.wallMs"), "{run}");
    assert_eq!(run["error"]["class"], "task", "it needs more time than it has");
    world.audit_all();
}

// Automations that pause themselves.

#[test]
fn too_many_failures_in_a_row_pause_the_automation_and_a_success_begins_anew() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, policy(every(60), json!({"pauseAfterFailures": 2})));
    for (code, streak) in [(1, 1), (0, 0), (1, 1)] {
        world.run_for(MINUTE);
        let run = world.last_run(&id).id;
        world.finish(&run, exited(code));
        assert_eq!(world.automation(&id).state.failure_streak, streak);
    }
    world.run_for(MINUTE);
    let run = world.last_run(&id).id;
    // The next slots pass before the failure is known; one of them is counted on the run already.
    world.run_for(MINUTE + SECOND);
    world.now = world.now.plus_ms(MINUTE);
    let seq = world.view().newest_seq().unwrap();
    world.end_of_work(&run, exited(1));
    world.carry(owner, &run);
    let automation = world.automation(&id);
    assert_eq!(automation.pause.unwrap().reason, PauseReason::Failures);
    assert_eq!((automation.revision, automation.state.next_fire_at), (1, None));
    assert_eq!(
        world.story(&id)[3..],
        [
            "schedule failed execution_failed slots 240..240 x1",
            "schedule stopped previous_run_active slots 300..300 x1",
            "schedule stopped paused slots 360..360 x1"
        ]
    );
    assert_eq!(
        told_since(&world, seq),
        ["run.updated failed", "run.updated stopped", "run.updated stopped", "automation.updated"]
    );
    let events = world.view().events_after(seq, &EventFilter::default(), 100).unwrap();
    assert_eq!(events.iter().map(|event| event.important).collect::<Vec<_>>(), [true, false, false, true]);
    world.run_for(60 * MINUTE);
    assert_eq!(world.runs(&id).len(), 6, "nothing fires and nothing is missed");
    world.audit_all();
}

// Deletes.

#[test]
fn a_delete_settles_what_is_open_by_how_late_it_is() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(30));
    world.now = START.plus_ms(150 * SECOND);
    let deletion = world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    assert!(matches!(deletion, Deletion::Done { tombstone, .. } if tombstone.revision == 2));
    assert_eq!(
        world.story(&id),
        ["schedule stopped missed_schedule slots 30..60 x2", "schedule stopped cancelled slots 90..150 x3"]
    );
    world.run_for(10 * MINUTE);
    assert_eq!(world.runs(&id).len(), 2, "nothing about it follows");
    assert!(matches!(world.try_run(owner, &id), Err(Refusal::NotFound { .. })));
    assert!(matches!(world.delete(owner, &id, ActiveRun::Cancel), Err(Refusal::NotFound { .. })));
    world.audit_all();
}

#[test]
fn a_delete_cancels_work_and_is_done_when_it_has_gone() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    world.run_for(3 * MINUTE);
    let run = world.last_run(&id).id;
    let seq = world.view().newest_seq().unwrap();
    let deletion = world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    assert_eq!(deletion, Deletion::Pending { runs: vec![run], until: world.now.plus_ms(PATIENCE_MS) });
    assert!(matches!(world.try_run(owner, &id), Err(Refusal::AutomationConflict { .. })));
    world.settle();
    assert_eq!(world.view().automation(&id).unwrap().map(|row| row.row), None);
    assert_eq!(
        world.story(&id),
        [
            "schedule stopped cancelled slots 60..60 x1",
            "schedule stopped previous_run_active slots 120..180 x2"
        ]
    );
    assert_eq!(
        told_since(&world, seq),
        [
            "automation.updated",
            "run.updated running",
            "run.updated stopped",
            "run.updated stopped",
            "automation.deleted"
        ]
    );
    world.audit_all();
}

#[test]
fn a_delete_is_done_at_once_when_nothing_has_begun() {
    let (mut world, owner) = World::with_owner();
    running(&mut world, owner);
    let (id, run) = run_by_hand(&mut world, owner, json!({}));
    let deletion = world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    assert!(matches!(deletion, Deletion::Done { runs, .. } if runs == [run]));
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
}

#[test]
fn a_delete_that_lets_runs_finish_waits_for_them_and_fires_nothing_meanwhile() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    world.run_for(MINUTE);
    let run = world.last_run(&id).id;
    let deletion = world.delete(owner, &id, ActiveRun::Finish).unwrap();
    assert!(matches!(deletion, Deletion::Pending { .. }));
    world.run_for(10 * MINUTE);
    assert_eq!(world.story(&id), ["schedule running slots 60..60 x1"]);
    world.finish(&run, exited(0));
    assert!(world.view().automation(&id).unwrap().is_none());
    assert_eq!(
        world.story(&id),
        [
            "schedule succeeded slots 60..60 x1",
            "schedule stopped missed_schedule slots 120..540 x8",
            "schedule stopped cancelled slots 600..660 x2"
        ]
    );
    world.audit_all();
}

#[test]
fn a_delete_can_be_refused_because_of_an_active_run() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = running(&mut world, owner);
    let seq = world.view().newest_seq().unwrap();
    let refused = world.delete(owner, &id, ActiveRun::Refuse).unwrap_err();
    assert!(matches!(refused, Refusal::ActiveRunStillRunning { run: active } if active == run));
    assert_eq!(world.view().newest_seq().unwrap(), seq);
    world.finish(&run, exited(0));
    assert!(matches!(world.delete(owner, &id, ActiveRun::Refuse), Ok(Deletion::Done { .. })));
}

#[test]
fn a_wish_to_delete_is_void_after_its_time_and_the_stop_stands() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    world.run_for(MINUTE);
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    assert_eq!(world.automation(&id).state.next_fire_at, None);
    world.now = world.now.plus_ms(PATIENCE_MS - 1);
    world.tick(owner).unwrap();
    assert!(matches!(world.try_run(owner, &id), Err(Refusal::AutomationConflict { .. })));
    world.now = world.now.plus_ms(1);
    world.tick(owner).unwrap();
    assert_eq!(world.automation(&id).state.next_fire_at, Some(START.plus_ms(2 * MINUTE)));
    world.settle();
    assert_eq!(world.story(&id), ["schedule stopped cancelled slots 60..60 x1"]);
    world.run_for(MINUTE);
    assert_eq!(words(&world.last_run(&id)), "schedule running slots 120..120 x1");
    world.audit_all();
}

#[test]
fn an_end_after_the_wish_is_void_deletes_nothing() {
    let (mut world, owner) = World::with_owner();
    let (id, run) = running(&mut world, owner);
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    world.now = world.now.plus_ms(PATIENCE_MS);
    world.end_of_work(&run, exited(0));
    world.carry(owner, &run);
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
    assert!(world.view().automation(&id).unwrap().is_some());
    world.run(owner, &id);
    world.audit_all();
}

/// An automation with a run at work, which two windows wish to delete one after the other.
fn deleted_twice(wishes: [ActiveRun; 2]) -> (World, AutomationId, RunId, [Deletion; 2]) {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let (id, run) = running(&mut world, owner);
    let first = world.delete(owner, &id, wishes[0]).unwrap();
    world.now = world.now.plus_ms(SECOND);
    let second = world.delete(other, &id, wishes[1]).unwrap();
    (world, id, run, [first, second])
}

fn patience(deletion: &Deletion) -> i64 {
    let Deletion::Pending { until, .. } = deletion else { panic!("{deletion:?}") };
    until.since_ms(START)
}

#[test]
fn a_second_cancel_of_a_delete_kills_at_once() {
    let (mut world, id, run, deletions) = deleted_twice([ActiveRun::Cancel, ActiveRun::Cancel]);
    assert!(world.run_row(&run).run.stopping().unwrap().now);
    assert_eq!(deletions.each_ref().map(patience), [PATIENCE_MS, PATIENCE_MS + SECOND]);
    // The first one's time is over, the second one's is not.
    world.now = START.plus_ms(PATIENCE_MS);
    let owner = world.alive()[0];
    world.tick(owner).unwrap();
    assert!(matches!(world.try_run(owner, &id), Err(Refusal::AutomationConflict { .. })));
    world.settle();
    assert!(world.view().automation(&id).unwrap().is_none());
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
    world.audit_all();
}

#[test]
fn a_delete_that_cancels_overtakes_one_that_lets_finish() {
    let (mut world, id, run, deletions) = deleted_twice([ActiveRun::Finish, ActiveRun::Cancel]);
    assert!(!world.run_row(&run).run.stopping().unwrap().now, "it is asked first");
    assert_eq!(patience(&deletions[1]), PATIENCE_MS + SECOND);
    // The work does not go in time: the first wish still stands.
    world.now = START.plus_ms(20 * PATIENCE_MS);
    let owner = world.alive()[0];
    world.tick(owner).unwrap();
    assert!(matches!(world.try_run(owner, &id), Err(Refusal::AutomationConflict { .. })));
    world.settle();
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
    assert!(world.view().automation(&id).unwrap().is_none());
    world.audit_all();
}

#[test]
fn a_delete_that_lets_finish_takes_back_no_cancel_and_waits_longer() {
    let (mut world, id, run, deletions) = deleted_twice([ActiveRun::Cancel, ActiveRun::Finish]);
    assert!(!world.run_row(&run).run.stopping().unwrap().now);
    assert!(patience(&deletions[1]) > 1000 * PATIENCE_MS);
    world.now = START.plus_ms(2 * PATIENCE_MS);
    world.settle();
    assert_eq!(world.story(&id), ["manual stopped cancelled"]);
    assert!(world.view().automation(&id).unwrap().is_none());
    world.audit_all();
}

#[test]
fn output_that_was_cut_is_warned_of_once_after_everything_that_follows_from_the_end() {
    let (mut world, owner) = World::with_owner();
    let (_, run) = running(&mut world, owner);
    let before = world.view().newest_seq().unwrap();
    let process = ProcessEnd { exit_code: Some(0), signal: None, tail: String::new(), swept: 0 };
    let output = OutputSize { bytes: 16 << 20, truncated: true };
    for _ in 0..2 {
        let end = WorkEnd::Exited { process: process.clone(), output, changes: None };
        world.report_ended(owner, &run, end).unwrap();
    }
    assert_eq!(
        told_since(&world, before),
        ["run.updated succeeded", "automation.updated", "run.warning succeeded"]
    );
}
