//! Providers: what each has said of itself last, and which windows serve it now.

use rusqlite::Row;

use super::column::{Columns, Tx, View, to_json, to_word};
use super::error::LedgerError;
use crate::domain::id::{InstanceId, ProviderId, SubscriptionId};
use crate::domain::provider::{Offer, OfferedModel, ProviderKind};
use crate::domain::time::Timestamp;

/// What a provider has said of itself last, also if it is not there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRow {
    /// Its identity.
    pub id: ProviderId,
    /// What it is.
    pub kind: ProviderKind,
    /// What it offers, or last offered.
    pub models: Vec<OfferedModel>,
    /// Why it cannot be given work, as a sentence; nothing if it can.
    pub reason: Option<String>,
    /// When it has last said what it offers; nothing if it never has.
    pub checked_at: Option<Timestamp>,
}

/// A window that carries out the prompts of a provider itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingRow {
    /// The window's subscription.
    pub id: SubscriptionId,
    /// The window.
    pub instance: InstanceId,
    /// What it offers.
    pub offer: Offer,
    /// Since when.
    pub since: Timestamp,
}

const PROVIDER_COLUMNS: &str = "id, kind, models, reason, checked_at";
const SERVING_COLUMNS: &str = "id, instance, provider, models, max_concurrent, since";

fn provider_from_row(row: &Row<'_>) -> Result<ProviderRow, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(ProviderRow {
        id: ProviderId::from_text(columns.take::<String>()?),
        kind: columns.word("providers.kind")?,
        models: columns.json("providers.models")?,
        reason: columns.take()?,
        checked_at: columns.instant_or_null()?,
    })
}

fn serving_from_row(row: &Row<'_>) -> Result<ServingRow, LedgerError> {
    let mut columns = Columns::of(row);
    Ok(ServingRow {
        id: SubscriptionId::from_text(columns.take::<String>()?),
        instance: InstanceId::from_text(columns.take::<String>()?),
        offer: Offer {
            provider: ProviderId::from_text(columns.take::<String>()?),
            models: columns.json("servings.models")?,
            max_concurrent: columns.take()?,
        },
        since: columns.instant()?,
    })
}

impl View<'_> {
    /// All providers that are remembered, in the order of their identities.
    pub fn providers(&self) -> Result<Vec<ProviderRow>, LedgerError> {
        let sql = format!("SELECT {PROVIDER_COLUMNS} FROM providers ORDER BY id");
        self.readable_by(provider_from_row, &sql, Vec::new())
    }

    /// What is remembered of a provider.
    pub fn provider(&self, id: &ProviderId) -> Result<Option<ProviderRow>, LedgerError> {
        let sql = format!("SELECT {PROVIDER_COLUMNS} FROM providers WHERE id = ?1");
        self.first_readable_by(provider_from_row, &sql, vec![id.as_str().to_owned().into()])
    }

    /// Who serves a provider, longest first.
    pub fn servings_for(&self, provider: &ProviderId) -> Result<Vec<ServingRow>, LedgerError> {
        self.servings_where("provider = ?1", provider.as_str())
    }

    /// What a window serves, longest first.
    pub fn servings_of(&self, instance: &InstanceId) -> Result<Vec<ServingRow>, LedgerError> {
        self.servings_where("instance = ?1", instance.as_str())
    }

    fn servings_where(&self, condition: &str, name: &str) -> Result<Vec<ServingRow>, LedgerError> {
        let sql = format!("SELECT {SERVING_COLUMNS} FROM servings WHERE {condition} AND kind = 'served'");
        let mut found = self.readable_by(serving_from_row, &sql, vec![name.to_owned().into()])?;
        found.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
        Ok(found)
    }
}

impl Tx<'_> {
    /// A window serves a provider from now on.
    pub fn insert_serving(&self, serving: &ServingRow) -> Result<(), LedgerError> {
        let sql = "INSERT INTO servings (id, kind, provider, instance, models, max_concurrent, since)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let params = rusqlite::params![
            serving.id.as_str(),
            to_word(&ProviderKind::Served)?,
            serving.offer.provider.as_str(),
            serving.instance.as_str(),
            to_json(&serving.offer.models)?,
            serving.offer.max_concurrent,
            serving.since.as_millis(),
        ];
        self.execute(sql, params)?;
        Ok(())
    }

    /// It does so no more.
    pub fn delete_serving(&self, id: &SubscriptionId) -> Result<(), LedgerError> {
        self.execute("DELETE FROM servings WHERE id = ?1", [id.as_str()])?;
        Ok(())
    }

    /// Remembers what a provider says of itself.
    pub fn keep_provider(&self, provider: &ProviderRow) -> Result<(), LedgerError> {
        let sql = "INSERT INTO providers (id, kind, models, reason, checked_at) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT DO UPDATE SET kind = ?2, models = ?3, reason = ?4, checked_at = ?5";
        let params = rusqlite::params![
            provider.id.as_str(),
            to_word(&provider.kind)?,
            to_json(&provider.models)?,
            provider.reason,
            provider.checked_at.map(Timestamp::as_millis),
        ];
        self.execute(sql, params)?;
        Ok(())
    }

    /// Forgets what a provider has said of itself.
    pub fn forget_provider(&self, id: &ProviderId) -> Result<(), LedgerError> {
        self.execute("DELETE FROM said WHERE provider = ?1", [id.as_str()])?;
        self.execute("DELETE FROM providers WHERE id = ?1", [id.as_str()])?;
        Ok(())
    }
}
