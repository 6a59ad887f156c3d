//! What a command is given: its environment, its input, its directory, and nothing else.

use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::support::Spawn;
use crate::support::client::Client;
use crate::support::drafts::{dormant, every, shell};
use crate::support::{Place, program, wall_ms};

fn output(client: &mut Client, automation: &Value) -> String {
    let run = client.run(automation);
    let run = client.wait_for_run(&run, "succeeded");
    client.get("run/output", json!({"id": run["id"]}))["data"].as_str().expect("text").to_owned()
}

fn with_env(line: &str, env: Value) -> Value {
    json!({"kind": "command", "program": "sh", "args": ["-c", line], "env": env})
}

#[test]
fn the_environment_is_ours_then_the_windows_then_the_tasks() {
    let place = Place::new();
    let environment = json!({"A": "window", "B": "window", "SEXTON_ATTENDANCE": "window"});
    let mut client =
        place.sidecar().env("A", "inherited").env("C", "inherited").option("environment", environment).open();
    client.subscribe(json!({}));
    let automation =
        client.create(dormant("env", with_env("echo $A $B $C $SEXTON_ATTENDANCE", json!({"B": "task"}))));
    assert_eq!(output(&mut client, &automation), "window task inherited window\n");
    client.finish();
}

#[test]
fn a_command_is_told_which_run_it_is() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 100}));
    client.subscribe(json!({}));
    let line = r#"
        ids="$SEXTON_RUN_ID|$SEXTON_AUTOMATION_ID"
        echo "$ids|$SEXTON_SCHEDULED_AT|$SEXTON_ATTENDANCE|$SEXTON_PROJECT|$PWD""#;
    let project = place.project().display().to_string();
    let automation = client.create(dormant("by hand", shell(line)));
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "succeeded");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let expected = format!("{}|{}||attended|{project}|{project}\n", text(&run["id"]), text(&automation));
    assert_eq!(run["end"]["tail"], expected);
    let automation = client.create(every("by the clock", 100, shell(line)));
    let run = client.wait_for_event("a run", |event| {
        event["run"]["automationID"] == automation && event["run"]["state"] == "succeeded"
    })["run"]
        .clone();
    let at = &run["scheduledAt"];
    let expected =
        format!("{}|{}|{at}|unattended|{project}|{project}\n", text(&run["id"]), text(&automation));
    assert_eq!(run["end"]["tail"], expected);
    client.finish();
}

#[test]
fn a_value_can_come_from_the_window_and_is_stored_nowhere() {
    let place = Place::new();
    let environment = json!({"FROM_OPTIONS": "of the options"});
    let mut client =
        place.sidecar().env("INHERITED", "of the process").option("environment", environment).open();
    let subscription = client.subscribe(json!({}));
    let env = json!({"X": {"from": "FROM_OPTIONS"}, "Y": {"from": "INHERITED"}, "Z": "very secret"});
    let automation = client.create(dormant("from", with_env("echo $X, $Y, $Z", env)));
    assert_eq!(output(&mut client, &automation), "of the options, of the process, very secret\n");
    let run = client.get("run/list", json!({}))["items"][0].clone();
    assert_eq!(run["task"]["env"], json!({"X": {}, "Y": {}, "Z": {}}), "names without values");
    for event in client.events(&subscription) {
        let task = event["run"]["task"].to_string();
        assert!(!task.contains("secret") && !task.contains("of the options"), "{event}");
    }
    let missing = client
        .create(dormant("missing", with_env("echo ran >> log", json!({"X": {"from": "NOT_SET_ANYWHERE"}}))));
    let run = client.run(&missing);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!(run["error"]["code"], "start_failed");
    let sentence = run["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("NOT_SET_ANYWHERE") && sentence.contains("task.env.X"), "{sentence}");
    assert!(place.lines("log").is_empty());
    client.finish();
}

#[test]
fn a_command_reads_what_the_task_gives_it_or_nothing() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let text = format!("first\n{}\nlast", "x".repeat(65_000));
    let task = json!({"kind": "command", "program": "wc", "args": ["-c"], "stdin": text});
    let automation = client.create(dormant("counting", task));
    assert_eq!(output(&mut client, &automation).trim(), text.len().to_string());
    let automation = client.create(dormant("nothing", shell("wc -c")));
    assert_eq!(output(&mut client, &automation).trim(), "0");
    client.finish();
}

#[test]
fn arguments_arrive_as_they_were_written() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let args = ["%s\\n", "two words", "", "$HOME `id` \"quoted\" 'single'", "\u{1F514}", "-n"];
    let task = json!({"kind": "command", "program": "printf", "args": args});
    let automation = client.create(dormant("printf", task));
    let expected: String = args[1..].iter().map(|argument| format!("{argument}\n")).collect();
    assert_eq!(output(&mut client, &automation), expected);
    client.finish();
}

