//! Slots behind an active run, and runs behind another in the same directory.

use serde_json::json;
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::policy::STOP_GRACE_MS;
use sexton::domain::refusal::Refusal;

use crate::drafts::{every, policy, reminder, with};
use crate::looking::words;
use crate::window::exited;
use crate::world::{START, Who, World};

const MINUTE: i64 = 60_000;

#[test]
fn slots_behind_an_active_run_are_counted_and_recorded_when_it_ends() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    world.run_for(MINUTE);
    let run = world.last_run(&id).id;
    world.run_for(MINUTE);
    assert_eq!(world.story(&id), ["schedule running slots 60..60 x1 skipped 120..120 x1"]);
    world.run_for(2 * MINUTE);
    assert_eq!(world.story(&id), ["schedule running slots 60..60 x1 skipped 120..240 x3"]);
    world.finish(&run, exited(0));
    assert_eq!(
        world.story(&id),
        ["schedule succeeded slots 60..60 x1", "schedule stopped previous_run_active slots 120..240 x3"]
    );
    world.run_for(MINUTE);
    assert_eq!(words(&world.last_run(&id)), "schedule running slots 300..300 x1");
    world.audit_all();
}

#[test]
fn an_active_run_is_known_however_many_newer_ones_have_ended() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, policy(every(60), json!({"wallMs": 24 * 60 * MINUTE})));
    world.run_for(MINUTE);
    let run = world.last_run(&id).id;
    // Each edit of the schedule makes a record of the slot that was skipped behind it.
    for number in 0..150 {
        world.run_for(3 * MINUTE);
        world.update(owner, &id, json!({"rhythm": {"everyMs": 60_000 + number}}));
    }
    let shown = world.automation(&id).state;
    assert!(world.runs(&id).len() > 100);
    assert_eq!(shown.active_runs, std::slice::from_ref(&run));
    assert_ne!(shown.last_run.as_ref(), Some(&run));
    let refused = world.try_run(owner, &id).unwrap_err();
    assert!(matches!(refused, Refusal::ActiveRunStillRunning { run: told } if told == run));
    world.audit_all();
}

#[test]
fn a_run_by_hand_counts_slots_too_and_a_second_one_is_refused() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    let run = world.run(owner, &id);
    world.run_for(2 * MINUTE);
    assert_eq!(world.story(&id), ["manual running skipped 60..120 x2"]);
    let before = world.view().newest_seq().unwrap();
    let refused = world.try_run(owner, &id).unwrap_err();
    assert!(matches!(refused, Refusal::ActiveRunStillRunning { run: active } if active == run));
    assert_eq!(world.view().newest_seq().unwrap(), before, "no row, no event");
    world.finish(&run, exited(1));
    assert_eq!(words(&world.last_run(&id)), "schedule stopped previous_run_active slots 60..120 x2");
}

/// Automations that never fire by themselves, run by hand one after the other.
fn line_up(world: &mut World, owner: Who, count: usize) -> Vec<(AutomationId, RunId)> {
    let one = |_| {
        let id = world.create(owner, with(every(60), json!({"paused": true})));
        let run = world.run(owner, &id);
        (id, run)
    };
    let line = (0..count).map(one).collect();
    world.settle();
    line
}

fn behind(world: &World, run: &RunId) -> Option<String> {
    let run = serde_json::to_value(&world.run_row(run).run).unwrap();
    run["waiting"]["behind"].as_str().map(str::to_owned)
}

#[test]
fn one_writer_at_a_time_and_the_others_wait_oldest_first() {
    let (mut world, owner) = World::with_owner();
    let line = line_up(&mut world, owner, 4);
    assert_eq!(world.story(&line[0].0), ["manual running"]);
    for pair in line.windows(2) {
        assert_eq!(world.story(&pair[1].0), ["manual scheduled directory"]);
        assert_eq!(behind(&world, &pair[1].1).as_deref(), Some(pair[0].1.as_str()));
    }
    for (_, run) in &line {
        world.finish(run, exited(0));
    }
    let started: Vec<_> = world.spawn_log.iter().map(|spawn| spawn.run.clone()).collect();
    assert_eq!(started, line.into_iter().map(|(_, run)| run).collect::<Vec<_>>());
    world.audit_all();
}

#[test]
fn who_waits_behind_a_cancelled_run_moves_up() {
    let (mut world, owner) = World::with_owner();
    let line = line_up(&mut world, owner, 3);
    world.cancel(owner, &line[1].1).unwrap();
    assert_eq!(behind(&world, &line[2].1).as_deref(), Some(line[0].1.as_str()));
    world.finish(&line[0].1, exited(0));
    assert_eq!(world.story(&line[2].0), ["manual running"]);
    assert_eq!(world.story(&line[1].0), ["manual stopped cancelled"]);
}

