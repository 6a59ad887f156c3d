//! Runs that need a person: who is asked, who answers, and what nobody answers.

use serde_json::{Value, json};
use sexton::domain::id::RunId;
use sexton::domain::provider::{Choice, Report};
use sexton::domain::refusal::Refusal;
use sexton::domain::run::machine::{ErrorCode, StopReason};
use sexton::domain::run::{ErrorClass, Need, PermissionKind, Phase, Run, Wish};

use crate::app::{Manners, chosen, failed, finished, permission, question, step};
use crate::drafts::{every, policy, prompt, with};
use crate::looking::words;
use crate::world::{Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A run that is at work in the window that owns the bell.
fn at_work(policies: Value) -> (World, Who, RunId) {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 1);
    let id = world.create(owner, with(policy(prompt(every(60)), policies), json!({"paused": true})));
    let run = world.run(owner, &id);
    world.settle();
    (world, owner, run)
}

fn blocked(need: Need, policies: Value) -> (World, Who, RunId) {
    let (mut world, owner, run) = at_work(policies);
    world.report(owner, &run, Report::Blocked(need)).unwrap();
    assert_eq!(told(&world, &run), "manual awaiting_input");
    (world, owner, run)
}

fn told(world: &World, run: &RunId) -> String {
    words(&world.run_row(run).run)
}

fn seq(world: &World) -> i64 {
    world.view().newest_seq().unwrap()
}

fn is_gone(answered: Result<Run, Refusal>) -> bool {
    matches!(answered, Err(Refusal::BlockerGone { .. }))
}

#[test]
fn the_first_answer_counts_from_whichever_window_it_comes() {
    let (mut world, owner, run) = blocked(permission("1"), json!({}));
    let other = world.open();
    let asked = permission("1").asked();
    let answered = world.respond(other, &run, asked.clone(), chosen("yes")).unwrap();
    assert_eq!(words(&answered), "manual running");
    assert!(is_gone(world.respond(owner, &run, asked.clone(), chosen("no"))));
    world.settle();
    let answers = &world.window(owner).app.work[&run].answers;
    assert_eq!(answers.len(), 1);
    assert_eq!((&answers[0].asked, &answers[0].choice), (&asked, &chosen("yes")));
    assert!(world.view().answers_to(world.run_row(&run).row).unwrap().is_empty(), "it was handed over");
    // An application may say so itself; that is nothing new.
    let before = seq(&world);
    world.report(owner, &run, Report::Unblocked).unwrap();
    assert_eq!(seq(&world), before);
    world.report(owner, &run, finished()).unwrap();
    assert!(is_gone(world.respond(owner, &run, asked, chosen("no"))));
    world.audit_all();
}

#[test]
fn what_was_not_offered_is_no_answer() {
    let (mut world, owner, run) = blocked(permission("1"), json!({}));
    let asked = permission("1").asked();
    let text = Choice::Text { text: "go ahead".to_owned() };
    for choice in [chosen("perhaps"), text.clone()] {
        let refusal = world.respond(owner, &run, asked.clone(), choice).unwrap_err();
        assert!(refusal.to_string().contains("always, yes, never, no"), "{refusal}");
        assert!(matches!(refusal, Refusal::InvalidParams(_)));
    }
    assert!(is_gone(world.respond(owner, &run, permission("2").asked(), chosen("yes"))));
    assert!(is_gone(world.respond(owner, &run, question("2").asked(), text.clone())));
    let misnamed = world.respond(owner, &run, question("1").asked(), text.clone());
    let Err(Refusal::InvalidParams(faults)) = misnamed else { panic!("{misnamed:?}") };
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["callID", "requestID", "optionID"]);
    assert_eq!(told(&world, &run), "manual awaiting_input", "it goes on waiting");
    world.respond(owner, &run, asked, chosen("no")).unwrap();
    world.report(owner, &run, Report::Blocked(question("q"))).unwrap();
    let asked = question("q").asked();
    assert!(matches!(
        world.respond(owner, &run, asked.clone(), chosen("yes")),
        Err(Refusal::InvalidParams(_))
    ));
    world.respond(owner, &run, asked, text).unwrap();
    world.audit_all();
}

