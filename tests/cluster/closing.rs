//! A window lets go of the project while others have it open, or is killed before it could.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::killed::{all_gone, mark};
use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell, with};
use crate::support::{Place, clock, eventually};

/// Taking the bell takes milliseconds; on a machine that does a dozen other things it may take longer, but never as long
/// as the look that every window takes now and then.
const AT_ONCE_MS: u128 = 2_000;

fn close(client: &mut Client, kind: &str) -> Value {
    client.get("lifecycle/close", json!({"kind": kind, "mode": "maintenance"}))
}

fn lifecycle(client: &mut Client) -> Value {
    client.get("lifecycle/status", json!({}))
}

fn idle() -> Value {
    json!({"activeRuns": [], "holds": [], "pending": []})
}

/// Waits until this window is told of the owner of this term, and gives who that is.
fn owner_of(client: &mut Client, term: i64) -> Value {
    let told = client.wait_for_event(&format!("the owner of term {term}"), |event| {
        event["kind"] == "scheduler.owner" && event["scheduler"]["term"] == term
    });
    told["scheduler"]["instanceID"].clone()
}

#[test]
fn the_bell_passes_when_its_owner_gives_up_the_project_and_may_come_back_after_a_reload() {
    let place = Place::new();
    let limits = json!({"minIntervalMs": 100});
    let mut first = place.open_with(limits.clone());
    let mut second = place.open_with(limits);
    first.subscribe(json!({}));
    second.subscribe(json!({}));
    first.create(every("ticking", 200, shell(LOG)));
    place.wait_for_lines("log", 2);
    let began = clock();
    // A run may be at work, for a moment.
    close(&mut first, "dispose");
    assert_eq!(owner_of(&mut second, 2), second.opened["instanceID"]);
    let took = began.elapsed();
    println!("the next owner after {took:?}");
    assert!(took.as_millis() < AT_ONCE_MS, "{took:?}");
    let fired = place.lines("log").len();
    place.wait_for_lines("log", fired + 3);
    assert_eq!(close(&mut first, "reload")["status"], "completed");
    assert_eq!(first.get("scheduler/status", json!({}))["isOwner"], false);
    let began = clock();
    second.kill();
    assert_eq!(owner_of(&mut first, 3), first.opened["instanceID"], "it stands in line again");
    let took = began.elapsed();
    assert!(took.as_millis() < AT_ONCE_MS, "{took:?}");
    let fired = place.lines("log").len();
    let lines = place.wait_for_lines("log", fired + 3);
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), lines.len(), "no slot fired twice");
    first.finish();
}

#[test]
fn whoever_has_given_up_the_project_does_not_stand_in_the_way_of_the_next_owner() {
    let place = Place::new();
    let owner = place.open();
    let mut disposed = place.open();
    let mut next = place.open();
    next.subscribe(json!({}));
    // It stood in line before the other one.
    assert_eq!(close(&mut disposed, "dispose")["status"], "completed");
    let began = clock();
    owner.kill();
    assert_eq!(owner_of(&mut next, 2), next.opened["instanceID"]);
    let took = began.elapsed();
    assert!(took.as_millis() < AT_ONCE_MS, "{took:?}");
    next.kill();
    // Nobody is left who takes part.
    eventually("nobody rings", || {
        disposed.get("scheduler/status", json!({}))["owner"].is_null().then_some(())
    });
    assert_eq!(close(&mut disposed, "reload")["status"], "completed");
    eventually("it rings", || (disposed.get("scheduler/status", json!({}))["isOwner"] == true).then_some(()));
    disposed.finish();
}

