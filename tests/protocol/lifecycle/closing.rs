//! Closes that happen: at once, when runs have ended, or because runs are stopped.

use serde_json::{Value, json};

use super::{assert_idle, close, completed, deferred, end_of, ends};
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, assert_invalid_params, kind};

#[test]
fn a_close_that_nothing_is_in_the_way_of_has_happened_when_it_is_answered() {
    for (what, mode) in
        [("reload", "maintenance"), ("reload", "force"), ("dispose", "maintenance"), ("dispose", "force")]
    {
        let place = Place::new();
        let mut client = place.open();
        let subscription = client.subscribe(json!({}));
        let closed = close(&mut client, what, mode);
        let id = closed["lifecycleActionID"].clone();
        let project = json!([place.project()]);
        let expected = json!({"status": "completed", "lifecycleActionID": id,
            "affectedDirectoryKeys": project, "waitingFor": {"runs": [], "holds": []}});
        assert_eq!(closed, expected, "{what} {mode}");
        let told = end_of(&mut client, &id);
        assert_eq!((&told["kind"], &told["important"]), (&json!("lifecycle.completed"), &json!(false)));
        let lifecycle = &told["lifecycle"];
        assert_eq!((&lifecycle["kind"], &lifecycle["mode"]), (&json!(what), &json!(mode)));
        assert_eq!(lifecycle["directories"], project);
        assert!(lifecycle["requestedAt"].as_i64() <= lifecycle["completedAt"].as_i64(), "{lifecycle}");
        assert!(lifecycle.get("error").is_none());
        assert_eq!(ends(&mut client, &subscription), [completed(&id)]);
        assert_idle(&mut client);
        client.finish();
    }
}

#[test]
fn maintenance_waits_for_a_run_and_new_runs_wait_for_it() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let (mut gate, _, held_up) = place.held_up(&mut client, "held up");
    let closing = deferred(&mut client, "reload", &[&held_up]);
    let next = client.create(dormant("next", shell("echo next >> log")));
    let next = client.get("automation/run", json!({"id": next}));
    assert_eq!((&next["waiting"]["for"], &next["waiting"]["untilAt"]), (&json!("close"), &Value::Null));
    let status = client.get("lifecycle/status", json!({}));
    let active = json!([{"runID": held_up, "directory": place.project(), "title": "held up"}]);
    assert_eq!(status["activeRuns"], active);
    let pending = &status["pending"][0];
    assert_eq!((&pending["lifecycleActionID"], &pending["kind"]), (&closing, &json!("reload")));
    assert_eq!(pending["waitingFor"]["runs"], json!([held_up]));
    assert_eq!(ends(&mut client, &subscription), Vec::<String>::new(), "it has not happened yet");
    gate.open();
    client.wait_for_run(&next["id"], "succeeded");
    assert_eq!(ends(&mut client, &subscription), [completed(&closing)]);
    let events = client.events(&subscription);
    let place_of = |wanted: &dyn Fn(&Value) -> bool| events.iter().position(wanted).expect("it was told");
    let ended = place_of(&|event| event["run"]["id"] == held_up && event["run"]["state"] == "succeeded");
    let over = place_of(&|event| event["lifecycle"]["id"] == closing);
    let began = place_of(&|event| event["run"]["id"] == next["id"] && event["run"]["state"] == "running");
    assert!(ended < over && over < began, "{ended}, {over}, {began}");
    assert_idle(&mut client);
    client.finish();
}

#[test]
fn only_the_runs_of_its_directories_are_in_its_way() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let (mut gate, _, held_up) = place.held_up(&mut client, "held up");
    let elsewhere = place.beside("elsewhere");
    let mut close = |directories: Value| {
        let wanted = json!({"kind": "reload", "mode": "maintenance", "directories": directories});
        client.get("lifecycle/close", wanted)
    };
    let free = close(json!([elsewhere]));
    assert_eq!((&free["status"], &free["affectedDirectoryKeys"]), (&json!("completed"), &json!([elsewhere])));
    let here = close(json!(["."]));
    assert_eq!(here["affectedDirectoryKeys"], json!([place.project()]));
    let both = close(json!([place.project(), elsewhere, "../elsewhere"]));
    assert_eq!(both["affectedDirectoryKeys"], json!([elsewhere, place.project()]), "each once");
    for waiting in [&here, &both] {
        assert_eq!(waiting["status"], "deferred");
        assert_eq!(waiting["waitingFor"]["runs"], json!([held_up]));
    }
    gate.open();
    for waiting in [&here, &both] {
        end_of(&mut client, &waiting["lifecycleActionID"]);
    }
    let ids = [&free, &here, &both].map(|close| completed(&close["lifecycleActionID"]));
    assert_eq!(ends(&mut client, &subscription), ids);
    client.finish();
}

#[test]
fn a_run_that_is_cancelled_while_it_waits_for_a_close_leaves_no_mark() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, _, held_up) = place.held_up(&mut client, "held up");
    let closing = deferred(&mut client, "reload", &[&held_up]);
    let mut ask = |title: &str| {
        let automation = client.create(dormant(title, shell(&format!("echo {title} >> log"))));
        client.run(&automation)
    };
    let (first, second) = (ask("first"), ask("second"));
    let cancelled = client.get("run/cancel", json!({"id": first}));
    assert_eq!((&cancelled["state"], &cancelled["stopReason"]), (&json!("stopped"), &json!("cancelled")));
    assert_eq!((&cancelled["end"], cancelled.get("closedBy")), (&Value::Null, None));
    gate.open();
    end_of(&mut client, &closing);
    client.wait_for_run(&second, "succeeded");
    assert_eq!(place.lines("log"), ["second"]);
    assert_idle(&mut client);
    client.finish();
}

