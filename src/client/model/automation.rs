//! An automation as a client reads it.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::domain::id::{AutomationId, RunId};
use crate::domain::shown::ShownAutomation;
use crate::domain::time::Timestamp;

/// An automation, whichever version wrote it.
#[derive(Clone, Debug, PartialEq)]
pub enum Automation {
    /// One that this version understands.
    Known(Box<ShownAutomation>),
    /// One that it does not.
    Later(Box<LaterAutomation>),
}

/// What can be told of an automation that this version does not understand.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaterAutomation {
    /// Its identity.
    pub id: AutomationId,
    /// What it is called.
    #[serde(default)]
    pub title: String,
    /// Counts what users changed, nothing else.
    pub revision: i64,
    /// Whether it is paused.
    #[serde(default)]
    pub paused: bool,
    /// Everything else, as that version wrote it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl<'de> Deserialize<'de> for Automation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let is_later = value.get("ofLaterVersion").is_some();
        match ShownAutomation::deserialize(&value) {
            Ok(automation) if !is_later => Ok(Automation::Known(Box::new(automation))),
            Ok(_) | Err(_) => {
                let later = LaterAutomation::deserialize(value).map_err(serde::de::Error::custom)?;
                Ok(Automation::Later(Box::new(later)))
            }
        }
    }
}

impl Automation {
    /// Its identity.
    pub fn id(&self) -> &AutomationId {
        match self {
            Automation::Known(automation) => &automation.id,
            Automation::Later(automation) => &automation.id,
        }
    }

    /// What it is called.
    pub fn title(&self) -> &str {
        match self {
            Automation::Known(automation) => &automation.definition.title,
            Automation::Later(automation) => &automation.title,
        }
    }

    /// Counts what users changed.
    pub fn revision(&self) -> i64 {
        match self {
            Automation::Known(automation) => automation.revision,
            Automation::Later(automation) => automation.revision,
        }
    }

    /// Whether it is paused.
    pub fn is_paused(&self) -> bool {
        match self {
            Automation::Known(automation) => automation.paused,
            Automation::Later(automation) => automation.paused,
        }
    }

    /// The next scheduled time that nothing answers for yet, if one is known.
    pub fn next_fire_at(&self) -> Option<Timestamp> {
        match self {
            Automation::Known(automation) => automation.state.next_fire_at,
            Automation::Later(_) => None,
        }
    }

    /// The newest run, if one is known.
    pub fn last_run(&self) -> Option<&RunId> {
        match self {
            Automation::Known(automation) => automation.state.last_run.as_ref(),
            Automation::Later(_) => None,
        }
    }

    /// It, if this version understands it.
    pub fn known(&self) -> Option<&ShownAutomation> {
        match self {
            Automation::Known(automation) => Some(automation),
            Automation::Later(_) => None,
        }
    }
}