#[test]
fn waiting_for_the_directory_ends_after_its_time() {
    let (mut world, owner) = World::with_owner();
    let line = line_up(&mut world, owner, 1);
    let impatient = policy(with(every(60), json!({"paused": true})), json!({"queueMs": 10 * MINUTE}));
    let both = [0, 1].map(|_| {
        let id = world.create(owner, impatient.clone());
        world.run(owner, &id);
        id
    });
    world.run_for(10 * MINUTE - 1);
    assert_eq!(world.story(&both[0]), ["manual scheduled directory"]);
    world.run_for(1);
    for id in &both {
        assert_eq!(world.story(id), ["manual stopped writer_busy"]);
    }
    world.finish(&line[0].1, exited(0));
    assert_eq!(world.spawn_log.len(), 1, "what was stopped never starts");
    world.audit_all();
}

#[test]
fn readers_neither_hold_nor_wait_and_room_is_limited() {
    let (mut world, owner) = World::with_owner();
    let writer = line_up(&mut world, owner, 1);
    let reader = with(every(60), json!({"paused": true, "access": "read"}));
    let readers = [0; 5].map(|_| {
        let id = world.create(owner, policy(reader.clone(), json!({"queueMs": MINUTE})));
        (world.run(owner, &id), id).1
    });
    world.settle();
    for id in &readers[..3] {
        assert_eq!(world.story(id), ["manual running"], "next to {}", writer[0].1);
    }
    assert_eq!(world.story(&readers[3]), ["manual scheduled capacity"]);
    let first = world.last_run(&readers[0]).id;
    world.finish(&first, exited(0));
    assert_eq!(world.story(&readers[3]), ["manual running"]);
    assert_eq!(world.story(&readers[4]), ["manual scheduled capacity"]);
    world.run_for(MINUTE);
    assert_eq!(world.story(&readers[4]), ["manual stopped capacity"]);
    world.audit_all();
}

#[test]
fn a_catch_up_whose_turn_has_come_enters_the_line_at_its_end() {
    let (mut world, owner) = World::with_owner();
    let missed = [0; 2].map(|_| world.create(owner, every(600)));
    world.advance(12 * MINUTE);
    let first = world.last_run(&missed[0]).id;
    let line = line_up(&mut world, owner, 2);
    assert_eq!(behind(&world, &line[0].1).as_deref(), Some(first.as_str()));
    world.finish(&first, exited(0));
    assert_eq!(world.story(&line[0].0), ["manual running"], "the second catch-up's turn has not come");
    world.run_for(5000);
    let second = world.last_run(&missed[1]);
    assert_eq!(words(&second), "catchUp scheduled directory slots 600..600 x1");
    assert_eq!(behind(&world, &second.id).as_deref(), Some(line[1].1.as_str()));
    assert_eq!(behind(&world, &line[1].1).as_deref(), Some(line[0].1.as_str()));
    world.finish(&line[0].1, exited(0));
    world.finish(&line[1].1, exited(0));
    assert_eq!(words(&world.last_run(&missed[1])), "catchUp running slots 600..600 x1");
    assert_eq!(world.now, START.plus_ms(12 * MINUTE + 5000));
    world.audit_all();
}

#[test]
fn a_warning_says_that_what_takes_the_place_of_stubborn_work_would_not_wait_for_its_end() {
    let (mut world, owner) = World::with_owner();
    let draft =
        |overlap: &str, queue_ms: i64| policy(every(60), json!({"overlap": overlap, "queueMs": queue_ms}));
    for (draft, warns) in [
        (draft("cancelPrevious", STOP_GRACE_MS), true),
        (draft("cancelPrevious", STOP_GRACE_MS + 1), false),
        (draft("queueOne", 0), false),
        (draft("skip", 0), false),
        (reminder(draft("cancelPrevious", 0)), false),
    ] {
        let id = world.create(owner, draft.clone());
        let warnings = world.automation(&id).state.warnings;
        assert_eq!(warnings.len(), usize::from(warns), "{draft}: {warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains("policy.queueMs")), "{warnings:?}");
    }
    // It is told truly: what was to come instead has gone before the work has.
    let id = world.create(owner, draft("cancelPrevious", 0));
    world.run(owner, &id);
    world.settle();
    let instead = world.run(owner, &id);
    world.tick(owner).unwrap();
    assert_eq!(words(&world.run_row(&instead).run), "manual stopped previous_run_active");
    world.settle();
    assert_eq!(world.story(&id), ["manual stopped superseded", "manual stopped previous_run_active"]);
    world.audit_all();
}
