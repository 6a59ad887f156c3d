//! What is sent, exactly as the protocol has it.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::ToolServer;

/// The only version of the protocol that is spoken here.
pub(super) const PROTOCOL_VERSION: i64 = 1;

/// What a request is answered with that is not known.
pub(super) const METHOD_NOT_FOUND: i64 = -32601;
/// What a request is answered with that asks for something that was not offered.
pub(super) const INVALID_PARAMS: i64 = -32602;
/// What a call is answered with that was cancelled.
pub(super) const REQUEST_CANCELLED: i64 = -32800;
/// What a call is answered with when somebody has to log in first.
pub(super) const AUTH_REQUIRED: i64 = -32000;

/// A call, as one line.
pub(super) fn call(id: i64, method: &str, params: &Value) -> Vec<u8> {
    line(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
}

/// A notification, as one line.
pub(super) fn notification(method: &str, params: &Value) -> Vec<u8> {
    line(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

/// The answer to a request of the agent, as one line.
pub(super) fn answer(id: &RawValue, result: &Value) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{result}}}\n", id.get()).into_bytes()
}

/// The refusal of a request of the agent, as one line.
pub(super) fn refusal(id: &RawValue, code: i64, message: &str) -> Vec<u8> {
    let error = json!({"code": code, "message": message});
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{error}}}\n", id.get()).into_bytes()
}

fn line(message: &Value) -> Vec<u8> {
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// `initialize`. The agent reads and writes files and runs programs by itself; forms can be put to a person.
pub(super) fn initialize() -> Value {
    json!({
        "protocolVersion": PROTOCOL_VERSION,
        "clientCapabilities": {
            "fs": {"readTextFile": false, "writeTextFile": false},
            "terminal": false,
            "elicitation": {"form": {}},
        },
        "clientInfo": {"name": "sexton", "title": "sexton", "version": env!("CARGO_PKG_VERSION")},
    })
}

/// `session/new`.
pub(super) fn new_session(directory: &str, tools: Option<&ToolServer>) -> Value {
    json!({"cwd": directory, "mcpServers": servers(tools)})
}

/// `session/resume` and `session/load`.
pub(super) fn known_session(session: &str, directory: &str, tools: Option<&ToolServer>) -> Value {
    json!({"sessionId": session, "cwd": directory, "mcpServers": servers(tools)})
}

/// The servers of tools that a session is to have. One that is spoken to over its stdin and stdout has no `type`.
fn servers(tools: Option<&ToolServer>) -> Vec<Value> {
    let server = |ToolServer { name, command, args, env }: &ToolServer| {
        let env: Vec<Value> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        json!({"name": name, "command": command, "args": args, "env": env})
    };
    tools.into_iter().map(server).collect()
}

/// `session/close` and `session/delete`.
pub(super) fn session(session: &str) -> Value {
    json!({"sessionId": session})
}

/// `session/set_config_option`.
pub(super) fn set_option(session: &str, option: &str, value: &str) -> Value {
    json!({"sessionId": session, "configId": option, "value": value})
}

/// `session/set_model`, which older agents have.
pub(super) fn set_model(session: &str, model: &str) -> Value {
    json!({"sessionId": session, "modelId": model})
}

/// `session/prompt`.
pub(super) fn prompt(session: &str, text: &str) -> Value {
    json!({"sessionId": session, "prompt": [{"type": "text", "text": text}]})
}

/// The answer to a request for a permission: one of its options.
pub(super) fn selected(option: &str) -> Value {
    json!({"outcome": {"outcome": "selected", "optionId": option}})
}

/// The answer to a request for a permission: the turn is over.
pub(super) fn cancelled() -> Value {
    json!({"outcome": {"outcome": "cancelled"}})
}

/// The answer to a form: filled in.
pub(super) fn accepted(content: &Map<String, Value>) -> Value {
    json!({"action": "accept", "content": content})
}

/// The answer to a form: nobody fills it in.
pub(super) fn declined() -> Value {
    json!({"action": "decline"})
}

/// The answer to a form: the turn is over.
pub(super) fn dismissed() -> Value {
    json!({"action": "cancel"})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each message that there is, named for `tests/acp_schema`, which reads them as the official types.
    #[test]
    fn what_is_sent() {
        let id: Box<RawValue> = RawValue::from_string("\"of the agent\"".to_owned()).unwrap();
        let mut content = Map::new();
        for (name, value) in [
            ("text", json!("words")),
            ("whole", json!(3)),
            ("number", json!(0.5)),
            ("yes", json!(true)),
            ("some", json!(["a", "b"])),
        ] {
            content.insert(name.to_owned(), value);
        }
        let tools = ToolServer {
            name: "tools",
            command: "/usr/bin/tools".to_owned(),
            args: vec!["serve".to_owned()],
            env: vec![("RUN".to_owned(), "run_1".to_owned())],
        };
        let calls = [
            ("initialize", initialize()),
            ("session/new", new_session("/work/project", None)),
            ("session/new", new_session("/work/project", Some(&tools))),
            ("session/resume", known_session("s", "/work/project", Some(&tools))),
            ("session/load", known_session("s", "/work/project", Some(&tools))),
            ("session/set_config_option", set_option("s", "model", "large")),
            ("session/set_model", set_model("s", "large")),
            ("session/prompt", prompt("s", "Do it.")),
            ("session/close", session("s")),
            ("session/delete", session("s")),
        ];
        let answers = [
            ("selected", selected("allow_once")),
            ("cancelled", cancelled()),
            ("accepted", accepted(&content)),
            ("declined", declined()),
            ("dismissed", dismissed()),
        ];
        let calls = calls.into_iter().map(|(method, params)| (method, call(1, method, &params)));
        let answers = answers.into_iter().map(|(name, result)| (name, answer(&id, &result)));
        let rest = [
            ("session/cancel", notification("session/cancel", &session("s"))),
            ("refusal", refusal(&id, METHOD_NOT_FOUND, "there is no such method")),
        ];
        let lines: Vec<String> = calls
            .chain(rest)
            .chain(answers)
            .map(|(name, line)| {
                let line = String::from_utf8(line).unwrap();
                let message = line.strip_suffix('\n').unwrap();
                assert!(!message.contains('\n'), "{message}");
                // What differs from version to version is not looked at.
                format!("{name} {}", message.replace(env!("CARGO_PKG_VERSION"), "VERSION"))
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
