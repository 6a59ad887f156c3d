//! Windows that carry out prompts themselves: who is given what, and what their reports come to.

use serde_json::{Value, json};
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::provider::{ProviderStatus, ProviderWork, Report, Watch};
use sexton::domain::refusal::Refusal;
use sexton::domain::request::ActiveRun;
use sexton::domain::run::machine::{ErrorCode, StopReason};
use sexton::domain::run::{Continuity, ErrorClass, Phase, Wish};
use sexton::domain::scheduler::Role;
use sexton::engine::delete::Deletion;
use sexton::engine::served::Begin;
use sexton::engine::{providers, served};

use crate::app::{AGENT, MODEL, Manners, failed, finished, offer, permission, started, step};
use crate::drafts::{every, policy, prompt, with};
use crate::looking::words;
use crate::window::Told;
use crate::world::{Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;

/// A world whose owner serves, and an automation that is only run by hand.
fn world_that_serves(policies: Value) -> (World, Who, AutomationId) {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 3);
    let id = resting(&mut world, owner, policies);
    (world, owner, id)
}

fn resting(world: &mut World, who: Who, policies: Value) -> AutomationId {
    world.create(who, with(policy(prompt(every(60)), policies), json!({"paused": true})))
}

fn told(world: &World, run: &RunId) -> String {
    words(&world.run_row(run).run)
}

fn refused(world: &mut World, who: Who, run: &RunId, report: Report) -> String {
    let seq = world.view().newest_seq().unwrap();
    let refusal = world.report(who, run, report).unwrap_err();
    assert!(matches!(refusal, Refusal::InvalidRequest(_) | Refusal::NotFound { .. }), "{refusal}");
    assert_eq!(world.view().newest_seq().unwrap(), seq, "a refused report was told");
    refusal.to_string()
}

#[test]
fn a_window_carries_out_a_prompt_from_its_start_to_its_end() {
    let (mut world, owner, id) = world_that_serves(json!({}));
    let run = world.run(owner, &id);
    world.window_mut(owner).app.manners = Manners::Silent;
    world.settle();
    assert_eq!(told(&world, &run), "manual scheduled");
    let work = world.window(owner).app.work[&run].start.clone();
    let ProviderWork::Start { model, prompt, step_cap, session_id, limits, .. } = work else {
        panic!("{work:?}")
    };
    assert_eq!((model.as_str(), prompt.as_str(), step_cap, session_id), (MODEL, "look around", 50, None));
    assert_eq!((limits.idle_ms, limits.blocker_ms), (Some(10 * MINUTE), 24 * 60 * MINUTE));
    world.report(owner, &run, started("s1")).unwrap();
    assert_eq!(told(&world, &run), "manual running");
    world.report(owner, &run, finished()).unwrap();
    let ended = world.run_row(&run);
    assert_eq!(words(&ended.run), "manual succeeded");
    let Phase::Succeeded { result, ended: end } = &ended.run.phase else { panic!() };
    assert_eq!((result.text.as_deref(), &end.process), (Some("done"), &None));
    assert!(!ended.holds_directory && !ended.begun);
    assert_eq!(world.automation(&id).state.session_id.as_deref(), Some("s1"));
    world.audit_all();
}

#[test]
fn a_slot_of_one_window_is_carried_out_by_the_one_that_serves() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    world.serve(other, 1);
    let id = world.create(owner, prompt(every(60)));
    world.run_for(MINUTE);
    assert_eq!(words(&world.last_run(&id)), "schedule running slots 60..60 x1");
    let run = world.last_run(&id);
    assert_eq!(run.instance_id.as_ref(), Some(&world.window(other).actor.instance));
    world.report(other, &run.id, finished()).unwrap();
    // An observer carries out only what it was asked for itself.
    let observer = world.open_as(Role::Observer);
    world.die(other);
    world.settle_dead_peers(owner).unwrap();
    world.serve(observer, 1);
    world.run_for(MINUTE);
    assert_eq!(words(&world.last_run(&id)), "schedule failed provider_unavailable slots 120..120 x1");
    let by_hand = world.run(observer, &id);
    world.settle();
    assert_eq!(told(&world, &by_hand), "manual running");
    world.audit_all();
}

