//! A run that needs a person: asked in every window, answered once.

use serde_json::{Value, json};

use crate::support::app::{permission, prompted};
use crate::support::{Place, assert_invalid_params, kind};

fn answer(run: &Value, option: &str) -> Value {
    json!({"id": run, "requestID": "req_1", "optionID": option})
}

fn is_gone(error: &Value, run: &Value) {
    assert_eq!((&error["code"], kind(error)), (&json!(-32014), "blocker_gone"), "{error}");
    assert_eq!(error["data"]["runID"], *run);
}

#[test]
fn what_an_agent_asks_is_told_everywhere_and_the_first_answer_counts() {
    let place = Place::new();
    let mut app = place.open();
    let mut other = place.open();
    other.subscribe(json!({}));
    let serving = app.serve();
    let automation = app.create(prompted(json!({})));
    let run = app.at_work(&automation);
    let mut blocker = permission("req_1");
    blocker["tool"] =
        json!({"name": "shell", "arguments": {"line": "make", "nothing": null, "many": [1, 2.5]}});
    app.report(&run, json!({"type": "blocked", "blocker": blocker}));
    let asked = other.wait_for_event("a question", |event| event["run"]["state"] == "awaiting_input");
    assert_eq!(asked["important"], true);
    let told = &asked["run"]["blocker"];
    assert_eq!((&told["options"], &told["tool"]), (&blocker["options"], &blocker["tool"]));
    let (since, expires) =
        (told["since"].as_i64().expect("a time"), told["expiresAt"].as_i64().expect("a time"));
    assert_eq!(expires - since, 86_400_000, "somebody asked for the run");
    let error = other.refusal("run/respond", answer(&run, "perhaps"));
    assert_invalid_params(&error, &["optionID unknown_value"]);
    assert_eq!(other.look_at(&run)["state"], "awaiting_input");
    assert_eq!(other.get("run/respond", answer(&run, "yes"))["state"], "running");
    let heard = app.hears(&run, "answer");
    assert_eq!(heard, json!({"type": "answer", "runID": run, "requestID": "req_1", "optionID": "yes"}));
    is_gone(&app.refusal("run/respond", answer(&run, "no")), &run);
    app.report(&run, json!({"type": "finished"}));
    is_gone(&other.refusal("run/respond", answer(&run, "no")), &run);
    assert_eq!(app.heard(&serving, &run).len(), 2, "a start and one answer");
    app.finish();
    other.finish();
}

#[test]
fn a_question_is_answered_in_words() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.at_work(&automation);
    let question = json!({"kind": "question", "callID": "call_1", "prompt": "Which?"});
    client.report(&run, json!({"type": "blocked", "blocker": question}));
    let with =
        |names: [&str; 2], values: [&str; 2]| json!({"id": run, names[0]: values[0], names[1]: values[1]});
    let error = client.refusal("run/respond", with(["callID", "optionID"], ["call_1", "a"]));
    assert_invalid_params(&error, &["optionID unknown_value"]);
    is_gone(&client.refusal("run/respond", with(["callID", "text"], ["call_0", "that"])), &run);
    let error = client.refusal("run/respond", with(["requestID", "text"], ["call_1", "that"]));
    assert_invalid_params(&error, &["requestID unknown_value", "callID required"]);
    assert!(error["message"].as_str().unwrap().contains("`callID`, and a `text`"), "{error}");
    let error = client.refusal("run/respond", with(["requestID", "optionID"], ["call_1", "a"]));
    assert_invalid_params(&error, &["requestID unknown_value", "callID required", "optionID unknown_value"]);
    let overtaken = with(["requestID", "optionID"], ["req_before", "a"]);
    is_gone(&client.refusal("run/respond", overtaken), &run);
    assert_eq!(
        client.get("run/respond", with(["callID", "text"], ["call_1", "that one"]))["state"],
        "running"
    );
    assert_eq!(client.hears(&run, "answer")["text"], "that one");
    client.report(&run, json!({"type": "finished"}));
    client.finish();
}

#[test]
fn a_permission_is_not_answered_in_words() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.blocked(&automation);
    let error = client.refusal("run/respond", json!({"id": run, "callID": "req_1", "text": "yes"}));
    assert_invalid_params(&error, &["callID unknown_value", "requestID required", "optionID required"]);
    assert_eq!(client.look_at(&run)["state"], "awaiting_input");
    client.get("run/respond", answer(&run, "yes"));
    client.report(&run, json!({"type": "finished"}));
    client.finish();
}

