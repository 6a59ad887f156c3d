//! What a sidecar answers with, for those who read it field by field.
//!
//! Whoever only passes answers on takes them as JSON, so that nothing is lost. A field in which a later version has
//! written words that this one does not know is left out here, and what it says of the whole is still read.

mod automation;
mod explanation;
mod run;
mod status;

pub use automation::{Automation, LaterAutomation};
pub use explanation::Explanation;
pub use run::{Run, RunState};
pub use status::{Instance, Owner, Status};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A field, if it is there and its words are known.
fn if_understood<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}
