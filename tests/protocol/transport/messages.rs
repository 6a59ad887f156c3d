//! Messages: what is a request, and what is answered to everything else.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::wire::{BOTH, Framing};
use crate::support::{Place, assert_invalid_params, kind};

#[test]
fn ids_come_back_as_they_were_sent() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        let ids = [
            "-1",
            "0",
            "9007199254740993",
            "-9223372036854775809",
            "123456789012345678901234567890",
            r#""""#,
            r#""7""#,
            r#""6f9619ff-8b86-d011-b42d-00c04fc964ff""#,
            r#""a \"quoted\" \\ one""#,
        ];
        for id in ids {
            client.message(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"automation/list"}}"#));
            let page = client.answer(id).expect("a page");
            assert_eq!(page["items"], json!([]), "{id}");
            client.message(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"no/such"}}"#));
            assert_eq!(kind(&client.answer(id).unwrap_err()), "method_not_found", "{id}");
        }
        client.finish();
    }
}

#[test]
fn what_is_no_request_is_refused_and_the_conversation_goes_on() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        let cases = [
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"automation/list"}"#, "null", -32600),
            (r#"{"jsonrpc":"2.0","id":1e3,"method":"automation/list"}"#, "null", -32600),
            (r#"{"jsonrpc":"2.0","id":null,"method":"automation/list"}"#, "null", -32600),
            (r#"{"jsonrpc":"2.0","id":true,"method":"automation/list"}"#, "null", -32600),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"automation/list"}"#, "null", -32600),
            (r#"{"jsonrpc":"1.0","id":"v","method":"automation/list"}"#, r#""v""#, -32600),
            (r#"{"id":-4,"method":"automation/list"}"#, "-4", -32600),
            (r#"{"jsonrpc":"2.0","id":5,"method":7}"#, "5", -32600),
            (r#"{"jsonrpc":"2.0","id":6}"#, "6", -32600),
            (r#"{"jsonrpc":"2.0","id":7,"method":"automation/list","params":3}"#, "7", -32600),
            (r#"{"jsonrpc":"2.0","id":8,"method":"automation/list","params":"x"}"#, "8", -32600),
            (r#"{"jsonrpc":"2.0","id":9,"method":"automation/list","params":[1]}"#, "9", -32602),
            (r#"{"jsonrpc":"2.0","id":10,"method":"automation/list","params":[[]]}"#, "10", -32602),
            ("3", "null", -32600),
            (r#""text""#, "null", -32600),
            ("{\"jsonrpc\":", "null", -32700),
            ("nonsense", "null", -32700),
            ("[]", "null", -32600),
            ("[1,", "null", -32700),
        ];
        let kinds = [(-32600, "invalid_request"), (-32602, "invalid_params"), (-32700, "parse_error")];
        for (message, id, code) in cases {
            // In header framing a first letter is taken for a header only outside of a body.
            client.message(message);
            let error = client.answer(id).expect_err(message);
            assert_eq!(error["code"], code, "{message}: {error}");
            assert!(kinds.contains(&(code, kind(&error))), "{message}: {error}");
            assert!(error["message"].as_str().is_some_and(|sentence| sentence.len() > 10), "{error}");
        }
        // A member that is there twice could be read in two ways.
        client.message(r#"{"jsonrpc":"2.0","id":12,"id":13,"method":"automation/list"}"#);
        assert_eq!(client.answer("null").unwrap_err()["code"], -32600);
        client.finish();
    }
}

#[test]
fn nothing_is_done_for_a_notification_or_an_answer() {
    let place = Place::new();
    let mut client = place.open();
    for message in [
        json!({"jsonrpc": "2.0", "method": "automation/create", "params": dormant("a", shell("true"))}),
        json!({"jsonrpc": "2.0", "method": "$/setTrace", "params": {"value": "off"}}),
        json!({"jsonrpc": "2.0", "method": "initialized"}),
        json!({"jsonrpc": "2.0", "id": 77, "result": null}),
        json!({"jsonrpc": "2.0", "id": 78, "error": {"code": 1, "message": "x"}}),
    ] {
        client.message(&message.to_string());
    }
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
    client.finish();
}

#[test]
fn what_a_language_client_tells_a_server_is_passed_over_at_any_time() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).spawn();
        let told = [
            ("$/setTrace", json!({"value": "verbose"})),
            ("$/logTrace", json!({"message": "Sending request 'initialize - (0)'."})),
            ("$/progress", json!({"token": 1, "value": {"kind": "end"}})),
            ("window/workDoneProgress/cancel", json!({"token": "none"})),
            ("workspace/didChangeConfiguration", json!({"settings": null})),
            ("workspace/didChangeWorkspaceFolders", json!({"event": {"added": [], "removed": []}})),
            ("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": "file:///x", "type": 2}]})),
            (
                "textDocument/didOpen",
                json!({"textDocument": {"uri": "file:///x", "languageId": "rust", "version": 0, "text": ""}}),
            ),
            ("$/cancelRequest", json!({"id": 0})),
        ];
        let tell = |client: &mut Client| {
            for (method, params) in &told {
                let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
                client.message(&message.to_string());
            }
        };
        tell(&mut client);
        client.initialize();
        client.message(r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#);
        tell(&mut client);
        assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
        // What asks a language server for something is answered all the same.
        let position = json!({"textDocument": {"uri": "file:///x"}, "position": {"line": 0, "character": 0}});
        assert_eq!(kind(&client.refusal("textDocument/hover", position)), "method_not_found");
        client.finish();
    }
}

#[test]
fn no_params_can_be_said_in_four_ways() {
    let place = Place::new();
    let mut client = place.open();
    for (id, params) in ["", r#","params":null"#, r#","params":{}"#, r#","params":[ ]"#].iter().enumerate() {
        client.message(&format!(r#"{{"jsonrpc":"2.0","id":"n{id}","method":"automation\/list"{params}}}"#));
        let page = client.answer(&format!(r#""n{id}""#)).expect("a page");
        assert_eq!(page["items"], json!([]), "{params}");
    }
    client.finish();
}

#[test]
fn params_that_nobody_knows_are_refused_by_name() {
    let place = Place::new();
    let mut client = place.open();
    let error = client.refusal("automation/list", json!({"limit": 0, "paused": "x", "surprise": 1}));
    assert_invalid_params(&error, &["limit out_of_range", "paused wrong_type", "surprise unknown_value"]);
    let error = client.refusal("automation/get", json!({}));
    assert_invalid_params(&error, &["id required"]);
    let error = client.refusal("run/list", json!({"states": ["asleep"], "limit": 101}));
    assert_invalid_params(&error, &["states[0] unknown_value", "limit out_of_range"]);
    client.finish();
}

#[test]
fn a_method_that_does_not_exist_is_told_from_one_that_does() {
    let place = Place::new();
    let mut client = place.open();
    let error = client.refusal("automation/explode", json!({}));
    assert_eq!((&error["code"], kind(&error)), (&json!(-32601), "method_not_found"));
    assert!(error["message"].as_str().unwrap().contains("automation/explode"), "{error}");
    let methods = client.opened["capabilities"]["methods"].as_array().unwrap().clone();
    for method in methods.iter().filter_map(Value::as_str) {
        if ["initialize", "shutdown", "events/subscribe"].contains(&method) {
            continue;
        }
        let answer = client.ask(method, json!({}));
        let unknown = answer.is_err_and(|error| error["code"] == -32601);
        assert!(!unknown, "{method} is offered and does not exist");
    }
    client.finish();
}

#[test]
fn two_requests_that_run_at_once_need_two_ids() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        let mut gate = place.gate("gate");
        client.subscribe(json!({}));
        let automation = client.create(dormant("held up", shell("read line < gate")));
        let run = client.run(&automation);
        client.wait_for_run(&run, "running");
        let delete = json!({"jsonrpc": "2.0", "id": "same", "method": "automation/delete",
            "params": {"id": automation, "activeRun": "finish"}});
        client.message(&delete.to_string());
        client.message(r#"{"jsonrpc":"2.0","id":"same","method":"automation/list"}"#);
        let error = client.answer(r#""same""#).unwrap_err();
        assert_eq!((&error["code"], kind(&error)), (&json!(-32600), "invalid_request"));
        gate.open();
        assert_eq!(client.answer(r#""same""#).unwrap()["deleted"], true);
        // Now that it has been answered the id is free again.
        client.message(r#"{"jsonrpc":"2.0","id":"same","method":"automation/list"}"#);
        assert_eq!(client.answer(r#""same""#).unwrap()["items"], json!([]));
        client.finish();
    }
}

#[test]
fn a_message_over_the_limit_is_skipped_and_the_next_one_is_answered() {
    for framing in BOTH {
        let place = Place::new();
        let limits = json!({"maxMessageBytes": 4096});
        let mut client = place.sidecar().framing(framing).option("limits", limits).open();
        let long = "x".repeat(5000);
        client.message(&format!(r#"{{"jsonrpc":"2.0","id":5,"method":"{long}"}}"#));
        let error = client.answer("null").unwrap_err();
        assert_eq!((&error["code"], kind(&error)), (&json!(-32007), "request_too_large"));
        assert!(error["message"].as_str().unwrap().contains("4096"), "{error}");
        let just_fits = json!({"jsonrpc": "2.0", "id": 6, "method": "m".repeat(4000)}).to_string();
        client.message(&just_fits);
        assert_eq!(client.answer("6").unwrap_err()["code"], -32601);
        client.finish();
    }
}

#[test]
fn an_answer_over_the_limit_is_replaced_by_a_refusal() {
    for framing in BOTH {
        let place = Place::new();
        let limits = json!({"maxMessageBytes": 8192});
        let mut client = place.sidecar().framing(framing).option("limits", limits).open();
        for number in 0..10 {
            client.create(dormant(&format!("number {number}"), shell("true")));
        }
        let error = client.refusal("automation/list", json!({}));
        assert_eq!((&error["code"], kind(&error)), (&json!(-32008), "response_too_large"));
        assert_eq!(client.get("automation/list", json!({"limit": 2}))["items"].as_array().unwrap().len(), 2);
        assert!(client.longest <= 8192, "{} bytes were sent", client.longest);
        client.finish();
    }
}

#[test]
fn no_answer_is_over_the_limit_whatever_it_repeats() {
    for framing in BOTH {
        let place = Place::new();
        let limits = json!({"maxMessageBytes": 8192});
        let mut client = place.sidecar().framing(framing).option("limits", limits).spawn();
        let strange = "\u{7f}".repeat(1 << 20);
        let error = client.refusal(&strange, json!({}));
        assert_eq!(kind(&error), "not_initialized");
        assert!(error["message"].as_str().unwrap().len() < 1000, "{error}");
        client.initialize();
        client.longest = 0;
        let error = client.refusal(&strange[..4000], json!({}));
        assert_eq!(kind(&error), "method_not_found");
        let long_id = "x".repeat(5000);
        client.message(&format!(r#"{{"jsonrpc":"2.0","id":"{long_id}","method":"automation/list"}}"#));
        assert_eq!(kind(&client.answer("null").unwrap_err()), "invalid_request");
        let error = client.refusal("rpc.discover", json!({}));
        assert_eq!(kind(&error), "response_too_large");
        let script = "#".repeat(7700);
        let error = client.refusal("automation/create", dormant("long", shell(&script)));
        assert_eq!(kind(&error), "response_too_large");
        assert!(
            error["message"].as_str().unwrap().contains("if it was a change, it was made all the same"),
            "{error}"
        );
        assert!(client.longest <= 8192, "{} bytes were sent", client.longest);
        client.finish();
    }
}

#[test]
fn changes_are_seen_by_what_is_read_after_them_without_waiting_for_answers() {
    let place = Place::new();
    let mut client = place.open();
    let mut asked = Vec::new();
    for number in 0..100 {
        let title = format!("number {number:03}");
        let created = client.send("automation/create", dormant(&title, shell("true")));
        let listed = client.send("automation/list", json!({"query": title}));
        asked.push((title, created, listed));
    }
    let mut ids = Vec::new();
    for (title, created, listed) in asked {
        let created = client.answer(&created).unwrap();
        let page = client.answer(&listed).unwrap();
        let found = page["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect::<Vec<_>>();
        assert_eq!(found, [&created["id"]], "{title} was read before the list, so the list has it");
        ids.push(created["id"].clone());
    }
    let all = client.get("automation/list", json!({"limit": 500}));
    let listed: Vec<&Value> = all["items"].as_array().unwrap().iter().rev().map(|one| &one["id"]).collect();
    assert_eq!(listed, ids.iter().collect::<Vec<_>>(), "in the order in which they were read");
    client.finish();
}

#[test]
fn stdout_carries_nothing_but_the_protocol_however_much_is_logged() {
    let place = Place::new();
    let mut client = place.sidecar().env("SEXTON_LOG", "trace").open();
    client.message("nonsense");
    assert_eq!(client.answer("null").unwrap_err()["code"], -32700);
    client.subscribe(json!({}));
    let automation = client.create(dormant("noisy", shell("echo out; echo err >&2")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    client.finish();
    // A level that does not exist is told about there, too.
    let mut client = place.sidecar().env("SEXTON_LOG", "very loud").framing(Framing::Headers).open();
    client.wait("a warning", |client| client.stderr().contains("very loud").then_some(()));
    client.finish();
}
