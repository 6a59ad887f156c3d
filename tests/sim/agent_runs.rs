//! Runs that agents carry out: which window has them, how they end, and what happens when a window or an agent is lost.

use serde_json::json;
use sexton::domain::id::RunId;
use sexton::domain::provider::Report;
use sexton::domain::run::ErrorClass;
use sexton::domain::run::machine::ErrorCode;
use sexton::engine::agent::Heard;
use sexton::engine::report::Fence;

use crate::app::{AGENT, Manners, chosen, question, started, step};
use crate::closer::{by_hand, said};
use crate::drafts::{prompt, with};
use crate::looking::failure;
use crate::turns::{done, gave_up, gone};
use crate::window::{Moved, Stage, Told, guard_lost};
use crate::world::{Who, World};

const SECOND: i64 = 1000;

/// A prompt that only reads is asked of this window.
fn ask(world: &mut World, who: Who) -> RunId {
    by_hand(world, who, with(prompt(json!({})), json!({"access": "read"}))).1
}

/// A prompt that writes is asked of this window.
fn ask_to_write(world: &mut World, who: Who) -> RunId {
    by_hand(world, who, prompt(json!({}))).1
}

/// An owner without an agent, and so many windows that have one.
fn world_of(windows: usize) -> (World, Who, Vec<Who>) {
    let mut world = World::new();
    world.limits.shared.max_agents = 2;
    let owner = world.open();
    let others: Vec<Who> = (0..windows).map(|_| world.open()).collect();
    others.iter().for_each(|who| world.has_agents(*who, &[AGENT]));
    (world, owner, others)
}

/// What an agent has come to so far.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Starting,
    Working,
    Asking,
}

/// A run whose agent has come so far, in a window that does not own the bell.
fn in_phase(phase: Phase) -> (World, Who, Who, RunId) {
    let (mut world, owner, others) = world_of(1);
    let with_agent = others[0];
    if phase == Phase::Starting {
        world.window_mut(with_agent).agents = Manners::Silent;
    }
    let run = ask_to_write(&mut world, owner);
    world.settle();
    if phase == Phase::Asking {
        world.say(with_agent, &run, Report::Blocked(question("1"))).unwrap();
    }
    let expected = match phase {
        Phase::Starting => "manual scheduled",
        Phase::Working => "manual running",
        Phase::Asking => "manual awaiting_input",
    };
    assert_eq!((said(&world, &run).as_str(), world.spawn_log.len()), (expected, 1));
    (world, owner, with_agent, run)
}

const PHASES: [Phase; 3] = [Phase::Starting, Phase::Working, Phase::Asking];

#[test]
fn a_run_is_given_to_a_window_that_has_the_agent_and_first_to_the_one_that_was_asked() {
    let (mut world, owner, others) = world_of(2);
    let of_the_owner = ask(&mut world, owner);
    world.settle();
    assert_eq!(world.carrier_of(&of_the_owner), Some(others[0]));
    world.finish(&of_the_owner, done("done"));
    assert_eq!(said(&world, &of_the_owner), "manual succeeded");
    for who in others {
        let its_own = ask(&mut world, who);
        world.settle();
        assert_eq!(world.carrier_of(&its_own), Some(who));
        world.finish(&its_own, done("done"));
    }
    assert_eq!(world.spawn_log.len(), 3);
    world.audit_all();
}

#[test]
fn what_a_dead_window_had_not_begun_is_carried_out_where_else_there_is_the_agent() {
    for (windows, expected) in [(2, "manual running"), (1, "manual failed provider_unavailable")] {
        let (mut world, owner, others) = world_of(windows);
        let run = ask(&mut world, others[0]);
        world.act(others[0]);
        assert_eq!(world.carry(others[0], &run), Moved::Yes);
        world.die(others[0]);
        world.settle_dead_peers(owner).unwrap();
        world.settle();
        assert_eq!(said(&world, &run), expected);
        assert_eq!(world.spawn_log.len(), windows - 1);
        world.audit_all();
    }
}

