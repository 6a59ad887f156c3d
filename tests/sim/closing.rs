//! Windows let go of a project or of directories, for a moment or for good, and wait for what they have begun.

use std::slice;

use serde_json::json;
use sexton::domain::lifecycle::CloseKind::{Dispose, Reload, Shutdown};
use sexton::domain::lifecycle::CloseMode::{Force, Maintenance};
use sexton::domain::lifecycle::Extent;
use sexton::domain::refusal::Refusal;
use sexton::domain::scheduler::Role;
use sexton::engine::close;
use sexton::engine::report::Fence;

use crate::closer::{at_work, by_hand, close, given_to, role, said, status, told};
use crate::drafts::every;
use crate::window::{Moved, exited};
use crate::world::World;

const MINUTE: i64 = 60_000;
const HALF_AN_HOUR: i64 = 30 * MINUTE;
const WORKTREE: &str = "/worktree";

#[test]
fn a_close_with_nothing_in_its_way_happens_at_once_and_is_told_once() {
    for kind in [Reload, Dispose, Shutdown] {
        for mode in [Maintenance, Force] {
            let (mut world, owner) = World::with_owner();
            let accepted = close(&mut world, owner, kind, mode);
            assert!(accepted.is_ready());
            assert_eq!(accepted.affected_directory_keys, ["/project"]);
            assert_eq!(told(&world), Vec::<String>::new(), "it has not happened before somebody did it");
            world.carry_out_closes(owner).unwrap();
            assert_eq!(told(&world).len(), 1);
            let again = world.decide(owner, |tx, context| close::complete(tx, context, &accepted.id, Ok(())));
            assert_eq!(again.unwrap(), None);
            assert!(world.ready(owner).is_empty());
            world.audit_all();
        }
    }
}

#[test]
fn what_has_begun_is_waited_for_and_what_has_not_goes_elsewhere() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner);
    let (_, read) = by_hand(&mut world, owner, json!({"access": "read"}));
    assert_eq!(given_to(&world, &read).as_deref(), Some("ins_window0"));
    let other = world.open();
    let accepted = close(&mut world, owner, Reload, Maintenance);
    assert!(!accepted.is_ready());
    assert_eq!(accepted.waiting_for.runs, slice::from_ref(&run));
    assert_eq!(given_to(&world, &read).as_deref(), Some("ins_window1"), "in the same moment");
    world.settle();
    assert_eq!(world.carrier_of(&read), Some(other));
    let shown = status(&world, owner);
    assert_eq!(shown.active_runs.iter().map(|run| &run.run).collect::<Vec<_>>(), [&run]);
    assert_eq!(shown.active_runs[0].title, "every 60 s");
    assert_eq!(shown.pending.iter().map(|close| &close.id).collect::<Vec<_>>(), [&accepted.id]);
    assert_eq!(shown.pending[0].waiting_for.runs, slice::from_ref(&run));
    world.run_for(HALF_AN_HOUR);
    assert_eq!(said(&world, &run), "manual running", "nobody interrupts it");
    world.finish(&run, exited(0));
    assert_eq!(told(&world), ["completed reload maintenance"]);
    assert_eq!(status(&world, owner).pending, []);
    world.audit_all();
}

#[test]
fn runs_wait_for_a_close_as_long_as_it_takes_and_have_their_own_time_after_it() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner);
    close(&mut world, owner, Reload, Maintenance);
    let (_, first) = by_hand(&mut world, owner, json!({"policy": {"queueMs": MINUTE}}));
    let (id, second) = by_hand(&mut world, owner, json!({"policy": {"queueMs": MINUTE}}));
    let due = world.create(owner, every(600));
    for waits in [&first, &second] {
        assert_eq!(said(&world, waits), "manual scheduled close");
        assert_eq!(world.run_row(waits).run.waiting().unwrap().until_at, None);
    }
    world.run_for(HALF_AN_HOUR);
    assert_eq!(said(&world, &second), "manual scheduled close");
    assert_eq!(
        said(&world, &world.last_run(&due).id).split(" slots").next(),
        Some("schedule scheduled close")
    );
    world.finish(&run, exited(0));
    assert_eq!(said(&world, &first), "manual running");
    assert_eq!(said(&world, &second), "manual scheduled directory");
    let until = world.run_row(&second).run.waiting().unwrap().until_at;
    assert_eq!(until, Some(world.now.plus_ms(MINUTE)), "counted from the end of the close");
    world.run_for(2 * MINUTE);
    assert_eq!(world.story(&id), ["manual stopped writer_busy"]);
    world.audit_all();
}

