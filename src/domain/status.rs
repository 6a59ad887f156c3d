//! How the scheduler is, as the contract shows it.

use schemars::JsonSchema;
use serde::Serialize;

use super::clock::Suspended;
use super::id::InstanceId;
use super::scheduler::Role;
use super::time::Timestamp;

/// What `scheduler/status` tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerStatus {
    /// Who rings the bell; nobody does if there is none, or nobody can be asked.
    pub owner: Option<RingingInstance>,
    /// Whether that is this instance.
    pub is_owner: bool,
    /// The earliest slot that nothing answers for yet.
    pub next_fire_at: Option<Timestamp>,
    /// Everybody who has the project open.
    pub instances: Vec<PresentInstance>,
    /// When the machine slept: the last few times, the newest first.
    pub suspended: Vec<Suspended>,
    /// Whether everything is as it should be.
    pub health: Health,
    /// Why not, a sentence each.
    pub reasons: Vec<String>,
}

/// Whether everything is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It is.
    Ok,
    /// Something cannot be done at the moment; the reasons say what.
    Degraded,
}

/// The instance that owns the bell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RingingInstance {
    /// Its identity.
    #[serde(rename = "instanceID")]
    pub instance: InstanceId,
    /// Its process.
    pub pid: u32,
    /// Whose window it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Since when it owns the bell.
    pub since: Timestamp,
    /// Counts the owners of this ledger, from 1.
    pub term: i64,
}

/// An instance that has the project open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PresentInstance {
    /// Its identity.
    pub id: InstanceId,
    /// Its process.
    pub pid: u32,
    /// Whose window it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What it does.
    pub role: Role,
    /// Since when it has the project open.
    pub since: Timestamp,
}
