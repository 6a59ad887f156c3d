//! The server: two tools, over one project.

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestMethod, CallToolRequestParams, CallToolResponse, CallToolResult, ConstString,
    CustomRequest, CustomResult, ErrorCode, Implementation, JsonObject, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use super::answer::{Answer, Automate, Manage};
use super::project::{Project, Trouble};
use super::spoken::by_the_clock;
use super::{automate, manage};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// What a host tells a model about the tools together.
const INSTRUCTIONS: &str = "Automations of this project: reminders, prompts for coding agents and commands that happen by themselves at their time, kept by sexton on this machine. `automate` creates one, `automate_manage` looks at them and manages them. Tell the user what the answers say, in the user's own words; times are told by the clocks of the zone that is named.";

/// The calls that are worked on at once. A model makes a few; more are a mistake, and are told so.
const AT_ONCE: usize = 16;

/// Answers calls.
pub(super) struct Server {
    project: Arc<Project>,
    /// Tells the time.
    clock: fn() -> Timestamp,
    room: Semaphore,
    /// Whether nobody can ask anything more.
    over: watch::Receiver<bool>,
}

impl Server {
    pub(super) fn new(
        project: Arc<Project>,
        clock: fn() -> Timestamp,
        over: watch::Receiver<bool>,
    ) -> Server {
        Server { project, clock, room: Semaphore::new(AT_ONCE), over }
    }

    async fn answer(&self, tool: Called, arguments: Option<JsonObject>) -> Answer {
        let Ok(_room) = self.room.try_acquire() else {
            let why =
                format!("{AT_ONCE} calls are worked on already; wait for their answers and call again.");
            return tool.sentence(why, (self.clock)());
        };
        match self.ask(tool, arguments).await {
            Ok(answer) => answer,
            Err(Trouble::Refused(why) | Trouble::Gone(why)) => tool.sentence(why, (self.clock)()),
        }
    }

    /// The same, unless nobody hears the answer any more.
    async fn answer_while_heard(
        &self,
        tool: Called,
        arguments: Option<JsonObject>,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResult {
        let answer = tokio::select! {
            answer = self.answer(tool, arguments) => answer,
            () = context.ct.cancelled() => {
                tool.sentence("The call was cancelled.".to_owned(), (self.clock)())
            }
        };
        answer.result()
    }

    async fn ask(&self, tool: Called, arguments: Option<JsonObject>) -> Result<Answer, Trouble> {
        let open = self.project.open().await?;
        let now = (self.clock)();
        match tool {
            Called::Automate => automate::call(&open, arguments, now).await,
            Called::Manage => manage::call(&open, arguments, now, self.is_over()).await,
        }
    }

    async fn is_over(&self) {
        // Whoever would say so has gone with it.
        let _ = self.over.clone().wait_for(|over| *over).await;
    }
}

fn unknown(tool: &str) -> ErrorData {
    let why = format!("there is no tool {tool:?}; there are `automate` and `automate_manage`");
    ErrorData::invalid_params(why, None)
}

/// Arguments that were sent as the text of an object, as some models do; otherwise what was sent.
fn object_in(arguments: Value) -> Result<JsonObject, &'static str> {
    match arguments {
        Value::Object(arguments) => Ok(arguments),
        Value::String(text) => serde_json::from_str(&text).map_err(|_| "a text"),
        Value::Array(_) => Err("a list"),
        Value::Null => Err("null"),
        Value::Bool(_) => Err("true or false"),
        Value::Number(_) => Err("a number"),
    }
}

/// Which tool is called.
#[derive(Clone, Copy)]
enum Called {
    Automate,
    Manage,
}

impl Called {
    fn named(name: &str) -> Option<Called> {
        match name {
            automate::NAME => Some(Called::Automate),
            manage::NAME => Some(Called::Manage),
            _ => None,
        }
    }

    /// That nothing came of a call, and why.
    fn sentence(self, why: String, now: Timestamp) -> Answer {
        let now = by_the_clock(&Zone::machine(), now);
        match self {
            Called::Automate => {
                Answer::wrong(&Automate { message: why.clone(), now, ..Automate::default() }, why)
            }
            Called::Manage => Answer::wrong(&Manage { message: why.clone(), now, ..Manage::default() }, why),
        }
    }

    fn tool(self) -> Tool {
        match self {
            Called::Automate => automate::tool(),
            Called::Manage => manage::tool(),
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let itself = Implementation::new("sexton", env!("CARGO_PKG_VERSION")).with_title("sexton");
        ServerConfig::new(capabilities).with_server_info(itself).with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![Called::Automate.tool(), Called::Manage.tool()]))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        Called::named(name).map(Called::tool)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = Called::named(&request.name).ok_or_else(|| unknown(&request.name))?;
        Ok(self.answer_while_heard(tool, request.arguments, &context).await.into())
    }

    /// What the SDK does not know as a request of the protocol: among it a call whose arguments are no object.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let CustomRequest { method, params, .. } = request;
        if method != CallToolRequestMethod::VALUE {
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None));
        }
        let mut params = params.unwrap_or_default();
        let Some(name) = params["name"].as_str() else {
            return Err(ErrorData::invalid_params("a call names its tool in `name`", None));
        };
        let tool = Called::named(name).ok_or_else(|| unknown(name))?;
        let result = match object_in(params["arguments"].take()) {
            Ok(arguments) => self.answer_while_heard(tool, Some(arguments), &context).await,
            Err(what) => {
                let why = format!(
                    "Nothing was done. `arguments` is to be an object, not {what}: send the arguments by their names, as the tool's schema has them."
                );
                tool.sentence(why, (self.clock)()).result()
            }
        };
        let unwritable = |error: serde_json::Error| ErrorData::internal_error(error.to_string(), None);
        serde_json::to_value(result).map(CustomResult::new).map_err(unwritable)
    }
}
