//! `sexton list` and `sexton show`: what there is, and how it stands.

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::typing::{answer, complaint, masked, sexton_at};

/// An automation that is due on the next Sunday that is a leap day, in 2032.
fn seldom(title: &str, task: Value) -> Value {
    let rhythm = json!({"kind": "cron", "expression": "0 9 29 2 */7"});
    json!({"title": title, "kind": "recurring", "rhythm": rhythm, "timezone": "Asia/Tokyo", "task": task})
}

fn list(place: &Place, args: &[&str]) -> String {
    masked(place, &answer(sexton_at(place, &["list"]).args(args)))
}

fn show(place: &Place, what: &str) -> String {
    masked(place, &answer(&mut sexton_at(place, &["show", what])))
}

/// Three automations, one of which has failed and one of which rests.
fn three(client: &mut Client) {
    let failing = client.create(seldom("Backup of 東京", shell("echo saving; exit 3")));
    let run = client.run(&failing);
    client.wait_for_run(&run, "failed");
    let resting = client.create(seldom("Tidy\u{1b}[2J up", shell("true")));
    client.get("automation/pause", json!({"id": resting, "note": "until\nthe move"}));
    let text = json!({"kind": "notify", "text": "stand up"});
    client.create(json!({"title": "Remind me", "kind": "oneshot", "fireAt": 4_000_000_000_000i64, "task": text, "timezone": "Asia/Tokyo"}));
}

