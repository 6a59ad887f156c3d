//! What a user configures: the agents that a window starts for the prompts of providers. It stands in a file of the
//! user's own, for all projects, and a window may say it for itself.

use std::collections::BTreeMap;
use std::fmt;

use super::automation::EnvValue;
use super::draft;
use super::draft::limits::{AGENT_NAME, ARGS, ARGS_BYTES, PROGRAM_BYTES};
use super::fault::{Fault, Word};
use super::fields::{Faults, Fields};
use super::id::ProviderId;
use super::sent::{Sent, SentObject};

/// The most providers of one configuration: more than anybody has, and few enough to look through with each change.
pub const PROVIDERS: usize = 100;

/// How long an agent may take to start if its configuration does not say, in milliseconds.
pub const START_MS: i64 = 60_000;

/// The least time that an agent can be let to start, in milliseconds.
pub const START_LEAST_MS: i64 = 1_000;

/// The longest time that an agent can be let to start, in milliseconds: whoever creates an automation waits for it.
pub const START_MOST_MS: i64 = 600_000;

/// How many times as long as one call an agent may take to be asked what it offers: it is told who speaks with it, makes
/// a session, and shows its models for as long.
pub const QUESTION_CALLS: u8 = 3;

/// What is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The agents, by the providers whose prompts they carry out.
    pub providers: BTreeMap<ProviderId, ProviderConfig>,
}

/// How an agent is started.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// The program, as an absolute path or a name that is looked up in the search path, and its arguments. Not empty.
    pub command: Vec<String>,
    /// What is added to its environment.
    pub env: BTreeMap<String, EnvValue>,
    /// How long each call to it may take, in milliseconds, but for those that carry out prompts.
    pub start_ms: i64,
    /// Whether its runs have the tools of `sexton mcp`.
    pub tools: Tools,
}

/// Whether the runs of an agent have the tools with which it can look at automations, and pause its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tools {
    /// Each is given them.
    #[default]
    Given,
    /// They have what the agent's own configuration gives them.
    Withheld,
}

impl fmt::Debug for ProviderConfig {
    /// Arguments and values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.env.keys().collect();
        f.debug_struct("ProviderConfig")
            .field("program", &self.command.first())
            .field("env", &names)
            .field("start_ms", &self.start_ms)
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}

impl Configuration {
    /// What is in force where somebody has configured this as well, which wins, provider by provider.
    #[must_use]
    pub fn with(&self, winner: &Configuration) -> Configuration {
        let mut both = self.clone();
        both.providers.extend(winner.providers.clone());
        both
    }
}

/// Reads what the file says.
///
/// # Errors
/// All faults at once.
pub fn read(file: &SentObject) -> Result<Configuration, Vec<Fault>> {
    let faults = Faults::new();
    let mut fields = Fields::root(file, &faults);
    let configuration = read_providers(&mut fields);
    fields.finish(Word::UnknownValue, |_| Some("the configuration file has `providers` only".to_owned()));
    match faults.take() {
        faults if faults.is_empty() => Ok(configuration),
        faults => Err(faults),
    }
}

/// Reads the agents that prompts are to be given to. One in which anything is wrong is left out.
pub fn read_providers(fields: &mut Fields<'_>) -> Configuration {
    let mut read = Configuration::default();
    let Some(providers) = fields.object("providers") else { return read };
    if providers.entries().count() > PROVIDERS {
        fields.fault_hint("providers", Word::TooLong, format!("use at most {PROVIDERS} providers"));
        return read;
    }
    for (id, value) in providers.entries() {
        let provider = read_provider(&providers, id, value);
        if let (true, Some(provider)) = (is_named(&providers, id), provider) {
            read.providers.insert(ProviderId::from_text(id), provider);
        }
    }
    read
}

/// Whether an automation can name such a provider.
fn is_named(providers: &Fields<'_>, id: &str) -> bool {
    let fault = if id.trim().is_empty() {
        Some((Word::Required, "give the provider a name".to_owned()))
    } else if id.contains('\0') {
        Some((Word::ContainsNul, "a provider's name has no NUL".to_owned()))
    } else if id.chars().nth(AGENT_NAME).is_some() {
        Some((Word::TooLong, format!("use at most {AGENT_NAME} characters")))
    } else {
        None
    };
    match fault {
        Some((word, hint)) => {
            providers.fault_hint(id, word, hint);
            false
        }
        None => true,
    }
}

