//! What an automation rests after by itself, and what it goes on after.

use serde_json::{Value, json};
use sexton::domain::automation::{Automation, Pause, PauseReason};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::request::ActiveRun;
use sexton::domain::run::{ErrorClass, StartFailure};
use sexton::engine::report::WorkEnd;
use sexton::ledger::EventFilter;

use crate::drafts::{every, once, policy, with};
use crate::looking::words;
use crate::window::{Stage, exited, not_started_of};
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

const CLASSES: [(ErrorClass, Option<PauseReason>); 8] = [
    (ErrorClass::Task, None),
    (ErrorClass::Transient, None),
    (ErrorClass::Config, Some(PauseReason::Config)),
    (ErrorClass::Auth, Some(PauseReason::Auth)),
    (ErrorClass::Quota, Some(PauseReason::Quota)),
    (ErrorClass::Permission, None),
    (ErrorClass::Agent, None),
    (ErrorClass::Crash, None),
];

/// A run that was given by now cannot start.
fn fail(world: &mut World, owner: Who, run: &RunId, end: WorkEnd) {
    world.act(owner);
    world.set_stage(owner, run, Some(Stage::Ended(end)));
    world.carry(owner, run);
    assert!(words(&world.run_row(run).run).contains("failed start_failed"));
}

/// The next slot comes, and its run cannot start.
fn fail_next(world: &mut World, owner: Who, id: &AutomationId, class: ErrorClass) -> RunId {
    world.now = world.automation(id).state.next_fire_at.unwrap();
    world.tick(owner).unwrap();
    let run = world.last_run(id).id;
    fail(world, owner, &run, not_started_of(class));
    run
}

/// What has to be the same in two automations for a failure to have counted only.
fn standing(automation: &Automation) -> (Option<Pause>, i64, i64) {
    (automation.pause.clone(), automation.revision, automation.state.failure_streak)
}

#[test]
fn only_what_would_fail_again_pauses_at_once() {
    for (class, reason) in CLASSES {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, policy(every(60), json!({"pauseAfterFailures": null})));
        let seq = world.view().newest_seq().unwrap();
        fail_next(&mut world, owner, &id, class);
        let automation = world.automation(&id);
        let pause = reason.map(|reason| (reason, world.now, None));
        let told = automation.pause.clone().map(|pause| (pause.reason, pause.at, pause.by));
        assert_eq!(told, pause, "{class:?}");
        assert_eq!((automation.revision, automation.state.failure_streak), (1, 1), "{class:?}");
        assert_eq!(automation.state.next_fire_at.is_none(), reason.is_some(), "{class:?}");
        let events = world.view().events_after(seq, &EventFilter::default(), 100).unwrap();
        let last = events.last().unwrap();
        assert_eq!(
            (last.kind.as_str(), last.important),
            ("automation.updated", reason.is_some()),
            "{class:?}"
        );
        world.run_for(HOUR);
        let expected = if reason.is_some() { 1 } else { 2 };
        assert_eq!(world.runs(&id).len(), expected, "nothing fires and nothing is missed: {class:?}");
        world.audit_all();
    }
}

#[test]
fn what_is_known_to_be_wrong_is_told_before_the_number_of_failures() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, policy(every(60), json!({"pauseAfterFailures": 1})));
    fail_next(&mut world, owner, &id, ErrorClass::Auth);
    assert_eq!(world.automation(&id).pause.unwrap().reason, PauseReason::Auth);
    let id = world.create(owner, policy(every(60), json!({"pauseAfterFailures": 1})));
    fail_next(&mut world, owner, &id, ErrorClass::Transient);
    let pause = world.automation(&id).pause.unwrap();
    assert_eq!((pause.reason, pause.note), (PauseReason::Failures, None));
    world.audit_all();
}

#[test]
fn a_resume_counts_anew_and_what_is_still_wrong_pauses_again() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    fail_next(&mut world, owner, &id, ErrorClass::Quota);
    let resumed = world.resume(owner, &id).unwrap();
    assert_eq!(standing(&resumed), (None, 2, 0));
    fail_next(&mut world, owner, &id, ErrorClass::Quota);
    let again = world.automation(&id);
    assert_eq!((again.pause.map(|pause| pause.reason), again.revision), (Some(PauseReason::Quota), 2));
    world.audit_all();
}

