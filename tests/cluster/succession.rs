//! Who rings the bell when its owner has gone, is stopped, or has lost its lock.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, once, shell, with};
use crate::support::{Place, clock, eventually, ledger, signal, wall_ms};

/// Takeover and settling take milliseconds, and leaving in an orderly way a second at most; on a machine that does a dozen
/// other things they may take longer, but never as long as the look that every window takes now and then.
const AT_ONCE_MS: u128 = 4_000;

fn status(client: &mut Client) -> Value {
    client.get("scheduler/status", json!({}))
}

/// Waits until this window is told that it owns the bell, and gives the term.
fn until_owner(client: &mut Client) -> i64 {
    let me = client.opened["instanceID"].clone();
    let told = client.wait_for_event("the bell is ours", |event| {
        event["kind"] == "scheduler.owner" && event["scheduler"]["instanceID"] == me
    });
    told["scheduler"]["term"].as_i64().expect("a number")
}

/// No slot was fired twice, and none up to now is without an answer: a run, or a place among those that a run answers
/// for or has skipped.
fn each_slot_once(place: &Place, client: &mut Client, every_ms: i64) {
    let lines = place.lines("log");
    let unique: HashSet<&String> = lines.iter().collect();
    assert_eq!(unique.len(), lines.len(), "a slot fired twice: {lines:?}");
    let automation = client.get("automation/list", json!({}))["items"][0].clone();
    let at = |value: &Value| value.as_i64().expect("a time");
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    let mut asked = json!({"automationID": automation["id"], "limit": 100});
    loop {
        let page = client.get("run/list", asked.clone());
        for run in page["items"].as_array().expect("a page") {
            for slots in [&run["slots"], &run["skipped"]].into_iter().filter(|slots| slots.is_object()) {
                ranges.push((at(&slots["fromAt"]), at(&slots["toAt"])));
            }
        }
        if page["nextCursor"].is_null() {
            break;
        }
        asked["cursor"] = page["nextCursor"].clone();
    }
    ranges.sort_unstable();
    let mut answered = at(&automation["createdAt"]);
    for (from, to) in ranges {
        assert_eq!(from, answered + every_ms, "a gap or an overlap of slots");
        answered = to;
    }
}

/// How the owner of the bell goes.
type End = fn(Client);

#[test]
fn the_next_owner_is_there_at_once_however_the_owner_goes() {
    let ends: [(&str, End); 3] = [
        ("killed", Client::kill),
        ("says goodbye", Client::finish),
        ("end of input", |mut client| {
            client.close_input();
            assert_eq!(client.exit_code(), Some(0));
        }),
    ];
    for (how, end) in ends {
        let place = Place::new();
        let limits = json!({"minIntervalMs": 100});
        let mut owner = place.open_with(limits.clone());
        let mut next = place.open_with(limits.clone());
        let mut third = place.open_with(limits);
        next.subscribe(json!({}));
        assert_eq!(status(&mut next)["isOwner"], false);
        // Due long before anybody looks by itself.
        owner.create(every("ticking", 200, shell(LOG)));
        place.wait_for_lines("log", 2);
        let began = clock();
        end(owner);
        let term = next.wait_for_event("a new owner", |event| event["kind"] == "scheduler.owner");
        let took = began.elapsed();
        println!("{how}: the next owner after {took:?}");
        assert!(took.as_millis() < AT_ONCE_MS, "{how}: {took:?}");
        assert_eq!(term["scheduler"]["term"], 2);
        let told = status(&mut third);
        assert_eq!(told["owner"]["instanceID"], term["scheduler"]["instanceID"], "{how}");
        let fired = place.lines("log").len();
        place.wait_for_lines("log", fired + 3);
        each_slot_once(&place, &mut third, 200);
        third.finish();
        next.finish();
    }
}

