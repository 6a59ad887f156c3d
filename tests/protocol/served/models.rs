//! What is offered, and what automations may name of it.

use serde_json::{Value, json};

use crate::support::app::{offer, prompt, prompted};
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, assert_invalid_params, faults, kind};

fn model(provider: &str, model: &str) -> Value {
    with(prompt(), "model", json!({"providerID": provider, "modelID": model}))
}

#[test]
fn what_nobody_offers_is_told_by_its_word() {
    let place = Place::new();
    let mut client = place.open();
    assert_eq!(client.opened["capabilities"]["tasks"], json!(["command", "prompt", "notify"]));
    let error = client.refusal("automation/create", dormant("t", prompt()));
    assert_eq!(faults(&error), ["task.model model_lookup_failed"], "nobody can be asked");
    client.serve();
    for (task, fault) in [
        (model("editor", "small"), "task.model model_not_found"),
        (model("other", "large"), "task.model model_lookup_failed"),
        (with(prompt(), "variant", json!("careless")), "task.variant invalid_variant_for_model"),
    ] {
        let error = client.refusal("automation/create", dormant("t", task.clone()));
        assert_eq!((&error["code"], faults(&error)), (&json!(-32010), vec![fault.to_owned()]), "{error}");
        let id = client.create(dormant("t", shell("true")));
        let error = client.refusal("automation/update", json!({"id": id, "patch": {"task": task}}));
        assert_eq!(faults(&error), [fault], "{error}");
    }
    let made = client.get("automation/create", dormant("t", with(prompt(), "variant", json!("careful"))));
    assert_eq!((&made["policy"]["idleMs"], &made["task"]["context"]), (&json!(600_000), &json!("fresh")));
    client.finish();
}

#[test]
fn a_window_that_carries_prompts_out_itself_runs_no_prechecks() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let precheck = json!({"precheck": {"program": "true", "timeoutMs": 1000}});
    let error = client.refusal("automation/create", prompted(precheck.clone()));
    assert_eq!(faults(&error), ["policy.precheck not_available_yet"]);
    let id = client.create(prompted(json!({})));
    let error = client.refusal("automation/update", json!({"id": id, "patch": {"policy": precheck}}));
    assert_eq!(faults(&error), ["policy.precheck not_available_yet"]);
    let checked = client.create(with(dormant("checked", shell("true")), "policy", precheck));
    let error = client.refusal("automation/update", json!({"id": checked, "patch": {"task": prompt()}}));
    assert_eq!(faults(&error), ["policy.precheck not_available_yet"]);
    client.finish();
}

#[test]
fn an_edit_that_does_not_touch_the_task_asks_nobody() {
    let place = Place::new();
    let mut client = place.open();
    let serving = client.serve();
    let id = client.create(prompted(json!({})));
    client.serve_with(with(with(offer(), "id", json!("second")), "models", json!([{"id": "small"}])));
    assert_eq!(client.get("provider/unserve", json!({"subscription": serving})), true);
    let edited = client.get("automation/update", json!({"id": id, "patch": {"title": "another"}}));
    assert_eq!(edited["revision"], 2);
    // What it said lately still counts.
    let edit = json!({"id": id, "patch": {"task": {"prompt": "look again"}}});
    assert_eq!(client.get("automation/update", edit)["revision"], 3);
    client.finish();
}

