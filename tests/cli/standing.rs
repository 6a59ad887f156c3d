//! `sexton status`, `runs`, `log`, `cancel` and `answer`: how things stand, and what somebody does about it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::agents::{AGENT, scripted_agent};
use crate::support::client::Client;
use crate::support::drafts::{dormant, once, shell, with};
use crate::support::{Place, wall_ms};
use crate::typing::{answer, complaint, seen, sexton_at};

/// A window that listens from the beginning.
fn listening(place: &Place) -> Client {
    let mut client = place.open();
    client.subscribe(json!({"after": 0}));
    client
}

/// A run that has ended, of a new automation.
fn ended(client: &mut Client, title: &str, line: &str, state: &str) -> Value {
    let automation = client.create(dormant(title, shell(line)));
    let run = client.run(&automation);
    client.wait_for_run(&run, state)
}

fn id(run: &Value) -> &str {
    run["id"].as_str().expect("an id")
}

fn sexton(place: &Place, args: &[&str]) -> String {
    answer(&mut sexton_at(place, args))
}

/// A configuration file that names the scripted agent, for the command line as for windows.
fn with_an_agent() -> Place {
    let place = Place::new();
    let env = json!({"SCRIPTED_AGENT": "{}", "SCRIPTED_AGENT_LOG": place.beside("told"),
        "SCRIPTED_AGENT_SESSIONS": place.beside("sessions")});
    let command = json!(["/bin/sh", "-c", "echo complaining >&2; exec \"$0\"", scripted_agent()]);
    place.configure(&json!({"providers": {AGENT: {"command": command, "env": env}}}).to_string());
    place
}

fn asking(title: &str, prompt: &str) -> Value {
    let model = json!({"providerID": AGENT, "modelID": "large"});
    dormant(title, json!({"kind": "prompt", "prompt": prompt, "model": model}))
}

#[test]
fn runs_are_listed_newest_first_with_what_became_of_them() {
    let place = Place::new();
    let mut window = listening(&place);
    let good = ended(&mut window, "Good", "exit 0", "succeeded");
    let bad = ended(&mut window, "Bad\u{1b}[31m", "exit 3", "failed");
    let listed = sexton(&place, &["runs"]);
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["RUN", "AUTOMATION", "OUTCOME", "WHEN", "TOOK", "EXIT", "WHY"]);
    assert_eq!((lines[1][0], lines[1][1], lines[1][3]), (id(&bad), "Bad", "failed"));
    assert!(listed.lines().nth(1).unwrap().ends_with("  3  the command exited with code 3"), "{listed}");
    assert_eq!((lines[2][0], lines[2][1], lines[2][2]), (id(&good), "Good", "succeeded"));
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(!listed.contains('\u{1b}'), "what others wrote steers no terminal: {listed}");
    // Of one automation, by its state, by time, and not more than so many.
    let ids = |args: &[&str]| -> Vec<String> {
        let mut all = vec!["runs", "--json"];
        all.extend(args);
        let runs: Vec<Value> = serde_json::from_str(&sexton(&place, &all)).unwrap();
        runs.iter().map(|run| id(run).to_owned()).collect()
    };
    assert_eq!(ids(&["good"]), [id(&good)]);
    assert_eq!(ids(&["--state", "failed"]), [id(&bad)]);
    assert_eq!(ids(&["--state", "failed", "--state", "Succeeded"]), [id(&bad), id(&good)]);
    assert_eq!(ids(&["--state", "active"]), [""; 0]);
    assert_eq!(ids(&["--since", "1h"]).len(), 2);
    assert_eq!(ids(&["--until", "1h"]), [""; 0]);
    assert_eq!(ids(&["-n", "1"]), [id(&bad)]);
    assert!(sexton(&place, &["runs", "-n", "1"]).ends_with("There are more; -n 2 shows more of them.\n"));
    assert_eq!(sexton(&place, &["runs", "--state", "running"]), "There are no such runs.\n");
    let refused = |args: &[&str]| complaint(&mut sexton_at(&place, args));
    assert!(refused(&["runs", "--state", "done"]).contains("write one of: active, scheduled"));
    assert!(refused(&["runs", "--since", "soon"]).contains("or a span such as `2h` or `7d`"));
    window.finish();
}

