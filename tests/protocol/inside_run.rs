//! Inside a run everything may be read and nothing changed, but for a pause of the run's own automation.

use serde_json::{Value, json};

use crate::support::app::offer;
use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell, with};
use crate::support::{Gate, Place, kind};

/// Methods that are not refused inside a run: they change nothing of the ledger, or there is more to say.
const NOT_REFUSED: [&str; 21] = [
    "automation/explain",
    "automation/get",
    "automation/list",
    "automation/preview",
    "automation/simulate",
    // A run cannot hold a directory, so there is nothing that it could release.
    "directory/release",
    "events/subscribe",
    "events/unsubscribe",
    "initialize",
    "lifecycle/status",
    "rpc.discover",
    "output/subscribe",
    "output/unsubscribe",
    "provider/list",
    "run/get",
    "run/list",
    "run/output",
    "scheduler/status",
    // These end what this process does, whoever asks.
    "shutdown",
    "provider/unserve",
    // The one exception has tests of its own.
    "automation/pause",
];

/// A run at work that a gate holds up, and its automation.
fn at_work(place: &Place, client: &mut Client) -> (Gate, Value, Value) {
    client.subscribe(json!({}));
    place.held_up(client, "watch")
}

fn assert_inside(error: &Value, run: &Value) {
    assert_eq!((&error["code"], kind(error)), (&json!(-32016), "inside_run"), "{error}");
    assert_eq!(&error["data"]["runID"], run);
}

fn seq(client: &mut Client) -> Value {
    client.get("automation/list", json!({}))["seq"].clone()
}

/// Requests of every method that changes something, valid in themselves.
fn changes(other: &Value, run: &Value) -> Vec<(&'static str, Value)> {
    vec![
        ("automation/create", dormant("made by a run", shell("true"))),
        ("automation/update", json!({"id": other, "patch": {"title": "renamed by a run"}})),
        ("automation/resume", json!({"id": other})),
        ("automation/delete", json!({"id": other})),
        ("automation/run", json!({"id": other})),
        ("run/cancel", json!({"id": run})),
        ("provider/refresh", json!({})),
        ("lifecycle/close", json!({"kind": "dispose", "mode": "force"})),
        ("directory/hold", json!({"title": "an agent at work"})),
        ("run/respond", json!({"id": run, "requestID": "r", "optionID": "o"})),
        ("run/report", json!({"runID": run, "report": {"type": "step"}})),
        ("provider/serve", offer()),
    ]
}

#[test]
fn no_method_changes_anything_on_behalf_of_a_run() {
    let place = Place::new();
    let mut client = place.open();
    let (mut gate, own, run) = at_work(&place, &mut client);
    let other = client.create(with(dormant("other", shell("true")), "paused", json!(true)));
    let requests = changes(&other, &run);
    for method in client.opened["capabilities"]["methods"].as_array().unwrap() {
        let method = method.as_str().unwrap();
        let known = NOT_REFUSED.contains(&method) || requests.iter().any(|(name, _)| *name == method);
        assert!(known, "say here whether {method} changes anything");
    }
    let before = seq(&mut client);
    for (method, params) in requests {
        let error = client.refusal(method, with(params, "insideRun", run.clone()));
        assert_inside(&error, &run);
    }
    // Nor may it change itself, beside the one exception.
    for method in ["automation/delete", "automation/resume", "automation/run"] {
        let error = client.refusal(method, json!({"id": own, "insideRun": run}));
        assert_inside(&error, &run);
    }
    assert_inside(&client.refusal("automation/pause", json!({"id": other, "insideRun": run})), &run);
    assert_eq!(seq(&mut client), before, "nothing was changed");
    gate.open();
    client.wait_for_run(&run, "succeeded");
    let error = client.refusal("automation/run", json!({"id": other, "insideRun": run}));
    assert_inside(&error, &run);
    client.finish();
}

#[test]
fn what_was_made_with_a_key_is_not_given_to_a_run_either_and_a_dry_run_is() {
    let place = Place::new();
    let mut client = place.open();
    let (mut gate, _, run) = at_work(&place, &mut client);
    let draft = with(dormant("keyed", shell("true")), "key", json!("k"));
    let made = client.get("automation/create", draft.clone());
    assert_inside(&client.refusal("automation/create", with(draft.clone(), "insideRun", run.clone())), &run);
    let inside = |draft: Value| with(with(draft, "insideRun", run.clone()), "dryRun", json!(true));
    let shown = client.get("automation/create", inside(draft));
    assert_eq!((&shown["id"], &shown["title"]), (&json!(""), &json!("keyed")));
    let asked = client.get("automation/run", json!({"id": made["id"], "key": "r"}));
    let again = json!({"id": made["id"], "key": "r", "insideRun": run});
    assert_inside(&client.refusal("automation/run", again), &run);
    gate.open();
    client.wait_for_run(&asked["id"], "succeeded");
    client.finish();
}

