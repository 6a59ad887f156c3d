//! A host: what an agent runs in, and what calls tools for its model.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, CallToolResult, Tool};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{ServiceError, ServiceExt};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::client::Client;
use crate::support::{DEADLINE, Place};

/// A conversation with `sexton mcp`. When it goes, so does the server.
pub(crate) struct Host {
    runtime: Runtime,
    service: Option<RunningService<RoleClient, ()>>,
    tools: Vec<Tool>,
    pub(crate) pid: u32,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) text: String,
    pub(crate) structure: Value,
}

/// The command, for this place and nothing else of whoever tests.
pub(crate) fn mcp(place: &Place) -> Command {
    mcp_of(place, Path::new(env!("CARGO_BIN_EXE_sexton")))
}

/// The same, of another copy of the binary.
pub(crate) fn mcp_of(place: &Place, binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for name in ["SEXTON_LOG", "SEXTON_RUN_ID", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    command.env("SEXTON_STATE_DIR", place.state()).env("XDG_CONFIG_HOME", place.configuration());
    command.env("TZ", "Europe/Berlin").current_dir(place.beside(""));
    command.args(["mcp", "--project"]).arg(place.project());
    command
}

impl Host {
    pub(crate) fn at(place: &Place) -> Host {
        Host::of(mcp(place))
    }

    /// One that works for a run, as an agent that it has started does.
    pub(crate) fn inside(place: &Place, run: &Value) -> Host {
        let mut command = mcp(place);
        command.env("SEXTON_RUN_ID", run["id"].as_str().or(run.as_str()).unwrap());
        Host::of(command)
    }

    pub(crate) fn of(command: Command) -> Host {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let begun = runtime.block_on(async {
            let process = TokioChildProcess::new(tokio::process::Command::from(command)).unwrap();
            let pid = process.id().unwrap();
            let service = in_time(().serve(process)).await.expect("a conversation");
            let tools = in_time(service.list_all_tools()).await.expect("tools");
            (service, tools, pid)
        });
        let (service, tools, pid) = begun;
        Host { runtime, service: Some(service), tools, pid }
    }

    pub(crate) fn service(&self) -> &RunningService<RoleClient, ()> {
        self.service.as_ref().unwrap()
    }

    pub(crate) fn tool(&self, name: &str) -> &Tool {
        self.tools.iter().find(|tool| tool.name == name).unwrap()
    }

    /// Waits for what the conversation is to bring.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(in_time(work))
    }

    /// Calls a tool, whatever comes of it.
    pub(crate) fn ask(&self, tool: &'static str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        let arguments = arguments.as_object().expect("an object").clone();
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        self.wait(self.service().call_tool(request))
    }

    /// What a call that is to succeed came to.
    pub(crate) fn call(&self, tool: &'static str, arguments: Value) -> Called {
        let (called, is_error) = self.called(tool, arguments);
        assert!(!is_error, "{}", called.text);
        called
    }

    /// What a call that is to fail was told.
    pub(crate) fn mistake(&self, tool: &'static str, arguments: Value) -> Called {
        let (called, is_error) = self.called(tool, arguments);
        assert!(is_error, "{}", called.text);
        called
    }

    pub(crate) fn automate(&self, arguments: Value) -> Called {
        self.call("automate", arguments)
    }

    pub(crate) fn manage(&self, arguments: Value) -> Called {
        self.call("automate_manage", arguments)
    }

    fn called(&self, tool: &'static str, arguments: Value) -> (Called, bool) {
        let result = self.ask(tool, arguments).expect("no error of the protocol");
        let text = result.content.first().and_then(|block| block.as_text()).expect("a text").text.clone();
        let structure = result.structured_content.expect("a structure");
        let schema = Value::Object(self.tool(tool).output_schema.as_ref().unwrap().as_ref().clone());
        jsonschema::validator_for(&schema).unwrap().validate(&structure).unwrap_or_else(|error| {
            panic!("{structure} is not as declared: {error}");
        });
        (Called { text, structure }, result.is_error == Some(true))
    }

    /// Ends the conversation as the SDK does, and waits for the server's end.
    pub(crate) fn finish(mut self) {
        let service = self.service.take().unwrap();
        self.runtime.block_on(in_time(service.cancel())).expect("an end");
    }
}

impl Called {
    /// The id of the one automation that it is about.
    pub(crate) fn id(&self) -> Value {
        let one = self.structure.get("automation").unwrap_or(&self.structure["automations"][0]);
        one["id"].clone()
    }

    /// The arguments that are to be changed.
    pub(crate) fn problems(&self) -> Vec<&str> {
        let problems = self.structure["problems"].as_array().unwrap();
        problems.iter().map(|problem| problem["argument"].as_str().unwrap()).collect()
    }

    pub(crate) fn says(&self, part: &str) {
        assert!(self.text.contains(part), "{part:?} is not in: {}", self.text);
    }
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    // The limits within are the server's own; this one only keeps a test from hanging.
    const PATIENCE: Duration = DEADLINE.saturating_mul(2);
    tokio::time::timeout(PATIENCE, work).await.expect("an answer in time")
}

/// The automation as a window is shown it.
pub(crate) fn automation(client: &mut Client, id: &Value) -> Value {
    client.get("automation/get", json!({"id": id}))
}