#[test]
fn nobody_is_given_more_than_it_wants_and_the_others_keep_their_places() {
    let (mut world, owner) = World::with_owner();
    let serving = world.serve(owner, 1);
    let reads = json!({"access": "read", "paused": true});
    let ids = [0, 1].map(|_| world.create(owner, with(prompt(every(60)), reads.clone())));
    let first = world.run(owner, &ids[0]);
    let second = world.run(owner, &ids[1]);
    world.settle();
    assert_eq!(told(&world, &second), "manual scheduled executor");
    // Whoever joins the line of the directory comes after the prompt that is there.
    let writes = resting(&mut world, owner, json!({}));
    let third = world.run(owner, &writes);
    let command = world.create(owner, with(every(60), json!({"paused": true})));
    let fourth = world.run(owner, &command);
    world.settle();
    assert_eq!(told(&world, &third), "manual scheduled executor");
    assert_eq!(told(&world, &fourth), "manual scheduled directory");
    world.report(owner, &first, finished()).unwrap();
    world.settle();
    assert_eq!(told(&world, &second), "manual running");
    assert_eq!(told(&world, &fourth), "manual scheduled directory", "it overtakes nobody");
    // Another window that serves takes what this one has no room for.
    let other = world.open();
    world.serve(other, 1);
    world.settle();
    assert_eq!(told(&world, &third), "manual running");
    // Nobody serves any more: what was carried out is lost, and what waits fails at its turn.
    world.unserve(owner, &serving).unwrap();
    assert_eq!(told(&world, &second), "manual stopped interrupted");
    world.audit_all();
}

#[test]
fn what_was_begun_is_lost_with_the_subscription_and_what_was_not_is_handed_back() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let serving = world.serve(other, 3);
    let id = world.create(owner, with(prompt(every(60)), json!({"access": "read", "paused": true})));
    let [asked, wished, not_begun, over] = [0; 4].map(|_| {
        let draft = with(prompt(every(60)), json!({"access": "read", "paused": true}));
        world.create(owner, draft)
    });
    let started_by_hand = |world: &mut World, id: &AutomationId| {
        let run = world.run(owner, id);
        world.settle();
        run
    };
    world.window_mut(other).app.manners = Manners::Stubborn;
    let over = started_by_hand(&mut world, &over);
    world.cancel(owner, &over).unwrap();
    world.run_for(10 * SECOND);
    assert_eq!(told(&world, &over), "manual stopped cancelled");
    assert!(world.view().process(world.run_row(&over).row).unwrap().is_some(), "it may still be at it");
    let asked = started_by_hand(&mut world, &asked);
    world.report(other, &asked, Report::Blocked(permission("1"))).unwrap();
    let wished = started_by_hand(&mut world, &wished);
    world.cancel(owner, &wished).unwrap();
    let not_begun = world.run(owner, &not_begun);
    assert_eq!(
        told(&world, &not_begun),
        "manual scheduled executor",
        "three are at work, with the one that has ended"
    );
    world.unserve(other, &serving).unwrap();
    assert_eq!(told(&world, &asked), "manual stopped blocker_lost");
    assert_eq!(told(&world, &wished), "manual stopped cancelled");
    assert_eq!(told(&world, &not_begun), "manual failed provider_unavailable");
    assert!(world.view().process(world.run_row(&over).row).unwrap().is_none());
    // A second end of the same subscription changes nothing.
    let seq = world.view().newest_seq().unwrap();
    world.unserve(other, &serving).unwrap();
    assert_eq!(world.view().newest_seq().unwrap(), seq);
    // What was given and not begun goes to whoever serves now.
    world.serve(other, 1);
    let given = world.run(owner, &id);
    assert!(world.run_row(&given).given_to.is_some());
    let again = world.view().servings_of(&world.window(other).actor.instance).unwrap()[0].id.clone();
    world.serve(owner, 1);
    world.unserve(other, &again).unwrap();
    world.settle();
    assert_eq!(world.run_row(&given).run.instance_id.as_ref(), Some(&world.window(owner).actor.instance));
    world.audit_all();
}

