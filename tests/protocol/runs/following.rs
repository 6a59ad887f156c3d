//! `output/subscribe`: what a command writes, while it writes it.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, assert_invalid_params, eventually, kind, ledger};

fn start(client: &mut Client, line: &str) -> Value {
    let automation = client.create(dormant("writing", shell(line)));
    client.run(&automation)
}

fn follow(client: &mut Client, params: Value) -> String {
    client.get("output/subscribe", params).as_str().expect("a string id").to_owned()
}

/// Waits for the last chunk, and gives all of them.
fn wait_for_the_end(client: &mut Client, subscription: &str) -> Vec<Value> {
    client.wait("the end of an output", |client| {
        let told = client.events(subscription);
        told.last().is_some_and(|chunk| chunk["end"] == true).then_some(told)
    })
}

/// The text of chunks of one run, which follow each other without gap or repeat.
fn joined(chunks: &[Value], run: &Value, from: u64) -> String {
    let mut text = String::new();
    for (number, chunk) in (1..).zip(chunks) {
        let offset = from + text.len() as u64;
        assert_eq!((&chunk["runID"], &chunk["offset"]), (run, &json!(offset)), "chunk {number}");
        assert_eq!(chunk["encoding"], "utf8", "chunk {number}");
        assert_eq!(chunk["end"], number == chunks.len(), "chunk {number}");
        text += chunk["data"].as_str().expect("a text");
    }
    text
}

#[test]
fn what_a_command_writes_is_told_while_it_writes() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    let (mut client, mut other) = (place.open(), place.open());
    let run = start(&mut client, "echo one; read line < gate; echo two >&2; read line < gate");
    let own = follow(&mut client, json!({"runID": run}));
    // Also in a window that does not carry it out, and from the middle.
    let elsewhere = follow(&mut other, json!({"runID": run, "offset": 2}));
    for (window, subscription, text) in [(&mut client, &own, "one\n"), (&mut other, &elsewhere, "e\n")] {
        let first = window.wait("one", |window| window.events(subscription).first().cloned());
        assert_eq!((&first["data"], &first["end"]), (&json!(text), &json!(false)));
    }
    gate.open();
    for (window, subscription) in [(&mut client, &own), (&mut other, &elsewhere)] {
        window.wait("two", |window| (window.events(subscription).len() == 2).then_some(()));
    }
    gate.open();
    let told = wait_for_the_end(&mut client, &own);
    assert_eq!(joined(&told, &run, 0), "one\ntwo\n");
    let told = wait_for_the_end(&mut other, &elsewhere);
    assert_eq!(joined(&told, &run, 2), "e\ntwo\n");
    assert_eq!(other.get("run/output", json!({"id": run}))["data"], "one\ntwo\n", "as it is kept");
    // After the end nothing follows, and there is nothing to unsubscribe.
    assert_eq!(client.get("output/unsubscribe", json!({"subscription": own})), false);
    let late = follow(&mut other, json!({"runID": run}));
    let told = wait_for_the_end(&mut other, &late);
    assert_eq!(joined(&told, &run, 0), "one\ntwo\n");
    let behind = follow(&mut other, json!({"runID": run, "offset": 100}));
    let told = wait_for_the_end(&mut other, &behind);
    assert_eq!((told.len(), &told[0]["data"], &told[0]["offset"]), (1, &json!(""), &json!(100)));
    client.finish();
    other.finish();
}

#[test]
fn a_run_that_writes_nothing_ends_with_one_empty_chunk() {
    let place = Place::new();
    let mut client = place.open();
    let (mut gate, _, first) = held_up(&place, &mut client);
    let waits = start(&mut client, "true");
    let stops = start(&mut client, "true");
    let chunk = |run: &Value| json!({"runID": run, "offset": 0, "data": "", "encoding": "utf8", "end": true});
    let followed: Vec<(Value, String)> = [first, waits, stops.clone()]
        .into_iter()
        .map(|run| (run.clone(), follow(&mut client, json!({"runID": run}))))
        .collect();
    // One of them never begins.
    client.get("run/cancel", json!({"id": stops}));
    assert_eq!(wait_for_the_end(&mut client, &followed[2].1), [chunk(&stops)]);
    assert_eq!(client.events(&followed[1].1), Vec::<Value>::new(), "it waits, and so do we");
    gate.open();
    for (run, subscription) in &followed {
        assert_eq!(wait_for_the_end(&mut client, subscription), [chunk(run)]);
    }
    client.finish();
}

fn held_up(place: &Place, client: &mut Client) -> (crate::support::Gate, Value, Value) {
    client.subscribe(json!({}));
    place.held_up(client, "held up")
}

#[test]
fn characters_that_are_written_in_parts_are_told_whole() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    let mut client = place.open();
    // A bell of four bytes, in two parts; then the beginning of one whose rest never comes.
    let line = r"printf 'a\360\237'; read line < gate; printf '\224\224b'; read line < gate; printf '\303'";
    let run = start(&mut client, line);
    let subscription = follow(&mut client, json!({"runID": run}));
    let chunk = |client: &mut Client, number: usize| {
        client.wait("a chunk", |client| client.events(&subscription).get(number).cloned())
    };
    assert_eq!(chunk(&mut client, 0)["data"], "a", "the rest is waited for");
    gate.open();
    let second = chunk(&mut client, 1);
    assert_eq!((&second["offset"], &second["data"]), (&json!(1), &json!("\u{1f514}b")));
    gate.open();
    let told = wait_for_the_end(&mut client, &subscription);
    let last = json!({"runID": run, "offset": 6, "data": "ww==", "encoding": "base64", "end": true});
    assert_eq!(told[2..], [last]);
    client.finish();
}

