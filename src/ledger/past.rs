//! How long the last runs of an automation have taken, and what they have cost.

use super::column::{Columns, View};
use super::error::LedgerError;
use crate::domain::policy::Money;

/// How many runs count, the newest first.
const RUNS: usize = 20;

/// Among how many ended runs they are looked for: the others are records of slots, or were never started.
const LOOKED_AT: i64 = 200;

/// What is known of the last runs of an automation, the newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastRuns {
    /// How long the work took of those that were started and have ended, in milliseconds.
    pub lengths_ms: Vec<i64>,
    /// What those have cost of which that is known.
    pub costs: Vec<Money>,
}

impl View<'_> {
    /// What is known of the last runs of an automation.
    pub fn past_runs(&self, automation: i64) -> Result<PastRuns, LedgerError> {
        let sql = "SELECT completed_at - started_at, cost FROM runs INDEXED BY runs_ended
                   WHERE automation = ?1 AND ended_number IS NOT NULL ORDER BY ended_number DESC LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let (mut rows, mut past) = (statement.query([automation, LOOKED_AT])?, PastRuns::default());
        while (past.lengths_ms.len() < RUNS || past.costs.len() < RUNS)
            && let Some(row) = rows.next()?
        {
            let mut columns = Columns::of(row);
            // Two times that are so far apart that it is no number any more are no times.
            let Ok(Some(length_ms)) = columns.take::<Option<i64>>() else { continue };
            if past.lengths_ms.len() < RUNS {
                past.lengths_ms.push(length_ms.max(0));
            }
            // What a later version has written otherwise says nothing here.
            if let Ok(Some(cost)) = columns.json_or_null("runs.cost")
                && past.costs.len() < RUNS
            {
                past.costs.push(cost);
            }
        }
        Ok(past)
    }
}
