//! What the tools answer with: a text, and the same for programs.
//!
//! Some hosts show a model the text, others the structure, so that each of them says all there is to say, once.

use rmcp::model::{CallToolResult, ContentBlock, JsonObject};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::Value;

use super::fault::Fault;
use super::shown::{Shown, ShownRun};

/// An answer to a call.
pub(super) struct Answer {
    text: String,
    structure: Value,
    is_error: bool,
}

impl Answer {
    /// What was asked is done.
    pub(super) fn right(structure: &impl Serialize, text: String) -> Answer {
        Answer { text, structure: serde_json::to_value(structure).unwrap_or_default(), is_error: false }
    }

    /// It is not, and the text says what to do instead.
    pub(super) fn wrong(structure: &impl Serialize, text: String) -> Answer {
        Answer { is_error: true, ..Answer::right(structure, text) }
    }

    /// As the protocol has it.
    pub(super) fn result(self) -> CallToolResult {
        let mut result = CallToolResult::success(vec![ContentBlock::text(self.text)]);
        result.structured_content = Some(self.structure);
        result.is_error = Some(self.is_error);
        result
    }
}

/// The answer of `automate`.
#[derive(Default, Serialize, JsonSchema)]
pub(super) struct Automate {
    /// What came of it, in a sentence.
    pub(super) message: String,
    /// The time that it is.
    pub(super) now: String,
    /// The project's directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<String>,
    /// What was made, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) automation: Option<Shown>,
    /// Whether it was only tried.
    pub(super) dry_run: bool,
    /// What to know about it.
    pub(super) notes: Vec<String>,
    /// What is wrong with the arguments. Nothing was made if there is anything.
    pub(super) problems: Vec<Fault>,
    /// The models there are, where one is to be chosen.
    pub(super) models: Vec<String>,
}

/// The answer of `automate_manage`.
#[derive(Default, Serialize, JsonSchema)]
pub(super) struct Manage {
    /// What came of it, in a sentence.
    pub(super) message: String,
    /// The time that it is.
    pub(super) now: String,
    /// The project's directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<String>,
    /// The automations that it is about.
    pub(super) automations: Vec<Shown>,
    /// The runs that it is about, the newest first.
    pub(super) runs: Vec<ShownRun>,
    /// What to know beside that.
    pub(super) notes: Vec<String>,
    /// What the ledger tells about the time in question, oldest first.
    pub(super) evidence: Vec<String>,
    /// What is wrong with the arguments. Nothing was done if there is anything.
    pub(super) problems: Vec<Fault>,
}

/// The schema of an answer. Nothing in it is told elsewhere: not every host looks references up. And it has no formats:
/// those of whole numbers are a custom of the generator, and hosts complain of what they do not know.
pub(super) fn schema_of<T: JsonSchema>() -> std::sync::Arc<JsonObject> {
    let without_format = RecursiveTransform(|schema: &mut Schema| {
        schema.remove("format");
    });
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(without_format);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    std::sync::Arc::new(schema.as_object().cloned().unwrap_or_default())
}
