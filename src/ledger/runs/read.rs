//! Looks at runs.

use rusqlite::OptionalExtension;

use super::row::{COLUMNS, TABLES, from_row, stored_from_row};
use super::{RunRow, StoredRun};
use crate::domain::automation::Access;
use crate::domain::id::{AutomationId, InstanceId, RunId, SubscriptionId};
use crate::domain::run::Ahead;
use crate::domain::time::Timestamp;
use crate::ledger::column::{View, member, to_json};
use crate::ledger::error::LedgerError;
use crate::ledger::executors::{AgentRoom, KIND, Kind, stands_in_line};

/// The condition that nothing is left of the work of earlier runs of the same automation as the run `r`: all of
/// them have ended, and their guards have gone. `CROSS JOIN` has SQLite begin with the processes, which are few,
/// and not with all runs of the automation.
const PREVIOUS_HAS_GONE: &str =
    "(NOT EXISTS (SELECT 1 FROM runs o WHERE o.automation = r.automation AND o.row < r.row AND o.completed_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM processes p CROSS JOIN runs o ON o.row = p.run
                      WHERE o.automation = r.automation AND o.row < r.row))";

/// The order of a line, of a directory's as of what waits for room: a catch-up makes up for what is late anyway, so
/// that nothing else waits behind it; everything else goes as it has joined.
const IN_ORDER: &str = "r.is_catch_up, r.joins_at, r.row";

/// The same from the end.
const FROM_THE_END: &str = "r.is_catch_up DESC, r.joins_at DESC, r.row DESC";

/// The condition that the run `r` says that it stands in the line of its directory.
const SAYS_IT_IS_IN_LINE: &str = "(r.waiting ->> '$.for' IN ('directory', 'capacity')
    OR (r.provider IS NOT NULL AND r.waiting ->> '$.for' = 'executor'))";

/// The place of the run `me`.
const MY_PLACE: &str = "me.is_catch_up, me.joins_at, me.row";

