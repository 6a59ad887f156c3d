//! Files that are damaged, cut, exchanged or lost.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;

use super::{audit, findings, finds_only, fired, outcome};
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, eventually, ledger};

const REPAIR: &str = "restore the state directory from a backup";

/// A closed ledger in which something has happened.
fn closed(place: &Place) -> PathBuf {
    let (client, _) = fired(place, 5);
    let directory = ledger::directory(&client);
    client.finish();
    ledger::into_one_file(directory.join("ledger.db"));
    directory
}

/// The place of the page that is the root of a table or an index.
fn root(connection: &Connection, name: &str) -> usize {
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    connection.query_row(sql, [name], |row| row.get::<_, u32>(0)).expect("a page") as usize
}

#[test]
fn a_database_that_is_cut_short_or_has_a_page_of_zeros_is_found() {
    let place = Place::new();
    let database = closed(&place).join("ledger.db");
    let whole = fs::read(&database).expect("a database");
    fs::write(&database, &whole[..whole.len() / 2]).expect("the state directory");
    let report = audit(&place);
    finds_only(&report, &["files problem", "malformed", REPAIR]);
    assert_eq!(outcome(&report, "slots"), "not_made");

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
    let directory = closed(&place);
    let older = fs::read(directory.join("ledger.db")).expect("a database");
    let (client, _) = fired(&place, 12);
    client.finish();
    ledger::into_one_file(directory.join("ledger.db"));
    let newest = fs::read(directory.join("ledger.db")).expect("a database");
    fs::write(directory.join("ledger.db"), older).expect("the state directory");
    finds_only(&audit(&place), &["files problem", "commits are lost", REPAIR]);

    fs::write(directory.join("ledger.db"), newest).expect("the state directory");
    let elsewhere = Place::new();
    let other = closed(&elsewhere);
    fs::copy(other.join("ledger.json"), directory.join("ledger.json")).expect("the state directory");
    finds_only(&audit(&place), &["files problem", "the database is that of the ledger ldg_", REPAIR]);
}

#[test]
fn a_database_that_is_missing_empty_or_of_another_program_is_found() {
    let place = Place::new();
    let directory = closed(&place);
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

#[test]
fn an_index_that_does_not_know_all_rows_is_found() {
    let place = Place::new();
    let directory = closed(&place);
    let database = directory.join("ledger.db");
    // As a bug of a disk or of a program may leave it: rows are removed while the index is not known.
    let connection = Connection::open(&database).expect("a database");
    let (sql, page): (String, i64) = connection
        .query_row("SELECT sql, rootpage FROM sqlite_schema WHERE name = 'runs_of'", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("an index");
    let forget = "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'runs_of'";
    connection.execute_batch(forget).expect("a schema that can be written");
    drop(connection);
    let connection = Connection::open(&database).expect("a database");
    connection.execute_batch("PRAGMA foreign_keys = OFF; UPDATE runs SET automation = automation + 1000 WHERE row = 2; UPDATE runs SET automation = automation - 1000 WHERE row = 3").expect("rows");
    connection
        .execute_batch("PRAGMA writable_schema = ON")
        .and_then(|()| {
            let known = "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('index', 'runs_of', 'runs', ?1, ?2)";
            connection.execute(known, (page, sql))
        })
        .expect("a schema that can be written");
    drop(connection);
    let told = findings(&audit(&place));
    assert!(!told.is_empty());
    for finding in &told {
        assert!(finding.starts_with("pages problem") && finding.contains("index runs_of"), "{finding}");
        assert!(finding.contains(REPAIR), "{finding}");
    }
}
