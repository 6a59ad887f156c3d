//! What a client says of itself at first, and what it is told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::limits;
use crate::domain::configuration::{self, Configuration};
use crate::domain::fault::{Fault, Word};
use crate::domain::fields::{Faults, Fields};
use crate::domain::id::{InstanceId, LedgerId};
use crate::domain::scheduler::{Limits, Role};
use crate::domain::sent::{Sent, SentObject};
use crate::domain::worktree::Vcs;

/// What a client says of itself. Fields of the language-server shape that mean nothing here are not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InitializeParams {
    /// The process that this sidecar works for: when it has gone, the sidecar goes too.
    pub process: Option<u32>,
    /// What it calls itself.
    pub client: Option<String>,
    /// The project's directory, or a `file:` address of it, in the order in which they are to be tried; the
    /// first one counts, and the working directory if there is none.
    pub directory: Option<Directory>,
    /// What this window does beside answering.
    pub role: Role,
    /// Where ledgers are kept, instead of the usual place.
    pub state_directory: Option<String>,
    /// What is added to the environment of processes that this window starts.
    pub environment: BTreeMap<String, String>,
    /// The agents that this window configures for itself: they win over those of the user's configuration file.
    pub configuration: Configuration,
    /// What becomes of changes of the user's configuration file.
    pub config_file: ConfigFile,
    /// This window's limits.
    pub limits: Limits,
}

/// What becomes of changes of the user's configuration file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConfigFile {
    /// Each is a reload of the window.
    #[default]
    Followed,
    /// They count from the next reload that somebody asks for.
    ReadWhenAsked,
}

/// How a client named the project's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// The field that named it, for refusals.
    pub field: &'static str,
    /// What the field holds.
    pub named: Named,
}

/// A directory's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A path.
    Path(String),
    /// A `file:` address.
    Address(String),
}

/// What a client is told.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of the contract, section 2")]
pub struct InitializeResult {
    pub protocol_version: u32,
    pub server_info: ServerInfo,
    pub capabilities: Capabilities,
    #[serde(rename = "instanceID")]
    pub instance_id: InstanceId,
    #[serde(rename = "ledgerID")]
    pub ledger_id: LedgerId,
    pub project: Project,
    pub state_directory: String,
    pub scheduler: SchedulerRole,
    pub seq: i64,
    pub time_zone_data: TimeZoneData,
    pub warnings: Vec<String>,
}

/// The longest path, in characters; no system here allows a longer one.
pub const PATH_MAX: usize = 4096;

/// The version of the contract.
pub const PROTOCOL_VERSION: u32 = 1;

/// Who answers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the contract, section 2")]
pub struct ServerInfo {
    pub name: &'static str,
    pub version: &'static str,
}

/// What this version can do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the contract, section 2")]
pub struct Capabilities {
    pub methods: Vec<&'static str>,
    pub tasks: Vec<&'static str>,
    pub features: Vec<&'static str>,
}

/// The project that is open.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the contract, section 2")]
pub struct Project {
    pub id: String,
    pub directory: String,
    pub vcs: Option<Vcs>,
}

/// Whether this sidecar rings the bell.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the contract, section 2")]
pub struct SchedulerRole {
    pub owner: bool,
}

/// Which zone data is in use.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the contract, section 2")]
pub struct TimeZoneData {
    pub version: String,
    pub source: String,
}

/// Reads what a client says of itself.
///
/// # Errors
/// All faults at once.
pub fn read(params: &SentObject) -> Result<InitializeParams, Vec<Fault>> {
    let faults = Faults::new();
    let mut fields = Fields::root(params, &faults);
    let process = fields.nullable_integer("processId", 0..=i64::from(u32::MAX)).flatten();
    let process = process.and_then(|pid| u32::try_from(pid).ok());
    let client = fields.nullable_object("clientInfo").and_then(|mut info| read_client(&mut info));
    let root = fields.nullable_text("rootUri");
    let folder = first_folder(&mut fields);
    let mut read = InitializeParams { process, client, ..InitializeParams::default() };
    let mut named = None;
    if let Some(mut options) = fields.nullable_object("initializationOptions") {
        named = options.short_text("projectDirectory", PATH_MAX).map(|path| Directory {
            field: "initializationOptions.projectDirectory",
            named: Named::Path(path.to_owned()),
        });
        read_options(&mut options, &mut read);
        options.finish(Word::UnknownValue, |_| None);
    }
    let by_address = |field, address: Option<&str>| {
        address.map(|address| Directory { field, named: Named::Address(address.to_owned()) })
    };
    read.directory = named
        .or_else(|| by_address("rootUri", root))
        .or_else(|| by_address("workspaceFolders[0].uri", folder));
    match faults.take() {
        faults if faults.is_empty() => Ok(read),
        faults => Err(faults),
    }
}

fn read_client(info: &mut Fields<'_>) -> Option<String> {
    /// As much of a client's name as is kept.
    const KEPT: usize = 100;
    let name = info.text("name")?;
    let name = match info.nullable_text("version") {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    };
    Some(name.chars().take(KEPT).collect())
}

