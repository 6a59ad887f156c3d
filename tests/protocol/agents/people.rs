//! What an agent asks of people, and what it hears of them.

use serde_json::{Value, json};

use super::{Bench, asking, asking_with, begin, carried_out, ended, states, subscribed, words};
use crate::support::client::Client;
use crate::support::{assert_invalid_params, kind};

/// Waits until a run waits for a person, and gives for what.
fn asked(client: &mut Client, run: &Value) -> Value {
    client.wait_for_run(run, "awaiting_input")["blocker"].clone()
}

fn answer(run: &Value, blocker: &Value, option: &str) -> Value {
    let name = if blocker["kind"] == "permission" { "requestID" } else { "callID" };
    json!({"id": run, name: blocker[name], "optionID": option})
}

/// What the agent was answered to what it has asked for, in order.
fn answers(bench: &Bench, run: &Value) -> Vec<Value> {
    let told = bench.told(run);
    told.iter().filter_map(|line| line.get("result").cloned()).collect()
}

fn chosen(option: &str) -> Value {
    json!({"outcome": {"outcome": "selected", "optionId": option}})
}

#[test]
fn a_permission_is_given_from_another_window_and_the_first_answer_counts() {
    let bench = Bench::new();
    let mut client = bench.open();
    let mut other = subscribed(bench.place.open());
    let run = begin(&mut client, asking("[permission:make clean][say:Done.]"));
    let blocker = asked(&mut other, &run);
    assert!(blocker["title"].as_str().unwrap().contains("make clean"), "{blocker}");
    let kinds: Vec<&Value> =
        blocker["options"].as_array().unwrap().iter().map(|option| &option["kind"]).collect();
    assert_eq!(kinds, ["allow_always", "allow_once", "reject_once", "reject_always"]);
    let error = other.refusal("run/respond", answer(&run, &blocker, "perhaps"));
    assert_invalid_params(&error, &["optionID unknown_value"]);
    assert_eq!(other.get("run/respond", answer(&run, &blocker, "allow_once"))["state"], "running");
    let late = client.refusal("run/respond", answer(&run, &blocker, "reject_once"));
    assert_eq!((&late["code"], kind(&late)), (&json!(-32014), "blocker_gone"));
    assert_eq!(ended(&mut client, &run)["result"]["text"], "Done.");
    let late = other.refusal("run/respond", answer(&run, &blocker, "reject_once"));
    assert_eq!(kind(&late), "blocker_gone");
    assert_eq!(answers(&bench, &run), [chosen("allow_once")]);
    bench.leave_nothing(&[&client, &other], &[]);
    other.finish();
    client.finish();
}

#[test]
fn a_permission_that_a_person_refuses_is_told_as_their_decision() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[permission:make clean][say:Done.]"));
    let blocker = asked(&mut client, &run);
    client.get("run/respond", answer(&run, &blocker, "reject_once"));
    let run = ended(&mut client, &run);
    assert_eq!(words(&run), "failed: execution_failed permission");
    assert!(run["error"]["message"].as_str().unwrap().contains("make clean"), "{run}");
    assert_eq!(answers(&bench, &run), [chosen("reject_once")]);
    bench.finish(client, &[]);
}

#[test]
fn who_is_answered_by_nobody_is_told_no_this_once_and_then_to_end() {
    let bench = Bench::new();
    let mut client = bench.open();
    let policy = json!({"blockerMs": {"attended": 300}});
    let run = begin(&mut client, asking_with("[permission][say:Done.]", policy));
    let blocker = asked(&mut client, &run);
    let run = ended(&mut client, &run);
    assert_eq!(words(&run), "stopped: expired");
    let late = client.refusal("run/respond", answer(&run["id"], &blocker, "allow_once"));
    assert_eq!(kind(&late), "blocker_gone");
    let told = bench.told(&run);
    let no = told.iter().position(|line| line["result"] == chosen("reject_once")).expect("a no");
    assert!(told[no..].iter().any(|line| line["method"] == "session/cancel"), "{told:?}");
    assert_eq!(answers(&bench, &run).len(), 1);
    bench.finish(client, &[]);
}