#[test]
fn the_note_says_what_is_wrong_and_what_to_do_however_long_that_is() {
    let long = "ä".repeat(5000);
    for (class, message, begin, end) in [
        (ErrorClass::Config, "no `x`; install it", "no `x`; install it. ", "Then resume the automation."),
        (ErrorClass::Auth, "no login.", "no login. Log in", "resume the automation."),
        (ErrorClass::Quota, "  ", "Resume", "quota again."),
        (ErrorClass::Config, &long, "ää", "ä…. Then resume the automation."),
    ] {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, every(60));
        let run = world.run(owner, &id);
        fail(
            &mut world,
            owner,
            &run,
            WorkEnd::NotStarted(StartFailure { class, message: message.to_owned() }),
        );
        let note = world.automation(&id).pause.unwrap().note.unwrap();
        assert!(note.starts_with(begin) && note.ends_with(end), "{note}");
        assert!(note.chars().count() <= 1000, "as long as a person's may be: {}", note.chars().count());
        assert_eq!(note.chars().count() == 1000, message == long, "no more is cut than has to be");
    }
}

#[test]
fn what_slots_asked_for_ends_with_the_pause_and_what_people_asked_for_goes_on() {
    let begun = || {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, policy(every(60), json!({"overlap": "queueOne", "startMs": HOUR})));
        let first = world.run(owner, &id);
        world.act(owner);
        (world, owner, id, first)
    };
    let (mut world, owner, id, first) = begun();
    world.now = world.now.plus_ms(MINUTE);
    world.tick(owner).unwrap();
    assert_eq!(world.story(&id)[1], "schedule scheduled previous slots 60..60 x1");
    fail(&mut world, owner, &first, not_started_of(ErrorClass::Config));
    assert_eq!(world.story(&id), ["manual failed start_failed", "schedule stopped paused slots 60..60 x1"]);
    world.audit_all();

    let (mut world, owner, id, first) = begun();
    let asked = world.run(owner, &id);
    fail(&mut world, owner, &first, not_started_of(ErrorClass::Config));
    world.settle();
    assert_eq!(world.story(&id), ["manual failed start_failed", "manual running"]);
    world.finish(&asked, exited(0));
    let automation = world.automation(&id);
    assert_eq!(automation.state.failure_streak, 0);
    assert!(automation.paused, "a person has it go on, and nothing else");
    world.audit_all();
}

// Chains.

fn retried(attempts: i64) -> Value {
    policy(every(600), json!({"retry": {"attempts": attempts, "delayMs": SECOND}}))
}

/// The retry that waits is due, and cannot start either.
fn fail_again(world: &mut World, owner: Who, id: &AutomationId, class: ErrorClass) {
    world.now = world.now.plus_ms(SECOND);
    world.tick(owner).unwrap();
    let run = world.last_run(id).id;
    fail(world, owner, &run, not_started_of(class));
}

#[test]
fn a_chain_pauses_when_it_ends() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, retried(2));
    fail_next(&mut world, owner, &id, ErrorClass::Config);
    assert_eq!(standing(&world.automation(&id)), (None, 1, 0));
    fail_again(&mut world, owner, &id, ErrorClass::Config);
    assert_eq!(standing(&world.automation(&id)), (None, 1, 0));
    fail_again(&mut world, owner, &id, ErrorClass::Auth);
    let automation = world.automation(&id);
    assert_eq!(automation.pause.unwrap().reason, PauseReason::Auth, "of what its last run has failed");
    assert_eq!((automation.state.failure_streak, automation.state.completed_runs), (1, 1));
    world.run_for(HOUR);
    assert_eq!(world.runs(&id).len(), 3);
    world.audit_all();
}

#[test]
fn a_login_and_a_quota_are_not_tried_again() {
    for (class, reason) in [(ErrorClass::Auth, PauseReason::Auth), (ErrorClass::Quota, PauseReason::Quota)] {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, retried(2));
        fail_next(&mut world, owner, &id, class);
        assert_eq!(world.automation(&id).pause.map(|pause| pause.reason), Some(reason));
        assert_eq!(world.runs(&id).len(), 1);
        world.audit_all();
    }
}

#[test]
fn a_chain_whose_last_run_could_start_does_not_pause() {
    for (last, streak) in [(exited(0), 0), (exited(1), 1)] {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, retried(1));
        fail_next(&mut world, owner, &id, ErrorClass::Config);
        world.run_for(SECOND);
        let run = world.last_run(&id).id;
        world.finish(&run, last);
        assert_eq!(standing(&world.automation(&id)), (None, 1, streak));
        world.audit_all();
    }
}

#[test]
fn a_chain_that_is_stopped_pauses_for_what_it_has_failed_of_so_far() {
    let (config, transient) = (ErrorClass::Config, ErrorClass::Transient);
    for (first, last, reason) in [(transient, config, Some(PauseReason::Config)), (config, transient, None)] {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, retried(3));
        fail_next(&mut world, owner, &id, first);
        fail_again(&mut world, owner, &id, last);
        let waits = world.last_run(&id).id;
        world.cancel(owner, &waits).unwrap();
        assert_eq!(words(&world.last_run(&id)), "retry stopped cancelled");
        let automation = world.automation(&id);
        assert_eq!(
            (automation.pause.map(|pause| pause.reason), automation.state.failure_streak),
            (reason, 1)
        );
        world.audit_all();
    }
}