#[test]
fn a_command_inherits_no_descriptor_of_the_sidecar() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let automation = client.create(dormant("open files", shell("exec ls -l /proc/self/fd")));
    let listed = output(&mut client, &automation);
    let targets: Vec<&str> = listed.lines().filter_map(|line| Some(line.split_once(" -> ")?.1)).collect();
    assert!(targets.len() >= 4, "{listed}");
    for (number, target) in targets.iter().enumerate() {
        let own = match number {
            0 => *target == "/dev/null",
            1 | 2 => target.starts_with("pipe:"),
            // The directory that is listed.
            _ => target.starts_with("/proc/"),
        };
        assert!(own, "a descriptor of the sidecar: {target}\n{listed}");
    }
    // The sidecar's own pipes are not among them either.
    let pipes =
        |pid: u32, fd: u32| std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap().display().to_string();
    for fd in 0..3 {
        assert!(!listed.contains(&pipes(client.pid(), fd)), "{listed}");
    }
    client.finish();
}

#[test]
fn a_run_executes_the_automation_as_it_was_when_it_was_asked_for() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, _, _) = place.held_up(&mut client, "holder");
    let waiter = client.create(dormant("waiter", shell("echo waited >> log")));
    let asked = wall_ms();
    let waiting = client.run(&waiter);
    let id = client.send("automation/delete", json!({"id": waiter, "activeRun": "finish"}));
    gate.open();
    let ended = client.wait_for_run(&waiting, "succeeded");
    assert!(ended["triggeredAt"].as_i64().unwrap() >= asked);
    assert_eq!(ended["automationTitle"], "waiter");
    let deleted = client.answer(&id).unwrap();
    assert_eq!(deleted["stoppedRuns"], json!([ended]));
    assert_eq!(place.lines("log"), ["waited"]);
    client.finish();
}

#[test]
fn a_command_is_found_by_name_by_path_and_from_the_project() {
    let place = Place::new();
    let script = place.file("script");
    program::write(&script, "#!/bin/sh\necho \"$0\"\n");
    let mut client = place.open();
    client.subscribe(json!({}));
    for program in ["./script", script.to_str().unwrap()] {
        let automation = client.create(dormant("script", json!({"kind": "command", "program": program})));
        assert_eq!(output(&mut client, &automation), format!("{program}\n"));
    }
    // Its own search path counts, not the sidecar's.
    let env = json!({"PATH": place.project()});
    let by_name = json!({"kind": "command", "program": "script", "env": env});
    let automation = client.create(dormant("by name", by_name));
    assert_eq!(output(&mut client, &automation), format!("{}\n", script.display()));
    client.finish();
}

#[test]
fn a_project_that_was_moved_away_fails_the_run_with_its_path() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let automation = client.create(dormant("homeless", shell("true")));
    std::fs::rename(place.project(), place.beside("elsewhere")).unwrap();
    let run = client.run(&automation);
    let run = client.wait_for_run(&run, "failed");
    assert_eq!(run["error"]["code"], "start_failed");
    let sentence = run["error"]["message"].as_str().unwrap();
    assert!(sentence.contains(place.project().to_str().unwrap()), "{sentence}");
    client.finish();
}

#[test]
fn runs_go_on_after_the_binary_was_replaced() {
    let place = Place::new();
    let copy = place.beside("sexton");
    program::copy(env!("CARGO_BIN_EXE_sexton"), &copy);
    let mut client = Spawn::of(&place, &copy).open();
    client.subscribe(json!({}));
    // As an upgrade does it: the old file is gone, and another program has its name.
    std::fs::remove_file(&copy).unwrap();
    std::fs::write(&copy, "no program at all").unwrap();
    let automation = client.create(dormant("still works", shell("echo works")));
    assert_eq!(output(&mut client, &automation), "works\n");
    client.finish();
}

#[test]
fn what_is_stored_is_for_its_user_alone() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let automation = client.create(dormant("private", shell("umask; echo private")));
    output(&mut client, &automation);
    let mut unseen = vec![std::path::PathBuf::from(client.opened["stateDirectory"].as_str().unwrap())];
    let mut seen = 0;
    while let Some(path) = unseen.pop() {
        let metadata = std::fs::metadata(&path).unwrap();
        if metadata.is_dir() {
            assert_eq!(metadata.mode() & 0o077, 0, "others may look into {}", path.display());
            unseen.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen} files and directories");
    client.finish();
}
