//! `sexton doctor --repair`: what is damaged is kept, what can be read begins anew, and nothing fires before somebody has
//! looked.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::damaged::{closed, forget_a_row_in_an_index, root};
use super::{audit, findings, report_with};
use crate::support::drafts::{LOG, dormant, every, shell};
use crate::support::{Place, ledger, nothing_happens};

const LIMITS: fn() -> Value = || json!({"minIntervalMs": 50});

fn repair(place: &Place) -> (Value, Option<i32>) {
    let (report, code) = report_with(place, &["--audit", "--repair"]);
    (report["repair"].clone(), code)
}

/// A repair that has put a new ledger in the place of the old one, and where that is.
fn replaced(place: &Place) -> (Value, PathBuf) {
    let (repair, code) = repair(place);
    assert_eq!((&repair["done"], code), (&json!("new_ledger"), Some(0)), "{repair:#}");
    let moved_to = PathBuf::from(repair["movedTo"].as_str().expect("a path"));
    (repair, moved_to)
}

/// The database whose file is replaced by this.
fn write(database: &Path, content: &[u8]) {
    fs::write(database, content).expect("the state directory");
}

/// The content with a page of zeros in the place of the root of this table.
fn without(database: &Path, whole: &[u8], table: &str) -> Vec<u8> {
    let page = root(&ledger::open(database.to_owned()), table);
    let mut damaged = whole.to_vec();
    damaged[(page - 1) * 4096..page * 4096].fill(0);
    damaged
}

