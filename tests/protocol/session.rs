//! Section 2: which project, which ledger, who rings.

use std::collections::HashSet;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::support::drafts::{LOG, dormant, every, shell};
use crate::support::wire::BOTH;
use crate::support::{Place, assert_invalid_params, kind};

fn address(path: &std::path::Path) -> String {
    format!("file://{}", path.display()).replace(' ', "%20")
}

#[test]
fn the_answer_to_initialize_says_who_answers_and_for_what() {
    for framing in BOTH {
        let place = Place::new();
        std::fs::create_dir(place.file(".git")).unwrap();
        let client = place.sidecar().framing(framing).open();
        let opened = &client.opened;
        assert_eq!(opened["protocolVersion"], 1);
        assert_eq!(opened["serverInfo"], json!({"name": "sexton", "version": env!("CARGO_PKG_VERSION")}));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert!(text(&opened["instanceID"]).starts_with("ins_"), "{opened}");
        assert!(!text(&opened["ledgerID"]).is_empty());
        assert_eq!(opened["project"]["directory"], json!(place.project()));
        assert_eq!(opened["project"]["vcs"], "git");
        assert!(text(&opened["stateDirectory"]).starts_with(place.state().to_str().unwrap()));
        assert!(std::path::Path::new(&text(&opened["stateDirectory"])).is_dir());
        assert_eq!(opened["scheduler"], json!({"owner": true}));
        assert!(opened["seq"].as_i64().is_some());
        assert!(!text(&opened["timeZoneData"]["version"]).is_empty());
        assert!(!text(&opened["timeZoneData"]["source"]).is_empty());
        assert_eq!(opened["warnings"], json!([]));
        assert_eq!(opened["capabilities"]["tasks"], json!(["command", "prompt", "notify"]));
        let methods: Vec<String> =
            opened["capabilities"]["methods"].as_array().unwrap().iter().map(text).collect();
        for method in
            ["automation/create", "events/subscribe", "events/unsubscribe", "run/output", "shutdown"]
        {
            assert!(methods.iter().any(|one| one == method), "{method} is not offered: {methods:?}");
        }
        client.finish();
    }
}

#[test]
fn the_project_is_named_by_option_then_root_then_folder_then_working_directory() {
    let place = Place::new();
    let [a, b, c, d] = ["a b", "b", "c", "d"].map(|name| place.beside(name));
    for path in [&a, &b, &c, &d] {
        std::fs::create_dir(path).unwrap();
    }
    let folders = json!([{"uri": address(&c), "name": "c"}, {"uri": address(&d), "name": "d"}]);
    let cases = [
        (
            json!({"rootUri": address(&b), "workspaceFolders": folders,
            "initializationOptions": {"projectDirectory": a}}),
            &a,
        ),
        (json!({"rootUri": address(&a), "workspaceFolders": folders}), &a),
        (json!({"rootUri": null, "workspaceFolders": folders, "initializationOptions": null}), &c),
        (json!({"rootUri": null, "workspaceFolders": null}), &d),
        (json!({"workspaceFolders": [], "initializationOptions": {}}), &d),
        (json!({"initializationOptions": {"projectDirectory": "../b"}}), &b),
        (Value::Null, &d),
    ];
    for (params, expected) in cases {
        let mut client = place.sidecar().working_directory(&d).spawn();
        let opened = client.get("initialize", params.clone());
        assert_eq!(opened["project"]["directory"], json!(expected), "{params}");
        client.finish();
    }
}

#[test]
fn a_directory_that_cannot_be_a_project_is_refused_by_its_field() {
    let place = Place::new();
    std::fs::write(place.file("file"), "").unwrap();
    let mut client = place.sidecar().spawn();
    let missing = place.beside("missing");
    let option = |path: &std::path::Path| json!({"initializationOptions": {"projectDirectory": path}});
    let by_option = "initializationOptions.projectDirectory unknown_value";
    for (params, fault) in [
        (option(&missing), by_option),
        (option(&place.file("file")), by_option),
        (json!({"rootUri": address(&missing)}), "rootUri unknown_value"),
        (json!({"rootUri": "https://example.org/x"}), "rootUri unknown_value"),
        (
            json!({"workspaceFolders": [{"uri": address(&missing), "name": "x"}]}),
            "workspaceFolders[0].uri unknown_value",
        ),
        (
            json!({"initializationOptions": {"projectDirectory": ""}}),
            "initializationOptions.projectDirectory required",
        ),
        (
            json!({"initializationOptions": {"projectDirectory": 7}}),
            "initializationOptions.projectDirectory wrong_type",
        ),
        (json!({"initializationOptions": {"role": "owner"}}), "initializationOptions.role unknown_value"),
        (
            json!({"initializationOptions": {"limits": {"graceMs": -1}}}),
            "initializationOptions.limits.graceMs out_of_range",
        ),
    ] {
        let error = client.refusal("initialize", params);
        assert_invalid_params(&error, &[fault]);
    }
    assert!(!place.state().exists(), "a refused initialize leaves nothing behind");
    client.initialize();
    client.finish();
}

#[test]
fn a_state_directory_that_cannot_be_used_is_refused_and_another_one_will_do() {
    let place = Place::new();
    std::fs::write(place.beside("file"), "").unwrap();
    let mut client = place.sidecar().spawn();
    let mut params = client.initialize_params();
    params["initializationOptions"]["stateDirectory"] = json!(place.beside("file").join("below"));
    let error = client.refusal("initialize", params);
    assert_eq!((&error["code"], kind(&error)), (&json!(-32020), "storage_unavailable"), "{error}");
    let sentence = error["message"].as_str().unwrap();
    assert!(sentence.contains("stateDirectory") && sentence.contains("SEXTON_STATE_DIR"), "{sentence}");
    client.initialize();
    client.finish();
}

