//! `sexton run`: an automation is carried out now.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, eventually, processes_with, signal};
use crate::typing::{Seen, answer, complaint, seen, sexton_at};

/// A project with this automation, and no window open.
fn with_automation(draft: Value) -> Place {
    let place = Place::new();
    let mut client = place.open();
    client.create(draft);
    client.finish();
    place
}

fn run(place: &Place, args: &[&str]) -> Command {
    let mut command = sexton_at(place, &["run"]);
    command.args(args);
    command
}

/// A command that is at work, as a shell starts it: a leader of its own group.
struct AtWork {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl AtWork {
    fn begin(command: &mut Command) -> AtWork {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut process = command.spawn().expect("sexton can be spawned");
        let out = BufReader::new(process.stdout.take().expect("a pipe"));
        AtWork { process, out }
    }

    /// The next line of what it writes.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }

    /// Ctrl-C is for all of the group.
    fn interrupt(&self) {
        let group = format!("-{}", self.process.id());
        let sent = Command::new("kill").args(["-s", "INT", "--", &group]).status();
        assert!(sent.expect("kill").success(), "kill -s INT -- {group}");
    }

    fn end(mut self) -> Seen {
        let mut out = String::new();
        self.out.read_to_string(&mut out).expect("text");
        let ended = self.process.wait_with_output().expect("our own child");
        Seen { code: ended.status.code(), out, err: String::from_utf8(ended.stderr).expect("text") }
    }
}

/// A window that listens from the beginning.
fn listening(place: &Place) -> Client {
    let mut client = place.open();
    client.subscribe(json!({"after": 0}));
    client
}

/// The newest run as `sexton runs` tells it.
fn newest(place: &Place) -> Value {
    let runs: Value =
        serde_json::from_str(&answer(&mut sexton_at(place, &["runs", "--json"]))).expect("an array");
    runs[0].clone()
}

#[test]
fn who_does_not_wait_leaves_the_run_to_a_window() {
    let place = Place::new();
    let mut window = listening(&place);
    let mut gate = place.gate("gate");
    window.create(dormant("Backup", shell("read line < gate; echo saved")));
    let told = answer(&mut run(&place, &["backup"]));
    let id = newest(&place)["id"].clone();
    let name = id.as_str().unwrap();
    let instance = window.opened["instanceID"].as_str().unwrap().to_owned();
    assert_eq!(
        told,
        format!(
            "{name} of “Backup” is at work in “test” (window {instance}).\n`sexton log -f {name}` follows it.\n"
        )
    );
    gate.open();
    assert_eq!(window.wait_for_run(&id, "succeeded")["instanceID"], instance);
    assert_eq!(answer(&mut sexton_at(&place, &["log", name])), "saved\n");
    window.finish();
}

#[test]
fn what_nobody_can_carry_out_waits_and_says_what_can_be_done() {
    let place = with_automation(dormant("Backup", shell("echo saved >> log")));
    let told = answer(&mut run(&place, &["Backup"]));
    assert!(
        told.contains("waits: no window is open that can carry it out. It begins when one opens, until "),
        "{told}"
    );
    let busy = seen(&mut run(&place, &["Backup", "--wait"]));
    assert_eq!((busy.code, busy.out.as_str()), (Some(1), ""), "the one that waits is there: {busy:?}");
    // What it says is typed.
    let (_, typed) = told.split_once("sexton cancel ").unwrap();
    let (cancelled, again) = typed.trim_end().split_once(", then sexton run --wait ").unwrap();
    answer(&mut sexton_at(&place, &["cancel", cancelled]));
    let done = seen(&mut run(&place, &["--wait", "--quiet", again]));
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    assert_eq!(place.lines("log"), ["saved"]);
    let waiting = answer(&mut run(&place, &["Backup", "--json"]));
    let waiting: Value = serde_json::from_str(&waiting).unwrap();
    assert_eq!(waiting["waiting"]["for"], "executor");
    let mut window = listening(&place);
    window.wait_for_run(&waiting["id"], "succeeded");
    assert_eq!(place.lines("log"), ["saved", "saved"]);
    window.finish();
}

#[test]
fn what_is_waited_for_is_carried_out_right_here_and_shown_while_it_goes_on() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    let mut client = place.open();
    client.create(dormant("Backup", shell("echo begun; read line < gate; printf 'a\\377b'; exit 0")));
    client.finish();
    let mut at_work = AtWork::begin(&mut run(&place, &["-w", "Backup"]));
    assert_eq!(at_work.line(), "begun\n", "before it has ended");
    gate.open();
    let mut rest = Vec::new();
    at_work.out.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"a\xffb", "byte by byte");
    let Seen { code, err, .. } = at_work.end();
    let id = newest(&place)["id"].as_str().unwrap().to_owned();
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(code, Some(0));
    assert!(lines.contains(&&*format!("sexton: {id} of “Backup” running")), "{err}");
    let last = format!("sexton: {id} of “Backup” succeeded after ");
    assert!(lines.last().unwrap().starts_with(&last), "{err}");
}