#[test]
fn the_same_need_again_is_no_news_and_another_one_is_refused() {
    let (mut world, owner, run) = blocked(permission("1"), json!({}));
    let before = seq(&world);
    world.report(owner, &run, Report::Blocked(permission("1"))).unwrap();
    assert_eq!(seq(&world), before);
    let refusal = world.report(owner, &run, Report::Blocked(permission("2"))).unwrap_err();
    assert!(refusal.to_string().contains("unblocked"), "{refusal}");
    world.report(owner, &run, Report::Unblocked).unwrap();
    assert_eq!(told(&world, &run), "manual running");
    world.report(owner, &run, Report::Blocked(permission("2"))).unwrap();
    assert_eq!(told(&world, &run), "manual awaiting_input");
    world.report(owner, &run, finished()).unwrap();
    assert_eq!(told(&world, &run), "manual succeeded", "it needs nobody any more");
    world.audit_all();
}

#[test]
fn nobody_answers_in_time_and_the_work_is_told_no() {
    let (mut world, owner, run) =
        blocked(permission("1"), json!({"blockerMs": {"attended": HOUR, "unattended": MINUTE}}));
    world.window_mut(owner).app.manners = Manners::Stubborn;
    world.run_for(HOUR - 1);
    assert_eq!(told(&world, &run), "manual awaiting_input");
    world.run_for(1);
    assert_eq!(told(&world, &run), "manual awaiting_input expired");
    let work = &world.window(owner).app.work[&run];
    assert_eq!(work.reason, Some(Wish::Stop(StopReason::Expired)));
    assert_eq!(work.answers.iter().map(|it| it.choice.clone()).collect::<Vec<_>>(), [chosen("no")]);
    assert!(is_gone(world.respond(owner, &run, permission("1").asked(), chosen("yes"))));
    // It may still say that it needs nobody, and it ends as what it was.
    world.report(owner, &run, Report::Unblocked).unwrap();
    world.report(owner, &run, failed(ErrorCode::ExecutionFailed)).unwrap();
    assert_eq!(told(&world, &run), "manual stopped expired");
    assert!(!world.run_row(&run).holds_directory, "the directory is free");
    world.audit_all();
}

#[test]
fn a_window_that_hung_while_nobody_answered_is_told_no_when_it_goes_on() {
    for goes_on in [true, false] {
        let (mut world, owner) = World::with_owner();
        let other = world.open();
        world.serve(other, 1);
        let spans = json!({"blockerMs": {"attended": MINUTE, "unattended": MINUTE}});
        let draft = with(policy(prompt(every(60)), spans), json!({"paused": true}));
        let id = world.create(owner, draft);
        let run = world.run(owner, &id);
        world.settle();
        world.window_mut(other).app.manners = Manners::Stubborn;
        world.report(other, &run, Report::Blocked(permission("1"))).unwrap();
        world.window_mut(other).hangs = true;
        // Whoever stands by looks a little later than the window itself would.
        world.run_for(2 * MINUTE);
        assert_eq!(told(&world, &run), "manual stopped expired");
        let row = world.run_row(&run).row;
        assert_eq!(world.view().answers_to(row).unwrap().len(), 1, "it was not handed over");
        if goes_on {
            world.window_mut(other).hangs = false;
            world.settle();
            let work = &world.window(other).app.work[&run];
            assert_eq!(work.reason, Some(Wish::Stop(StopReason::Expired)));
            assert_eq!(work.answers.iter().map(|it| it.choice.clone()).collect::<Vec<_>>(), [chosen("no")]);
        } else {
            world.die(other);
            world.settle_dead_peers(owner).unwrap();
        }
        assert_eq!(world.view().answers_to(row).unwrap(), []);
        world.audit_all();
    }
}

