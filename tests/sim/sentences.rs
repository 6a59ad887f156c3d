//! What people are told at once, each of it really brought about.

use serde_json::{Value, json};
use sexton::domain::event::Event;
use sexton::domain::lifecycle::{CloseKind, CloseMode};
use sexton::domain::policy::Money;
use sexton::domain::provider::Report;
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::run::{ErrorClass, Need};
use sexton::domain::time::Timestamp;
use sexton::ledger::EventFilter;

use crate::app::{failed, permission, question};
use crate::closer::close;
use crate::drafts::{every, policy, prompt, with};
use crate::window::{Stage, exited, killed, not_started_of};
use crate::world::{START, Who, World};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// What people were told, in order.
fn told(world: &World) -> String {
    let events = world.view().events_after(0, &EventFilter::default(), 1000).unwrap();
    let text =
        |payload: &str| serde_json::from_str::<Value>(payload).unwrap()["text"].as_str().map(str::to_owned);
    events.iter().filter_map(|event| text(&event.payload)).collect::<Vec<_>>().join("\n")
}

fn titled(title: &str, draft: Value) -> Value {
    with(draft, json!({"title": title, "timezone": "Europe/Berlin"}))
}

/// A command at nine o'clock in Berlin.
fn at_nine(title: &str) -> Value {
    titled(title, with(every(60), json!({"rhythm": {"kind": "cron", "expression": "0 9 * * *"}})))
}

/// A run of this at nine o'clock.
fn at_work(draft: Value) -> (World, Who, sexton::domain::id::RunId) {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 1);
    let id = world.create(owner, draft);
    world.advance(8 * HOUR);
    let run = world.last_run(&id).id;
    (world, owner, run)
}

#[test]
fn a_failure_is_told_with_its_reason_and_when_that_was() {
    let (mut world, _, run) = at_work(at_nine("Nightly tests"));
    world.now = world.now.plus_ms(75_000);
    world.finish(&run, exited(1));
    insta::assert_snapshot!(told(&world), @"“Nightly tests” failed at 2025-01-06 09:01:15 (Europe/Berlin): exit code 1");
    let (mut world, _, run) = at_work(at_nine("Nightly tests"));
    world.finish(&run, killed(9));
    insta::assert_snapshot!(told(&world), @"“Nightly tests” failed at 2025-01-06 09:00 (Europe/Berlin): killed by signal 9");
    let (mut world, owner, run) = at_work(prompt(at_nine("Triage")));
    world.report(owner, &run, failed(ErrorCode::ExecutionFailed)).unwrap();
    insta::assert_snapshot!(told(&world), @"“Triage” failed at 2025-01-06 09:00 (Europe/Berlin): it said so");
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, at_nine("Backup"));
    world.now = START.plus_ms(8 * HOUR);
    world.tick(owner).unwrap();
    world.act(owner);
    let run = world.last_run(&id).id;
    world.set_stage(owner, &run, Some(Stage::Ended(not_started_of(ErrorClass::Transient))));
    world.carry(owner, &run);
    insta::assert_snapshot!(told(&world), @"“Backup” could not be started at 2025-01-06 09:00 (Europe/Berlin): of class Transient; do something");
}

#[test]
fn what_was_missed_is_told_with_its_times() {
    let (mut world, owner) = World::with_owner();
    world.create(owner, policy(at_nine("Backup"), json!({"missed": {"kind": "skip"}})));
    world.advance(9 * HOUR);
    insta::assert_snapshot!(told(&world), @"“Backup” did not run at 2025-01-06 09:00 (Europe/Berlin): nobody was there to start it in time");
    world.advance(3 * 24 * HOUR);
    insta::assert_snapshot!(told(&world).lines().last().unwrap(), @"“Backup” did not run at 2025-01-09 09:00 (Europe/Berlin): nobody was there to start it in time (3 times missed, the first at 2025-01-07 09:00)");
}

#[test]
fn more_missed_times_than_are_counted_are_told_as_at_least_as_many() {
    let (mut world, owner) = World::with_owner();
    world.create(owner, policy(titled("Poll", every(30)), json!({"missed": {"kind": "skip"}})));
    world.advance(60 * 24 * HOUR + 10);
    insta::assert_snapshot!(told(&world), @"“Poll” did not run at 2025-03-07 00:59 (Europe/Berlin): nobody was there to start it in time (at least 100000 times missed, the first at 2025-01-06 01:00:30)");
}

#[test]
fn what_a_run_asks_is_told_and_that_nobody_answered() {
    let draft =
        || policy(prompt(at_nine("Triage")), json!({"blockerMs": {"attended": HOUR, "unattended": HOUR}}));
    let (mut world, owner, run) = at_work(draft());
    world.report(owner, &run, Report::Blocked(permission("1"))).unwrap();
    world.advance(HOUR);
    insta::assert_snapshot!(told(&world), @r"
    “Triage” asks for permission: run the tests
    “Triage” was ended at 2025-01-06 10:00 (Europe/Berlin): nobody answered what it asked
    ");
    let (mut world, owner, run) = at_work(draft());
    world.report(owner, &run, Report::Blocked(question("1"))).unwrap();
    world.cancel(owner, &run).unwrap();
    insta::assert_snapshot!(told(&world), @"“Triage” asks: which colour?");
}

#[test]
fn a_wait_that_was_too_long_is_told() {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 1);
    for title in ["First", "Second"] {
        let reading = with(prompt(at_nine(title)), json!({"access": "read"}));
        world.create(owner, policy(reading, json!({"queueMs": MINUTE})));
    }
    world.run_for(8 * HOUR + 2 * MINUTE);
    insta::assert_snapshot!(told(&world), @"“Second” was given up at 2025-01-06 09:01 (Europe/Berlin): it had waited too long to be started");
}

