//! A ledger that is less than it was, or not where it was: refused, left as it is, and used again when it is back.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use sexton::domain::id::LedgerId;
use sexton::domain::refusal::{Refusal, StorageReason};
use sexton::ledger::{Ledger, Loss, OpenError, Outside};
use tempfile::{TempDir, tempdir};

use crate::support::{Ids, NOW, arrive, decide, every_minute, names, open};

/// The name and the content of every file in a directory.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let listed = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    listed
        .map(|entry| (entry.file_name().to_str().unwrap().to_owned(), fs::read(entry.path()).unwrap()))
        .collect()
}

fn marker(directory: &Path) -> Value {
    serde_json::from_slice(&fs::read(directory.join("ledger.json")).unwrap()).unwrap()
}

fn open_again(directory: &Path) -> Result<Ledger, OpenError> {
    Ledger::open(directory, "/project", LedgerId::from_unique("again"), NOW, Outside::nobody())
}

/// What was lost, as the refusal to open it tells.
fn loss(directory: &Path) -> Loss {
    let refused = open_again(directory).err().unwrap();
    let sentence = refused.to_string();
    for part in ["ledger.json", "nothing was changed", "backup", "sexton doctor --repair"] {
        assert!(sentence.contains(part), "{sentence}");
    }
    let OpenError::Lost { loss, .. } = refused else { panic!("{sentence}") };
    loss
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> StorageReason {
    match refused {
        Err(Refusal::Storage { reason, message }) => {
            assert!(message.contains("; "), "a way out: {message}");
            reason
        }
        other => panic!("not refused for the storage: {other:?}"),
    }
}

/// Writes something that publishes an event.
async fn create(ledger: &Ledger) {
    let count = ledger.read(|view| Ok(view.newest_seq()?)).await.unwrap().unsigned_abs();
    let written = ledger.write(move |tx| {
        let mut ids = Ids(100 * count);
        decide(tx, &mut ids, NOW, |tx, context| {
            sexton::engine::create::create(tx, context, every_minute()).map(|_| ())
        })
    });
    written.await.unwrap();
}

/// A ledger with some events, and its marker up to date.
async fn known() -> (TempDir, Ledger) {
    let directory = tempdir().unwrap();
    let ledger = open(directory.path());
    for _ in 0..3 {
        create(&ledger).await;
    }
    ledger.mark(ledger.read(|view| Ok(view.newest_seq()?)).await.unwrap()).unwrap();
    (directory, ledger)
}

/// Closes a ledger that nobody else has open, so that all of it is in the database.
fn close(directory: &Path, ledger: Ledger) {
    drop(ledger);
    let is_open = || {
        let files = fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
        files.filter_map(|file| file.path().read_link().ok()).any(|path| path.starts_with(directory))
    };
    for _ in 0..5000 {
        if !is_open() {
            // Its reader may have been the last to close it, and cannot move the log.
            let last = Connection::open(directory.join("ledger.db")).unwrap();
            last.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).unwrap();
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    panic!("its threads have not ended");
}

#[tokio::test]
async fn a_new_ledger_has_a_marker_that_follows_it() {
    let (directory, ledger) = known().await;
    let expected = json!({"format": 1001, "ledgerID": "ldg_first", "newestSeq": 3,
        "writtenBy": env!("CARGO_PKG_VERSION")});
    assert_eq!(marker(directory.path()), expected);
    assert_eq!(ledger.warning(), None);
    close(directory.path(), ledger);
    // Somebody may have created the database and not come as far as the marker.
    fs::remove_file(directory.path().join("ledger.json")).unwrap();
    assert_eq!(open_again(directory.path()).unwrap().warning(), None);
    assert_eq!(marker(directory.path()), expected);
}

#[tokio::test]
async fn a_database_that_is_missing_or_empty_beside_its_marker_is_never_made_anew() {
    let (directory, ledger) = known().await;
    close(directory.path(), ledger);
    let whole = contents(directory.path());
    let database = directory.path().join("ledger.db");
    type Damage = fn(&Path);
    let cases: [(Damage, Loss); 4] = [
        (|path| fs::remove_file(path).unwrap(), Loss::Missing),
        (|path| fs::write(path, "").unwrap(), Loss::Empty),
        (|path| fs::write(path, "S").unwrap(), Loss::Empty),
        (|path| fs::write(path, [0x5a; 99]).unwrap(), Loss::Empty),
    ];
    for text in [whole["ledger.json"].clone(), b"{\0".to_vec()] {
        for (damage, expected) in &cases {
            fs::write(directory.path().join("ledger.json"), &text).unwrap();
            damage(&database);
            let before = contents(directory.path());
            assert_eq!(loss(directory.path()), *expected);
            assert_eq!(contents(directory.path()), before, "nothing is created or changed");
            fs::write(&database, &whole["ledger.db"]).unwrap();
        }
    }
    fs::write(directory.path().join("ledger.json"), &whole["ledger.json"]).unwrap();
    let ledger = open_again(directory.path()).unwrap();
    assert_eq!(ledger.read(|view| Ok(view.newest_seq()?)).await.unwrap(), 3);
}

#[tokio::test]
async fn the_log_beside_an_empty_database_is_not_removed() {
    let (directory, ledger) = known().await;
    let copy = tempdir().unwrap();
    for (name, content) in contents(directory.path()) {
        fs::write(copy.path().join(name), content).unwrap();
    }
    close(directory.path(), ledger);
    // SQLite takes a database of one byte for a new one as well.
    for length in [0, 1, 99] {
        let database = fs::OpenOptions::new().write(true).open(copy.path().join("ledger.db")).unwrap();
        database.set_len(length).unwrap();
        let before = contents(copy.path());
        assert!(before["ledger.db-wal"].len() > 4096);
        assert_eq!(loss(copy.path()), Loss::Empty, "{length}");
        assert_eq!(contents(copy.path()), before, "{length}");
    }
}

#[tokio::test]
async fn the_database_of_another_ledger_and_one_without_any_are_refused() {
    let (directory, ledger) = known().await;
    close(directory.path(), ledger);
    let other = tempdir().unwrap();
    close(other.path(), open_again(other.path()).unwrap());
    let database = directory.path().join("ledger.db");
    fs::copy(other.path().join("ledger.db"), &database).unwrap();
    let before = contents(directory.path());
    let id = LedgerId::from_unique;
    assert_eq!(loss(directory.path()), Loss::Another { found: id("again"), expected: id("first") });
    let after = contents(directory.path());
    assert_eq!((&after["ledger.db"], &after["ledger.json"]), (&before["ledger.db"], &before["ledger.json"]));

    fs::remove_file(&database).unwrap();
    Connection::open(&database).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
    let before = fs::read(&database).unwrap();
    assert_eq!(loss(directory.path()), Loss::Empty);
    assert_eq!(fs::read(&database).unwrap(), before);
}

#[tokio::test]
async fn commits_that_are_lost_are_noticed() {
    let (directory, ledger) = known().await;
    // As a crash leaves it: what was committed is in the log.
    let copy = tempdir().unwrap();
    let whole = contents(directory.path());
    for (name, content) in &whole {
        fs::write(copy.path().join(name), content).unwrap();
    }
    drop(ledger);
    let log = copy.path().join("ledger.db-wal");
    let mut garbage = whole["ledger.db-wal"].clone();
    let last = garbage.len() - 5000;
    garbage[last..].fill(0x5a);
    fs::write(&log, &garbage).unwrap();
    assert!(matches!(loss(copy.path()), Loss::Behind { expected: 3, found: 0..3 }));
    assert_eq!(fs::read(&log).unwrap(), garbage, "what may still be read from it is left");
    // With the log as it was everything is there.
    fs::write(&log, &whole["ledger.db-wal"]).unwrap();
    let ledger = open_again(copy.path()).unwrap();
    assert_eq!(ledger.read(|view| Ok(view.newest_seq()?)).await.unwrap(), 3);
}

#[tokio::test]
async fn a_marker_that_cannot_be_read_is_told_and_written_anew() {
    let (directory, ledger) = known().await;
    close(directory.path(), ledger);
    let path = directory.path().join("ledger.json");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..20]).unwrap();
    let ledger = open_again(directory.path()).unwrap();
    let warning = ledger.warning().unwrap().to_owned();
    assert!(warning.contains("ledger.json") && warning.contains("written anew"), "{warning}");
    assert_eq!(fs::read(&path).unwrap(), whole);
    drop(ledger);
    assert_eq!(open_again(directory.path()).unwrap().warning(), None);
}