#[test]
fn slots_that_were_not_carried_out_are_shown_as_what_they_are() {
    let place = Place::new();
    let mut window = place.open_with(json!({"minIntervalMs": 50}));
    window.subscribe(json!({"after": 0}));
    let _gate = place.gate("gate");
    let rhythm = json!({"kind": "interval", "everyMs": 50});
    let draft =
        json!({"title": "Often", "kind": "recurring", "rhythm": rhythm, "task": shell("read line < gate")});
    let often = window.create(draft);
    window.wait_for_event("slots are skipped", |event| event["run"]["skipped"]["count"].as_i64() >= Some(2));
    let listed = sexton(&place, &["runs", "often"]);
    assert!(listed.contains(" running "), "{listed}");
    assert!(listed.contains("skipped behind it: ") && listed.contains(" times, "), "{listed}");
    window.get("automation/delete", json!({"id": often}));
    let listed = sexton(&place, &["runs", often.as_str().unwrap()]);
    assert!(
        listed.contains(" overlapped ") && listed.contains("the run before it was still at work"),
        "{listed}"
    );
    window.finish();
}

#[test]
fn a_log_is_written_byte_by_byte_and_followed_to_its_end() {
    let place = Place::new();
    let mut window = listening(&place);
    let mut gate = place.gate("gate");
    let line = "printf 'one\\ntwo\\377\\n'; echo three; echo >> log; read line < gate; printf end";
    let automation = window.create(dormant("Writes", shell(line)));
    assert!(
        seen(&mut sexton_at(&place, &["log", "writes"]))
            .err
            .contains("no run of “Writes” has done anything yet")
    );
    let run = window.run(&automation);
    window.wait_for_run(&run, "running");
    place.wait_for_lines("log", 1);
    let bytes = |args: &[&str]| sexton_at(&place, args).output().unwrap().stdout;
    assert_eq!(bytes(&["log", "writes"]), b"one\ntwo\xff\nthree\n", "what there is until now");
    assert_eq!(bytes(&["log", "writes", "-n", "2"]), b"two\xff\nthree\n");
    let mut command = sexton_at(&place, &["log", run.as_str().unwrap(), "-f", "-n", "1"]);
    let mut following = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(following.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "three\n");
    gate.open();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(
        (rest.as_str(), following.wait().unwrap().code()),
        ("end", Some(0)),
        "to its end and no further"
    );
    window.finish();
}

#[test]
fn the_run_that_has_not_ended_is_followed_and_titles_may_look_like_ids() {
    let place = Place::new();
    let mut client = place.open();
    let automation = client.create(dormant("run_me", shell("echo $SEXTON_RUN_ID")));
    client.finish();
    let first = sexton(&place, &["run", "--wait", "--quiet", "run_me"]);
    let waiting: Value = serde_json::from_str(&sexton(&place, &["run", "--json", "run_me"])).unwrap();
    let following = sexton_at(&place, &["log", "-f", "run_me"]).stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(sexton(&place, &["log", "run_me"]), first, "without -f the one that has done something");
    assert!(sexton(&place, &["show", "run_me"]).contains(automation.as_str().unwrap()));
    let window = place.open();
    let seen = following.wait_with_output().unwrap();
    let second = format!("{}\n", waiting["id"].as_str().unwrap());
    assert_eq!((String::from_utf8(seen.stdout).unwrap(), seen.status.code()), (second, Some(0)));
    window.finish();
}

#[test]
fn a_log_says_what_is_missing_and_ends_quietly_where_nobody_reads() {
    let place = Place::new();
    let mut window = place.open_with(json!({"outputBytes": 500_000}));
    window.subscribe(json!({"after": 0}));
    let run = ended(&mut window, "Much", "head -c 1000000 /dev/zero", "succeeded");
    let all = seen(&mut sexton_at(&place, &["log", "much"]));
    assert_eq!((all.code, all.out.len()), (Some(0), 500_000));
    assert_eq!(all.err, format!("sexton: not all that {} of “Much” wrote was kept\n", id(&run)));
    let mut command = Command::new("sh");
    command.args(["-c", "(\"$SEXTON\" log much; echo $? >> code) 2>> code | head -c 10"]);
    command.env("SEXTON", env!("CARGO_BIN_EXE_sexton")).env("SEXTON_STATE_DIR", place.state());
    let out =
        command.env("XDG_CONFIG_HOME", place.configuration()).current_dir(place.project()).output().unwrap();
    assert_eq!((out.stdout.len(), place.lines("code")), (10, vec!["0".to_owned()]));
    assert!(
        seen(&mut sexton_at(&place, &["log", "much", "--agent"])).err.contains("no agent has carried out")
    );
    assert!(complaint(&mut sexton_at(&place, &["log", "run_none"])).contains("run_none"));
    window.finish();
}

