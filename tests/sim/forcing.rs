//! Closes that wait for nothing, or for nothing after them: by force, and when a window goes.

use std::slice;

use serde_json::json;
use sexton::domain::id::RunId;
use sexton::domain::lifecycle::CloseKind::{self, Dispose, Reload, Shutdown};
use sexton::domain::lifecycle::CloseMode::{Force, Maintenance};
use sexton::domain::lifecycle::{CloseRequest, Extent};
use sexton::domain::refusal::Refusal;
use sexton::engine::{close, presence};

use crate::closer::{PROJECT, at_work, by_hand, close, said, status, told};
use crate::window::{Moved, exited};
use crate::world::{Who, World};

const WORKTREE: &str = "/worktree";

#[test]
fn a_forced_close_stops_what_it_finds_and_the_runs_say_so() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner);
    let (_, cancelled) = by_hand(&mut world, owner, json!({"access": "read"}));
    world.settle();
    world.cancel(owner, &cancelled).unwrap();
    let accepted = close(&mut world, owner, Reload, Force);
    assert_eq!(accepted.waiting_for.runs, [run.clone(), cancelled.clone()]);
    let stopping = world.run_row(&cancelled).run.stopping().cloned().unwrap();
    assert!(stopping.now, "it is not waited for any longer");
    assert_eq!(stopping.closed_by, None, "somebody else has asked for its end");
    assert_eq!(told(&world), Vec::<String>::new());
    world.settle();
    let ended = |run: &RunId| world.run_row(run).run.ended().unwrap().closed_by.clone();
    assert_eq!((said(&world, &run), ended(&run)), ("manual stopped shutdown".to_owned(), Some(accepted.id)));
    assert_eq!((said(&world, &cancelled), ended(&cancelled)), ("manual stopped cancelled".to_owned(), None));
    assert_eq!(told(&world), ["completed reload force"]);
    world.audit_all();
}

#[test]
fn a_forced_close_overtakes_what_waits_in_its_extent_and_all_complete_together() {
    let (mut world, owner) = World::with_owner();
    world.directory = WORKTREE;
    let run = at_work(&mut world, owner);
    world.directory = "/project";
    let hold = world.try_hold(owner, "/project").unwrap();
    let held = world.try_close(owner, Dispose, Maintenance, &["/project"]).unwrap();
    assert_eq!((held.waiting_for.runs, held.waiting_for.holds), (vec![], vec![hold]));
    let at_work = world.try_close(owner, Dispose, Maintenance, &[WORKTREE]).unwrap();
    assert_eq!(at_work.waiting_for.runs, slice::from_ref(&run));
    let part = world.try_close(owner, Reload, Force, &["/project"]).unwrap();
    assert!(part.is_ready());
    world.carry_out_closes(owner).unwrap();
    assert_eq!(told(&world), ["completed dispose maintenance", "completed reload force"]);
    world.try_hold(owner, "/project").unwrap();
    world.try_close(owner, Dispose, Maintenance, &["/project"]).unwrap();
    let forced = close(&mut world, owner, Reload, Force);
    assert_eq!(forced.affected_directory_keys, ["/project", WORKTREE]);
    assert_eq!(forced.waiting_for.runs, slice::from_ref(&run));
    let waiting_for = status(&world, owner).pending.into_iter().map(|close| close.waiting_for.runs);
    assert_eq!(waiting_for.collect::<Vec<_>>(), [[run.clone()], [run.clone()], [run]], "for the same");
    world.settle();
    let all = ["completed dispose maintenance", "completed dispose maintenance", "completed reload force"];
    assert_eq!(told(&world)[2..], all);
    let left = world.view().closes_of(&world.window(owner).actor.instance).unwrap();
    assert_eq!(left, [], "what it reloads is open again");
    world.audit_all();
}

