//! `sexton export` and `sexton import`: automations that are carried from one project to another.

use serde_json::{Value, json};

use crate::support::app::prompt;
use crate::support::client::Client;
use crate::support::drafts::{every, once, shell, with};
use crate::support::{Place, ledger, wall_ms};
use crate::typing::{Seen, answer, complaint, masked, seen, sexton_at};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn cron(title: &str, expression: &str, timezone: &str) -> Value {
    let rhythm = json!({"kind": "cron", "expression": expression});
    json!({"title": title, "kind": "recurring", "rhythm": rhythm, "timezone": timezone, "task": shell("true")})
}

/// All automations of a place, as a document at `document` in it.
fn export(place: &Place) -> Value {
    answer(&mut sexton_at(place, &["export", "--all", "--output", "document"]));
    serde_json::from_slice(&std::fs::read(place.file("document")).expect("a document")).expect("JSON")
}

/// Imports the document of one place into another.
fn import(from: &Place, to: &Place, args: &[&str]) -> Seen {
    let document = from.file("document");
    let document = document.to_str().expect("a path in Unicode");
    let seen = seen(sexton_at(to, &["import", document]).args(args));
    Seen { out: masked(to, &seen.out), err: seen.err.replace(document, "DOCUMENT"), ..seen }
}

fn all(client: &mut Client) -> Vec<Value> {
    let mut all =
        client.get("automation/list", json!({"limit": 500}))["items"].as_array().expect("items").clone();
    all.reverse();
    all
}

/// The next hundred times at which an automation is due, of which it tells the first five itself.
fn fires(client: &mut Client, automation: &Value) -> Vec<i64> {
    let next: Vec<i64> = serde_json::from_value(automation["state"]["nextFires"].clone()).expect("times");
    let Some(first) = next.first() else { return next };
    let mut wanted = json!({"timezone": automation["timezone"], "count": 100});
    match automation["kind"] == "oneshot" {
        true => wanted["fireAt"] = automation["fireAt"].clone(),
        false => {
            wanted["rhythm"] = automation["rhythm"].clone();
            wanted["stop"] = automation["stop"].clone();
        }
    }
    if let Some(count) = automation["stop"]["count"].as_i64() {
        let completed = automation["state"]["completedRuns"].as_i64().expect("a number");
        wanted["stop"]["count"] = json!(count - completed);
    }
    // What has no anchor is counted from here: one step before the first time is on its grid.
    let step = automation["rhythm"]["everyMs"].as_i64().unwrap_or(1);
    wanted["after"] = json!(first - step);
    let fires: Vec<i64> =
        serde_json::from_value(client.get("automation/preview", wanted)["fires"].clone()).expect("times");
    assert_eq!(fires[..next.len()], next[..], "{}", automation["title"]);
    fires
}

