//! Much at once, and clients that do not read.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell};
use crate::support::wire::BOTH;
use crate::support::{Place, clock, kind, signal};

/// As many as the contract lets a client send without waiting are fewer than this and more than run at once.
const REQUESTS: usize = 3000;

#[test]
fn three_thousand_requests_and_the_end_of_the_input_are_all_answered() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).spawn();
        let began = clock();
        let opening = json!({"jsonrpc": "2.0", "id": "open", "method": "initialize",
            "params": client.initialize_params()});
        let mut input = framing.frame(&opening.to_string());
        for number in 0..REQUESTS {
            let id = if number % 2 == 0 { json!(number) } else { json!(format!("text {number}")) };
            let (method, params) = match number % 3 {
                0 => ("automation/create", dormant(&format!("number {number}"), shell("true"))),
                1 => ("automation/list", json!({"limit": 3})),
                _ => ("run/list", json!({})),
            };
            let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
            input += &framing.frame(&request.to_string());
        }
        client.raw(input.as_bytes());
        client.close_input();
        client.answer(r#""open""#).unwrap();
        let mut created = HashSet::new();
        for number in 0..REQUESTS {
            let id = if number % 2 == 0 { number.to_string() } else { format!(r#""text {number}""#) };
            let answer = client.answer(&id).unwrap_or_else(|error| panic!("{id} was refused: {error}"));
            if number % 3 == 0 {
                assert_eq!(answer["title"], format!("number {number}"));
                created.insert(answer["id"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(created.len(), REQUESTS.div_ceil(3));
        assert_eq!(client.exit_code(), Some(0));
        println!("{REQUESTS} requests in {framing:?}: {:?}", began.elapsed());
        assert_eq!(client.unclaimed(), Vec::<String>::new(), "each is answered once");
        let mut next = place.open();
        let page = next.get("automation/list", json!({"limit": 500}));
        assert!(
            page["items"].as_array().unwrap().iter().all(|one| created.contains(one["id"].as_str().unwrap()))
        );
        assert_eq!(count(&mut next, page), created.len());
        next.finish();
    }
}

fn count(client: &mut Client, mut page: Value) -> usize {
    let items = |page: &Value| page["items"].as_array().expect("a page").len();
    let mut count = items(&page);
    while !page["nextCursor"].is_null() {
        page = client.get("automation/list", json!({"limit": 500, "cursor": page["nextCursor"]}));
        count += items(&page);
    }
    count
}

#[test]
fn a_client_that_does_not_read_does_not_stop_the_timers() {
    let place = Place::new();
    let mut client = place.sidecar().option("limits", json!({"minIntervalMs": 100})).deaf().spawn();
    let params = client.initialize_params();
    client.send("initialize", params);
    client.send("events/subscribe", json!({}));
    client.send("automation/create", every("ticking", 100, shell(LOG)));
    place.wait_for_lines("log", 1);
    // Far more answers than any pipe or queue holds.
    let big = shell(&format!("true {}", "x".repeat(50_000)));
    client.send("automation/create", dormant("big", big));
    for _ in 0..200 {
        client.send("automation/list", json!({}));
    }
    let fired = place.lines("log").len();
    let lines = place.wait_for_lines("log", fired + 10);
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), lines.len(), "no slot fired twice");
    // Once it reads, it is told everything.
    client.listen();
    for id in 1..=204 {
        client.answer(&id.to_string()).unwrap();
    }
    client.finish();
}

#[test]
fn a_client_that_does_not_read_does_not_keep_the_sidecar_from_ending() {
    type Flood = fn(&mut Client);
    type End = fn(&mut Client);
    let answers: Flood = |client| {
        client.send("automation/create", dormant("big", shell(&format!("true {}", "x".repeat(50_000)))));
        for _ in 0..200 {
            client.send("automation/list", json!({}));
        }
    };
    // These are answered by the conversation itself, which then waits for the pipe.
    let refusals: Flood = |client| client.raw("nonsense\n".repeat(3000).as_bytes());
    let terminate: End = |client| signal("TERM", client.pid());
    let cases: [(&str, Flood, End, i32); 3] = [
        ("SIGTERM among answers", answers, terminate, 1),
        ("SIGTERM among refusals", refusals, terminate, 1),
        ("the end of the input", answers, Client::close_input, 0),
    ];
    for (name, flood, end, code) in cases {
        let place = Place::new();
        let mut client = place.sidecar().option("limits", json!({"minIntervalMs": 100})).deaf().spawn();
        let params = client.initialize_params();
        client.send("initialize", params);
        client.send("automation/create", every("ticking", 100, shell(LOG)));
        place.wait_for_lines("log", 1);
        flood(&mut client);
        // Time for the flood to be read, and more: what rings goes on.
        let fired = place.lines("log").len();
        place.wait_for_lines("log", fired + 3);
        let began = clock();
        end(&mut client);
        assert_eq!(client.exit_code(), Some(code), "{name}");
        let took = began.elapsed();
        println!("{name}: {took:?}");
        assert!(took < Duration::from_secs(10), "{name} took {took:?}");
    }
}

#[test]
fn the_end_of_the_input_is_seen_behind_more_than_a_sidecar_takes_in() {
    let requests = r#"{"jsonrpc":"2.0","method":"automation/list","id":"#;
    let (list, nonsense) = (format!("{requests}1}}\n{requests}2}}\n"), "nonsense\n".to_owned());
    for flood in [list, nonsense] {
        let place = Place::new();
        let mut client = place.sidecar().option("limits", json!({"minIntervalMs": 100})).deaf().spawn();
        let params = client.initialize_params();
        client.send("initialize", params);
        client.send("automation/create", every("ticking", 100, shell(LOG)));
        place.wait_for_lines("log", 1);
        client.raw_until_full(flood.as_bytes());
        // The end is in the middle of a message, or not; what counts is that it is seen, and when.
        let began = clock();
        client.close_input();
        let code = client.exit_code();
        let took = began.elapsed();
        println!("{took:?}, {code:?}");
        assert!(matches!(code, Some(0 | 1)) && took < Duration::from_secs(10), "{code:?} after {took:?}");
    }
}

#[test]
fn a_client_that_sends_too_much_without_waiting_is_told_so() {
    let place = Place::new();
    let mut client = place.open();
    let mut gate = place.gate("gate");
    client.subscribe(json!({}));
    let automation = client.create(dormant("held up", shell("read line < gate")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    // Each waits for the end of the run, so none of them is answered before it.
    let asked: Vec<String> = (0..4400)
        .map(|_| client.send("automation/delete", json!({"id": automation, "activeRun": "finish"})))
        .collect();
    let refused = client.answer(&asked[4399]).unwrap_err();
    assert_eq!((&refused["code"], kind(&refused)), (&json!(-32018), "overloaded"));
    gate.open();
    let mut answers = [0, 0, 0];
    for id in &asked[..4399] {
        match client.answer(id) {
            Ok(deleted) if deleted["deleted"] == true => answers[0] += 1,
            Err(error) if error["code"] == -32018 => answers[1] += 1,
            Err(error) if kind(&error) == "not_found" => answers[2] += 1,
            other => panic!("{other:?}"),
        }
    }
    println!("deleted {}, overloaded {}, gone already {}", answers[0], answers[1], answers[2]);
    assert!(answers[0] >= 256 && answers[0] + answers[2] <= 256 + 4096 + 8, "{answers:?}");
    client.finish();
}