#[test]
fn a_run_of_another_window_is_cancelled_and_that_it_has_gone_is_waited_for() {
    let place = Place::new();
    let mut window = listening(&place);
    let line = "trap 'echo asked >> log; test -e deaf || exit 0' TERM; echo begun >> log; while :; do read line < gate; done";
    let _gate = place.gate("gate");
    let automation = window.create(dormant("Long", shell(line)));
    let run = window.run(&automation);
    place.wait_for_lines("log", 1);
    let told = sexton(&place, &["cancel", "long"]);
    assert_eq!(place.lines("log"), ["begun", "asked"], "it has gone");
    let name = run.as_str().unwrap();
    assert!(told.starts_with(&format!("{name} of “Long”: cancelled after ")), "{told}");
    let again = sexton(&place, &["cancel", name]);
    assert!(again.starts_with(&format!("{name} of “Long” had ended already: cancelled ")), "{again}");
    let none = seen(&mut sexton_at(&place, &["cancel", "long"]));
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("no run of “Long” is at work or waits"), "{}", none.err);
    std::fs::write(place.file("deaf"), "").unwrap();
    let run = window.run(&automation);
    place.wait_for_lines("log", 3);
    let ended: Value = serde_json::from_str(&sexton(&place, &["cancel", "long", "--now", "--json"])).unwrap();
    assert_eq!((&ended["id"], &ended["end"]["signal"]), (&run, &json!(9)), "{ended}");
    let took = ended["completedAt"].as_i64().unwrap() - ended["startedAt"].as_i64().unwrap();
    assert!(took < 5000, "without the time that it would have had: {took} ms");
    window.finish();
}

#[test]
fn what_a_run_asks_is_shown_and_answered_in_any_words_that_mean_an_option() {
    let place = with_an_agent();
    let mut window = listening(&place);
    let automation = window.create(asking("Tidy", "[permission:make clean][say:Done.]"));
    let run = window.run(&automation);
    window.wait_for_run(&run, "awaiting_input");
    let name = run.as_str().unwrap();
    let status = sexton(&place, &["status"]);
    let asks = status.lines().find(|line| line.starts_with("Asks you")).unwrap();
    assert!(
        asks.contains("“Tidy”  make clean") && asks.ends_with(&format!("sexton answer {name}")),
        "{status}"
    );
    let question = sexton(&place, &["answer", "tidy"]);
    assert!(question.starts_with("“Tidy” wants to:\n  make clean\n  1  "), "{question}");
    assert!(question.contains(&format!("sexton answer {name} NUMBER")), "{question}");
    let refused = complaint(&mut sexton_at(&place, &["answer", name, "perhaps"]));
    assert!(refused.starts_with("sexton: \"perhaps\" is none of the answers: 1 ("), "{refused}");
    assert_eq!(sexton(&place, &["answer", "tidy", "yes"]), format!("{name} of “Tidy” goes on.\n"));
    assert_eq!(window.wait_for_run(&run, "succeeded")["result"]["text"], "Done.");
    let late = seen(&mut sexton_at(&place, &["answer", name, "no"]));
    assert_eq!(late.code, Some(1));
    assert!(late.err.contains("waits for no answer: succeeded"), "{}", late.err);
    assert_eq!(sexton(&place, &["log", "tidy", "--agent"]), "complaining\n");
    window.finish();
}

#[test]
fn a_prompt_that_is_waited_for_asks_here_and_is_answered_from_another_terminal() {
    let place = with_an_agent();
    let mut window = listening(&place);
    window.create(asking("Tidy", "[ask][say:Thanks.]"));
    window.finish();
    let mut command = sexton_at(&place, &["run", "-w", "tidy"]);
    let mut at_work = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(at_work.stderr.take().unwrap());
    let (mut line, mut all) = (String::new(), String::new());
    while !line.contains("sexton answer ") {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "it asks: {all}");
        all.push_str(&line);
    }
    assert!(all.contains("“Tidy” asks:\n  Which one?\n  1  this"), "{all}");
    let typed = line.split_once("sexton answer ").unwrap().1;
    let run = typed.split_whitespace().next().unwrap();
    sexton(&place, &["answer", run, "that"]);
    let mut out = String::new();
    at_work.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert_eq!(at_work.wait().unwrap().code(), Some(0), "{rest}");
    assert!(out.contains("Thanks."), "{out}");
}