#[tokio::test]
async fn the_marker_of_a_later_version_keeps_the_database_from_being_touched() {
    let (directory, ledger) = known().await;
    close(directory.path(), ledger);
    let mut later = marker(directory.path());
    later["format"] = json!(2001);
    later["writtenBy"] = json!("9.1.0");
    fs::write(directory.path().join("ledger.json"), later.to_string()).unwrap();
    let before = contents(directory.path());
    let refused = open_again(directory.path()).err().unwrap();
    assert!(matches!(refused, OpenError::NewerVersion { found: 2001, .. }));
    let sentence = refused.to_string();
    assert!(sentence.contains("written by sexton 9.1.0; update sexton"), "{sentence}");
    assert_eq!(contents(directory.path()), before);
}

#[tokio::test]
async fn files_that_were_removed_or_replaced_are_neither_written_nor_read_until_they_are_back() {
    let (directory, ledger) = known().await;
    ledger.write(|tx| arrive(tx, "one")).await.unwrap();
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let path = directory.path().join(name);
        let aside = directory.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        for put in [false, true] {
            if put {
                fs::copy(&aside, &path).unwrap();
            }
            let before = fs::read(&aside).unwrap();
            assert_eq!(reason(ledger.write(|tx| arrive(tx, "lost")).await), StorageReason::Replaced);
            assert_eq!(reason(ledger.read(|view| Ok(view.newest_seq()?)).await), StorageReason::Replaced);
            assert_eq!(reason(ledger.mark(99)), StorageReason::Replaced);
            ledger.checkpoint().await;
            assert_eq!(fs::read(&aside).unwrap(), before, "{name}");
            assert_eq!(ledger.trouble().unwrap().reason, StorageReason::Replaced);
        }
        fs::rename(&aside, &path).unwrap();
        assert_eq!(names(&ledger).await, ["one"]);
        ledger.try_to_write().await;
        assert_eq!(ledger.trouble(), None);
    }
    ledger.write(|tx| arrive(tx, "two")).await.unwrap();
    close(directory.path(), ledger);
    assert_eq!(names(&open_again(directory.path()).unwrap()).await, ["one", "two"]);
}

