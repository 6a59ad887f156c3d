//! What always holds of closes and holds.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::Value;

use super::{text, texts};

#[derive(Default)]
pub(super) struct Closes {
    /// Those that wait, and by whose window they were asked for.
    pending: BTreeMap<String, String>,
    ended: BTreeSet<String>,
    /// The holds that there are, by their directories.
    holds: BTreeSet<(String, String)>,
    /// The runs that hold a directory.
    holders: BTreeSet<String>,
}

impl Closes {
    pub(super) fn read(&mut self, kind: &str, important: bool, lifecycle: &Value) {
        let failed = kind == "lifecycle.failed";
        assert_eq!((important, lifecycle["error"].is_string()), (failed, failed), "{lifecycle}");
        assert!(lifecycle["requestedAt"].as_i64() <= lifecycle["completedAt"].as_i64(), "{lifecycle}");
        assert!(self.ended.insert(text(&lifecycle["id"])), "a close has ended twice: {lifecycle}");
    }

    /// Looks at what the last transaction has left.
    pub(super) fn step(&mut self, connection: &Connection) {
        for (what, rule) in RULES {
            assert_eq!(texts(connection, rule), Vec::<String>::new(), "{what}");
        }
        self.check_ends(connection);
        self.check_holds(connection);
    }

    /// A close is there until it has ended, also if its window goes; and it does not come back.
    fn check_ends(&mut self, connection: &Connection) {
        let known = self.pending.keys().chain(&self.ended).cloned().collect::<BTreeSet<_>>();
        self.pending.retain(|id, _| !self.ended.contains(id));
        let now = pairs(connection, "SELECT id, instance FROM closes WHERE completed_at IS NULL");
        for id in self.pending.keys() {
            let is_there = now.iter().any(|(there, _)| there == id);
            assert!(is_there, "{id} waits no longer and nobody was told");
        }
        for (id, _) in &now {
            assert!(!self.ended.contains(id), "{id} has ended and waits");
            assert!(self.pending.contains_key(id) || !known.contains(id), "{id} waits again");
        }
        self.pending = now.into_iter().collect();
    }

    /// Nobody is given a directory in which the user works.
    fn check_holds(&mut self, connection: &Connection) {
        let now = pairs(connection, "SELECT directory, id FROM holds");
        let all_the_while: BTreeSet<&String> =
            now.iter().filter(|hold| self.holds.contains(*hold)).map(|(directory, _)| directory).collect();
        let holders = pairs(connection, "SELECT id, directory FROM runs WHERE holds_directory = 1");
        for (run, directory) in &holders {
            let is_new = !self.holders.contains(run);
            assert!(
                !(is_new && all_the_while.contains(directory)),
                "{run} was given {directory}, which is held"
            );
        }
        self.holders = holders.into_iter().map(|(run, _)| run).collect();
        self.holds = now.into_iter().collect();
    }
}

const RULES: [(&str, &str); 8] = [
    (
        "a close is left of a window that is not there",
        "SELECT id FROM closes WHERE instance NOT IN (SELECT id FROM instances)",
    ),
    (
        "a hold is left of a window that is not there",
        "SELECT id FROM holds WHERE instance NOT IN (SELECT id FROM instances)",
    ),
    (
        "a window has been given something where it closes, or has closed",
        "SELECT r.id FROM closes c JOIN runs r ON r.given_to = c.instance
         WHERE r.completed_at IS NULL AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row)
           AND (c.directories IS NULL OR r.directory IN (SELECT v.value FROM json_each(c.directories) v))
           AND NOT (c.kind = 'dispose' AND c.directories IS NULL AND c.completed_at IS NOT NULL)",
    ),
    (
        "something goes on where a window has closed",
        "SELECT r.id FROM closes c JOIN processes p ON p.instance = c.instance JOIN runs r ON r.row = p.run
         WHERE c.completed_at IS NOT NULL
           AND (c.kind = 'shutdown' OR r.directory IN (SELECT v.value FROM json_each(c.directories) v))",
    ),
    ("a reload stays in force", "SELECT id FROM closes WHERE kind = 'reload' AND completed_at IS NOT NULL"),
    (
        "a window has another role than what it has closed says",
        "SELECT id FROM instances i WHERE role <> CASE WHEN EXISTS (SELECT 1 FROM closes c
           WHERE c.instance = i.id AND c.directories IS NULL AND c.completed_at IS NOT NULL)
           THEN 'observer' ELSE opened_as END",
    ),
    (
        "a run waits for work of the user's own that is over",
        "SELECT id FROM runs WHERE behind LIKE 'sub~_%' ESCAPE '~' AND behind NOT IN (SELECT id FROM holds)",
    ),
    (
        "a wait for a close has an end of its own, or another wait has none",
        "SELECT id FROM runs WHERE waiting IS NOT NULL
           AND (waiting ->> '$.for' = 'close') <> (waiting ->> '$.untilAt' IS NULL)",
    ),
];

fn pairs(connection: &Connection, sql: &str) -> Vec<(String, String)> {
    let mut statement = connection.prepare_cached(sql).unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}
