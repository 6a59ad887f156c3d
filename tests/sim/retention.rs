//! What is kept of the past, and the account of what is not.

use serde_json::json;
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::request::{ActiveRun, Executor, RunRequest};
use sexton::domain::run::Attendance;
use sexton::domain::scheduler::Role;
use sexton::engine::retention::{self, EVENTS_AT_ONCE, RUNS_AT_ONCE};
use sexton::engine::{Progress, trigger};
use sexton::ledger::EventFilter;

use crate::drafts::{every, policy};
use crate::window::exited;
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An automation that is never due while a test lasts, and keeps so many runs for so many days.
fn keeping(world: &mut World, owner: Who, runs: i64, days: i64) -> AutomationId {
    let keep = json!({"keep": {"runs": runs, "days": days}, "pauseAfterFailures": null});
    world.create(owner, policy(every(3 * 365 * 86_400), keep))
}

/// A run by hand that succeeds within a second.
fn one_run(world: &mut World, owner: Who, id: &AutomationId, key: Option<&str>) -> RunId {
    let key = key.map(str::to_owned);
    let request = RunRequest {
        automation: id.clone(),
        attendance: Attendance::Attended,
        key,
        context: None,
        if_busy: None,
        executor: Executor::Asker,
    };
    let run = world.decide(owner, |tx, context| trigger::trigger(tx, context, request)).unwrap().id;
    world.settle();
    world.finish(&run, exited(0));
    world.advance(SECOND);
    run
}

fn prune(world: &mut World, owner: Who) {
    world.prune(owner).unwrap();
    world.audit_all();
}

fn kept(world: &World, id: &AutomationId) -> Vec<RunId> {
    world.runs(id).into_iter().map(|run| run.id).collect()
}

