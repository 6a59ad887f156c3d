//! A run from the order to begin it to its result, report by report.

use serde_json::{Value, json};

use crate::support::app::{prompt, prompted};
use crate::support::drafts::{dormant, every, once, shell, with};
use crate::support::{Place, faults, wall_ms};

/// The states of a run as its events told them.
fn states(events: &[Value], run: &Value) -> Vec<String> {
    let of_run = events.iter().filter(|event| event["kind"] == "run.updated" && event["run"]["id"] == *run);
    of_run.map(|event| event["run"]["state"].as_str().expect("a state").to_owned()).collect()
}

#[test]
fn a_run_is_begun_reports_and_ends_with_a_result() {
    let place = Place::new();
    let mut client = place.open();
    let events = client.subscribe(json!({}));
    client.serve();
    let policy =
        json!({"stepCap": 7, "permissions": "deny", "wallMs": 5000, "blockerMs": {"attended": 9000}});
    let mut draft = prompted(policy);
    draft["task"]["variant"] = json!("careful");
    let automation = client.create(draft);
    let run = client.run(&automation);
    let start = client.hears(&run, "start");
    assert_eq!(start["limits"], json!({"idleMs": 600_000, "wallMs": 5000, "blockerMs": 9000}));
    let told = ["prompt", "model", "variant", "stepCap", "permissions"].map(|name| start[name].clone());
    assert_eq!(told, [json!("look around"), json!("large"), json!("careful"), json!(7), json!("deny")]);
    assert_eq!((&start["run"]["state"], start.get("sessionID")), (&json!("scheduled"), None));
    assert_eq!(client.look_at(&run)["instanceID"], Value::Null, "beginning is not told");
    client.report(&run, json!({"type": "started", "sessionID": "ses_1"}));
    let running = client.wait_for_run(&run, "running");
    assert_eq!((&running["sessionID"], &running["continuity"]), (&json!("ses_1"), &json!("new")));
    assert_eq!(running["instanceID"], client.opened["instanceID"]);
    client.report(&run, json!({"type": "step", "title": "reads"}));
    client.report(&run, json!({"type": "step"}));
    client.report(&run, json!({"type": "cost", "amount": 0.25, "currency": "EUR"}));
    client.report(&run, json!({"type": "finished", "text": "all is well", "outcome": "findings"}));
    let ended = client.wait_for_run(&run, "succeeded");
    assert_eq!(ended["result"], json!({"text": "all is well", "outcome": "findings"}));
    assert_eq!((&ended["steps"], &ended["cost"]), (&json!(2), &json!({"amount": 0.25, "currency": "EUR"})));
    assert_eq!(ended["end"], Value::Null, "there was no process");
    assert_eq!(states(&client.events(&events), &run).first().map(String::as_str), Some("scheduled"));
    assert_eq!(client.get("automation/get", json!({"id": automation}))["state"]["sessionID"], "ses_1");
    client.finish();
}

#[test]
fn a_slot_is_carried_out_by_the_window_that_serves() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let due = wall_ms() + 300;
    let automation = client.create(once("once", due, prompt()));
    let start = client.wait_for_event("a start", |work| work["type"] == "start");
    let run = start["run"].clone();
    assert_eq!((&run["automationID"], &run["scheduledAt"]), (&automation, &json!(due)));
    assert_eq!(
        (&run["attendance"], &start["limits"]["blockerMs"]),
        (&json!("unattended"), &json!(3_600_000))
    );
    client.report(&run["id"], json!({"type": "started", "sessionID": "s"}));
    client.report(&run["id"], json!({"type": "finished"}));
    let ended = client.look_at(&run["id"]);
    assert_eq!(ended["result"], json!({"text": null, "outcome": null}), "{ended}");
    client.finish();
}

#[test]
fn a_run_goes_on_where_the_last_one_ended_if_it_is_to() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(dormant("t", with(prompt(), "context", json!("continue"))));
    let first = client.run(&automation);
    assert_eq!(client.hears(&first, "start").get("sessionID"), None, "there is none yet");
    client.report(&first, json!({"type": "started", "sessionID": "ses_1"}));
    client.report(&first, json!({"type": "finished"}));
    for (session, continuity) in [("ses_1", "resumed"), ("ses_2", "new")] {
        let run = client.run(&automation);
        assert_eq!(client.hears(&run, "start")["sessionID"], "ses_1");
        client.report(&run, json!({"type": "started", "sessionID": session}));
        client.report(&run, json!({"type": "finished"}));
        assert_eq!(client.look_at(&run)["continuity"], continuity);
    }
    let named = with(with(prompt(), "context", json!("continue")), "sessionID", json!("ses_0"));
    let automation = client.create(dormant("named", named));
    let run = client.run(&automation);
    assert_eq!(client.hears(&run, "start")["sessionID"], "ses_0");
    client.report(&run, json!({"type": "failed", "code": "start_failed", "message": "no such session"}));
    client.finish();
}

#[test]
fn what_is_added_to_a_run_is_told_with_its_prompt_and_with_what_tries_it_again() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    client.subscribe(json!({}));
    let retry = json!({"attempts": 1, "delayMs": 1000});
    let automation = client.create(prompted(json!({"retry": retry})));
    let context = "only `those` of this week";
    let run = client.get("automation/run", json!({"id": automation, "context": context}));
    let told = client.hears(&run["id"], "start")["prompt"].clone();
    let expected =
        "look around\n\nGiven with this run by whoever asked for it:\n```\nonly `those` of this week\n```\n";
    assert_eq!(told, expected);
    client.report(&run["id"], json!({"type": "failed", "code": "start_failed", "message": "it is offline"}));
    let retried = json!({"kind": "retry", "of": run["id"]});
    let again = client
        .wait_for_event("another try", |work| work["run"]["trigger"] == retried && work["type"] == "start");
    assert_eq!(again["prompt"], told);
    client.finish();
}