#[test]
fn the_state_directory_can_be_chosen_for_one_window() {
    let place = Place::new();
    let chosen = place.beside("chosen");
    let mut client = place.sidecar().option("stateDirectory", json!(chosen)).open();
    client.create(dormant("there", shell("true")));
    let directory = client.opened["stateDirectory"].as_str().unwrap().to_owned();
    assert!(directory.starts_with(chosen.to_str().unwrap()), "{directory}");
    assert!(!place.state().exists());
    client.finish();
    let mut here = place.open();
    assert_eq!(here.get("automation/list", json!({}))["items"], json!([]), "another ledger");
    here.finish();
    let mut there = place.sidecar().option("stateDirectory", json!(chosen)).open();
    assert_eq!(there.get("automation/list", json!({}))["items"][0]["title"], "there");
    there.finish();
}

#[test]
fn a_project_is_the_same_by_whatever_path_it_is_named() {
    let place = Place::new();
    let link = place.beside("link");
    symlink(place.project(), &link).unwrap();
    let direct = place.open();
    let dotted = format!("{}/../project/.", place.project().display());
    for path in [json!(link), json!(dotted)] {
        let other = place.sidecar().option("projectDirectory", path.clone()).open();
        for field in ["ledgerID", "project", "stateDirectory"] {
            assert_eq!(other.opened[field], direct.opened[field], "{field} of {path}");
        }
        other.finish();
    }
    // Nothing is walked up: a directory inside is another project.
    std::fs::create_dir(place.file("inside")).unwrap();
    let inside = place.sidecar().option("projectDirectory", json!(place.file("inside"))).open();
    assert_ne!(inside.opened["ledgerID"], direct.opened["ledgerID"]);
    assert_eq!(inside.opened["scheduler"]["owner"], true);
    inside.finish();
    direct.finish();
}

#[test]
fn of_two_sidecars_one_owns_the_bell_and_exactly_one_fires() {
    let place = Place::new();
    let limits = json!({"minIntervalMs": 100});
    let mut first = place.open_with(limits.clone());
    let mut second = place.open_with(limits);
    assert_eq!(first.opened["scheduler"]["owner"], true);
    assert_eq!(second.opened["scheduler"]["owner"], false);
    assert_eq!(first.opened["ledgerID"], second.opened["ledgerID"]);
    assert_ne!(first.opened["instanceID"], second.opened["instanceID"]);
    first.subscribe(json!({}));
    // What one creates the other one sees.
    let automation = second.create(every("ticking", 100, shell(LOG)));
    assert_eq!(first.get("automation/get", json!({"id": automation}))["title"], "ticking");
    let lines = place.wait_for_lines("log", 10);
    let unique: HashSet<&String> = lines.iter().collect();
    assert_eq!(unique.len(), lines.len(), "a slot fired twice: {lines:?}");
    let run = first.wait_for_event("a run", |event| event["run"]["state"] == "succeeded")["run"].clone();
    assert_eq!(run["instanceID"], first.opened["instanceID"], "the owner fires");
    assert_eq!(second.get("run/get", json!({"id": run["id"]}))["state"], "succeeded");
    second.finish();
    first.finish();
}

#[test]
fn a_manual_run_is_carried_out_by_the_window_that_asked() {
    let place = Place::new();
    let first = place.open();
    let mut second = place.sidecar().option("environment", json!({"FROM_WINDOW": "the second one"})).open();
    second.subscribe(json!({}));
    let automation = second.create(dormant("asked for", shell("echo $FROM_WINDOW >> log")));
    let run = second.run(&automation);
    let run = second.wait_for_run(&run, "succeeded");
    assert_eq!(run["instanceID"], second.opened["instanceID"]);
    assert_eq!(place.lines("log"), ["the second one"]);
    second.finish();
    first.finish();
}

#[test]
fn what_was_written_is_there_for_the_next_sidecar() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let automation = client.create(dormant("kept", shell("echo kept")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    let before = (
        client.get("automation/list", json!({}))["items"].clone(),
        client.get("run/list", json!({}))["items"].clone(),
        client.get("run/output", json!({"id": run})),
    );
    let (ledger, seq) = (client.opened["ledgerID"].clone(), client.opened["seq"].as_i64());
    client.finish();
    let mut next = place.open();
    assert_eq!(next.opened["ledgerID"], ledger);
    assert!(next.opened["seq"].as_i64() > seq);
    assert_eq!(next.opened["scheduler"]["owner"], true, "the bell is free again");
    let after = (
        next.get("automation/list", json!({}))["items"].clone(),
        next.get("run/list", json!({}))["items"].clone(),
        next.get("run/output", json!({"id": run})),
    );
    assert_eq!(after, before);
    next.finish();
}

#[test]
fn a_configuration_file_that_cannot_be_used_keeps_no_window_from_opening() {
    for (content, part) in [
        ("{\"prov", "no JSON object"),
        (r#"{"providers": {"agent": {"command": []}}}"#, "providers.agent"),
        (r#"{"prviders": {}}"#, "prviders"),
    ] {
        let place = Place::new();
        place.configure(content);
        let mut client = place.open();
        let warnings = client.opened["warnings"].as_array().expect("a list").clone();
        let told = warnings[0].as_str().expect("a sentence");
        assert!(warnings.len() == 1 && told.contains(part) && told.contains("config.json"), "{warnings:?}");
        let run = client.create(dormant("it works", shell("true")));
        client.subscribe(json!({}));
        let run = client.run(&run);
        client.wait_for_run(&run, "succeeded");
        client.finish();
    }
}
