//! The machine's clock is set, forward or back.

use serde_json::{Value, json};
use sexton::domain::clock::{Boot, Reading};
use sexton::domain::id::AutomationId;
use sexton::domain::request::ActiveRun;
use sexton::domain::time::Timestamp;
use sexton::engine::tick::AUTOMATIONS_PER_TICK;
use sexton::engine::{Progress, clock, retention};

use crate::drafts::{every, once, policy, with};
use crate::suspends::told;
use crate::window::exited;
use crate::world::{START, Who, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// A world whose work takes a second.
fn working() -> (World, Who) {
    let (mut world, owner) = World::with_owner();
    world.work_ms = Some(SECOND);
    (world, owner)
}

fn daily(hour: i64) -> Value {
    let rhythm = json!({"kind": "cron", "expression": format!("0 {hour} * * *")});
    with(every(60), json!({"rhythm": rhythm, "timezone": "UTC"}))
}

/// When runs were started, in seconds since [`START`].
fn spawns(world: &World) -> Vec<i64> {
    world.spawn_log.iter().map(|spawn| spawn.at.since_ms(START) / SECOND).collect()
}

fn epochs(world: &World, id: &AutomationId) -> Vec<String> {
    let sql = "SELECT e.reason FROM epochs e JOIN automations a ON a.row = e.automation
               WHERE a.id = ?1 ORDER BY e.number";
    let mut statement = world.connection().prepare(sql).unwrap();
    let reasons = statement.query_map([id.as_str()], |row| row.get(0)).unwrap();
    reasons.map(Result::unwrap).collect()
}

fn next_fire(world: &World, id: &AutomationId) -> Option<i64> {
    world.automation(id).state.next_fire_at.map(|at| at.since_ms(START) / SECOND)
}

// Back.

#[test]
fn nine_o_clock_does_not_come_twice_when_the_clock_is_set_back() {
    for back in [2 * HOUR, 23 * HOUR, DAY] {
        let (mut world, owner) = working();
        let id = world.create(owner, daily(9));
        world.run_for(9 * HOUR + 30 * MINUTE);
        world.set_clock(-back);
        world.run_for(back);
        assert_eq!(spawns(&world), [9 * 3600], "set back by {back}");
        world.run_for(DAY);
        assert_eq!(spawns(&world), [9, 33].map(|hour| hour * 3600), "set back by {back}");
        assert_eq!(epochs(&world, &id), ["created", "clock"]);
        world.audit_all();
    }
}

#[test]
fn an_interval_goes_on_by_a_new_grid_when_the_clock_is_set_back() {
    let (mut world, owner) = working();
    let id = world.create(owner, every(600));
    world.run_for(HOUR + MINUTE);
    world.set_clock(-DAY);
    world.settle();
    let back_at = world.now.since_ms(START) / SECOND;
    assert_eq!(next_fire(&world, &id), Some(back_at + 600));
    world.run_for(20 * MINUTE);
    assert_eq!(spawns(&world)[6..], [back_at + 600, back_at + 1200]);
    let set = json!({"from": START.plus_ms(HOUR + MINUTE), "to": START.plus_ms(HOUR + MINUTE - DAY)});
    assert_eq!(told(&world, "scheduler.clock"), [set]);
    world.audit_all();
}

#[test]
fn an_interval_with_an_anchor_keeps_its_grid_and_fires_nothing_twice_when_the_clock_is_set_back() {
    let (mut world, owner) = working();
    let anchor = START.plus_ms(300 * SECOND);
    let rhythm = json!({"kind": "interval", "everyMs": HOUR, "anchorAt": anchor});
    let id = world.create(owner, with(every(60), json!({"rhythm": rhythm})));
    world.run_for(3 * HOUR);
    world.set_clock(-2 * HOUR);
    world.run_for(4 * HOUR);
    assert_eq!(spawns(&world), [0, 1, 2, 3, 4].map(|hour| hour * 3600 + 300));
    assert_eq!(epochs(&world, &id), ["created", "clock"]);
    world.audit_all();
}

#[test]
fn a_clock_that_was_more_than_a_day_ahead_has_answered_for_nothing_that_is_to_come() {
    let (mut world, owner) = working();
    let id = world.create(owner, daily(9));
    world.run_for(9 * HOUR + MINUTE);
    world.set_clock(-2 * DAY);
    world.run_for(DAY);
    assert_eq!(spawns(&world), [9, 9 - 24].map(|hour| hour * 3600));
    assert_eq!(epochs(&world, &id), ["created", "clock"]);
}

#[test]
fn a_schedule_that_has_not_fired_yet_is_due_by_the_clock_that_went_back() {
    let (mut world, owner) = working();
    world.run_for(9 * HOUR + 30 * MINUTE);
    let id = world.create(owner, daily(9));
    world.set_clock(-2 * HOUR);
    world.run_for(2 * HOUR);
    assert_eq!(spawns(&world), [9 * 3600], "nothing has answered for nine o'clock");
    assert_eq!(epochs(&world, &id), ["created", "clock"]);
}

#[test]
fn a_clock_to_which_nothing_has_happened_is_not_written_down() {
    let (mut world, owner) = working();
    world.run_for(MINUTE);
    let written = world.connection().total_changes();
    world.decide(owner, |_, _| Ok(())).unwrap();
    assert_eq!(world.connection().total_changes(), written);
}

#[test]
fn a_one_shot_keeps_its_time_and_fires_once_however_the_clock_goes_back() {
    let (mut world, owner) = working();
    let at = |hours: i64| once(START.plus_ms(hours * HOUR).as_millis());
    let fired = world.create(owner, at(1));
    let to_come = world.create(owner, at(3));
    world.run_for(2 * HOUR);
    world.set_clock(-90 * MINUTE);
    world.run_for(5 * HOUR);
    assert_eq!(spawns(&world), [3600, 3 * 3600]);
    assert_eq!((world.runs(&fired).len(), world.runs(&to_come).len()), (1, 1));
    world.audit_all();
}

#[test]
fn small_steps_back_change_nothing_and_fire_nothing_twice() {
    let (mut world, owner) = working();
    let id = world.create(owner, every(60));
    for _ in 0..5 {
        world.run_for(5 * MINUTE);
        world.set_clock(-50 * SECOND);
        world.settle();
    }
    world.run_for(5 * MINUTE);
    let slots: Vec<_> = world.runs(&id).iter().filter_map(|run| run.scheduled_at).collect();
    let expected: Vec<_> = (1..).map(|number| START.plus_ms(number * MINUTE)).take(slots.len()).collect();
    assert_eq!(slots, expected);
    assert!(slots.len() >= 25, "{}", slots.len());
    assert_eq!((epochs(&world, &id), told(&world, "scheduler.clock")), (vec!["created".to_owned()], vec![]));
    world.audit_all();
}

#[test]
fn a_clock_that_goes_back_doubles_nothing() {
    let (mut world, owner) = working();
    let id = world.create(owner, every(60));
    world.run_for(5 * MINUTE + SECOND);
    world.set_clock(-4 * MINUTE);
    world.run_for(10 * MINUTE + SECOND);
    let slots: Vec<_> = world.runs(&id).iter().filter_map(|run| run.scheduled_at).collect();
    let before = (1..=5).map(|number| START.plus_ms(number * MINUTE));
    let after = (2..=11).map(|number| START.plus_ms(number * MINUTE + SECOND));
    assert_eq!(slots, before.chain(after).collect::<Vec<_>>());
    world.audit_all();
}

#[test]
fn a_clock_that_went_back_is_found_also_by_a_window_that_opens_afterwards() {
    for restarts in [false, true] {
        let (mut world, owner) = working();
        let daily = world.create(owner, daily(9));
        let id = world.create(owner, every(600));
        world.run_for(9 * HOUR + 5 * MINUTE);
        if restarts {
            world.restart();
        } else {
            world.die(owner);
        }
        world.set_clock(-HOUR);
        world.open();
        world.settle();
        assert_eq!(epochs(&world, &id), ["created", "clock"], "restarts: {restarts}");
        world.run_for(HOUR);
        assert_eq!(world.runs(&daily).len(), 1, "restarts: {restarts}");
        world.audit_all();
    }
}

#[test]
fn what_was_late_when_the_clock_went_back_is_recorded_and_what_was_counted_too() {
    let (mut world, owner) = World::with_owner();
    let late = world.create(owner, every(600));
    let skipping = world.create(owner, policy(every(700), json!({"wallMs": DAY})));
    world.run(owner, &skipping);
    world.settle();
    // Nobody who claims looks for two hours, but somebody writes; then somebody sets the clock back.
    world.now = world.now.plus_ms(2 * HOUR);
    world.create(owner, daily(9));
    world.set_clock(-55 * MINUTE);
    world.settle();
    assert_eq!(world.story(&late), ["schedule stopped missed_schedule slots 600..3600 x6"]);
    let skipped = ["manual running", "schedule stopped previous_run_active slots 700..3500 x5"];
    assert_eq!(world.story(&skipping), skipped);
    assert_eq!((epochs(&world, &late).len(), epochs(&world, &skipping).len()), (2, 2));
    world.audit_all();
}

#[test]
fn paused_and_finished_automations_stay_as_they_are_when_the_clock_goes_back() {
    let (mut world, owner) = working();
    let paused = world.create(owner, with(every(60), json!({"paused": true})));
    let finished = world.create(owner, with(every(60), json!({"stop": {"kind": "count", "count": 1}})));
    world.run_for(HOUR);
    world.set_clock(-30 * MINUTE);
    world.run_for(5 * MINUTE);
    assert_eq!(epochs(&world, &paused), ["created"]);
    assert_eq!(epochs(&world, &finished), ["created"]);
    assert_eq!(world.runs(&finished).len(), 1);
}

#[test]
fn an_automation_whose_deletion_is_given_up_goes_on_by_the_clock_that_went_back() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, policy(every(600), json!({"wallMs": DAY})));
    let run = world.run(owner, &id);
    world.settle();
    world.run_for(25 * MINUTE);
    world.delete(owner, &id, ActiveRun::Cancel).unwrap();
    world.set_clock(-5 * MINUTE);
    // The work has heard of it and does not end.
    for _ in 0..5 {
        world.tick(owner).unwrap();
    }
    assert_eq!(epochs(&world, &id), ["created", "clock"]);
    assert_eq!(next_fire(&world, &id), None);
    world.now = world.now.plus_ms(5 * MINUTE + 15 * SECOND);
    world.tick(owner).unwrap();
    assert_eq!(next_fire(&world, &id), Some(20 * 60 + 600));
    world.settle();
    assert_eq!(world.run_row(&run).run.state().as_str(), "stopped");
    world.audit_all();
}