#[test]
fn a_stopped_chain_of_which_nothing_is_kept_only_counts() {
    let (mut world, owner) = World::with_owner();
    let retry = json!({"attempts": 1, "delayMs": 72 * HOUR});
    let draft = policy(every(1_000_000), json!({"retry": retry, "keep": {"runs": 1, "days": 1}}));
    let id = world.create(owner, draft);
    let failed = world.run(owner, &id);
    fail(&mut world, owner, &failed, not_started_of(ErrorClass::Config));
    world.run_for(48 * HOUR);
    world.prune(owner).unwrap();
    assert_eq!(world.story(&id), ["retry scheduled retry"], "what has failed is not kept any more");
    let waits = world.last_run(&id).id;
    world.cancel(owner, &waits).unwrap();
    assert_eq!(standing(&world.automation(&id)), (None, 1, 1));
    world.audit_all();
}

// What is not paused.

#[test]
fn a_failure_by_hand_leaves_the_pause_that_there_is() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(60));
    let paused = world.pause(owner, &id, None).unwrap();
    world.now = world.now.plus_ms(SECOND);
    for (class, _) in CLASSES {
        let run = world.run(owner, &id);
        fail(&mut world, owner, &run, not_started_of(class));
    }
    assert_eq!(standing(&world.automation(&id)), (paused.pause, 2, 8));
    world.audit_all();
}

#[test]
fn what_is_being_deleted_is_not_paused() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, policy(every(60), json!({"overlap": "queueOne"})));
    let first = world.run(owner, &id);
    world.act(owner);
    let second = world.run(owner, &id);
    world.delete(owner, &id, ActiveRun::Finish).unwrap();
    fail(&mut world, owner, &first, not_started_of(ErrorClass::Config));
    assert_eq!(standing(&world.automation(&id)), (None, 1, 1));
    world.settle();
    world.finish(&second, exited(0));
    assert_eq!(world.view().automation(&id).unwrap().map(|row| row.row), None);
    world.audit_all();
}

#[test]
fn a_one_shot_is_never_paused_by_its_failures() {
    let at = START.as_millis() + HOUR;
    for class in [ErrorClass::Config, ErrorClass::Transient] {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, policy(once(at), json!({"pauseAfterFailures": 1})));
        let by_hand = world.run(owner, &id);
        fail(&mut world, owner, &by_hand, not_started_of(class));
        assert_eq!(standing(&world.automation(&id)), (None, 1, 1), "it still fires at its time");
        fail_next(&mut world, owner, &id, class);
        assert_eq!(standing(&world.automation(&id)), (None, 1, 2), "it could not be resumed");
        world.update(owner, &id, json!({"fireAt": at + HOUR}));
        world.run_for(HOUR);
        assert_eq!(words(&world.last_run(&id)), "schedule running slots 7200..7200 x1");
        world.audit_all();
    }
}

#[test]
fn what_is_over_is_not_paused() {
    let until = json!({"kind": "until", "at": START.as_millis() + MINUTE});
    for stop in [json!({"kind": "count", "count": 1}), until] {
        for class in [ErrorClass::Config, ErrorClass::Transient] {
            let (mut world, owner) = World::with_owner();
            let draft = policy(every(60), json!({"pauseAfterFailures": 1}));
            let id = world.create(owner, with(draft, json!({"stop": stop})));
            fail_next(&mut world, owner, &id, class);
            assert_eq!(standing(&world.automation(&id)), (None, 1, 1), "{stop}");
            world.audit_all();
        }
    }
}

#[test]
fn a_failure_of_what_was_edited_since_only_counts() {
    for (patch, pauses) in [
        (json!({"task": {"program": "another"}}), false),
        (json!({"policy": {"precheck": {"program": "another", "timeoutMs": 1000}}}), false),
        (json!({"title": "another", "policy": {"queueMs": 5}}), true),
    ] {
        let (mut world, owner) = World::with_owner();
        let id = world.create(owner, every(60));
        let run = world.run(owner, &id);
        world.act(owner);
        world.update(owner, &id, patch.clone());
        fail(&mut world, owner, &run, not_started_of(ErrorClass::Config));
        let automation = world.automation(&id);
        assert_eq!((automation.paused, automation.state.failure_streak), (pauses, 1), "{patch}");
        world.audit_all();
    }
}
