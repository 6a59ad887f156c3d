//! `sexton serve --headless`: automations are carried out with no window open, and windows see it as one of them.

use std::collections::HashSet;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::json;

use crate::killed::{all_gone, mark};
use crate::support::drafts::{LOG, dormant, every, shell, with};
use crate::support::{Place, eventually, ledger, signal};

/// A sidecar without a window. When it goes, so does the process.
struct Headless {
    process: Child,
    said: Arc<Mutex<String>>,
    /// Reads what it says, up to the end.
    listener: Option<JoinHandle<()>>,
}

impl Headless {
    fn command(place: &Place) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
        for name in ["SEXTON_LOG", "SEXTON_RUN_ID", "XDG_STATE_HOME"] {
            command.env_remove(name);
        }
        command.args(["serve", "--headless"]).current_dir(place.beside(""));
        command.env("XDG_CONFIG_HOME", place.configuration());
        // An input that is at its end is no reason to go.
        command.env("SEXTON_STATE_DIR", place.state()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Serves the project of this place, and says so.
    fn serving(place: &Place) -> Headless {
        Headless::serving_while(place, "this sidecar rings the bell")
    }

    fn serving_while(place: &Place, bell: &str) -> Headless {
        let mut command = Headless::command(place);
        let headless = Headless::spawn(command.arg("--project").arg(place.project()));
        headless.says(&format!("serving {}; {bell}", place.project().display()));
        headless
    }

    fn spawn(command: &mut Command) -> Headless {
        let mut process = command.stderr(Stdio::piped()).spawn().expect("sexton can be spawned");
        let mut errors = process.stderr.take().expect("a pipe for stderr");
        let said = Arc::new(Mutex::new(String::new()));
        let log = said.clone();
        let collect = move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = errors.read(&mut part) {
                log.lock().expect("the log").push_str(&String::from_utf8_lossy(&part[..count]));
            }
        };
        let listener =
            std::thread::Builder::new().name("stderr".to_owned()).spawn(collect).expect("a thread");
        Headless { process, said, listener: Some(listener) }
    }

    fn said(&self) -> String {
        self.said.lock().expect("the log").clone()
    }

    /// Waits until its log has this in it.
    fn says(&self, part: &str) {
        eventually(part, || self.said().contains(part).then_some(()));
    }

    /// Waits until it ends by itself.
    fn ends(mut self) -> (ExitStatus, String) {
        let status = eventually("the end of the process", || self.process.try_wait().expect("our own child"));
        self.listener.take().expect("it ends once").join().expect("the log can be read");
        (status, self.said())
    }

    /// Asks it to end, and sees that it ends well.
    fn ends_at(self, name: &str) {
        signal(name, self.process.id());
        let (status, said) = self.ends();
        assert_eq!(status.code(), Some(0), "{name}: {said}");
        assert!(!said.contains("ERROR") && !said.contains("panicked"), "{name}: {said}");
    }
}

impl Drop for Headless {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn automations_fire_with_no_window_open_and_one_that_opens_takes_over_where_it_left_off() {
    let place = Place::new();
    let open = || place.open_with(json!({"minIntervalMs": 50}));
    let mut window = open();
    let made = window.create(every("ticking", 50, shell(LOG)));
    window.finish();
    let before = place.lines("log").len();
    let headless = Headless::serving(&place);
    place.wait_for_lines("log", before + 5);

    let mut window = open();
    let status = window.get("scheduler/status", json!({}));
    assert_eq!(
        (&status["isOwner"], &status["owner"]["client"], &status["owner"]["pid"]),
        (&json!(false), &json!("headless"), &json!(headless.process.id()))
    );
    let ringing = status["owner"]["instanceID"].clone();
    let runs = window.get("run/list", json!({"automationID": made, "states": ["succeeded"]}));
    let by_it = runs["items"].as_array().expect("runs").iter().filter(|run| run["instanceID"] == ringing);
    assert!(by_it.count() >= 4, "{runs}");
    window.subscribe(json!({}));
    window.wait_for_event("what it does is told while it does it", |event| {
        event["run"]["instanceID"] == ringing && event["run"]["state"] == "succeeded"
    });

    headless.ends_at("TERM");
    let mine = window.opened["instanceID"].clone();
    window.wait_for_event("the bell passes", |event| event["scheduler"]["instanceID"] == mine);
    window.wait_for_event("and rings", |event| {
        event["run"]["instanceID"] == mine && event["run"]["state"] == "succeeded"
    });
    window.get("automation/delete", json!({"id": made}));
    let lines = place.lines("log");
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), lines.len(), "a slot fired twice: {lines:?}");
    window.finish();
}

#[test]
fn when_the_last_window_goes_it_goes_on() {
    let place = Place::new();
    let mut window = place.open_with(json!({"minIntervalMs": 50}));
    window.create(every("ticking", 50, shell(LOG)));
    let headless = Headless::serving_while(&place, "another one rings the bell");
    window.kill();
    headless.says("this sidecar rings the bell from now on");
    let lines = place.lines("log").len();
    place.wait_for_lines("log", lines + 3);
    headless.ends_at("TERM");
}

#[test]
fn its_log_says_what_people_should_be_shown_at_once() {
    let place = Place::new();
    let mut window = place.open_with(json!({"minIntervalMs": 50, "outputBytes": 4}));
    let headless = Headless::serving_while(&place, "another one rings the bell");
    let talkative = window.create(dormant("talkative", shell("echo more than that")));
    window.run(&talkative);
    headless.says("INFO sexton::cli::headless: “talkative”: only the first 4 bytes of the output are kept");
    window.create(every("failing", 50, shell("exit 3")));
    headless.says("INFO sexton::cli::headless: “failing” failed at 2");
    headless.says(": exit code 3\n");
    headless.says("“failing” paused itself after 5 failures in a row; resume it when that is mended\n");
    window.finish();
    headless.ends_at("TERM");
}

