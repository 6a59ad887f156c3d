//! The machine sleeps, and its clock is set, while real sidecars run on it (`support::machine`).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, every, once, shell, with};
use crate::support::machine::Machine;
use crate::support::{Place, eventually, nothing_happens};

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Longer than a loop goes without looking at the clock.
const LOOKED: Duration = Duration::from_secs(6);

fn open(place: &Place, machine: &Machine, stable_wake_ms: i64) -> Client {
    let limits = json!({"stableWakeMs": stable_wake_ms, "minIntervalMs": 100});
    machine.carries(place.sidecar()).option("limits", limits).open()
}

fn runs(client: &mut Client, automation: &Value) -> Vec<Value> {
    let listed = client.get("run/list", json!({"automationID": automation}));
    listed["items"].as_array().expect("runs").iter().rev().cloned().collect()
}

fn is_suspend(event: &Value) -> bool {
    event["kind"] == "scheduler.suspended"
}

fn is_clock(event: &Value) -> bool {
    event["kind"] == "scheduler.clock"
}

fn span(event: &Value) -> i64 {
    let at = |end: &str| event["scheduler"][end].as_i64().expect("an instant");
    at("to") - at("from")
}

/// Whether a span is this one, as far as can be told from outside.
fn is_about(span: i64, expected: i64) -> bool {
    (span - expected).abs() < 2 * SECOND
}

/// Every day at the hour that comes in four hours.
fn daily_in_four_hours(machine: &Machine) -> (Value, i64) {
    let at = machine.now() + 4 * HOUR;
    let hour = at.rem_euclid(DAY) / HOUR;
    let rhythm = json!({"kind": "cron", "expression": format!("0 {hour} * * *")});
    let draft = with(every("daily", DAY, shell(LOG)), "rhythm", rhythm);
    (with(draft, "timezone", json!("UTC")), at - at.rem_euclid(HOUR))
}

#[test]
fn a_slot_that_was_overslept_is_caught_up_with_once_when_the_machine_is_stable() {
    let place = Place::new();
    let mut machine = Machine::new();
    let mut windows = [0; 3].map(|_| open(&place, &machine, 1500));
    let (daily, due) = daily_in_four_hours(&machine);
    let automation = windows[0].create(daily);
    let subscriptions = windows.each_mut().map(|window| window.subscribe(json!({})));
    machine.suspend(8 * HOUR);
    let mut noticed_at = 0;
    for window in &mut windows {
        let told = window.wait_for_event("the suspend", is_suspend);
        assert!(is_about(span(&told), 8 * HOUR), "{told}");
        noticed_at = told["scheduler"]["to"].as_i64().unwrap();
    }
    assert_eq!(place.wait_for_lines("log", 1), [due.to_string()]);
    let run = runs(&mut windows[0], &automation).pop().unwrap();
    assert_eq!(run["trigger"], json!({"kind": "catchUp"}));
    assert_eq!(run["slots"], json!({"fromAt": due, "toAt": due, "count": 1}));
    let awake_for = run["triggeredAt"].as_i64().unwrap() - noticed_at;
    assert!(awake_for >= 1500, "claimed {awake_for} ms after the wake");
    nothing_happens(LOOKED, || assert_eq!(place.lines("log").len(), 1, "caught up with twice"));
    for (window, subscription) in windows.iter_mut().zip(&subscriptions) {
        let status = window.get("scheduler/status", json!({}));
        let suspended = status["suspended"].as_array().unwrap();
        assert_eq!(suspended.len(), 1, "{status}");
        let told = window.events(subscription);
        let told: Vec<&Value> = told.iter().filter(|event| is_suspend(event)).collect();
        assert_eq!(told.len(), 1, "recorded once");
        assert_eq!((&told[0]["scheduler"], &told[0]["important"]), (&suspended[0], &json!(false)));
    }
    windows.into_iter().for_each(Client::finish);
}

