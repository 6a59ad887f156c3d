//! What an agent writes, as its application passes it on.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::app::prompted;
use crate::support::{Place, kind};

#[test]
fn output_is_kept_in_the_order_of_the_reports_and_can_be_followed() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.at_work(&automation);
    let following = client.get("output/subscribe", json!({"runID": run}));
    let mut expected = String::new();
    let mut sent = Vec::new();
    for number in 0..200 {
        let line = format!("line {number} \u{1F514}\u{0}\n");
        let report = json!({"type": "output", "data": line});
        sent.push(client.send("run/report", json!({"runID": run, "report": report})));
        expected.push_str(&line);
    }
    for id in sent {
        assert_eq!(client.answer(&id), Ok(json!({})));
    }
    let read = client.get("run/output", json!({"id": run}));
    assert_eq!((&read["data"], &read["end"]), (&json!(expected), &json!(false)));
    assert_eq!(client.look_at(&run)["output"], json!({"bytes": expected.len(), "truncated": false}));
    client.report(&run, json!({"type": "output", "data": ""}));
    client.report(&run, json!({"type": "finished"}));
    let subscription = following.as_str().expect("a string id").to_owned();
    client.wait("the end of the output", |client| {
        let chunks = client.events(&subscription);
        let text: String = chunks.iter().filter_map(|chunk| chunk["data"].as_str()).collect();
        (chunks.last()?["end"] == true).then(|| assert_eq!(text, expected))
    });
    assert_eq!(client.get("run/output", json!({"id": run}))["end"], true);
    let name = run.as_str().expect("an id").to_owned();
    let spool =
        walk(&place.state()).into_iter().find(|path| path.ends_with(format!("runs/{name}/output.log")));
    let mode = std::fs::metadata(spool.expect("a spool")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    client.finish();
}

fn walk(below: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(below).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn output_is_kept_up_to_the_limit_and_that_is_told_once() {
    let place = Place::new();
    let mut client = place.open_with(json!({"outputBytes": 10}));
    let events = client.subscribe(json!({"kinds": ["run.warning"]}));
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.at_work(&automation);
    for data in ["12345", "6789\u{e4}", "more"] {
        client.report(&run, json!({"type": "output", "data": data}));
    }
    assert_eq!(client.look_at(&run)["output"], json!({"bytes": 10, "truncated": true}));
    client.report(&run, json!({"type": "finished"}));
    let warned = client.wait_for_event("a warning", |event| event["kind"] == "run.warning");
    assert!(
        warned["text"].as_str().is_some_and(|text| text.contains("10 bytes") && !text.contains("tail")),
        "{warned}"
    );
    assert_eq!(client.events(&events).len(), 1);
    client.finish();
}

/// A disk that is full, or gone, is told, and is the matter of the output alone.
#[test]
fn output_that_cannot_be_written_is_refused_and_nothing_else_is_lost() {
    let place = Place::new();
    let mut client = place.open();
    client.serve();
    let automation = client.create(prompted(json!({})));
    let run = client.at_work(&automation);
    client.report(&run, json!({"type": "output", "data": "before "}));
    let state = client.opened["stateDirectory"].as_str().expect("a path").to_owned();
    let runs = std::path::Path::new(&state).join("runs");
    let aside = place.beside("aside");
    std::fs::rename(&runs, &aside).expect("a directory to move");
    std::fs::write(&runs, "in the way").expect("a file in its place");
    let error = client.report_in_vain(&run, json!({"type": "output", "data": "meanwhile "}));
    assert_eq!((&error["code"], kind(&error)), (&json!(-32020), "storage_unavailable"), "{error}");
    assert_eq!(client.get("scheduler/status", json!({}))["health"], "ok", "the ledger is well");
    client.report(&run, json!({"type": "step", "title": "goes on"}));
    std::fs::remove_file(&runs).and_then(|()| std::fs::rename(&aside, &runs)).expect("it is as before");
    client.report(&run, json!({"type": "output", "data": "after"}));
    client.report(&run, json!({"type": "finished"}));
    assert_eq!(client.get("run/output", json!({"id": run}))["data"], "before after");
    client.finish();
}
