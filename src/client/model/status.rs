//! How the scheduler is, as a client reads it.

use serde::Deserialize;

use super::if_understood;
use crate::domain::clock::Suspended;
use crate::domain::id::InstanceId;
use crate::domain::scheduler::Role;
use crate::domain::time::Timestamp;

/// What `scheduler/status` tells.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Who rings the bell, if somebody does.
    pub owner: Option<Owner>,
    /// Whether that is the sidecar that was asked.
    pub is_owner: bool,
    /// The earliest slot that nothing answers for yet.
    pub next_fire_at: Option<Timestamp>,
    /// Everybody who has the project open.
    pub instances: Vec<Instance>,
    /// When the machine slept: the last few times, the newest first.
    pub suspended: Vec<Suspended>,
    /// `ok`, or `degraded` where something cannot be done at the moment.
    pub health: String,
    /// Why not, a sentence each.
    pub reasons: Vec<String>,
}

/// The instance that owns the bell.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// Its identity.
    #[serde(rename = "instanceID")]
    pub instance: InstanceId,
    /// Its process.
    pub pid: u32,
    /// Whose window it is.
    #[serde(default)]
    pub client: Option<String>,
    /// Since when it owns the bell.
    pub since: Timestamp,
}

/// An instance that has the project open.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Instance {
    /// Its identity.
    pub id: InstanceId,
    /// Its process.
    pub pid: u32,
    /// Whose window it is.
    #[serde(default)]
    pub client: Option<String>,
    /// What it does, if this version has a word for it.
    #[serde(default, deserialize_with = "if_understood")]
    pub role: Option<Role>,
    /// Since when it has the project open.
    pub since: Timestamp,
}