impl View<'_> {
    /// A run by its identity.
    pub fn run(&self, id: &RunId) -> Result<Option<RunRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.id = ?1");
        self.one_by(from_row, &sql, vec![id.as_str().to_owned().into()])
    }

    /// The same, if this version understands it.
    pub fn understood_run(&self, id: &RunId) -> Result<Option<RunRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.id = ?1");
        self.first_readable_by(from_row, &sql, vec![id.as_str().to_owned().into()])
    }

    /// The same, whichever version wrote it.
    pub fn stored_run(&self, id: &RunId) -> Result<Option<StoredRun>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.id = ?1");
        self.one_by(stored_from_row, &sql, vec![id.as_str().to_owned().into()])
    }

    /// A run by its place.
    pub fn run_at(&self, row: i64) -> Result<RunRow, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.row = ?1");
        let found = self.one_by(from_row, &sql, vec![row.into()])?;
        found.ok_or_else(|| LedgerError::Broken(format!("run row {row} is missing")))
    }

    /// The place of the automation that a run belongs to. Nothing else of it need be understood.
    pub fn automation_row_of_run(&self, id: &RunId) -> Result<Option<i64>, LedgerError> {
        let sql = "SELECT automation FROM runs WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([id.as_str()], |row| row.get(0)).optional()?)
    }

    /// The automation that a run belongs to, also if it has been deleted; none if there is no such run.
    pub fn automation_of_run(&self, id: &RunId) -> Result<Option<AutomationId>, LedgerError> {
        let sql = "SELECT automation_id FROM runs WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([id.as_str()], |row| row.get::<_, String>(0)).optional()?;
        Ok(found.map(AutomationId::from_text))
    }

    /// The oldest run of an automation that has not ended.
    pub fn oldest_active_run(&self, automation: i64) -> Result<Option<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES} WHERE r.automation = ?1 AND r.completed_at IS NULL ORDER BY r.row LIMIT 1"
        );
        self.one_by(from_row, &sql, vec![automation.into()])
    }

    /// The run that was asked for with this key at or after `since`.
    pub fn run_by_key(
        &self,
        automation: i64,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES}
             WHERE r.automation = ?1 AND r.run_key = ?2 AND r.triggered_at >= ?3 ORDER BY r.row DESC LIMIT 1"
        );
        let params = vec![automation.into(), key.to_owned().into(), since.as_millis().into()];
        self.one_by(from_row, &sql, params)
    }

    /// The first run in line that nobody has been given, whose time has come, that can be decided about, whose previous
    /// run has gone, whose directory is free, and that has nobody ahead of it there: a prompt keeps its place in the line
    /// while those who could carry it out are busy.
    pub fn next_to_give(&self, now: Timestamp, room: AgentRoom) -> Result<Option<RunRow>, LedgerError> {
        let kinds = self.kinds(room)?;
        let can_go = names(&kinds, Kind::can_go);
        if can_go.is_empty() {
            return Ok(None);
        }
        let can_go = to_json(&can_go)?;
        let sql = format!(
            "SELECT {COLUMNS} FROM runs r INDEXED BY runs_ungiven JOIN definitions d ON d.row = r.definition
             WHERE r.state = 'scheduled' AND r.given_to IS NULL AND coalesce(r.not_before, 0) <= ?1
               AND (r.access = 'read' OR NOT (EXISTS
                      (SELECT 1 FROM runs h WHERE h.directory = r.directory AND h.holds_directory = 1)
                    OR EXISTS (SELECT 1 FROM holds u WHERE u.directory = r.directory)
                    OR r.directory IN (SELECT v.value FROM json_each(?2) v)))
               AND {KIND} IN (SELECT k.value FROM json_each(?3) k) AND {PREVIOUS_HAS_GONE}
             ORDER BY {IN_ORDER}"
        );
        // Where one has somebody ahead, so has everybody after it.
        let mut waited_in: Vec<String> = Vec::new();
        loop {
            let params = vec![now.as_millis().into(), to_json(&waited_in)?.into(), can_go.clone().into()];
            let Some(run) = self.first_readable_by(from_row, &sql, params)? else { return Ok(None) };
            let directory = &run.run.directory;
            match run.definition.access {
                Access::Write if self.has_prompt_ahead(run.row, now)? => {
                    waited_in.push(directory.clone());
                }
                Access::Write | Access::Read => return Ok(Some(run)),
            }
        }
    }

    /// Whether a prompt stands before this run in the line of its directory. One that only a later version understands
    /// keeps nobody waiting.
    fn has_prompt_ahead(&self, row: i64, now: Timestamp) -> Result<bool, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs me CROSS JOIN runs r JOIN definitions d ON d.row = r.definition
             WHERE me.row = ?1 AND r.directory = me.directory AND ({IN_ORDER}) < ({MY_PLACE})
               AND r.access = 'write' AND r.provider IS NOT NULL
               AND r.state = 'scheduled' AND r.given_to IS NULL AND coalesce(r.not_before, 0) <= ?2
               AND {} AND {PREVIOUS_HAS_GONE}",
            stands_in_line()
        );
        Ok(self.first_readable_by(from_row, &sql, vec![row.into(), now.as_millis().into()])?.is_some())
    }

    /// Whether there is a run that nobody has been given yet. Mostly there is none, and then nothing need be asked about
    /// lines, room, and who can carry out what.
    pub fn has_waiting_runs(&self) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM runs INDEXED BY runs_ungiven WHERE state = 'scheduled' AND given_to IS NULL";
        Ok(self.connection.prepare_cached(sql)?.exists([])?)
    }

    /// How many runs have been given to somebody and have not ended.
    pub fn given_runs(&self) -> Result<i64, LedgerError> {
        let sql = "SELECT count(*) FROM runs WHERE completed_at IS NULL AND given_to IS NOT NULL";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// What is directly ahead of this run in its directory: the last one before it in line that could go and has not
    /// been given to anybody, else the run that holds the directory, wherever it stood, else work of the user's own.
    pub fn ahead_in_directory(
        &self,
        directory: &str,
        row: i64,
        now: Timestamp,
    ) -> Result<Option<Ahead>, LedgerError> {
        let sql = format!(
            "SELECT r.id FROM runs me CROSS JOIN runs r
             WHERE me.row = ?2 AND r.directory = ?1 AND r.access = 'write' AND ({IN_ORDER}) < ({MY_PLACE})
               AND r.state = 'scheduled' AND r.given_to IS NULL AND coalesce(r.not_before, 0) <= ?3
               AND {} AND {PREVIOUS_HAS_GONE}
             ORDER BY {FROM_THE_END} LIMIT 1",
            stands_in_line()
        );
        if let Some(id) =
            self.first_text_by(&sql, vec![directory.to_owned().into(), row.into(), now.as_millis().into()])?
        {
            return Ok(Some(Ahead::Run(RunId::from_text(id))));
        }
        let sql = "SELECT id FROM runs WHERE directory = ?1 AND holds_directory = 1 AND row <> ?2";
        if let Some(id) = self.first_text_by(sql, vec![directory.to_owned().into(), row.into()])? {
            return Ok(Some(Ahead::Run(RunId::from_text(id))));
        }
        // Of several the oldest: it is the same as long as it is there.
        let sql = "SELECT id FROM holds WHERE directory = ?1 ORDER BY since, id LIMIT 1";
        Ok(self
            .first_text_by(sql, vec![directory.to_owned().into()])?
            .map(|id| Ahead::Hold(SubscriptionId::from_text(id))))
    }

    /// The next run after this one that says that it stands in the line of the same directory.
    pub fn next_in_line(&self, row: i64) -> Result<Option<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs me CROSS JOIN runs r JOIN definitions d ON d.row = r.definition
             WHERE me.row = ?1 AND r.directory = me.directory AND ({IN_ORDER}) > ({MY_PLACE})
               AND r.access = 'write' AND r.state = 'scheduled' AND r.given_to IS NULL
               AND {SAYS_IT_IS_IN_LINE}
             ORDER BY {IN_ORDER}"
        );
        self.first_readable_by(from_row, &sql, vec![row.into()])
    }

    /// The first run that says that it stands in the line of a directory.
    pub fn first_in_line(&self, directory: &str) -> Result<Option<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES}
             WHERE r.directory = ?1 AND r.access = 'write' AND r.state = 'scheduled' AND r.given_to IS NULL
               AND {SAYS_IT_IS_IN_LINE}
             ORDER BY {IN_ORDER}"
        );
        self.first_readable_by(from_row, &sql, vec![directory.to_owned().into()])
    }

    /// The newest of the runs that the automation had before this one and whose work has not gone: one that has not
    /// ended, else one whose guard may still be there.
    pub fn previous_run(&self, automation: i64, row: i64) -> Result<Option<RunId>, LedgerError> {
        for sql in [
            "SELECT id FROM runs WHERE automation = ?1 AND row < ?2 AND completed_at IS NULL
             ORDER BY row DESC LIMIT 1",
            "SELECT o.id FROM processes p CROSS JOIN runs o ON o.row = p.run
             WHERE o.automation = ?1 AND p.run < ?2 ORDER BY p.run DESC LIMIT 1",
        ] {
            if let Some(id) = self.first_text_by(sql, vec![automation.into(), row.into()])? {
                return Ok(Some(RunId::from_text(id)));
            }
        }
        Ok(None)
    }

    /// Whether a later run of the automation says that it waits for this one.
    pub fn is_waited_for(&self, run: &RunId) -> Result<bool, LedgerError> {
        let waits_for = member("waiting", "$.for");
        let sql = format!("SELECT 1 FROM runs WHERE behind = ?1 AND {waits_for} = 'previous'");
        Ok(self.connection.prepare_cached(&sql)?.exists([run.as_str()])?)
    }

    /// The runs that say that they wait behind this.
    pub fn waiting_behind(&self, ahead: &Ahead) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.behind = ?1 ORDER BY r.row");
        self.readable_by(from_row, &sql, vec![ahead.as_str().to_owned().into()])
    }

    /// The runs that say that they wait for work of the user's own that is over.
    pub fn waiting_behind_nobody(&self) -> Result<Vec<RunRow>, LedgerError> {
        // Both kinds of identities stand in the same column and are told apart by how they begin; the end of the range is
        // the text after all that begin so.
        let sql = format!(
            "SELECT {COLUMNS} FROM runs r INDEXED BY runs_behind JOIN definitions d ON d.row = r.definition
             WHERE r.behind >= '{0}' AND r.behind < '{0}~'
               AND NOT EXISTS (SELECT 1 FROM holds u WHERE u.id = r.behind)
             ORDER BY r.behind, r.row",
            SubscriptionId::PREFIX
        );
        self.readable_by(from_row, &sql, Vec::new())
    }

    /// The latest turn of a catch-up that has come or will come: one that was given up leaves its turn free.
    pub fn latest_turn(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        let sql = "SELECT not_before FROM runs
                   WHERE not_before IS NOT NULL AND trigger ->> '$.kind' = 'catchUp'
                     AND (completed_at IS NULL OR not_before <= ?1)
                   ORDER BY not_before DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let latest = statement.query_row([now.as_millis()], |row| row.get(0)).optional()?;
        Ok(latest.map(Timestamp::from_millis))
    }

    /// The scheduled runs whose wait has ended.
    pub fn waits_over(&self, now: Timestamp, limit: usize) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs r INDEXED BY runs_waiting_until JOIN definitions d ON d.row = r.definition
             WHERE r.state = 'scheduled' AND r.given_to IS NULL AND r.wait_until <= ?1 ORDER BY r.wait_until LIMIT ?2"
        );
        self.readable_by(
            from_row,
            &sql,
            vec![now.as_millis().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
        )
    }

    /// The runs that were told to wait for a time that has come.
    pub fn turns_come(&self, now: Timestamp, limit: usize) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs r INDEXED BY runs_turns JOIN definitions d ON d.row = r.definition
             WHERE r.state = 'scheduled' AND r.given_to IS NULL AND r.waiting ->> '$.for' IN ('catchUp', 'retry')
               AND r.not_before <= ?1 ORDER BY r.not_before LIMIT ?2"
        );
        self.readable_by(
            from_row,
            &sql,
            vec![now.as_millis().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
        )
    }

    /// The runs that wait for nothing though nobody has them.
    pub fn unplaced_runs(&self, limit: usize) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs r INDEXED BY runs_unplaced JOIN definitions d ON d.row = r.definition
             WHERE r.state = 'scheduled' AND r.given_to IS NULL AND r.waiting IS NULL ORDER BY r.row LIMIT ?1"
        );
        self.readable_by(from_row, &sql, vec![i64::try_from(limit).unwrap_or(i64::MAX).into()])
    }

    /// The runs that are told wrongly what they wait for: an executor, or the end of a close, which is another matter
    /// now, or something else though nobody can carry them out. Those that are to join a line come in its order, those
    /// that are to leave it from its end, so that each of them changes the fewest others.
    pub fn misplaced_runs(&self, limit: usize, room: AgentRoom) -> Result<Vec<RunRow>, LedgerError> {
        let (most, mut found) = (i64::try_from(limit).unwrap_or(i64::MAX), Vec::new());
        for (names, order) in self.misplaced(room)? {
            let sql = format!(
                "SELECT {COLUMNS} FROM runs r INDEXED BY runs_ungiven JOIN definitions d ON d.row = r.definition
                 WHERE {} ORDER BY {order} LIMIT ?2",
                is_of_these_kinds()
            );
            found.extend(self.readable_by(from_row, &sql, vec![names.into(), most.into()])?);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Since when the oldest of [`View::misplaced_runs`] has been there.
    pub fn oldest_misplaced(&self, room: AgentRoom) -> Result<Option<Timestamp>, LedgerError> {
        let mut oldest: Option<i64> = None;
        let sql = format!(
            "SELECT min(r.triggered_at) FROM runs r INDEXED BY runs_ungiven WHERE {}",
            is_of_these_kinds()
        );
        for (names, _) in self.misplaced(room)? {
            let found: Option<i64> =
                self.connection.prepare_cached(&sql)?.query_row([names], |row| row.get(0))?;
            oldest = oldest.into_iter().chain(found).min();
        }
        Ok(oldest.map(Timestamp::from_millis))
    }

    /// The kinds of runs that are misplaced, and in which order their runs come.
    fn misplaced(&self, room: AgentRoom) -> Result<Vec<(String, &'static str)>, LedgerError> {
        let kinds = self.kinds(room)?;
        let mut found = Vec::new();
        for (is_misplaced, order) in
            [(Kind::waits_in_vain as fn(&Kind) -> bool, IN_ORDER), (Kind::is_out_of_line, FROM_THE_END)]
        {
            let names = names(&kinds, is_misplaced);
            if !names.is_empty() {
                found.push((to_json(&names)?, order));
            }
        }
        Ok(found)
    }

    /// The runs whose start or work has taken too long and that nobody has asked to end.
    pub fn deadlines_over(&self, now: Timestamp, limit: usize) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES}
             WHERE r.completed_at IS NULL AND r.deadline_at <= ?1 AND r.stopping IS NULL ORDER BY r.deadline_at LIMIT ?2"
        );
        self.readable_by(
            from_row,
            &sql,
            vec![now.as_millis().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
        )
    }

    /// The runs of which something is to be told by now that was held back.
    pub fn progress_to_tell(&self, now: Timestamp, limit: usize) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs r INDEXED BY runs_to_tell JOIN definitions d ON d.row = r.definition
             WHERE r.completed_at IS NULL AND r.tell_at <= ?1 ORDER BY r.tell_at LIMIT ?2"
        );
        self.readable_by(
            from_row,
            &sql,
            vec![now.as_millis().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
        )
    }

    /// The runs that wait for a person, oldest first.
    pub fn blocked_runs(&self) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.state = 'awaiting_input' ORDER BY r.row");
        self.readable_by(from_row, &sql, Vec::new())
    }

    /// The runs that a window carries out itself and that it should have ended by now.
    pub fn served_stops_over(&self, now: Timestamp, limit: usize) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES} JOIN processes p ON p.run = r.row
             WHERE r.completed_at IS NULL AND r.deadline_at <= ?1 AND r.stopping IS NOT NULL
               AND p.serving IS NOT NULL
             ORDER BY r.deadline_at LIMIT ?2"
        );
        self.readable_by(
            from_row,
            &sql,
            vec![now.as_millis().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
        )
    }

    /// The commands that have reached a limit and seem to have been silent: what they have written is to be looked at.
    pub fn silent_commands(&self, now: Timestamp) -> Result<Vec<RunId>, LedgerError> {
        let sql = "SELECT r.id FROM runs r INDEXED BY runs_deadline JOIN processes p ON p.run = r.row
                   WHERE r.completed_at IS NULL AND r.deadline_at <= ?1 AND r.stopping IS NULL
                     AND r.state = 'running' AND r.wall_at > ?1 AND p.serving IS NULL";
        Ok(self.texts_by(sql, vec![now.as_millis().into()])?.into_iter().map(RunId::from_text).collect())
    }

    /// The runs that were given to an instance and have not ended, oldest first.
    pub fn runs_given_to(&self, instance: &InstanceId) -> Result<Vec<RunRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {TABLES} WHERE r.given_to = ?1 AND r.completed_at IS NULL ORDER BY r.row"
        );
        self.readable_by(from_row, &sql, vec![instance.as_str().to_owned().into()])
    }

    /// Whether a run has ended and nothing of its work is left; none if there is no such run.
    pub fn work_is_over(&self, id: &RunId) -> Result<Option<bool>, LedgerError> {
        let sql =
            "SELECT completed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row)
                   FROM runs r WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([id.as_str()], |row| row.get(0)).optional()?)
    }
}

/// All runs `r` of which this is true, oldest first.
pub(in crate::ledger) fn readable_runs(view: &View<'_>, condition: &str) -> Result<Vec<RunRow>, LedgerError> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE {condition} ORDER BY r.row");
    view.readable_by(from_row, &sql, Vec::new())
}

/// The condition that nobody has been given the run `r` and that it is of one of the kinds `?1`.
fn is_of_these_kinds() -> String {
    format!(
        "r.state = 'scheduled' AND r.given_to IS NULL AND {KIND} IN (SELECT k.value FROM json_each(?1) k)"
    )
}

/// The names of those kinds of which this is true.
fn names(kinds: &[Kind], is_true: fn(&Kind) -> bool) -> Vec<&str> {
    kinds.iter().filter(|kind| is_true(kind)).map(|kind| kind.name.as_str()).collect()
}