#[test]
fn each_automation_is_a_line_that_tells_how_it_stands() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    insta::assert_snapshot!(list(&place, &[]), @r#"
    This project has no automations yet. Add one:

      sexton add "Morning tests" --cron "0 9 * * 1-5" -- cargo test
    "#);
    three(&mut client);
    insta::assert_snapshot!(list(&place, &[]), @r"
    ID TITLE WHEN NEXT LAST RUN
    atm_1 Remind me Once, on Tuesday 2096-10-02 at 16:06:40, Asia/Tokyo 2096-10-02 16:06:40 -
    atm_2 Tidy [2J up Sundays that fall on the 29th of February (in leap years) at 09:00, Asia/Tokyo paused by hand -
    atm_3 Backup of 東京 Sundays that fall on the 29th of February (in leap years) at 09:00, Asia/Tokyo 2032-02-29 09:00 failed AGO
    ");
    insta::assert_snapshot!(list(&place, &["--paused"]), @r"
    ID TITLE WHEN NEXT LAST RUN
    atm_1 Tidy [2J up Sundays that fall on the 29th of February (in leap years) at 09:00, Asia/Tokyo paused by hand -
    ");
    insta::assert_snapshot!(list(&place, &["--active", "tokyo"]), @"No automation is like that.");
    assert_eq!(list(&place, &["BACKUP"]).lines().count(), 2);
    let all: Value = serde_json::from_str(&answer(&mut sexton_at(&place, &["list", "--json"]))).unwrap();
    assert_eq!(all, client.get("automation/list", json!({}))["items"], "as the contract has it");
    client.finish();
}

#[test]
fn more_automations_than_a_page_are_listed_with_their_last_runs() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    // The run of the first is not among the newest when the others have run.
    for number in 0..130 {
        let id = client.create(dormant(&format!("Number {number}"), json!({"kind": "notify", "text": "x"})));
        let run = client.run(&id);
        client.wait_for_run(&run, "succeeded");
    }
    let told = list(&place, &[]);
    assert_eq!(told.lines().count(), 131);
    assert_eq!(told.matches("succeeded").count(), 130);
    client.finish();
}

#[test]
fn an_automation_is_shown_with_all_that_is_to_be_known_of_it() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    three(&mut client);
    insta::assert_snapshot!(show(&place, "backup"), @r"
    Backup of 東京
    atm_1, revision 1

    When Sundays that fall on the 29th of February (in leap years) at 09:00, Asia/Tokyo
    Next 2032-02-29 09:00
      2060-02-29 09:00
      2088-02-29 09:00
      2128-02-29 09:00
      2156-02-29 09:00
    Runs sh -c 'echo saving; exit 3'
    Failed the last run
    Created AGO (TIME) by “test”
    Warning The day of the month and the day of the week must both match, because one of the two fields begins with `*`; to fire on either, write that field without `*`, such as `1-31/2` for `*/2`.

    LAST RUNS DUE TOOK ID
    failed AGO by hand SPAN run_2
    ");
    insta::assert_snapshot!(show(&place, "tidy"), @r"
    Tidy [2J up
    atm_1, revision 2

    When Sundays that fall on the 29th of February (in leap years) at 09:00, Asia/Tokyo
    Paused by hand, AGO (TIME)
      until the move
      sexton resume atm_1
    Runs sh -c true
    Created AGO (TIME) by “test”
    Warning The day of the month and the day of the week must both match, because one of the two fields begins with `*`; to fire on either, write that field without `*`, such as `1-31/2` for `*/2`.
    ");
    let task = json!({"kind": "command", "program": "curl", "args": ["-fsS", "a b", "it's"],
        "env": {"TOKEN": "S3CRET", "HOME": {"from": "HOME"}, "A": {"from": "B"}}, "stdin": "in"});
    let policy = json!({
        "overlap": "cancelPrevious", "missed": {"kind": "runOnce", "windowMs": 60_000}, "ifBusy": "skip",
        "queueMs": 5000, "startMs": 1500, "idleMs": 2000, "wallMs": 7_200_000, "stepCap": 3,
        "blockerMs": {"attended": 60_000, "unattended": 1000}, "permissions": "deny",
        "budget": {"perRun": {"amount": 2.5, "currency": "USD"}}, "retry": {"attempts": 2, "delayMs": 1000},
        "pauseAfterFailures": null, "precheck": {"program": "git", "args": ["diff", "--quiet"], "timeoutMs": 1000},
        "keep": {"runs": 10, "days": 3},
    });
    let all = with(with(seldom("All", task), "policy", policy), "access", json!("read"));
    client.create(with(all, "stop", json!({"kind": "count", "count": 3})));
    insta::assert_snapshot!(show(&place, "All"), @r"
    All
    atm_1, revision 1

    When Sundays that fall on the 29th of February (in leap years) at 09:00, Asia/Tokyo, until 3 runs have succeeded or failed
    Next 2032-02-29 09:00
      2060-02-29 09:00
      2088-02-29 09:00
    Done 0 of 3
    Runs curl -fsS 'a b' 'it'\''s'
    With A (the window's B), HOME (the window's), TOKEN
    Reads 2 bytes of its own
    Access reads only, beside other runs
    Policy a run that is still at work is cancelled for the next one
      what was missed is made up for once, up to 1 min late
      where its directory is in use, it does not run
      waits at most 5 s
      starts within 1.5 s
      may be silent for 2 s
      may take 2 h
      waits for an answer 1 min, or 1 s if nobody asked for it
      at most 3 steps
      at most 2.5 USD for one run
      permissions are denied, and nobody is asked
      what could not start is tried again 2 times, after 1 s
      never pauses itself for failures in a row
      only if this says so within 1 s: git diff --quiet
      keeps 10 runs, for 3 days
    Created AGO (TIME) by “test”
    Warning The day of the month and the day of the week must both match, because one of the two fields begins with `*`; to fire on either, write that field without `*`, such as `1-31/2` for `*/2`.
    Warning with `cancelPrevious` the previous run may take 5000 ms to end, and a new one waits for that only 5000 ms (`policy.queueMs`): where the previous one ends slowly, nothing starts; choose a `queueMs` of more than 5000
    ");
    assert!(
        !answer(&mut sexton_at(&place, &["show", "All"])).contains("S3CRET"),
        "nobody reads it over a shoulder"
    );
    let told: Value =
        serde_json::from_str(&answer(&mut sexton_at(&place, &["show", "all", "--json"]))).unwrap();
    assert_eq!(told["policy"]["stepCap"], 3);
    client.finish();
}

#[test]
fn a_run_is_shown_with_all_that_is_to_be_known_of_it() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let id = client.create(seldom("Noise", shell(r"printf 'one\n\033[2Jtwo\n'; exit 3")));
    let run = client.run(&id);
    client.wait_for_run(&run, "failed");
    insta::assert_snapshot!(show(&place, run.as_str().unwrap()), @r"
    A run of “Noise”
    run_1

    State failed AGO, after SPAN
    Error the command exited with code 3; `end.tail` has its last output
    Because somebody asked for it
    Created AGO (TIME)
    Started AGO (TIME)
    Ended AGO (TIME)
    Process exit code 3
    Directory PROJECT

    It wrote last:
      one
      [2Jtwo

    All it wrote: sexton log run_1
    ");
    let quiet = client.create(seldom("Quiet", shell("true")));
    let run = client.run(&quiet);
    client.wait_for_run(&run, "succeeded");
    insta::assert_snapshot!(show(&place, run.as_str().unwrap()), @r"
    A run of “Quiet”
    run_1

    State succeeded AGO, after SPAN
    Because somebody asked for it
    Created AGO (TIME)
    Started AGO (TIME)
    Ended AGO (TIME)
    Process exit code 0
    Directory PROJECT
    ");
    let (mut gate, _, working) = place.held_up(&mut client, "Held");
    insta::assert_snapshot!(show(&place, working.as_str().unwrap()), @r"
    A run of “Held”
    run_1

    State running AGO
    Because somebody asked for it
    Created AGO (TIME)
    Started AGO (TIME)
    Directory PROJECT
    ");
    let waiting = client.run(&quiet);
    insta::assert_snapshot!(show(&place, waiting.as_str().unwrap()), @r"
    A run of “Quiet”
    run_1

    State waiting AGO
    Waits for its directory, behind run_2, since AGO (TIME); at the latest in SPAN (TIME)
    Because somebody asked for it
    Created AGO (TIME)
    Directory PROJECT
    ");
    gate.open();
    client.wait_for_run(&waiting, "succeeded");
    client.finish();
}

#[test]
fn what_is_not_there_cannot_be_shown() {
    let place = Place::new();
    let refused = |args: &[&str]| complaint(&mut sexton_at(&place, args));
    for args in [&["list"][..], &["show", "x"]] {
        assert!(refused(args).starts_with("sexton: no window has opened this project yet"));
    }
    let client = place.open();
    insta::assert_snapshot!(refused(&["show", "Easter"]), @"sexton: no automation is called “Easter”: this project has none");
    insta::assert_snapshot!(refused(&["show", "run_none"]), @"sexton: there is no run run_none in this project; list them to see what there is");
    insta::assert_snapshot!(refused(&["show", "atm_none"]), @"sexton: there is no automation atm_none in this project; list them to see what there is");
    client.finish();
}