#[test]
fn a_failure_is_told_as_the_application_tells_it() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(prompted(json!({"pauseAfterFailures": null})));
    let run = client.run_here(&automation);
    client.report(
        &run,
        json!({"type": "failed", "code": "start_failed", "message": "it is offline", "class": "transient"}),
    );
    let expected = json!({"code": "start_failed", "message": "it is offline", "class": "transient"});
    assert_eq!(client.look_at(&run)["error"], expected);
    let run = client.at_work(&automation);
    client.report(&run, json!({"type": "failed", "code": "execution_failed", "message": "it gave up"}));
    let error = client.look_at(&run)["error"].clone();
    assert_eq!((&error["code"], &error["message"]), (&json!("execution_failed"), &json!("it gave up")));
    client.finish();
}

#[test]
fn a_watch_that_is_over_pauses_its_automation() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(every("watch", 86_400_000, prompt()));
    let run = client.at_work(&automation);
    client.report(&run, json!({"type": "finished", "text": "it is there", "last": true}));
    let paused = client.get("automation/get", json!({"id": automation}));
    assert_eq!((&paused["paused"], &paused["pause"]["reason"]), (&json!(true), &json!("run")));
    client.finish();
}

#[test]
fn prompts_and_commands_share_a_line() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    client.subscribe(json!({}));
    let prompts = client.create(prompted(json!({})));
    let commands = client.create(dormant("command", shell("echo done >> log")));
    let run = client.at_work(&prompts);
    let waits = client.get("automation/run", json!({"id": commands}));
    assert_eq!((&waits["waiting"]["for"], &waits["waiting"]["behind"]), (&json!("directory"), &run));
    client.report(&run, json!({"type": "finished"}));
    client.wait_for_run(&waits["id"], "succeeded");
    client.finish();
}

#[test]
fn each_fault_of_a_report_is_told_at_once() {
    let place = Place::new();
    let mut client = place.open();
    let option = |id: &str| json!({"id": id, "label": "L", "kind": "allow_once"});
    let permission = |options: Value| {
        json!({"type": "blocked", "blocker": {"kind": "permission", "requestID": "r",
        "title": "t", "options": options}})
    };
    for (report, expected) in [
        (json!({}), vec!["report.type required"]),
        (json!({"type": "danced"}), vec!["report.type unknown_value"]),
        (json!({"type": "started"}), vec!["report.sessionID required"]),
        (json!({"type": "step", "title": "x".repeat(201)}), vec!["report.title too_long"]),
        (json!({"type": "output"}), vec!["report.data required"]),
        (json!({"type": "output", "data": "x".repeat(65_537)}), vec!["report.data too_long"]),
        (
            json!({"type": "cost", "amount": -1, "currency": "e"}),
            vec!["report.amount out_of_range", "report.currency unknown_value"],
        ),
        (
            json!({"type": "finished", "text": "x".repeat(65_537), "outcome": "fine", "last": 1}),
            vec!["report.text too_long", "report.outcome unknown_value", "report.last wrong_type"],
        ),
        (
            json!({"type": "failed", "class": "bad", "why": 1}),
            vec![
                "report.code required",
                "report.message required",
                "report.class unknown_value",
                "report.why unknown_value",
            ],
        ),
        (json!({"type": "blocked"}), vec!["report.blocker required"]),
        (
            json!({"type": "blocked", "blocker": {"kind": "permission", "since": 1}}),
            vec![
                "report.blocker.requestID required",
                "report.blocker.title required",
                "report.blocker.options required",
                "report.blocker.since unknown_value",
            ],
        ),
        (permission(json!([])), vec!["report.blocker.options required"]),
        (permission(json!([option("a"), option("a")])), vec!["report.blocker.options[1].id duplicate_field"]),
        (permission(json!(vec![option("a"); 21])), vec!["report.blocker.options too_long"]),
        (
            permission(json!([{"id": "a", "label": "", "kind": "maybe"}])),
            vec!["report.blocker.options[0].label required", "report.blocker.options[0].kind unknown_value"],
        ),
        (
            json!({"type": "blocked", "blocker": {"kind": "question", "prompt": "?", "tool": {}}}),
            vec!["report.blocker.callID required", "report.blocker.tool unknown_value"],
        ),
    ] {
        let error = client.report_in_vain(&json!("run_1"), report.clone());
        assert_eq!(faults(&error), expected, "{report}");
    }
    let tool = json!({"text": "x".repeat(16 * 1024)});
    let mut report = permission(json!([option("a")]));
    report["blocker"]["tool"] = tool;
    assert_eq!(
        faults(&client.report_in_vain(&json!("run_1"), report.clone())),
        ["report.blocker.tool too_long"]
    );
    report["blocker"]["tool"] = json!("HERE");
    let flawed = json!({"runID": "run_1", "report": report}).to_string();
    let flawed = flawed.replace(r#""HERE""#, r#"{"a":[1,{"b":"\ud800"}]}"#);
    let sent = client.send_text("run/report", &flawed);
    assert_eq!(faults(&client.answer(&sent).expect_err("a refusal")), ["report.blocker.tool not_unicode"]);
    client.finish();
}