#[tokio::test]
async fn a_ledger_that_a_later_version_takes_over_is_left_to_it() {
    let (directory, ledger) = known().await;
    let other = Connection::open(directory.path().join("ledger.db")).unwrap();
    other.pragma_update(None, "user_version", 1002).unwrap();
    ledger.write(|tx| arrive(tx, "one")).await.unwrap();
    other.pragma_update(None, "user_version", 2001).unwrap();
    assert_eq!(reason(ledger.write(|tx| arrive(tx, "two")).await), StorageReason::NewerVersion);
    assert_eq!(reason(ledger.read(|view| Ok(view.newest_seq()?)).await), StorageReason::NewerVersion);
    let rows: i64 = other.query_row("SELECT count(*) FROM instances", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
    assert_eq!(ledger.trouble().unwrap().reason, StorageReason::NewerVersion);
    other.pragma_update(None, "user_version", 1001).unwrap();
    ledger.try_to_write().await;
    assert_eq!(ledger.trouble(), None);
    assert_eq!(names(&ledger).await, ["one"]);
}

#[tokio::test]
async fn a_database_that_loses_a_part_while_it_is_open_is_not_touched_any_more() {
    let (directory, ledger) = known().await;
    ledger.checkpoint().await;
    ledger.write(|tx| arrive(tx, "one")).await.unwrap();
    let path = directory.path().join("ledger.db");
    let whole = fs::read(&path).unwrap();
    for length in [0, 1, 99, 4096, whole.len() / 2] {
        // In place: a file that is the same and has less in it.
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length as u64).unwrap();
        let before = contents(directory.path());
        for _ in 0..2 {
            assert_eq!(reason(ledger.write(|tx| arrive(tx, "lost")).await), StorageReason::Damaged);
            assert_eq!(reason(ledger.read(|view| Ok(view.newest_seq()?)).await), StorageReason::Damaged);
        }
        ledger.look_through();
        assert_eq!(ledger.trouble().unwrap().reason, StorageReason::Damaged, "it is still so");
        let after = contents(directory.path());
        for name in ["ledger.db", "ledger.db-wal", "ledger.json"] {
            assert_eq!(after[name], before[name], "{name}");
        }
        fs::write(&path, &whole).unwrap();
        ledger.look_through();
        assert_eq!(ledger.trouble(), None);
        assert_eq!(names(&ledger).await, ["one"]);
    }
}

