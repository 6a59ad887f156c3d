//! A sidecar is killed with SIGKILL while it has work in hand.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell, with};
use crate::support::{Place, children_of, clock, eventually, processes_with, signal};

/// Less than the time between two looks that the owner takes by itself.
const AT_ONCE: Duration = Duration::from_secs(4);

/// What every process of this project has in its environment, below the guard too.
pub(crate) fn mark(place: &Place) -> String {
    format!("SEXTON_PROJECT={}", place.project().display())
}

pub(crate) fn all_gone(mark: &str) {
    eventually("everything of it is gone", || processes_with(mark).is_empty().then_some(()));
}

/// A window with a run at work that would never end, half of it in a session of its own.
pub(crate) fn at_work(place: &Place) -> (Client, Value) {
    let mut client = place.open();
    client.subscribe(json!({}));
    let line = "echo begun >> log; setsid sleep 1000 & sleep 1000";
    let automation = client.create(dormant("endless", shell(line)));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    place.wait_for_lines("log", 1);
    let mark = mark(place);
    // The shell, and both that it has started.
    eventually("all of it runs", || (processes_with(&mark).len() >= 3).then_some(()));
    (client, run)
}

#[test]
fn nothing_of_a_run_outlives_a_killed_sidecar() {
    let place = Place::new();
    let (client, _) = at_work(&place);
    client.kill();
    // Nobody else is there: it is the guard alone that sees to it.
    all_gone(&mark(&place));
}

#[test]
fn nothing_outlives_a_sidecar_that_is_killed_together_with_its_guards() {
    let place = Place::new();
    let (client, run) = at_work(&place);
    let guards = children_of(client.pid());
    assert_eq!(guards.len(), 1, "one guard for one run");
    client.kill();
    for guard in guards {
        // It may have ended already.
        let _ = std::process::Command::new("kill").args(["-s", "KILL", &guard.to_string()]).output();
    }
    let mut next = place.open();
    let ended = next.get("run/get", json!({"id": run}));
    assert_eq!((&ended["state"], &ended["stopReason"]), (&json!("stopped"), &json!("interrupted")));
    all_gone(&mark(&place));
    next.finish();
}

#[test]
fn a_killed_guard_is_a_crash_that_takes_the_work_with_it() {
    let place = Place::new();
    let (mut client, run) = at_work(&place);
    let waiting = client.create(dormant("waiting", shell("echo went on >> log")));
    let waiting = client.run(&waiting);
    for guard in children_of(client.pid()) {
        signal("KILL", guard);
    }
    let failed = client.wait_for_run(&run, "failed");
    assert_eq!((&failed["error"]["code"], &failed["error"]["class"]), (&json!("crashed"), &json!("crash")));
    assert!(failed["end"]["swept"].as_i64() >= Some(1), "what was left was found and killed: {failed}");
    client.wait_for_run(&waiting, "succeeded");
    all_gone(&mark(&place));
    assert_eq!(place.lines("log"), ["begun", "went on"]);
    client.finish();
}

#[test]
fn the_next_sidecar_records_the_interruption_and_lets_the_waiting_run_go() {
    let place = Place::new();
    let (mut client, run) = at_work(&place);
    let waiting = client.create(dormant("waiting", shell("echo went on >> log")));
    let waiting = client.get("automation/run", json!({"id": waiting}));
    assert_eq!(waiting["waiting"]["behind"], run);
    let seq = client.get("run/list", json!({}))["seq"].clone();
    client.kill();
    let mut next = place.open();
    assert_eq!(next.opened["scheduler"]["owner"], true);
    let ended = next.get("run/get", json!({"id": run}));
    assert_eq!(
        (&ended["state"], &ended["stopReason"]),
        (&json!("stopped"), &json!("interrupted")),
        "before initialize is answered"
    );
    assert!(ended["completedAt"].as_i64() >= ended["startedAt"].as_i64());
    let history = next.subscribe(json!({"after": seq}));
    let went_on = next.wait_for_run(&waiting["id"], "succeeded");
    assert_eq!(went_on["instanceID"], next.opened["instanceID"]);
    assert_eq!(place.lines("log"), ["begun", "went on"]);
    all_gone(&mark(&place));
    // Each change was told once, also those that nobody was there for.
    let events = next.events(&history);
    let told = |run: &Value, state: &str| {
        events.iter().filter(|event| event["run"]["id"] == *run && event["run"]["state"] == state).count()
    };
    assert_eq!((told(&run, "stopped"), told(&waiting["id"], "running")), (1, 1));
    next.finish();
}

