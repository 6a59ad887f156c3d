//! What a ledger in which nothing happens any more has to say, whatever was done to its windows.

use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;

use rusqlite::Connection;

use super::{Place, eventually, processes_with};

/// The number that this tells.
pub(crate) fn number(ledger: &Connection, sql: &str) -> i64 {
    ledger.query_row(sql, [], |row| row.get(0)).expect("a number")
}

/// Whether everything that was begun has ended, so many windows are entered, and one of them owns the bell by now.
pub(crate) fn is_at_rest(ledger: &Connection, windows: usize) -> bool {
    let left = number(
        ledger,
        "SELECT (SELECT count(*) FROM runs WHERE completed_at IS NULL) + (SELECT count(*) FROM processes)",
    );
    let present = number(ledger, "SELECT count(*) FROM instances");
    let owners = number(
        ledger,
        "SELECT count(*) FROM terms WHERE ended_at IS NULL AND instance IN (SELECT id FROM instances)",
    );
    left == 0 && owners > 0 && usize::try_from(present) == Ok(windows)
}

/// Nothing is left but the windows with these pids: neither in the rows nor among the processes.
pub(crate) fn nothing_is_left(ledger: &Connection, place: &Place, living: &HashSet<u32>) {
    for (what, sql) in [
        ("runs that have not ended", "SELECT count(*) FROM runs WHERE completed_at IS NULL"),
        ("processes", "SELECT count(*) FROM processes"),
        ("directories that are held", "SELECT count(*) FROM runs WHERE holds_directory = 1"),
        (
            "runs that are given",
            "SELECT count(*) FROM runs WHERE completed_at IS NULL AND given_to IS NOT NULL",
        ),
        ("owners beside the one", "SELECT count(*) - 1 FROM terms WHERE ended_at IS NULL"),
        (
            "owners that have gone",
            "SELECT count(*) FROM terms WHERE ended_at IS NULL AND instance NOT IN (SELECT id FROM instances)",
        ),
        ("closes that wait", "SELECT count(*) FROM closes WHERE completed_at IS NULL"),
        (
            "closes of windows that have gone",
            "SELECT count(*) FROM closes WHERE instance NOT IN (SELECT id FROM instances)",
        ),
        (
            "holds of windows that have gone",
            "SELECT count(*) FROM holds WHERE instance NOT IN (SELECT id FROM instances)",
        ),
        (
            "providers of windows that have gone",
            "SELECT count(*) FROM servings WHERE instance NOT IN (SELECT id FROM instances)",
        ),
        (
            "agents that somebody who has gone is to ask",
            "SELECT count(*) FROM probes WHERE instance NOT IN (SELECT id FROM instances)",
        ),
        ("events that are missing", "SELECT max(seq) - count(*) FROM events"),
    ] {
        assert_eq!(number(ledger, sql), 0, "{what}");
    }
    let mut statement = ledger.prepare("SELECT pid FROM instances").expect("a query");
    let rows = statement.query_map([], |row| row.get::<_, u32>(0)).expect("rows");
    let entered: HashSet<u32> = rows.map(|pid| pid.expect("a pid")).collect();
    assert_eq!(entered, *living, "instances");
    // Each process has this in its environment: guards, commands, and what those have left behind. A guard tells that
    // the work has gone, and goes a moment later itself.
    eventually("only windows are alive", || {
        let processes = processes_with(place.state().to_str().expect("a path"));
        (processes.into_iter().collect::<HashSet<_>>() == *living).then_some(())
    });
}

/// The lock files of instances are those of the ones that are entered, and of some that have none any more, at most: those
/// nobody holds. A file may go a moment after the row that it belonged to.
pub(crate) fn locks_are_of_instances(ledger: &Connection, forgotten_at_most: usize) {
    let directory = PathBuf::from(ledger.path().expect("a file")).with_file_name("instances");
    let mut statement = ledger.prepare("SELECT id || '.lock' FROM instances").expect("a query");
    eventually("only instances have locks", || {
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        let entered: HashSet<PathBuf> = rows.map(|name| directory.join(name.expect("a name"))).collect();
        let listed =
            std::fs::read_dir(&directory).expect("the locks").map(|entry| entry.expect("a lock").path());
        let (locks, forgotten): (HashSet<PathBuf>, HashSet<PathBuf>) =
            listed.partition(|path| entered.contains(path));
        let held = |path: &PathBuf| File::open(path).is_ok_and(|file| file.try_lock().is_err());
        (locks == entered && forgotten.len() <= forgotten_at_most && !forgotten.iter().any(held))
            .then_some(())
    });
}