#[test]
fn a_window_that_goes_is_closed_by_force_once_whatever_it_waited_for() {
    for waits_first in [false, true] {
        let (mut world, owner) = World::with_owner();
        let run = at_work(&mut world, owner);
        if waits_first {
            close(&mut world, owner, Shutdown, Maintenance);
        }
        world.prepare_to_leave(owner).unwrap();
        assert_eq!(told(&world), Vec::<String>::new(), "it has work in hand");
        world.carry(owner, &run);
        world.carry(owner, &run);
        world.leave(owner).unwrap();
        let closed_by = world.run_row(&run).run.ended().unwrap().closed_by.clone();
        assert!(closed_by.is_some());
        let forced = "completed shutdown force".to_owned();
        let waited = "completed shutdown maintenance".to_owned();
        let expected = if waits_first { vec![waited, forced] } else { vec![forced] };
        assert_eq!(told(&world), expected);
        world.audit_all();
    }
}

#[test]
fn a_window_that_has_shut_down_is_told_of_once_and_gets_nothing_while_it_is_still_there() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner);
    close(&mut world, owner, Shutdown, Maintenance);
    world.finish(&run, exited(0));
    assert_eq!(told(&world), ["completed shutdown maintenance"]);
    let (_, next) = by_hand(&mut world, owner, json!({}));
    assert_eq!(said(&world, &next), "manual scheduled close");
    world.prepare_to_leave(owner).unwrap();
    world.leave(owner).unwrap();
    assert_eq!(told(&world), ["completed shutdown maintenance"]);
    world.open();
    world.settle();
    assert_eq!(said(&world, &next), "manual running");
    world.audit_all();
}

#[test]
fn more_disposals_than_anybody_needs_are_refused_but_not_what_they_end_by() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner);
    for _ in 0..close::CLOSES {
        world.try_close(owner, Dispose, Maintenance, &["/project"]).unwrap();
    }
    let refused = world.try_close(owner, Dispose, Force, &[WORKTREE]);
    assert!(matches!(refused, Err(Refusal::Overloaded(_))));
    world.try_close(owner, Reload, Maintenance, &["/project"]).unwrap();
    for kind in [Reload, Dispose, Shutdown] {
        close(&mut world, owner, kind, Maintenance);
    }
    world.finish(&run, exited(0));
    assert_eq!(told(&world).len(), close::CLOSES + 4);
    world.audit_all();
}

#[test]
fn nothing_is_closed_after_a_shutdown_but_force_hurries_it() {
    let (mut world, owner) = World::with_owner();
    at_work(&mut world, owner);
    let accepted = close(&mut world, owner, Shutdown, Maintenance);
    for (kind, directories) in
        [(Reload, PROJECT), (Dispose, PROJECT), (Reload, &[WORKTREE]), (Dispose, &[WORKTREE])]
    {
        let refused = world.try_close(owner, kind, Force, directories).unwrap_err();
        assert!(matches!(refused, Refusal::Closing { action } if action == accepted.id), "{kind:?}");
    }
    close(&mut world, owner, Shutdown, Force);
    world.settle();
    assert_eq!(told(&world), ["completed shutdown maintenance", "completed shutdown force"]);
    world.audit_all();
}

#[test]
fn closes_of_a_window_that_dies_or_goes_are_told_to_have_ended() {
    for (shut_down, ends) in [
        (false, ["failed reload maintenance", "failed dispose maintenance"].as_slice()),
        (true, &["failed reload maintenance", "completed dispose maintenance", "completed shutdown force"]),
    ] {
        let (mut world, owner) = World::with_owner();
        at_work(&mut world, owner);
        close(&mut world, owner, Reload, Maintenance);
        close(&mut world, owner, Dispose, Maintenance);
        if shut_down {
            world.prepare_to_leave(owner).unwrap();
            // What it has in hand has not ended, so its row stays.
            world.decide(owner, presence::leave).unwrap();
        }
        world.die(owner);
        assert_eq!(told(&world), Vec::<String>::new());
        world.open();
        assert_eq!(told(&world), ends);
        world.audit_all();
    }
}

/// Which closes that wait are refused because of one that was accepted.
fn refused_after(world: &mut World, who: Who) -> Vec<CloseKind> {
    let refuses = |kind: &CloseKind| match world.decide(who, |tx, context| {
        let extent = Extent::Project;
        let mode = Maintenance;
        let done = close::close(tx, context, CloseRequest { kind: *kind, mode, extent });
        // It is only tried: nothing of it stays.
        done.and(Err::<(), Refusal>(Refusal::Cancelled))
    }) {
        Err(Refusal::Closing { .. }) => true,
        Err(Refusal::Cancelled) => false,
        other => panic!("{other:?}"),
    };
    [Reload, Dispose, Shutdown].into_iter().filter(refuses).collect()
}

