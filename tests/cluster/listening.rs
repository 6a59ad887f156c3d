//! Clients that stop listening: by dying in the middle of what they are told, or by not reading at all.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell};
use crate::support::{Place, clock, eventually, signal};

/// The longest stream that is told, and where the client dies.
const EVENTS: i64 = 10_000;
const HEARD: usize = 5_000;

#[test]
fn a_client_that_is_killed_in_the_middle_of_a_stream_goes_on_where_it_was() {
    let place = Place::new();
    let mut writer = place.open();
    let automation = writer.create(dormant("on and off", shell("true")));
    let began = clock();
    let mut newest = 0;
    while newest < EVENTS {
        let asked: Vec<String> = (0..2000)
            .map(|number| {
                let method = if number % 2 == 0 { "automation/pause" } else { "automation/resume" };
                writer.send(method, json!({"id": automation}))
            })
            .collect();
        for id in asked {
            writer.answer(&id).unwrap();
        }
        newest = writer.get("automation/list", json!({}))["seq"].as_i64().unwrap();
    }
    println!("{newest} events in {:?}", began.elapsed());
    // Whoever dies has its pipes closed by the system, whatever was in them.
    let mut dying = place.sidecar().deaf().spawn();
    let params = dying.initialize_params();
    dying.send("initialize", params);
    dying.send("events/subscribe", json!({"after": 0}));
    let lines = BufReader::new(dying.give_output()).lines().map(|line| line.expect("a line"));
    let heard: Vec<i64> = lines.filter_map(|line| seq(&line)).take(HEARD).collect();
    dying.close_input();
    dying.exit_code();
    // A new sidecar, and the client begins after the last that it has heard of.
    let mut next = place.open();
    let last = *heard.last().unwrap();
    let subscription = next.subscribe(json!({"after": last, "ledgerID": next.opened["ledgerID"]}));
    let end = writer.get("automation/list", json!({}))["seq"].as_i64().unwrap();
    next.wait_for_event("the rest", |event| event["seq"].as_i64() >= Some(end));
    let told = next.events(&subscription);
    assert!(told.iter().all(|event| event["kind"] != "resync"));
    let rest = told.iter().map(|event| event["seq"].as_i64().unwrap());
    let all: Vec<i64> = heard.iter().copied().chain(rest).collect();
    assert_eq!(all, (1..=end).collect::<Vec<_>>(), "each exactly once and in order");
    assert!(all.len() >= 10_000);
    next.finish();
    writer.finish();
}

/// Of an event; none of an answer.
fn seq(line: &str) -> Option<i64> {
    let message: Value = serde_json::from_str(line).expect("a message");
    message["params"]["result"]["seq"].as_i64()
}

/// What a sidecar takes in memory, in MiB.
fn resident(client: &Client) -> usize {
    let status = Path::new("/proc").join(client.pid().to_string()).join("status");
    let status = std::fs::read_to_string(status).expect("it lives");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a resident size");
    let kib: usize = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    kib / 1024
}

#[test]
fn a_client_that_never_reads_keeps_nobody_waiting_and_takes_no_more_than_a_bound() {
    /// What is on its way to the client, what looks may come to before they wait, and the sidecar itself, each twice
    /// over: as it was read, and as it is written.
    const BOUND_MIB: usize = 300;
    let place = Place::new();
    let limits = json!({"minIntervalMs": 100});
    let mut deaf = place.sidecar().option("limits", limits.clone()).deaf().spawn();
    let params = deaf.initialize_params();
    deaf.send("initialize", params);
    // It owns the bell before the other one comes.
    deaf.send("automation/create", every("ticking", 100, shell(LOG)));
    place.wait_for_lines("log", 1);
    let mut other = place.open_with(limits);
    assert_eq!(other.opened["scheduler"]["owner"], false);
    // Each of these characters is written as six.
    let (argument, stdin) = ("\u{1}".repeat(100_000), "\u{1}".repeat(65_000));
    for number in 0..14 {
        let mut task = shell("true");
        task["stdin"] = json!(stdin);
        task["args"] = json!([argument]);
        other.create(dormant(&format!("long {number}"), task));
    }
    // Fourteen megabytes each: without a bound these would be gigabytes.
    deaf.send("events/subscribe", json!({"after": 0}));
    for _ in 0..500 {
        deaf.send("automation/list", json!({}));
    }
    let mut most = 0;
    let mut fired = place.lines("log").len();
    // It is full when it takes no more memory for as long as thirty slots take.
    loop {
        let before = most;
        let wanted = fired + 30;
        fired = eventually("thirty slots", || {
            most = most.max(resident(&deaf));
            Some(place.lines("log").len()).filter(|fired| *fired >= wanted)
        });
        assert!(most <= BOUND_MIB, "{most} MiB");
        if most <= before + 1 {
            break;
        }
    }
    println!("{most} MiB at most");
    assert!(most > 60, "the answers never piled up, so nothing was tried: {most} MiB");
    let lines = place.lines("log");
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), lines.len(), "a slot fired twice");
    let runs = other.get("run/list", json!({"limit": 5}))["items"].clone();
    let by = |run: &Value| run["instanceID"] == other.opened["instanceID"];
    assert!(!runs.as_array().unwrap().iter().any(by), "the deaf one fires: {runs}");
    let began = clock();
    signal("TERM", deaf.pid());
    assert_eq!(deaf.exit_code(), Some(1));
    println!("it went in {:?}", began.elapsed());
    other.finish();
}