#[test]
fn sixteen_windows_die_one_after_the_other_and_each_time_one_owner_follows() {
    let place = Place::new();
    let mut windows: Vec<Client> = (0..16).map(|_| place.open_with(json!({"minIntervalMs": 100}))).collect();
    let mut observer = place.sidecar().option("role", json!("observer")).open();
    observer.subscribe(json!({}));
    windows[0].create(every("ticking", 100, shell(LOG)));
    for term in 2..=16 {
        let owner = status(&mut observer)["owner"]["instanceID"].clone();
        let at = windows.iter().position(|window| window.opened["instanceID"] == owner).unwrap();
        windows.swap_remove(at).kill();
        let told = observer.wait_for_event("the next owner", |event| {
            event["kind"] == "scheduler.owner" && event["scheduler"]["term"] == term
        });
        assert_ne!(told["scheduler"]["instanceID"], owner);
        let fired = place.lines("log").len();
        place.wait_for_lines("log", fired + 1);
    }
    windows.pop().unwrap().kill();
    // An observer never owns: nobody rings any more.
    eventually("nobody owns the bell", || status(&mut observer)["owner"].is_null().then_some(()));
    each_slot_once(&place, &mut observer, 100);
    observer.finish();
}

#[test]
fn what_is_due_when_the_owner_dies_is_fired_by_the_next_one_without_waiting() {
    let place = Place::new();
    let owner = place.open();
    let mut next = place.open();
    next.subscribe(json!({}));
    let due = wall_ms() + 1_500;
    next.create(once("while nobody rings", due, shell(LOG)));
    // It cannot claim what is due, and dies after that was.
    ledger::stop_between_writes(&owner);
    eventually("it is due", || (wall_ms() > due).then_some(()));
    let began = clock();
    owner.kill();
    place.wait_for_lines("log", 1);
    let took = began.elapsed();
    assert!(took.as_millis() < AT_ONCE_MS, "{took:?}");
    assert_eq!(until_owner(&mut next), 2);
    assert_eq!(place.lines("log"), [due.to_string()]);
    next.finish();
}

#[test]
fn a_stopped_owner_delays_slots_and_does_not_silence_them() {
    let place = Place::new();
    let limits = json!({"standbyMs": 300});
    let owner = place.open_with(limits.clone());
    let mut next = place.open_with(limits);
    // Each is an automation of its own and only reads: what the owner has in hand when it is stopped keeps nobody
    // else waiting.
    let slots: Vec<i64> = (1..=14).map(|number| wall_ms() + 500 + 250 * number).collect();
    for slot in &slots {
        next.create(with(once("one of many", *slot, shell(LOG)), "access", json!("read")));
    }
    for _ in 0..3 {
        ledger::stop_between_writes(&owner);
        let fired = place.lines("log").len();
        place.wait_for_lines("log", fired + 2);
        let told = status(&mut next);
        assert_eq!((&told["isOwner"], &told["owner"]["term"]), (&json!(false), &json!(1)), "it stands by");
        signal("CONT", owner.pid());
        let fired = place.lines("log").len();
        place.wait_for_lines("log", fired + 1);
    }
    let mut fired = place.wait_for_lines("log", slots.len());
    fired.sort();
    assert_eq!(fired, slots.iter().map(i64::to_string).collect::<Vec<_>>(), "each once");
    next.finish();
    owner.finish();
}

#[test]
fn a_run_that_a_stopped_window_was_given_is_carried_out_by_another() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    let limits = json!({"standbyMs": 300});
    let mut owner = place.open_with(limits.clone());
    let mut other = place.open_with(limits);
    owner.subscribe(json!({}));
    let ahead = owner.create(dormant("ahead", shell("read line < gate")));
    let ahead = owner.run(&ahead);
    owner.wait_for_run(&ahead, "running");
    let waiting = other.create(dormant("waiting", shell("echo done >> log")));
    let waiting = other.run(&waiting);
    ledger::stop_between_writes(&other);
    gate.open();
    let running = owner.wait_for_run(&waiting, "running");
    assert_eq!(running["instanceID"], owner.opened["instanceID"]);
    owner.wait_for_run(&waiting, "succeeded");
    signal("CONT", other.pid());
    assert_eq!(other.get("run/get", json!({"id": waiting}))["state"], "succeeded");
    other.finish();
    assert_eq!(place.lines("log"), ["done"]);
    owner.finish();
}

