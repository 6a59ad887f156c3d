//! `sexton pause`, `resume` and `rm`: one or several at once.

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::shell;
use crate::typing::{Seen, answer, complaint, masked, seen, sexton_at};

fn seldom(client: &mut Client, title: &str) -> Value {
    let rhythm = json!({"kind": "cron", "expression": "0 9 29 2 */7"});
    client.create(json!({
        "title": title, "kind": "recurring", "rhythm": rhythm, "timezone": "UTC", "task": shell("read line < gate"),
    }))
}

#[test]
fn each_that_is_named_rests_and_goes_on() {
    let place = Place::new();
    let mut client = place.open();
    let ids = ["One", "Two"].map(|title| seldom(&mut client, title));
    let typed = |args: &[&str]| masked(&place, &answer(&mut sexton_at(&place, args)));
    insta::assert_snapshot!(typed(&["pause", "one", "two", "--note", "the move"]), @r"
    Paused “One”
    Paused “Two”
    ");
    for id in &ids {
        let pause = &client.get("automation/get", json!({"id": id}))["pause"];
        assert_eq!((&pause["reason"], &pause["note"]), (&json!("user"), &json!("the move")));
    }
    insta::assert_snapshot!(typed(&["pause", "one", "--note", "another"]), @"“One” was paused already; its note stays “the move”");
    insta::assert_snapshot!(typed(&["resume", "one"]), @"Resumed “One”: next 2032-02-29 09:00");
    let told: Value =
        serde_json::from_str(&answer(&mut sexton_at(&place, &["resume", "one", "two", "--json"]))).unwrap();
    let told: Vec<(&Value, &Value)> =
        told.as_array().unwrap().iter().map(|one| (&one["id"], &one["paused"])).collect();
    assert_eq!(told, [(&ids[0], &json!(false)), (&ids[1], &json!(false))]);
    client.finish();
}

#[test]
fn what_fails_for_one_keeps_nothing_from_the_others() {
    let place = Place::new();
    let mut client = place.open();
    let id = seldom(&mut client, "One");
    let Seen { code, out, err } = seen(&mut sexton_at(&place, &["pause", "three", "one"]));
    assert_eq!((code, out.as_str()), (Some(1), "Paused “One”\n"));
    assert_eq!(err, "sexton: no automation is called “three”; there are “One”\n");
    assert_eq!(client.get("automation/get", json!({"id": id}))["paused"], true);
    insta::assert_snapshot!(complaint(&mut sexton_at(&place, &["pause", "three"])), @"sexton: no automation is called “three”; there are “One”");
    client.finish();
}

#[test]
fn what_is_deleted_is_gone_and_its_run_is_stopped() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let _gate = place.gate("gate");
    let ids = ["One", "Two", "Three"].map(|title| seldom(&mut client, title));
    let run = client.run(&ids[0]);
    client.wait_for_run(&run, "running");
    insta::assert_snapshot!(complaint(&mut sexton_at(&place, &["rm", "one", "two"])), @"sexton: say --yes to delete “One”, “Two”: nobody can be asked here");
    let Seen { code, out, err } = seen(&mut sexton_at(&place, &["rm", "one", "--refuse", "--yes"]));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains(run.as_str().unwrap()), "{err}");
    insta::assert_snapshot!(masked(&place, &answer(&mut sexton_at(&place, &["rm", "one", "two", "--yes"]))), @r"
    Deleted “One”
      Stopped its run run_1
    Deleted “Two”
    ");
    client.wait_for_run(&run, "stopped");
    let told = answer(&mut sexton_at(&place, &["rm", "-y", "three", "--finish", "--json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told, json!([{"id": ids[2], "deleted": true, "revision": 2, "stoppedRuns": []}]));
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
    client.finish();
}

#[test]
fn who_acts_names_the_whole_title_or_an_id() {
    let place = Place::new();
    let mut client = place.open();
    let daily = seldom(&mut client, "Backup");
    let weekly = seldom(&mut client, "Backup weekly");
    // The second time it is not another one that goes.
    answer(&mut sexton_at(&place, &["rm", "-y", "backup"]));
    let weekly_id = weekly.as_str().unwrap();
    let refusal =
        format!("sexton: no automation is called “backup”; did you mean “Backup weekly” ({weekly_id})?\n");
    for acts in [
        &["rm", "-y"][..],
        &["pause"],
        &["resume"],
        &["run"],
        &["edit", "--title", "x"],
        &["cancel"],
        &["answer"],
    ] {
        assert_eq!(complaint(sexton_at(&place, acts).arg("backup")), refusal, "{acts:?}");
    }
    assert_eq!(client.get("automation/get", json!({"id": weekly}))["revision"], 1);
    // Who only looks is shown it.
    assert!(answer(&mut sexton_at(&place, &["show", "backup"])).contains("Backup weekly"));
    // An id may be copied in part, if the part is of one only and long enough.
    let complaint = |args: &[&str]| complaint(&mut sexton_at(&place, args));
    assert!(complaint(&["pause", &weekly_id[..7]]).contains("did you mean “Backup weekly”"));
    answer(&mut sexton_at(&place, &["pause", &weekly_id[..weekly_id.len() - 2]]));
    assert_eq!(client.get("automation/get", json!({"id": weekly}))["paused"], true);
    // Nobody is asked about one that has gone.
    let daily_id = daily.as_str().unwrap();
    let gone = format!("sexton: there is no automation “{daily_id}”: it was deleted, or never was\n");
    assert_eq!(complaint(&["rm", daily_id]), gone);
    client.finish();
}