#[test]
fn the_status_shows_what_there_is_and_what_to_do_on_one_screen() {
    let place = Place::new();
    let refused = complaint(&mut sexton_at(&place, &["status"]));
    assert!(refused.starts_with("sexton: no window has opened this project yet"), "{refused}");
    let mut window = listening(&place);
    let _gate = place.gate("gate");
    let bad = ended(&mut window, "Bad", "exit 3", "failed");
    let program = json!({"kind": "command", "program": "/nowhere/to/be/found"});
    let missing = window.create(dormant("Missing", program));
    let run = window.run(&missing);
    window.wait_for_run(&run, "failed");
    let holding = window.create(dormant("Holds", shell("read line < gate")));
    let holding = window.run(&holding);
    window.wait_for_run(&holding, "running");
    let behind = window.create(dormant("Behind", shell("true")));
    let behind = window.run(&behind);
    window.create(once("Soon", wall_ms() + 3 * 3_600_000 + 60_000, shell("true")));
    let resting = window.create(dormant("Moving", shell("true")));
    window.get("automation/pause", json!({"id": resting, "note": "until the move"}));
    let by_hand = window.create(dormant("Silent", shell("true")));
    window.get("automation/pause", json!({"id": by_hand}));
    let status = sexton(&place, &["status"]);
    let line = |label: &str| -> String {
        let found = status.lines().find(|line| line.trim_start().starts_with(label));
        let line = found.unwrap_or_else(|| panic!("no {label} in {status}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("Project"), format!("Project {}", place.project().display()));
    assert!(line("Bell").starts_with(&format!("Bell rung by test (pid {}) for ", window.pid())), "{status}");
    assert!(!status.contains("Also open"), "who rings the bell is told of once: {status}");
    assert_eq!(line("Health"), "Health all is well");
    assert!(line("Due next").starts_with("Due next “Soon” in 3 h ("), "{status}");
    assert!(line("At work").starts_with("At work “Holds” for "), "{status}");
    assert!(line("At work").ends_with(&format!(" in test {}", holding.as_str().unwrap())), "{status}");
    assert!(line("Waits").contains("“Behind” for its directory, behind "), "{status}");
    assert!(line("Paused").ends_with(&format!("sexton resume {}", missing.as_str().unwrap())), "{status}");
    assert!(line("Paused").contains("the program /nowhere/to/be/found does not exist"), "{status}");
    let [moving, silent] = ["“Moving”", "“Silent”"].map(line);
    assert!(moving.contains("until the move"), "{status}");
    assert!(moving.ends_with(&format!("sexton resume {}", resting.as_str().unwrap())), "{status}");
    assert!(silent.contains("by hand"), "{status}");
    assert!(status.contains(id(&bad)) && status.contains("failed exit 3"), "{status}");
    assert!(status.lines().count() < 20 && !status.contains('\u{1b}'), "{status}");
    let json: Value = serde_json::from_str(&sexton(&place, &["status", "--json"])).unwrap();
    assert_eq!(json["scheduler"]["owner"]["instanceID"], window.opened["instanceID"]);
    assert_eq!(json["due"][0]["title"], "Soon");
    let active: Vec<&Value> = json["activeRuns"].as_array().unwrap().iter().map(|run| &run["id"]).collect();
    assert_eq!(active, [&behind, &holding]);
    assert_eq!(json["pausedByThemselves"][0]["id"], missing);
    let ids: Vec<&Value> = json["paused"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids.len(), 2, "{json}");
    assert!(ids.contains(&&resting) && ids.contains(&&by_hand), "{json}");
    assert_eq!(json["wentWrong"][1]["id"], bad["id"]);
    window.finish();
    let status = sexton(&place, &["status"]);
    assert!(status.contains("Bell        nobody rings it: nothing fires"), "it never does itself: {status}");
    assert!(!status.contains("Also open"), "nor is it there any more when this is read: {status}");
}

#[test]
fn two_projects_are_told_apart_by_where_somebody_stands() {
    let (one, other) = (Place::new(), Place::new());
    let windows = [&one, &other].map(|place| place.open());
    let mut windows = windows.into_iter();
    let (mut first, mut second) = (windows.next().unwrap(), windows.next().unwrap());
    first.create(with(dormant("Here", shell("true")), "paused", json!(true)));
    second.create(dormant("There", shell("true")));
    assert!(sexton(&one, &["status"]).contains(&one.project().display().to_string()));
    assert!(complaint(&mut sexton_at(&one, &["log", "There"])).contains("there are “Here”"));
    let (project, state) = (other.project(), other.state());
    let elsewhere = ["--project", project.to_str().unwrap(), "--state-directory", state.to_str().unwrap()];
    let mut args = vec!["runs", "There"];
    args.extend(elsewhere);
    assert_eq!(sexton(&one, &args), "There are no such runs.\n");
    first.finish();
    second.finish();
}