/// The one automation, as a window is shown it after a repair; it fires when it is resumed.
fn resumes(place: &Place, automation: &Value) {
    let mut client = place.open_with(LIMITS());
    let listed = client.get("automation/list", json!({}))["items"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed:#}");
    let (shown, pause) = (&listed[0], &listed[0]["pause"]);
    assert_eq!(
        (&shown["id"], &shown["paused"], &shown["title"]),
        (automation, &json!(true), &json!("ticking"))
    );
    let note = pause["note"].as_str().expect("a note");
    assert!(note.contains("damaged ledger") && note.contains("resume it"), "{note}");
    assert_eq!(pause["by"]["client"], "sexton doctor", "{pause}");
    let fired = place.lines("log").len();
    nothing_happens(std::time::Duration::from_millis(200), || assert_eq!(place.lines("log").len(), fired));
    client.get("automation/resume", json!({"id": automation}));
    place.wait_for_lines("log", fired + 3);
    client.finish();
    assert_eq!(findings(&audit(place)), Vec::<String>::new());
}

#[test]
fn what_is_damaged_is_kept_and_its_automations_are_resumed_by_a_person() {
    type Damage = fn(&Path, &[u8]) -> Vec<u8>;
    let damages: [Damage; 4] = [
        // Cut off somewhere behind the middle.
        |_, whole| whole[..whole.len() * 3 / 4].to_vec(),
        |database, whole| without(database, whole, "definitions"),
        |database, whole| without(database, whole, "runs"),
        |database, whole| without(database, whole, "automations"),
    ];
    for damage in damages {
        let place = Place::new();
        let (directory, automation) = closed(&place);
        let database = directory.join("ledger.db");
        let whole = fs::read(&database).expect("a database");
        let damaged = damage(&database, &whole);
        // Looking at it as another program has left its traces.
        ledger::into_one_file(database.clone());
        write(&database, &damaged);
        assert_ne!(findings(&audit(&place)), Vec::<String>::new());
        let (repair, moved_to) = replaced(&place);
        assert_eq!(repair["salvaged"], json!([{"id": automation, "title": "ticking"}]), "{repair:#}");
        assert!(
            fs::read(moved_to.join("ledger.db")).expect("the old one") == damaged,
            "it is kept as it was"
        );
        assert!(moved_to.join("ledger.json").exists() && moved_to.join("runs").exists());
        resumes(&place, &automation);
    }
}

#[test]
fn where_nothing_can_be_read_a_new_ledger_begins_empty_and_says_so() {
    let place = Place::new();
    let (directory, _) = closed(&place);
    let database = directory.join("ledger.db");
    let whole = fs::read(&database).expect("a database");
    let theirs = place.beside("theirs.db");
    Connection::open(&theirs)
        .and_then(|theirs| theirs.execute_batch("CREATE TABLE theirs (x)"))
        .expect("a table");
    let garbled = [&[0x5a; 4096], &whole[4096..]].concat();
    let theirs = fs::read(theirs).expect("a database");
    for content in [None, Some(Vec::new()), Some(garbled), Some(theirs)] {
        match &content {
            Some(content) => write(&database, content),
            None => fs::remove_file(&database).expect("the state directory"),
        }
        let (repair, moved_to) = replaced(&place);
        assert_eq!(repair["salvaged"], json!([]));
        assert_eq!(repair["lost"].as_array().map(Vec::len), Some(1), "{repair:#}");
        assert_eq!(fs::read(moved_to.join("ledger.db")).ok(), content, "it is kept as it was");
        let mut client = place.open();
        client.create(dormant("new", shell("true")));
        client.finish();
    }
    let kept = fs::read_dir(directory.join("damaged")).expect("the old ones").count();
    assert_eq!(kept, 4, "each time has a place of its own");
}

#[test]
fn an_older_copy_is_taken_for_what_is_left_and_so_is_a_log_without_its_end() {
    let place = Place::new();
    let (directory, automation) = closed(&place);
    let older = fs::read(directory.join("ledger.db")).expect("a database");
    let client = place.open_with(LIMITS());
    let fired = place.lines("log").len();
    place.wait_for_lines("log", fired + 5);
    client.finish();
    ledger::into_one_file(directory.join("ledger.db"));
    write(&directory.join("ledger.db"), &older);
    let (repair, _) = replaced(&place);
    let lost = repair["lost"][0].as_str().expect("a sentence");
    assert!(lost.contains("automations may be back that were deleted"), "{repair:#}");
    resumes(&place, &automation);
}

#[test]
fn nothing_is_repaired_while_a_window_has_the_project_open() {
    let place = Place::new();
    let mut client = place.sidecar().open();
    client.create(dormant("kept", shell("true")));
    let directory = ledger::directory(&client);
    let marker = fs::read_to_string(directory.join("ledger.json")).expect("a marker");
    // As the marker of another ledger would be.
    let other = marker.replace("ldg_", "ldg_of_another_");
    fs::write(directory.join("ledger.json"), &other).expect("the state directory");
    let (refused, code) = repair(&place);
    let why = refused["why"].as_str().expect("a sentence");
    assert_eq!((&refused["done"], code), (&json!("refused"), Some(1)), "{refused}");
    assert!(
        why.contains(&format!("process {}", client.pid())) && why.contains("close all of its windows"),
        "{why}"
    );
    assert!(!directory.join("damaged").exists(), "nothing was done");
    client.finish();
}

#[test]
fn what_needs_no_repair_is_left_alone() {
    let place = Place::new();
    let (directory, _) = closed(&place);
    let before = fs::read(directory.join("ledger.db")).expect("a database");
    let (nothing, code) = repair(&place);
    assert_eq!((&nothing["done"], code), (&json!("nothing"), Some(0)), "{nothing}");
    let connection = ledger::open(directory.join("ledger.db"));
    connection.execute_batch("UPDATE automations SET next_fire_at = 7").expect("a row");
    drop(connection);
    let (nothing, code) = repair(&place);
    assert_eq!((&nothing["done"], code), (&json!("nothing"), Some(1)), "{nothing}");
    assert!(
        !directory.join("damaged").exists()
            && before.len() as u64 == fs::metadata(directory.join("ledger.db")).expect("a database").len()
    );
}

#[test]
fn indexes_are_made_anew_and_nothing_is_lost() {
    let place = Place::new();
    let (directory, automation) = closed(&place);
    forget_a_row_in_an_index(&directory.join("ledger.db"));
    let damaged = fs::read(directory.join("ledger.db")).expect("a database");
    let (rebuilt, code) = repair(&place);
    assert_eq!(rebuilt["done"], "indexes_rebuilt", "{rebuilt}");
    let copied_to = Path::new(rebuilt["copiedTo"].as_str().expect("a path"));
    assert!(fs::read(copied_to.join("ledger.db")).expect("a copy") == damaged);
    assert_eq!(code, Some(0), "{:#?}", findings(&audit(&place)));
    let mut client = place.open_with(LIMITS());
    assert_eq!(client.get("automation/list", json!({}))["items"][0]["id"], automation);
    assert_eq!(client.get("automation/list", json!({}))["items"][0]["paused"], false);
    client.finish();
}

#[test]
fn a_repair_that_died_is_finished_by_the_next_one_wherever_it_was() {
    // How far it had come: each step back undoes one more of what a whole repair has done.
    for steps_back in 1..=4 {
        let place = Place::new();
        let (directory, automation) = closed(&place);
        let database = directory.join("ledger.db");
        let whole = fs::read(&database).expect("a database");
        let old_marker = fs::read(directory.join("ledger.json")).expect("a marker");
        write(&database, &whole[..whole.len() * 3 / 4]);
        let (_, moved_to) = replaced(&place);
        let new_marker = fs::read(directory.join("ledger.json")).expect("a marker");
        let fresh = moved_to.join("fresh");
        fs::create_dir(&fresh).expect("the state directory");
        fs::write(fresh.join("ledger.json"), new_marker).expect("the state directory");
        let back = |from: &Path, to: &Path| fs::rename(from, to).expect("the state directory");
        back(&database, &fresh.join("ledger.db"));
        if steps_back > 1 {
            back(&moved_to.join("runs"), &directory.join("runs"));
        }
        if steps_back > 2 {
            for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
                // Looking at the database may have made the other two.
                if moved_to.join(name).exists() {
                    back(&moved_to.join(name), &directory.join(name));
                }
            }
        }
        if steps_back > 3 {
            fs::write(directory.join("ledger.json"), old_marker).expect("the state directory");
        }
        let mut client = place.sidecar().spawn();
        let params = client.initialize_params();
        let refused = client.refusal("initialize", params);
        assert_eq!(refused["data"]["reason"], "damaged", "no window begins meanwhile: {refused}");
        drop(client);
        let (repair, moved_to) = replaced(&place);
        assert_eq!(repair["salvaged"][0]["id"], automation, "{steps_back}: {repair:#}");
        assert!(moved_to.join("ledger.db").exists() && !moved_to.join("fresh").exists(), "{steps_back}");
        let kept = fs::read_dir(directory.join("damaged")).expect("the old one").count();
        assert_eq!(kept, 1, "{steps_back}: what was not begun has left nothing");
        resumes(&place, &automation);
    }
}

