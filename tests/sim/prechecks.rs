//! A precheck decides whether the work of a run starts.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::policy::STOP_GRACE_MS;
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::run::{ErrorClass, OutputSize, ProcessEnd, StartFailure};
use sexton::engine::report::{NotReached, WorkEnd};

use crate::drafts::{every, policy};
use crate::looking::words;
use crate::window::{Stage, exited, guard_lost, precheck_only};
use crate::world::{Who, World};

const MINUTE: i64 = 60_000;

/// An automation whose precheck may take ten seconds, and a start beside it five.
fn checked(world: &mut World, owner: Who) -> AutomationId {
    let precheck = json!({"program": "check", "timeoutMs": 10_000});
    let policies = json!({"precheck": precheck, "startMs": 5000, "pauseAfterFailures": 2});
    world.create(owner, policy(every(60), policies))
}

/// The next slot of it has come, and its precheck is at work.
fn at_precheck(world: &mut World, owner: Who, id: &AutomationId) -> RunId {
    world.now = world.now.plus_ms(MINUTE);
    world.tick(owner).unwrap();
    world.act(owner);
    let run = world.last_run(id).id;
    while world.window(owner).carried[&run].stage != Stage::Passed {
        world.carry(owner, &run);
    }
    run
}

fn told(world: &World, id: &AutomationId) -> Value {
    serde_json::to_value(world.last_run(id)).unwrap()
}

#[test]
fn a_run_is_scheduled_and_holds_its_directory_while_its_precheck_is_at_work() {
    let (mut world, owner) = World::with_owner();
    let id = checked(&mut world, owner);
    let run = at_precheck(&mut world, owner, &id);
    let row = world.run_row(&run);
    assert_eq!(
        (words(&row.run).split(" slots").next(), row.run.waiting()),
        (Some("schedule scheduled"), None)
    );
    assert!(row.begun && row.holds_directory);
    let behind = world.create(owner, every(3600));
    let behind = world.run(owner, &behind);
    assert_eq!(words(&world.run_row(&behind).run), "manual scheduled directory");
    world.end_of_work(&run, precheck_only(75));
    world.settle();
    assert_eq!(words(&world.run_row(&behind).run), "manual running");
    world.audit_all();
}

#[test]
fn nothing_to_do_is_neither_a_success_nor_a_failure() {
    let (mut world, owner) = World::with_owner();
    let id = checked(&mut world, owner);
    for (end, streak, completed) in
        [(precheck_only(1), 1, 1), (precheck_only(75), 1, 1), (precheck_only(75), 1, 1)]
    {
        let run = at_precheck(&mut world, owner, &id);
        world.finish(&run, end);
        let state = world.automation(&id).state;
        assert_eq!((state.failure_streak, state.completed_runs), (streak, completed));
    }
    let run = told(&world, &id);
    assert_eq!((&run["state"], &run["stopReason"]), (&json!("stopped"), &json!("precheck_skipped")));
    assert_eq!((&run["startedAt"], &run["error"]), (&Value::Null, &Value::Null));
    assert_eq!(run["end"], json!({"exitCode": 75, "tail": "checked", "swept": 0}));
    assert_eq!(run["output"]["bytes"], 7);
    let run = at_precheck(&mut world, owner, &id);
    world.finish(&run, precheck_only(1));
    assert!(world.automation(&id).pause.is_some(), "two failures in a row, with nothing to do between them");
    assert_eq!(world.spawn_log, []);
    world.audit_all();
}

#[test]
fn any_other_end_of_a_precheck_is_a_failed_start_that_says_what_happened() {
    let end = |why, exit_code, signal| {
        let process = ProcessEnd { exit_code, signal, tail: String::new(), swept: 2 };
        WorkEnd::PrecheckOnly { why, process, output: OutputSize::default() }
    };
    let not_started =
        |class| NotReached::NotStarted(StartFailure { class, message: "no program".to_owned() });
    for (end, part, class) in [
        (end(NotReached::ByExit, Some(3), None), "exited with code 3", ErrorClass::Task),
        (end(NotReached::ByExit, None, Some(9)), "killed by signal 9", ErrorClass::Task),
        (end(NotReached::ByExit, Some(0), None), "ended before the work", ErrorClass::Task),
        (end(NotReached::TimedOut, Some(75), None), "policy.precheck.timeoutMs", ErrorClass::Task),
        (end(not_started(ErrorClass::Config), None, None), "no program", ErrorClass::Config),
        (end(not_started(ErrorClass::Transient), None, None), "no program", ErrorClass::Transient),
    ] {
        let (mut world, owner) = World::with_owner();
        let id = checked(&mut world, owner);
        let run = at_precheck(&mut world, owner, &id);
        world.finish(&run, end);
        let run = told(&world, &id);
        assert_eq!(run["error"]["code"], json!(ErrorCode::StartFailed), "{run}");
        assert!(run["error"]["message"].as_str().unwrap().contains(part), "{run}");
        assert_eq!((&run["error"]["class"], &run["end"]["swept"]), (&json!(class), &json!(2)), "{run}");
        world.audit_all();
    }
}