#[test]
fn the_exit_code_is_the_commands_own() {
    let place = Place::new();
    let mut client = place.open();
    let missing = json!({"kind": "command", "program": "/nowhere/to/be/found"});
    let silent = with(dormant("silent", shell("read line < gate")), "policy", json!({"idleMs": 1000}));
    let _gate = place.gate("gate");
    for (title, task) in [
        ("good", shell("exit 0")),
        ("bad", shell("exit 42")),
        ("killed", shell("kill -9 $$")),
        ("missing", missing),
    ] {
        client.create(dormant(title, task));
    }
    client.create(silent);
    let nothing = json!({"precheck": {"program": "sh", "args": ["-c", "exit 75"], "timeoutMs": 60_000}});
    client.create(with(dormant("nothing to do", shell("exit 1")), "policy", nothing));
    client.finish();
    for (title, code, why) in [
        ("good", 0, None),
        ("bad", 42, Some("the command exited with code 42")),
        ("killed", 128 + 9, Some("the command was killed by signal 9")),
        ("missing", 1, Some("the program /nowhere/to/be/found does not exist")),
        // It was ended by a limit, and did not choose its exit code.
        ("silent", 1, Some("it was silent for longer than its limit")),
        // A script that asks for it has nothing to be sorry for.
        ("nothing to do", 0, None),
    ] {
        let done = seen(&mut run(&place, &["--wait", "--quiet", title]));
        assert_eq!((done.code, done.out.as_str()), (Some(code), ""), "{title}: {done:?}");
        match why {
            Some(why) => assert!(done.err.contains(why), "{title}: {}", done.err),
            None => assert_eq!(done.err, ""),
        }
    }
}

#[test]
fn ctrl_c_asks_it_to_end_and_a_second_time_kills_it() {
    let place = Place::new();
    let mut client = place.open();
    let polite = "trap 'echo asked; exit 0' TERM; echo begun; while :; do read line < gate; done";
    let deaf = "trap 'echo deaf' TERM; echo begun; while :; do read line < gate; done";
    let _gate = place.gate("gate");
    client.create(dormant("polite", shell(polite)));
    client.create(dormant("deaf", shell(deaf)));
    client.finish();
    let mut at_work = AtWork::begin(&mut run(&place, &["-w", "polite"]));
    assert_eq!(at_work.line(), "begun\n");
    at_work.interrupt();
    let ended = at_work.end();
    assert_eq!((ended.code, ended.out.as_str()), (Some(130), "asked\n"), "{ended:?}");
    assert!(ended.err.contains("is asked to end; once more ends it at once"), "{}", ended.err);
    let record = newest(&place);
    assert_eq!((&record["state"], &record["stopReason"]), (&json!("stopped"), &json!("cancelled")));

    let mut at_work = AtWork::begin(&mut run(&place, &["-w", "deaf"]));
    assert_eq!(at_work.line(), "begun\n");
    at_work.interrupt();
    assert_eq!(at_work.line(), "deaf\n");
    at_work.interrupt();
    let ended = at_work.end();
    assert_eq!(ended.code, Some(130));
    assert!(ended.err.contains("of “deaf” cancelled after "), "its end was waited for: {}", ended.err);
    let record = newest(&place);
    let took = record["completedAt"].as_i64().unwrap() - record["startedAt"].as_i64().unwrap();
    assert_eq!(record["end"]["signal"], 9, "{record}");
    assert!(took < 5000, "without the time that it would have had: {took} ms");
}

#[test]
fn a_signal_of_a_service_manager_ends_it_as_well() {
    let place = with_automation(dormant("long", shell("echo begun; exec sleep 1000")));
    for (name, number) in [("TERM", 15), ("HUP", 1)] {
        let mut at_work = AtWork::begin(&mut run(&place, &["-w", "long"]));
        assert_eq!(at_work.line(), "begun\n");
        signal(name, at_work.process.id());
        assert_eq!(at_work.end().code, Some(128 + number), "{name}");
        assert_eq!(newest(&place)["stopReason"], "cancelled", "{name}");
    }
}