#[test]
fn what_a_window_does_not_carry_out_any_more_goes_on_in_another() {
    let place = Place::new();
    let mut closing = place.open();
    let mut other = place.open();
    closing.subscribe(json!({}));
    other.subscribe(json!({}));
    let (mut gate, _, held_up) = place.held_up(&mut closing, "held up");
    let id = close(&mut closing, "dispose")["lifecycleActionID"].clone();
    let reader = closing.create(with(dormant("reader", shell("true")), "access", json!("read")));
    let reading = closing.run(&reader);
    let read = closing.wait_for_run(&reading, "succeeded");
    assert_eq!(read["instanceID"], other.opened["instanceID"], "it does not wait for the close");
    let writer = closing.create(dormant("writer", shell("true")));
    let writing = closing.get("automation/run", json!({"id": writer}));
    assert_eq!((&writing["waiting"]["for"], &writing["waiting"]["behind"]), (&json!("directory"), &held_up));
    gate.open();
    let written = other.wait_for_run(&writing["id"], "succeeded");
    assert_eq!(written["instanceID"], other.opened["instanceID"]);
    other.wait_for_event("the close", |event| event["lifecycle"]["id"] == id);
    assert_eq!(lifecycle(&mut other), idle());
    closing.finish();
    other.finish();
}

#[test]
fn a_window_that_closes_is_of_no_concern_to_others() {
    let place = Place::new();
    let mut closing = place.open();
    let mut other = place.open();
    other.subscribe(json!({}));
    let (mut gate, _, held_up) = place.held_up(&mut other, "held up");
    for kind in ["reload", "dispose"] {
        assert_eq!(close(&mut closing, kind)["status"], "completed", "{kind}: it is not its run");
    }
    let active = lifecycle(&mut other)["activeRuns"].clone();
    assert_eq!(active[0]["runID"], held_up);
    assert_eq!(lifecycle(&mut closing), idle());
    gate.open();
    other.wait_for_run(&held_up, "succeeded");
    closing.finish();
    other.finish();
}

#[test]
fn nothing_is_closing_or_held_after_its_window_was_killed() {
    let place = Place::new();
    let mut killed = place.open();
    let mut other = place.open();
    killed.subscribe(json!({}));
    let subscription = other.subscribe(json!({}));
    let (_gate, _, held_up) = place.held_up(&mut killed, "held up");
    killed.get("directory/hold", json!({"title": "an agent at work"}));
    killed.get("directory/hold", json!({"title": "elsewhere", "directory": place.beside("elsewhere")}));
    assert_eq!(close(&mut killed, "reload")["status"], "deferred");
    assert_eq!(close(&mut killed, "dispose")["status"], "deferred");
    let writer = other.create(dormant("writer", shell("echo written >> log")));
    let writing = other.get("automation/run", json!({"id": writer}));
    assert_eq!(writing["waiting"]["behind"], held_up);
    killed.kill();
    assert_eq!(other.wait_for_run(&held_up, "stopped")["stopReason"], "interrupted");
    other.wait_for_run(&writing["id"], "succeeded");
    all_gone(&mark(&place));
    assert_eq!(lifecycle(&mut other), idle());
    let closes = other.events(&subscription).into_iter().filter(|event| event["lifecycle"].is_object());
    let told = closes.map(|event| (event["kind"].clone(), event["lifecycle"]["kind"].clone()));
    let expected = ["reload", "dispose"].map(|kind| (json!("lifecycle.failed"), json!(kind)));
    assert_eq!(told.collect::<Vec<_>>(), expected, "they never happened, and that is told");
    let mut next = place.open();
    assert_eq!(lifecycle(&mut next), idle());
    next.finish();
    other.finish();
}

#[test]
fn a_hold_goes_with_its_window() {
    let place = Place::new();
    let mut other = place.open();
    other.subscribe(json!({}));
    type End = fn(Client);
    let ends: [(&str, End); 3] = [
        ("killed", Client::kill),
        ("says goodbye", Client::finish),
        ("end of input", |mut client| {
            client.close_input();
            assert_eq!(client.exit_code(), Some(0));
        }),
    ];
    for (how, end) in ends {
        let mut holder = place.open();
        let held = holder.get("directory/hold", json!({"title": "an agent at work"}));
        let writer = other.create(dormant("writer", shell("true")));
        let writing = other.get("automation/run", json!({"id": writer}));
        assert_eq!((&writing["waiting"]["for"], &writing["waiting"]["behind"]), (&json!("directory"), &held));
        end(holder);
        let written = other.wait_for_run(&writing["id"], "succeeded");
        assert_eq!(written["instanceID"], other.opened["instanceID"], "{how}");
    }
    other.finish();
}