#[test]
fn what_is_exported_and_imported_is_due_at_the_same_times() {
    let (here, there) = (Place::new(), Place::new());
    let (mut source, mut target) = (here.open(), there.open());
    source.subscribe(json!({}));
    source.serve();
    target.serve();
    let now = wall_ms();
    let anchored = json!({"kind": "interval", "everyMs": 7 * HOUR_MS, "anchorAt": now - 3 * HOUR_MS});
    let counted =
        with(every("Counted", 5 * HOUR_MS, shell("true")), "stop", json!({"kind": "count", "count": 40}));
    let until = json!({"kind": "until", "at": now + 40 * DAY_MS});
    // Each with how many times it still has, of ninety-five.
    let drafts = [
        (cron("Kathmandu", "*/15 9-17 * * 1-5", "Asia/Kathmandu"), 95),
        (cron("New York", "30 1,2 * * *", "America/New_York"), 95),
        (cron("Lord Howe", "15,45 */6 * * *", "Australia/Lord_Howe"), 95),
        (with(cron("Until", "0 */8 * * *", "Europe/Berlin"), "stop", until), 95),
        (every("Interval", 90 * 60_000 + 1234, shell("true")), 95),
        (with(every("Anchored", HOUR_MS, shell("true")), "rhythm", anchored), 95),
        (counted, 37),
        (once("Once", now + 2 * DAY_MS, json!({"kind": "notify", "text": "look"})), 1),
        (with(cron("Paused", "0 3 * * *", "UTC"), "paused", json!(true)), 0),
        (with(every("Prompt", 11 * HOUR_MS, prompt()), "policy", json!({"idleMs": null})), 95),
    ];
    let ids: Vec<Value> = drafts.iter().map(|(draft, _)| source.create(draft.clone())).collect();
    for _ in 0..3 {
        let run = source.run(&ids[6]);
        source.wait_for_run(&run, "succeeded");
    }
    let before = all(&mut source);
    let document = export(&here);
    assert_eq!(document["automations"].as_array().map(Vec::len), Some(10));
    let seen = import(&here, &there, &[]);
    assert_eq!((seen.code, seen.err.as_str()), (Some(0), ""));
    assert!(seen.out.ends_with("10 created\n"), "{}", seen.out);

    let after = all(&mut target);
    for ((before, after), (_, count)) in before.iter().zip(&after).zip(&drafts) {
        let title = &before["title"];
        assert_eq!(title, &after["title"]);
        for same in ["kind", "timezone", "task", "where", "access", "policy", "paused"] {
            assert_eq!(before[same], after[same], "{same} of {title}");
        }
        // Something may have been due since the one was read and before the other was.
        let soon = wall_ms() + 60_000;
        let to_come = |fires: Vec<i64>| Vec::from_iter(fires.into_iter().filter(|at| *at > soon).take(95));
        let due = to_come(fires(&mut source, before));
        assert_eq!(due, to_come(fires(&mut target, after)), "{title}");
        assert_eq!(due.len(), *count, "{title}");
    }
    assert_eq!(after[8]["pause"]["reason"], "user");
    // What comes out of it again is the same document, but for what is another in every project.
    let again = export(&there);
    let without_ids = |document: &Value| -> Vec<Value> {
        let mut records = document["automations"].as_array().expect("records").clone();
        records.iter_mut().for_each(|record| record["id"] = Value::Null);
        records
    };
    assert_eq!(without_ids(&again), without_ids(&document));

    let seen = import(&here, &there, &[]);
    assert!(seen.out.ends_with("10 skipped\n"), "{}", seen.out);
    assert_eq!(all(&mut target).len(), 10, "importing twice doubles nothing");
    // Nor does it in the project from which they come, where nothing has changed either.
    let seen = import(&here, &here, &["--on-duplicate", "update"]);
    assert!(seen.out.ends_with("10 skipped\n"), "{}", seen.out);
    let seen = import(&here, &there, &["--on-duplicate", "new", "--paused"]);
    assert!(seen.out.ends_with("10 created\n"), "{}", seen.out);
    let doubled = all(&mut target);
    assert_eq!(doubled.iter().filter(|one| one["paused"] == true).count(), 11);
    source.finish();
    target.finish();
}