#[test]
fn reports_out_of_order_or_of_other_peoples_runs_change_nothing() {
    let (mut world, owner, id) = world_that_serves(json!({}));
    let other = world.open();
    world.window_mut(owner).app.manners = Manners::Silent;
    let run = world.run(owner, &id);
    assert!(refused(&mut world, owner, &run, started("s1")).contains("has not begun"));
    world.settle();
    for early in [step("read"), finished(), Report::Unblocked, Report::Blocked(permission("1"))] {
        assert!(refused(&mut world, owner, &run, early).contains("has not started"));
    }
    assert!(world.output(owner, &run, 5).is_err(), "nothing is written before it has started");
    let codes = refused(&mut world, owner, &run, failed(ErrorCode::StepCap));
    assert!(codes.contains("timed_out, start_failed, provider_unavailable, crashed"), "{codes}");
    assert!(refused(&mut world, other, &run, started("s1")).contains("another window"));
    world.report(owner, &run, started("s1")).unwrap();
    assert!(refused(&mut world, owner, &run, started("s1")).contains("already"));
    assert!(refused(&mut world, owner, &run, failed(ErrorCode::StartFailed)).contains("execution_failed"));
    world.report(owner, &run, failed(ErrorCode::ExecutionFailed)).unwrap();
    assert_eq!(told(&world, &run), "manual failed execution_failed");
    for late in [started("s1"), step("read"), finished(), failed(ErrorCode::Crashed)] {
        assert!(refused(&mut world, owner, &run, late).contains("has failed"));
    }
    let command = world.create(owner, with(every(60), json!({"paused": true})));
    let command = world.run(owner, &command);
    world.settle();
    assert!(refused(&mut world, owner, &command, finished()).contains("is a command"));
    assert!(refused(&mut world, owner, &RunId::from_unique("x"), finished()).contains("there is no run"));
    world.audit_all();
}

#[test]
fn a_window_that_does_not_hear_holds_the_directory_until_it_says_that_its_work_has_gone() {
    let (mut world, owner, id) = world_that_serves(json!({}));
    world.window_mut(owner).app.manners = Manners::Stubborn;
    let run = world.run(owner, &id);
    world.settle();
    let command = world.create(owner, with(every(60), json!({"paused": true})));
    let waits = world.run(owner, &command);
    world.cancel(owner, &run).unwrap();
    world.run_for(10 * SECOND - 1);
    assert_eq!(told(&world, &run), "manual running cancelled");
    world.run_for(1);
    assert_eq!(told(&world, &run), "manual stopped cancelled");
    assert_eq!(told(&world, &waits), "manual scheduled directory");
    assert!(refused(&mut world, owner, &run, step("write")).contains("has stopped"));
    assert_eq!(told(&world, &waits), "manual scheduled directory");
    let refusal = world.report(owner, &run, finished()).unwrap_err();
    assert!(refusal.to_string().contains("has stopped"), "{refusal}");
    world.settle();
    assert_eq!(told(&world, &run), "manual stopped cancelled", "what it says of the end comes too late");
    assert_eq!(told(&world, &waits), "manual running");
    assert!(refused(&mut world, owner, &run, finished()).contains("has stopped"));
    world.audit_all();
}

#[test]
fn a_second_cancel_waits_for_a_second_and_whoever_stands_by_ends_the_run_of_a_window_that_hangs() {
    for (cancels, ms) in [(1, 10 * SECOND), (2, SECOND)] {
        let (mut world, owner) = World::with_owner();
        let other = world.open();
        world.serve(other, 1);
        let id = resting(&mut world, owner, json!({}));
        let run = world.run(owner, &id);
        world.settle();
        world.window_mut(other).hangs = true;
        (0..cancels).for_each(|_| drop(world.cancel(owner, &run).unwrap()));
        world.run_for(ms - 1);
        assert_eq!(told(&world, &run), "manual running cancelled");
        world.run_for(1);
        assert_eq!(told(&world, &run), "manual stopped cancelled");
        assert!(world.run_row(&run).holds_directory, "the window may still be at it");
        world.die(other);
        world.settle_dead_peers(owner).unwrap();
        assert!(!world.run_row(&run).holds_directory);
        world.audit_all();
    }
}

#[test]
fn a_window_that_hung_while_its_run_was_ended_hears_of_it_and_lets_go() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    world.serve(other, 1);
    let [id, next] = [0; 2].map(|_| resting(&mut world, owner, json!({})));
    let run = world.run(owner, &id);
    world.settle();
    let next = world.run(owner, &next);
    world.window_mut(other).hangs = true;
    world.cancel(owner, &run).unwrap();
    world.run_for(10 * SECOND);
    assert_eq!(told(&world, &run), "manual stopped cancelled");
    assert_eq!(told(&world, &next), "manual scheduled directory");
    world.window_mut(other).hangs = false;
    world.act(other);
    let work = &world.window(other).app.work[&run];
    assert_eq!((work.told, work.reason), (Told::StopNow, Some(Wish::Stop(StopReason::Cancelled))));
    world.settle();
    assert_eq!(told(&world, &run), "manual stopped cancelled");
    assert_eq!(told(&world, &next), "manual running");
    world.audit_all();
}

