//! `sexton add`: what is typed becomes an automation, or is refused by the flags that said it.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::Place;
use crate::typing::{Seen, answer, complaint, masked, seen, sexton_at};

/// When the next Sunday is that is a leap day, in 2032.
const SELDOM: [&str; 4] = ["--cron", "0 9 29 2 */7", "--tz", "Europe/Berlin"];

fn add(place: &Place, args: &[&str]) -> String {
    masked(place, &answer(sexton_at(place, &["add"]).args(args)))
}

fn refused(place: &Place, args: &[&str]) -> String {
    complaint(sexton_at(place, &["add"]).args(args))
}

/// What was added, of which only what is told by these names.
fn added(place: &Place, args: &[&str], names: &[&str]) -> Value {
    let told: Value =
        serde_json::from_str(&answer(sexton_at(place, &["add", "t", "--json"]).args(args))).expect("JSON");
    names
        .iter()
        .map(|name| ((*name).to_owned(), told[*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn what_was_added_is_told_and_that_nobody_is_there_to_start_it() {
    let place = Place::new();
    let typed = [&["Morning tests"], &SELDOM[..], &["--", "cargo", "test", "--workspace"]].concat();
    insta::assert_snapshot!(add(&place, &typed), @r"
    Added “Morning tests”, atm_1
      Sundays that fall on the 29th of February (in leap years) at 09:00, Europe/Berlin
      Next 2032-02-29 09:00
      Note: The day of the month and the day of the week must both match, because one of the two fields begins with `*`; to fire on either, write that field without `*`, such as `1-31/2` for `*/2`.
      Note: no window has this project open, and nothing fires until one has, or `sexton serve --headless` runs
    ");
    let client = place.open();
    insta::assert_snapshot!(add(&place, &["Stand up", "--at", "2096-10-02 09:00", "--tz", "UTC", "--notify", "now"]), @r"
    Added “Stand up”, atm_1
      Once, on Tuesday 2096-10-02 at 09:00, UTC
      Next 2096-10-02 09:00
    ");
    insta::assert_snapshot!(add(&place, &["Later", "--at", "2096-10-02 09:00", "--tz", "UTC", "--notify", "now", "--paused", "--dry-run"]), @r"
    Would add “Later”
      Once, on Tuesday 2096-10-02 at 09:00, UTC
      Paused, by hand
    ");
    client.finish();
}

#[test]
fn every_flag_says_what_it_says() {
    let place = Place::new();
    let task = |args: &[&str]| added(&place, &[&SELDOM[..], args].concat(), &["task", "where", "access"]);
    assert_eq!(
        task(&["--shell", "echo $A | cat", "--env", "A=1=2", "--env", "HOME", "--stdin", "in", "--read"]),
        json!({"access": "read", "where": {}, "task": {"kind": "command", "program": "sh", "args": ["-c", "echo $A | cat"],
            "env": {"A": "1=2", "HOME": {"from": "HOME"}}, "stdin": "in"}})
    );
    assert_eq!(
        task(&["--", "git", "log", "--oneline"])["task"],
        json!({"kind": "command", "program": "git", "args": ["log", "--oneline"], "env": {}})
    );
    let when =
        |args: &[&str]| added(&place, &[args, &["--notify", "x"]].concat(), &["kind", "rhythm", "stop"]);
    assert_eq!(
        when(&["--every", "90m", "--anchor", "2025-01-06T08:00Z", "--count", "3"]),
        json!({"kind": "recurring", "rhythm": {"kind": "interval", "everyMs": 5_400_000, "anchorAt": 1_736_150_400_000i64},
            "stop": {"kind": "count", "count": 3}})
    );
    // A day is the whole of it.
    let until = when(&["--cron", "@daily", "--tz", "UTC", "--until", "2095-01-01"]);
    assert_eq!(until["stop"], json!({"kind": "until", "at": 3_944_764_740_000i64}));
    let soon = added(&place, &["--in", "20m", "--notify", "x"], &["kind", "fireAt", "createdAt"]);
    let (due, made) = (soon["fireAt"].as_i64().unwrap(), soon["createdAt"].as_i64().unwrap());
    assert!((made + 20 * 60_000 - due).abs() < 60_000, "{soon}");

    let policy = [
        "--overlap",
        "queue-one",
        "--missed",
        "run-once=2h",
        "--if-busy",
        "skip",
        "--queue",
        "5m",
        "--start-limit",
        "30s",
        "--idle-limit",
        "1m",
        "--limit",
        "2h",
        "--answer-within",
        "1h,5m",
        "--step-cap",
        "9",
        "--budget",
        "2.50usd",
        "--permissions",
        "deny",
        "--retry",
        "2,5s",
        "--pause-after",
        "never",
        "--precheck",
        "test -e x",
        "--precheck-limit",
        "9s",
        "--keep",
        "7,30d",
        "--shell",
        "true",
    ];
    let told = added(&place, &[&SELDOM[..], &policy].concat(), &["policy"]);
    let expected = json!({"policy": {
        "overlap": "queueOne", "missed": {"kind": "runOnce", "windowMs": 7_200_000}, "ifBusy": "skip",
        "queueMs": 300_000, "startMs": 30_000, "idleMs": 60_000, "wallMs": 7_200_000,
        "blockerMs": {"attended": 3_600_000, "unattended": 300_000}, "stepCap": 9,
        "budget": {"perRun": {"amount": 2.5, "currency": "USD"}}, "permissions": "deny",
        "retry": {"attempts": 2, "delayMs": 5000}, "pauseAfterFailures": null,
        "precheck": {"program": "sh", "args": ["-c", "test -e x"], "timeoutMs": 9000}, "keep": {"runs": 7, "days": 30},
    }});
    assert_eq!(told, expected);
    let again = [
        "--missed",
        "skip",
        "--idle-limit",
        "none",
        "--budget",
        "none",
        "--precheck",
        "none",
        "--keep",
        "30d",
        "--notify",
        "x",
    ];
    let told = added(&place, &[&SELDOM[..], &again].concat(), &["policy"]);
    let policy = &told["policy"];
    assert_eq!(
        (&policy["missed"], &policy["idleMs"], &policy["budget"]),
        (&json!({"kind": "skip"}), &Value::Null, &Value::Null)
    );
    assert_eq!((&policy["precheck"], &policy["keep"]), (&Value::Null, &json!({"runs": 1000, "days": 30})));
}

#[test]
fn texts_come_from_files_and_from_stdin() {
    let place = Place::new();
    std::fs::write(place.file("text"), "from a file\n").unwrap();
    let stdin =
        |args: &[&str]| added(&place, &[&SELDOM[..], args].concat(), &["task"])["task"]["stdin"].clone();
    assert_eq!(stdin(&["--stdin", "@text", "--", "cat"]), "from a file\n");
    let mut command = sexton_at(&place, &["add", "t", "--json", "--stdin", "-"]);
    let mut child = command
        .args(SELDOM)
        .args(["--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all("typed in".as_bytes()).unwrap();
    let told: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(told["task"]["stdin"], "typed in");
    let both = ["T", "--prompt", "-", "--stdin", "-", "--every", "1h"];
    insta::assert_snapshot!(refused(&place, &both), @"sexton: --stdin: --prompt reads stdin already; write this into a file");
    insta::assert_snapshot!(refused(&place, &["T", "--stdin", "@nothing", "--", "cat"]), @"sexton: --stdin: nothing: it cannot be read: No such file or directory (os error 2)");
}

#[test]
fn what_is_wrong_is_told_of_the_flags_that_said_it_and_all_at_once() {
    let place = Place::new();
    let refused = |args: &[&str]| refused(&place, args);
    insta::assert_snapshot!(refused(&[]), @r"
    sexton: say what it is called: sexton add TITLE …
    sexton: say when: --cron EXPR, --every SPAN, --at TIME or --in SPAN
    sexton: say what is to be done: `-- PROGRAM ARGS…`, --shell LINE, --prompt TEXT or --notify TEXT
    ");
    insta::assert_snapshot!(refused(&["T", "--every", "10s", "--queue", "500d", "--retry", "-1,1ms", "--budget", "1XX", "--", "true"]), @r"
    sexton: --every 10s: it is too often; the shortest interval is every 30 seconds
    sexton: --queue 500d: write a whole number from 0 to 31536000000, in milliseconds
    sexton: --budget 1XX: write an ISO 4217 code, such as EUR
    sexton: --retry -1: write a whole number from 0 to 1000
    sexton: --retry 1ms: write a whole number from 1000 to 31536000000, in milliseconds
    ");
    insta::assert_snapshot!(refused(&["T", "--cron", "60 * * * *", "--prompt", "hi", "--count", "0", "--env", "A=1"]), @r"
    sexton: --cron 60 * * * *: `60` is out of range; the minute field goes from 0 to 59.
    sexton: --count 0: write a whole number from 1 to 1000000000
    sexton: --prompt hi: say who is asked, with --model PROVIDER/MODEL
    sexton: --env A: it means nothing here
    ");
    insta::assert_snapshot!(refused(&["T", "--every", "often", "--tz", "Mars/Olympus", "--at", "x"]).lines().next().unwrap(), @"error: the argument '--every <SPAN>' cannot be used with '--at <TIME>'");
    insta::assert_snapshot!(refused(&["T", "--every", "often", "--tz", "Mars/Olympus", "--until", "later", "--missed", "twice", "--keep", "90m", "--budget", "lots", "--model", "sonnet"]), @r#"
    sexton: --tz: there is no time zone `Mars/Olympus`; name one of the IANA database, such as `Europe/Berlin` or `UTC`
    sexton: --every: "often" is no span of time; write one such as `30s`, `90m`, `1h30m`, `7d` or `2w`
    sexton: --until: "later" is no time; write one such as `17:30`, `tomorrow 09:00`, `friday 17:00`, `2025-01-06 09:00` or `2025-01-06T08:00:00Z`
    sexton: --model: "sonnet" names no provider; write PROVIDER/MODEL, such as `claude/sonnet`
    sexton: --missed: "twice" is not `skip`, `run-once` or `run-once=SPAN`
    sexton: --budget: "lots" is no amount of money; write one such as `2.50USD`
    sexton: --keep: "90m" is no whole number of days
    "#);
    insta::assert_snapshot!(refused(&["T", "--at", "yesterday", "--notify", "x"]), @r#"sexton: --at: "yesterday" is a whole day; write the time as well, such as `yesterday 09:00`"#);
    insta::assert_snapshot!(refused(&["T", "--at", "2020-01-01 09:00Z", "--notify", "x"]).split("it is ").next().unwrap(), @"sexton: --at 2020-01-01 09:00Z:");
    insta::assert_snapshot!(refused(&["T", "--every", "1h", "--worktree", "w", "--", "true"]), @"sexton: --worktree w: leave it out, or open the project again when its directory is the top of a git work tree");
    insta::assert_snapshot!(refused(&["T", "--every", "1h", "--prompt", "hi", "--model", "none/such"]), @"sexton: --model none/such: nobody carries out prompts for `none`; open the application that does, or write an agent for it into the configuration file");
    let list: Value = serde_json::from_str(&answer(&mut sexton_at(&place, &["list", "--json"]))).unwrap();
    assert_eq!(list, json!([]), "nothing was added");
}

#[test]
fn a_draft_in_a_file_is_what_flags_are_put_on_top_of() {
    let place = Place::new();
    let draft = json!({"title": "From a file", "kind": "recurring", "rhythm": {"kind": "interval", "everyMs": 60_000},
        "timezone": "UTC", "task": {"kind": "command", "program": "a", "env": {"A": "1", "B": "2"}},
        "policy": {"queueMs": 5}});
    std::fs::write(place.file("draft"), format!("# a remark\n{draft}")).unwrap();
    let told = answer(&mut sexton_at(
        &place,
        &[
            "add", "--from", "draft", "--json", "--cron", "@daily", "--env", "B=3", "--limit", "9s", "--key",
            "k",
        ],
    ));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["title"], "From a file");
    assert_eq!(told["rhythm"], json!({"kind": "cron", "expression": "@daily"}));
    assert_eq!(
        told["task"],
        json!({"kind": "command", "program": "a", "args": [], "env": {"A": "1", "B": "3"}})
    );
    assert_eq!((&told["policy"]["queueMs"], &told["policy"]["wallMs"]), (&json!(5), &json!(9000)));
    let again = answer(&mut sexton_at(&place, &["add", "Other", "--from", "draft", "--json", "--key", "k"]));
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap()["id"], told["id"], "the same key");

    std::fs::write(place.file("wrong"), "{\"title\": 7, \"colour\": \"red\",\n \"kind\": \"oneshot\"}")
        .unwrap();
    insta::assert_snapshot!(refused(&place, &["--from", "wrong"]), @r"
    sexton: title: write a text
    sexton: fireAt: required
    sexton: say what is to be done: `-- PROGRAM ARGS…`, --shell LINE, --prompt TEXT or --notify TEXT
    sexton: colour: it means nothing here
    ");
    std::fs::write(place.file("broken"), "{\n\"title\": }").unwrap();
    insta::assert_snapshot!(refused(&place, &["--from", "broken"]), @"sexton: --from broken: it is not JSON: expected value at line 2 column 10");
    insta::assert_snapshot!(refused(&place, &["--from", "nothing"]), @"sexton: --from nothing: it cannot be read: No such file or directory (os error 2)");
}

#[test]
fn a_run_adds_nothing() {
    let place = Place::new();
    let mut client = place.open();
    let (mut gate, _, run) = {
        client.subscribe(json!({}));
        place.held_up(&mut client, "Held")
    };
    let mut command = sexton_at(&place, &["add", "T", "--every", "1h", "--notify", "x"]);
    let Seen { code, out, err } = seen(command.env("SEXTON_RUN_ID", run.as_str().unwrap()));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.starts_with("sexton: ") && err.contains(run.as_str().unwrap()), "{err}");
    gate.open();
    client.wait_for_run(&run, "succeeded");
    client.finish();
}
