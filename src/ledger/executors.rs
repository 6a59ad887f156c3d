//! Who can carry out a run: any window a command, the windows that serve its provider a prompt.

use super::column::View;
use super::error::LedgerError;
use super::runs::RunRow;
use crate::domain::id::InstanceId;

/// Who there is to carry out a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Executors {
    /// This one can, now.
    Free(InstanceId),
    /// Those that can have as much in hand as they want.
    Full,
    /// Those that could are being closed where the run works.
    Closing,
    /// Nobody could.
    Nobody,
}

/// The condition that the instance `i` is there for the run `r`: it is a participant or was asked for the run, it is
/// not about to leave, it has not been closed for good where the run works, and it serves the run's provider with its
/// model, if the run is a prompt. Who has given up the whole project is an observer.
const ABLE: &str = "i.leaving_at IS NULL AND (i.role = 'participant' OR i.id = r.asked_by)
    AND (r.provider IS NULL OR EXISTS
         (SELECT 1 FROM servings s WHERE s.instance = i.id AND s.provider = r.provider
            AND r.model IN (SELECT m.value ->> '$.id' FROM json_each(s.models) m)))
    AND NOT EXISTS (SELECT 1 FROM closes c WHERE c.instance = i.id AND c.completed_at IS NOT NULL
            AND r.directory IN (SELECT v.value FROM json_each(c.directories) v))";

/// The condition that the instance `i` is not being closed where the run `r` works. One that has shut down is about to go.
const OPEN: &str = "NOT EXISTS (SELECT 1 FROM closes c WHERE c.instance = i.id
    AND (c.completed_at IS NULL OR c.kind = 'shutdown')
    AND (c.directories IS NULL OR r.directory IN (SELECT v.value FROM json_each(c.directories) v)))";

/// The condition that the instance `i` wants one more run of the provider of the run `r`. What has ended and goes on
/// all the same keeps it busy.
const HAS_ROOM: &str = "(r.provider IS NULL OR (SELECT s.max_concurrent FROM servings s
        WHERE s.instance = i.id AND s.provider = r.provider)
      > (SELECT count(*) FROM runs w INDEXED BY runs_given
         WHERE w.completed_at IS NULL AND w.given_to = i.id AND w.provider = r.provider)
      + (SELECT count(*) FROM processes p CROSS JOIN runs w ON w.row = p.run
         WHERE p.instance = i.id AND w.completed_at IS NOT NULL AND w.provider = r.provider))";

/// The condition that the run `r` can be decided about where its turn has come: somebody is free to carry it out, or it
/// is a prompt that nobody could and that fails because of it.
pub(super) fn can_go() -> String {
    format!(
        "(EXISTS (SELECT 1 FROM instances i WHERE {ABLE} AND {OPEN} AND {HAS_ROOM})
          OR {})",
        nobody_serves()
    )
}

/// The condition that the run `r` stands in line with others, which it would not while nobody can carry it out: a
/// prompt keeps its place while those who can are busy.
pub(super) fn stands_in_line() -> String {
    format!("(EXISTS (SELECT 1 FROM instances i WHERE {ABLE} AND {OPEN}) OR {})", nobody_serves())
}

/// The condition that the run `r`, which waits for an executor or for the end of a close, is told wrongly what it
/// waits for.
pub(super) fn waits_in_vain() -> String {
    let able = format!("EXISTS (SELECT 1 FROM instances i WHERE {ABLE})");
    let open = format!("EXISTS (SELECT 1 FROM instances i WHERE {ABLE} AND {OPEN})");
    format!(
        "CASE WHEN r.waiting ->> '$.for' = 'close' THEN {open} OR NOT {able}
              WHEN r.provider IS NULL THEN {able}
              ELSE NOT {open} OR {} END",
        can_go()
    )
}

fn nobody_serves() -> String {
    format!("(r.provider IS NOT NULL AND NOT EXISTS (SELECT 1 FROM instances i WHERE {ABLE}))")
}

impl View<'_> {
    /// Who can carry out a run: the window that was asked for it before all others, then `me`, then whoever has the
    /// fewest active runs.
    pub fn executors(&self, run: &RunRow, me: &InstanceId) -> Result<Executors, LedgerError> {
        // Nearly always it is one of these two, and the others need not be looked at.
        for first in [run.asked_by.as_ref(), Some(me)].into_iter().flatten() {
            let sql = format!(
                "SELECT 1 FROM runs r CROSS JOIN instances i
                 WHERE r.row = ?1 AND i.id = ?2 AND {ABLE} AND {OPEN} AND {HAS_ROOM}"
            );
            if self.connection.prepare_cached(&sql)?.exists((run.row, first.as_str()))? {
                return Ok(Executors::Free(first.clone()));
            }
        }
        if let Some(free) = self.least_busy(run, "1 = 1")? {
            return Ok(Executors::Free(free));
        }
        let is_there = |condition: &str| {
            let sql = format!("SELECT 1 FROM runs r CROSS JOIN instances i WHERE r.row = ?1 AND {condition}");
            self.connection.prepare_cached(&sql)?.exists([run.row])
        };
        if is_there(&format!("{ABLE} AND {OPEN}"))? {
            return Ok(Executors::Full);
        }
        Ok(if is_there(ABLE)? { Executors::Closing } else { Executors::Nobody })
    }

    /// Another window than the one that a run was given to, which can carry it out in its place.
    pub fn another_executor(&self, run: &RunRow) -> Result<Option<InstanceId>, LedgerError> {
        self.least_busy(run, "i.id IS NOT r.given_to AND i.role = 'participant'")
    }

    /// Of those that are free for the run `r` and of which the condition holds, the one with the fewest active runs,
    /// and of several the one that has been there longest.
    fn least_busy(&self, run: &RunRow, condition: &str) -> Result<Option<InstanceId>, LedgerError> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM runs w INDEXED BY runs_given
                     WHERE w.given_to = i.id AND w.completed_at IS NULL), i.since, i.id
             FROM runs r CROSS JOIN instances i
             WHERE r.row = ?1 AND {condition} AND {ABLE} AND {OPEN} AND {HAS_ROOM}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let free = statement.query_map([run.row], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
        })?;
        let least = free.collect::<Result<Vec<_>, _>>()?.into_iter().min();
        Ok(least.map(|(_, _, id)| InstanceId::from_text(id)))
    }

    /// Whether anybody is about to close something, or has closed it until a reload.
    pub(in crate::ledger) fn has_closes(&self) -> Result<bool, LedgerError> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM closes")?.exists([])?)
    }
}
