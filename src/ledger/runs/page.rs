//! Pages of runs. Each is read from its newest row on, along an index that holds what is wanted in the order of rows,
//! so that it costs as much as it shows.

use std::ops::Range;

use rusqlite::OptionalExtension;
use rusqlite::types::Value;

use super::StoredRun;
use super::row::{COLUMNS, stored_from_row};
use crate::domain::request::ListRuns;
use crate::domain::run::machine::State;
use crate::domain::time::Timestamp;
use crate::ledger::column::View;
use crate::ledger::error::LedgerError;

const OF_AUTOMATION: &str = "r.automation = (SELECT row FROM automations WHERE id = ?)";
const SET_BACK: &str = "r.triggered_at < r.seen_at";

impl View<'_> {
    /// A page of runs, newest first.
    pub fn list_runs(&self, wanted: &ListRuns) -> Result<Vec<StoredRun>, LedgerError> {
        // Before this row nothing was triggered so late, because no clock had shown it.
        let first = match wanted.from {
            Some(from) => self.first_row_seen_since(from)?,
            None => i64::MIN,
        };
        let end = wanted.before.unwrap_or(i64::MAX);
        let Some(to) = wanted.to else {
            return self.page(wanted, ways(wanted).into_iter().map(|way| way.among(first..end)).collect());
        };
        // Rows before this one were triggered by then. Of those after it, only what a clock triggered that had been
        // set back.
        let past = self.first_row_seen_since(to.plus_ms(1))?;
        let in_time = ways(wanted).into_iter().map(|way| way.among(first..end.min(past)));
        let set_back = set_back(wanted).among(first.max(past)..end);
        self.page(wanted, in_time.chain([set_back]).collect())
    }

    /// The first row from which on a clock had shown this time; beyond all rows if none had.
    fn first_row_seen_since(&self, at: Timestamp) -> Result<i64, LedgerError> {
        let sql = "SELECT row FROM runs WHERE seen_at >= ?1 ORDER BY seen_at, row LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([at.as_millis()], |row| row.get(0)).optional()?;
        Ok(found.unwrap_or(i64::MAX))
    }

    /// The newest of what is found on several ways, none of which finds what another one does.
    fn page(&self, wanted: &ListRuns, ways: Vec<Way>) -> Result<Vec<StoredRun>, LedgerError> {
        let mut selects = Vec::new();
        let mut params = Vec::new();
        for way in ways {
            let mut sql = format!(
                "SELECT {COLUMNS} FROM runs r {} JOIN definitions d ON d.row = r.definition WHERE {}",
                way.index, way.condition
            );
            params.extend(way.params);
            for (condition, bound) in
                [(" AND r.triggered_at >= ?", wanted.from), (" AND r.triggered_at <= ?", wanted.to)]
            {
                if let Some(bound) = bound {
                    sql += condition;
                    params.push(bound.as_millis().into());
                }
            }
            selects.push(sql);
        }
        let sql = selects.join(" UNION ALL ") + " ORDER BY 1 DESC";
        self.readable_page_by(stored_from_row, &sql, params, wanted.limit)
    }
}

/// An index whose rows fulfil a condition, or are to be asked whether they do, in the order of rows.
struct Way {
    index: &'static str,
    condition: String,
    params: Vec<Value>,
}

impl Way {
    /// Only among these rows.
    fn among(mut self, rows: Range<i64>) -> Way {
        self.condition += " AND r.row >= ? AND r.row < ?";
        self.params.extend([rows.start.into(), rows.end.into()]);
        self
    }
}

/// The ways to what is wanted at any time: one for each state, because an index has the order of rows within a state.
fn ways(wanted: &ListRuns) -> Vec<Way> {
    let of = wanted.automation.as_ref().map(|automation| Value::from(automation.as_str().to_owned()));
    if wanted.states.is_empty() {
        return vec![match of {
            None => Way { index: "", condition: "1".to_owned(), params: Vec::new() },
            Some(of) => {
                Way { index: "INDEXED BY runs_of", condition: OF_AUTOMATION.to_owned(), params: vec![of] }
            }
        }];
    }
    let in_state = |state: &State| {
        let is = Value::from(state.as_str().to_owned());
        let Some(of) = of.clone() else {
            let index = "INDEXED BY runs_in_state";
            return Way { index, condition: "r.state = ?".to_owned(), params: vec![is] };
        };
        let (index, ended) = match state.is_active() {
            true => ("INDEXED BY runs_active", "NULL"),
            false => ("INDEXED BY runs_ended_in_state", "NOT NULL"),
        };
        let condition = format!("{OF_AUTOMATION} AND r.state = ? AND r.completed_at IS {ended}");
        Way { index, condition, params: vec![of, is] }
    };
    wanted.states.iter().map(in_state).collect()
}

/// The way to what is wanted among the runs that a clock triggered which had been set back. Mostly they are few, because
/// it soon shows again what it had shown before. After a clock that was far ahead they are all runs since: a page of
/// times is then read as far as its times are from the end, until the clock has caught up.
fn set_back(wanted: &ListRuns) -> Way {
    let mut way = match &wanted.automation {
        None => Way { index: "INDEXED BY runs_set_back", condition: SET_BACK.to_owned(), params: Vec::new() },
        Some(automation) => Way {
            index: "INDEXED BY runs_set_back_of",
            condition: format!("{OF_AUTOMATION} AND {SET_BACK}"),
            params: vec![automation.as_str().to_owned().into()],
        },
    };
    if !wanted.states.is_empty() {
        way.condition += &format!(" AND r.state IN ({})", vec!["?"; wanted.states.len()].join(", "));
        way.params.extend(wanted.states.iter().map(|state| Value::from(state.as_str().to_owned())));
    }
    way
}