#[test]
fn a_run_that_the_ledger_does_not_have_is_not_found_and_nothing_is_changed() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let other = json!("atm_x");
    let run = json!("run_x");
    let pause = ("automation/pause", json!({"id": other}));
    for (method, params) in changes(&other, &run).into_iter().chain([pause]) {
        let error = client.refusal(method, with(params, "insideRun", run.clone()));
        assert_eq!((kind(&error), &error["data"]["what"]), ("not_found", &json!("run")), "{method}: {error}");
        assert_eq!(error["data"]["id"], run);
    }
    assert_eq!(client.events(&subscription), Vec::<Value>::new());
    client.finish();
}

#[test]
fn a_run_pauses_its_own_automation_and_ends_as_it_would_have() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 100}));
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let made = client.create(every("watch", 100, shell("echo begun >> log; read line < gate")));
    place.wait_for_lines("log", 1);
    let run = client.get("run/list", json!({"states": ["running", "scheduled"]}))["items"][0]["id"].clone();
    client.wait_for_run(&run, "running");
    let asked = json!({"id": made, "note": "it is done", "insideRun": run});
    let paused = client.get("automation/pause", asked.clone());
    let me = json!({"instanceID": client.opened["instanceID"], "client": "test"});
    let pause = json!({"reason": "run", "at": paused["updatedAt"], "note": "it is done", "by": me});
    assert_eq!((&paused["pause"], &paused["paused"]), (&pause, &json!(true)));
    assert_eq!((&paused["revision"], &paused["state"]["nextFireAt"]), (&json!(2), &Value::Null));
    assert_eq!(paused["state"]["activeRuns"], json!([run]), "it goes on");
    assert_eq!(client.get("automation/pause", asked), paused, "a second time changes nothing");
    gate.open();
    let ended = client.wait_for_run(&run, "succeeded");
    assert_eq!(ended["stopping"], Value::Null);
    assert_inside(&client.refusal("automation/resume", json!({"id": made, "insideRun": run})), &run);
    assert_eq!(client.get("automation/resume", json!({"id": made}))["paused"], false, "a person may");
    client.finish();
}

/// Asks `sexton --stdio` on the same project, as a command of a run does, and keeps what it answers.
fn nested(requests: &[(&str, Value)]) -> String {
    let initialize = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"initializationOptions":{"projectDirectory":".","role":"participant"}}}"#;
    let mut lines = vec![initialize.to_owned()];
    for (id, (method, params)) in (1..).zip(requests) {
        lines.push(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string());
    }
    // What is only known inside the run is put in by its shell.
    let script: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    let put_in = r#"sed -e "s/@AUTOMATION/$SEXTON_AUTOMATION_ID/" -e "s/@RUN/$SEXTON_RUN_ID/""#;
    format!(
        "cat <<'END' | {put_in} | \"$SEXTON\" --stdio > answers.part\n{}END\nmv answers.part answers",
        script.concat()
    )
}

