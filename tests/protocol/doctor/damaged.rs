//! Files that are damaged, cut, exchanged or lost.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use super::{audit, doctor, findings, finds_only, fired, outcome};
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, eventually, ledger};

const REPAIR: &str = "run `sexton doctor --repair`";

/// The directory of a closed ledger in which something has happened, and its automation.
pub(super) fn closed(place: &Place) -> (PathBuf, Value) {
    let (client, automation) = fired(place, 5);
    let directory = ledger::directory(&client);
    client.finish();
    ledger::into_one_file(directory.join("ledger.db"));
    (directory, automation)
}

/// The place of the page that is the root of a table or an index.
pub(super) fn root(connection: &Connection, name: &str) -> usize {
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    connection.query_row(sql, [name], |row| row.get::<_, u32>(0)).expect("a page") as usize
}

#[test]
fn a_database_that_is_cut_short_or_has_a_page_of_zeros_is_found() {
    let place = Place::new();
    let database = closed(&place).0.join("ledger.db");
    let whole = fs::read(&database).expect("a database");
    fs::write(&database, &whole[..whole.len() / 2]).expect("the state directory");
    let report = audit(&place);
    finds_only(&report, &["files problem", "malformed", REPAIR]);
    assert_eq!(outcome(&report, "slots"), "not_made");
    let told = String::from_utf8(doctor(&place, &["--audit"]).stdout).expect("text");
    let left_out =
        "\n  not looked at: pages, references, events, automations, slots, runs, windows, outputs, because ";
    assert!(told.contains("\n  PROBLEM  files ") && told.contains(left_out), "{told}");

    fs::write(&database, &whole).expect("the state directory");
    let page = root(&ledger::open(database.clone()), "runs");
    let mut damaged = whole.clone();
    damaged[(page - 1) * 4096..page * 4096].fill(0);
    fs::write(&database, &damaged).expect("the state directory");
    let report = audit(&place);
    let told = findings(&report);
    assert!(!told.is_empty(), "{report:#}");
    for finding in &told {
        assert!(
            finding.starts_with("pages problem") && finding.contains("the database is damaged"),
            "{finding}"
        );
        assert!(finding.contains(REPAIR), "{finding}");
    }
    assert_eq!(outcome(&report, "slots"), "not_made");
}

#[test]
fn commits_that_are_lost_with_the_log_are_found() {
    let place = Place::new();
    let mut client = place.open();
    client.create(dormant("kept", shell("true")));
    let directory = ledger::directory(&client);
    let seq = client.get("automation/list", serde_json::json!({}))["seq"].as_i64().expect("a place");
    let marker = directory.join("ledger.json");
    eventually("the marker follows", || {
        let text = fs::read_to_string(&marker).ok()?;
        text.contains(&format!("\"newestSeq\":{seq},")).then_some(())
    });
    client.kill();
    let log = directory.join("ledger.db-wal");
    let mut garbage = fs::read(&log).expect("a log");
    garbage[32..].fill(0x5a);
    fs::write(&log, garbage).expect("the state directory");
    finds_only(&audit(&place), &["files problem", "ledger.json tells of a ledger here", REPAIR]);
}

#[test]
fn a_ledger_that_is_not_the_one_that_its_marker_tells_of_is_found() {
    let place = Place::new();
    let (directory, _) = closed(&place);
    let older = fs::read(directory.join("ledger.db")).expect("a database");
    let (client, _) = fired(&place, 12);
    client.finish();
    ledger::into_one_file(directory.join("ledger.db"));
    let newest = fs::read(directory.join("ledger.db")).expect("a database");
    fs::write(directory.join("ledger.db"), older).expect("the state directory");
    finds_only(&audit(&place), &["files problem", "commits are lost", REPAIR]);

    fs::write(directory.join("ledger.db"), newest).expect("the state directory");
    let elsewhere = Place::new();
    let (other, _) = closed(&elsewhere);
    fs::copy(other.join("ledger.json"), directory.join("ledger.json")).expect("the state directory");
    finds_only(&audit(&place), &["files problem", "the database is that of the ledger ldg_", REPAIR]);
}

#[test]
fn a_database_that_is_missing_empty_or_of_another_program_is_found() {
    let place = Place::new();
    let (directory, _) = closed(&place);
    let database = directory.join("ledger.db");
    fs::remove_file(&database).expect("the state directory");
    finds_only(&audit(&place), &["files problem", "the database is missing", REPAIR]);
    fs::write(&database, "").expect("the state directory");
    finds_only(&audit(&place), &["files problem", "the database is empty", REPAIR]);
    fs::remove_file(&database).expect("the state directory");
    let theirs = Connection::open(&database).expect("a database");
    theirs.execute_batch("CREATE TABLE theirs (x)").expect("a table");
    drop(theirs);
    finds_only(&audit(&place), &["files problem", "a database of another program", REPAIR]);
}

/// An index does not know a row that its table has, as a fault of a disk or of a program may leave it.
pub(super) fn forget_a_row_in_an_index(database: &Path) {
    let open = || Connection::open(database).expect("a database");
    let sql = "SELECT sql, rootpage FROM sqlite_schema WHERE name = 'automations_to_prune'";
    let known = open().query_row(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
    let (index, page) = known.expect("an index");
    let tell_the_schema = |sql: &str| {
        let connection = open();
        connection.execute_batch("PRAGMA writable_schema = ON").expect("a setting");
        connection.execute(sql, rusqlite::params![page, index]).expect("a schema that can be written");
    };
    // Whoever writes meanwhile does not know of the index.
    tell_the_schema(
        "DELETE FROM sqlite_schema WHERE name = 'automations_to_prune' AND rootpage = ?1 AND sql = ?2",
    );
    open().execute_batch("UPDATE automations SET prune_at = 7").expect("a row");
    tell_the_schema(
        "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql)
         VALUES ('index', 'automations_to_prune', 'automations', ?1, ?2)",
    );
}

#[test]
fn an_index_that_does_not_know_all_rows_is_found() {
    let place = Place::new();
    let (directory, _) = closed(&place);
    forget_a_row_in_an_index(&directory.join("ledger.db"));
    let told = findings(&audit(&place));
    assert!(!told.is_empty());
    for finding in &told {
        assert!(
            finding.starts_with("pages problem") && finding.contains("index automations_to_prune"),
            "{finding}"
        );
        assert!(finding.contains(REPAIR), "{finding}");
    }
}
