//! Batches: several messages in one, answered by one.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::wire::BOTH;
use crate::support::{Place, kind};

fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

/// Sends a batch and waits for its answer, which has an entry for each of these ids.
fn ask(client: &mut Client, entries: &Value, ids: &[Value]) -> Vec<Value> {
    client.message(&entries.to_string());
    client.batch(ids)
}

#[test]
fn requests_in_a_batch_are_answered_together_in_the_order_of_their_changes() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        let batch = json!([
            request(1, "automation/create", dormant("first", shell("true"))),
            request("two", "automation/create", dormant("second", shell("true"))),
            {"jsonrpc": "2.0", "method": "initialized"},
            request(-3, "automation/list", json!({})),
            request(4, "no/such", json!({})),
        ]);
        let ids = [json!(1), json!("two"), json!(-3), json!(4)];
        let [first, second, list, unknown] = &ask(&mut client, &batch, &ids)[..] else { panic!() };
        assert_eq!(
            (&first["result"]["title"], &second["result"]["title"]),
            (&json!("first"), &json!("second"))
        );
        let listed: Vec<&Value> =
            list["result"]["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(listed, [&second["result"]["id"], &first["result"]["id"]], "it sees both");
        assert_eq!(kind(&unknown["error"]), "method_not_found");
        client.finish();
    }
}

#[test]
fn entries_that_want_no_answer_get_none() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        let silent = json!([
            {"jsonrpc": "2.0", "method": "initialized"},
            {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}},
            {"jsonrpc": "2.0", "id": 9, "result": null},
        ]);
        client.message(&silent.to_string());
        assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
        client.finish();
    }
}

#[test]
fn what_is_no_batch_is_refused_as_one_and_what_is_no_request_as_an_entry() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        let too_many = format!("[{}]", vec!["1"; 8193].join(","));
        for (message, code) in
            [("[]", -32600), ("[ ]", -32600), ("[1,", -32700), ("[1] 2", -32700), (&*too_many, -32600)]
        {
            client.message(message);
            assert_eq!(client.answer("null").unwrap_err()["code"], code, "{message:.20}");
        }
        let mixed = json!([
            3,
            request(1, "automation/list", json!({})),
            {"jsonrpc": "2.0", "id": 2},
            request(1.5, "automation/list", json!({})),
            [request(5, "automation/list", json!({}))],
            request(6, "automation/list", json!([1])),
        ]);
        let ids = [Value::Null, json!(1), json!(2), Value::Null, Value::Null, json!(6)];
        let answers = ask(&mut client, &mixed, &ids);
        let codes: Vec<&Value> = answers.iter().map(|answer| &answer["error"]["code"]).collect();
        assert_eq!(
            codes,
            [&json!(-32600), &Value::Null, &json!(-32600), &json!(-32600), &json!(-32600), &json!(-32602)]
        );
        client.finish();
    }
}

#[test]
fn a_subscription_is_opened_by_itself() {
    let place = Place::new();
    let mut client = place.open();
    let batch = json!([request(1, "events/subscribe", json!({})), request(2, "automation/list", json!({}))]);
    let answers = ask(&mut client, &batch, &[json!(1), json!(2)]);
    assert_eq!(
        (&answers[0]["error"]["code"], kind(&answers[0]["error"])),
        (&json!(-32600), "invalid_request")
    );
    assert!(answers[1]["result"].is_object());
    // Closing one is a request like any other.
    let subscription = client.subscribe(json!({}));
    let close = json!([request(3, "events/unsubscribe", json!({"subscription": subscription}))]);
    assert_eq!(ask(&mut client, &close, &[json!(3)])[0]["result"], true);
    client.finish();
}

#[test]
fn no_two_entries_have_one_id() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, automation, _) = place.held_up(&mut client, "held up");
    let delete = json!({"id": automation, "activeRun": "finish"});
    let twice =
        json!([request("same", "automation/delete", delete), request("same", "automation/list", json!({}))]);
    client.message(&twice.to_string());
    // The batch waits for its longest entry, and nobody waits for the batch.
    assert_eq!(client.get("automation/list", json!({}))["items"][0]["id"], automation);
    gate.open();
    let answers = client.batch(&[json!("same"), json!("same")]);
    let refused = answers.iter().filter(|answer| answer["error"]["code"] == -32600).count();
    let deleted = answers.iter().filter(|answer| answer["result"]["deleted"] == true).count();
    assert_eq!((refused, deleted), (1, 1), "{answers:?}");
    client.finish();
}

