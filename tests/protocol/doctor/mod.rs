//! `sexton doctor`: what is sound is called so, whatever windows do meanwhile, and what is damaged is found and named.

mod damaged;
mod healthy;
mod repairing;
mod torn;

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::{LOG, every, shell};

/// Runs it in the project.
fn doctor(place: &Place, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
    for name in ["SEXTON_LOG", "SEXTON_RUN_ID", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", place.configuration()).env("SEXTON_STATE_DIR", place.state());
    command.arg("doctor").args(args).current_dir(place.project()).output().expect("sexton")
}

/// What it prints with `--json`, which is as the schema says, and its exit code.
fn report_with(place: &Place, args: &[&str]) -> (Value, Option<i32>) {
    let output = doctor(place, &[args, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "", "nothing is logged");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let documents = sexton::rpc::schema::documents();
    let schema = documents.iter().find(|document| document.file == "doctor.schema.json").expect("a schema");
    jsonschema::validate(&schema.content, &report).expect("as the schema says");
    let (sound, code) = (report["sound"] == true, output.status.code());
    assert!(matches!((sound, code), (true, Some(0)) | (false, Some(1))), "{code:?}: {report:#}");
    (report, code)
}

/// The ledger's part of it.
fn audit(place: &Place) -> Value {
    report_with(place, &["--audit"]).0
}

/// All findings, as `subject severity: at: what / do: remedy`.
fn findings(report: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for check in report["checks"].as_array().expect("a list") {
        for finding in check["findings"].as_array().expect("a list") {
            let text = |name: &str| finding[name].as_str().unwrap_or("all");
            let subject = check["subject"].as_str().expect("a word");
            let (severity, at) = (text("severity"), text("at"));
            findings.push(format!("{subject} {severity}: {at}: {} / do: {}", text("what"), text("remedy")));
        }
    }
    findings
}

/// That there is exactly one finding, and that it has all of these in it.
fn finds_only(report: &Value, words: &[&str]) {
    let findings = findings(report);
    assert_eq!(findings.len(), 1, "{words:?} in {findings:#?}");
    for word in words {
        assert!(findings[0].contains(word), "{word:?} is not in {}", findings[0]);
    }
}

/// What became of a look at this.
fn outcome<'r>(report: &'r Value, subject: &str) -> &'r Value {
    let checks = report["checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["subject"] == subject);
    &check.unwrap_or_else(|| panic!("{subject} is not in {report:#}"))["outcome"]
}

/// A window with an automation that has fired so often, and its identity.
fn fired(place: &Place, times: usize) -> (Client, Value) {
    let mut client = place.open_with(json!({"minIntervalMs": 50}));
    let automation = client.create(every("ticking", 50, shell(LOG)));
    place.wait_for_lines("log", times);
    (client, automation)
}
