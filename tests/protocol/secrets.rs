//! What a user puts into the environment of a task stays between the user's own windows and the command.

use serde_json::json;

use crate::support::drafts::{dormant, with};
use crate::support::{Place, eventually};

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
