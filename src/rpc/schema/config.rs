//! The user's own configuration file, `config.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::{Value, json};

/// What a user configures once for all projects, in `$XDG_CONFIG_HOME/sexton/config.json` or the platform's twin.
/// A file inside a project is never read for this: a repository must not name programs to run.
#[derive(JsonSchema)]
#[schemars(rename = "Configuration", deny_unknown_fields)]
#[expect(dead_code, reason = "it is described here and read field by field")]
struct Configuration {
    /// The agents that prompts can be given to, by the name that automations use.
    #[schemars(default)]
    providers: BTreeMap<String, Provider>,
}

/// How an agent is started.
#[derive(JsonSchema)]
#[schemars(rename = "ProviderConfig", rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is promised before a version can use it")]
struct Provider {
    /// The program and its arguments.
    #[schemars(length(min = 1))]
    command: Vec<String>,
    /// What is added to its environment.
    #[schemars(default)]
    env: BTreeMap<String, String>,
    /// How long it may take to start, in milliseconds.
    #[schemars(range(min = 1000))]
    start_ms: Option<u32>,
}

pub(super) fn schema() -> Value {
    let mut schema = schemars::schema_for!(Configuration).to_value();
    schema["title"] = json!("The configuration file of sexton");
    schema["$comment"] = json!(
        "This version starts no agents itself: a provider in the file is told as `not_available_yet`, and everything else of it counts."
    );
    schema
}
