//! Who is there and who rings, for those who ask.

use rusqlite::OptionalExtension;

use super::column::{Columns, View};
use super::error::LedgerError;
use crate::domain::id::InstanceId;
use crate::domain::status::{PresentInstance, RingingInstance};

impl View<'_> {
    /// The owner of the bell, unless its term has ended.
    pub fn ringing_instance(&self) -> Result<Option<RingingInstance>, LedgerError> {
        let sql =
            "SELECT i.id, i.pid, i.client, t.since, t.term FROM terms t JOIN instances i ON i.id = t.instance
                   WHERE t.term = (SELECT max(term) FROM terms) AND t.ended_at IS NULL";
        let read = |row: &rusqlite::Row<'_>| {
            let mut columns = Columns::of(row);
            Ok(RingingInstance {
                instance: InstanceId::from_text(columns.take::<String>()?),
                pid: columns.take()?,
                client: columns.take()?,
                since: columns.instant()?,
                term: columns.take()?,
            })
        };
        Ok(self.connection.prepare_cached(sql)?.query_row([], read).optional()?)
    }

    /// All instances that have a row, those that have been there longest first.
    pub fn present_instances(&self) -> Result<Vec<PresentInstance>, LedgerError> {
        let sql = "SELECT id, pid, client, role, since FROM instances ORDER BY since, id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut instances = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            instances.push(PresentInstance {
                id: InstanceId::from_text(columns.take::<String>()?),
                pid: columns.take()?,
                client: columns.take()?,
                role: columns.word("instances.role")?,
                since: columns.instant()?,
            });
        }
        Ok(instances)
    }
}
