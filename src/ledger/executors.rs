//! Who can carry out a run: any window a command, and a prompt the windows that serve its provider or have an agent
//! for it.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Params};

use super::column::{Columns, Legible, View};
use super::error::LedgerError;
use super::runs::RunRow;
use crate::domain::id::InstanceId;

/// Who there is to carry out a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Executors {
    /// This one can, now.
    Free(InstanceId),
    /// Those that can have an agent for it, and as many agents are at work as there may be.
    NoRoomForAgents,
    /// Those that can have as much in hand as they want.
    Full,
    /// Those that could are being closed where the run works.
    Closing,
    /// Nobody could.
    Nobody,
}

/// Whether one more agent may be at work in the whole ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentRoom {
    /// It may.
    Some,
    /// As many are as there may be.
    None,
}

/// The condition that the instance `i` is there for the run `r`: it is a participant or was asked for the run, it is
/// not about to leave, it has not been closed for good where the run works, and, if the run is a prompt, it serves the
/// run's provider with its model and variant, or has an agent for it: what that one offers it says when it is started.
/// Who has given up the whole project is an observer.
const ABLE: &str = "i.leaving_at IS NULL AND (i.role = 'participant' OR i.id = r.asked_by)
    AND (r.provider IS NULL OR EXISTS
         (SELECT 1 FROM servings s
          WHERE s.instance = i.id AND s.provider = r.provider
            AND (s.kind = 'acp' OR EXISTS
                 (SELECT 1 FROM json_each(s.models) m
                  WHERE m.value ->> '$.id' = r.model
                    AND (r.variant IS NULL
                         OR r.variant IN (SELECT v.value FROM json_each(m.value -> '$.variants') v))))))
    AND NOT EXISTS (SELECT 1 FROM closes c WHERE c.instance = i.id AND c.completed_at IS NOT NULL
            AND r.directory IN (SELECT v.value FROM json_each(c.directories) v))";

/// The condition that the instance `i` is not being closed where the run `r` works. One that has shut down is about to go.
const OPEN: &str = "NOT EXISTS (SELECT 1 FROM closes c WHERE c.instance = i.id
    AND (c.completed_at IS NULL OR c.kind = 'shutdown')
    AND (c.directories IS NULL OR r.directory IN (SELECT v.value FROM json_each(c.directories) v)))";

/// The condition that the instance `i` wants one more run of the provider of the run `r`. What has ended and goes on
/// all the same keeps it busy. For an
/// agent it says of nothing that it wants it: how many there may be is no matter of one instance.
const WANTS_MORE: &str = "(r.provider IS NULL OR (SELECT s.max_concurrent FROM servings s
        WHERE s.instance = i.id AND s.provider = r.provider)
      > (SELECT count(*) FROM runs w INDEXED BY runs_given
         WHERE w.completed_at IS NULL AND w.given_to = i.id AND w.provider = r.provider)
      + (SELECT count(*) FROM processes p CROSS JOIN runs w ON w.row = p.run
         WHERE p.instance = i.id AND w.completed_at IS NOT NULL AND w.provider = r.provider))";

/// The condition that the instance `i` would have an agent carry out the run `r`.
const HAS_AGENT: &str = "EXISTS (SELECT 1 FROM servings s
        WHERE s.instance = i.id AND s.provider = r.provider AND s.kind = 'acp')";

/// How well the instance `i`, which could carry out the run `r`, is known to do so, the best first. It serves just that,
/// or its agent has said that it offers it; its agent was never asked; its agent could not be asked last, or does not
/// offer it, which nobody knows for sure before it is started; it serves it and runs no prechecks, of which the run `?2`
/// has one.
const RANK: &str = "coalesce((SELECT CASE
      WHEN s.kind = 'served' THEN iif(?2, 3, 0)
      WHEN n.configuration IS NULL THEN 1
      WHEN n.failure IS NULL AND EXISTS
           (SELECT 1 FROM json_each(n.models) m
            WHERE m.value ->> '$.id' = r.model
              AND (r.variant IS NULL
                   OR r.variant IN (SELECT v.value FROM json_each(m.value -> '$.variants') v))) THEN 0
      ELSE 2 END
    FROM servings s LEFT JOIN said n ON n.provider = s.provider AND n.configuration = s.configuration
    WHERE s.instance = i.id AND s.provider = r.provider), 0)";

/// The rank of who was never asked.
const UNKNOWN: i64 = 1;

/// The runs that nobody has been given, each kind of them once. What they wait for is part of it.
const KINDS: &str =
    "SELECT DISTINCT waiting ->> '$.for' AS waits_for, provider, model, variant, directory, asked_by
    FROM runs INDEXED BY runs_kinds WHERE state = 'scheduled' AND given_to IS NULL";