#[test]
fn force_stops_the_runs_and_overtakes_a_close_that_waits() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let (_gate, _, held_up) = place.held_up(&mut client, "held up");
    let patient = deferred(&mut client, "reload", &[&held_up]);
    let next = client.create(dormant("next", shell("echo next >> log")));
    let next = client.run(&next);
    let forced = close(&mut client, "reload", "force");
    assert_eq!(forced["status"], "completed", "{forced}");
    let forced = forced["lifecycleActionID"].clone();
    let stopped = client.wait_for_run(&held_up, "stopped");
    assert_eq!((&stopped["stopReason"], &stopped["closedBy"]), (&json!("shutdown"), &forced));
    client.wait_for_run(&next, "succeeded");
    let mut ended = ends(&mut client, &subscription);
    ended.sort();
    let mut expected = [completed(&patient), completed(&forced)];
    expected.sort();
    assert_eq!(ended, expected, "once each");
    assert_idle(&mut client);
    client.finish();
}

#[test]
fn what_is_handed_back_and_given_again_is_never_failed_by_who_had_it_before() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let fields = |title: &str| with(dormant(title, shell("true")), "access", json!("read"));
    let automations = ["one", "two", "three"].map(|title| client.create(fields(title)));
    let mut runs: Vec<Value> = Vec::new();
    for round in 0..20 {
        let asked =
            automations.each_ref().map(|automation| client.send("automation/run", json!({"id": automation})));
        let mode = ["maintenance", "force"][round % 2];
        let closing = close(&mut client, "reload", mode)["lifecycleActionID"].clone();
        end_of(&mut client, &closing);
        for id in asked {
            client.answer(&id).expect("it is run");
        }
        let made = client.wait("its runs have ended", |client| {
            let listed = client.get("run/list", json!({"limit": 100}))["items"].clone();
            let all = listed.as_array().expect("a list").clone();
            all.iter().all(|run| !run["completedAt"].is_null()).then_some(all)
        });
        runs = made;
    }
    assert!(!runs.is_empty());
    for run in &runs {
        match run["state"].as_str() {
            Some("succeeded") => {}
            Some("stopped") => {
                let shutdown = (&run["stopReason"], run["closedBy"].is_string());
                assert_eq!(shutdown, (&json!("shutdown"), true), "{run}");
            }
            _ => panic!("{run}"),
        }
    }
    client.finish();
}

#[test]
fn closes_are_independent_and_each_ends_once() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let (mut gate, _, held_up) = place.held_up(&mut client, "held up");
    let ids: Vec<Value> = (0..3).map(|_| deferred(&mut client, "reload", &[&held_up])).collect();
    let pending = client.get("lifecycle/status", json!({}))["pending"].clone();
    let listed: Vec<&Value> =
        pending.as_array().unwrap().iter().map(|one| &one["lifecycleActionID"]).collect();
    assert_eq!(listed, ids.iter().collect::<Vec<_>>(), "the oldest first");
    gate.open();
    for id in &ids {
        end_of(&mut client, id);
    }
    let expected: Vec<String> = ids.iter().map(completed).collect();
    assert_eq!(ends(&mut client, &subscription), expected);
    client.finish();
}

#[test]
fn what_cannot_be_closed_is_refused_and_every_fault_is_told() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let wrong = json!({"kind": "shutdown", "directories": ["", 3], "now": true});
    let error = client.refusal("lifecycle/close", wrong);
    let faults = ["kind unknown_value", "mode required", "directories[1] wrong_type", "now unknown_value"];
    assert_invalid_params(&error, &faults);
    for (directories, fault) in [
        (json!([]), "directories required"),
        (json!(["a", " "]), "directories[1] required"),
        (json!([" ".repeat(3), "x".repeat(5000)]), "directories[0] required"),
        (json!(vec!["a"; 101]), "directories too_long"),
        (json!("a"), "directories wrong_type"),
        (json!(["a\u{0}"]), "directories[0] contains_nul"),
    ] {
        let wrong = json!({"kind": "reload", "mode": "force", "directories": directories});
        let error = client.refusal("lifecycle/close", wrong);
        assert_eq!(crate::support::faults(&error)[0], fault, "{error}");
    }
    let error = client.refusal("lifecycle/status", json!({"verbose": true}));
    assert_invalid_params(&error, &["verbose unknown_value"]);
    assert_eq!(ends(&mut client, &subscription), Vec::<String>::new());
    client.finish();
}

#[test]
fn a_run_closes_nothing_and_holds_nothing() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, _, run) = place.held_up(&mut client, "held up");
    for (method, mut params) in [
        ("lifecycle/close", json!({"kind": "dispose", "mode": "force"})),
        ("directory/hold", json!({"title": "an agent"})),
    ] {
        params["insideRun"] = run.clone();
        let error = client.refusal(method, params);
        assert_eq!((kind(&error), &error["data"]["runID"]), ("inside_run", &run), "{method}");
    }
    let status = client.get("lifecycle/status", json!({}));
    assert_eq!((&status["holds"], &status["pending"]), (&json!([]), &json!([])));
    gate.open();
    client.wait_for_run(&run, "succeeded");
    client.finish();
}