#[test]
fn what_a_dead_window_had_begun_is_told_to_have_been_lost_and_goes_nowhere_else() {
    for (phase, expected) in PHASES.into_iter().zip([
        "manual stopped interrupted",
        "manual stopped interrupted",
        "manual stopped blocker_lost",
    ]) {
        let (mut world, owner, with_agent, run) = in_phase(phase);
        world.has_agents(owner, &[AGENT]);
        world.die(with_agent);
        world.settle_dead_peers(owner).unwrap();
        world.settle();
        assert_eq!(said(&world, &run), expected, "{phase:?}");
        assert!(world.work.is_empty() && !world.run_row(&run).holds_directory, "nothing is left of it");
        assert_eq!(world.spawn_log.len(), 1);
        world.audit_all();
    }
}

#[test]
fn an_agent_that_is_lost_has_not_started_or_has_crashed() {
    let ends = [
        (gone("it has gone"), [ErrorCode::StartFailed, ErrorCode::Crashed, ErrorCode::Crashed]),
        (guard_lost(), [ErrorCode::Crashed; 3]),
    ];
    for (end, expected) in ends {
        for (phase, expected) in PHASES.into_iter().zip(expected) {
            let (mut world, _, _, run) = in_phase(phase);
            world.finish(&run, end.clone());
            assert_eq!(failure(&world, &run).code, expected, "{phase:?}");
            world.audit_all();
        }
    }
}

#[test]
fn an_agent_may_fail_in_any_way_and_what_does_not_fit_is_a_failure_to_start_or_of_the_work() {
    for phase in PHASES {
        for code in ErrorCode::ALL {
            let (mut world, _, _, run) = in_phase(phase);
            world.finish(&run, gave_up(code, ErrorClass::Quota));
            let before = matches!(
                code,
                ErrorCode::StartFailed
                    | ErrorCode::ProviderUnavailable
                    | ErrorCode::TimedOut
                    | ErrorCode::Crashed
            );
            let after = !matches!(code, ErrorCode::StartFailed | ErrorCode::ProviderUnavailable);
            let expected = match phase {
                Phase::Starting if before => code,
                Phase::Starting => ErrorCode::StartFailed,
                Phase::Working | Phase::Asking if after => code,
                Phase::Working | Phase::Asking => ErrorCode::ExecutionFailed,
            };
            let error = failure(&world, &run);
            assert_eq!((error.code, error.class), (expected, ErrorClass::Quota), "{phase:?} {code:?}");
            assert_eq!(error.message, "it said so");
            world.audit_all();
        }
    }
}

#[test]
fn an_agent_that_says_it_is_done_has_succeeded_if_it_had_begun() {
    for phase in PHASES {
        let (mut world, _, _, run) = in_phase(phase);
        world.finish(&run, done("all is well"));
        match phase {
            Phase::Starting => assert_eq!(failure(&world, &run).code, ErrorCode::StartFailed),
            Phase::Working | Phase::Asking => {
                let ended = serde_json::to_value(world.run_row(&run).run).unwrap();
                assert_eq!(
                    (&ended["state"], &ended["result"]["text"]),
                    (&json!("succeeded"), &json!("all is well"))
                );
                assert_eq!(ended["blocker"], json!(null));
            }
        }
        world.audit_all();
    }
}

#[test]
fn what_leaves_the_configuration_goes_on_asks_is_answered_and_ends() {
    let (mut world, owner, with_agent, run) = in_phase(Phase::Working);
    world.configure(with_agent, &[]);
    world.settle();
    world.say(with_agent, &run, Report::Blocked(question("1"))).unwrap();
    world.respond(owner, &run, question("1").asked(), chosen("blue")).unwrap();
    world.settle();
    let heard: Vec<_> = world.turn(&run).answers.iter().map(|answer| answer.choice.clone()).collect();
    assert_eq!(heard, [chosen("blue")]);
    // Serving the same provider is another matter, which what was begun has no part in.
    world.serve(with_agent, 1);
    world.settle();
    assert_eq!(world.say(with_agent, &run, step("write")).unwrap(), Heard::InTime);
    world.finish(&run, done("done"));
    assert_eq!(said(&world, &run), "manual succeeded");
    world.audit_all();
}

