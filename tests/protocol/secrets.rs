//! What a user puts into the environment of a task stays between the user's own windows and the command.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, every, shell, with};
use crate::support::{Place, eventually, kind};

const SECRET: &str = "hunter2-correct-horse";

#[test]
fn values_of_the_environment_are_in_no_log_no_run_and_no_refusal() {
    let place = Place::new();
    let sidecar = place.sidecar().env("SEXTON_LOG", "trace").env("TOKEN_SOURCE", SECRET);
    let mut client = sidecar.option("environment", json!({"WINDOW_TOKEN": SECRET})).open();
    client.subscribe(json!({}));
    let env = json!({"TOKEN": SECRET, "TAKEN": {"from": "TOKEN_SOURCE"}});
    let line = r#"test "$TOKEN" = "$TAKEN" && test "$TOKEN" = "$WINDOW_TOKEN" && echo all here"#;
    let task = json!({"kind": "command", "program": "sh", "args": ["-c", line], "env": env});
    let automation = client.create(dormant("with a secret", task.clone()));
    let run = client.run(&automation);
    let ended = client.wait_for_run(&run, "succeeded");
    assert_eq!(ended["task"]["env"], json!({"TOKEN": {}, "TAKEN": {}}), "names only");
    assert_eq!(ended["end"]["tail"], "all here\n");
    for method in ["run/get", "run/output", "run/cancel"] {
        let answer = client.get(method, json!({"id": run}));
        assert!(!answer.to_string().contains(SECRET), "{method}: {answer}");
    }
    let page = client.get("run/list", json!({}));
    assert!(!page.to_string().contains(SECRET), "{page}");
    let told = client.wait_for_event("the run", |event| event["run"]["state"] == "succeeded");
    assert!(!told.to_string().contains(SECRET), "{told}");
    // The user's own windows see what the user wrote.
    let shown = client.get("automation/get", json!({"id": automation}));
    assert_eq!(shown["task"]["env"], env);
    for bad in [json!({"TOKEN": format!("{SECRET}\0")}), json!({"A=B": SECRET}), json!({"TOKEN": [SECRET]})] {
        let refused = client.refusal("automation/create", dormant("bad", with(task.clone(), "env", bad)));
        assert!(!refused.to_string().contains(SECRET), "{refused}");
    }
    let missing = with(task, "env", json!({"TOKEN": SECRET, "TAKEN": {"from": "NO_SUCH_VARIABLE"}}));
    let automation = client.create(dormant("without its variable", missing));
    let run = client.run(&automation);
    let failed = client.wait_for_run(&run, "failed");
    assert!(!failed.to_string().contains(SECRET), "{failed}");
    assert!(failed["error"]["message"].as_str().unwrap().contains("NO_SUCH_VARIABLE"), "{failed}");
    client.notify("initialized");
    eventually("a line of the log", || client.stderr().contains("initialized").then_some(()));
    assert!(!client.stderr().contains(SECRET), "the log tells it");
    client.finish();
}

/// Reads automations in every way there is, and gives what was read: each answer, then each event.
fn everything_read(client: &mut Client, automation: &Value, from: &Value) -> Vec<Value> {
    let asked = |params: Value| if from.is_null() { params } else { with(params, "insideRun", from.clone()) };
    let seq = client.get("automation/list", json!({}))["seq"].as_i64();
    let mut read = vec![
        client.get("automation/get", asked(json!({"id": automation}))),
        client.get("automation/list", asked(json!({})))["items"][0].clone(),
    ];
    let subscription = client.subscribe(asked(json!({"after": 0})));
    let events = client.wait("the history", |client| {
        let events = client.events(&subscription);
        let whole = events.last().is_some_and(|last| last["seq"].as_i64() >= seq);
        whole.then_some(events)
    });
    client.get("events/unsubscribe", json!({"subscription": subscription}));
    read.extend(events.iter().map(|event| event["automation"].clone()).filter(Value::is_object));
    read
}

/// An automation with a secret whose run is at work until `gate` opens, as the newest of the project.
fn with_a_secret(client: &mut Client) -> (Value, Value) {
    client.subscribe(json!({}));
    let env = json!({"TOKEN": SECRET, "TAKEN": {"from": "HOME"}});
    let task = with(shell("read line < gate"), "env", env);
    let automation = client.create(every("with a secret", 3_600_000, task));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    (automation, run)
}

#[test]
fn what_comes_out_of_a_run_reads_names_of_the_environment_only() {
    let place = Place::new();
    let mut client = place.open();
    let mut gate = place.gate("gate");
    let (automation, run) = with_a_secret(&mut client);
    let names = json!({"TOKEN": {}, "TAKEN": {}});
    let mut inside = place.sidecar().env("SEXTON_RUN_ID", run.as_str().unwrap()).open();
    let reads = [
        everything_read(&mut inside, &automation, &Value::Null),
        everything_read(&mut client, &automation, &run),
        everything_read(&mut client, &automation, &json!("run_that_has_gone")),
    ];
    for read in reads {
        assert!(read.len() > 2, "events as well");
        for shown in read {
            assert_eq!(shown["task"]["env"], names, "{shown}");
        }
    }
    // The user's own window goes on to see what the user wrote.
    for shown in everything_read(&mut client, &automation, &Value::Null) {
        assert_eq!(shown["task"]["env"]["TOKEN"], SECRET, "{shown}");
    }
    let draft = client.get("automation/get", json!({"id": automation}));
    let what_if = with(dormant("what if", draft["task"].clone()), "dryRun", json!(true));
    let shown = client.get("automation/create", with(what_if, "insideRun", run.clone()));
    assert_eq!(shown["task"]["env"], names);
    // What a run hears while it listens, and what its pause is answered with, for the first and the second time.
    let live = client.subscribe(json!({"insideRun": run}));
    for _ in 0..2 {
        let paused = client.get("automation/pause", json!({"id": automation, "insideRun": run}));
        assert_eq!((&paused["paused"], &paused["task"]["env"]), (&json!(true), &names));
    }
    let heard = client.wait("the pause", |client| {
        client.events(&live).into_iter().find(|event| event["automation"]["paused"] == true)
    });
    assert_eq!(heard["automation"]["task"]["env"], names);
    gate.open();
    client.wait_for_run(&run, "succeeded");
    inside.finish();
    client.finish();
}

#[test]
fn a_conflict_tells_a_run_no_secret_either() {
    let place = Place::new();
    let mut client = place.open();
    let mut gate = place.gate("gate");
    let (automation, run) = with_a_secret(&mut client);
    let deletion = client.send("automation/delete", json!({"id": automation, "activeRun": "finish"}));
    for (params, token) in
        [(json!({"id": automation}), json!(SECRET)), (json!({"id": automation, "insideRun": run}), json!({}))]
    {
        let error = client.refusal("automation/pause", params);
        assert_eq!(kind(&error), "automation_conflict");
        assert_eq!(error["data"]["current"]["task"]["env"]["TOKEN"], token, "{error}");
    }
    gate.open();
    client.answer(&deletion).expect("it is deleted");
    client.finish();
}
