//! `run/output`: what a command has written, in parts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};

fn ended(client: &mut Client, line: &str) -> Value {
    let automation = client.create(dormant("writing", shell(line)));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded")["id"].clone()
}

#[test]
fn output_is_read_in_parts_that_join_without_gap_or_repeat() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    // Characters of two bytes, so that a part of odd length would cut one.
    let text = "\u{e9}".repeat(500);
    let run = ended(&mut client, &format!("printf '{text}'"));
    let (mut joined, mut offset) = (String::new(), json!(0));
    loop {
        let part = client.get("run/output", json!({"id": run, "offset": offset, "limit": 333}));
        assert_eq!((&part["offset"], &part["encoding"]), (&offset, &json!("utf8")), "cut at a character");
        joined += part["data"].as_str().unwrap();
        offset = part["nextOffset"].clone();
        if part["end"] == true {
            break;
        }
    }
    assert_eq!(joined, text);
    assert_eq!(offset, 1000);
    let behind = client.get("run/output", json!({"id": run, "offset": 1000}));
    assert_eq!(
        (&behind["data"], &behind["nextOffset"], &behind["end"]),
        (&json!(""), &json!(1000), &json!(true))
    );
    for (limit, sound) in [(0, false), (1, true), (1_048_576, true), (1_048_577, false)] {
        let answer = client.ask("run/output", json!({"id": run, "limit": limit}));
        assert_eq!(answer.is_ok(), sound, "{limit}");
    }
    client.finish();
}

#[test]
fn what_is_no_text_comes_in_base64() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let run = ended(&mut client, r"printf '\377\376\000abc'");
    let part = client.get("run/output", json!({"id": run}));
    let expected =
        json!({"offset": 0, "data": "//4AYWJj", "encoding": "base64", "nextOffset": 6, "end": true});
    assert_eq!(part, expected);
    client.finish();
}

#[test]
fn the_end_is_told_only_when_the_run_has_ended() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let automation =
        client.create(dormant("growing", shell("echo one; echo 1 >> log; read line < gate; echo two >&2")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    place.wait_for_lines("log", 1);
    let mut part = Value::Null;
    while part["data"] != "one\n" {
        part = client.get("run/output", json!({"id": run}));
        assert_eq!(part["end"], false, "the command is still at work");
    }
    gate.open();
    client.wait_for_run(&run, "succeeded");
    let rest = client.get("run/output", json!({"id": run, "offset": part["nextOffset"]}));
    assert_eq!((&rest["data"], &rest["end"]), (&json!("two\n"), &json!(true)), "both streams are one");
    client.finish();
}

#[test]
fn output_beyond_the_limit_is_cut_and_the_command_does_not_wait() {
    let place = Place::new();
    let mut client = place.open_with(json!({"outputBytes": 1000}));
    client.subscribe(json!({}));
    let run = ended(&mut client, "head -c 300000 /dev/zero | tr '\\0' x; echo the end");
    let run = client.get("run/get", json!({"id": run}));
    assert_eq!(run["output"], json!({"bytes": 1000, "truncated": true}));
    assert!(run["end"]["tail"].as_str().unwrap().ends_with("xthe end\n"), "the tail is that of the whole");
    let part = client.get("run/output", json!({"id": run["id"]}));
    assert_eq!((part["data"].as_str().unwrap().len(), &part["end"]), (1000, &json!(true)));
    let warning = client.wait_for_event("the warning", |event| event["kind"] == "run.warning");
    assert_eq!((&warning["run"], &warning["important"]), (&run, &json!(true)));
    let text = warning["text"].as_str().unwrap();
    assert!(text.contains("1000 bytes") && text.contains("`limits.outputBytes`"), "{text}");
    let told: Vec<String> = {
        let history = client.subscribe(json!({"after": 0, "automationID": run["automationID"]}));
        client.wait("all of it", |client| {
            let kinds =
                client.events(&history).into_iter().map(|event| event["kind"].as_str().unwrap().to_owned());
            let kinds: Vec<String> = kinds.collect();
            kinds.iter().any(|kind| kind == "run.warning").then_some(kinds)
        })
    };
    let last = &told[told.len() - 3..];
    assert_eq!(last, ["run.updated", "automation.updated", "run.warning"], "what follows comes before it");
    client.finish();
}

#[test]
fn output_that_just_fits_is_whole_and_none_is_kept_where_none_is_wanted() {
    let place = Place::new();
    for (limit, written, kept, truncated) in
        [(1000, 1000, 1000, false), (999, 1000, 999, true), (0, 5, 0, true)]
    {
        let mut client = place.open_with(json!({"outputBytes": limit}));
        client.subscribe(json!({}));
        let run = ended(&mut client, &format!("head -c {written} /dev/zero | tr '\\0' x"));
        let run = client.get("run/get", json!({"id": run}));
        assert_eq!(run["output"], json!({"bytes": kept, "truncated": truncated}), "{limit}");
        assert_eq!(run["end"]["tail"], "x".repeat(written));
        let part = client.get("run/output", json!({"id": run["id"]}));
        assert_eq!((&part["data"], &part["end"]), (&json!("x".repeat(kept)), &json!(true)));
        // The list of automations tells how far history goes, and nothing is being done any more.
        let newest = client.get("automation/list", json!({}))["seq"].clone();
        let history = client.subscribe(json!({"after": 0}));
        let events = client.wait("all of it", |client| {
            let events = client.events(&history);
            events.last().is_some_and(|last| last["seq"] == newest).then_some(events)
        });
        let of_run = |event: &&Value| event["kind"] == "run.warning" && event["run"]["id"] == run["id"];
        let warned = events.iter().filter(of_run).count();
        assert_eq!(warned, usize::from(truncated && limit > 0), "{limit}");
        client.finish();
    }
}

#[test]
fn bytes_that_are_no_text_are_read_in_parts_that_join_as_well() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    // Text, then what is none, then text: each part says how it is written.
    let run = ended(&mut client, r"printf 'abcdef\377\376\375ghijkl'");
    let (mut joined, mut offset, mut encodings) = (Vec::new(), json!(0), Vec::new());
    loop {
        let part = client.get("run/output", json!({"id": run, "offset": offset, "limit": 5}));
        let data = part["data"].as_str().unwrap();
        let bytes = match part["encoding"].as_str().unwrap() {
            "utf8" => data.as_bytes().to_vec(),
            "base64" => BASE64.decode(data).unwrap(),
            other => panic!("{other}"),
        };
        assert_eq!(part["nextOffset"].as_u64(), Some((joined.len() + bytes.len()) as u64));
        joined.extend(bytes);
        encodings.push(part["encoding"].clone());
        offset = part["nextOffset"].clone();
        if part["end"] == true {
            break;
        }
    }
    assert_eq!(joined, b"abcdef\xFF\xFE\xFDghijkl");
    assert_eq!(encodings, ["utf8", "base64", "utf8"]);
    client.finish();
}
