//! `automation/simulate`: what will become of the scheduled times of a span.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, every, once, shell, with};
use crate::support::ledger::{directory, hold};
use crate::support::{Place, eventually, faults, kind, wall_ms};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

fn simulate(client: &mut Client, params: Value) -> Value {
    client.get("automation/simulate", params)
}

/// What is foretold of the next hours, with these parameters beside.
fn ahead(client: &mut Client, hours: i64, more: Value) -> Value {
    let now = wall_ms();
    let mut params = json!({"from": now, "to": now + hours * HOUR_MS});
    let more = more.as_object().expect("parameters").clone();
    params.as_object_mut().expect("parameters").extend(more);
    simulate(client, params)
}

/// The outcomes, in order.
fn outcomes(simulation: &Value) -> Vec<&str> {
    let fires = simulation["fires"].as_array().expect("fires");
    fires.iter().map(|fire| fire["outcome"].as_str().expect("an outcome")).collect()
}

#[test]
fn what_is_foretold_is_when_and_how() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(every("each half hour", 30 * MINUTE_MS, shell("true")));
    let created = client.get("automation/get", json!({"id": id}));
    let first = created["state"]["nextFireAt"].as_i64().unwrap();
    let told = ahead(&mut client, 2, json!({}));
    let fires: Vec<Value> = (0..4)
        .map(|number| {
            let at = first + number * 30 * MINUTE_MS;
            json!({"id": id, "at": at, "outcome": "ran", "startedAt": at})
        })
        .collect();
    assert_eq!(told["fires"], json!(fires[..told["fires"].as_array().unwrap().len()]));
    assert!(told["fires"].as_array().unwrap().len() >= 3, "{told}");
    assert_eq!(told["truncated"], false);
    let all = json!({"ran": fires.len().min(told["fires"].as_array().unwrap().len())});
    assert_eq!(told["totals"], json!({"outcomes": all, "automations": [{"id": id, "outcomes": all}]}));
    assert_eq!(told.get("estimatedCost"), None, "it has never cost anything");
    // Nothing of it has happened.
    assert_eq!(client.get("run/list", json!({}))["items"], json!([]));
    assert_eq!(client.get("automation/get", json!({"id": id})), created);
    client.finish();
}

#[test]
fn runs_stand_in_each_others_way() {
    let place = Place::new();
    let mut client = place.open();
    let first = client.create(every("first", HOUR_MS, shell("true")));
    let second = client.create(with(
        every("second", HOUR_MS, shell("true")),
        "policy",
        json!({"queueMs": 10 * MINUTE_MS}),
    ));
    let about = |id: &Value| json!({"ids": [id], "assumeRunMs": 20 * MINUTE_MS});
    assert_eq!(outcomes(&ahead(&mut client, 2, about(&first)))[0], "ran");
    let told = ahead(&mut client, 2, about(&second));
    assert_eq!(outcomes(&told)[0], "busy", "the other one is at work for longer than this waits");
    assert_eq!((&told["fires"][0]["id"], &told["fires"][0]["reason"]), (&second, &json!("writer_busy")));
    let told = ahead(&mut client, 2, json!({"ids": [second], "assumeRunMs": 5 * MINUTE_MS}));
    assert_eq!(outcomes(&told)[0], "ran_late");
    assert_eq!(told["fires"][0]["reason"], "directory");
    client.finish();
}

#[test]
fn a_run_takes_as_long_as_those_before_it_took() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let short = client.create(dormant("short", shell("true")));
    let run = client.run(&short);
    client.wait_for_run(&run, "succeeded");
    let later = client.create(dormant("never ran", shell("true")));
    let told = ahead(&mut client, 25, json!({"ids": [short, later]}));
    let started: Vec<i64> =
        told["fires"].as_array().unwrap().iter().map(|fire| fire["startedAt"].as_i64().unwrap()).collect();
    let late = told["fires"][1]["startedAt"].as_i64().unwrap() - told["fires"][1]["at"].as_i64().unwrap();
    assert!(late < MINUTE_MS, "{started:?}: the first is over long before a minute");
    client.finish();
}

