//! What was in the way for a while: how much of it is kept, and how it is found.

use rusqlite::Connection;
use sexton::domain::clock::{ClockSet, Suspended};
use sexton::domain::disturbance::{Disturbance, Outage};
use sexton::domain::id::LedgerId;
use sexton::domain::refusal::StorageReason;
use sexton::domain::time::Timestamp;
use sexton::ledger::{Tx, open_in_memory};

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millis(minutes * 60_000)
}

fn slept(from: i64, to: i64) -> Disturbance {
    Disturbance::Slept(Suspended { from: at(from), to: at(to) })
}

fn set(from: i64, to: i64) -> Disturbance {
    Disturbance::ClockSet(ClockSet { from: at(from), to: at(to) })
}

fn outage(from: i64, to: i64, reason: StorageReason) -> Disturbance {
    Disturbance::Unwritable(Outage { from: at(from), to: at(to), reason: Some(reason) })
}

fn ledger() -> Connection {
    open_in_memory(LedgerId::from_unique("x")).unwrap()
}

fn found(tx: &Tx<'_>, from: i64, to: i64) -> Vec<Disturbance> {
    let found = tx.disturbances_between(at(from), at(to), 10).unwrap();
    found.into_iter().map(|noted| noted.what).collect()
}

#[test]
fn what_lasted_at_some_moment_of_a_span_is_found() {
    let connection = ledger();
    let tx = Tx::new(&connection);
    let all = [slept(10, 20), set(40, 30), set(50, 60), outage(70, 80, StorageReason::Full)];
    for (event, what) in (1..).zip(&all) {
        tx.note_disturbance(what, Some(event)).unwrap();
    }
    assert_eq!(found(&tx, 0, 100), all);
    assert_eq!(found(&tx, 20, 30), all[..2], "both ends belong to it, whichever way a clock was set");
    assert_eq!(found(&tx, 55, 55), all[2..3]);
    assert_eq!(found(&tx, 21, 29), []);
    assert_eq!(tx.disturbances_between(at(70), at(75), 10).unwrap()[0].event, Some(4));
    assert_eq!(tx.disturbances_between(at(0), at(100), 2).unwrap().len(), 2);
}

#[test]
fn an_outage_that_several_windows_come_upon_is_one() {
    let connection = ledger();
    let tx = Tx::new(&connection);
    for what in [
        outage(10, 20, StorageReason::Full),
        outage(8, 15, StorageReason::Full),
        outage(21, 30, StorageReason::Full),
        outage(40, 50, StorageReason::Full),
        outage(50, 55, StorageReason::ReadOnly),
    ] {
        tx.note_disturbance(&what, None).unwrap();
    }
    let expected = [
        outage(8, 30, StorageReason::Full),
        outage(40, 50, StorageReason::Full),
        outage(50, 55, StorageReason::ReadOnly),
    ];
    assert_eq!(found(&tx, 0, 100), expected);
}

#[test]
fn the_newest_of_each_kind_are_kept() {
    let connection = ledger();
    let tx = Tx::new(&connection);
    tx.note_disturbance(&set(1, 2), None).unwrap();
    for minutes in 0..5000 {
        tx.note_disturbance(&slept(10 * minutes, 10 * minutes + 5), None).unwrap();
    }
    assert_eq!(tx.newest_suspends(10_000).unwrap().len(), 4096);
    assert_eq!(tx.newest_suspends(1).unwrap()[0].from, at(49_990));
    assert_eq!(found(&tx, 1, 2), [set(1, 2)], "however many there are of another");
}

#[test]
fn what_only_a_later_version_knows_is_left_out() {
    let connection = ledger();
    let tx = Tx::new(&connection);
    tx.note_disturbance(&outage(10, 20, StorageReason::Io), None).unwrap();
    connection.execute("UPDATE disturbances SET reason = 'melted'", []).unwrap();
    let expected = Disturbance::Unwritable(Outage { from: at(10), to: at(20), reason: None });
    assert_eq!(found(&tx, 0, 100), [expected]);
    connection.execute("UPDATE disturbances SET kind = 'moved'", []).unwrap();
    assert_eq!(found(&tx, 0, 100), []);
}