#[test]
fn a_thousand_schedules_begin_anew_in_batches_and_none_fires_meanwhile() {
    const COUNT: usize = 1000;
    let (mut world, owner) = World::with_owner();
    let ids: Vec<AutomationId> = (0..COUNT).map(|_| world.create(owner, every(3600))).collect();
    let due_soon = world.create(owner, once(START.plus_ms(HOUR).as_millis()));
    world.now = world.now.plus_ms(59 * MINUTE);
    world.settle();
    world.create(owner, every(3600));
    world.set_clock(-10 * MINUTE);
    let anew = |world: &World| {
        let sql = "SELECT count(*) FROM epochs WHERE reason = 'clock'";
        let count: i64 = world.connection().query_row(sql, [], |row| row.get(0)).unwrap();
        usize::try_from(count).unwrap()
    };
    for batch in 1..=2 {
        assert_eq!(world.tick(owner).unwrap(), Progress::More);
        assert_eq!(anew(&world), batch * AUTOMATIONS_PER_TICK);
    }
    // The owner dies in the midst of it, and the slots of the others come by the old count.
    world.die(owner);
    world.now = START.plus_ms(61 * MINUTE);
    let next = world.open();
    assert_eq!(world.tick(next).unwrap(), Progress::More);
    assert_eq!((anew(&world), world.runs(&due_soon).len()), (3 * AUTOMATIONS_PER_TICK, 0));
    world.settle();
    // The last one too, which was created a minute before the clock went back.
    assert_eq!(anew(&world), COUNT + 1);
    assert_eq!(world.runs(&due_soon).len(), 1);
    assert_eq!(world.story(&ids[0]), Vec::<String>::new());
    assert_eq!(world.story(&ids[COUNT - 1]), ["schedule stopped missed_schedule slots 3600..3600 x1"]);
    world.audit_all();
}