#[test]
fn where_nobody_is_to_be_asked_an_agent_finds_another_way_or_fails() {
    let bench = Bench::new();
    let mut client = bench.sidecar().open();
    let events = client.subscribe(json!({}));
    let deny = json!({"permissions": "deny"});
    let run = carried_out(&mut client, asking_with("[permission:make clean][say:Done.]", deny.clone()));
    assert_eq!(words(&run), "failed: needs_user_input permission");
    let sentence = run["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("make clean") && sentence.contains("policy.permissions"), "{sentence}");
    assert_eq!(answers(&bench, &run), [chosen("reject_once")]);
    let other_way =
        carried_out(&mut client, asking_with("[try:make clean][tool:rm][say:Done.]", deny.clone()));
    assert_eq!(words(&other_way), "succeeded");
    let question = carried_out(&mut client, asking_with("[ask:Which one?][say:Done.]", deny));
    assert_eq!(answers(&bench, &question), [json!({"action": "decline"})]);
    for run in [&run, &other_way, &question] {
        let states = states(&client, &events, &run["id"]);
        assert!(!states.contains(&"awaiting_input".to_owned()), "{states:?}");
    }
    bench.finish(client, &[]);
}

#[test]
fn a_question_is_answered_by_a_choice_or_in_words() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[ask:Which one?]"));
    let question = asked(&mut client, &run);
    assert_eq!(question["kind"], "question");
    assert!(question["prompt"].as_str().unwrap().contains("Which one?"), "{question}");
    let offered: Vec<&Value> =
        question["options"].as_array().unwrap().iter().map(|one| &one["label"]).collect();
    assert_eq!(offered, ["this", "that"]);
    let option = question["options"][1]["id"].as_str().unwrap();
    client.get("run/respond", answer(&run, &question, option));
    let accepted = json!({"action": "accept", "content": {"which": "that"}});
    let run = ended(&mut client, &run);
    assert_eq!((&answers(&bench, &run)[..], words(&run).as_str()), (&[accepted][..], "succeeded"));

    let fields = json!({"name": {"type": "string"}});
    bench.plays(&json!({"prompt": [{"elicit": {"message": "What is it called?", "fields": fields, "required": ["name"]}}]}));
    let run = begin(&mut client, asking("Name it."));
    let question = asked(&mut client, &run);
    client.get("run/respond", json!({"id": run, "callID": question["callID"], "text": "Kingfisher"}));
    let run = ended(&mut client, &run);
    assert_eq!(answers(&bench, &run), [json!({"action": "accept", "content": {"name": "Kingfisher"}})]);
    bench.finish(client, &[]);
}

#[test]
fn two_permissions_at_once_are_asked_for_one_after_the_other() {
    let bench = Bench::new();
    let mut client = bench.open();
    let go_on = |title: &str| json!({"title": title, "refused": "go_on"});
    bench.plays(&json!({"prompt": [{"permissions": [go_on("first"), go_on("second")]}, {"say": "Done."}]}));
    let run = begin(&mut client, asking("Do both."));
    let mut seen = Vec::new();
    for option in ["allow_once", "reject_once"] {
        let blocker = client.wait_for_event("the next", |event| {
            let waits = event["run"]["id"] == run && event["run"]["state"] == "awaiting_input";
            waits && !seen.contains(&event["run"]["blocker"]["requestID"])
        })["run"]["blocker"]
            .clone();
        client.get("run/respond", answer(&run, &blocker, option));
        seen.push(blocker["requestID"].clone());
    }
    assert_eq!(words(&ended(&mut client, &run)), "succeeded");
    assert_eq!(answers(&bench, &run), [chosen("allow_once"), chosen("reject_once")]);
    bench.finish(client, &[]);
}

#[test]
fn what_an_agent_no_longer_wants_to_know_is_no_longer_asked() {
    let bench = Bench::new();
    let mut client = bench.open();
    bench.plays(
        &json!({"prompt": [{"permission": {"withdraw": true}}, {"permission": {}}, {"say": "Done."}]}),
    );
    let run = begin(&mut client, asking("Ask twice."));
    let first = asked(&mut client, &run);
    let second = client.wait_for_event("the second", |event| {
        let blocker = &event["run"]["blocker"];
        event["run"]["id"] == run && blocker.is_object() && blocker["requestID"] != first["requestID"]
    });
    let late = client.refusal("run/respond", answer(&run, &first, "allow_once"));
    assert_eq!(kind(&late), "blocker_gone");
    client.get("run/respond", answer(&run, &second["run"]["blocker"], "allow_once"));
    assert_eq!(words(&ended(&mut client, &run)), "succeeded");
    bench.finish(client, &[]);
}

#[test]
fn people_who_are_there_are_given_longer_to_answer() {
    let bench = Bench::new();
    let mut client = bench.open();
    for (attendance, expected) in [("attended", 86_400_000), ("unattended", 3_600_000)] {
        let automation = client.create(asking("[permission]"));
        let run = client.get("automation/run", json!({"id": automation, "attendance": attendance}));
        let blocker = asked(&mut client, &run["id"]);
        let span = blocker["expiresAt"].as_i64().unwrap() - blocker["since"].as_i64().unwrap();
        assert_eq!(span, expected, "{attendance}");
        client.get("run/cancel", json!({"id": run["id"]}));
        assert_eq!(words(&ended(&mut client, &run["id"])), "stopped: cancelled");
        assert_eq!(answers(&bench, &run), [json!({"outcome": {"outcome": "cancelled"}})]);
    }
    bench.finish(client, &[]);
}
