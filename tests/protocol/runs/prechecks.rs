//! A precheck runs first, as the command would, and says whether the command starts.

use serde_json::{Value, json};

use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, faults, processes_with};

/// A command that leaves a line in the log, and the shell's line that decides about it.
fn checked(precheck: &str) -> Value {
    let precheck = json!({"program": "sh", "args": ["-c", precheck], "timeoutMs": 60_000});
    with(dormant("checked", shell("echo started >> log")), "policy", json!({"precheck": precheck}))
}

#[test]
fn exit_codes_decide_and_the_output_tells_why() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let mut run_of = |precheck: &str, state: &str| {
        let automation = client.create(checked(precheck));
        let run = client.run(&automation);
        (client.wait_for_run(&run, state), automation)
    };
    let (run, _) = run_of("echo checked", "succeeded");
    assert_eq!(run["end"], json!({"exitCode": 0, "tail": "checked\n", "swept": 0}), "one output of both");
    assert_eq!(place.lines("log"), ["started"]);

    let (run, automation) = run_of("echo nothing new; exit 75", "stopped");
    assert_eq!((&run["stopReason"], &run["error"]), (&json!("precheck_skipped"), &Value::Null));
    assert_eq!(run["end"], json!({"exitCode": 75, "tail": "nothing new\n", "swept": 0}));
    assert_eq!((&run["startedAt"], &run["instanceID"]), (&Value::Null, &Value::Null), "it never ran");
    let skipped = run["id"].clone();
    let (run, failing) = run_of("echo no network >&2; exit 1", "failed");
    assert_eq!((&run["error"]["code"], &run["error"]["class"]), (&json!("start_failed"), &json!("task")));
    assert!(run["error"]["message"].as_str().unwrap().contains("precheck exited with code 1"), "{run}");
    assert_eq!((&run["end"]["tail"], &run["startedAt"]), (&json!("no network\n"), &Value::Null));
    assert_eq!(place.lines("log"), ["started"], "only after the one that allowed it");

    let output = client.get("run/output", json!({"id": skipped}));
    assert_eq!((&output["data"], &output["end"]), (&json!("nothing new\n"), &json!(true)));
    let mut streak =
        |id: Value| client.get("automation/get", json!({"id": id}))["state"]["failureStreak"].clone();
    assert_eq!((streak(automation), streak(failing)), (json!(0), json!(1)));
    let important: Vec<Value> = client
        .events(&subscription)
        .iter()
        .filter(|event| event["run"]["state"] == "stopped" || event["run"]["state"] == "failed")
        .map(|event| event["important"].clone())
        .collect();
    assert_eq!(
        important,
        [json!(false), json!(true)],
        "that there was nothing to do is no news for a person"
    );
    client.finish();
}

#[test]
fn a_precheck_is_run_as_its_command_is() {
    let place = Place::new();
    let mut client = place.sidecar().option("environment", json!({"A": "window", "B": "window"})).open();
    client.subscribe(json!({}));
    let line =
        "echo $A $B $SEXTON_ATTENDANCE $SEXTON_AUTOMATION_ID; pwd; wc -c; echo \"$SEXTON_RUN_ID\" > run";
    let mut draft = checked(line);
    draft["task"] = json!({"kind": "command", "program": "cat", "env": {"B": "task"}, "stdin": "input"});
    let automation = client.create(draft);
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "succeeded");
    let (id, project) = (automation.as_str().unwrap(), place.project());
    assert_eq!(run["end"]["tail"], format!("window task attended {id}\n{}\n0\ninput", project.display()));
    assert_eq!(place.lines("run"), [run["id"].as_str().unwrap()]);
    client.finish();
}

#[test]
fn while_a_precheck_is_at_work_the_run_is_scheduled_and_holds_the_directory() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let automation = client.create(checked("echo up; echo up >> up; read line < gate"));
    let run = client.run(&automation);
    place.wait_for_lines("up", 1);
    let shown = client.get("run/get", json!({"id": run}));
    assert_eq!((&shown["state"], shown.get("waiting")), (&json!("scheduled"), None));
    let other = client.create(dormant("other", shell("echo other >> log")));
    let other = client.get("automation/run", json!({"id": other}));
    assert_eq!((&other["waiting"]["for"], &other["waiting"]["behind"]), (&json!("directory"), &run));
    gate.open();
    client.wait_for_run(&other["id"], "succeeded");
    let states: Vec<Value> = client
        .events(&subscription)
        .iter()
        .filter(|event| event["run"]["id"] == run)
        .map(|event| event["run"]["state"].clone())
        .collect();
    assert_eq!(states, ["scheduled", "running", "succeeded"]);
    assert_eq!(place.lines("log"), ["started", "other"]);
    client.finish();
}

