//! What the README tells people to paste does what it says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Read;
use std::process::{Command, Stdio};

/// The shell block after this mark.
fn pasteable(readme: &str) -> &str {
    let after = readme.split("<!-- tests/readme.rs runs this block. -->\n```sh\n").nth(1).unwrap();
    after.split("\n```").next().unwrap()
}

#[test]
#[cfg(unix)]
fn the_conversation_shows_a_run_from_beginning_to_end() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let binary = env!("CARGO_BIN_EXE_sexton");
    let script = pasteable(&readme).replace("cargo run --quiet --", binary);
    assert!(script.contains(binary), "the block does not start sexton");
    let project = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        .current_dir(project.path())
        .env("SEXTON_STATE_DIR", state.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    shell.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(shell.wait().unwrap().success(), "{said}");
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for id in 1..=5 {
        let answer = lines.iter().find(|line| line["id"] == id).unwrap();
        assert!(answer.get("result").is_some(), "{answer}");
    }
    let runs = lines.iter().map(|line| &line["params"]["result"]["run"]["state"]);
    let states: Vec<&str> = runs.filter_map(serde_json::Value::as_str).collect();
    assert_eq!(states, ["scheduled", "running", "succeeded"]);
}