#[test]
fn a_draft_is_foretold_and_is_none_afterwards() {
    let place = Place::new();
    let mut client = place.open();
    let other = client.create(every("other", HOUR_MS, shell("true")));
    let draft = every("draft", HOUR_MS, shell("true"));
    let told = ahead(&mut client, 2, json!({"draft": draft, "assumeRunMs": 2 * MINUTE_MS}));
    assert_eq!(outcomes(&told)[0], "ran_late", "the other one, which was there first, is at work");
    assert_eq!(told["fires"][0]["id"], "");
    let told = ahead(&mut client, 2, json!({"draft": draft, "ids": [other]}));
    assert!(told["fires"].as_array().unwrap().len() >= 2, "{told}");
    assert_eq!(client.get("automation/list", json!({}))["items"].as_array().map(Vec::len), Some(1));

    let bad = with(with(draft.clone(), "title", json!("")), "key", json!("k"));
    let now = wall_ms();
    let ask = json!({"from": now, "to": now + HOUR_MS, "draft": bad});
    let error = client.refusal("automation/simulate", ask);
    assert_eq!((&error["code"], kind(&error)), (&json!(-32010), "invalid_automation"));
    assert_eq!(faults(&error), ["title required", "key unsupported_automation_field"]);
    let past = json!({"from": now, "to": now + HOUR_MS, "draft": once("past", now - 1, shell("true"))});
    assert_eq!(faults(&client.refusal("automation/simulate", past)), ["fireAt fireAt_must_be_future"]);
    let task = json!({"kind": "prompt", "prompt": "look", "model": {"providerID": "nobody", "modelID": "m"}});
    let unknown = json!({"from": now, "to": now + HOUR_MS, "draft": every("asks", HOUR_MS, task)});
    assert_eq!(faults(&client.refusal("automation/simulate", unknown)), ["task.model model_lookup_failed"]);
    client.finish();
}

#[test]
fn bad_parameters_are_refused_each_with_its_name() {
    let place = Place::new();
    let mut client = place.open();
    for (params, wrong) in [
        (json!({}), vec!["from required", "to required"]),
        (json!({"from": 2, "to": 1}), vec!["to out_of_range"]),
        (json!({"from": -1, "to": "x"}), vec!["from out_of_range", "to wrong_type"]),
        (json!({"from": 1, "to": 1, "ids": []}), vec!["ids required"]),
        (json!({"from": 1, "to": 1, "ids": [7]}), vec!["ids[0] wrong_type"]),
        (json!({"from": 1, "to": 1, "ids": ["x".repeat(101)]}), vec!["ids[0] too_long"]),
        (json!({"from": 1, "to": 1, "ids": vec!["x"; 1001]}), vec!["ids too_long"]),
        (json!({"from": 1, "to": 1, "draft": null}), vec!["draft wrong_type"]),
        (json!({"from": 1, "to": 1, "assumeRunMs": -1}), vec!["assumeRunMs out_of_range"]),
        (json!({"from": 1, "to": 1, "insideOut": true}), vec!["insideOut unknown_value"]),
    ] {
        let error = client.refusal("automation/simulate", params.clone());
        assert_eq!((&error["code"], kind(&error)), (&json!(-32602), "invalid_params"), "{params}");
        assert_eq!(faults(&error), wrong, "{params}");
    }
    let both = json!({"from": 2, "to": 1, "draft": {"title": "t"}});
    let error = client.refusal("automation/simulate", both);
    assert_eq!(faults(&error), ["kind required", "task required", "to out_of_range"]);
    let error = client.refusal("automation/simulate", json!({"from": 1, "to": 1, "ids": ["atm_x"]}));
    assert_eq!(
        (&error["code"], kind(&error), &error["data"]["id"]),
        (&json!(-32011), "not_found", &json!("atm_x"))
    );
    client.finish();
}

