//! Agents: in which windows they are configured, and how many of them are at work.

use rusqlite::{OptionalExtension, Row};

use super::column::{Columns, Tx, View, to_word};
use super::error::LedgerError;
use crate::domain::id::{ConfigurationId, InstanceId, ProviderId, RunId};
use crate::domain::provider::ProviderKind;
use crate::domain::time::Timestamp;

/// An agent that is configured in a window: that one starts it for the prompts of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRow {
    /// Of which provider.
    pub provider: ProviderId,
    /// In which window.
    pub instance: InstanceId,
    /// How it is started there.
    pub configuration: ConfigurationId,
    /// How long each call to it may take before it is at work, in milliseconds.
    pub start_ms: i64,
    /// Since when.
    pub since: Timestamp,
}

const COLUMNS: &str = "provider, instance, configuration, start_ms, since";

/// The runs `r` that agents carry out: prompts with a guard, also those that have ended and of which something is left,
/// and prompts that were given to a window to begin with an agent.
const AT_WORK: &str = "(SELECT r.id, r.row, r.provider FROM processes p CROSS JOIN runs r ON r.row = p.run
     WHERE p.serving IS NULL AND r.provider IS NOT NULL
     UNION ALL
     SELECT r.id, r.row, r.provider FROM runs r INDEXED BY runs_given
     WHERE r.completed_at IS NULL AND r.given_to IS NOT NULL AND r.provider IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row)
       AND EXISTS (SELECT 1 FROM servings s
                   WHERE s.provider = r.provider AND s.instance = r.given_to AND s.kind = 'acp'))";

fn from_row(row: &Row<'_>) -> Result<AgentRow, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(AgentRow {
        provider: ProviderId::from_text(columns.take::<String>()?),
        instance: InstanceId::from_text(columns.take::<String>()?),
        configuration: ConfigurationId::from_text(columns.take::<String>()?),
        start_ms: columns.take()?,
        since: columns.instant()?,
    })
}

impl View<'_> {
    /// Who carries out the prompts of a provider that an instance is given. None if that instance neither serves it nor
    /// has an agent for it, or in a way that only a later version knows.
    pub fn carried_by(
        &self,
        instance: &InstanceId,
        provider: &ProviderId,
    ) -> Result<Option<ProviderKind>, LedgerError> {
        let sql = "SELECT kind FROM servings WHERE provider = ?1 AND instance = ?2";
        let kind = |row: &Row<'_>| Columns::of(row).word("servings.kind");
        let params = [provider.as_str(), instance.as_str()].map(|text| text.to_owned().into());
        self.first_readable_by(kind, sql, params.to_vec())
    }

    /// The agents that are configured in a window, in the order of their providers.
    pub fn agents_of(&self, instance: &InstanceId) -> Result<Vec<AgentRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM servings WHERE instance = ?1 AND kind = 'acp'");
        let mut agents = self.readable_by(from_row, &sql, vec![instance.as_str().to_owned().into()])?;
        agents.sort_by(|one, other| one.provider.cmp(&other.provider));
        Ok(agents)
    }

    /// The windows in which an agent is configured for a provider, those first that have had it longest.
    pub fn agents_for(&self, provider: &ProviderId) -> Result<Vec<AgentRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM servings WHERE provider = ?1 AND kind = 'acp'");
        let mut agents = self.readable_by(from_row, &sql, vec![provider.as_str().to_owned().into()])?;
        agents.sort_by(|one, other| (one.since, &one.instance).cmp(&(other.since, &other.instance)));
        Ok(agents)
    }

    /// The runs that an agent of this provider carries out, oldest first. One that has ended and is still there counts.
    pub fn runs_of_agent(&self, provider: &ProviderId) -> Result<Vec<RunId>, LedgerError> {
        let sql = format!("SELECT w.row, w.id FROM {AT_WORK} w WHERE w.provider = ?1");
        let with_row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let mut runs = self.readable_by(with_row, &sql, vec![provider.as_str().to_owned().into()])?;
        runs.sort();
        Ok(runs.into_iter().map(|(_, run)| RunId::from_text(run)).collect())
    }

    /// How many agents are at work, or are about to be, in all windows. One that was to end and is still there takes as
    /// much memory as before.
    pub fn agents_at_work(&self) -> Result<i64, LedgerError> {
        let sql = format!("SELECT count(*) FROM {AT_WORK}");
        Ok(self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    }

    /// Whether an agent carries out a run, or is to when it is begun where it was given.
    pub fn is_for_an_agent(&self, run: i64) -> Result<bool, LedgerError> {
        let sql = "SELECT CASE WHEN p.run IS NULL
                     THEN EXISTS (SELECT 1 FROM servings s
                                  WHERE s.provider = r.provider AND s.instance = r.given_to AND s.kind = 'acp')
                     ELSE p.serving IS NULL AND r.provider IS NOT NULL END
                   FROM runs r LEFT JOIN processes p ON p.run = r.row WHERE r.row = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([run], |row| row.get(0)).optional()?.unwrap_or(false))
    }
}

impl Tx<'_> {
    /// A window has an agent for a provider from now on, in place of what it had for it.
    pub fn insert_agent(&self, agent: &AgentRow) -> Result<(), LedgerError> {
        let sql = "INSERT INTO servings (provider, instance, kind, configuration, start_ms, since)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT DO UPDATE SET configuration = ?4, start_ms = ?5 WHERE kind = ?3";
        let params = rusqlite::params![
            agent.provider.as_str(),
            agent.instance.as_str(),
            to_word(&ProviderKind::Acp)?,
            agent.configuration.as_str(),
            agent.start_ms,
            agent.since.as_millis(),
        ];
        self.execute(sql, params)?;
        Ok(())
    }

    /// It has none for it any more.
    pub fn delete_agent(&self, agent: &AgentRow) -> Result<(), LedgerError> {
        let sql = "DELETE FROM servings WHERE provider = ?1 AND instance = ?2 AND kind = 'acp'";
        self.execute(sql, [agent.provider.as_str(), agent.instance.as_str()])?;
        Ok(())
    }
}
