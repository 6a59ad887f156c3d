//! `sexton why`: why something ran when it did, or why it did not.

use serde_json::{Value, json};
use sexton::domain::schedule::local_time;
use sexton::domain::schedule::zone::Zone;
use sexton::domain::time::Timestamp;

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::{once, shell};
use crate::support::wall_ms;
use crate::typing::{answer, complaint, sexton_at};

/// Something that is due on New Year's Day at nine o'clock in Berlin.
fn yearly(title: &str) -> Value {
    let rhythm = json!({"kind": "cron", "expression": "0 9 1 1 *"});
    json!({
        "title": title, "kind": "recurring", "rhythm": rhythm, "timezone": "Europe/Berlin", "task": shell("exit 3"),
    })
}

fn why(place: &Place, args: &[&str]) -> String {
    answer(sexton_at(place, &["why"]).args(args))
}

/// What is told with names in the place of what is another each time.
fn told(place: &Place, client: &Client, made: &Value, args: &[&str]) -> String {
    let created = Timestamp::from_millis(made["createdAt"].as_i64().expect("a time"));
    let created = local_time(&Zone::named("Europe/Berlin").expect("a zone"), created);
    let instance = client.opened["instanceID"].as_str().expect("an identity");
    let masked = why(place, args).replace(instance, "ins_1").replace(&created, "CREATED");
    masked.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn the_sentence_comes_first_and_then_what_is_behind_it() {
    let place = Place::new();
    let mut client = place.open();
    let made = client.get("automation/create", yearly("New Year"));
    let told = |args: &[&str]| told(&place, &client, &made, args);
    insta::assert_snapshot!(told(&["new year", "2040-01-01", "09:17"]), @r"
    “New Year” is not scheduled at 2040-01-01 09:17, because minute 17 is not 0; the nearest are 09:00 and 2041-01-01 09:00.

    What the ledger tells, in the time of Europe/Berlin:
    CREATED it was created by “test”: On the 1st of January at 09:00, Europe/Berlin
    2040-01-01 09:00 the last scheduled time before 2040-01-01 09:17
    2041-01-01 09:00 the first scheduled time after 2040-01-01 09:17
    ");
    insta::assert_snapshot!(told(&["New Year", "2040-01-01 08:00Z"]), @r"
    “New Year” will be due at 2040-01-01 09:00; as things stand, it will run then.

    What the ledger tells, in the time of Europe/Berlin:
    CREATED it was created by “test”: On the 1st of January at 09:00, Europe/Berlin
    ");
    assert_eq!(
        told(&["New Year", "2209017600000"]),
        told(&["NEW YEAR", "2040-01-01T09:00"]),
        "one time in two words"
    );
    client.finish();
}

#[test]
fn who_names_no_time_means_the_last_one_that_was_due_or_the_next_one() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let id = client.create(yearly("New Year"));
    let next = client.get("automation/get", json!({"id": id}))["state"]["nextFireAt"].clone();
    let explained = |name: &str| -> Value { serde_json::from_str(&why(&place, &[name, "--json"])).unwrap() };
    let explanation = explained("New Year");
    assert_eq!((&explanation["scheduledAt"], &explanation["verdict"]), (&next, &json!("future")));
    let due = wall_ms() + 100;
    let id = client.create(once("Once", due, shell("exit 3")));
    client.wait_for_event("it has failed", |event| event["run"]["state"] == "failed");
    let explanation = explained("Once");
    assert_eq!((&explanation["scheduledAt"], &explanation["verdict"]), (&json!(due), &json!("ran")));
    let run = explanation["run"]["id"].as_str().unwrap();
    let text = why(&place, &["Once"]);
    assert!(text.starts_with(explanation["summary"].as_str().unwrap()), "{text}");
    assert!(text.ends_with(&format!("\nRun {run}\n")), "{text}");
    // Of what was deleted its identity is left.
    client.get("automation/delete", json!({"id": id}));
    let text = why(&place, &[id.as_str().unwrap()]);
    assert!(text.ends_with(&format!("\nRun {run}\n")), "{text}");
    assert!(
        complaint(&mut sexton_at(&place, &["why", "Once"]))
            .contains("no automation is called “Once”; there are “New Year”")
    );
    client.finish();
}

#[test]
fn what_others_wrote_steers_no_terminal() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(yearly("red\u{1b}[31m\nline"));
    client.get("automation/pause", json!({"id": id, "note": "\u{1b}]0;owned\u{7}"}));
    let text = why(&place, &[id.as_str().unwrap()]);
    assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{text:?}");
    assert!(text.lines().next().unwrap().starts_with("“red [31m line” is not due at "), "{text}");
    client.finish();
}

#[test]
fn what_cannot_be_used_is_told() {
    let place = Place::new();
    let refused = |args: &[&str]| complaint(sexton_at(&place, &["why"]).args(args));
    assert!(refused(&["New Year"]).starts_with("sexton: no window has opened this project yet"));
    let mut client = place.open();
    client.create(yearly("New Year"));
    insta::assert_snapshot!(refused(&["Easter"]), @"sexton: no automation is called “Easter”; there are “New Year”");
    insta::assert_snapshot!(refused(&["atm_none"]), @"sexton: there is no automation atm_none in this project; list them to see what there is");
    insta::assert_snapshot!(refused(&["New Year", "some", "day"]), @r#"sexton: "some day" is no time; write one such as `09:00`, `yesterday 09:00`, `2025-01-06 09:00`, `2025-01-06T08:00:00Z` or `now`, or milliseconds since 1970"#);
    client.finish();
}
