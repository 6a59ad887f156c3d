//! A run from being asked for to being read after a restart.

use serde_json::{Value, json};

use crate::support::drafts::{dormant, shell};
use crate::support::wire::BOTH;
use crate::support::{Place, assert_invalid_params, kind, wall_ms};

#[test]
fn a_scripted_client_sees_one_run_from_beginning_to_end() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        let subscription = client.subscribe(json!({}));
        let automation = client.create(dormant("greeting", shell("echo hello; echo done >> log")));
        let before = wall_ms();
        let run = client.get("automation/run", json!({"id": automation}));
        assert_eq!((&run["state"], &run["automationID"]), (&json!("scheduled"), &automation));
        assert_eq!((&run["trigger"], &run["attendance"]), (&json!({"kind": "manual"}), &json!("attended")));
        assert_eq!((&run["slots"], &run["scheduledAt"]), (&Value::Null, &Value::Null));
        assert_eq!((&run["startedAt"], &run["instanceID"]), (&Value::Null, &Value::Null));
        for field in ["waiting", "stopReason", "blocker", "closedBy", "worktree"] {
            assert!(run.get(field).is_none(), "{field} does not belong to this state: {run}");
        }
        let ended = client.wait_for_run(&run["id"], "succeeded");
        let states: Vec<Value> = client
            .events(&subscription)
            .iter()
            .filter(|event| event["run"]["id"] == run["id"])
            .map(|event| event["run"]["state"].clone())
            .collect();
        assert_eq!(states, ["scheduled", "running", "succeeded"], "each exactly once");
        let at = |field: &str| ended[field].as_i64().unwrap_or_else(|| panic!("no {field}: {ended}"));
        assert!(before <= at("triggeredAt") && at("triggeredAt") <= at("startedAt"), "{ended}");
        assert!(at("startedAt") <= at("completedAt") && at("completedAt") <= wall_ms(), "{ended}");
        assert_eq!(ended["end"], json!({"exitCode": 0, "tail": "hello\n", "swept": 0}));
        assert_eq!(ended["output"], json!({"bytes": 6, "truncated": false}));
        assert_eq!(ended["result"], json!({"text": null, "outcome": null}));
        assert_eq!(ended["error"], Value::Null);
        assert_eq!(ended["instanceID"], client.opened["instanceID"]);
        assert_eq!(ended["directory"], json!(place.project()));
        assert_eq!(ended["definitionRevision"], 1);

        let output = client.get("run/output", json!({"id": run["id"]}));
        let whole = json!({"offset": 0, "data": "hello\n", "encoding": "utf8", "nextOffset": 6, "end": true});
        assert_eq!(output, whole);
        let page = client.get("run/list", json!({"automationID": automation}));
        assert_eq!(page["items"], json!([ended]));
        assert_eq!(client.get("run/get", json!({"id": run["id"]})), ended);
        let shown = client.get("automation/get", json!({"id": automation}));
        assert_eq!(shown["state"]["lastRun"], run["id"]);
        assert_eq!((&shown["state"]["activeRuns"], &shown["revision"]), (&json!([]), &json!(1)));
        let deleted = client.get("automation/delete", json!({"id": automation}));
        assert_eq!(deleted, json!({"id": automation, "deleted": true, "revision": 2, "stoppedRuns": []}));
        client.finish();

        let mut next = place.sidecar().framing(framing).open();
        assert_eq!(next.get("automation/list", json!({}))["items"], json!([]));
        assert_eq!(next.get("run/list", json!({"automationID": automation}))["items"], json!([ended]));
        assert_eq!(next.get("run/get", json!({"id": run["id"]})), ended);
        assert_eq!(next.get("run/output", json!({"id": run["id"]})), whole);
        let history = next.subscribe(json!({"after": 0}));
        next.wait("the history", |next| {
            next.events(&history).iter().any(|event| event["kind"] == "automation.deleted").then_some(())
        });
        assert_eq!(place.lines("log"), ["done"], "nothing ran again");
        next.finish();
    }
}

#[test]
fn a_failure_has_its_code_and_the_last_of_its_output() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let long = "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done; echo the end >&2; exit 7";
    let automation = client.create(dormant("failing", shell(long)));
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!((&run["error"]["code"], &run["error"]["class"]), (&json!("execution_failed"), &json!("task")));
    assert!(run["error"]["message"].as_str().unwrap().contains('7'), "{run}");
    assert_eq!(run["end"]["exitCode"], 7);
    let tail = run["end"]["tail"].as_str().unwrap();
    assert!(tail.len() <= 4096 && tail.ends_with("line 999\nthe end\n"), "{tail}");
    assert!(run.get("stopReason").is_none() && run["result"].is_null(), "{run}");
    let shown = client.get("automation/get", json!({"id": automation}));
    assert_eq!((&shown["state"]["failureStreak"], &shown["state"]["completedRuns"]), (&json!(1), &json!(1)));
    let killed = client.create(dormant("killed", shell("kill -9 $$")));
    let run = client.run(&killed);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!((&run["end"]["signal"], run["end"].get("exitCode")), (&json!(9), None), "{run}");
    client.finish();
}

