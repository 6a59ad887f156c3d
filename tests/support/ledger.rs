//! The file of the ledger as any other program may come upon it: to make situations that no client can.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::client::Client;

/// The directory of the project's ledger, locks and outputs.
pub(crate) fn directory(client: &Client) -> PathBuf {
    client.opened["stateDirectory"].as_str().expect("an open project").into()
}

/// Another program that has the ledger open.
pub(crate) fn open(path: PathBuf) -> Connection {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let connection = connection.expect("the ledger is there");
    connection.busy_timeout(Duration::from_secs(10)).expect("a connection waits");
    connection
}

/// Moves everything into the database itself, as a sidecar does when it leaves and has the time: only then is its file
/// all there is.
pub(crate) fn into_one_file(path: PathBuf) {
    let moved = open(path).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    assert_eq!(moved.expect("a checkpoint"), 0, "nobody else has it open");
}

/// Another program that is in the midst of writing: until this is dropped nobody else can write.
pub(crate) fn hold(path: PathBuf) -> Connection {
    let connection = open(path);
    connection.execute_batch("BEGIN IMMEDIATE").expect("nobody writes for long");
    connection
}

/// Stops a sidecar with SIGSTOP at a moment at which it does not write: one that is stopped inside a transaction keeps
/// everybody from writing.
pub(crate) fn stop_between_writes(client: &Client) {
    let held = hold(directory(client).join("ledger.db"));
    super::signal("STOP", client.pid());
    super::eventually("all its threads have stopped", || {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", client.pid())).ok()?;
        let stopped = tasks.flatten().all(|task| {
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit(") ").next().is_none_or(|fields| fields.starts_with('T'))
        });
        stopped.then_some(())
    });
    drop(held);
}

/// What the automation is to do can no longer be read.
pub(crate) fn spoil(connection: &Connection, automation: &Value) {
    let sql = "UPDATE definitions SET body = '{'
               WHERE row = (SELECT definition FROM automations WHERE id = ?1)";
    let spoiled = connection.execute(sql, [automation.as_str().expect("an id")]);
    assert_eq!(spoiled.expect("the ledger can be written"), 1);
}

/// The automation says what only a later version understands, and after [`as_before`] what it said before.
pub(crate) fn of_later_version(connection: &Connection, automation: &Value) {
    set_overlap(connection, automation, "alternate");
}

/// See [`of_later_version`].
pub(crate) fn as_before(connection: &Connection, automation: &Value) {
    set_overlap(connection, automation, "skip");
}

fn set_overlap(connection: &Connection, automation: &Value, overlap: &str) {
    let sql = "UPDATE definitions SET body = json_set(body, '$.policy.overlap', ?2)
               WHERE row = (SELECT definition FROM automations WHERE id = ?1)";
    let set = connection.execute(sql, [automation.as_str().expect("an id"), overlap]);
    assert_eq!(set.expect("the ledger can be written"), 1);
}