#[test]
fn catch_ups_that_wait_for_their_turn_wait_no_longer_when_the_clock_goes_back() {
    let (mut world, owner) = working();
    let ids = [0, 1, 2].map(|_| world.create(owner, with(every(600), json!({"access": "read"}))));
    world.advance(10 * MINUTE + 100 * SECOND);
    assert_eq!(world.spawn_log.len(), 1);
    world.set_clock(-DAY);
    let back_at = world.now;
    world.run_for(MINUTE);
    assert_eq!(world.spawn_log.len(), 3);
    assert!(world.spawn_log.iter().skip(1).all(|spawn| spawn.at.since_ms(back_at) <= 10 * SECOND));
    assert!(ids.iter().all(|id| world.runs(id).len() == 1));
}

// Forward.

#[test]
fn a_clock_that_is_set_forward_by_a_year_has_nobody_miss_a_year() {
    let (mut world, owner) = working();
    let id = world.create(owner, every(600));
    world.run_for(HOUR + MINUTE);
    let before = world.story(&id);
    world.set_clock(YEAR);
    world.run_for(9 * MINUTE);
    assert_eq!(world.story(&id), before, "nothing fires, nothing is recorded");
    world.set_clock(-YEAR);
    world.run_for(10 * MINUTE);
    assert_eq!(spawns(&world)[6..], [70, 80].map(|minutes| minutes * 60), "as if nothing had happened");
    assert_eq!(epochs(&world, &id), ["created"], "that is no clock that was set back");
    assert_eq!(told(&world, "scheduler.clock").len(), 2);
    world.audit_all();
}