#[test]
fn another_window_that_is_open_carries_on_beside_a_killed_one() {
    let place = Place::new();
    let (client, run) = at_work(&place);
    let mut other = place.open();
    client.kill();
    all_gone(&mark(&place));
    // Whoever comes next settles what was left, and everybody sees it.
    let next = place.open();
    assert_eq!(other.get("run/get", json!({"id": run}))["stopReason"], "interrupted");
    other.subscribe(json!({}));
    let automation = other.create(dormant("still there", shell("echo still there >> log")));
    let run = other.run(&automation);
    other.wait_for_run(&run, "succeeded");
    next.finish();
    other.finish();
}

#[test]
fn the_owner_settles_killed_windows_at_once_and_frees_their_directory() {
    let place = Place::new();
    let mut owner = place.open();
    owner.subscribe(json!({}));
    let waiting = owner.create(dormant("waiting", shell("echo went on >> log")));
    let mut took = Duration::ZERO;
    for _ in 0..5 {
        let (killed, run) = at_work(&place);
        assert_eq!(
            (&owner.opened["scheduler"]["owner"], &killed.opened["scheduler"]["owner"]),
            (&json!(true), &json!(false))
        );
        let waiting = owner.get("automation/run", json!({"id": waiting}));
        assert_eq!(waiting["waiting"]["behind"], run);
        let work: HashSet<u32> = processes_with(&mark(&place)).into_iter().collect();
        killed.kill();
        let began = clock();
        let ended = owner.wait_for_run(&run, "stopped");
        assert_eq!(ended["stopReason"], "interrupted");
        let left: Vec<u32> =
            processes_with(&mark(&place)).into_iter().filter(|pid| work.contains(pid)).collect();
        assert_eq!(left, Vec::<u32>::new(), "what is shown as stopped has gone");
        assert!(
            ended["end"]["tail"].is_string(),
            "every ended run that had a process tells its end: {ended}"
        );
        let went_on = owner.wait_for_run(&waiting["id"], "succeeded");
        took += began.elapsed();
        assert_eq!(went_on["instanceID"], owner.opened["instanceID"]);
        assert_eq!(place.lines("log"), ["begun", "went on"]);
        std::fs::remove_file(place.file("log")).expect("the log");
        all_gone(&mark(&place));
    }
    println!("five were settled in {took:?}");
    assert!(took < AT_ONCE, "the owner looks by itself as rarely as that: {took:?}");
    owner.finish();
}

/// A run that a window asks for while another one holds the directory.
fn waiting(client: &mut Client, title: &str) -> Value {
    let automation = client.create(dormant(title, shell(&format!("echo {title} >> log"))));
    let run = client.get("automation/run", json!({"id": automation}));
    assert_eq!(run["waiting"]["for"], "directory", "{run}");
    run["id"].clone()
}

/// What was at work in a killed window is interrupted, what had not begun is carried out by these, each once.
fn settled_by(alive: &mut [Client; 2], history: &str, interrupted: &Value, waited: &[Value]) {
    let instances = alive.each_ref().map(|client| client.opened["instanceID"].clone());
    let [watching, _] = alive;
    assert_eq!(watching.wait_for_run(interrupted, "stopped")["stopReason"], "interrupted");
    for run in waited {
        let ended = watching.wait_for_run(run, "succeeded");
        assert!(instances.contains(&ended["instanceID"]), "{ended}");
    }
    let events = watching.events(history);
    let told = |run: &Value, state: &str| {
        events.iter().filter(|event| event["run"]["id"] == *run && event["run"]["state"] == state).count()
    };
    assert_eq!(told(interrupted, "stopped"), 1);
    for run in waited {
        assert_eq!((told(run, "running"), told(run, "succeeded")), (1, 1), "each once");
    }
}