#[test]
fn a_run_that_is_to_end_before_its_window_has_listened_leaves_nothing_behind() {
    for (ms, state) in [(0, "manual scheduled cancelled"), (10 * SECOND, "manual stopped cancelled")] {
        let (mut world, owner) = World::with_owner();
        let other = world.open();
        world.serve(other, 1);
        let id = resting(&mut world, owner, json!({}));
        let run = world.run(owner, &id);
        world.window_mut(other).hangs = true;
        let number = world.run_row(&run).given_number;
        let begun = world.decide(other, |tx, context| served::begin(tx, context, &run, number)).unwrap();
        assert!(matches!(begun, Begin::Go { .. }), "{begun:?}");
        world.cancel(owner, &run).unwrap();
        world.run_for(ms);
        assert_eq!(told(&world, &run), state);
        world.decide(other, |tx, context| served::never_told(tx, context, &run)).unwrap();
        assert_eq!(told(&world, &run), "manual stopped cancelled");
        let row = world.run_row(&run);
        assert!(!row.holds_directory && !row.begun, "its window has nothing of it");
        world.audit_all();
    }
}

#[test]
fn an_automation_goes_with_the_work_of_its_last_run_and_not_with_the_run() {
    let (mut world, owner, id) = world_that_serves(json!({}));
    world.window_mut(owner).app.manners = Manners::Stubborn;
    let run = world.run(owner, &id);
    world.settle();
    let is_gone = |world: &World| world.view().automation_fate(&id).unwrap().unwrap().2;
    let pending = world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    assert!(matches!(pending, Deletion::Pending { .. }), "{pending:?}");
    world.run_for(15 * SECOND);
    assert_eq!(told(&world, &run), "manual stopped cancelled");
    assert!(
        !is_gone(&world) && world.view().automation(&id).unwrap().unwrap().deleting.is_none(),
        "the wish is void"
    );
    // Who wishes it now waits for the work as well.
    let refusal = world.delete(owner, &id, ActiveRun::Refuse).unwrap_err();
    assert!(matches!(refusal, Refusal::ActiveRunStillRunning { run: left } if left == run));
    let pending = world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    let Deletion::Pending { runs, .. } = pending else { panic!("{pending:?}") };
    assert_eq!(runs, std::slice::from_ref(&run));
    assert!(!is_gone(&world));
    world.report(owner, &run, finished()).unwrap_err();
    assert!(is_gone(&world));
    world.audit_all();
}

#[test]
fn an_application_that_takes_work_and_says_nothing_has_failed_to_start_it() {
    let (mut world, owner, id) = world_that_serves(json!({"startMs": 5 * SECOND}));
    world.window_mut(owner).app.manners = Manners::Silent;
    let run = world.run(owner, &id);
    world.run_for(5 * SECOND);
    assert_eq!(told(&world, &run), "manual scheduled timed_out");
    world.report(owner, &run, started("late")).unwrap();
    assert_eq!(told(&world, &run), "manual running timed_out", "it is asked to end all the same");
    world.report(owner, &run, finished()).unwrap();
    let Phase::Failed { error, .. } = world.run_row(&run).run.phase else { panic!() };
    assert_eq!((error.code, error.class), (ErrorCode::TimedOut, ErrorClass::Transient));
    world.audit_all();
}

#[test]
fn a_session_goes_on_where_that_is_wanted() {
    let (mut world, owner, fresh) = world_that_serves(json!({}));
    let task = |context: Value| {
        let mut task = prompt(every(60))["task"].take();
        task.as_object_mut().unwrap().extend(context.as_object().unwrap().clone());
        task
    };
    world.window_mut(owner).app.manners = Manners::Silent;
    let carry_out = |world: &mut World, id: &AutomationId, says: &str| {
        let run = world.run(owner, id);
        world.settle();
        let start = world.window(owner).app.work[&run].start.clone();
        let ProviderWork::Start { session_id, .. } = start else { panic!("{start:?}") };
        world.report(owner, &run, started(says)).unwrap();
        world.report(owner, &run, finished()).unwrap();
        (session_id, world.run_row(&run).run.continuity.unwrap())
    };
    assert_eq!(carry_out(&mut world, &fresh, "s1"), (None, Continuity::New));
    assert_eq!(carry_out(&mut world, &fresh, "s1"), (None, Continuity::New), "nobody asked for it");
    let patch = json!({"task": task(json!({"context": "continue"}))});
    world.try_update(owner, &fresh, None, &patch).unwrap();
    assert_eq!(carry_out(&mut world, &fresh, "s1"), (Some("s1".to_owned()), Continuity::Resumed));
    assert_eq!(carry_out(&mut world, &fresh, "s2"), (Some("s1".to_owned()), Continuity::New));
    assert_eq!(carry_out(&mut world, &fresh, "s2"), (Some("s2".to_owned()), Continuity::Resumed));
    let patch = json!({"task": task(json!({"context": "continue", "sessionID": "mine"}))});
    world.try_update(owner, &fresh, None, &patch).unwrap();
    assert_eq!(carry_out(&mut world, &fresh, "mine"), (Some("mine".to_owned()), Continuity::Resumed));
    world.audit_all();
}

