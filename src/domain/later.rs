//! What a later version of sexton wrote and this one does not understand: another kind of task, another word in a
//! policy. It is shown as it is stored, so that people see that it is there. Nobody here decides about it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::automation::DerivedState;
use super::id::{AutomationId, RunId};
use super::run::Run;
use super::shown::{ShownAutomation, Voice};
use super::time::Timestamp;

/// What a person is told of an automation that a later version wrote.
const NOT_UNDERSTOOD: &str = "a newer version of sexton wrote this automation, and this one does not understand all \
    of it: here it neither fires nor can be changed; update sexton, or delete it";

/// An automation that a later version wrote. What it says beside these members is as that version wrote it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaterAutomation {
    /// Its identity.
    pub id: AutomationId,
    /// That this version does not understand it.
    of_later_version: Yes,
    /// Counts what users changed, nothing else.
    pub revision: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When a user last changed it.
    pub updated_at: Timestamp,
    /// Who created it.
    pub created_by: Value,
    /// Whether `pause` is there.
    pub paused: bool,
    /// Why and since when it is paused.
    pub pause: Option<Value>,
    /// What follows from its runs. Nothing is known of its schedule.
    pub state: DerivedState,
    /// What the user asked for.
    #[serde(flatten)]
    definition: Map<String, Value>,
}

/// What is stored of an automation beside its definition.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the member of the same name, documented there")]
pub struct BesideDefinition {
    pub id: AutomationId,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by: Value,
    pub pause: Option<Value>,
    pub failure_streak: i64,
    pub completed_runs: i64,
    pub session_id: Option<String>,
}

impl LaterAutomation {
    /// An automation with this definition. What follows from its runs is still to be filled in.
    pub fn new(mut definition: Map<String, Value>, beside: BesideDefinition) -> Self {
        let own =
            ["id", "ofLaterVersion", "revision", "createdAt", "updatedAt", "createdBy", "paused", "pause"];
        for name in own.into_iter().chain(["state"]) {
            definition.remove(name);
        }
        let BesideDefinition { id, revision, created_at, updated_at, created_by, pause, .. } = beside;
        let state = DerivedState {
            failure_streak: beside.failure_streak,
            completed_runs: beside.completed_runs,
            session_id: beside.session_id,
            warnings: vec![NOT_UNDERSTOOD.to_owned()],
            ..DerivedState::default()
        };
        LaterAutomation {
            id,
            of_later_version: Yes,
            revision,
            created_at,
            updated_at,
            created_by,
            paused: pause.is_some(),
            pause,
            state,
            definition,
        }
    }

    /// What that version calls it, if it still has a title.
    pub fn title(&self) -> Option<&str> {
        self.definition.get("title").and_then(Value::as_str)
    }

    /// As this reader is shown it.
    #[must_use]
    pub fn shown_to(mut self, voice: Voice) -> Self {
        match voice {
            Voice::Person => {}
            Voice::Run => self.definition.values_mut().for_each(hide_environments),
        }
        self
    }
}

/// A run that a later version wrote. What it says beside these members is as that version wrote it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaterRun {
    /// Its identity.
    pub id: RunId,
    /// The automation it belongs to, which may have been deleted.
    #[serde(rename = "automationID")]
    pub automation_id: AutomationId,
    /// That this version does not understand it.
    pub of_later_version: Yes,
    /// Counts the published changes of the run.
    pub revision: i64,
    /// When it was created.
    pub triggered_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// Where it is in its life, in the words of that version.
    pub state: String,
    /// Where it works: an absolute path.
    pub directory: String,
    /// The rest.
    #[serde(flatten)]
    pub rest: PublicMembers,
}

/// Members without the values of environments: a run shows those to nobody.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct PublicMembers(Map<String, Value>);

impl PublicMembers {
    /// These, without the values.
    pub fn of(mut members: Map<String, Value>) -> Self {
        members.values_mut().for_each(hide_environments);
        PublicMembers(members)
    }
}

/// Is written as `true`.
#[derive(Clone, Copy, Debug)]
pub struct Yes;

impl Serialize for Yes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl JsonSchema for Yes {
    fn schema_name() -> Cow<'static, str> {
        "Yes".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"const": true})
    }
}

/// An automation as one reader is shown it, whichever version wrote it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AnyAutomation {
    /// One that this version understands.
    Known(Box<ShownAutomation>),
    /// One that it does not.
    Later(Box<LaterAutomation>),
}

/// A run, whichever version wrote it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AnyRun {
    /// One that this version understands.
    Known(Box<Run>),
    /// One that it does not.
    Later(Box<LaterRun>),
}

impl From<ShownAutomation> for AnyAutomation {
    fn from(automation: ShownAutomation) -> Self {
        AnyAutomation::Known(Box::new(automation))
    }
}

impl From<Run> for AnyRun {
    fn from(run: Run) -> Self {
        AnyRun::Known(Box::new(run))
    }
}

/// Leaves the names of each environment in there, and none of their values. Where a later version puts them is not
/// known, so everything of this name is one.
pub fn hide_environments(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                match inner {
                    Value::Object(variables) if name == "env" => {
                        variables.values_mut().for_each(|value| *value = json!({}));
                    }
                    _ if name == "env" => *inner = json!({}),
                    Value::Object(_) | Value::Array(_) => hide_environments(inner),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_environments),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_every_environment_are_hidden_wherever_it_is() {
        let mut task = json!({"kind": "pipeline", "env": ["A=S3CRET"], "note": "kept", "steps": [
            {"program": "a", "env": {"B": "S3CRET", "env": {"C": "S3CRET"}}}, {"inner": {"env": {}}}]});
        hide_environments(&mut task);
        let expected = json!({"kind": "pipeline", "env": {}, "note": "kept", "steps": [
            {"program": "a", "env": {"B": {}, "env": {}}}, {"inner": {"env": {}}}]});
        assert_eq!(task, expected);
    }
}
