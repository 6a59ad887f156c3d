//! Reports that are out of order, twice, late, or not for whoever sends them: refused, and nothing changes.

use serde_json::{Value, json};

use crate::support::app::{permission, prompted};
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, kind};

fn reports() -> Vec<Value> {
    vec![
        json!({"type": "started", "sessionID": "s"}),
        json!({"type": "step", "title": "t"}),
        json!({"type": "output", "data": "written"}),
        json!({"type": "blocked", "blocker": permission("r")}),
        json!({"type": "unblocked"}),
        json!({"type": "cost", "amount": 1, "currency": "EUR"}),
        json!({"type": "finished", "text": "done"}),
        json!({"type": "failed", "code": "execution_failed", "message": "no"}),
    ]
}

#[test]
fn reports_that_mean_nothing_here_are_refused_and_tell_nobody() {
    let place = Place::new();
    let mut app = place.open();
    let mut other = place.open();
    app.serve();
    let events = app.subscribe(json!({}));
    let prompts = app.create(prompted(json!({})));
    let commands = app.create(dormant("command", shell("true")));
    let command = app.run(&commands);
    app.wait_for_run(&command, "succeeded");
    let run = app.at_work(&prompts);
    let ended = {
        app.report(&run, json!({"type": "finished", "text": "first"}));
        app.wait_for_run(&run, "succeeded")
    };
    let at_work = app.at_work(&prompts);
    let seen = app.wait_for_run(&at_work, "running");
    let told = app.events(&events).len();
    for report in reports() {
        let unknown = app.report_in_vain(&json!("run_0"), report.clone());
        assert_eq!((kind(&unknown), &unknown["data"]["what"]), ("not_found", &json!("run")), "{report}");
        let refused = [
            app.report_in_vain(&run, report.clone()),
            app.report_in_vain(&command, report.clone()),
            other.report_in_vain(&at_work, report.clone()),
        ];
        for error in refused {
            assert_eq!((&error["code"], kind(&error)), (&json!(-32600), "invalid_request"), "{report}");
            assert!(error["message"].as_str().is_some_and(|why| why.len() > 20), "it says why: {error}");
        }
    }
    let error = app.report_in_vain(&at_work, json!({"type": "started", "sessionID": "again"}));
    assert_eq!(kind(&error), "invalid_request");
    assert_eq!((app.look_at(&run), app.look_at(&at_work)), (ended, seen));
    assert_eq!(app.events(&events).len(), told, "nothing was told");
    assert_eq!(app.get("run/output", json!({"id": run}))["data"], "", "nothing was written");
    app.report(&at_work, json!({"type": "finished"}));
    app.finish();
    other.finish();
}

#[test]
fn before_it_has_started_a_run_can_only_start_or_fail_to() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.run_here(&automation);
    for report in reports()
        .into_iter()
        .filter(|report| !["started", "output"].iter().any(|fine| report["type"] == *fine))
    {
        let error = client.report_in_vain(&run, report);
        assert_eq!(kind(&error), "invalid_request", "{error}");
    }
    assert_eq!(client.look_at(&run)["state"], "scheduled");
    client.report(&run, json!({"type": "failed", "code": "start_failed", "message": "no agent"}));
    assert_eq!(client.look_at(&run)["state"], "failed");
    client.finish();
}