#[test]
fn a_person_is_told_what_was_taken_over_and_where_the_rest_is() {
    let place = Place::new();
    let mut client = place.open();
    client.create(dormant("one", shell("true")));
    client.create(every("two", 86_400_000, shell(LOG)));
    let directory = ledger::directory(&client);
    client.finish();
    ledger::into_one_file(directory.join("ledger.db"));
    let whole = fs::read(directory.join("ledger.db")).expect("a database");
    write(&directory.join("ledger.db"), &whole[..whole.len() - 4096]);
    let told = String::from_utf8(super::doctor(&place, &["--audit", "--repair"]).stdout).expect("text");
    for part in [
        "\nRepair\n",
        "a new ledger stands in the place",
        "“one”",
        "“two”",
        "/damaged/",
        "paused until you resume",
        "not in the new ledger, and kept only in ",
    ] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
}

#[test]
fn what_could_not_be_looked_at_is_not_called_sound_and_is_not_repaired() {
    let place = Place::new();
    let (refused, _) = repair_of_anything(&place);
    assert!(refused.contains("there is no ledger"), "{refused}");
    let (directory, _) = closed(&place);
    let database = directory.join("ledger.db");
    let whole = fs::read(&database).expect("a database");
    let elsewhere = place.beside("elsewhere.db");

    ledger::open(database.clone()).execute_batch("PRAGMA user_version = 99001").expect("a format");
    ledger::into_one_file(database.clone());
    let (refused, found) = repair_of_anything(&place);
    assert!(refused.contains("could not be looked at") && refused.contains("update sexton"), "{refused}");
    assert!(found[0].contains("update sexton"), "{found:#?}");

    fs::write(&elsewhere, &whole).expect("a file beside");
    fs::remove_file(&database).expect("the state directory");
    std::os::unix::fs::symlink(&elsewhere, &database).expect("a link");
    let (refused, found) = repair_of_anything(&place);
    assert!(refused.contains("a symbolic link"), "{refused}");
    assert!(found[0].contains("put the file itself in its place"), "{found:#?}");

    fs::remove_file(&database).expect("the link");
    fs::create_dir(&database).expect("the state directory");
    assert!(repair_of_anything(&place).0.contains("a directory"));
    assert!(!directory.join("damaged").exists(), "nothing was done");
}