#[test]
fn secrets_stay_and_their_names_are_told() {
    let (here, there) = (Place::new(), Place::new());
    let mut source = here.open();
    let env = json!({"TOKEN": "S3CRET", "KEY": "S3CRET", "HOME": {"from": "HOME"}});
    let task = json!({"kind": "command", "program": "sh", "env": env});
    source.create(with(cron("Upload", "0 9 29 2 */7", "UTC"), "task", task));
    let document = export(&here);
    let record = &document["automations"][0];
    assert_eq!(record["task"]["env"], json!({"HOME": {"from": "HOME"}}));
    assert_eq!(record["missingEnv"], json!(["KEY", "TOKEN"]));
    assert!(!document.to_string().contains("S3CRET"));

    insta::assert_snapshot!(import(&here, &there, &["--env", "KEY=1", "--dry-run"]).out, @r"
    would be created “Upload”
      it is paused
      it lacks a value for TOKEN: `sexton edit` gives it one with --env NAME=VALUE
    1 would be created
    ");
    assert_eq!(answer(&mut sexton_at(&there, &["list", "--json"])), "[]\n", "it was only told");
    insta::assert_snapshot!(import(&here, &there, &["--env", "KEY=1"]).out, @r"
    created “Upload”, atm_1
      it is paused
      it lacks a value for TOKEN: `sexton edit` gives it one with --env NAME=VALUE
    1 created
    ");
    let mut target = there.open();
    let made = all(&mut target).remove(0);
    assert_eq!(made["task"]["env"], json!({"HOME": {"from": "HOME"}, "KEY": "1"}));
    insta::assert_snapshot!(made["pause"]["note"].as_str().unwrap(), @"it lacks a value for TOKEN: `sexton edit` gives it one with --env NAME=VALUE");
    insta::assert_snapshot!(import(&here, &there, &["--env", "TOKEN", "--on-duplicate", "update"]).out, @r"
    changed “Upload”, atm_1
      other now: task.env.TOKEN.from
    1 changed
    ");
    let env = json!({"HOME": {"from": "HOME"}, "KEY": "1", "TOKEN": {"from": "TOKEN"}});
    assert_eq!(all(&mut target)[0]["task"]["env"], env, "a value that is there stays");
    let vain = import(&here, &there, &["--env", "TOKENS=1"]);
    assert_eq!(vain.code, Some(2));
    insta::assert_snapshot!(vain.err, @"sexton: --env TOKENS: no automation of the document lacks a variable of this name");
    source.finish();
    target.finish();
}

#[test]
fn what_is_there_already_becomes_what_the_document_says_if_that_is_wanted() {
    let (here, there) = (Place::new(), Place::new());
    let (mut source, mut target) = (here.open(), there.open());
    let id = source.create(with(cron("Build", "0 9 29 2 */7", "UTC"), "policy", json!({"queueMs": 5000})));
    source.create(cron("Build", "30 9 29 2 */7", "UTC"));
    let env = json!({"kind": "command", "program": "make", "env": {"OLD": "1"}});
    let known = target.create(with(cron("Build", "0 8 29 2 */7", "UTC"), "task", env));
    target.get("automation/pause", json!({"id": known}));
    export(&here);
    insta::assert_snapshot!(import(&here, &there, &["--on-duplicate", "update", "--dry-run"]).out, @r"
    would be changed “Build”, atm_1
      other now: policy.queueMs, rhythm.expression, task.args, task.env.OLD, task.program
    would be created “Build”
    1 would be changed, 1 would be created
    ");
    let seen = import(&here, &there, &["--on-duplicate", "update"]);
    insta::assert_snapshot!(seen.out, @r"
    changed “Build”, atm_1
      other now: policy.queueMs, rhythm.expression, task.args, task.env.OLD, task.program
    created “Build”, atm_2
    1 changed, 1 created
    ");
    let after = all(&mut target);
    let wanted = source.get("automation/get", json!({"id": id}));
    for same in ["rhythm", "task", "policy"] {
        assert_eq!(after[0][same], wanted[same], "{same}");
    }
    assert_eq!((&after[0]["id"], &after[0]["paused"]), (&known, &json!(true)), "its pause is left alone");
    assert_eq!(
        after[1]["rhythm"]["expression"], "30 9 29 2 */7",
        "the second of this title is one of its own"
    );
    let told = import(&here, &there, &["--json"]);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((&told[0]["title"], &told[0]["outcome"]), (&json!("Build"), &json!("skipped")));
    source.finish();
    target.finish();
}

#[test]
fn what_cannot_be_imported_keeps_nothing_from_the_others() {
    let place = Place::new();
    let sound = json!({"title": "Sound", "kind": "recurring", "rhythm": {"kind": "cron", "expression": "0 9 29 2 */7"},
        "timezone": "UTC", "task": shell("true")});
    let late = json!({"title": "Late", "kind": "oneshot", "fireAt": 1000, "task": shell("true")});
    let wrong = json!({"title": "Wrong", "kind": "recurring", "rhythm": {"kind": "interval", "everyMs": 1},
        "task": {"kind": "dance"}, "colour": "red"});
    let over = with(sound.clone(), "over", json!(true));
    let records = json!([wrong, late, over, 7, with(sound.clone(), "missingEnv", json!("A")), sound]);
    let document = json!({"sexton": 1, "exportedAt": 1, "automations": records});
    std::fs::write(place.file("document"), document.to_string()).unwrap();
    let seen = import(&place, &place, &[]);
    insta::assert_snapshot!(seen.out, @r"
    refused “Wrong”
      rhythm.everyMs: write a whole number from 30000 to 316224000000
      task.kind: write one of: command, prompt, notify
      colour: unsupported automation field
    skipped “Late”
      its time has passed
    skipped “Sound”
      it was over when it was exported
    refused “number 4”
      it is not an object
    refused “Sound”
      missingEnv: write a list of names
    created “Sound”, atm_1
    3 refused, 2 skipped, 1 created
    ");
    assert_eq!((seen.code, seen.err.as_str()), (Some(1), ""));

    let refused = |text: &str| {
        std::fs::write(place.file("bad"), text).unwrap();
        complaint(&mut sexton_at(&place, &["import", "bad"]))
    };
    insta::assert_snapshot!(refused("{"), @"sexton: bad: it is not JSON: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(refused("[]"), @"sexton: bad: it is no document of `sexton export`");
    insta::assert_snapshot!(refused(r#"{"sexton": 2}"#), @"sexton: bad: a newer version of sexton wrote it (format 2, and this one knows 1); update sexton");
    insta::assert_snapshot!(refused(r#"{"sexton": 1}"#), @"sexton: bad: it has no list of `automations`");
    insta::assert_snapshot!(complaint(&mut sexton_at(&place, &["import", "nothing"])), @"sexton: nothing: it cannot be read: No such file or directory (os error 2)");
    std::fs::write(place.file("empty"), r#"{"sexton": 1, "automations": []}"#).unwrap();
    assert_eq!(answer(&mut sexton_at(&place, &["import", "empty"])), "There are no automations in it.\n");
}

#[test]
fn what_is_over_or_of_a_later_version_is_told() {
    let (here, there) = (Place::new(), Place::new());
    let mut source = here.open();
    source.subscribe(json!({}));
    let spent = source.create(once("Spent", wall_ms() + 300, json!({"kind": "notify", "text": "x"})));
    source.wait_for_event("it has fired", |event| {
        event["run"]["automationID"] == spent && event["run"]["state"] == "succeeded"
    });
    let done = with(every("Done", DAY_MS, shell("true")), "stop", json!({"kind": "count", "count": 1}));
    let done = source.create(done);
    let run = source.run(&done);
    source.wait_for_run(&run, "succeeded");
    let later = source.create(cron("Later", "0 9 29 2 */7", "UTC"));
    ledger::of_later_version(&ledger::open(ledger::directory(&source).join("ledger.db")), &later);
    let Seen { code, out, err } = seen(&mut sexton_at(&here, &["export", "--all"]));
    assert_eq!(code, Some(1), "the document is not all there is");
    insta::assert_snapshot!(err.replace(later.as_str().unwrap(), "atm_1"), @"sexton: “Later” (atm_1) is left out: a newer version of sexton wrote it, and this one does not understand all of it");
    std::fs::write(here.file("document"), out).unwrap();
    let seen = import(&here, &there, &[]);
    insta::assert_snapshot!(seen.out, @r"
    skipped “Spent”
      it was over when it was exported
    skipped “Done”
      it was over when it was exported
    2 skipped
    ");
    assert_eq!(seen.code, Some(0));
    insta::assert_snapshot!(complaint(&mut sexton_at(&here, &["export"])).lines().next().unwrap(), @"error: the following required arguments were not provided:");
    let one = answer(&mut sexton_at(&here, &["export", "spent"]));
    assert_eq!(serde_json::from_str::<Value>(&one).unwrap()["automations"][0]["title"], "Spent");
    source.finish();
}