#[test]
fn what_a_stopped_window_does_not_tell_of_keeps_nobody_waiting_for_long() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    // What a busy machine is slow to begin in one window must not be taken up by the other, so that the one is stopped that
    // has it.
    let limits = json!({"standbyMs": 4000, "maxConcurrentRuns": 1});
    let mut owner = place.open_with(limits.clone());
    let mut other = place.open_with(limits);
    owner.subscribe(json!({}));
    let held = other.create(dormant("held", shell("read line < gate; echo done >> log")));
    let held = other.run(&held);
    let running = owner.wait_for_run(&held, "running");
    assert_eq!(running["instanceID"], other.opened["instanceID"]);
    let waiting = owner.create(with(dormant("waiting", shell("true")), "access", json!("read")));
    let waiting = owner.run(&waiting);
    ledger::stop_between_writes(&other);
    gate.open();
    place.wait_for_lines("log", 1);
    let began = clock();
    // It has ended, and only its window knows how.
    let ended = owner.wait_for_event("it has ended", |event| {
        event["run"]["id"] == held && event["run"]["completedAt"].is_i64()
    });
    let ended = ended["run"].clone();
    println!("it was ended for its window after {:?}", began.elapsed());
    assert_eq!(
        (&ended["state"], &ended["stopReason"]),
        (&json!("stopped"), &json!("interrupted")),
        "{ended}"
    );
    owner.wait_for_run(&waiting, "succeeded");
    signal("CONT", other.pid());
    assert_eq!(other.get("run/get", json!({"id": held})), ended, "its late report changes nothing");
    other.finish();
    owner.finish();
}

#[test]
fn a_stop_that_a_stopped_window_does_not_carry_out_is_carried_out_by_another() {
    let place = Place::new();
    let mut owner = place.open();
    let mut other = place.open();
    owner.subscribe(json!({}));
    let endless = other.create(dormant("endless", shell("sleep 1000")));
    let run = other.run(&endless);
    owner.wait_for_run(&run, "running");
    ledger::stop_between_writes(&other);
    for _ in 0..2 {
        // Asked twice, it is to be killed at once.
        owner.get("run/cancel", json!({"id": run}));
    }
    let stopped = owner.wait_for_run(&run, "stopped");
    assert_eq!(stopped["stopReason"], "cancelled");
    assert!(stopped["end"]["swept"].as_i64() >= Some(1), "the command was killed: {stopped}");
    crate::killed::all_gone(&crate::killed::mark(&place));
    let next = owner.create(dormant("next", shell("true")));
    let next = owner.run(&next);
    owner.wait_for_run(&next, "succeeded");
    signal("CONT", other.pid());
    assert_eq!(other.get("run/get", json!({"id": run})), stopped, "its late report changes nothing");
    other.finish();
    owner.finish();
}

#[test]
fn a_lock_that_is_deleted_under_everybody_has_one_holder_again() {
    let place = Place::new();
    let limits = json!({"minIntervalMs": 100});
    let mut windows: Vec<Client> = (0..4).map(|_| place.open_with(limits.clone())).collect();
    windows[0].create(every("ticking", 200, shell(LOG)));
    let lock = ledger::directory(&windows[0]).join("owner.lock");
    for _ in 0..5 {
        std::fs::remove_file(&lock).unwrap();
        let fired = place.lines("log").len();
        place.wait_for_lines("log", fired + 2);
        eventually("there is a lock again", || lock.exists().then_some(()));
    }
    // Whoever has the one that counts dies, and somebody is in line for it.
    let owner = status(&mut windows[0])["owner"]["instanceID"].clone();
    let at = windows.iter().position(|window| window.opened["instanceID"] == owner).unwrap();
    windows.swap_remove(at).kill();
    let fired = place.lines("log").len();
    place.wait_for_lines("log", fired + 2);
    each_slot_once(&place, &mut windows[0], 200);
    windows.into_iter().for_each(Client::finish);
}