#[test]
fn after_a_dispose_another_window_has_the_bell_and_the_runs() {
    let (mut world, owner) = World::with_owner();
    let other = world.open();
    let run = at_work(&mut world, owner);
    world.window_mut(other).hangs = true;
    close(&mut world, owner, Dispose, Maintenance);
    assert_eq!(role(&world, owner), Role::Participant, "until it has happened");
    world.finish(&run, exited(0));
    assert_eq!(told(&world), ["completed dispose maintenance"]);
    assert_eq!((role(&world, owner), world.window(owner).role), (Role::Observer, Role::Observer));
    assert_eq!(world.view().ringing_instance().unwrap(), None, "its term has ended");
    world.window_mut(other).hangs = false;
    world.try_the_bell(other).unwrap();
    let (_, asked) = by_hand(&mut world, owner, json!({}));
    assert_eq!(given_to(&world, &asked).as_deref(), Some("ins_window0"), "what it is asked for itself");
    let due = world.create(other, every(60));
    world.settle();
    world.finish(&asked, exited(0));
    world.run_for(MINUTE);
    assert_eq!(world.carrier_of(&world.last_run(&due).id), Some(other));
    world.audit_all();
}

#[test]
fn a_disposed_window_that_is_alone_carries_out_only_what_it_is_asked_for() {
    for opened_as in [Role::Participant, Role::Observer] {
        let mut world = World::new();
        let window = world.open_as(opened_as);
        close(&mut world, window, Dispose, Force);
        world.settle();
        let (_, run) = by_hand(&mut world, window, json!({}));
        world.settle();
        assert_eq!(said(&world, &run), "manual running");
        world.finish(&run, exited(0));
        assert_eq!(said(&world, &run), "manual succeeded");
        assert_eq!(role(&world, window), Role::Observer);
        close(&mut world, window, Reload, Maintenance);
        world.settle();
        assert_eq!(role(&world, window), opened_as, "it is again what it was opened as");
        assert_eq!(told(&world), ["completed dispose force", "completed reload maintenance"]);
        world.audit_all();
    }
}

#[test]
fn a_close_that_fails_leaves_nothing_closing() {
    for kind in [Reload, Dispose, Shutdown] {
        let (mut world, owner) = World::with_owner();
        let run = at_work(&mut world, owner);
        close(&mut world, owner, kind, Maintenance);
        let (_, waits) = by_hand(&mut world, owner, json!({}));
        world.closes_fail = true;
        world.finish(&run, exited(0));
        let name = format!("{kind:?}").to_lowercase();
        assert_eq!(told(&world), [format!("failed {name} maintenance")]);
        assert_eq!(said(&world, &waits), "manual running");
        assert_eq!(role(&world, owner), Role::Participant);
        world.closes_fail = false;
        close(&mut world, owner, Reload, Force);
        world.settle();
        assert_eq!(told(&world)[1..], ["completed reload force"]);
        world.audit_all();
    }
}

#[test]
fn closes_of_other_directories_know_nothing_of_each_other() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner);
    let here = world.try_close(owner, Dispose, Maintenance, &["/project", "/gone"]).unwrap();
    assert_eq!(here.affected_directory_keys, ["/project", "/gone"]);
    assert!(!here.is_ready());
    assert!(world.try_close(owner, Dispose, Maintenance, &[WORKTREE]).unwrap().is_ready());
    world.settle();
    assert_eq!(told(&world), ["completed dispose maintenance"]);
    world.directory = WORKTREE;
    let (_, there) = by_hand(&mut world, owner, json!({}));
    assert_eq!(said(&world, &there), "manual scheduled executor", "it stays closed");
    world.try_close(owner, Reload, Maintenance, &[WORKTREE]).unwrap();
    world.settle();
    assert_eq!(said(&world, &there), "manual running", "and is open again");
    assert_eq!(said(&world, &run), "manual running");
    assert_eq!(role(&world, owner), Role::Participant, "it has the rest of the project");
    world.finish(&run, exited(0));
    world.directory = "/project";
    let (_, next) = by_hand(&mut world, owner, json!({}));
    assert_eq!(said(&world, &next), "manual scheduled executor");
    world.try_close(owner, Reload, Maintenance, &["/project"]).unwrap();
    world.settle();
    assert_eq!(said(&world, &next), "manual running");
    let left = world.view().closes_of(&world.window(owner).actor.instance).unwrap();
    assert_eq!(left.len(), 1, "/gone was not reloaded: {left:?}");
    world.audit_all();
}

#[test]
fn what_was_disposed_later_than_a_reload_was_asked_for_stays_so() {
    let (mut world, owner) = World::with_owner();
    let run = at_work(&mut world, owner);
    close(&mut world, owner, Reload, Maintenance);
    world.try_close(owner, Dispose, Maintenance, &[WORKTREE]).unwrap();
    world.settle();
    world.finish(&run, exited(0));
    assert_eq!(told(&world), ["completed dispose maintenance", "completed reload maintenance"]);
    world.directory = WORKTREE;
    let (_, there) = by_hand(&mut world, owner, json!({}));
    assert_eq!(said(&world, &there), "manual scheduled executor");
    world.audit_all();
}

