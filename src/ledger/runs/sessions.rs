//! The sessions of agents, and what earlier runs have come to.

use rusqlite::OptionalExtension;

use super::RunRow;
use crate::domain::id::{ProviderId, RunId};
use crate::domain::policy::Money;
use crate::ledger::column::{View, member};
use crate::ledger::error::LedgerError;

/// Among how many ended runs the last one is looked for that was carried out: the others are records of slots.
const LOOKED_AT: i64 = 50;

impl View<'_> {
    /// Whether another run that has begun is at work in a session of this provider, or is about to take it up: then it is
    /// the one that its task names, or that of its automation, as [`View::session_of`] has it.
    pub fn session_is_at_work(
        &self,
        session: &str,
        provider: &ProviderId,
        run: i64,
    ) -> Result<bool, LedgerError> {
        let sql = format!(
            "SELECT 1 FROM processes p CROSS JOIN runs o ON o.row = p.run
             CROSS JOIN definitions d ON d.row = o.definition
             WHERE o.row <> ?3 AND o.provider = ?2
               AND ?1 = coalesce(o.session_id, {},
                 CASE {} WHEN 'continue' THEN
                   (SELECT a.session_id FROM automations a CROSS JOIN definitions n ON n.row = a.definition
                    WHERE a.row = o.automation AND {} = ?2) END)",
            member("d.body", "$.task.sessionID"),
            member("d.body", "$.task.context"),
            member("n.body", "$.task.model.providerID")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.exists((session, provider.as_str(), run))?)
    }

    /// What the runs before this row have cost in a session of this provider, in the currency of the newest of them.
    pub fn spent_in_session(
        &self,
        session: &str,
        provider: &ProviderId,
        before: i64,
    ) -> Result<Option<Money>, LedgerError> {
        let sql = "SELECT cost FROM runs INDEXED BY runs_in_session
                   WHERE session_id = ?1 AND provider = ?2 AND row < ?3 AND cost IS NOT NULL ORDER BY row DESC";
        let mut spent: Option<Money> = None;
        for cost in self.texts_by(
            sql,
            vec![session.to_owned().into(), provider.as_str().to_owned().into(), before.into()],
        )? {
            // What a later version has written otherwise says nothing here.
            let Ok(cost) = serde_json::from_str::<Money>(&cost) else { continue };
            match &mut spent {
                None => spent = Some(cost),
                Some(spent) if spent.currency == cost.currency => spent.amount += cost.amount,
                Some(_) => {}
            }
        }
        Ok(spent)
    }

    /// In which directory a session of this provider was worked in last, if it ever was.
    pub fn directory_of_session(
        &self,
        session: &str,
        provider: &ProviderId,
    ) -> Result<Option<String>, LedgerError> {
        let sql = "SELECT directory FROM runs INDEXED BY runs_in_session
                   WHERE session_id = ?1 AND provider = ?2 ORDER BY row DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row((session, provider.as_str()), |row| row.get(0)).optional()?)
    }

    /// The last run of an automation that was really carried out and has ended.
    pub fn last_carried_out(&self, automation: i64) -> Result<Option<RunRow>, LedgerError> {
        let sql = "SELECT id, started_at IS NOT NULL FROM runs INDEXED BY runs_ended
                   WHERE automation = ?1 AND ended_number IS NOT NULL ORDER BY ended_number DESC LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((automation, LOOKED_AT))?;
        while let Some(row) = rows.next()? {
            if row.get(1)? {
                return self.run(&RunId::from_text(row.get::<_, String>(0)?));
            }
        }
        Ok(None)
    }
}