#[test]
fn a_clock_that_has_held_for_ten_minutes_is_believed() {
    let (mut world, owner) = working();
    let id = world.create(owner, policy(every(3600), json!({"missed": {"kind": "skip"}})));
    world.set_clock(30 * DAY);
    world.run_for(10 * MINUTE - 1);
    assert_eq!(world.story(&id), Vec::<String>::new());
    world.run_for(1);
    assert_eq!(world.story(&id), ["schedule stopped missed_schedule slots 3600..2592000 x720"]);
    world.audit_all();
}

#[test]
fn that_the_clock_is_doubted_is_told_until_it_is_believed() {
    let (mut world, owner) = working();
    world.create(owner, every(600));
    world.run_for(MINUTE);
    let told = |world: &World| clock::trouble(&world.view(), world.now).unwrap();
    assert_eq!(told(&world), None);
    world.set_clock(YEAR + 40 * MINUTE);
    world.settle();
    let words = "the clock was set ahead by 8761 hours, so it may be wrong: no schedule fires for another";
    assert!(told(&world).is_some_and(|told| told.starts_with(&format!("{words} 600 s"))));
    world.now = world.now.plus_ms(10 * MINUTE - 1);
    assert!(told(&world).is_some_and(|told| told.starts_with(&format!("{words} 1 s"))));
    world.now = world.now.plus_ms(1);
    assert_eq!(told(&world), None, "also before anybody has looked");
}

#[test]
fn a_window_that_opens_while_the_clock_is_doubted_waits_as_well() {
    for restarts in [false, true] {
        let (mut world, owner) = working();
        let id = world.create(owner, every(600));
        world.run_for(MINUTE);
        world.set_clock(YEAR);
        world.settle();
        if restarts {
            world.restart();
        } else {
            world.die(owner);
        }
        world.open();
        world.run_for(9 * MINUTE);
        assert_eq!(world.story(&id), Vec::<String>::new(), "restarts: {restarts}");
        world.run_for(2 * MINUTE);
        assert_eq!(world.runs(&id).len(), 1, "restarts: {restarts}");
        world.audit_all();
    }
}

#[test]
fn a_machine_that_was_off_for_a_week_is_no_jump() {
    let (mut world, owner) = working();
    let id = world.create(owner, every(600));
    world.run_for(MINUTE);
    world.die(owner);
    world.restart();
    world.now = world.now.plus_ms(7 * DAY);
    world.open();
    world.settle();
    assert_eq!(world.story(&id), ["schedule running slots 600..604800 x1008"]);
    assert_eq!(told(&world, "scheduler.clock"), Vec::<Value>::new());
}

#[test]
fn a_sleep_of_a_month_is_no_jump() {
    let (mut world, owner) = working();
    let id = world.create(owner, every(600));
    world.settle();
    world.suspend(30 * DAY);
    world.run_for(10 * SECOND);
    assert_eq!(world.runs(&id).len(), 1);
    assert_eq!(told(&world, "scheduler.clock"), Vec::<Value>::new());
}

/// A world whose clock is a year ahead, and that knows of it, an hour and a second after its beginning.
fn a_year_ahead(draft: &Value) -> (World, Who, AutomationId) {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, draft.clone());
    world.now = world.now.plus_ms(HOUR);
    world.set_clock(YEAR);
    world.now = world.now.plus_ms(SECOND);
    (world, owner, id)
}