#[test]
fn nothing_begins_that_was_given_for_an_agent_which_has_left_the_configuration() {
    for stage in [Stage::Preparing, Stage::Ready] {
        let (mut world, _, others) = world_of(2);
        let run = ask(&mut world, others[0]);
        world.act(others[0]);
        while world.window(others[0]).carried[&run].stage != stage {
            assert_eq!(world.carry(others[0], &run), Moved::Yes);
        }
        world.configure(others[0], &[AGENT, "other"]);
        assert_eq!(world.run_row(&run).given_to.as_ref(), Some(&world.window(others[0]).actor.instance));
        world.configure(others[0], &["other"]);
        if stage == Stage::Ready {
            assert_eq!(world.begin(others[0], &run).unwrap(), Fence::Withdrawn);
        }
        world.settle();
        assert_eq!(world.carrier_of(&run), Some(others[1]), "{stage:?}");
        assert_eq!((said(&world, &run).as_str(), world.spawn_log.len()), ("manual running", 1));
        world.finish(&run, done("done"));
        assert_eq!(world.carrier_of(&run), None);
        world.audit_all();
    }
}

#[test]
fn an_answer_is_heard_once_however_often_it_is_handed_over() {
    let (mut world, owner, with_agent, run) = in_phase(Phase::Asking);
    world.respond(owner, &run, question("1").asked(), chosen("blue")).unwrap();
    let row = world.run_row(&run).row;
    for (fails, left) in [(true, 1), (true, 1), (false, 0)] {
        world.next_commit_fails = fails;
        world.act(with_agent);
        assert_eq!(world.view().answers_to(row).unwrap().len(), left);
    }
    assert_eq!(world.turn(&run).answers.len(), 1);
    world.finish(&run, done("done"));
    assert_eq!(said(&world, &run), "manual succeeded");
    world.audit_all();
}

#[test]
fn a_report_of_what_has_ended_or_is_somebody_elses_changes_nothing() {
    let (mut world, owner, with_agent, run) = in_phase(Phase::Working);
    let everything = || {
        let reports = [started("s2"), step("write"), Report::Unblocked, Report::Blocked(question("1"))];
        reports.into_iter()
    };
    let seq = |world: &World| world.view().newest_seq().unwrap();
    for report in everything() {
        let before = seq(&world);
        assert_eq!(world.say(owner, &run, report).unwrap(), Heard::TooLate);
        assert_eq!(seq(&world), before);
    }
    world.window_mut(with_agent).hangs = true;
    world.cancel(owner, &run).unwrap();
    world.run_for(10 * SECOND);
    assert_eq!(said(&world, &run), "manual stopped cancelled", "somebody else has ended it");
    let before = seq(&world);
    for report in everything() {
        assert_eq!(world.say(with_agent, &run, report).unwrap(), Heard::TooLate);
    }
    world.report_ended(with_agent, &run, done("done")).unwrap();
    assert_eq!((said(&world, &run).as_str(), seq(&world)), ("manual stopped cancelled", before));
    world.window_mut(with_agent).hangs = false;
    world.settle();
    assert!(world.window(with_agent).carried.is_empty());
    world.audit_all();
}

#[test]
fn who_hangs_before_its_agent_has_begun_is_not_waited_for() {
    let (mut world, owner, others) = world_of(2);
    let run = ask(&mut world, others[0]);
    world.act(others[0]);
    world.window_mut(others[0]).hangs = true;
    world.run_for(3 * SECOND);
    assert_eq!(world.carrier_of(&run), Some(others[0]), "it does not know yet");
    assert_eq!(said(&world, &run), "manual running");
    assert!(world.window(others[1]).carried.contains_key(&run));
    world.window_mut(others[0]).hangs = false;
    world.settle();
    assert_eq!((world.carrier_of(&run), world.spawn_log.len()), (Some(others[1]), 1));
    world.cancel(owner, &run).unwrap();
    world.settle();
    assert_eq!(said(&world, &run), "manual stopped cancelled");
    world.audit_all();
}

#[test]
fn a_cancel_ends_an_agent_wherever_it_is() {
    for phase in PHASES {
        let (mut world, owner, with_agent, run) = in_phase(phase);
        world.cancel(owner, &run).unwrap();
        assert_eq!(world.window(with_agent).carried[&run].told, Told::Nothing);
        world.window_mut(with_agent).agents = Manners::Prompt;
        world.settle();
        assert_eq!(said(&world, &run), "manual stopped cancelled", "{phase:?}");
        assert!(world.work.is_empty());
        world.audit_all();
    }
}