#[test]
fn a_whole_conversation_fits_into_two_batches() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).spawn();
        let opening = json!([
            request(1, "automation/list", json!({})),
            request(2, "initialize", client.initialize_params()),
            {"jsonrpc": "2.0", "method": "initialized"},
            request(3, "automation/create", dormant("at once", shell("true"))),
        ]);
        let answers = ask(&mut client, &opening, &[json!(1), json!(2), json!(3)]);
        assert_eq!(kind(&answers[0]["error"]), "not_initialized");
        assert_eq!(answers[1]["result"]["protocolVersion"], 1);
        assert_eq!(answers[2]["result"]["title"], "at once");
        let closing = json!([
            request(4, "automation/list", json!({})),
            request(5, "shutdown", json!({})),
            request(6, "automation/list", json!({})),
            {"jsonrpc": "2.0", "method": "exit"},
            request(7, "automation/list", json!({})),
        ]);
        let answers = ask(&mut client, &closing, &[json!(4), json!(5), json!(6), json!(7)]);
        assert_eq!(answers[0]["result"]["items"][0]["title"], "at once");
        assert_eq!(answers[1], json!({"jsonrpc": "2.0", "id": 5, "result": null}));
        assert_eq!(kind(&answers[2]["error"]), "invalid_request", "it was shut down");
        assert_eq!(kind(&answers[3]["error"]), "invalid_request", "nothing follows an exit");
        assert_eq!(client.exit_code(), Some(0));
        assert_eq!(client.unclaimed(), Vec::<String>::new());
    }
}

#[test]
fn the_answer_to_a_batch_is_no_longer_than_a_message_may_be() {
    for framing in BOTH {
        let place = Place::new();
        let limits = json!({"maxMessageBytes": 16384});
        let mut client = place.sidecar().framing(framing).option("limits", limits).open();
        for number in 0..8 {
            client.create(dormant(&format!("number {number}"), shell("true")));
        }
        let lists: Vec<Value> =
            (0..20).map(|id| request(id, "automation/list", json!({"limit": 4}))).collect();
        let ids: Vec<Value> = (0..20).map(Value::from).collect();
        let answers = ask(&mut client, &json!(lists), &ids);
        let too_large = |answer: &&Value| kind(&answer["error"]) == "response_too_large";
        let refused = answers.iter().filter(too_large).count();
        println!("{refused} of 20 did not fit into {} bytes", client.longest);
        assert!(refused > 0 && refused < 20, "{refused}");
        assert!(answers.iter().filter(too_large).all(|answer| answer["error"]["code"] == -32008));
        assert!(client.longest <= 16384, "{} bytes were sent", client.longest);
        // Not even the shortest answers would fit, so nothing is begun.
        let short: Vec<Value> = (0..150)
            .map(|id| json!({"jsonrpc": "2.0", "id": format!("never {id}"), "method": "automation/list"}))
            .collect();
        client.message(&json!(short).to_string());
        let error = client.answer("null").unwrap_err();
        assert_eq!((&error["code"], kind(&error)), (&json!(-32008), "response_too_large"), "{error}");
        client.finish();
    }
}

#[test]
fn entries_count_like_messages_of_their_own() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, automation, _) = place.held_up(&mut client, "held up");
    let delete = json!({"id": automation, "activeRun": "finish"});
    let count = 256 + 4096 + 10;
    let batch: Vec<Value> =
        (0..count).map(|id| request(format!("entry {id}"), "automation/delete", delete.clone())).collect();
    client.message(&json!(batch).to_string());
    gate.open();
    let ids: Vec<Value> = (0..count).map(|id| json!(format!("entry {id}"))).collect();
    let answers = client.batch(&ids);
    let too_many = |answer: &Value| {
        kind(&answer["error"]) == "overloaded"
            && answer["error"]["message"]
                .as_str()
                .is_some_and(|why| why.contains("4096 requests are waiting"))
    };
    let (taken, beyond) = answers.split_at(256 + 4096);
    assert!(beyond.iter().all(too_many), "{beyond:?}");
    assert!(!taken.iter().any(too_many), "256 run and 4096 wait");
    // How many of them had begun when it was gone depends on when the work ended.
    let deleted = taken.iter().filter(|answer| answer["result"]["deleted"] == true).count();
    assert!((1..=512).contains(&deleted), "{deleted}");
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
    client.finish();
}

#[test]
fn an_entry_that_is_a_list_is_no_request_whatever_it_lists() {
    let place = Place::new();
    let mut client = place.open();
    let draft = dormant("made by position", shell("true"));
    for entry in [
        json!(["2.0", 4, "shutdown", null, null, null]),
        json!(["2.0", 7, "automation/create", draft, null, null]),
        json!([{"jsonrpc": "2.0", "id": 9, "method": "automation/list"}]),
    ] {
        let answers = ask(&mut client, &json!([entry]), &[Value::Null]);
        assert_eq!((answers.len(), &answers[0]["error"]["code"]), (1, &json!(-32600)), "{answers:?}");
    }
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
    client.finish();
}
