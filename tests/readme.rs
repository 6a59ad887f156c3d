//! What the README tells people to paste does what it says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_sexton");

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// The block that begins like this.
fn block<'a>(readme: &'a str, begin: &str) -> &'a str {
    readme.split(begin).nth(1).unwrap().split("```").next().unwrap()
}

#[test]
#[cfg(unix)]
fn the_conversation_shows_a_run_from_beginning_to_end() {
    let readme = readme();
    let script = block(&readme, "<!-- tests/readme.rs runs this block. -->\n```sh\n");
    let script = script.replace("cargo run --quiet --", BINARY);
    assert!(script.contains(BINARY), "the block does not start sexton");
    let project = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        .current_dir(project.path())
        .env("SEXTON_STATE_DIR", state.path())
        .env("XDG_CONFIG_HOME", state.path())
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

/// The service unit, with the binary of this build in it.
fn unit() -> String {
    let readme = readme();
    let unit = block(&readme, "<!-- tests/readme.rs verifies this unit. -->\n```ini\n");
    let unit = unit.replace("%h/.cargo/bin/sexton", BINARY);
    assert!(unit.contains(BINARY), "the unit does not start sexton");
    unit
}

#[test]
#[cfg(target_os = "linux")]
fn the_service_unit_is_understood_by_systemd() {
    let directory = tempfile::tempdir().unwrap();
    let verify = |unit: &str| {
        let file = directory.path().join("sexton@.service");
        std::fs::write(&file, unit).unwrap();
        let mut command = Command::new("systemd-analyze");
        command.args(["verify", "--user", "--man=no"]).arg(&file);
        // It wants to know where a user's sockets are, also where nobody has logged in.
        command.env("XDG_RUNTIME_DIR", directory.path()).output()
    };
    let verified = match verify(&unit()) {
        Ok(verified) => verified,
        Err(error) => return println!("SKIPPED: systemd-analyze is not here: {error}"),
    };
    // It looks at other units as well, and only tells what it does not understand.
    let about_it = |output: &std::process::Output| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        said.lines().filter(|line| line.contains("sexton")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(verified.status.success(), "{verified:?}");
    assert_eq!(about_it(&verified), Vec::<String>::new());
    let misspelt = verify(&unit().replace("KillMode=", "KilMode=")).unwrap();
    assert_ne!(about_it(&misspelt), Vec::<String>::new(), "its silence has to mean something");
}

#[test]
#[cfg(target_os = "linux")]
fn the_service_unit_starts_what_it_says_and_a_stop_is_no_failure() {
    use std::io::{BufRead, BufReader};
    let unit = unit();
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let root = tempfile::tempdir().unwrap();
    let project: &Path = &root.path().canonicalize().unwrap().join("my project");
    std::fs::create_dir(project).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    // As systemd does it: words first, then what each stands for.
    let words = words.iter().map(|word| if *word == "%f" { project.as_os_str() } else { word.as_ref() });
    let mut service = Command::new("env");
    service.args(words).current_dir("/").env("SEXTON_STATE_DIR", root.path().join("state"));
    service.env("XDG_CONFIG_HOME", root.path().join("configuration"));
    service.env_remove("SEXTON_LOG").env_remove("SEXTON_RUN_ID");
    let mut service = service.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(service.stderr.take().unwrap()).lines();
    let first = log.next().unwrap().unwrap();
    let stopped = Command::new("kill").args(["-s", "TERM", &service.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert_eq!(service.wait().unwrap().code(), Some(0), "{first} {:?}", log.collect::<Vec<_>>());
    assert!(first.contains(&format!("serving {};", project.display())), "{first}");
}
