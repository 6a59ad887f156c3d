//! Agents that are to say what they offer. What a row says is what its window has to do, until the row has gone.

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::column::{Columns, Tx, View, to_json, to_word};
use super::error::LedgerError;
use crate::domain::id::{InstanceId, ProbeId, ProviderId};
use crate::domain::time::Timestamp;

/// An agent that is to say what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRow {
    /// Which.
    pub provider: ProviderId,
    /// The question: whoever waits for the answer waits until this one has gone.
    pub id: ProbeId,
    /// The model that somebody wants to know of: the agent is asked about it before others.
    pub first: Option<String>,
    /// What it waits for.
    pub turn: Turn,
    /// Who was to ask it and has said nothing.
    pub silent: Vec<InstanceId>,
    /// Who asks; nobody while that is waited for.
    pub given: Option<Given>,
    /// How often it was given to somebody: an answer counts only for the giving that it was asked for.
    pub given_number: i64,
}

/// What a question waits for before it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Runs of the agent, and other questions.
    AfterRuns,
    /// Other questions only.
    Next,
}

/// Who is to ask an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Who.
    pub to: InstanceId,
    /// When it has taken too long.
    pub deadline_at: Timestamp,
}

const COLUMNS: &str = "provider, id, first, turn, silent, given_number, instance, deadline_at";

fn from_row(row: &Row<'_>) -> Result<ProbeRow, LedgerError> {
    let mut columns = Columns::of(row);
    let provider = ProviderId::from_text(columns.take::<String>()?);
    let id = ProbeId::from_text(columns.take::<String>()?);
    let first = columns.take()?;
    let turn = columns.word("probes.turn")?;
    let silent = columns.json("probes.silent")?;
    let given_number = columns.count("probes.given_number")?;
    let to = columns.take::<Option<String>>()?.map(InstanceId::from_text);
    let deadline_at = columns.instant_or_null()?;
    let given = to.zip(deadline_at).map(|(to, deadline_at)| Given { to, deadline_at });
    Ok(ProbeRow { provider, id, first, turn, silent, given, given_number })
}

impl View<'_> {
    /// All agents that are to say what they offer, in the order of their providers.
    pub fn probes(&self) -> Result<Vec<ProbeRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM probes ORDER BY provider");
        self.readable_by(from_row, &sql, Vec::new())
    }

    /// Whether the agent of this provider is to say what it offers.
    pub fn probe(&self, provider: &ProviderId) -> Result<Option<ProbeRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM probes WHERE provider = ?1");
        self.first_readable_by(from_row, &sql, vec![provider.as_str().to_owned().into()])
    }

    /// Whether this question has not been answered.
    pub fn is_asked(&self, id: &ProbeId) -> Result<bool, LedgerError> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM probes WHERE id = ?1")?.exists([id.as_str()])?)
    }
}

impl Tx<'_> {
    /// An agent is to say what it offers, or somebody else is to ask it.
    pub fn keep_probe(&self, probe: &ProbeRow) -> Result<(), LedgerError> {
        let sql =
            "INSERT INTO probes (provider, id, first, turn, silent, given_number, instance, deadline_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT DO UPDATE SET id = ?2, first = ?3, turn = ?4, silent = ?5, given_number = ?6,
                     instance = ?7, deadline_at = ?8";
        let given = probe.given.as_ref();
        let params = rusqlite::params![
            probe.provider.as_str(),
            probe.id.as_str(),
            probe.first,
            to_word(&probe.turn)?,
            to_json(&probe.silent)?,
            probe.given_number,
            given.map(|given| given.to.as_str()),
            given.map(|given| given.deadline_at.as_millis()),
        ];
        self.execute(sql, params)?;
        Ok(())
    }

    /// Nobody is to ask it any more.
    pub fn delete_probe(&self, provider: &ProviderId) -> Result<(), LedgerError> {
        self.execute("DELETE FROM probes WHERE provider = ?1", [provider.as_str()])?;
        Ok(())
    }
}