#[test]
fn a_command_that_says_what_a_precheck_may_say_has_failed() {
    let (mut world, owner) = World::with_owner();
    let id = checked(&mut world, owner);
    world.run_for(MINUTE);
    let run = world.last_run(&id).id;
    world.finish(&run, exited(75));
    assert_eq!(told(&world, &id)["error"]["code"], "execution_failed");
}

#[test]
fn the_time_for_the_precheck_comes_on_top_of_the_time_for_the_start() {
    let (mut world, owner) = World::with_owner();
    let id = checked(&mut world, owner);
    at_precheck(&mut world, owner, &id);
    world.now = world.now.plus_ms(19_999);
    world.tick(owner).unwrap();
    assert_eq!(told(&world, &id)["stopping"], Value::Null);
    world.now = world.now.plus_ms(1);
    world.tick(owner).unwrap();
    assert_eq!(told(&world, &id)["stopping"]["as"], "timed_out");
    world.settle();
    let run = told(&world, &id);
    assert_eq!(run["error"]["code"], "timed_out");
    assert!(run["error"]["message"].as_str().unwrap().contains("20000 ms"), "{run}");
    assert_eq!(world.spawn_log, []);
}

#[test]
fn a_precheck_that_has_to_be_killed_is_told_as_what_took_too_long() {
    let (mut world, owner) = World::with_owner();
    let precheck = json!({"program": "check", "timeoutMs": 10_000});
    let id = world.create(owner, policy(every(60), json!({"precheck": precheck, "startMs": 1000})));
    let run = at_precheck(&mut world, owner, &id);
    // It is asked to end after ten seconds, and does not until it is killed.
    world.now = world.now.plus_ms(10_000 + STOP_GRACE_MS + 500);
    world.tick(owner).unwrap();
    assert_eq!(told(&world, &id)["stopping"], Value::Null);
    let process = ProcessEnd { exit_code: None, signal: Some(9), tail: String::new(), swept: 0 };
    let end = WorkEnd::PrecheckOnly { why: NotReached::TimedOut, process, output: OutputSize::default() };
    world.finish(&run, end);
    let error = &told(&world, &id)["error"];
    assert_eq!(error["code"], "start_failed");
    assert!(error["message"].as_str().unwrap().contains("policy.precheck.timeoutMs"), "{error}");
    world.audit_all();
}

#[test]
fn a_wish_during_the_precheck_decides_how_the_run_ends() {
    for end in [precheck_only(0), precheck_only(75), precheck_only(1), guard_lost()] {
        let (mut world, owner) = World::with_owner();
        let id = checked(&mut world, owner);
        let run = at_precheck(&mut world, owner, &id);
        let asked = world.cancel(owner, &run).unwrap();
        assert!(
            asked.state().is_active() && !asked.stopping().unwrap().now,
            "what has begun is asked to end"
        );
        world.finish(&run, end);
        let run = told(&world, &id);
        assert_eq!((&run["stopReason"], &run["startedAt"]), (&json!("cancelled"), &Value::Null));
        world.audit_all();
    }
}

#[test]
fn a_window_that_dies_during_the_precheck_leaves_an_interruption() {
    let (mut world, owner) = World::with_owner();
    let id = checked(&mut world, owner);
    at_precheck(&mut world, owner, &id);
    world.die(owner);
    let next = world.open();
    world.settle();
    assert_eq!(told(&world, &id)["stopReason"], "interrupted");
    assert!(world.alive().contains(&next) && world.spawn_log.is_empty());
    world.audit_all();
}
