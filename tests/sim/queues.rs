//! The part of the audit that looks at who waits for what in the line of a directory, and behind whom.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use sexton::domain::time::Timestamp;

use crate::serving;

/// Who says that it stands in the line of a directory waits behind whoever is directly ahead of it there, the first one
/// behind the run that holds the directory or the work of the user's own there, and for room if there is neither.
///
/// Where somebody has still to be looked at, because its turn has come, it was handed back, or it is another matter
/// now whether anybody can carry it out, nothing can be said. A turn has come also where others have joined the line behind
/// it since, and the clock was set back after that, which nobody has written down yet.
pub(crate) fn check_lines(connection: &Connection, now: Timestamp) {
    let sql = "SELECT directory, id, coalesce(waiting ->> '$.for', ''), behind,
                 coalesce(not_before, 0) <= ?1 OR EXISTS (SELECT 1 FROM runs b
                   WHERE b.behind = runs.id AND b.waiting ->> '$.since' >= runs.not_before),
                 EXISTS (SELECT 1 FROM instances i WHERE i.leaving_at IS NULL
                   AND (i.role = 'participant' OR i.id = runs.asked_by)),
                 EXISTS (SELECT 1 FROM instances i WHERE i.leaving_at IS NULL
                   AND (i.role = 'participant' OR i.id = runs.asked_by)
                   AND NOT EXISTS (SELECT 1 FROM closes c WHERE c.instance = i.id AND (c.directories IS NULL
                     OR runs.directory IN (SELECT v.value FROM json_each(c.directories) v)))),
                 coalesce((SELECT h.id FROM runs h WHERE h.directory = runs.directory AND h.holds_directory = 1),
                   (SELECT u.id FROM holds u WHERE u.directory = runs.directory ORDER BY u.since, u.id)),
                 provider IS NOT NULL,
                 EXISTS (SELECT 1 FROM runs b WHERE b.id = runs.behind AND b.waiting ->> '$.for' = 'executor'
                   AND b.provider IS NULL)
               FROM runs WHERE state = 'scheduled' AND given_to IS NULL AND access = 'write'
               ORDER BY trigger ->> '$.kind' = 'catchUp', joins_at, row";
    let mut statement = connection.prepare_cached(sql).unwrap();
    let mut rows = statement.query([now.as_millis()]).unwrap();
    let (mut lines, mut unsettled) = (BTreeMap::<String, Vec<_>>::new(), BTreeSet::new());
    while let Some(row) = rows.next().unwrap() {
        let (directory, run): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let (what, behind): (String, Option<String>) = (row.get(2).unwrap(), row.get(3).unwrap());
        let (turn_has_come, somebody_could): (bool, bool) = (row.get(4).unwrap(), row.get(5).unwrap());
        let (somebody_can, holder): (bool, Option<String>) = (row.get(6).unwrap(), row.get(7).unwrap());
        let (is_prompt, behind_nobodys): (bool, bool) = (row.get(8).unwrap(), row.get(9).unwrap());
        let settled = match what.as_str() {
            "" => false,
            "catchUp" | "retry" => !turn_has_come,
            // It joined the line behind a command that somebody could have carried out who was dead already.
            _ if is_prompt && behind_nobodys => false,
            what if is_prompt => serving::is_told_rightly(connection, &run, what),
            "executor" => !somebody_could,
            "close" => somebody_could && !somebody_can,
            _ => somebody_can,
        };
        if !settled {
            unsettled.insert(directory);
        } else if matches!(what.as_str(), "directory" | "capacity") || (is_prompt && what == "executor") {
            lines.entry(directory).or_default().push((run, what, behind, holder));
        }
    }
    for (_, line) in lines.into_iter().filter(|(directory, _)| !unsettled.contains(directory)) {
        let mut ahead = None;
        for (run, what, behind, holder) in line {
            let ahead = ahead.replace(run.clone()).or(holder);
            let should = match (&ahead, what.as_str()) {
                (Some(_), _) => "directory",
                (None, "executor") => "executor",
                (None, _) => "capacity",
            };
            assert_eq!((what.as_str(), behind), (should, ahead), "what {run} waits for, and behind whom");
        }
    }
}