#[test]
fn providers_are_listed_with_what_they_offer_and_told_when_that_changes() {
    let place = Place::new();
    let mut client = place.open();
    assert_eq!(client.get("provider/list", json!({})), json!({"items": []}));
    let events = client.subscribe(json!({"kinds": ["provider.updated"]}));
    let serving = client.serve();
    let listed = client.get("provider/list", json!({}))["items"][0].clone();
    assert_eq!(listed["models"], offer()["models"]);
    assert_eq!(
        (&listed["id"], &listed["kind"], &listed["status"]),
        (&json!("editor"), &json!("served"), &json!("ready"))
    );
    assert_eq!(client.get("provider/refresh", json!({"id": "editor"}))["items"], json!([listed]));
    let error = client.refusal("provider/refresh", json!({"id": "nobody"}));
    assert_eq!((kind(&error), &error["data"]["what"]), ("not_found", &json!("provider")));
    assert_eq!(client.get("provider/unserve", json!({"subscription": serving})), true);
    // The answer comes after the change, so the list knows of it.
    let listed = client.get("provider/list", json!({}))["items"][0].clone();
    assert_eq!((&listed["status"], &listed["models"]), (&json!("unavailable"), &offer()["models"]));
    assert!(listed["reason"].as_str().is_some_and(|why| !why.is_empty()), "{listed}");
    let told = client.wait("both changes", |client| {
        let told = client.events(&events);
        (told.len() == 2).then_some(told)
    });
    assert_eq!(told[1]["provider"], listed);
    assert_eq!(told[0]["provider"]["status"], "ready");
    assert_eq!(client.get("provider/unserve", json!({"subscription": serving})), false, "it has ended");
    client.finish();
}

#[test]
fn a_serving_and_what_needs_it_may_be_sent_without_waiting() {
    let place = Place::new();
    let mut client = place.open();
    for round in 0..20 {
        let served = client.send("provider/serve", offer());
        let created = client.send("automation/create", prompted(json!({})));
        let serving = client.answer(&served).expect("a subscription");
        client.answer(&created).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let unserved = client.send("provider/unserve", json!({"subscription": serving}));
        let listed = client.send("provider/list", json!({}));
        assert_eq!(client.answer(&unserved), Ok(json!(true)));
        assert_eq!(client.answer(&listed).expect("a list")["items"][0]["status"], "unavailable", "{round}");
    }
    client.finish();
}

#[test]
fn each_fault_of_an_offer_is_told_at_once() {
    let place = Place::new();
    let mut client = place.open();
    let bad = json!({"id": " ", "maxConcurrent": 0, "models": [
        {"id": "a", "variants": ["v", "v", "", 1]}, {"id": "a", "name": "A", "price": 1}, {"name": "b"}]});
    let expected = [
        "id required",
        "models[0].variants[3] wrong_type",
        "models[1].id duplicate_field",
        "models[1].price unknown_value",
        "models[2].id required",
        "maxConcurrent out_of_range",
    ];
    assert_invalid_params(&client.refusal("provider/serve", bad), &expected);
    let variants = |variants: Value| with(offer(), "models", json!([{"id": "a", "variants": variants}]));
    for (offer, fault) in [
        (variants(json!(["v", "w", "v"])), "models[0].variants[2] duplicate_field"),
        (variants(json!([" "])), "models[0].variants[0] required"),
        (variants(json!(["v".repeat(201)])), "models[0].variants[0] too_long"),
        (variants(json!((0..51).map(|n| n.to_string()).collect::<Vec<_>>())), "models[0].variants too_long"),
        (with(offer(), "maxConcurrent", json!(101)), "maxConcurrent out_of_range"),
    ] {
        assert_invalid_params(&client.refusal("provider/serve", offer), &[fault]);
    }
    let long: Vec<Value> =
        (0..200).map(|n| json!({"id": format!("{n:0>200}"), "name": "n".repeat(200)})).collect();
    assert_invalid_params(
        &client.refusal("provider/serve", with(offer(), "models", json!(long))),
        &["models too_long"],
    );
    let batch =
        r#"[{"jsonrpc":"2.0","id":"b","method":"provider/serve","params":{"id":"x","models":[{"id":"m"}]}}]"#;
    client.message(batch);
    assert_eq!(client.batch(&[json!("b")])[0]["error"]["code"], -32600, "it would outlive its answer");
    assert_eq!(client.get("provider/list", json!({})), json!({"items": []}), "nothing was taken in");
    client.finish();
}
