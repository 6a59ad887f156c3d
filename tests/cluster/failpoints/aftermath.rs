//! What has to be so when somebody has gone on, whatever had failed.

use std::collections::{BTreeSet, HashSet};

use rusqlite::Connection;
use serde_json::json;

use super::life::{Acknowledged, SLOT};
use crate::killed::all_gone;
use crate::support::client::Client;
use crate::support::{Place, audit, eventually, ledger};

/// Looks when everything has ended that was begun, and what was due has been carried out.
pub(super) fn check(place: &Place, heir: &mut Client, noted: &Acknowledged) {
    let ledger = ledger::open(ledger::directory(heir).join("ledger.db"));
    eventually("everything is carried out and has ended", || {
        let due = audit::number(
            &ledger,
            "SELECT count(*) FROM automations WHERE next_fire_at < 1000 * unixepoch() + 60000",
        );
        end_what_does_not_end(heir, &ledger);
        (due == 0 && audit::is_at_rest(&ledger, 1)).then_some(())
    });
    audit::nothing_is_left(&ledger, place, &HashSet::from([heir.pid()]));
    // Of the one that was killed; whoever owns the bell removes it within a minute.
    audit::locks_are_of_instances(&ledger, 1);
    what_was_acknowledged_is_there(heir, &ledger, noted);
    no_command_was_started_twice(place, &ledger);
    no_run_ended_twice(&ledger);
    nothing_is_kept(&ledger);
    no_close_ended_twice(&ledger, noted);
}

/// Nothing of this project is at work any more, the windows included.
pub(super) fn nothing_lives(place: &Place) {
    all_gone(place.state().to_str().expect("a path"));
}

/// What the window that has gone had not begun is carried out by this one. Some of it does not end by itself; only what
/// is at work here is ended, so that a run that nobody carries out is found.
fn end_what_does_not_end(heir: &mut Client, ledger: &Connection) {
    let sql = "SELECT id FROM runs WHERE state = 'running' AND instance = ?1 AND stopping IS NULL";
    let mut statement = ledger.prepare(sql).expect("a query");
    let instance = heir.opened["instanceID"].as_str().expect("an instance");
    let rows = statement.query_map([instance], |row| row.get::<_, String>(0)).expect("rows");
    for run in rows.map(|row| row.expect("a run")) {
        heir.get("run/cancel", json!({"id": run}));
    }
}

fn what_was_acknowledged_is_there(heir: &mut Client, ledger: &Connection, noted: &Acknowledged) {
    for (title, id) in &noted.automations {
        let there = heir.get("automation/get", json!({"id": id}));
        assert_eq!(there["title"], *title);
        if *title == SLOT {
            let runs = heir.get("run/list", json!({"automationID": id}));
            let runs = runs["items"].as_array().expect("runs");
            assert_eq!(runs.len(), 1, "the slot was fired once: {runs:?}");
        }
    }
    for run in &noted.runs {
        let there = heir.get("run/get", json!({"id": run}));
        assert!(there["completedAt"].is_i64(), "{there}");
    }
    if let Some(run) = &noted.cancelled {
        let there = heir.get("run/get", json!({"id": run}));
        assert_eq!(
            (&there["state"], &there["stopReason"]),
            (&json!("stopped"), &json!("cancelled")),
            "{there}"
        );
    }
    let titles = "SELECT count(*) - count(DISTINCT d.body ->> '$.title')
                  FROM automations a JOIN definitions d ON d.row = a.definition";
    assert_eq!(audit::number(ledger, titles), 0, "what was asked for again is there once");
}

/// Nothing of the window that has stopped is in anybody's way, and the other one neither serves nor holds anything.
fn nothing_is_kept(ledger: &Connection) {
    for (what, table) in [
        ("providers that are served", "servings"),
        ("agents that are to be asked", "probes"),
        ("directories that a person holds", "holds"),
        ("closes", "closes"),
        ("answers that nobody was handed", "answers"),
    ] {
        assert_eq!(audit::number(ledger, &format!("SELECT count(*) FROM {table}")), 0, "{what}");
    }
}

/// The end of a close is told once, and that of each that was begun, if its window lived to see it.
fn no_close_ended_twice(ledger: &Connection, noted: &Acknowledged) {
    let sql = "SELECT payload ->> '$.lifecycle.id' FROM events
               WHERE payload ->> '$.lifecycle.id' IS NOT NULL";
    let mut statement = ledger.prepare(sql).expect("a query");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    let told: Vec<String> = rows.map(|row| row.expect("a close")).collect();
    let ended: BTreeSet<&str> = told.iter().map(String::as_str).collect();
    assert_eq!(ended.len(), told.len(), "closes of which it was told twice that they have ended: {told:?}");
    if noted.shut_down {
        for close in &noted.closes {
            assert!(
                close.as_str().is_some_and(|id| ended.contains(id)),
                "it was not told that {close} ended"
            );
        }
    }
}

/// Each line of the spawn log was written by another run, and no run that succeeded is without one.
fn no_command_was_started_twice(place: &Place, ledger: &Connection) {
    let lines = place.lines("spawns");
    let begun: BTreeSet<&String> = lines.iter().collect();
    assert_eq!(begun.len(), lines.len(), "a command was started twice: {lines:?}");
    let mut statement = ledger.prepare("SELECT id, state FROM runs").expect("a query");
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let runs: Vec<(String, String)> = rows.expect("rows").map(|row| row.expect("a run")).collect();
    for line in &lines {
        assert!(runs.iter().any(|(id, _)| id == line), "there is no run {line}");
    }
    for (id, state) in runs {
        assert!(state != "succeeded" || begun.contains(&id), "{id} has succeeded without having begun");
    }
}

fn no_run_ended_twice(ledger: &Connection) {
    let ends = "SELECT payload ->> '$.run.id' AS run FROM events
                WHERE payload ->> '$.run.completedAt' IS NOT NULL GROUP BY run HAVING count(*) > 1";
    let twice = audit::number(ledger, &format!("SELECT count(*) FROM ({ends})"));
    assert_eq!(twice, 0, "runs of which it was told twice that they have ended");
    let untold = "SELECT count(*) FROM runs r WHERE NOT EXISTS
                  (SELECT 1 FROM events e WHERE e.payload ->> '$.run.id' = r.id
                                            AND e.payload ->> '$.run.completedAt' IS NOT NULL)";
    assert_eq!(audit::number(ledger, untold), 0, "runs of which it was never told that they have ended");
}