/// The kind of the run `r`, as [`Kind::name`].
pub(super) const KIND: &str =
    "json_array(r.waiting ->> '$.for', r.provider, r.model, r.variant, r.directory, r.asked_by)";

/// What decides who can carry out the run in this row.
const WHAT_A_RUN_NEEDS: &str =
    "SELECT provider, model, variant, directory, asked_by FROM runs WHERE row = ?1";

/// The same, as it is given.
const GIVEN_NEEDS: &str =
    "SELECT ?1 AS provider, ?2 AS model, ?3 AS variant, ?4 AS directory, ?5 AS asked_by";

/// How things stand for a run, whoever it is that can carry it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Free,
    NoRoomForAgents,
    Full,
    Closing,
    Nobody,
}

/// What runs that nobody has been given have in common, so that the same is true of all of them: there may be a
/// thousand of one kind.
pub(super) struct Kind {
    /// All of it in one text.
    pub(super) name: String,
    waits_for: Option<String>,
    is_prompt: bool,
    standing: Standing,
}

impl Kind {
    /// Whether a run can be decided about where its turn has come: somebody is free to carry it out, or it is a prompt
    /// that nobody could and that fails because of it.
    pub(super) fn can_go(&self) -> bool {
        match self.standing {
            Standing::Free => true,
            Standing::Nobody => self.is_prompt,
            Standing::NoRoomForAgents | Standing::Full | Standing::Closing => false,
        }
    }

    /// Whether a run that waits for an executor, or for the end of a close, is told wrongly what it waits for.
    pub(super) fn waits_in_vain(&self) -> bool {
        match (self.waits_for.as_deref(), self.is_prompt) {
            (Some("close"), _) => self.standing != Standing::Closing,
            (Some("executor"), true) => self.standing != Standing::Full,
            (Some("executor"), false) => self.standing != Standing::Nobody,
            (Some(_) | None, _) => false,
        }
    }

    /// Whether a run says that it stands in line, or behind its previous one, though nobody can carry it out now.
    pub(super) fn is_out_of_line(&self) -> bool {
        let is_in_line = match self.standing {
            Standing::Free | Standing::NoRoomForAgents | Standing::Full => true,
            Standing::Nobody => self.is_prompt,
            Standing::Closing => false,
        };
        matches!(self.waits_for.as_deref(), Some("previous" | "directory" | "capacity")) && !is_in_line
    }
}

/// The condition that the run `r` stands in line with others, which it would not while nobody can carry it out: a
/// prompt keeps its place while those who can are busy.
pub(super) fn stands_in_line() -> String {
    format!(
        "(EXISTS (SELECT 1 FROM instances i WHERE {ABLE} AND {OPEN})
          OR (r.provider IS NOT NULL AND NOT EXISTS (SELECT 1 FROM instances i WHERE {ABLE})))"
    )
}