fn read_provider(providers: &Fields<'_>, id: &str, value: &Sent) -> Option<ProviderConfig> {
    if let Sent::Flawed(flaw) = value {
        providers.flawed(id, *flaw);
        return None;
    }
    let mut provider = providers.as_object(id, value)?;
    let command = read_command(&mut provider);
    let env = draft::read_env(&mut provider, Word::UnknownValue);
    let start_ms = match provider.has("startMs") {
        true => provider.integer("startMs", START_LEAST_MS..=START_MOST_MS),
        false => Some(START_MS),
    };
    let tools = match provider.has("tools") {
        true => provider.boolean("tools").map(|given| if given { Tools::Given } else { Tools::Withheld }),
        false => Some(Tools::default()),
    };
    provider.finish(Word::UnknownValue, |_| {
        Some("a provider has `command`, `env`, `startMs` and `tools` only".to_owned())
    });
    Some(ProviderConfig { command: command?, env: env?, start_ms: start_ms?, tools: tools? })
}

fn read_command(provider: &mut Fields<'_>) -> Option<Vec<String>> {
    let command = provider.texts("command");
    let command = provider.require("command", command)?;
    let fault = match command.first().map(String::as_str) {
        None => Some(("command", Word::Required, "write the program and its arguments".to_owned())),
        Some(_) if command.len() > ARGS || command.iter().map(String::len).sum::<usize>() > ARGS_BYTES => {
            let hint = format!("use at most {ARGS} texts of together {ARGS_BYTES} bytes");
            Some(("command", Word::TooLong, hint))
        }
        Some(program) if program.trim().is_empty() => {
            Some(("command[0]", Word::Required, "write the program".to_owned()))
        }
        Some(program) if program.len() > PROGRAM_BYTES => {
            Some(("command[0]", Word::TooLong, format!("use at most {PROGRAM_BYTES} bytes")))
        }
        // It would be looked for in the directory of the run, and a repository must not name programs to run.
        Some(program) if is_relative_path(program) => {
            let hint = "write an absolute path, or a name that is looked up in the search path";
            Some(("command[0]", Word::OutOfRange, hint.to_owned()))
        }
        Some(_) => None,
    };
    match fault {
        Some((field, word, hint)) => {
            provider.fault_hint(field, word, hint);
            None
        }
        None => Some(command),
    }
}