#[test]
fn asked_to_end_it_ends_what_it_does_and_leaves_nothing() {
    let place = Place::new();
    let mut window = place.open_with(json!({"minIntervalMs": 50}));
    let draft = every("endless", 50, shell("echo begun >> log; setsid sleep 1000 & sleep 1000"));
    let made = window.create(draft);
    let state = ledger::directory(&window);
    window.finish();
    for name in ["TERM", "INT", "HUP"] {
        let begun = place.lines("log").len();
        let headless = Headless::serving(&place);
        place.wait_for_lines("log", begun + 1);
        headless.ends_at(name);
        all_gone(&mark(&place));
        let instances = std::fs::read_dir(state.join("instances")).expect("a directory").count();
        assert_eq!(instances, 0, "{name}: its lock has gone with it");
        let ledger = ledger::open(state.join("ledger.db"));
        let left = |table: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM {table}");
            ledger.query_row(&sql, [], |row| row.get(0)).expect("a count")
        };
        assert_eq!((left("instances"), left("processes")), (0, 0), "{name}");
    }
    // Its last slots are still to be answered for.
    let mut window = place.sidecar().option("role", json!("observer")).open();
    let ended = window.get("run/list", json!({"automationID": made, "states": ["stopped"], "limit": 100}));
    let ended = ended["items"].as_array().expect("runs");
    assert_eq!(ended.iter().filter(|run| run["stopReason"] == "shutdown").count(), 3, "{ended:?}");
    window.finish();
}

#[test]
fn what_cannot_be_served_is_told_with_a_sentence_and_an_exit_code() {
    let place = Place::new();
    let file = place.beside("a file");
    std::fs::write(&file, "").expect("a file");
    let project = place.project();
    let (project, file) = (project.to_str().expect("a path"), file.to_str().expect("a path"));
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--project", "/nowhere/at/all"], 2, "--project /nowhere/at/all: "),
        (&["--project", file], 2, "--project "),
        (&["--project="], 2, "--project"),
        (&["--projct", project], 2, "\"--projct\""),
        (&["--projct"], 2, "\"--projct\""),
        (&["--stdio"], 2, "--stdio"),
        // Somebody may make room for it; then another attempt succeeds.
        (&["--project", project, "--state-directory", file], 1, "cannot be made"),
        (&["surprise"], 2, "\"surprise\""),
    ];
    for (arguments, code, part) in cases {
        let (status, said) = Headless::spawn(Headless::command(&place).args(arguments)).ends();
        assert_eq!(status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    for (arguments, part) in [
        (["--stdio", "--project", project], "--headless"),
        (["--project", project, "--verbose"], "--headless"),
        (["--state-directory", project, "--stdio"], "--headless"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
        let (status, said) =
            Headless::spawn(command.arg("serve").args(arguments).stdin(Stdio::null())).ends();
        assert_eq!(status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    let mut homeless = Headless::command(&place);
    for name in ["HOME", "SEXTON_STATE_DIR"] {
        homeless.env_remove(name);
    }
    let (status, said) = Headless::spawn(&mut homeless).ends();
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("--state-directory"), "{said}");
    assert!(!place.state().exists(), "nothing was begun");
}

#[test]
fn the_options_say_what_is_served_and_where_it_is_kept() {
    let place = Place::new();
    let chosen = place.beside("chosen");
    let mut command = Headless::command(&place);
    // A relative path counts from where it is started; so does no path at all.
    command.current_dir(place.project()).args(["--state-directory", "../chosen"]);
    let headless = Headless::spawn(&mut command);
    headless.says(&format!("serving {}; this sidecar rings the bell", place.project().display()));
    let mut window = place.sidecar().option("stateDirectory", json!(chosen)).open();
    assert_eq!(window.opened["scheduler"]["owner"], false);
    assert_eq!(window.get("scheduler/status", json!({}))["owner"]["client"], "headless");
    headless.ends_at("TERM");
    window.finish();
    assert!(!place.state().exists());
}

#[test]
fn a_run_cannot_leave_one_behind_that_takes_no_part() {
    let place = Place::new();
    let mut window = place.open();
    window.subscribe(json!({}));
    let line = r#""$SEXTON" serve --headless > said 2>&1 < /dev/null; echo "$?" >> log"#;
    let mut task = shell(line);
    task["env"] = json!({"SEXTON": env!("CARGO_BIN_EXE_sexton")});
    let made = window.create(with(dormant("inside", shell("true")), "task", task));
    let run = window.run(&made);
    window.wait_for_run(&run, "succeeded");
    let said = std::fs::read_to_string(place.file("said")).expect("a file");
    assert_eq!(place.lines("log"), ["2"], "{said}");
    assert!(said.contains("SEXTON_RUN_ID"), "{said}");
    let instances = window.get("scheduler/status", json!({}))["instances"].clone();
    assert_eq!(instances.as_array().expect("instances").len(), 1, "{instances}");
    window.finish();
}

#[test]
fn one_whose_ledger_is_another_one_by_now_ends_so_that_it_can_be_started_anew() {
    let place = Place::new();
    let mut headless = Headless::serving(&place);
    let state = std::fs::read_dir(place.state()).unwrap().next().unwrap().unwrap().path();
    std::fs::rename(&state, place.beside("aside")).unwrap();
    // A window begins anew, and nobody would fire what is asked of it once it has closed.
    let window = place.open();
    let status = eventually("it ends", || headless.process.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
    headless.says("another ledger stands in the place");
    window.finish();
}