impl View<'_> {
    /// Who can carry out a run: the window that was asked for it before all others, then `me`, then whoever has the
    /// fewest active runs.
    pub fn executors(
        &self,
        run: &RunRow,
        me: &InstanceId,
        room: AgentRoom,
    ) -> Result<Executors, LedgerError> {
        let has_room = has_room(room);
        // Nearly always it is one of these two, and the others need not be looked at.
        for first in [run.asker.window(), Some(me)].into_iter().flatten() {
            let sql = format!(
                "SELECT 1 FROM runs r CROSS JOIN instances i
                 WHERE r.row = ?1 AND i.id = ?3 AND {ABLE} AND {OPEN} AND {has_room} AND {RANK} = 0"
            );
            let params = (run.row, has_precheck(run), first.as_str());
            if self.connection.prepare_cached(&sql)?.exists(params)? {
                return Ok(Executors::Free(first.clone()));
            }
        }
        let free = self.free(run, "1 = 1", room)?;
        let place = |free: &Free| (run.asker.window() != Some(&free.id), free.id != *me);
        if let Some(best) = free.into_iter().min_by_key(|free| (free.rank, place(free), free.busyness())) {
            return Ok(Executors::Free(best.id));
        }
        Ok(match self.standing(WHAT_A_RUN_NEEDS, (run.row,), room)? {
            // The two queries look at the same rows, so this is not reached.
            Standing::Free | Standing::Full => Executors::Full,
            Standing::NoRoomForAgents => Executors::NoRoomForAgents,
            Standing::Closing => Executors::Closing,
            Standing::Nobody => Executors::Nobody,
        })
    }

    /// Another window than the one that a run was given to, which can carry it out in its place. One that is known not
    /// to be able to is none, unless the one that has it is no better.
    pub fn another_executor(&self, run: &RunRow, room: AgentRoom) -> Result<Option<InstanceId>, LedgerError> {
        let sql = format!(
            "SELECT {RANK} FROM runs r CROSS JOIN instances i WHERE r.row = ?1 AND i.id = r.given_to"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let held: Option<i64> =
            statement.query_row((run.row, has_precheck(run)), |row| row.get(0)).optional()?;
        let worst = held.unwrap_or(UNKNOWN).max(UNKNOWN);
        let free = self.free(run, "i.id IS NOT r.given_to AND i.role = 'participant'", room)?;
        let others = free.into_iter().filter(|free| free.rank <= worst);
        Ok(others.min_by_key(|free| (free.rank, free.busyness())).map(|free| free.id))
    }

    /// Those that are free for the run `r` and of which the condition holds.
    fn free(&self, run: &RunRow, condition: &str, room: AgentRoom) -> Result<Vec<Free>, LedgerError> {
        let has_room = has_room(room);
        let sql = format!(
            "SELECT (SELECT count(*) FROM runs w INDEXED BY runs_given
                     WHERE w.given_to = i.id AND w.completed_at IS NULL), i.since, i.id, {RANK}
             FROM runs r CROSS JOIN instances i
             WHERE r.row = ?1 AND {condition} AND {ABLE} AND {OPEN} AND {has_room}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let free = statement.query_map((run.row, has_precheck(run)), |row| {
            let id = InstanceId::from_text(row.get::<_, String>(2)?);
            Ok(Free { active: row.get(0)?, since: row.get(1)?, id, rank: row.get(3)? })
        })?;
        Ok(free.collect::<Result<Vec<_>, _>>()?)
    }

    /// The kinds of runs that nobody has been given. Who can carry them out is worked out once for all that have the
    /// same needs: the directory counts where somebody closes it, and who was asked where that is an observer.
    pub(super) fn kinds(&self, room: AgentRoom) -> Result<Vec<Kind>, LedgerError> {
        let sql = format!(
            "SELECT json_array(r.waits_for, r.provider, r.model, r.variant, r.directory, r.asked_by), r.waits_for,
               r.provider, r.model, r.variant,
               CASE WHEN r.directory IN (SELECT v.value FROM closes c, json_each(c.directories) v) THEN r.directory END,
               CASE WHEN r.asked_by IN (SELECT id FROM instances WHERE role <> 'participant') THEN r.asked_by END
             FROM ({KINDS}) r"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let (mut rows, mut kinds, mut known) = (statement.query([])?, Vec::new(), HashMap::new());
        while let Some(row) = rows.next()? {
            // Nobody can carry out what is of no text, and no run is found by the name of its kind then.
            let mut columns = Columns::of(row);
            let Legible(name) = columns.take()?;
            let mut text = || columns.take::<Option<Legible>>().map(|text| text.map(|Legible(text)| text));
            let waits_for = text()?;
            let needs = [text()?, text()?, text()?, text()?, text()?];
            let is_prompt = needs[0].is_some();
            let standing = match known.get(&needs) {
                Some(standing) => *standing,
                None => {
                    let standing = self.standing(GIVEN_NEEDS, rusqlite::params_from_iter(&needs), room)?;
                    known.insert(needs, standing);
                    standing
                }
            };
            kinds.push(Kind { name, waits_for, is_prompt, standing });
        }
        Ok(kinds)
    }

    /// How things stand for these needs.
    fn standing(
        &self,
        needs: &str,
        params: impl Params + Clone,
        room: AgentRoom,
    ) -> Result<Standing, LedgerError> {
        for (condition, standing) in [
            (format!("{ABLE} AND {OPEN} AND {}", has_room(room)), Standing::Free),
            (format!("{ABLE} AND {OPEN} AND {HAS_AGENT}"), Standing::NoRoomForAgents),
            (format!("{ABLE} AND {OPEN}"), Standing::Full),
            (ABLE.to_owned(), Standing::Closing),
        ] {
            let sql = format!("SELECT 1 FROM ({needs}) r CROSS JOIN instances i WHERE {condition}");
            if self.connection.prepare_cached(&sql)?.exists(params.clone())? {
                return Ok(standing);
            }
        }
        Ok(Standing::Nobody)
    }
}

/// A window that could be given a run now.
struct Free {
    /// As [`RANK`] says.
    rank: i64,
    /// How many runs it has that have not ended.
    active: i64,
    since: i64,
    id: InstanceId,
}

impl Free {
    /// Who has the fewest active runs comes first, and of several the one that has been there longest.
    fn busyness(&self) -> (i64, i64, InstanceId) {
        (self.active, self.since, self.id.clone())
    }
}

fn has_precheck(run: &RunRow) -> bool {
    run.definition.policy.precheck.is_some()
}

/// The condition that the instance `i` can be given the run `r` now, if this is how things stand with agents.
fn has_room(agents: AgentRoom) -> String {
    match agents {
        AgentRoom::Some => format!("({WANTS_MORE} OR {HAS_AGENT})"),
        AgentRoom::None => WANTS_MORE.to_owned(),
    }
}
