//! What agents have said of themselves. An answer belongs to a way to start an agent, not to the window that has asked: two
//! windows may have different agents of one name.

use rusqlite::Row;

use super::column::{Columns, Tx, View, to_json};
use super::error::LedgerError;
use crate::domain::id::{ConfigurationId, ProviderId};
use crate::domain::provider::OfferedModel;
use crate::domain::time::Timestamp;

/// What an agent that is started in one way has said of itself last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidRow {
    /// Of which provider.
    pub provider: ProviderId,
    /// How it is started.
    pub configuration: ConfigurationId,
    /// What it offers, or last offered.
    pub models: Vec<OfferedModel>,
    /// Why it could not be asked last, as a sentence; nothing if it has answered.
    pub failure: Option<String>,
    /// When it has last said what it offers; nothing if it never has.
    pub checked_at: Option<Timestamp>,
}

const COLUMNS: &str = "provider, configuration, models, failure, checked_at";

fn from_row(row: &Row<'_>) -> Result<SaidRow, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(SaidRow {
        provider: ProviderId::from_text(columns.take::<String>()?),
        configuration: ConfigurationId::from_text(columns.take::<String>()?),
        models: columns.json("said.models")?,
        failure: columns.take()?,
        checked_at: columns.instant_or_null()?,
    })
}

impl View<'_> {
    /// What agents of a provider have said, however they are started, in the order of their configurations.
    pub fn said(&self, provider: &ProviderId) -> Result<Vec<SaidRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM said WHERE provider = ?1 ORDER BY configuration");
        self.readable_by(from_row, &sql, vec![provider.as_str().to_owned().into()])
    }
}

impl Tx<'_> {
    /// Remembers what an agent has said, and forgets what others of its provider have that no window has any more.
    pub fn keep_said(&self, said: &SaidRow) -> Result<(), LedgerError> {
        let sql = "INSERT INTO said (provider, configuration, models, failure, checked_at)
                   VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT DO UPDATE SET models = ?3, failure = ?4, checked_at = ?5";
        let (provider, configuration) = (said.provider.as_str(), said.configuration.as_str());
        let params = rusqlite::params![
            provider,
            configuration,
            to_json(&said.models)?,
            said.failure,
            said.checked_at.map(Timestamp::as_millis),
        ];
        self.execute(sql, params)?;
        let sql = "DELETE FROM said WHERE provider = ?1 AND configuration <> ?2 AND NOT EXISTS
                     (SELECT 1 FROM servings s
                      WHERE s.provider = said.provider AND s.configuration = said.configuration)";
        self.execute(sql, [provider, configuration])?;
        Ok(())
    }

    /// Forgets what an agent has said.
    pub fn unsay(&self, provider: &ProviderId, configuration: &ConfigurationId) -> Result<(), LedgerError> {
        let sql = "DELETE FROM said WHERE provider = ?1 AND configuration = ?2";
        self.execute(sql, [provider.as_str(), configuration.as_str()])?;
        Ok(())
    }
}
