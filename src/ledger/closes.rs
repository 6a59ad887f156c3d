//! Closes: those that wait, and those that are in force.

use rusqlite::Row;

use super::column::{Columns, Tx, View, to_json, to_word};
use super::error::LedgerError;
use crate::domain::id::{InstanceId, LifecycleActionId, RunId};
use crate::domain::lifecycle::{ActiveRunHere, CloseKind, CloseMode, Extent};
use crate::domain::time::Timestamp;

/// A close as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseRow {
    /// Its place in the ledger's own order.
    pub row: i64,
    /// Its identity.
    pub id: LifecycleActionId,
    /// The window that closes.
    pub instance: InstanceId,
    /// What it is for.
    pub kind: CloseKind,
    /// What becomes of the runs in its way, as it was asked for.
    pub mode: CloseMode,
    /// Where.
    pub extent: Extent,
    /// The directories that were told to be concerned.
    pub affected: Vec<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// The forced close that it completes with.
    pub overtaken_by: Option<LifecycleActionId>,
    /// When it has happened: it is in force from then on.
    pub completed_at: Option<Timestamp>,
}

impl CloseRow {
    /// Whether it has still to happen.
    pub fn is_pending(&self) -> bool {
        self.completed_at.is_none()
    }
}

const COLUMNS: &str =
    "row, id, instance, kind, mode, directories, affected, requested_at, overtaken_by, completed_at";

fn from_row(row: &Row<'_>) -> Result<CloseRow, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(CloseRow {
        row: columns.take()?,
        id: LifecycleActionId::from_text(columns.take::<String>()?),
        instance: InstanceId::from_text(columns.take::<String>()?),
        kind: columns.word("closes.kind")?,
        mode: columns.word("closes.mode")?,
        extent: columns.json_or_null("closes.directories")?.map_or(Extent::Project, Extent::Directories),
        affected: columns.json("closes.affected")?,
        requested_at: columns.instant()?,
        overtaken_by: columns.take::<Option<String>>()?.map(LifecycleActionId::from_text),
        completed_at: columns.instant_or_null()?,
    })
}

/// The directories of an extent, as they are stored.
fn directories(extent: &Extent) -> Result<Option<String>, LedgerError> {
    match extent {
        Extent::Project => Ok(None),
        Extent::Directories(directories) => to_json(directories).map(Some),
    }
}

impl View<'_> {
    /// The closes of a window that wait or are in force, in the order in which they were asked for.
    pub fn closes_of(&self, instance: &InstanceId) -> Result<Vec<CloseRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM closes WHERE instance = ?1 ORDER BY row");
        self.readable_by(from_row, &sql, vec![instance.as_str().to_owned().into()])
    }

    /// The runs whose work this instance has begun and has not seen to go, oldest first. What they do need not be
    /// understood for that.
    pub fn work_of(&self, instance: &InstanceId) -> Result<Vec<ActiveRunHere>, LedgerError> {
        let sql = "SELECT r.id, r.directory,
                          coalesce(CASE WHEN json_valid(d.body) THEN d.body ->> '$.title' END, '')
                   FROM processes p CROSS JOIN runs r ON r.row = p.run JOIN definitions d ON d.row = r.definition
                   WHERE p.instance = ?1 ORDER BY p.run";
        let work = |row: &Row<'_>| {
            Ok(ActiveRunHere {
                run: RunId::from_text(row.get::<_, String>(0)?),
                directory: row.get(1)?,
                title: row.get(2)?,
            })
        };
        self.readable_by(work, sql, vec![instance.as_str().to_owned().into()])
    }
}

impl Tx<'_> {
    /// Stores a close that has been asked for. It takes its place after all others.
    pub fn insert_close(&self, close: &CloseRow) -> Result<(), LedgerError> {
        let sql = "INSERT INTO closes (id, instance, kind, mode, directories, affected, requested_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let params = (
            close.id.as_str(),
            close.instance.as_str(),
            to_word(&close.kind)?,
            to_word(&close.mode)?,
            directories(&close.extent)?,
            to_json(&close.affected)?,
            close.requested_at.as_millis(),
        );
        self.execute(sql, params)?;
        Ok(())
    }

    /// Stores what may have changed of a close.
    pub fn update_close(&self, close: &CloseRow) -> Result<(), LedgerError> {
        let sql = "UPDATE closes SET directories = ?2, overtaken_by = ?3, completed_at = ?4 WHERE row = ?1";
        let params = (
            close.row,
            directories(&close.extent)?,
            close.overtaken_by.as_ref().map(LifecycleActionId::as_str),
            close.completed_at.map(Timestamp::as_millis),
        );
        self.execute(sql, params)?;
        Ok(())
    }

    /// A close is over and not in force.
    pub fn delete_close(&self, row: i64) -> Result<(), LedgerError> {
        self.execute("DELETE FROM closes WHERE row = ?1", [row])?;
        Ok(())
    }

    /// The window has gone, and its closes with it.
    pub fn delete_closes_of(&self, instance: &InstanceId) -> Result<(), LedgerError> {
        self.execute("DELETE FROM closes WHERE instance = ?1", [instance.as_str()])?;
        Ok(())
    }
}