#[test]
fn an_edit_while_the_clock_is_doubted_settles_only_what_elapsed_time_says_was_due() {
    let (mut world, owner, id) = a_year_ahead(&every(1500));
    world.update(owner, &id, json!({"rhythm": {"everyMs": 600_000}}));
    assert_eq!(world.story(&id), ["catchUp scheduled slots 1500..3000 x2"]);
    world.settle();
    let run = world.last_run(&id).id;
    world.finish(&run, exited(0));
    world.set_clock(-YEAR);
    world.settle();
    let now = world.now.since_ms(START) / SECOND;
    assert_eq!(next_fire(&world, &id), Some(now + 600), "it is counted from when the clock was right again");
    assert_eq!(epochs(&world, &id), ["created", "edited", "clock"]);
    world.audit_all();
}

#[test]
fn a_pause_a_delete_and_a_resume_while_the_clock_is_doubted_miss_nothing_of_the_year() {
    let (mut world, owner, id) = a_year_ahead(&every(1500));
    let other = world.create(owner, every(1500));
    world.pause(owner, &id, None).unwrap();
    assert_eq!(world.story(&id), ["schedule stopped missed_schedule slots 1500..3000 x2"]);
    world.resume(owner, &id).unwrap();
    world.delete(owner, &other, ActiveRun::Cancel).unwrap();
    assert_eq!(world.story(&other), Vec::<String>::new());
    world.audit_all();
    world.run_for(10 * MINUTE);
    let now = world.now.since_ms(START) / SECOND;
    assert_eq!(next_fire(&world, &id), Some(now + 900), "the clock was right after all");
    world.audit_all();
}

#[test]
fn what_is_created_and_asked_for_while_the_clock_is_doubted_works_when_it_goes_back() {
    let (mut world, owner, _) = a_year_ahead(&every(36_000));
    world.work_ms = Some(SECOND);
    let created = world.create(owner, every(600));
    let cron = world.create(owner, daily(9));
    let by_hand = world.run(owner, &created);
    world.run_for(2 * SECOND);
    assert_eq!(world.run_row(&by_hand).run.state().as_str(), "succeeded", "a request does not wait");
    world.run_for(5 * MINUTE);
    world.set_clock(-YEAR);
    world.settle();
    let now = world.now.since_ms(START) / SECOND;
    assert_eq!((next_fire(&world, &created), next_fire(&world, &cron)), (Some(now + 600), Some(9 * 3600)));
    assert_eq!(world.runs(&created).len(), 1);
    world.audit_all();
}

#[test]
fn nothing_is_forgotten_by_a_clock_that_is_doubted() {
    let (mut world, owner) = working();
    let id = world.create(owner, every(60));
    world.run_for(30 * MINUTE);
    let runs = world.runs(&id).len();
    world.set_clock(YEAR);
    world.settle();
    let due = |world: &World| retention::is_due(&world.view(), world.limits.shared, world.now).unwrap();
    assert!(!due(&world));
    assert_eq!(world.decide(owner, retention::prune).unwrap(), Progress::Done);
    assert_eq!(world.runs(&id).len(), runs);
    world.run_for(11 * MINUTE);
    assert!(due(&world), "then it is a year later");
}

#[test]
fn a_correction_of_less_than_a_day_forward_is_lateness_like_any_other() {
    let (mut world, owner) = working();
    let id = world.create(owner, every(600));
    world.set_clock(DAY);
    world.settle();
    assert_eq!(world.story(&id), ["schedule running slots 600..86400 x144"]);
    let set = json!({"from": START, "to": Timestamp::from_millis(START.as_millis() + DAY)});
    assert_eq!(told(&world, "scheduler.clock"), [set]);
}

#[test]
fn windows_whose_clocks_count_from_other_boots_do_not_wake_each_other_without_a_pause() {
    let (mut world, owner) = working();
    world.create(owner, every(60));
    let (now, other) = (world.now, Boot::from_text("another boot"));
    let reading = Reading { wall: now, elapsed_ms: 5, awake_ms: 5 };
    let next = |now: Timestamp| {
        let reading = Reading { wall: now, ..reading };
        clock::next_claim(&world.view(), &other, reading, 0).unwrap()
    };
    assert_eq!(next(now), Some(now.plus_ms(5 * SECOND)), "not at once");
    assert_eq!(next(now.plus_ms(5 * SECOND)), Some(now.plus_ms(5 * SECOND)));
}