#[test]
fn nothing_is_left_of_it_when_the_command_line_is_killed() {
    let place = with_automation(dormant("long", shell("echo begun; setsid sleep 1000 & wait")));
    let mut at_work = AtWork::begin(&mut run(&place, &["-w", "long"]));
    assert_eq!(at_work.line(), "begun\n");
    let id = newest(&place)["id"].as_str().unwrap().to_owned();
    assert!(!processes_with(&id).is_empty(), "its work is known by its environment");
    at_work.process.kill().unwrap();
    eventually("the work and the sidecar are gone", || {
        let of_run = processes_with(&id);
        let of_place = processes_with(place.state().to_str().unwrap());
        (of_run.is_empty() && of_place.is_empty()).then_some(())
    });
    let record = newest(&place);
    assert_eq!(record["state"], "stopped", "{record}");
}

#[test]
fn what_nobody_reads_does_not_keep_it_from_going_on() {
    let line = "for i in 1 2 3 4 5 6 7 8 9; do head -c 100000 /dev/zero; done; echo done >> log; exit 7";
    let place = with_automation(dormant("much", shell(line)));
    let mut at_work = AtWork::begin(&mut run(&place, &["-w", "much"]));
    let mut beginning = [1; 1000];
    at_work.out.read_exact(&mut beginning).unwrap();
    let AtWork { mut process, out } = at_work;
    drop(out);
    assert_eq!(process.wait().unwrap().code(), Some(7));
    assert_eq!(place.lines("log"), ["done"]);
}

#[test]
fn programs_are_told_what_becomes_of_it_and_at_last_the_run() {
    let place = with_automation(dormant("Backup", shell("echo saved")));
    let told = answer(&mut run(&place, &["-w", "Backup", "--json"]));
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, events) = lines.split_last().unwrap();
    let states: Vec<&Value> = events.iter().map(|event| &event["run"]["state"]).collect();
    assert_eq!(states, ["scheduled", "running", "succeeded"]);
    assert!(events.iter().all(|event| event["kind"] == "run.updated" && event["seq"].is_i64()), "{told}");
    assert_eq!(*last, events.last().unwrap()["run"], "{told}");
}

#[test]
fn a_key_asks_once_and_what_another_window_carries_out_is_followed() {
    let place = Place::new();
    let mut window = listening(&place);
    let mut gate = place.gate("gate");
    window.create(dormant("Backup", shell("echo begun >> log; echo begun; read line < gate; exit 5")));
    answer(&mut run(&place, &["Backup", "--key", "k"]));
    place.wait_for_lines("log", 1);
    let mut at_work = AtWork::begin(&mut run(&place, &["Backup", "--key", "k", "--wait"]));
    assert_eq!(at_work.line(), "begun\n", "what it wrote before is shown as well");
    gate.open();
    let ended = at_work.end();
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""));
    assert_eq!(place.lines("log"), ["begun"], "once");
    window.finish();
}

#[test]
fn what_cannot_be_used_is_told() {
    let place = with_automation(dormant("Backup", shell("true")));
    let refused = |args: &[&str]| complaint(&mut run(&place, args));
    assert_eq!(refused(&["Easter"]), "sexton: no automation is called “Easter”; there are “Backup”\n");
    assert!(refused(&["Backup", "--context", "x"]).contains("only prompts have a context"));
    assert!(refused(&["Backup", "--if-busy", "wait"]).contains("[possible values: queue, skip]"));
    assert!(refused(&["Backup", "--quiet"]).contains("--wait"));
    let elsewhere = Place::new();
    let refused = complaint(&mut run(&elsewhere, &["Backup"]));
    assert!(refused.starts_with("sexton: no window has opened this project yet"), "{refused}");
    // Two projects of one user are two: the directory decides.
    let named = elsewhere.project();
    let refused = complaint(&mut run(&place, &["Backup", "--project", named.to_str().unwrap()]));
    assert!(refused.starts_with("sexton: no window has opened this project yet"), "{refused}");
    // What a run does asks for no run.
    let inside = seen(run(&place, &["Backup"]).env("SEXTON_RUN_ID", newest_of_its_own(&place)));
    assert_eq!(inside.code, Some(1), "{inside:?}");
    assert!(inside.err.contains("run"), "{}", inside.err);
}

/// A run of this ledger, so that a process can be inside one.
fn newest_of_its_own(place: &Place) -> String {
    seen(&mut run(place, &["-w", "Backup"]));
    newest(place)["id"].as_str().expect("an id").to_owned()
}