#[tokio::test]
async fn a_database_that_somebody_tidies_up_is_shorter_and_sound() {
    let (directory, ledger) = known().await;
    let path = directory.path().join("ledger.db");
    let other = Connection::open(&path).unwrap();
    let tidy = "DROP TABLE bulk; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)";
    other
        .execute_batch(
            "CREATE TABLE bulk (x); INSERT INTO bulk VALUES (zeroblob(1000000)); PRAGMA wal_checkpoint",
        )
        .unwrap();
    ledger.write(|tx| arrive(tx, "one")).await.unwrap();
    let before = fs::metadata(&path).unwrap().len();
    other.execute_batch(tidy).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < before);
    ledger.write(|tx| arrive(tx, "two")).await.unwrap();
    assert_eq!(names(&ledger).await, ["one", "two"]);
    assert_eq!(ledger.trouble(), None);
}

#[tokio::test]
async fn damage_is_remembered_until_the_database_has_been_looked_through() {
    let (directory, ledger) = known().await;
    ledger.checkpoint().await;
    close(directory.path(), ledger);
    let path = directory.path().join("ledger.db");
    let whole = fs::read(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'definitions'";
    let page: u32 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    drop(connection);
    let page = page as usize;
    let mut damaged = whole.clone();
    damaged[(page - 1) * 4096..page * 4096].fill(0x5a);
    fs::write(&path, &damaged).unwrap();

    let ledger = open_again(directory.path()).unwrap();
    let filter =
        sexton::domain::request::ListAutomations { limit: 10, before: None, paused: None, query: None };
    let list = |ledger: &Ledger| {
        let filter = filter.clone();
        let ledger = ledger.clone();
        async move { ledger.read(move |view| Ok(view.list_automations(&filter)?.len())).await }
    };
    assert_eq!(reason(list(&ledger).await), StorageReason::Damaged);
    let write = |name: &'static str| ledger.write(move |tx| arrive(tx, name));
    assert_eq!(reason(write("lost").await), StorageReason::Damaged, "a backup would not have it");
    ledger.look_through();
    assert_eq!(reason(write("lost").await), StorageReason::Damaged, "it is still so");
    use std::os::unix::fs::FileExt;
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&whole, 0).unwrap();
    assert_eq!(reason(write("lost").await), StorageReason::Damaged, "nobody has looked yet");
    ledger.look_through();
    write("one").await.unwrap();
    assert_eq!((ledger.trouble(), names(&ledger).await), (None, vec!["one".to_owned()]));
    fs::write(&path, &damaged).unwrap();
    drop(file);
    close(directory.path(), ledger);
    fs::write(&path, &whole).unwrap();
    let ledger = open_again(directory.path()).unwrap();
    assert_eq!(list(&ledger).await.unwrap(), 3);
}