#[test]
fn a_program_that_does_not_exist_is_a_failed_start_and_not_a_cancel() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let task = json!({"kind": "command", "program": "no-such-program-anywhere"});
    let automation = client.create(dormant("missing", task));
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!((&run["error"]["code"], &run["error"]["class"]), (&json!("start_failed"), &json!("config")));
    assert!(run["error"]["message"].as_str().unwrap().contains("no-such-program-anywhere"), "{run}");
    assert_eq!((&run["startedAt"], &run["end"]), (&Value::Null, &Value::Null), "it had no process");
    let ran = |event: &Value| event["run"]["state"] == "running";
    assert!(!client.events(&subscription).iter().any(ran), "it never ran");
    let output = client.get("run/output", json!({"id": run["id"]}));
    assert_eq!((&output["data"], &output["end"]), (&json!(""), &json!(true)));
    client.finish();
}

#[test]
fn a_second_run_by_hand_is_refused_while_one_is_active_and_a_key_gives_the_first() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let automation = client.create(dormant("one at a time", shell("read line < gate")));
    let first =
        client.get("automation/run", json!({"id": automation, "key": "k", "attendance": "unattended"}));
    assert_eq!(first["trigger"], json!({"kind": "manual", "key": "k"}));
    assert_eq!(first["attendance"], "unattended");
    for params in [json!({"id": automation}), json!({"id": automation, "key": "other"})] {
        let error = client.refusal("automation/run", params);
        assert_eq!((&error["code"], kind(&error)), (&json!(-32013), "active_run_still_running"));
        assert_eq!(error["data"]["runID"], first["id"]);
    }
    let again = client.get("automation/run", json!({"id": automation, "key": "k"}));
    assert_eq!(again["id"], first["id"], "the same request");
    gate.open();
    client.wait_for_run(&first["id"], "succeeded");
    let again = client.get("automation/run", json!({"id": automation, "key": "k"}));
    assert_eq!((&again["id"], &again["state"]), (&first["id"], &json!("succeeded")));
    assert_eq!(
        client.get("run/list", json!({}))["items"].as_array().unwrap().len(),
        1,
        "no row for a refusal"
    );
    let error = client.refusal("automation/run", json!({"id": automation, "ifBusy": "wait", "context": 1}));
    assert_invalid_params(&error, &["context wrong_type", "ifBusy unknown_value"]);
    let error = client.refusal("automation/run", json!({"id": automation, "context": "x"}));
    assert_invalid_params(&error, &["context unsupported_automation_field"]);
    client.finish();
}

#[test]
fn runs_are_listed_by_automation_state_and_time_in_pages() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let mut ids = Vec::new();
    for (title, line) in [("good", "true"), ("bad", "false"), ("good again", "true"), ("bad again", "false")]
    {
        let automation = client.create(dormant(title, shell(line)));
        let run = client.run(&automation);
        client.wait_for_run(&run, if line == "true" { "succeeded" } else { "failed" });
        ids.push((automation, run));
    }
    let listed = |page: &Value| -> Vec<Value> {
        page["items"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
    };
    let all: Vec<Value> = ids.iter().rev().map(|(_, run)| run.clone()).collect();
    assert_eq!(listed(&client.get("run/list", json!({}))), all, "newest first");
    let failed = client.get("run/list", json!({"states": ["failed", "stopped"]}));
    assert_eq!(listed(&failed), [all[0].clone(), all[2].clone()]);
    let one = client.get("run/list", json!({"automationID": ids[1].0}));
    assert_eq!(listed(&one), [ids[1].1.clone()]);
    let third = client.get("run/get", json!({"id": ids[2].1}))["triggeredAt"].clone();
    let since = client.get("run/list", json!({"fromAt": third}));
    assert_eq!(listed(&since), all[..2]);
    let until = client.get("run/list", json!({"toAt": third}));
    assert_eq!(listed(&until), all[1..]);

    let mut seen = Vec::new();
    let mut page = client.get("run/list", json!({"limit": 1}));
    loop {
        seen.extend(listed(&page));
        if page["nextCursor"].is_null() {
            break;
        }
        let newer = client.run(&ids[0].0);
        client.wait_for_run(&newer, "succeeded");
        page = client.get("run/list", json!({"limit": 1, "cursor": page["nextCursor"]}));
    }
    assert_eq!(seen, all, "what came meanwhile neither repeats nor hides anything");
    let error = client.refusal("run/list", json!({"automationID": "atm_nothing"}));
    assert_eq!(kind(&error), "not_found");
    client.finish();
}