#[test]
fn who_gives_up_the_project_begins_nothing_more_there() {
    let cases = [
        (Reload, vec![], vec![]),
        (Dispose, vec![Reload, Dispose], vec![Dispose]),
        (Shutdown, vec![Reload, Dispose, Shutdown], vec![Reload, Dispose, Shutdown]),
    ];
    for (kind, while_it_waits, afterwards) in cases {
        let (mut world, owner) = World::with_owner();
        let run = at_work(&mut world, owner);
        let accepted = close(&mut world, owner, kind, Maintenance);
        assert_eq!(refused_after(&mut world, owner), while_it_waits, "while {kind:?} waits");
        if kind != Reload {
            let refused = world.try_hold(owner, WORKTREE).unwrap_err();
            assert!(matches!(refused, Refusal::Closing { action } if action == accepted.id));
        }
        world.finish(&run, exited(0));
        assert_eq!(refused_after(&mut world, owner), afterwards, "after {kind:?}");
        assert_eq!(world.try_hold(owner, WORKTREE).is_err(), kind != Reload);
        world.audit_all();
    }
}

#[test]
fn a_window_that_has_gone_leaves_nothing_that_others_would_wait_for() {
    let (mut world, owner) = World::with_owner();
    let hold = world.try_hold(owner, "/project").unwrap();
    world.prepare_to_leave(owner).unwrap();
    let refused = world.try_hold(owner, WORKTREE).unwrap_err();
    assert!(matches!(refused, Refusal::Closing { .. }), "while it goes: {refused}");
    world.decide(owner, presence::leave).unwrap();
    let late = [
        world.try_hold(owner, "/project").unwrap_err(),
        world.try_close(owner, Dispose, Force, PROJECT).unwrap_err(),
    ];
    assert!(late.iter().all(|refusal| matches!(refusal, Refusal::InvalidRequest(_))), "{late:?}");
    world.release(owner, &hold).unwrap();
    for left in ["SELECT id FROM holds", "SELECT id FROM closes"] {
        assert!(!world.connection().prepare(left).unwrap().exists([]).unwrap(), "{left}");
    }
    world.audit_all();
}

#[test]
fn a_window_that_goes_has_shut_down_once_and_waits_for_nothing() {
    // What there was of a shutdown before, whether a run was at work, and what is told in the end.
    for (before, works, in_the_end) in [
        (None, true, vec!["completed shutdown force"]),
        (Some(Maintenance), false, vec!["completed shutdown maintenance"]),
        (Some(Maintenance), true, vec!["completed shutdown maintenance", "completed shutdown force"]),
        (Some(Force), true, vec!["completed shutdown force"]),
    ] {
        let (mut world, owner) = World::with_owner();
        let run = works.then(|| at_work(&mut world, owner));
        if let Some(mode) = before {
            close(&mut world, owner, Shutdown, mode);
        }
        if !works {
            world.settle();
        }
        world.prepare_to_leave(owner).unwrap();
        if let Some(run) = run {
            assert!(world.run_row(&run).run.stopping().is_some(), "it is not waited for: {before:?}");
            while world.carry(owner, &run) == Moved::Yes {}
        }
        world.leave(owner).unwrap();
        assert_eq!(told(&world), in_the_end, "{before:?}");
        world.audit_all();
    }
}

#[test]
fn a_forced_close_of_a_directory_stops_nothing_elsewhere() {
    let (mut world, owner) = World::with_owner();
    let elsewhere = at_work(&mut world, owner);
    world.directory = WORKTREE;
    let run = at_work(&mut world, owner);
    world.try_close(owner, Dispose, Force, &[WORKTREE]).unwrap();
    world.settle();
    assert_eq!(said(&world, &run), "manual stopped shutdown");
    assert_eq!(said(&world, &elsewhere), "manual running");
    world.audit_all();
}