#[test]
fn a_sidecar_that_a_run_starts_on_its_own_project_is_an_observer_that_may_only_end_the_watch() {
    let place = Place::new();
    let sidecar = place.sidecar().env("SEXTON", env!("CARGO_BIN_EXE_sexton"));
    let mut client = sidecar.option("limits", json!({"minIntervalMs": 100})).open();
    client.subscribe(json!({}));
    let other = client.create(dormant("other", shell("true")));
    let requests = [
        ("automation/create", every("made by a run", 60_000, shell("true"))),
        ("automation/create", with(dormant("what if", shell("true")), "dryRun", json!(true))),
        ("automation/run", json!({"id": other})),
        ("automation/pause", json!({"id": other})),
        ("run/cancel", json!({"id": "@RUN"})),
        ("automation/list", json!({})),
        ("run/get", json!({"id": "@RUN"})),
        ("run/output", json!({"id": "@RUN"})),
        ("events/subscribe", json!({})),
        ("automation/pause", json!({"id": "@AUTOMATION", "note": "seen enough"})),
        ("shutdown", json!({})),
    ];
    let task = shell(&format!("{LOG}; {}", nested(&requests)));
    client.create(every("watch", 100, task));
    let paused =
        client.wait_for_event("it has paused itself", |event| event["automation"]["pause"].is_object());
    let pause = &paused["automation"]["pause"];
    assert_eq!((&pause["reason"], &pause["note"]), (&json!("run"), &json!("seen enough")));
    assert_eq!(paused["automation"]["revision"], 2);
    place.wait_for_lines("answers", requests.len() + 1);
    let mut answers = vec![Value::Null; requests.len() + 1];
    for line in place.lines("answers") {
        let answer: Value = serde_json::from_str(&line).expect("an answer");
        if let Some(id) = answer["id"].as_u64() {
            answers[usize::try_from(id).unwrap()] = answer;
        }
    }
    // Slots that it skipped meanwhile have a record, which is a newer run.
    let run = paused["automation"]["state"]["activeRuns"][0].clone();
    let opened = &answers[0]["result"];
    assert_eq!(opened["scheduler"], json!({"owner": false}));
    assert_eq!(opened["ledgerID"], client.opened["ledgerID"]);
    let warning = opened["warnings"][0].as_str().unwrap();
    assert!(warning.contains(run.as_str().unwrap()) && warning.contains("observer"), "{warning}");
    for refused in [1, 3, 4, 5] {
        assert_inside(&answers[refused]["error"], &run);
    }
    for answered in [2, 6, 7, 8, 9, 10, 11] {
        assert!(answers[answered].get("result").is_some(), "{}", answers[answered]);
    }
    assert_eq!(pause["by"]["instanceID"], opened["instanceID"], "who asked for it");
    let ended = client.wait_for_run(&run, "succeeded");
    assert_eq!((&ended["stopping"], &ended["end"]["exitCode"]), (&Value::Null, &json!(0)));
    assert_eq!(ended["instanceID"], client.opened["instanceID"]);
    assert_eq!(place.lines("log").len(), 1, "the watch is over");
    client.finish();
}

#[test]
fn a_process_inside_a_run_may_not_change_anything_but_speaks_for_the_run_that_it_names() {
    let place = Place::new();
    let mut client = place.open();
    let (mut gate, own, run) = at_work(&place, &mut client);
    let draft = with(dormant("other", shell("read line < gate")), "access", json!("read"));
    let other = client.create(draft);
    let other_run = client.run(&other);
    client.wait_for_run(&other_run, "running");
    let mut inside = place.sidecar().env("SEXTON_RUN_ID", run.as_str().unwrap()).open();
    assert_eq!(inside.opened["scheduler"], json!({"owner": false}));
    for (method, params) in changes(&other, &run) {
        assert_inside(&inside.refusal(method, params.clone()), &run);
        assert_inside(&inside.refusal(method, with(params, "insideRun", other_run.clone())), &other_run);
    }
    assert_inside(&inside.refusal("automation/pause", json!({"id": other})), &run);
    let error = inside.refusal("automation/pause", json!({"id": own, "insideRun": other_run}));
    assert_inside(&error, &other_run);
    let paused = inside.get("automation/pause", json!({"id": other, "insideRun": other_run}));
    assert_eq!((&paused["pause"]["reason"], paused["pause"].get("note")), (&json!("run"), None));
    assert_eq!(inside.get("automation/pause", json!({"id": own}))["pause"]["reason"], "run");
    inside.finish();
    gate.open();
    gate.open();
    for run in [&run, &other_run] {
        client.wait_for_run(run, "succeeded");
    }
    client.finish();
    // Nobody owns the bell now, and the run has ended: that makes it no participant.
    let as_participant = place.sidecar().option("role", json!("participant"));
    let mut inside = as_participant.env("SEXTON_RUN_ID", run.as_str().unwrap()).open();
    assert_eq!(inside.opened["scheduler"], json!({"owner": false}));
    assert_inside(&inside.refusal("automation/delete", json!({"id": own})), &run);
    inside.finish();
}

#[test]
fn the_run_of_another_ledger_or_nonsense_in_the_environment_means_nothing() {
    let elsewhere = Place::new();
    let mut other = elsewhere.open();
    let (mut gate, _, foreign) = at_work(&elsewhere, &mut other);
    let place = Place::new();
    for name in [foreign.as_str().unwrap(), "nonsense", ""] {
        let mut client = place.sidecar().env("SEXTON_RUN_ID", name).open();
        assert_eq!(client.opened["scheduler"], json!({"owner": true}), "{name}");
        assert_eq!(client.opened["warnings"], json!([]));
        client.subscribe(json!({}));
        let made = client.create(dormant("made", shell("echo $SEXTON_RUN_ID >> log")));
        let run = client.run(&made);
        client.wait_for_run(&run, "succeeded");
        assert_eq!(
            place.lines("log").last().map(String::as_str),
            run.as_str(),
            "its own runs have their own"
        );
        client.finish();
    }
    gate.open();
    other.wait_for_run(&foreign, "succeeded");
    other.finish();
}