#[test]
fn a_slot_is_not_consumed_in_a_two_second_wake() {
    let place = Place::new();
    let mut machine = Machine::new();
    let mut client = open(&place, &machine, 60 * SECOND);
    client.subscribe(json!({}));
    let automation = client.create(once("overslept", machine.now() + HOUR, shell(LOG)));
    for night in 1..=2 {
        machine.suspend(2 * HOUR);
        client.wait(&format!("suspend {night}"), |client| {
            let status = client.get("scheduler/status", json!({}));
            (status["suspended"].as_array().unwrap().len() == night).then_some(())
        });
    }
    // What is asked for does not wait, and neither does a window that is opened now.
    let mut other = open(&place, &machine, 0);
    let by_hand = other.run(&automation);
    client.wait_for_run(&by_hand, "succeeded");
    nothing_happens(LOOKED, || assert_eq!(place.lines("log").len(), 1));
    assert_eq!(runs(&mut client, &automation).len(), 1, "only the one by hand");
    let due = client.get("automation/get", json!({"id": automation}))["state"]["nextFireAt"].clone();
    assert!(due.as_i64().unwrap() < machine.now(), "it is still due");
    other.finish();
    client.finish();
}

#[test]
fn a_clock_that_is_set_back_by_a_day_fires_no_cron_twice_and_the_interval_goes_on() {
    let place = Place::new();
    let mut machine = Machine::new();
    let mut client = open(&place, &machine, 0);
    client.subscribe(json!({}));
    let (daily, due) = daily_in_four_hours(&machine);
    let cron = client.create(daily);
    machine.suspend(4 * HOUR);
    assert_eq!(place.wait_for_lines("log", 1), [due.to_string()]);
    let interval = client.create(every("often", 1000, shell("echo tick >> ticks")));
    place.wait_for_lines("ticks", 2);
    machine.set_clock(-DAY);
    let told = client.wait_for_event("the clock", is_clock);
    assert!(is_about(span(&told), -DAY), "{told}");
    let ticks = place.lines("ticks").len();
    place.wait_for_lines("ticks", ticks + 3);
    let shown = |client: &mut Client, id: &Value| client.get("automation/get", json!({"id": id}));
    assert!(shown(&mut client, &interval)["state"]["nextFireAt"].as_i64().unwrap() < machine.now() + 5000);
    assert_eq!(shown(&mut client, &cron)["state"]["nextFireAt"], due + DAY);
    // The hour comes again, and goes.
    machine.suspend(due - machine.now() + SECOND);
    place.wait_for_lines("ticks", ticks + 6);
    assert_eq!(place.lines("log"), [due.to_string()]);
    client.finish();
}

#[test]
fn a_clock_that_is_a_year_ahead_for_a_moment_has_nobody_miss_a_year() {
    let place = Place::new();
    let mut machine = Machine::new();
    let mut windows = [0; 2].map(|_| open(&place, &machine, 0));
    let subscription = windows[1].subscribe(json!({}));
    let automation = windows[0].create(every("often", 500, shell("echo tick >> ticks")));
    place.wait_for_lines("ticks", 2);
    machine.set_clock(365 * DAY);
    let told = windows[1].wait_for_event("the clock", is_clock);
    assert!(is_about(span(&told), 365 * DAY), "{told}");
    let mut third = open(&place, &machine, 0);
    let ticks = place.lines("ticks").len();
    nothing_happens(LOOKED, || assert!(place.lines("ticks").len() <= ticks + 1, "by a wrong clock"));
    let meanwhile = third.get("automation/get", json!({"id": automation}))["revision"].clone();
    let status = windows[1].get("scheduler/status", json!({}));
    let reasons = status["reasons"].as_array().unwrap();
    let told = "the clock was set ahead by 8760 hours, so it may be wrong: no schedule fires for another ";
    assert!(status["health"] == "degraded" && reasons.len() == 1, "{status}");
    assert!(reasons[0].as_str().unwrap().starts_with(told), "{status}");
    machine.set_clock(-365 * DAY);
    let ticks = place.lines("ticks").len();
    place.wait_for_lines("ticks", ticks + 3);
    let told = eventually("both events", || {
        windows[1].take_in();
        let told: Vec<Value> = windows[1].events(&subscription).into_iter().filter(is_clock).collect();
        (told.len() >= 2).then_some(told)
    });
    assert!(told.len() == 2 && is_about(span(&told[1]), -365 * DAY), "{told:?}");
    let status = windows[1].get("scheduler/status", json!({}));
    assert_eq!((&status["health"], &status["reasons"]), (&json!("ok"), &json!([])));
    let most = runs(&mut third, &automation).iter().map(|run| run["slots"]["count"].as_i64().unwrap()).max();
    assert!(most < Some(10_000), "a year was answered for: {most:?}");
    assert_eq!(third.get("automation/get", json!({"id": automation}))["revision"], meanwhile);
    third.finish();
    windows.into_iter().for_each(Client::finish);
}