#[test]
fn bytes_that_are_no_text_come_in_base64() {
    let place = Place::new();
    let mut client = place.open();
    let run = start(&mut client, r"printf '\377\376\000abc'");
    let subscription = follow(&mut client, json!({"runID": run}));
    let told = wait_for_the_end(&mut client, &subscription);
    let chunk =
        json!({"runID": run, "offset": 0, "data": "//4AYWJj", "encoding": "base64", "end": told[0]["end"]});
    assert_eq!(told[0], chunk);
    client.finish();
}

#[test]
fn a_mebibyte_is_followed_without_loss() {
    let place = Place::new();
    let (mut client, mut other) = (place.open(), place.open());
    // Numbers, so that a part that is lost or repeated shows; and a character of three bytes in each line, so that
    // parts end inside one.
    let count = 120_000;
    let run = start(&mut client, &format!("seq 1 {count} | sed 's/$/ \u{20ac}/'"));
    let windows = [&mut client, &mut other].map(|window| {
        let subscription = follow(window, json!({"runID": run}));
        (window, subscription)
    });
    let expected: String = (1..=count).map(|number| format!("{number} \u{20ac}\n")).collect();
    assert!(expected.len() > 1024 * 1024);
    for (window, subscription) in windows {
        let told = wait_for_the_end(window, &subscription);
        assert!(joined(&told, &run, 0) == expected, "something was lost or repeated");
        assert!(told.iter().all(|chunk| chunk["data"].as_str().expect("a text").len() <= 64 * 1024));
    }
    client.finish();
    other.finish();
}

#[test]
fn somebody_who_does_not_read_waits_alone() {
    let place = Place::new();
    let mut deaf = place.sidecar().deaf().spawn();
    let mut client = place.open();
    let run = start(&mut client, "head -c 8000000 /dev/zero | tr '\\0' x");
    deaf.send("initialize", deaf.initialize_params());
    deaf.send("output/subscribe", json!({"runID": run}));
    let subscription = follow(&mut client, json!({"runID": run}));
    let told = wait_for_the_end(&mut client, &subscription);
    assert_eq!(joined(&told, &run, 0).len(), 8_000_000);
    deaf.listen();
    let ended = |chunk: &Value| chunk["end"] == true;
    deaf.wait_for_event("the end", ended);
    let own = deaf.answer("2").unwrap();
    assert_eq!(joined(&deaf.events(own.as_str().unwrap()), &run, 0).len(), 8_000_000);
    client.finish();
}

#[test]
fn after_unsubscribing_no_chunk_follows() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    let mut client = place.open();
    let run = start(&mut client, "echo one; read line < gate; echo two");
    let ended = follow(&mut client, json!({"runID": run}));
    let goes_on = follow(&mut client, json!({"runID": run}));
    client.wait("one", |client| client.events(&ended).first().cloned());
    assert_eq!(client.get("output/unsubscribe", json!({"subscription": ended})), true);
    gate.open();
    wait_for_the_end(&mut client, &goes_on);
    assert_eq!(client.events(&ended).len(), 1);
    client.finish();
}

#[test]
fn only_a_run_that_is_there_can_be_followed() {
    let place = Place::new();
    let mut client = place.open();
    let error = client.refusal("output/subscribe", json!({"runID": "run_unknown"}));
    assert_eq!((kind(&error), &error["data"]["id"]), ("not_found", &json!("run_unknown")));
    let error = client.refusal("output/subscribe", json!({"offset": -1, "id": "x"}));
    assert_invalid_params(&error, &["runID required", "offset out_of_range", "id unknown_value"]);
    client.finish();
}

/// Whether a process has read something of a file below this directory that it has open.
fn has_begun_to_read(pid: u32, directory: &std::path::Path) -> bool {
    let process = std::path::Path::new("/proc").join(pid.to_string());
    let descriptors = std::fs::read_dir(process.join("fd")).expect("a living process").flatten();
    let mut of_files = descriptors
        .filter(|one| std::fs::read_link(one.path()).is_ok_and(|file| file.starts_with(directory)));
    of_files.any(|one| {
        let about = std::fs::read_to_string(process.join("fdinfo").join(one.file_name()));
        about.is_ok_and(|about| !about.starts_with("pos:\t0\n"))
    })
}

#[test]
fn an_output_that_is_pruned_meanwhile_is_read_to_its_end() {
    let place = Place::new();
    let mut deaf = place.sidecar().deaf().spawn();
    let mut client = place.open();
    client.subscribe(json!({}));
    let automation = client.create(dormant("writing", shell("head -c 8000000 /dev/zero | tr '\\0' x")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    deaf.send("initialize", deaf.initialize_params());
    deaf.send("output/subscribe", json!({"runID": run}));
    let state = ledger::directory(&client);
    // The other one is in the midst of it when the file and the row go.
    let output = state.join("runs").join(run.as_str().unwrap());
    eventually("somebody reads it", || has_begun_to_read(deaf.pid(), &output).then_some(()));
    std::fs::remove_dir_all(&output).unwrap();
    let connection = ledger::open(state.join("ledger.db"));
    connection.execute("DELETE FROM runs WHERE id = ?1", [run.as_str().unwrap()]).unwrap();
    assert_eq!(kind(&client.refusal("output/subscribe", json!({"runID": run}))), "not_found");
    deaf.listen();
    deaf.wait_for_event("the end", |chunk| chunk["end"] == true);
    let own = deaf.answer("2").unwrap();
    assert_eq!(joined(&deaf.events(own.as_str().unwrap()), &run, 0).len(), 8_000_000);
    client.finish();
}