fn first_folder<'a>(fields: &mut Fields<'a>) -> Option<&'a str> {
    let folders = fields.nullable("workspaceFolders")?;
    let Sent::List(folders) = folders else {
        fields.fault_hint("workspaceFolders", Word::WrongType, "write a list of folders, or null");
        return None;
    };
    let Some(first) = folders.first()?.as_object() else {
        fields.fault_hint("workspaceFolders[0]", Word::WrongType, "write an object with a `uri`");
        return None;
    };
    let uri = first.get("uri").and_then(Sent::as_text);
    if uri.is_none() {
        let word = if first.get("uri").is_some() { Word::WrongType } else { Word::Required };
        fields.fault("workspaceFolders[0].uri", word);
    }
    uri
}

fn read_options(options: &mut Fields<'_>, read: &mut InitializeParams) {
    let roles = [("participant", Role::Participant), ("observer", Role::Observer)];
    read.role = options.choice("role", &roles).unwrap_or_default();
    read.state_directory = options.short_text("stateDirectory", PATH_MAX).map(str::to_owned);
    if let Some(environment) = options.object("environment") {
        for (name, value) in environment.entries() {
            let sound = !name.is_empty() && !name.contains(['=', '\0']);
            match value {
                Sent::Text(value) if sound && !value.contains('\0') => {
                    read.environment.insert(name.to_owned(), value.clone());
                }
                Sent::Text(value) if value.contains('\0') => environment.fault(name, Word::ContainsNul),
                Sent::Text(_) => environment.fault(name, Word::OutOfRange),
                Sent::Flawed(flaw) => environment.flawed(name, *flaw),
                Sent::Null | Sent::Boolean(_) | Sent::Number(_) | Sent::List(_) | Sent::Object(_) => {
                    environment.fault_hint(name, Word::WrongType, "write a text");
                }
            }
        }
    }
    read.configuration = configuration::read_providers(options);
    if let Some(follows) = options.boolean("followConfigFile") {
        read.config_file = if follows { ConfigFile::Followed } else { ConfigFile::ReadWhenAsked };
    }
    if let Some(mut limits) = options.object("limits") {
        limits::read(&mut limits, &mut read.limits);
        limits.finish(Word::UnknownValue, |_| None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sent(params: &Value) -> SentObject {
        Sent::from(params).as_object().unwrap().clone()
    }

    fn words(params: Value) -> Vec<String> {
        let faults = read(&sent(&params)).unwrap_err();
        faults.iter().map(|fault| format!("{} {:?}", fault.field, fault.message)).collect()
    }

    #[test]
    fn what_a_language_client_sends_is_understood() {
        let params = json!({
            "processId": 7, "clientInfo": {"name": "edit", "version": "1.2"}, "rootPath": "/x",
            "rootUri": "file:///a%20b", "workspaceFolders": [{"uri": "file:///c", "name": "c"}],
            "capabilities": {"workspace": {}}, "trace": "off", "initializationOptions": null,
        });
        let read = read(&sent(&params)).unwrap();
        assert_eq!((read.process, read.client.as_deref()), (Some(7), Some("edit 1.2")));
        let directory = read.directory.unwrap();
        assert_eq!(directory.named, Named::Address("file:///a%20b".to_owned()));
        assert_eq!(read.limits, Limits::default());
    }

    #[test]
    fn the_projects_own_option_wins() {
        let params = json!({"rootUri": "file:///a", "initializationOptions": {"projectDirectory": "/b"}});
        let read = read(&sent(&params)).unwrap();
        assert_eq!(read.directory.unwrap().named, Named::Path("/b".to_owned()));
    }

    #[test]
    fn the_configuration_file_is_followed_unless_the_client_says_otherwise() {
        let follows =
            |options: Value| read(&sent(&json!({"initializationOptions": options}))).unwrap().config_file;
        assert_eq!(follows(json!({})), ConfigFile::Followed);
        assert_eq!(follows(json!({"followConfigFile": true, "providers": {}})), ConfigFile::Followed);
        assert_eq!(follows(json!({"followConfigFile": false})), ConfigFile::ReadWhenAsked);
    }

    #[test]
    fn what_is_not_built_is_refused_and_every_fault_is_told() {
        let options = json!({"role": "owner", "projectDirectory": "", "providers": {"a": {}},
            "followConfigFile": "yes", "environment": {"A=": "x", "B": 1}, "surprise": 1,
            "limits": {"standbyMs": 5, "stableWakeMs": 10000, "graceMs": -1, "eventHistory": -1,
                "other": 1}});
        let found = words(json!({"processId": "x", "initializationOptions": options}));
        insta::assert_snapshot!(found.join("\n"), @r"
        processId WrongType
        initializationOptions.projectDirectory Required
        initializationOptions.role UnknownValue
        initializationOptions.environment.A= OutOfRange
        initializationOptions.environment.B WrongType
        initializationOptions.providers.a.command Required
        initializationOptions.followConfigFile WrongType
        initializationOptions.limits.graceMs OutOfRange
        initializationOptions.limits.standbyMs OutOfRange
        initializationOptions.limits.eventHistory OutOfRange
        initializationOptions.limits.other UnknownValue
        initializationOptions.surprise UnknownValue
        ");
    }
}