#[test]
fn nobody_is_told_no_for_good_because_no_person_has_answered() {
    let mut need = permission("1");
    if let Need::Permission { options, .. } = &mut need {
        options.retain(|option| option.kind != PermissionKind::RejectOnce);
    }
    for need in [need, question("1")] {
        let spans = json!({"blockerMs": {"attended": MINUTE, "unattended": MINUTE}});
        let (mut world, owner, run) = blocked(need, spans);
        world.window_mut(owner).app.manners = Manners::Stubborn;
        world.run_for(MINUTE);
        assert_eq!(told(&world, &run), "manual awaiting_input expired");
        assert_eq!(world.window(owner).app.work[&run].answers, []);
        world.audit_all();
    }
}

#[test]
fn what_was_answered_is_not_asked_again() {
    let (mut world, owner, run) = blocked(permission("1"), json!({}));
    world.respond(owner, &run, permission("1").asked(), chosen("yes")).unwrap();
    let before = seq(&world);
    let refusal = world.report(owner, &run, Report::Blocked(permission("1"))).unwrap_err();
    assert!(refusal.to_string().contains("answered"), "{refusal}");
    assert_eq!((told(&world, &run).as_str(), seq(&world)), ("manual running", before));
    // A call is no request, and what was withdrawn was not answered.
    world.report(owner, &run, Report::Blocked(question("1"))).unwrap();
    world.report(owner, &run, Report::Unblocked).unwrap();
    world.report(owner, &run, Report::Blocked(question("1"))).unwrap();
    assert_eq!(told(&world, &run), "manual awaiting_input");
    world.audit_all();
}

#[test]
fn an_answer_at_the_last_moment_counts_and_one_after_it_does_not() {
    for (ms, in_time) in [(HOUR - 1, true), (HOUR, false)] {
        let (mut world, owner, run) =
            blocked(question("1"), json!({"blockerMs": {"attended": HOUR, "unattended": MINUTE}}));
        // Nobody has looked at the clock when it comes.
        world.now = world.now.plus_ms(ms);
        let answered = world.respond(owner, &run, question("1").asked(), chosen("blue"));
        assert_eq!((answered.is_ok(), is_gone(answered)), (in_time, !in_time));
        world.settle();
        let expected = if in_time { "manual running" } else { "manual stopped expired" };
        assert_eq!(told(&world, &run), expected);
        world.audit_all();
    }
}

#[test]
fn a_timer_asks_for_a_shorter_time_than_a_person() {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 1);
    let spans = json!({"blockerMs": {"attended": HOUR, "unattended": 10 * SECOND}});
    let id = world.create(owner, policy(prompt(every(60)), spans));
    world.run_for(MINUTE);
    let run = world.last_run(&id).id;
    world.report(owner, &run, Report::Blocked(question("1"))).unwrap();
    world.run_for(10 * SECOND - 1);
    assert_eq!(words(&world.last_run(&id)), "schedule awaiting_input slots 60..60 x1");
    world.run_for(1);
    assert_eq!(words(&world.last_run(&id)), "schedule stopped expired slots 60..60 x1");
    world.audit_all();
}

#[test]
fn its_own_time_stands_still_while_a_run_waits_for_a_person() {
    let limits = json!({"wallMs": 10 * MINUTE, "idleMs": 4 * MINUTE});
    let (mut world, owner, run) = at_work(limits);
    world.run_for(3 * MINUTE);
    world.report(owner, &run, Report::Blocked(question("1"))).unwrap();
    world.run_for(5 * HOUR);
    assert_eq!(told(&world, &run), "manual awaiting_input");
    world.respond(owner, &run, question("1").asked(), chosen("blue")).unwrap();
    for minutes in [3, 3] {
        world.run_for(minutes * MINUTE);
        world.report(owner, &run, step("write")).unwrap();
    }
    assert_eq!(told(&world, &run), "manual running");
    world.window_mut(owner).app.manners = Manners::Stubborn;
    world.run_for(MINUTE - 1);
    assert_eq!(told(&world, &run), "manual running");
    world.run_for(1);
    assert_eq!(told(&world, &run), "manual running timed_out", "it has worked for ten minutes");
    world.report(owner, &run, failed(ErrorCode::ExecutionFailed)).unwrap();
    let Phase::Failed { error, .. } = world.run_row(&run).run.phase else { panic!() };
    assert!(error.message.contains("wallMs"), "{}", error.message);
    world.audit_all();
}

