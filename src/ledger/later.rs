//! Rows that a later version wrote, as far as they can be shown. A row that no version can have written is taken for one
//! of these as long as what is shown of it can be read: then its work can be ended, and what it belongs to deleted. Of
//! the others who asks by name is told that they are damaged.

use rusqlite::Row;
use serde_json::{Map, Value, json};

use super::column::Columns;
use super::error::LedgerError;
use crate::domain::id::{AutomationId, RunId};
use crate::domain::later::{BesideDefinition, LaterAutomation, LaterRun, PublicMembers, Yes};
use crate::domain::time::Timestamp;

/// What a row stands for.
#[derive(Clone, Debug)]
pub enum Stored<K, L> {
    /// Something that this version understands.
    Known(K),
    /// Something that only a later version understands.
    Later(Box<L>),
}

impl<K, L> Stored<K, L> {
    /// What this version understands, if it is that.
    pub fn known(self) -> Option<K> {
        match self {
            Stored::Known(known) => Some(known),
            Stored::Later(_) => None,
        }
    }

    /// Reads a row as what this version understands, and as what a later version wrote if it is that.
    pub(super) fn read(
        row: &Row<'_>,
        known: fn(&Row<'_>) -> Result<K, LedgerError>,
        later: fn(&Row<'_>) -> Result<L, LedgerError>,
    ) -> Result<Self, LedgerError> {
        match known(row) {
            Err(LedgerError::Unreadable { .. }) => later(row).map(|later| Stored::Later(Box::new(later))),
            read => read.map(Stored::Known),
        }
    }
}

/// An automation that only a later version understands, as it is stored.
#[derive(Clone, Debug)]
pub struct LaterAutomationRow {
    /// Its place in the ledger's own order.
    pub row: i64,
    /// What clients see, but for its runs.
    pub automation: LaterAutomation,
    /// Until when the wish to delete it is not void, if there is one.
    pub deleting_until: Option<Timestamp>,
    /// The number of the newest epoch of its schedule.
    pub epoch: i64,
}

/// A run that only a later version understands, as it is stored.
#[derive(Clone, Debug)]
pub struct LaterRunRow {
    /// Its place in the ledger's own order.
    pub row: i64,
    /// Its automation's place.
    pub automation: i64,
    /// What clients see.
    pub run: LaterRun,
}

/// Reads the columns of `automations::COLUMNS`.
pub(super) fn automation_from_row(row: &Row<'_>) -> Result<LaterAutomationRow, LedgerError> {
    let mut c = Columns::of(row);
    let place = c.take()?;
    let id = AutomationId::from_text(c.take::<String>()?);
    let definition: Map<String, Value> = c.json("definitions.body")?;
    let _definition_row: i64 = c.take()?;
    let revision = c.count("automations.revision")?;
    let created_at = c.take()?;
    let updated_at = c.take()?;
    let created_by = c.json("automations.created_by")?;
    let pause = c.json_or_null("automations.pause")?;
    let _next_fire_at: Option<i64> = c.take()?;
    let beside = BesideDefinition {
        id,
        revision,
        created_at,
        updated_at,
        created_by,
        pause,
        failure_streak: c.count("automations.failure_streak")?,
        completed_runs: c.count("automations.completed_runs")?,
        session_id: c.take()?,
    };
    let deleting: Option<Value> = c.json_or_null("automations.deleting")?;
    let deleting_until = deleting.as_ref().and_then(|wish| wish["until"].as_i64());
    let _deleted_at: Option<i64> = c.take()?;
    Ok(LaterAutomationRow {
        row: place,
        automation: LaterAutomation::new(definition, beside),
        deleting_until: deleting_until.map(Timestamp::from_millis),
        epoch: c.count("epochs.number")?,
    })
}

/// Reads the columns of `runs::row::COLUMNS`.
pub(super) fn run_from_row(row: &Row<'_>) -> Result<LaterRunRow, LedgerError> {
    let mut c = Columns::of(row);
    let mut rest = Map::new();
    let place = c.take()?;
    let id = RunId::from_text(c.take::<String>()?);
    let automation = c.take()?;
    let automation_id = AutomationId::from_text(c.take::<String>()?);
    let definition: Map<String, Value> = c.json("definitions.body")?;
    let member = |name: &str| definition.get(name).cloned().unwrap_or_default();
    rest.insert("automationTitle".to_owned(), member("title"));
    rest.insert("task".to_owned(), member("task"));
    let _definition_row: i64 = c.take()?;
    rest.insert("definitionRevision".to_owned(), json!(c.count("runs.definition_revision")?));
    let _epoch: i64 = c.take()?;
    let revision = c.count("runs.revision")?;
    rest.insert("trigger".to_owned(), c.json("runs.trigger")?);
    let _tries: i64 = c.take()?;
    rest.insert("attendance".to_owned(), json!(c.take::<String>()?));
    let (_asked_for, _asked_by): (bool, Option<String>) = (c.take()?, c.take()?);
    let slots = match (c.take::<Option<i64>>()?, c.take::<Option<i64>>()?, c.take::<Option<i64>>()?) {
        (Some(from), Some(to), Some(count)) => json!({"fromAt": from, "toAt": to, "count": count}),
        (_, _, _) => Value::Null,
    };
    rest.insert("slots".to_owned(), slots);
    rest.insert("scheduledAt".to_owned(), json!(c.take::<Option<i64>>()?));
    let triggered_at = c.take()?;
    let state: String = c.take()?;
    let waiting: Option<Value> = c.json_or_null("runs.waiting")?;
    let (_wait_until, _not_before): (Option<i64>, Option<i64>) = (c.take()?, c.take()?);
    rest.insert("stopping".to_owned(), json!(c.json_or_null::<Value>("runs.stopping")?));
    let blocker: Option<Value> = c.json_or_null("runs.blocker")?;
    rest.insert("startedAt".to_owned(), json!(c.take::<Option<i64>>()?));
    let completed_at = c.take()?;
    let stop_reason: Option<String> = c.take()?;
    for (name, column) in [("error", "runs.error"), ("result", "runs.result"), ("end", "runs.process_end")] {
        rest.insert(name.to_owned(), json!(c.json_or_null::<Value>(column)?));
    }
    let closed_by: Option<String> = c.take()?;
    rest.insert("skipped".to_owned(), json!(c.json_or_null::<Value>("runs.skipped")?));
    let directory = c.take()?;
    let _if_busy: String = c.take()?;
    let _holds_directory: i64 = c.take()?;
    let _given_to: Option<String> = c.take()?;
    let (_given_at, _deadline_at): (Option<i64>, Option<i64>) = (c.take()?, c.take()?);
    for name in ["instanceID", "sessionID", "continuity"] {
        rest.insert(name.to_owned(), json!(c.take::<Option<String>>()?));
    }
    let worktree: Option<String> = c.take()?;
    rest.insert("steps".to_owned(), json!(c.count("runs.steps")?));
    rest.insert("cost".to_owned(), json!(c.json_or_null::<Value>("runs.cost")?));
    let output = json!({"bytes": c.count("runs.output_bytes")?, "truncated": c.take::<bool>()?});
    rest.insert("output".to_owned(), output);
    let of_one_state = [
        ("waiting", waiting),
        ("blocker", blocker),
        ("stopReason", stop_reason.map(Value::from)),
        ("closedBy", closed_by.map(Value::from)),
        ("worktree", worktree.map(Value::from)),
    ];
    let there = of_one_state.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    rest.extend(there);
    let (of_later_version, rest) = (Yes, PublicMembers::of(rest));
    let run = LaterRun {
        id,
        automation_id,
        of_later_version,
        revision,
        triggered_at,
        completed_at,
        state,
        directory,
        rest,
    };
    Ok(LaterRunRow { row: place, automation, run })
}