/// The account of an automation: day since the start, outcome, runs, slots.
fn account(world: &World, id: &AutomationId) -> Vec<String> {
    let sql = "SELECT c.day - ?2, c.outcome, c.runs, c.slots FROM accounts c
               JOIN automations a ON a.row = c.automation WHERE a.id = ?1 ORDER BY c.epoch, c.day, c.outcome";
    let mut statement = world.connection().prepare(sql).unwrap();
    let rows = statement.query_map((id.as_str(), START.as_millis() / DAY), |row| {
        let (day, outcome): (i64, String) = (row.get(0)?, row.get(1)?);
        let (runs, slots): (i64, i64) = (row.get(2)?, row.get(3)?);
        Ok(format!("day {day}: {outcome} x{runs}, {slots} slots"))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn count(world: &World, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    world.connection().query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn months_of_runs_leave_an_account_of_every_slot() {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(SECOND);
    let busy = world.create(owner, policy(every(3600), json!({"keep": {"runs": 30, "days": 5}})));
    let seldom = world.create(owner, policy(every(7 * 86_400), json!({"keep": {"runs": 2}})));
    // Nothing is at work when a day of the test begins, and its last slot is too late to be made up for.
    world.run_for(45 * MINUTE);
    for day in 1..=35 {
        // Every tenth day nobody is there: its slots are missed.
        match day % 10 {
            0 => world.advance(DAY),
            _ => world.run_for(DAY),
        }
        prune(&mut world, owner);
    }
    assert_eq!(world.runs(&busy).len(), 30, "the newest that its policy keeps, all younger than five days");
    assert_eq!(world.runs(&seldom).len(), 2);
    let days = account(&world, &busy);
    assert_eq!(days[..2], ["day 0: succeeded x23, 23 slots", "day 1: succeeded x24, 24 slots"]);
    assert!(days.contains(&"day 10: stopped:missed_schedule x1, 24 slots".to_owned()), "{days:?}");
    let kept: Vec<RunId> = kept(&world, &busy).into_iter().chain(kept(&world, &seldom)).collect();
    let gone = world.spawn_log.iter().filter(|spawn| !kept.contains(&spawn.run)).count();
    assert_eq!(
        count(&world, "pruned_outputs"),
        i64::try_from(gone).unwrap(),
        "one for each that was carried out"
    );
}

#[test]
fn a_run_goes_when_enough_newer_ones_have_ended() {
    let (mut world, owner) = World::with_owner();
    let id = keeping(&mut world, owner, 3, 90);
    let runs: Vec<RunId> = (0..3).map(|_| one_run(&mut world, owner, &id, None)).collect();
    prune(&mut world, owner);
    assert_eq!(kept(&world, &id), runs, "three are kept");
    let fourth = one_run(&mut world, owner, &id, None);
    prune(&mut world, owner);
    assert_eq!(kept(&world, &id), [runs[1].clone(), runs[2].clone(), fourth]);
    assert_eq!(account(&world, &id), ["day 0: succeeded x1, 0 slots"]);
    assert_eq!(world.automation(&id).state.completed_runs, 4, "what was pruned still counts");
}

#[test]
fn a_run_goes_when_it_is_too_old_but_the_last_one_stays() {
    let (mut world, owner) = World::with_owner();
    let id = keeping(&mut world, owner, 1000, 2);
    let first = one_run(&mut world, owner, &id, None);
    let ended = world.run_row(&first).run.ended().unwrap().completed_at;
    let last = one_run(&mut world, owner, &id, None);
    world.now = ended.plus_ms(2 * DAY - 1);
    prune(&mut world, owner);
    assert_eq!(kept(&world, &id), [first, last.clone()]);
    world.now = ended.plus_ms(2 * DAY);
    prune(&mut world, owner);
    assert_eq!(kept(&world, &id), std::slice::from_ref(&last));
    world.advance(100 * DAY);
    prune(&mut world, owner);
    assert_eq!(kept(&world, &id), std::slice::from_ref(&last));
    assert_eq!(world.automation(&id).state.last_run, Some(last));
}

#[test]
fn nothing_is_looked_for_when_nothing_can_be_due() {
    let (mut world, owner) = World::with_owner();
    let id = keeping(&mut world, owner, 2, 90);
    let is_due = |world: &World| retention::is_due(&world.view(), world.limits.shared, world.now).unwrap();
    one_run(&mut world, owner, &id, None);
    one_run(&mut world, owner, &id, None);
    assert!(!is_due(&world));
    one_run(&mut world, owner, &id, None);
    assert!(is_due(&world));
    prune(&mut world, owner);
    assert!(!is_due(&world));
    world.advance(91 * DAY);
    assert!(is_due(&world), "the older one of the two is too old");
    prune(&mut world, owner);
    world.advance(1000 * DAY);
    assert!(!is_due(&world), "the last one stays for good");
}

#[test]
fn a_key_is_remembered_for_a_day_and_so_is_its_run() {
    let (mut world, owner) = World::with_owner();
    let id = keeping(&mut world, owner, 1, 90);
    let asked_at = world.now;
    let keyed = one_run(&mut world, owner, &id, Some("once only"));
    let between = one_run(&mut world, owner, &id, None);
    let last = one_run(&mut world, owner, &id, None);
    prune(&mut world, owner);
    assert_eq!(kept(&world, &id), [keyed.clone(), last.clone()], "{between} is one too many");
    world.now = asked_at.plus_ms(DAY);
    prune(&mut world, owner);
    let request = RunRequest {
        automation: id.clone(),
        attendance: Attendance::Attended,
        key: Some("once only".to_owned()),
        context: None,
        if_busy: None,
        executor: Executor::Asker,
    };
    let again = world.decide(owner, |tx, context| trigger::trigger(tx, context, request)).unwrap();
    assert_eq!(again.id, keyed);
    world.now = asked_at.plus_ms(DAY + 1);
    prune(&mut world, owner);
    assert_eq!(kept(&world, &id), [last]);
}

#[test]
fn a_run_whose_guard_may_still_be_there_stays() {
    let (mut world, owner) = World::with_owner();
    let id = keeping(&mut world, owner, 1, 1);
    let left = world.run(owner, &id);
    world.settle();
    world.die(owner);
    // The next window settles the dead one's rows and has yet to end what it left.
    let next = world.arrive(Role::Participant).unwrap();
    world.leftovers_resist = true;
    world.settle_dead_peers(next).unwrap();
    world.try_the_bell(next).unwrap();
    let waits = world.run(next, &id);
    assert_eq!(world.run_row(&waits).run.waiting().unwrap().run_ahead(), Some(&left));
    world.cancel(next, &waits).unwrap();
    world.now = world.now.plus_ms(10 * DAY);
    prune(&mut world, next);
    assert_eq!(kept(&world, &id), [left, waits.clone()]);
    world.end_leftovers(next).unwrap();
    world.advance(MINUTE);
    prune(&mut world, next);
    assert_eq!(kept(&world, &id), [waits]);
}

#[test]
fn a_run_that_others_wait_behind_stays() {
    let (mut world, owner) = World::with_owner();
    let id = keeping(&mut world, owner, 1, 1);
    let ahead = one_run(&mut world, owner, &id, None);
    let waiting = world.run(owner, &id);
    // No sequence of requests leads here: the rule is the net under the one that moves up what waits.
    let sql = "UPDATE runs SET behind = ?1 WHERE id = ?2";
    world.connection().execute(sql, [ahead.as_str(), waiting.as_str()]).unwrap();
    world.now = world.now.plus_ms(10 * DAY);
    world.prune(owner).unwrap();
    assert!(kept(&world, &id).contains(&ahead));
    world.connection().execute("UPDATE runs SET behind = NULL", []).unwrap();
    world.now = world.now.plus_ms(MINUTE);
    world.prune(owner).unwrap();
    assert!(!kept(&world, &id).contains(&ahead));
}

#[test]
fn the_runs_of_a_deleted_automation_go_by_the_policy_that_it_had() {
    let (mut world, owner) = World::with_owner();
    let id = keeping(&mut world, owner, 2, 30);
    for _ in 0..3 {
        one_run(&mut world, owner, &id, None);
    }
    world.delete(owner, &id, ActiveRun::Refuse).unwrap();
    prune(&mut world, owner);
    assert_eq!(kept(&world, &id).len(), 2);
    world.advance(31 * DAY);
    prune(&mut world, owner);
    assert_eq!(kept(&world, &id), Vec::<RunId>::new(), "nobody is shown its last run any more");
    assert_eq!(account(&world, &id), ["day 0: succeeded x3, 0 slots"]);
}

#[test]
fn definitions_go_with_the_last_run_that_carried_them_out() {
    let (mut world, owner) = World::with_owner();
    let id = keeping(&mut world, owner, 1, 90);
    let rename = |world: &World| {
        let sql = "INSERT INTO definitions (automation, revision, body)
                   SELECT d.automation, d.revision + 1, d.body FROM automations a JOIN definitions d ON d.row = a.definition";
        world.connection().execute(sql, []).unwrap();
        let sql = "UPDATE automations SET definition = (SELECT max(row) FROM definitions)";
        world.connection().execute(sql, []).unwrap();
    };
    for _ in 0..4 {
        one_run(&mut world, owner, &id, None);
        rename(&world);
    }
    assert_eq!(count(&world, "definitions"), 5);
    world.prune(owner).unwrap();
    // The one of the epoch, that of the run that is left, and the present one.
    assert_eq!(count(&world, "definitions"), 3);
}

#[test]
fn another_policy_holds_for_the_runs_that_are_there() {
    let (mut world, owner) = World::with_owner();
    let id = keeping(&mut world, owner, 100, 90);
    for _ in 0..4 {
        one_run(&mut world, owner, &id, None);
    }
    let sql = "INSERT INTO definitions (automation, revision, body)
               SELECT automation, 2, json_set(body, '$.policy.keep.runs', 2) FROM definitions";
    world.connection().execute(sql, []).unwrap();
    let sql = "UPDATE automations SET definition = (SELECT max(row) FROM definitions)";
    world.connection().execute(sql, []).unwrap();
    world.prune(owner).unwrap();
    assert_eq!(kept(&world, &id).len(), 2);
}

#[test]
fn one_transaction_prunes_a_part_and_says_that_there_is_more() {
    let (mut world, owner) = World::with_owner();
    let (first, second) = (keeping(&mut world, owner, 1, 90), keeping(&mut world, owner, 1, 90));
    let many = RUNS_AT_ONCE * 3 / 4;
    for id in [&first, &second] {
        (0..many).for_each(|_| drop(one_run(&mut world, owner, id, None)));
    }
    let before = count(&world, "runs");
    let mut rounds = Vec::new();
    while world.decide(owner, retention::prune).unwrap() == Progress::More {
        rounds.push(before - count(&world, "runs"));
    }
    let most = 2 * i64::try_from(RUNS_AT_ONCE).unwrap();
    assert!(rounds[0] > 0 && rounds[0] < most, "{rounds:?}");
    assert_eq!((kept(&world, &first).len(), kept(&world, &second).len()), (1, 1));
    world.audit_all();
}

#[test]
fn a_policy_that_is_not_understood_keeps_the_runs_and_nobody_else_waits() {
    let (mut world, owner) = World::with_owner();
    let (odd, plain) = (keeping(&mut world, owner, 1, 90), keeping(&mut world, owner, 1, 90));
    for id in [&odd, &plain] {
        (0..3).for_each(|_| drop(one_run(&mut world, owner, id, None)));
    }
    let set = |world: &World, keep: &str| {
        let sql = "UPDATE definitions SET body = json_set(body, '$.policy.keep', json(?1))
                   WHERE row = (SELECT definition FROM automations WHERE id = ?2)";
        world.connection().execute(sql, [keep, odd.as_str()]).unwrap();
    };
    set(&world, r#"{"forever": true}"#);
    world.prune(owner).unwrap();
    assert_eq!(kept(&world, &plain).len(), 1);
    assert_eq!(count(&world, "runs"), 4, "three of the odd one");
    assert!(!retention::is_due(&world.view(), world.limits.shared, world.now).unwrap());
    set(&world, r#"{"runs": 1, "days": 90}"#);
    world.advance(DAY);
    prune(&mut world, owner);
    assert_eq!(kept(&world, &odd).len(), 1, "a day later somebody looks again");
}

#[test]
fn the_newest_events_are_kept_and_those_of_a_week() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.event_history = 10;
    let next = world.arrive(Role::Participant).unwrap();
    world.release_bell(owner);
    world.try_the_bell(next).unwrap();
    let id = keeping(&mut world, next, 1000, 90);
    (0..10).for_each(|_| drop(one_run(&mut world, next, &id, None)));
    let newest = world.view().newest_seq().unwrap();
    prune(&mut world, next);
    assert_eq!(world.view().pruned_through().unwrap(), 0, "all are younger than a week");
    let last = world.view().events_after(newest - 1, &EventFilter::default(), 1).unwrap()[0].at;
    world.now = last.plus_ms(7 * DAY + 1);
    prune(&mut world, next);
    assert_eq!(world.view().pruned_through().unwrap(), newest - 10, "all are older, so the number decides");
}

#[test]
fn the_number_of_an_event_is_never_given_out_again() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.event_history = 0;
    world.release_bell(owner);
    let owner = world.open();
    let id = keeping(&mut world, owner, 1000, 90);
    one_run(&mut world, owner, &id, None);
    let newest = world.view().newest_seq().unwrap();
    world.now = world.now.plus_ms(8 * DAY);
    prune(&mut world, owner);
    assert_eq!(count(&world, "events"), 0);
    assert_eq!(world.view().newest_seq().unwrap(), newest);
    assert_eq!(world.view().pruned_through().unwrap(), newest);
    one_run(&mut world, owner, &id, None);
    let after = world.view().events_after(newest, &EventFilter::default(), 1).unwrap();
    assert_eq!(after[0].seq, newest + 1);
    assert_eq!(world.view().pruned_through().unwrap(), newest);
}

#[test]
fn a_clock_that_was_far_ahead_does_not_keep_events_for_ever() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.event_history = 0;
    world.release_bell(owner);
    let right = world.now;
    world.now = right.plus_ms(3650 * DAY);
    let owner = world.open();
    world.now = right.plus_ms(8 * DAY);
    keeping(&mut world, owner, 1000, 90);
    let young = world.view().newest_seq().unwrap();
    prune(&mut world, owner);
    assert_eq!(world.view().pruned_through().unwrap(), young - 1, "the one of today stays");
}

#[test]
fn one_transaction_forgets_so_many_events() {
    let (mut world, owner) = World::with_owner();
    world.limits.shared.event_history = 0;
    world.release_bell(owner);
    let owner = world.open();
    let id = keeping(&mut world, owner, 1000, 90);
    let events = |world: &World| usize::try_from(count(world, "events")).unwrap();
    while events(&world) < 2 * EVENTS_AT_ONCE + 1 {
        one_run(&mut world, owner, &id, None);
    }
    world.now = world.now.plus_ms(8 * DAY);
    let before = events(&world);
    assert_eq!(world.decide(owner, retention::prune).unwrap(), Progress::More);
    assert_eq!(events(&world), before - EVENTS_AT_ONCE);
    prune(&mut world, owner);
    assert_eq!(events(&world), 0);
}