#[test]
fn an_answer_names_one_blocker_and_one_choice() {
    let place = Place::new();
    let mut client = place.open();
    for (params, expected) in [
        (json!({"id": "run_1"}), vec!["requestID required", "optionID required"]),
        (json!({"id": "run_1", "requestID": "r"}), vec!["optionID required"]),
        (json!({"id": "run_1", "requestID": "r", "callID": "c", "text": "t"}), vec!["callID unknown_value"]),
        (json!({"id": "run_1", "callID": "c", "optionID": "o", "text": "t"}), vec!["text unknown_value"]),
        (
            json!({"requestID": " ", "optionID": 1}),
            vec!["id required", "requestID required", "optionID wrong_type"],
        ),
    ] {
        assert_invalid_params(&client.refusal("run/respond", params), &expected);
    }
    let error = client.refusal("run/respond", answer(&json!("run_1"), "yes"));
    assert_eq!(kind(&error), "not_found");
    client.finish();
}

#[test]
fn what_needs_nobody_any_more_goes_on() {
    let place = Place::new();
    let mut client = place.open();
    let events = client.subscribe(json!({"kinds": ["run.updated"]}));
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.blocked(&automation);
    let told = client.wait("the question", |client| {
        let told = client.events(&events);
        (told.last()?["run"]["state"] == "awaiting_input").then_some(told.len())
    });
    client.report(&run, json!({"type": "blocked", "blocker": permission("req_1")}));
    let error = client.report_in_vain(&run, json!({"type": "blocked", "blocker": permission("req_2")}));
    assert_eq!(kind(&error), "invalid_request");
    assert_eq!(client.events(&events).len(), told, "the same again is no news");
    client.report(&run, json!({"type": "unblocked"}));
    assert_eq!(client.look_at(&run)["state"], "running");
    let told = client.events(&events).len();
    // It may cross an answer.
    client.report(&run, json!({"type": "unblocked"}));
    assert_eq!(client.events(&events).len(), told);
    is_gone(&client.refusal("run/respond", answer(&run, "yes")), &run);
    client.report(&run, json!({"type": "blocked", "blocker": permission("req_2")}));
    client.report(&run, json!({"type": "finished", "text": "after all"}));
    assert_eq!(client.look_at(&run)["state"], "succeeded");
    client.finish();
}

#[test]
fn a_question_that_nobody_answers_expires() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    client.serve();
    let automation = client.create(prompted(json!({"blockerMs": {"unattended": 300}})));
    let run =
        client.get("automation/run", json!({"id": automation, "attendance": "unattended"}))["id"].clone();
    client.hears(&run, "start");
    client.report(&run, json!({"type": "started", "sessionID": "s"}));
    client.report(&run, json!({"type": "blocked", "blocker": permission("req_1")}));
    let answered = client.hears(&run, "answer");
    assert_eq!((&answered["requestID"], &answered["optionID"]), (&json!("req_1"), &json!("no")), "by kind");
    assert_eq!(client.hears(&run, "cancel")["reason"], "expired");
    is_gone(&client.refusal("run/respond", answer(&run, "yes")), &run);
    client.report(&run, json!({"type": "finished", "text": "then not"}));
    assert_eq!(client.look_at(&run)["stopReason"], "expired");
    client.finish();
}

#[test]
fn where_nobody_may_be_asked_a_question_ends_the_run() {
    let place = Place::new();
    let mut client = place.open();
    let events = client.subscribe(json!({"kinds": ["run.updated"]}));
    client.serve();
    let automation = client.create(prompted(json!({"permissions": "deny"})));
    let run = client.at_work(&automation);
    client.report(&run, json!({"type": "blocked", "blocker": permission("req_1")}));
    assert_eq!(client.hears(&run, "cancel")["reason"], "needs_user_input");
    client.report(&run, json!({"type": "failed", "code": "execution_failed", "message": "it may not"}));
    let error = client.look_at(&run)["error"].clone();
    assert_eq!((&error["code"], &error["class"]), (&json!("needs_user_input"), &json!("permission")));
    assert!(client.events(&events).iter().all(|event| event["run"]["state"] != "awaiting_input"));
    client.finish();
}

#[test]
fn a_run_may_not_answer_a_run() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.blocked(&automation);
    let mut from_inside = answer(&run, "yes");
    from_inside["insideRun"] = run.clone();
    let error = client.refusal("run/respond", from_inside);
    assert_eq!((kind(&error), &error["data"]["runID"]), ("inside_run", &run));
    assert_eq!(client.look_at(&run)["state"], "awaiting_input");
    client.report(&run, json!({"type": "finished"}));
    client.finish();
}
