//! Work of the user's own, which runs that write wait for.

use rusqlite::Row;

use super::column::{Columns, Tx, View};
use super::error::LedgerError;
use crate::domain::id::{InstanceId, SubscriptionId};
use crate::domain::lifecycle::Hold;

fn from_row(row: &Row<'_>) -> Result<Hold, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(Hold {
        id: SubscriptionId::from_text(columns.take::<String>()?),
        directory: columns.take()?,
        title: columns.take()?,
        since: columns.instant()?,
    })
}

impl View<'_> {
    /// Work of the user's own, if it goes on.
    pub fn hold(&self, id: &SubscriptionId) -> Result<Option<Hold>, LedgerError> {
        let sql = "SELECT id, directory, title, since FROM holds WHERE id = ?1";
        self.one_by(from_row, sql, vec![id.as_str().to_owned().into()])
    }

    /// What a window has told of, oldest first.
    pub fn holds_of(&self, instance: &InstanceId) -> Result<Vec<Hold>, LedgerError> {
        let sql = "SELECT id, directory, title, since FROM holds WHERE instance = ?1 ORDER BY since, id";
        self.readable_by(from_row, sql, vec![instance.as_str().to_owned().into()])
    }
}

impl Tx<'_> {
    /// Somebody works in a directory.
    pub fn insert_hold(&self, instance: &InstanceId, hold: &Hold) -> Result<(), LedgerError> {
        let sql = "INSERT INTO holds (id, instance, directory, title, since) VALUES (?1, ?2, ?3, ?4, ?5)";
        let params =
            (hold.id.as_str(), instance.as_str(), &hold.directory, &hold.title, hold.since.as_millis());
        self.execute(sql, params)?;
        Ok(())
    }

    /// That work is over. Gives whether it was there.
    pub fn delete_hold(&self, instance: &InstanceId, id: &SubscriptionId) -> Result<bool, LedgerError> {
        let sql = "DELETE FROM holds WHERE id = ?1 AND instance = ?2";
        Ok(self.execute(sql, (id.as_str(), instance.as_str()))? > 0)
    }

    /// The window has gone, and nobody works there for it any more.
    pub fn delete_holds_of(&self, instance: &InstanceId) -> Result<(), LedgerError> {
        self.execute("DELETE FROM holds WHERE instance = ?1", [instance.as_str()])?;
        Ok(())
    }
}
