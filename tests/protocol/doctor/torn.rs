//! Rows that do not agree with each other in a database that is sound.

use rusqlite::Connection;
use serde_json::Value;

use super::{audit, findings, finds_only, fired, outcome, report_with};
use crate::support::{Place, ledger, wall_ms};

/// A closed ledger with an automation that has fired, open for another program, and the automation.
fn torn(place: &Place) -> (Connection, Value) {
    let (client, automation) = fired(place, 8);
    let path = ledger::directory(&client).join("ledger.db");
    client.finish();
    (ledger::open(path), automation)
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).expect("a number")
}

fn execute(connection: &Connection, sql: &str) {
    connection
        .execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}"))
        .expect("the ledger can be written");
}

#[test]
fn a_hole_between_two_answers_is_found() {
    let place = Place::new();
    let (connection, automation) = torn(&place);
    let count = number(&connection, "SELECT slots_count FROM runs WHERE row = 4");
    execute(&connection, "DELETE FROM runs WHERE row = 4");
    let at = automation.as_str().expect("an id");
    // A busy machine may have been late, so that a run answers for several.
    let hole = match count {
        1 => "nothing answers for 1 scheduled time of “ticking”".to_owned(),
        more => format!("nothing answers for {more} scheduled times of “ticking”"),
    };
    finds_only(&audit(&place), &["slots problem", at, &hole, "from a backup"]);
}

#[test]
fn slots_that_are_answered_twice_are_found() {
    let place = Place::new();
    let (connection, _) = torn(&place);
    let run: String =
        connection.query_row("SELECT id FROM runs WHERE row = 5", [], |row| row.get(0)).expect("a run");
    execute(
        &connection,
        "UPDATE runs SET slots_from = (SELECT slots_to FROM runs WHERE row = 4), slots_count = 2 WHERE row = 5",
    );
    let words = ["slots problem", &run, "answers for times of “ticking” that are answered for before it"];
    finds_only(&audit(&place), &words);
}

#[test]
fn a_time_that_is_no_slot_a_wrong_count_and_a_watermark_are_found() {
    let place = Place::new();
    let (connection, _) = torn(&place);
    let count = number(&connection, "SELECT slots_count FROM runs WHERE row = 5");
    execute(&connection, "UPDATE runs SET slots_count = slots_count + 2 WHERE row = 5");
    let (told, there) = (format!("answers for {} times", count + 2), format!("and there are {count}"));
    finds_only(&audit(&place), &["slots problem", &told, &there]);
    execute(&connection, "UPDATE runs SET slots_count = slots_count - 2 WHERE row = 5");
    execute(
        &connection,
        "UPDATE runs SET slots_from = slots_from + 7, slots_to = slots_to + 7 WHERE row = 5",
    );
    let told = findings(&audit(&place));
    assert!(told.iter().any(|told| told.contains("which is no time of “ticking”")), "{told:#?}");
    assert!(told.iter().any(|told| told.contains("nothing answers for")), "of which is the slot: {told:#?}");
    execute(
        &connection,
        "UPDATE runs SET slots_from = slots_from - 7, slots_to = slots_to - 7 WHERE row = 5",
    );
    execute(&connection, "UPDATE epochs SET answered_through = answered_through - 50");
    let told = findings(&audit(&place));
    assert!(told.iter().any(|told| told.contains("is said to be answered for up to")), "{told:#?}");
}

#[test]
fn a_time_to_fire_that_the_schedule_does_not_have_is_found() {
    let place = Place::new();
    let (connection, automation) = torn(&place);
    execute(&connection, "UPDATE automations SET next_fire_at = next_fire_at + 3600000");
    let at = automation.as_str().expect("an id");
    let words = ["automations problem", at, "“ticking” is set to fire next", "pause it and resume it"];
    finds_only(&audit(&place), &words);
    execute(&connection, "UPDATE automations SET next_fire_at = NULL");
    finds_only(&audit(&place), &["automations problem", "is set to fire next never"]);
}

#[test]
fn a_run_of_a_window_that_has_died_is_told_and_one_that_nobody_knows_is_a_problem() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(serde_json::json!({}));
    let (mut gate, _, run) = place.held_up(&mut client, "held up");
    let path = ledger::directory(&client).join("ledger.db");
    client.kill();
    let (report, code) = report_with(&place, &["--audit"]);
    assert_eq!(code, Some(0), "the next window settles it: {report:#}");
    finds_only(&report, &["windows warning", "has died", "it had 1 run in hand", "open a window"]);
    execute(&ledger::open(path), "DELETE FROM instances");
    let report = audit(&place);
    finds_only(
        &report,
        &["runs problem", run.as_str().expect("an id"), "given to a window that the ledger does not know"],
    );
    assert_eq!(outcome(&report, "slots"), "ok");
    gate.open();
}