#[test]
fn what_does_not_come_to_a_decision_starts_nothing() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let missing = json!({"precheck": {"program": "no-such-precheck", "timeoutMs": 1000}});
    let automation = client.create(with(dormant("missing", shell("echo started >> log")), "policy", missing));
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!((&run["error"]["code"], &run["error"]["class"]), (&json!("start_failed"), &json!("config")));
    let sentence = run["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("precheck") && sentence.contains("no-such-precheck"), "{sentence}");
    assert_eq!(run["end"], Value::Null, "it had no process");

    let mut slow = checked("echo up; sleep 1000");
    slow["policy"]["precheck"]["timeoutMs"] = json!(1000);
    let automation = client.create(slow);
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!(run["error"]["code"], "start_failed");
    assert!(run["error"]["message"].as_str().unwrap().contains("policy.precheck.timeoutMs"), "{run}");
    assert_eq!(run["end"], json!({"signal": 15, "tail": "up\n", "swept": 0}));

    let automation = client.create(checked("echo up >> up; sleep 1000"));
    let run = client.run(&automation);
    place.wait_for_lines("up", 1);
    let asked = client.get("run/cancel", json!({"id": run}));
    assert_eq!((&asked["state"], &asked["stopping"]["as"]), (&json!("scheduled"), &json!("cancelled")));
    let run = client.wait_for_run(&run, "stopped");
    assert_eq!((&run["stopReason"], &run["end"]["signal"]), (&json!("cancelled"), &json!(15)));
    assert!(place.lines("log").is_empty());
    client.finish();
}

#[test]
fn a_sidecar_that_is_killed_during_a_precheck_has_interrupted_its_run() {
    let place = Place::new();
    let mut client = place.open();
    let automation = client.create(checked("trap 'exit 0' TERM; echo up >> up; setsid sleep 1000 & wait"));
    let run = client.run(&automation);
    place.wait_for_lines("up", 1);
    client.kill();
    let mut next = place.open();
    let run = next.get("run/get", json!({"id": run}));
    assert_eq!((&run["stopReason"], &run["startedAt"]), (&json!("interrupted"), &Value::Null));
    let mark = format!("SEXTON_PROJECT={}", place.project().display());
    crate::support::eventually("all of it is gone", || processes_with(&mark).is_empty().then_some(()));
    assert!(place.lines("log").is_empty());
    next.finish();
}

#[test]
fn a_precheck_can_be_edited_and_belongs_to_a_command_only() {
    let place = Place::new();
    let mut client = place.open();
    let created = client.get("automation/create", checked("exit 75"));
    let precheck = json!({"program": "sh", "args": ["-c", "exit 75"], "timeoutMs": 60_000});
    assert_eq!(created["policy"]["precheck"], precheck);
    let mut edit =
        |patch: Value| client.ask("automation/update", json!({"id": created["id"], "patch": patch}));
    let edited = edit(json!({"policy": {"precheck": {"timeoutMs": 5000, "args": null}}})).unwrap();
    assert_eq!(edited["policy"]["precheck"], json!({"program": "sh", "args": [], "timeoutMs": 5000}));
    let refused = edit(json!({"policy": {"precheck": {"program": null}}})).unwrap_err();
    assert_eq!(faults(&refused), ["policy.precheck.program required"]);
    let notify = json!({"kind": "notify", "text": "look"});
    let refused = edit(json!({"task": notify})).unwrap_err();
    assert_eq!(faults(&refused), ["policy.precheck unsupported_automation_field"]);
    let edited = edit(json!({"task": notify, "policy": {"precheck": null}})).unwrap();
    assert_eq!((&edited["policy"]["precheck"], &edited["revision"]), (&Value::Null, &json!(3)));
    let refused = client.refusal("automation/create", with(checked("true"), "task", notify));
    assert_eq!(faults(&refused), ["policy.precheck unsupported_automation_field"]);
    client.finish();
}
