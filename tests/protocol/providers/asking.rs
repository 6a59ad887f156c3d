//! What an automation may name of an agent is what that agent says when it is asked.

use serde_json::{Value, json};

use super::{LOG, files_of_probes, nothing_is_left, window};
use crate::support::agents::{AGENT, for_model, scripted, starts};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, eventually, faults, kind};

fn with_variant(model: &str, variant: &str) -> Value {
    let mut draft = for_model(model);
    draft["task"]["variant"] = json!(variant);
    draft
}

/// An agent that answers its first call only when a test lets it go.
fn slow() -> Value {
    json!({"calls": {"initialize": "hang"}})
}

fn cancel(client: &mut Client, id: &str) {
    client.message(&format!(r#"{{"jsonrpc":"2.0","method":"$/cancelRequest","params":{{"id":{id}}}}}"#));
}

/// Says goodbye while the agent is asked; whoever waits for it is answered.
fn leave(mut client: Client, waits: &str) {
    assert_eq!(client.get("shutdown", json!({})), Value::Null);
    // As refused, or as things are known without the agent.
    let _ = client.answer(waits);
    client.notify("exit");
    assert_eq!(client.exit_code(), Some(0));
}

/// Waits until an agent that this log belongs to has been asked.
fn is_asked(place: &Place, log: &str) {
    eventually("an agent that is asked", || (starts(place, log) > 0).then_some(()));
}

#[test]
fn the_files_of_a_question_go_with_whoever_asks_it() {
    let place = Place::new();
    let mut client = window(&place, &slow());
    let waits = client.send("provider/refresh", json!({}));
    is_asked(&place, LOG);
    assert_eq!(files_of_probes(&place), 1);
    leave(client, &waits);
    assert_eq!(files_of_probes(&place), 0, "it was given up");
    nothing_is_left(&place);

    let other = place.open();
    let mut client =
        place.sidecar().option("providers", json!({AGENT: scripted(&place, "of another", &slow())})).open();
    client.send("provider/refresh", json!({}));
    is_asked(&place, "of another");
    assert_eq!(files_of_probes(&place), 1);
    client.kill();
    eventually("the files have gone", || (files_of_probes(&place) == 0).then_some(()));
    other.finish();
}

#[test]
fn an_agent_is_asked_before_it_is_decided_whether_an_automation_may_name_its_model() {
    let place = Place::new();
    let mut client = window(&place, &json!({}));
    let shown = client.get("automation/create", with(with_variant("large", "high"), "dryRun", json!(true)));
    assert_eq!((&shown["id"], &shown["task"]["variant"]), (&json!(""), &json!("high")));
    for (draft, fault) in [
        (for_model("tiny"), "task.model model_not_found"),
        (with_variant("small", "high"), "task.variant invalid_variant_for_model"),
        (with_variant("large", "highest"), "task.variant invalid_variant_for_model"),
    ] {
        let error = client.refusal("automation/create", draft.clone());
        assert_eq!((&error["code"], faults(&error)), (&json!(-32010), vec![fault.to_owned()]), "{error}");
        let id = client.create(dormant("t", shell("true")));
        let error = client.refusal("automation/update", json!({"id": id, "patch": {"task": draft["task"]}}));
        assert_eq!(faults(&error), [fault], "{error}");
    }
    let error = client.refusal("automation/create", for_model("tiny"));
    assert!(error.to_string().contains("`agent` offers: small, large"), "{error}");
    client.create(with_variant("large", "low"));
    assert_eq!(starts(&place, LOG), 1, "an answer counts for ten minutes");
    client.finish();
}

#[test]
fn an_edit_asks_if_it_touches_the_task_and_only_then() {
    let place = Place::new();
    let mut client = window(&place, &json!({}));
    let id = client.create(dormant("t", shell("true")));
    assert_eq!(client.get("automation/update", json!({"id": id, "patch": {"title": "u"}}))["revision"], 2);
    assert_eq!(starts(&place, LOG), 0);
    let edit = json!({"id": id, "patch": {"task": for_model("small")["task"]}});
    assert_eq!(client.get("automation/update", edit)["revision"], 3);
    assert_eq!(starts(&place, LOG), 1);
    client.finish();
}

#[test]
fn all_who_want_to_know_share_one_answer_also_in_other_windows() {
    let place = Place::new();
    let mut windows = [(); 3].map(|()| window(&place, &json!({"noise": ["hello"]})));
    let asked: Vec<Vec<String>> = windows
        .iter_mut()
        .map(|client| {
            let create =
                (0..4).map(|_| client.send("automation/create", for_model("large"))).collect::<Vec<_>>();
            [create, vec![client.send("provider/refresh", json!({}))]].concat()
        })
        .collect();
    for (client, asked) in windows.iter_mut().zip(&asked) {
        for id in asked {
            client.answer(id).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let started = starts(&place, LOG);
    // Who refreshes after the answer has come asks anew.
    assert!((1..=4).contains(&started), "{started} agents were started for fifteen requests");
    windows.into_iter().for_each(Client::finish);
    nothing_is_left(&place);
}

#[test]
fn a_window_that_dies_while_it_asks_is_followed_by_another() {
    let place = Place::new();
    let hangs = json!({AGENT: scripted(&place, "first.log", &slow())});
    let mut first = place.sidecar().option("providers", hangs).open();
    let waits = first.send("provider/refresh", json!({}));
    is_asked(&place, "first.log");
    let mut second = window(&place, &json!({}));
    let created = second.send("automation/create", for_model("large"));
    // It waits for what the first window is told, and asks nobody itself.
    second.get("scheduler/status", json!({}));
    assert_eq!(starts(&place, LOG), 0);
    drop(waits);
    first.kill();
    second.answer(&created).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(starts(&place, LOG), 1);
    second.finish();
    nothing_is_left(&place);
}

#[test]
fn a_request_that_waits_for_an_agent_can_be_cancelled_and_keeps_nobody_waiting() {
    let place = Place::new();
    let mut client = window(&place, &slow());
    client.subscribe(json!({}));
    let waiting: Vec<String> =
        (0..300).map(|_| client.send("automation/create", for_model("large"))).collect();
    is_asked(&place, LOG);
    client.create(dormant("another", shell("true")));
    for id in &waiting {
        cancel(&mut client, id);
    }
    for id in &waiting {
        let error = client.answer(id).expect_err("it was cancelled");
        assert_eq!((&error["code"], kind(&error)), (&json!(-32800), "cancelled"));
    }
    let listed = client.get("automation/list", json!({}))["items"].as_array().unwrap().len();
    assert_eq!(listed, 1, "nothing was created");
    client.finish();
    nothing_is_left(&place);
}

#[test]
fn a_window_that_closes_asks_no_more() {
    let place = Place::new();
    let mut client = window(&place, &slow());
    let created = client.send("automation/create", for_model("large"));
    is_asked(&place, LOG);
    leave(client, &created);
    nothing_is_left(&place);
}

#[test]
fn a_question_holds_no_directory_and_keeps_no_close_waiting() {
    let place = Place::new();
    let mut client = window(&place, &slow());
    client.subscribe(json!({}));
    let waits = client.send("provider/refresh", json!({}));
    is_asked(&place, LOG);
    let id = client.create(dormant("writes", shell("true")));
    let run = client.run(&id);
    client.wait_for_run(&run, "succeeded");
    let closed = client.get("lifecycle/close", json!({"kind": "reload", "mode": "maintenance"}));
    assert_eq!(closed["status"], "completed");
    leave(client, &waits);
    nothing_is_left(&place);
}