#[test]
fn silence_after_an_answer_counts_from_the_answer() {
    let (mut world, owner, run) = at_work(json!({"idleMs": 4 * MINUTE}));
    world.report(owner, &run, Report::Blocked(question("1"))).unwrap();
    world.run_for(HOUR);
    world.respond(owner, &run, question("1").asked(), chosen("blue")).unwrap();
    world.run_for(4 * MINUTE - 1);
    assert_eq!(told(&world, &run), "manual running");
    world.run_for(1);
    assert_eq!(told(&world, &run), "manual failed timed_out");
    world.audit_all();
}

#[test]
fn where_nobody_is_to_be_asked_a_need_ends_the_run() {
    let (mut world, owner, run) = at_work(json!({"permissions": "deny"}));
    world.report(owner, &run, Report::Blocked(permission("1"))).unwrap();
    assert_eq!(told(&world, &run), "manual running needs_user_input", "no blocker is shown");
    world.settle();
    let Phase::Failed { error, .. } = world.run_row(&run).run.phase else { panic!() };
    assert_eq!((error.code, error.class), (ErrorCode::NeedsUserInput, ErrorClass::Permission));
    world.audit_all();
}

#[test]
fn a_run_that_is_to_end_asks_nobody_and_is_answered_by_nobody() {
    let (mut world, owner, run) = blocked(permission("1"), json!({}));
    world.window_mut(owner).app.manners = Manners::Stubborn;
    world.cancel(owner, &run).unwrap();
    assert_eq!(told(&world, &run), "manual awaiting_input cancelled");
    assert!(world.run_row(&run).run.blocker().is_some(), "what it waited for is still shown");
    assert!(is_gone(world.respond(owner, &run, permission("1").asked(), chosen("yes"))));
    world.report(owner, &run, finished()).unwrap();
    assert_eq!(told(&world, &run), "manual stopped cancelled");
    let (mut world, owner, run) = at_work(json!({}));
    world.window_mut(owner).app.manners = Manners::Stubborn;
    world.cancel(owner, &run).unwrap();
    let refusal = world.report(owner, &run, Report::Blocked(permission("1"))).unwrap_err();
    assert!(refusal.to_string().contains("nobody is asked"), "{refusal}");
    world.audit_all();
}

#[test]
fn slots_that_are_due_while_a_run_waits_for_a_person_are_told_apart() {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 1);
    let id = world.create(owner, prompt(every(60)));
    world.run_for(2 * MINUTE);
    let run = world.last_run(&id).id;
    assert_eq!(told(&world, &run), "schedule running slots 60..60 x1 skipped 120..120 x1");
    world.report(owner, &run, Report::Blocked(question("1"))).unwrap();
    world.run_for(2 * MINUTE);
    let expected = [
        "schedule awaiting_input slots 60..60 x1 skipped 180..240 x2",
        "schedule stopped previous_run_active slots 120..120 x1",
    ];
    assert_eq!(world.story(&id), expected);
    world.report(owner, &run, finished()).unwrap();
    let expected = [
        "schedule succeeded slots 60..60 x1",
        "schedule stopped previous_run_active slots 120..120 x1",
        "schedule stopped previous_run_awaiting_input slots 180..240 x2",
    ];
    assert_eq!(world.story(&id), expected);
    world.audit_all();
}

#[test]
fn what_a_window_that_died_asked_is_lost() {
    let (mut world, owner, run) = blocked(permission("1"), json!({}));
    let other = world.open();
    world.respond(other, &run, permission("1").asked(), chosen("yes")).unwrap();
    world.report(owner, &run, Report::Blocked(permission("2"))).unwrap();
    world.die(owner);
    world.settle_dead_peers(other).unwrap();
    assert_eq!(told(&world, &run), "manual stopped blocker_lost");
    assert!(is_gone(world.respond(other, &run, permission("2").asked(), chosen("yes"))));
    assert!(world.view().answers_to(world.run_row(&run).row).unwrap().is_empty());
    world.audit_all();
}