fn is_relative_path(program: &str) -> bool {
    let path = std::path::Path::new(program);
    path.components().count() > 1 && !path.is_absolute() || program.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read_text(text: &str) -> Result<Configuration, Vec<Fault>> {
        read(&SentObject::parse(text).unwrap())
    }

    fn told(text: &str) -> Vec<String> {
        let faults = read_text(text).unwrap_err();
        faults.iter().map(|fault| format!("{} {:?}", fault.field, fault.message)).collect()
    }

    /// The faults of one provider, without the part of their paths that all have.
    fn faults_of(provider: Value) -> Vec<String> {
        let told = told(&json!({"providers": {"a": provider}}).to_string());
        told.iter().map(|fault| fault.trim_start_matches("providers.a").to_owned()).collect()
    }

    #[test]
    fn what_is_in_order_is_read_as_it_is_meant() {
        for empty in ["{}", r#"{"providers": {}}"#] {
            assert_eq!(read_text(empty), Ok(Configuration::default()));
        }
        let read = read_text(
            r#"{"providers": {"plain": {"command": ["agent"]}, "full":
               {"command": ["/bin/agent", "acp", ""], "env": {"A": "x", "B": {"from": "HOME"}}, "startMs": 1000,
                "tools": false}, "willing": {"command": ["agent"], "tools": true}}}"#,
        );
        let read = read.unwrap().providers;
        let plain = &read[&ProviderId::from_text("plain")];
        assert_eq!((plain.command.as_slice(), plain.start_ms), (["agent".to_owned()].as_slice(), START_MS));
        assert!(plain.env.is_empty());
        assert_eq!(
            (plain.tools, read[&ProviderId::from_text("willing")].tools),
            (Tools::Given, Tools::Given)
        );
        let full = &read[&ProviderId::from_text("full")];
        assert_eq!((full.command.len(), full.start_ms, full.tools), (3, 1000, Tools::Withheld));
        assert_eq!(full.env["A"], EnvValue::Text("x".to_owned()));
        assert_eq!(full.env["B"], EnvValue::From { from: "HOME".to_owned() });
    }

    #[test]
    fn every_fault_is_told() {
        let text = r#"{"providers": {"a": {"commands": ["x"], "startMs": 1}, "b": 1, " ": {"command": ["x"]}},
                       "theme": "dark", "twice": 1, "twice": 2}"#;
        assert_eq!(
            told(text),
            [
                "providers.  Required",
                "providers.a.command Required",
                "providers.a.startMs OutOfRange",
                "providers.a.commands UnknownValue",
                "providers.b WrongType",
                "theme UnknownValue",
                "twice UnknownValue"
            ]
        );
        assert_eq!(told(r#"{"providers": []}"#), ["providers WrongType"]);
        let twice = r#"{"providers": {"a": {"command": ["x"]}, "a": {"command": ["y"]}}}"#;
        assert_eq!(told(twice), ["providers.a DuplicateField"]);
        let many: BTreeMap<String, Value> =
            (0..101).map(|number| (number.to_string(), json!({"command": ["x"]}))).collect();
        assert_eq!(told(&json!({"providers": many}).to_string()), ["providers TooLong"]);
    }

    #[test]
    fn a_command_names_a_program_that_no_repository_can_put_in_its_place() {
        for (command, fault) in [
            (json!([]), ".command Required"),
            (json!([" "]), ".command[0] Required"),
            (json!(["./agent"]), ".command[0] OutOfRange"),
            (json!(["bin/agent"]), ".command[0] OutOfRange"),
            (json!(["../agent"]), ".command[0] OutOfRange"),
            (json!(["a\0"]), ".command[0] ContainsNul"),
            (json!(["x".repeat(5000)]), ".command[0] TooLong"),
            (json!(["x", "y".repeat(200_000)]), ".command TooLong"),
            (json!("agent acp"), ".command WrongType"),
            (json!(["agent", 1]), ".command[1] WrongType"),
        ] {
            assert_eq!(faults_of(json!({"command": command})), [fault], "{command}");
        }
    }

    #[test]
    fn an_environment_is_that_of_a_command() {
        for (env, fault) in [
            (json!({"A=B": "x"}), ".env.A=B OutOfRange"),
            (json!({"A": 1}), ".env.A WrongType"),
            (json!({"A": {"from": "X", "or": "Y"}}), ".env.A.or UnknownValue"),
            (json!({"A": {}}), ".env.A.from Required"),
            (json!([]), ".env WrongType"),
        ] {
            assert_eq!(faults_of(json!({"command": ["x"], "env": env})), [fault], "{env}");
        }
    }

    #[test]
    fn tools_are_given_or_not() {
        for (tools, fault) in [(json!("no"), ".tools WrongType"), (json!(null), ".tools WrongType")] {
            assert_eq!(faults_of(json!({"command": ["x"], "tools": tools})), [fault], "{tools}");
        }
    }

    #[test]
    fn values_are_not_shown() {
        let read =
            read_text(r#"{"providers": {"a": {"command": ["x", "--key=s3cret"], "env": {"A": "s3cret"}}}}"#);
        let shown = format!("{:?}", read.unwrap());
        assert!(shown.contains('A') && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn of_two_configurations_of_one_provider_the_winner_counts() {
        let read = |text: &str| read_text(text).unwrap();
        let file = read(r#"{"providers": {"a": {"command": ["1"]}, "b": {"command": ["2"]}}}"#);
        let window = read(r#"{"providers": {"b": {"command": ["3"]}, "c": {"command": ["4"]}}}"#);
        let both = file.with(&window);
        let commands: Vec<&str> = both.providers.values().map(|one| one.command[0].as_str()).collect();
        assert_eq!(commands, ["1", "3", "4"]);
    }
}
