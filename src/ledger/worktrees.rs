//! Which runs work in a worktree.

use std::path::MAIN_SEPARATOR;

use rusqlite::{OptionalExtension, params_from_iter};

use super::column::View;
use super::error::LedgerError;
use crate::domain::id::RunId;
use crate::domain::worktree::WorktreeName;

/// What the ledger knows of a worktree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorktreeUse {
    /// A run that is to work there, does, or has left something that still does.
    pub used_by: Option<RunId>,
    /// What somebody says that they do there themselves.
    pub held_for: Option<String>,
    /// The last run whose work has started there.
    pub last: Option<RunId>,
}

impl View<'_> {
    /// Who uses a worktree, which is at this directory, or has used it last.
    pub fn use_of_worktree(&self, name: &WorktreeName, directory: &str) -> Result<WorktreeUse, LedgerError> {
        let active = "SELECT r.id FROM runs r INDEXED BY runs_active
             WHERE r.completed_at IS NULL AND r.worktree = ?1 LIMIT 1";
        let left =
            "SELECT r.id FROM processes p CROSS JOIN runs r ON r.row = p.run WHERE r.worktree = ?1 LIMIT 1";
        let last = "SELECT r.id FROM runs r INDEXED BY runs_in_worktree
             WHERE r.worktree = ?1 AND r.started_at IS NOT NULL ORDER BY r.row DESC LIMIT 1";
        // A part of it counts as all of it.
        let held = "SELECT title FROM holds WHERE directory = ?1
             UNION ALL SELECT title FROM holds WHERE directory > ?2 AND directory < ?3 LIMIT 1";
        let closing = "SELECT 'a close waits for it' FROM closes, json_each(closes.directories) closed
             WHERE completed_at IS NULL AND (closed.value = ?1 OR substr(closed.value, 1, length(?2)) = ?2)
             LIMIT 1";
        let run = |sql| Ok::<_, LedgerError>(self.text_by(sql, [name.as_str()])?.map(RunId::from_text));
        let used_by = match run(active)? {
            Some(run) => Some(run),
            None => run(left)?,
        };
        let below = format!("{directory}{MAIN_SEPARATOR}");
        // Everything that begins like that lies before this in the index.
        let after_below =
            format!("{directory}{}", char::from_u32(u32::from(MAIN_SEPARATOR) + 1).unwrap_or(MAIN_SEPARATOR));
        let held_for = match self.text_by(held, [directory, &below, &after_below])? {
            Some(title) => Some(title),
            None => self.text_by(closing, [directory, &below])?,
        };
        Ok(WorktreeUse { used_by, held_for, last: run(last)? })
    }

    fn text_by<const N: usize>(&self, sql: &str, wanted: [&str; N]) -> Result<Option<String>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params_from_iter(wanted), |row| row.get(0)).optional()?)
    }
}