#[test]
fn what_a_killed_window_had_not_begun_is_carried_out_by_the_others_once() {
    let place = Place::new();
    let mut alive = [place.open(), place.open()];
    let history = alive[0].subscribe(json!({}));
    let (mut killed, run) = at_work(&place);
    assert_eq!(killed.opened["scheduler"]["owner"], false);
    let waited = ["first", "second"].map(|title| waiting(&mut killed, title));
    killed.kill();
    settled_by(&mut alive, &history, &run, &waited);
    assert_eq!(place.lines("log"), ["begun", "first", "second"]);
    all_gone(&mark(&place));
    alive.into_iter().for_each(Client::finish);
}

#[test]
fn what_a_killed_window_was_given_and_had_not_begun_is_carried_out_by_the_others_once() {
    let place = Place::new();
    let mut alive = [place.open(), place.open()];
    let history = alive[0].subscribe(json!({}));
    let (mut gate, _, holding) = place.held_up(&mut alive[0], "holding");
    let mut killed = place.open();
    killed.subscribe(json!({}));
    // It keeps nobody waiting, and would never end.
    let draft = dormant("reading", shell("echo begun >> log; exec sleep 1000"));
    let reading = killed.create(with(draft, "access", json!("read")));
    let reading = killed.run(&reading);
    killed.wait_for_run(&reading, "running");
    place.wait_for_lines("log", 1);
    let waited = ["first", "second"].map(|title| waiting(&mut killed, title));
    // It lives, so that it is given what it has asked for, and it begins nothing.
    signal("STOP", killed.pid());
    gate.open();
    alive[0].wait_for_run(&holding, "succeeded");
    alive[0].wait_for_event("the first is given", |event| {
        let run = &event["run"];
        run["id"] == waited[0] && run["state"] == "scheduled" && run.get("waiting").is_none()
    });
    killed.kill();
    settled_by(&mut alive, &history, &reading, &waited);
    assert_eq!(place.lines("log"), ["begun", "first", "second"]);
    all_gone(&mark(&place));
    alive.into_iter().for_each(Client::finish);
}

#[test]
fn killed_again_and_again_no_slot_fires_twice_and_every_slot_is_answered_for() {
    let place = Place::new();
    let open = || place.open_with(json!({"minIntervalMs": 20}));
    let mut client = open();
    let made = client.get("automation/create", every("ticking", 20, shell(LOG)));
    for round in 0..10 {
        place.wait_for_lines("log", 3 * (round + 1));
        client.kill();
        client = open();
    }
    place.wait_for_lines("log", 35);
    client.get("automation/delete", json!({"id": made["id"]}));
    let lines = place.lines("log");
    let unique: HashSet<&String> = lines.iter().collect();
    assert_eq!(unique.len(), lines.len(), "a slot fired twice: {lines:?}");

    let mut runs = Vec::new();
    let mut page = client.get("run/list", json!({"automationID": made["id"], "limit": 100}));
    loop {
        runs.extend(page["items"].as_array().unwrap().clone());
        if page["nextCursor"].is_null() {
            break;
        }
        page = client
            .get("run/list", json!({"automationID": made["id"], "limit": 100, "cursor": page["nextCursor"]}));
    }
    let at = |value: &Value| value.as_i64().unwrap();
    let mut ranges: Vec<(i64, i64, i64)> = runs
        .iter()
        .map(|run| &run["slots"])
        .map(|slots| (at(&slots["fromAt"]), at(&slots["toAt"]), at(&slots["count"])))
        .collect();
    ranges.sort_unstable();
    let mut answered = at(&made["createdAt"]);
    for (from, to, count) in ranges {
        assert_eq!(from, answered + 20, "slots that nothing or two answer for, at {from}");
        assert_eq!((to - from) / 20 + 1, count);
        answered = to;
    }
    // What a command has logged, a run answers for; what was interrupted at its start may not have logged.
    let done: HashSet<String> = runs.iter().map(|run| run["scheduledAt"].to_string()).collect();
    assert!(lines.iter().all(|line| done.contains(line)));
    let succeeded = runs.iter().filter(|run| run["state"] == "succeeded").count();
    println!("{} spawns, {succeeded} of {} runs succeeded", lines.len(), runs.len());
    assert!(succeeded <= lines.len(), "a run that succeeded without having run");
    client.finish();
}