#[test]
fn what_only_a_window_could_do_that_has_given_up_its_directory_is_given_up_in_its_time() {
    let (mut world, owner) = World::with_owner();
    world.try_close(owner, Dispose, Maintenance, &["/project"]).unwrap();
    world.settle();
    let (id, run) = by_hand(&mut world, owner, json!({"policy": {"queueMs": MINUTE}}));
    assert_eq!(said(&world, &run), "manual scheduled executor");
    let until = world.run_row(&run).run.waiting().unwrap().until_at;
    assert_eq!(until, Some(world.now.plus_ms(MINUTE)));
    world.run_for(2 * MINUTE);
    assert_eq!(world.story(&id).len(), 1);
    assert!(!world.run_row(&run).run.state().is_active(), "{}", said(&world, &run));
    world.audit_all();
}

#[test]
fn what_is_disposed_bit_by_bit_is_kept_as_one_and_reloaded_bit_by_bit() {
    let (mut world, owner) = World::with_owner();
    let left = |world: &World| world.view().closes_of(&world.window(owner).actor.instance).unwrap();
    let directories: Vec<String> =
        (0..2 * close::CLOSES).map(|number| format!("/worktree{number}")).collect();
    for directory in &directories {
        world.try_close(owner, Dispose, Maintenance, &[directory]).unwrap();
        world.settle();
    }
    assert_eq!(left(&world).len(), 1);
    // What is disposed while a reload waits is not reloaded by it.
    let run = at_work(&mut world, owner);
    close(&mut world, owner, Reload, Maintenance);
    world.try_close(owner, Dispose, Maintenance, &[WORKTREE]).unwrap();
    world.settle();
    assert_eq!(left(&world).len(), 3);
    // A reload that both are later than tells them apart from those before it, and not from each other.
    world.try_close(owner, Dispose, Maintenance, &["/other"]).unwrap();
    world.settle();
    assert_eq!(left(&world).len(), 3);
    world.finish(&run, exited(0));
    let closes = left(&world);
    assert_eq!(closes.len(), 1);
    assert_eq!(closes[0].extent, Extent::Directories(vec!["/other".to_owned(), WORKTREE.to_owned()]));
    world.audit_all();
}

#[test]
fn a_reload_that_fails_brings_a_window_back_with_what_it_had() {
    let (mut world, owner) = World::with_owner();
    let disposed = close(&mut world, owner, Dispose, Maintenance);
    world.settle();
    let refused = world.try_close(owner, Reload, Force, &[WORKTREE]).unwrap_err();
    assert!(matches!(refused, Refusal::Closing { action } if action == disposed.id), "it is all or nothing");
    world.closes_fail = true;
    close(&mut world, owner, Reload, Maintenance);
    world.settle();
    assert_eq!(told(&world), ["completed dispose maintenance", "failed reload maintenance"]);
    assert_eq!(role(&world, owner), Role::Participant);
    world.try_hold(owner, "/project").unwrap();
    world.audit_all();
}

#[test]
fn what_comes_in_the_way_of_a_close_at_last_is_waited_for() {
    let (mut world, owner) = World::with_owner();
    let accepted = close(&mut world, owner, Reload, Maintenance);
    assert!(accepted.is_ready());
    let hold = world.try_hold(owner, "/project").unwrap();
    let ended = world.decide(owner, |tx, context| close::complete(tx, context, &accepted.id, Ok(())));
    assert_eq!(ended.unwrap(), None);
    assert_eq!(status(&world, owner).pending[0].waiting_for.holds, slice::from_ref(&hold));
    world.release(owner, &hold).unwrap();
    world.settle();
    assert_eq!(told(&world), ["completed reload maintenance"]);
    world.audit_all();
}

#[test]
fn what_is_handed_back_and_given_again_is_begun_by_who_has_it_now() {
    let (mut world, owner) = World::with_owner();
    let (_, run) = by_hand(&mut world, owner, json!({}));
    world.act(owner);
    assert_eq!(world.carry(owner, &run), Moved::Yes);
    let before = world.run_row(&run).given_number;
    // Its window does not notice that it has not had it for a moment.
    close(&mut world, owner, Reload, Maintenance);
    world.carry_out_closes(owner).unwrap();
    assert_eq!(given_to(&world, &run).as_deref(), Some("ins_window0"));
    assert_eq!(world.run_row(&run).given_number, before + 1);
    assert_eq!(world.begin(owner, &run).unwrap(), Fence::Withdrawn);
    world.settle();
    assert_eq!(said(&world, &run), "manual running");
    world.audit_all();
}
