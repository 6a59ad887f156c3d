//! One automation cannot be read any more: the others must not suffer.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, once, shell, with};
use crate::support::{Place, clock, eventually, ledger, wall_ms};

/// The processor time that a process has used, in milliseconds.
pub(crate) fn worked_ms(client: &Client) -> u128 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", client.pid())).expect("it lives");
    // The name of the program may hold anything; it ends with the last bracket.
    let rest = stat.rsplit_once(')').expect("a program").1;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let ticks = |field: &str| field.parse::<u128>().expect("a number");
    let each = 10;
    (ticks(fields[11]) + ticks(fields[12])) * each
}

/// The others go on, and nothing spins: neither the processor nor the log.
fn goes_on(place: &Place, client: &Client) {
    let fires = |more: usize| place.wait_for_lines("log", place.lines("log").len() + more);
    fires(3);
    let (began, worked, said) = (clock(), worked_ms(client), client.stderr().len());
    fires(10);
    let (took, worked) = (began.elapsed().as_millis(), worked_ms(client) - worked);
    let said = client.stderr().len() - said;
    // Ten fires take a fortieth of the time, a loop that spins a quarter: it mostly waits for the disk.
    assert!(8 * worked < took, "{worked} ms of work in {took} ms");
    assert!(said < 4096, "{said} bytes of log in {took} ms: {}", client.stderr());
    let lines = place.lines("log");
    let unique: HashSet<&String> = lines.iter().collect();
    assert_eq!(unique.len(), lines.len(), "a slot fired twice: {lines:?}");
}

#[test]
fn an_automation_that_cannot_be_read_does_not_keep_others_from_firing() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 200}));
    client.expect_error("does not fire");
    let spoiled = client.create(once("spoiled", wall_ms() + 1000, shell("echo fired >> spoiled")));
    client.create(every("healthy", 200, shell(LOG)));
    let connection = ledger::open(ledger::directory(&client).join("ledger.db"));
    ledger::spoil(&connection, &spoiled);
    eventually("its time has come, and its user is told", || {
        client.stderr().contains("does not fire").then_some(())
    });
    goes_on(&place, &client);
    assert!(place.lines("spoiled").is_empty());
    client.finish();
}

#[test]
fn a_run_whose_end_cannot_be_followed_up_does_not_keep_others_from_firing() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 200}));
    client.expect_error("a report could not be written");
    client.expect_error("is not written down yet");
    client.expect_error("row could not be removed");
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let draft = dormant("spoiled", shell("read line < gate; echo done >> spoiled"));
    let spoiled = client.create(with(draft, "access", json!("read")));
    let run = client.run(&spoiled);
    client.wait_for_run(&run, "running");
    ledger::spoil(&ledger::open(ledger::directory(&client).join("ledger.db")), &spoiled);
    client.create(every("healthy", 200, shell(LOG)));
    goes_on(&place, &client);
    gate.open();
    place.wait_for_lines("spoiled", 1);
    goes_on(&place, &client);
    client.finish();
    let mut next = place.sidecar().option("limits", json!({"minIntervalMs": 200})).spawn();
    next.expect_error("what a dead peer left cannot be settled");
    next.initialize();
    assert_eq!(next.opened["scheduler"]["owner"], true);
    goes_on(&place, &next);
    assert_eq!(place.lines("spoiled"), ["done"], "it was not begun again");
    next.finish();
}

#[test]
fn a_waiting_run_of_a_later_version_keeps_nobody_else_waiting() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let holder = client.create(dormant("holder", shell("read line < gate")));
    let later = client.create(dormant("of a later version", shell(LOG)));
    let behind = client.create(dormant("behind", shell("echo behind >> behind")));
    let holding = client.run(&holder);
    client.wait_for_run(&holding, "running");
    let waiting = client.run(&later);
    client.run(&behind);
    let path = ledger::directory(&client).join("ledger.db");
    ledger::of_later_version(&ledger::open(path.clone()), &later);
    gate.open();
    client.wait_for_run(&holding, "succeeded");
    place.wait_for_lines("behind", 1);
    client.finish();

    let mut next = place.open();
    let listed = next.get("run/list", json!({}))["items"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(3), "{listed}");
    let shown = next.get("run/get", json!({"id": waiting}));
    assert_eq!((&shown["state"], &shown["ofLaterVersion"]), (&json!("scheduled"), &json!(true)), "{shown}");
    assert_eq!(next.refusal("run/cancel", json!({"id": waiting}))["data"]["reason"], "newer_version");
    assert!(place.lines("log").is_empty());
    next.finish();

    ledger::as_before(&ledger::open(path), &later);
    let last = place.open();
    place.wait_for_lines("log", 1);
    last.finish();
}

#[test]
fn what_was_set_aside_fires_under_an_owner_that_understands_it() {
    let place = Place::new();
    let limits = json!({"minIntervalMs": 200});
    let mut client = place.open_with(limits.clone());
    client.expect_error("does not fire");
    let later = client.create(every("of a later version", 200, shell(LOG)));
    let path = ledger::directory(&client).join("ledger.db");
    ledger::of_later_version(&ledger::open(path.clone()), &later);
    eventually("it is set aside, and its user is told", || {
        client.stderr().contains("does not fire").then_some(())
    });
    client.finish();
    let fired = place.lines("log").len();
    ledger::as_before(&ledger::open(path), &later);
    let next = place.open_with(limits);
    place.wait_for_lines("log", fired + 2);
    next.finish();
}

#[test]
fn a_page_goes_on_behind_what_cannot_be_read() {
    let place = Place::new();
    let mut client = place.open();
    let ids: Vec<Value> =
        (0..6).map(|number| client.create(dormant(&format!("{number}"), shell("true")))).collect();
    client.subscribe(json!({}));
    for id in &ids {
        let run = client.run(id);
        client.wait_for_run(&run, "succeeded");
    }
    let connection = ledger::open(ledger::directory(&client).join("ledger.db"));
    for id in [&ids[5], &ids[3], &ids[2]] {
        ledger::spoil(&connection, id);
    }
    for (method, title) in [("automation/list", "title"), ("run/list", "automationTitle")] {
        let (mut shown, mut cursor) = (Vec::new(), None);
        loop {
            let mut params = json!({"limit": 1});
            params
                .as_object_mut()
                .expect("params")
                .extend(cursor.map(|cursor| ("cursor".to_owned(), cursor)));
            let page = client.get(method, params);
            shown.push(page["items"][0][title].clone());
            cursor = Some(page["nextCursor"].clone()).filter(Value::is_string);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(shown, ["4", "1", "0"], "{method}");
    }
    client.finish();
}
