//! The user's own configuration file, `config.json`, and what a window may configure for itself.

use serde_json::{Value, json};

use super::draft::environment;
use super::shapes::{boolean, integer, list, object, saying, text, with_default};
use crate::domain::configuration::{PROVIDERS, START_LEAST_MS, START_MOST_MS, START_MS};
use crate::domain::draft::limits::{AGENT_NAME, ARGS, ARGS_BYTES, PROGRAM_BYTES};

pub(super) fn schema() -> Value {
    let what = "What a user configures once for all projects, in `$XDG_CONFIG_HOME/sexton/config.json` or the platform's \
        twin. A file inside a project is never read for this: a repository must not name programs to run.";
    let mut schema = saying(object(&[("providers", providers())], &[]), what);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("The configuration file of sexton");
    schema
}

/// The agents, by the providers whose prompts they carry out.
pub(super) fn providers() -> Value {
    let schema = json!({"type": "object", "additionalProperties": provider(), "maxProperties": PROVIDERS,
        "propertyNames": text(1, AGENT_NAME)});
    saying(schema, "The agents that are started for prompts, by what `task.model.providerID` names.")
}

fn provider() -> Value {
    let program = format!(
        "The program, an absolute path or a name that is looked up in the search path, of at most {PROGRAM_BYTES} \
         bytes, and its arguments. At most {ARGS_BYTES} bytes together."
    );
    let mut command = saying(list(text(0, ARGS_BYTES), ARGS), &program);
    command["minItems"] = json!(1);
    let start = "How long it may take to say what it offers, and each call to it, in milliseconds.";
    let start = with_default(saying(integer(START_LEAST_MS, START_MOST_MS), start), START_MS);
    let tools = "Whether its runs are given the tools of `sexton mcp`, with which they can look at automations and \
        pause their own.";
    let tools = with_default(saying(boolean(), tools), true);
    let fields = [("command", command), ("env", environment()), ("startMs", start), ("tools", tools)];
    saying(object(&fields, &["command"]), "How an agent is started that speaks the Agent Client Protocol.")
}