/// Why a repair was refused, and what was found.
fn repair_of_anything(place: &Place) -> (String, Vec<String>) {
    let output = super::doctor(place, &["--audit", "--repair", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["repair"]["done"], "refused", "{report:#}");
    (report["repair"]["why"].as_str().expect("a sentence").to_owned(), findings(&report))
}

#[test]
fn a_ledger_without_one_of_its_tables_or_without_a_format_is_replaced() {
    for change in [
        "PRAGMA foreign_keys = OFF; DROP TABLE accounts",
        "DROP TABLE events",
        "DROP TABLE clock",
        "PRAGMA user_version = 0",
    ] {
        let place = Place::new();
        let (directory, automation) = closed(&place);
        let database = directory.join("ledger.db");
        ledger::open(database.clone()).execute_batch(change).expect("a change");
        ledger::into_one_file(database);
        let told = findings(&audit(&place));
        assert!(
            !told.is_empty() && told.iter().all(|told| told.contains("sexton doctor --repair")),
            "{change}: {told:#?}"
        );
        let (repair, _) = replaced(&place);
        assert_eq!(repair["salvaged"][0]["id"], automation, "{change}: {repair:#}");
        resumes(&place, &automation);
    }
}

#[test]
fn indexes_that_are_missing_and_triggers_of_somebody_else_are_found_and_mended() {
    let place = Place::new();
    let (directory, automation) = closed(&place);
    let database = directory.join("ledger.db");
    let count = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0)).expect("runs")
    };
    let connection = ledger::open(database.clone());
    let runs = count(&connection);
    connection
        .execute_batch(
            "DROP INDEX runs_hold_directory; DROP INDEX runs_answer_once; DROP TRIGGER answers_in_vain;
             CREATE INDEX runs_answer_once ON runs (automation);
             CREATE TRIGGER theirs AFTER INSERT ON events BEGIN DELETE FROM runs; END",
        )
        .expect("a change");
    drop(connection);
    let told = findings(&audit(&place));
    for wrong in [
        "the index `runs_hold_directory` is missing",
        "the index `runs_answer_once` is not the one",
        "the trigger `answers_in_vain` is missing",
        "the trigger `theirs` belongs to no version",
    ] {
        assert!(
            told.iter().any(|told| told.starts_with("pages problem") && told.contains(wrong)),
            "{wrong}: {told:#?}"
        );
    }
    let (rebuilt, code) = repair(&place);
    assert_eq!((&rebuilt["done"], code), (&json!("indexes_rebuilt"), Some(0)), "{rebuilt:#}");
    assert_eq!(count(&ledger::open(database)), runs, "all that was recorded stays");
    let mut client = place.open_with(LIMITS());
    let listed = client.get("automation/list", json!({}))["items"].clone();
    assert_eq!((&listed[0]["id"], &listed[0]["paused"]), (&automation, &json!(false)));
    client.finish();
}
