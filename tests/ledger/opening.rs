//! Opening a ledger: new, known, by several at once, and what is no ledger.

use std::sync::Barrier;

use rusqlite::Connection;
use sexton::domain::id::LedgerId;
use sexton::ledger::{Ledger, OpenError, Outside};
use tempfile::tempdir;

use crate::support::{NOW, arrive, names, open};

#[tokio::test]
async fn many_that_open_a_new_ledger_at_once_agree_and_all_can_write() {
    let directory = tempdir().unwrap();
    let together = Barrier::new(8);
    let ledgers: Vec<Ledger> = std::thread::scope(|scope| {
        let open_one = |number: usize| {
            let (together, path) = (&together, directory.path());
            scope.spawn(move || {
                together.wait();
                Ledger::open(
                    path,
                    "/project",
                    LedgerId::from_unique(&number.to_string()),
                    NOW,
                    Outside::nobody(),
                )
                .unwrap()
            })
        };
        let opening: Vec<_> = (0..8).map(open_one).collect();
        opening.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ledgers.iter().all(|ledger| ledger.id() == ledgers[0].id()), "one identity");
    for (number, ledger) in ledgers.iter().enumerate() {
        ledger.write(move |tx| arrive(tx, &number.to_string())).await.unwrap();
    }
    assert_eq!(names(&ledgers[7]).await.len(), 8, "all see all");
}

#[tokio::test]
async fn what_was_written_is_there_when_it_is_opened_again() {
    let directory = tempdir().unwrap();
    let first = open(directory.path());
    first.write(|tx| arrive(tx, "one")).await.unwrap();
    let id = first.id().clone();
    drop(first);
    let again =
        Ledger::open(directory.path(), "/project", LedgerId::from_unique("other"), NOW, Outside::nobody())
            .unwrap();
    assert_eq!(*again.id(), id);
    assert_eq!(names(&again).await, ["one"]);
}

#[test]
fn a_ledger_of_a_newer_format_is_refused_and_left_alone() {
    let directory = tempdir().unwrap();
    drop(open(directory.path()));
    let path = directory.path().join("ledger.db");
    let connection = Connection::open(&path).unwrap();
    let ours: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "user_version", ours + 1000).unwrap();
    drop(connection);
    let refused =
        Ledger::open(directory.path(), "/project", LedgerId::from_unique("x"), NOW, Outside::nobody());
    assert!(matches!(refused.err(), Some(OpenError::NewerVersion { .. })));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let garbage = vec![b'x'; 8192];
    std::fs::write(&path, &garbage).unwrap();
    let refused =
        Ledger::open(directory.path(), "/project", LedgerId::from_unique("x"), NOW, Outside::nobody())
            .err()
            .unwrap();
    assert!(refused.to_string().contains("ledger.db"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), garbage);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let directory = tempdir().unwrap();
    let missing = directory.path().join("missing");
    let refused =
        Ledger::open(&missing, "/project", LedgerId::from_unique("x"), NOW, Outside::nobody()).err().unwrap();
    assert!(refused.to_string().contains("missing"), "{refused}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_user_can_read_a_ledger() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempdir().unwrap();
    let ledger = open(directory.path());
    ledger.write(|tx| arrive(tx, "one")).await.unwrap();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", file.file_name());
    }
}