#[test]
fn a_close_that_failed_is_told() {
    let (mut world, owner) = World::with_owner();
    world.closes_fail = true;
    for kind in [CloseKind::Reload, CloseKind::Dispose, CloseKind::Shutdown] {
        close(&mut world, owner, kind, CloseMode::Maintenance);
        world.settle();
    }
    insta::assert_snapshot!(told(&world), @r"
    The configuration could not be read anew: it could not be read
    The project could not be let go of: it could not be read
    The window could not be closed: it could not be read
    ");
}

#[test]
fn an_automation_that_rests_says_why() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, policy(at_nine("Report"), json!({"pauseAfterFailures": 2})));
    for _ in 0..2 {
        world.now = world.automation(&id).state.next_fire_at.unwrap();
        world.settle();
        let run = world.last_run(&id).id;
        world.finish(&run, exited(3));
    }
    insta::assert_snapshot!(told(&world), @r"
    “Report” failed at 2025-01-06 09:00 (Europe/Berlin): exit code 3
    “Report” failed at 2025-01-07 09:00 (Europe/Berlin): exit code 3
    “Report” paused itself after 2 failures in a row; resume it when that is mended
    ");
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, at_nine("Report"));
    world.now = world.automation(&id).state.next_fire_at.unwrap();
    world.tick(owner).unwrap();
    world.act(owner);
    let run = world.last_run(&id).id;
    world.set_stage(owner, &run, Some(Stage::Ended(not_started_of(ErrorClass::Auth))));
    world.carry(owner, &run);
    insta::assert_snapshot!(told(&world), @r"
    “Report” could not be started at 2025-01-06 09:00 (Europe/Berlin): of class Auth; do something
    “Report” paused itself: of class Auth; do something. Log in again, then resume the automation
    ");
}

#[test]
fn a_reminder_is_told_as_it_was_written() {
    let (mut world, owner) = World::with_owner();
    let task = json!({"kind": "notify", "text": "Take the tea out.\nIt is \u{1b}[1mgreen\u{1b}[0m."});
    world.create(owner, with(at_nine("Tea"), json!({"task": task})));
    world.advance(8 * HOUR);
    insta::assert_snapshot!(told(&world), @"Take the tea out. It is [1mgreen [0m.");
}

#[test]
fn a_reminder_that_was_missed_still_says_what_to_remember() {
    let (mut world, owner) = World::with_owner();
    let task = json!({"kind": "notify", "text": "Take the tea out."});
    let draft = with(at_nine("Tea"), json!({"task": task}));
    world.create(owner, policy(draft, json!({"missed": {"kind": "skip"}})));
    world.advance(9 * HOUR);
    insta::assert_snapshot!(told(&world), @"“Tea” was due at 2025-01-06 09:00 (Europe/Berlin), when nobody was there to show it: Take the tea out.");
}

#[test]
fn a_warning_says_whose_it_is() {
    let budget = json!({"budget": {"perRun": {"amount": 1.0, "currency": "USD"}}});
    let (mut world, owner, run) = at_work(policy(prompt(at_nine("Triage")), budget));
    world.report(owner, &run, Report::Cost(Money { amount: 0.85, currency: "USD".to_owned() })).unwrap();
    insta::assert_snapshot!(told(&world), @"“Triage”: it has cost 0.85 of the 1 USD that it may cost, and is ended when it has cost all of that; allow more if it is worth it (`policy.budget.perRun`)");
}

#[test]
fn a_time_that_clocks_show_twice_is_told_with_its_offset() {
    let (mut world, _, run) = at_work(at_nine("Nightly tests"));
    // Half past two in Berlin, when clocks show it for the second time.
    world.now = Timestamp::from_millis(1_761_442_200_000);
    world.finish(&run, exited(1));
    let told = told(&world);
    assert!(told.starts_with("“Nightly tests” failed at 2025-10-26 02:30 (UTC+01:00): "), "{told}");
}

#[test]
fn what_somebody_else_wrote_is_cut_and_steers_nothing() {
    let Need::Permission { request_id, options, .. } = permission("1") else { panic!("no permission") };
    let title = format!("run\u{1b}]0;owned\u{7}\n{}", "x".repeat(1000));
    let need = Need::Permission { request_id, title, options, tool: None };
    let (mut world, owner, run) = at_work(prompt(at_nine("Tri\u{202e}age")));
    world.report(owner, &run, Report::Blocked(need)).unwrap();
    let told = told(&world);
    assert!(told.starts_with("“Triage” asks for permission: run ]0;owned xxx"), "{told}");
    assert!(told.ends_with("x…"), "{told}");
    assert_eq!(told.chars().count(), "“Triage” asks for permission: ".chars().count() + 300);
}

#[test]
fn where_the_zone_is_not_known_times_are_told_as_utc() {
    let (mut world, _, run) = at_work(at_nine("Nightly tests"));
    world.finish(&run, exited(1));
    let event = Event::RunUpdated { run: Box::new(world.run_row(&run).run) };
    assert_eq!(event.text(None).unwrap(), "“Nightly tests” failed at 2025-01-06 08:00 UTC: exit code 1");
}