#[test]
fn a_watch_that_is_over_pauses_its_automation_as_a_run_does() {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 1);
    let id = world.create(owner, policy(prompt(every(60)), json!({"overlap": "queueOne"})));
    world.run_for(2 * MINUTE);
    let first = world.runs(&id)[0].id.clone();
    let last = || Report::Finished { text: None, outcome: None, last: Watch::IsOver };
    world.report(owner, &first, last()).unwrap();
    let paused = world.automation(&id);
    assert_eq!(world.story(&id)[0], "schedule succeeded slots 60..60 x1");
    assert_eq!(world.story(&id)[1], "schedule stopped paused slots 120..120 x1", "nothing more starts");
    let reason = serde_json::to_value(paused.pause.unwrap().reason).unwrap();
    assert_eq!((reason, paused.revision), (json!("run"), 2));
    // There is nothing to pause where somebody has done so, and a run that was asked to end has no result.
    world.resume(owner, &id).unwrap();
    let run = world.run(owner, &id);
    world.settle();
    world.window_mut(owner).app.manners = Manners::Stubborn;
    world.cancel(owner, &run).unwrap();
    world.report(owner, &run, last()).unwrap();
    assert_eq!(
        (told(&world, &run).as_str(), world.automation(&id).paused),
        ("manual stopped cancelled", false)
    );
    world.audit_all();
}

#[test]
fn a_client_that_has_gone_takes_its_work_with_it_and_a_shutdown_asks_for_its_end() {
    let (mut world, owner, id) = world_that_serves(json!({}));
    let other = world.open();
    let run = world.run(owner, &id);
    world.settle();
    world.lose_client(owner).unwrap();
    assert_eq!(told(&world, &run), "manual stopped interrupted");
    world.leave(owner).unwrap();
    world.try_the_bell(other).unwrap();
    world.serve(other, 1);
    let run = world.run(other, &id);
    world.settle();
    world.prepare_to_leave(other).unwrap();
    assert_eq!(told(&world, &run), "manual running shutdown");
    world.leave(other).unwrap();
    assert_eq!(told(&world, &run), "manual stopped shutdown");
    assert!(world.view().instances().unwrap().is_empty());
    assert_eq!(providers::providers(&world.view()).unwrap()[0].status, ProviderStatus::Unavailable);
    world.audit_all();
}

#[test]
fn one_window_serves_a_provider_once() {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 1);
    let again = world.try_serve(owner, offer(AGENT, &[(MODEL, &[])], 1)).unwrap_err();
    assert!(again.to_string().contains("provider/unserve"), "{again}");
    for number in 1..100 {
        world.try_serve(owner, offer(&format!("p{number}"), &[], 1)).unwrap();
    }
    let one_more = world.try_serve(owner, offer("one more", &[], 1)).unwrap_err();
    assert!(matches!(one_more, Refusal::Overloaded(_)), "{one_more}");
    world.audit_all();
}

#[test]
fn a_run_that_fails_at_its_turn_while_its_automation_is_edited_is_part_of_what_is_edited() {
    let (mut world, owner) = World::with_owner();
    let serving = world.serve(owner, 1);
    world.window_mut(owner).app.manners = Manners::Silent;
    let policies = json!({"retry": {"attempts": 1, "delayMs": 30 * SECOND}, "pauseAfterFailures": 1});
    let id = world.create(owner, policy(prompt(every(60)), policies));
    world.run_for(MINUTE);
    let run = world.last_run(&id).id;
    world.report(owner, &run, failed(ErrorCode::StartFailed)).unwrap();
    world.unserve(owner, &serving).unwrap();
    // The turn of the next try has come, and so has a slot, and nobody has looked.
    world.now = world.now.plus_ms(65 * SECOND);
    let rhythm = json!({"rhythm": {"kind": "interval", "everyMs": 2 * MINUTE}});
    let edited = world.try_update(owner, &id, None, &rhythm).unwrap();
    assert!(edited.paused, "it has failed for good");
    let expected = [
        "schedule failed start_failed slots 60..60 x1",
        "retry failed provider_unavailable",
        "schedule stopped paused slots 120..120 x1",
    ];
    assert_eq!(world.story(&id), expected);
    world.audit_all();
}