#[test]
fn a_directory_that_is_held_for_nothing_and_a_run_that_is_half_ended_are_found() {
    let place = Place::new();
    let (connection, _) = torn(&place);
    execute(&connection, "UPDATE runs SET holds_directory = 1 WHERE row = 3");
    finds_only(
        &audit(&place),
        &["runs problem", "has ended with all its work, and still holds its directory"],
    );
    execute(&connection, "UPDATE runs SET holds_directory = 0 WHERE row = 3");
    execute(&connection, "UPDATE runs SET state = 'scheduled' WHERE row = 3");
    finds_only(&audit(&place), &["runs problem", "has ended by one part of its row"]);
    execute(&connection, "UPDATE runs SET state = 'succeeded', result = '{' WHERE row = 3");
    finds_only(&audit(&place), &["runs problem", "cannot be read"]);
    for number in ["-1", "(1 << 53) - 1"] {
        let sql = format!(
            "UPDATE runs SET result = '{{\"kind\": \"command\"}}', revision = {number} WHERE row = 3"
        );
        execute(&connection, &sql);
        finds_only(&audit(&place), &["runs problem", "cannot be read"]);
    }
    execute(&connection, "UPDATE runs SET revision = (1 << 53) - 2 WHERE row = 3");
    assert_eq!(outcome(&audit(&place), "runs"), "ok");
}

#[test]
fn a_missing_event_and_one_that_cannot_be_read_are_found() {
    let place = Place::new();
    let (connection, _) = torn(&place);
    execute(&connection, "DELETE FROM events WHERE seq = 3");
    finds_only(&audit(&place), &["events warning", "event 3 is missing"]);
    execute(&connection, "DELETE FROM events WHERE seq IN (4, 5)");
    finds_only(&audit(&place), &["events warning", "the 3 events from 3 to 5 are missing"]);
    execute(&connection, "DELETE FROM events WHERE seq <= 5; UPDATE events SET payload = '{' WHERE seq = 7");
    finds_only(&audit(&place), &["events warning", "what event 7 says cannot be read"]);
    execute(&connection, "DELETE FROM events");
    let (report, code) = report_with(&place, &["--audit"]);
    finds_only(&report, &["events warning", "the newest event is 0, and there has been one with the number"]);
    assert_eq!(code, Some(0), "it cannot be mended and does no harm any more");
}

#[test]
fn an_automation_that_cannot_be_read_and_one_of_a_later_version_are_told_apart() {
    let place = Place::new();
    let (connection, automation) = torn(&place);
    let at = automation.as_str().expect("an id");
    ledger::of_later_version(&connection, &automation);
    let (report, code) = report_with(&place, &["--audit"]);
    assert_eq!(code, Some(0), "{report:#}");
    finds_only(&report, &["automations warning", at, "a later version of sexton", "update sexton"]);
    ledger::spoil(&connection, &automation);
    finds_only(
        &audit(&place),
        &["automations problem", at, "cannot be read", "delete it (`automation/delete`)"],
    );
}

#[test]
fn a_row_whose_other_half_is_gone_and_an_output_that_is_gone_are_found() {
    let place = Place::new();
    let (connection, _) = torn(&place);
    let begun = wall_ms();
    let orphan = format!(
        "INSERT INTO processes (run, instance, pid, token, begun_at) VALUES (999, 'ins_x', 1, 't', {begun})"
    );
    execute(&connection, &orphan);
    finds_only(
        &audit(&place),
        &["references problem", "`processes` refers to a row of `runs` that is not there"],
    );
    execute(&connection, "DELETE FROM processes; UPDATE runs SET output_bytes = 7 WHERE row = 3");
    let run: String =
        connection.query_row("SELECT id FROM runs WHERE row = 3", [], |row| row.get(0)).expect("a run");
    let directory = std::path::PathBuf::from(connection.path().expect("a file"));
    let _ = std::fs::remove_dir_all(directory.with_file_name("runs").join(&run));
    finds_only(&audit(&place), &["outputs warning", &run, "the output of a run is gone"]);
}

#[test]
fn an_automation_that_nobody_can_read_goes_as_its_finding_says() {
    for damage in
        ["UPDATE definitions SET body = '{\"title'", "DELETE FROM epochs", "DELETE FROM definitions"]
    {
        let place = Place::new();
        let (connection, automation) = torn(&place);
        execute(&connection, damage);
        drop(connection);
        let told = findings(&audit(&place));
        let at = automation.as_str().expect("an id");
        let advised = |told: &String| told.contains(at) && told.contains("delete it (`automation/delete`)");
        assert!(told.iter().any(advised), "{damage}: {told:#?}");
        let mut client = place.open();
        client.expect_error("does not fire");
        let gone = client.get("automation/delete", serde_json::json!({"id": automation}));
        assert_eq!(gone["id"], automation, "{damage}: {gone}");
        client.finish();
        let told = findings(&audit(&place));
        assert!(!told.iter().any(|told| told.starts_with("automations ")), "{damage}: {told:#?}");
    }
}