#[test]
fn what_was_over_before_is_not_told() {
    let place = Place::new();
    let mut client = place.open();
    client.create(dormant("daily", shell("true")));
    let told = simulate(&mut client, json!({"from": 0, "to": wall_ms() - 1}));
    assert_eq!(told["fires"], json!([]));
    let told = simulate(&mut client, json!({"from": 0, "to": wall_ms() + 25 * HOUR_MS}));
    assert_eq!(outcomes(&told), ["ran"]);
    client.finish();
}
#[test]
fn more_than_is_told_is_counted() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 1000}));
    let id = client.create(every("each second", 1000, shell("true")));
    let told = ahead(&mut client, 3, json!({"assumeRunMs": 10}));
    let fires = told["fires"].as_array().unwrap();
    assert_eq!((fires.len(), &told["truncated"]), (10_000, &json!(true)));
    assert!(fires.is_sorted_by_key(|fire| fire["at"].as_i64()), "the first ones are told");
    let count = told["totals"]["automations"][0]["outcomes"]["ran"].as_i64().unwrap();
    assert!((10_795..=10_800).contains(&count), "{count}");
    assert_eq!(told["totals"]["automations"][0]["id"], id);
    client.finish();
}

/// Asks for two simulations that take long, and gives what they were asked by. Both are at it.
fn as_many_as_there_may_be(client: &mut Client) -> [String; 2] {
    // Each of its runs is counted, so that none is like another.
    let counted = json!({"kind": "count", "count": 1_000_000_000});
    client.create(with(every("counted", 1000, shell("true")), "stop", counted));
    let now = wall_ms();
    let years = json!({"from": now, "to": now + 1000 * 24 * HOUR_MS, "assumeRunMs": 0});
    let long = [(); 2].map(|()| client.send("automation/simulate", years.clone()));
    // There is no place for a third.
    let error = client.refusal("automation/simulate", years);
    assert_eq!((&error["code"], kind(&error)), (&json!(-32018), "overloaded"));
    long
}

#[test]
fn one_that_is_cancelled_is_given_up_and_few_are_worked_out_at_once() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 1000}));
    let long = as_many_as_there_may_be(&mut client);
    // Nobody waits for these.
    assert_eq!(client.get("run/list", json!({}))["items"], json!([]));
    for id in &long {
        let params = format!(r#"{{"jsonrpc":"2.0","method":"$/cancelRequest","params":{{"id":{id}}}}}"#);
        client.message(&params);
        let error = client.answer(id).expect_err("it is cancelled");
        assert_eq!((&error["code"], kind(&error)), (&json!(-32800), "cancelled"));
    }
    // The places of both are free again as soon as they have noticed.
    eventually("a place to simulate", || {
        let now = wall_ms();
        client.ask("automation/simulate", json!({"from": now, "to": now})).ok()
    });
    client.finish();
}

#[test]
fn what_is_still_worked_out_keeps_no_window_from_closing() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 1000}));
    let long = as_many_as_there_may_be(&mut client);
    client.get("shutdown", json!({"mode": "force"}));
    for id in &long {
        let error = client.answer(id).expect_err("it is given up");
        assert_eq!((&error["code"], kind(&error)), (&json!(-32800), "cancelled"));
    }
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
}

#[test]
fn a_draft_is_foretold_while_somebody_else_writes() {
    let place = Place::new();
    let mut client = place.open();
    let writes = hold(directory(&client).join("ledger.db"));
    let told = ahead(&mut client, 2, json!({"draft": every("draft", HOUR_MS, shell("true"))}));
    assert_eq!(outcomes(&told)[0], "ran");
    drop(writes);
    client.finish();
}

/// The threads of this window that work simulations out.
fn threads(client: &Client) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", client.pid())).expect("our own child");
    let of_simulations = |task: &std::path::PathBuf| {
        // One that has ended meanwhile is none.
        std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "simulation")
    };
    let mut threads: Vec<_> = tasks.flatten().map(|task| task.path()).filter(of_simulations).collect();
    threads.sort();
    threads.iter().map(|task| task.display().to_string()).collect()
}

/// Each thread would keep what a simulation takes.
#[test]
fn one_after_the_other_they_are_worked_out_by_one_thread_that_stays() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(every("each half hour", 30 * MINUTE_MS, shell("true")));
    assert_eq!(threads(&client), [""; 0], "nobody has asked");
    ahead(&mut client, 2, json!({}));
    let first = threads(&client);
    assert_eq!(first.len(), 1, "{first:?}");
    for _ in 0..5 {
        ahead(&mut client, 2, json!({}));
        // What is to come is foretold.
        client.get("automation/explain", json!({"id": id}));
        assert_eq!(threads(&client), first);
    }
    client.finish();
}
