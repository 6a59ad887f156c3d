//! Each message that sexton says to agents is one of the official types, and nothing of it is unknown to them.

#![cfg(test)]

use agent_client_protocol_schema::v1::{
    CancelNotification, CloseSessionRequest, CreateElicitationResponse, DeleteSessionRequest, Error,
    InitializeRequest, LoadSessionRequest, NewSessionRequest, PromptRequest, RequestPermissionResponse,
    ResumeSessionRequest, SetSessionConfigOptionRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What the unit test `what_is_sent` of `src/exec/acp/wire.rs` has written.
const SENT: &str =
    include_str!("../../src/exec/acp/snapshots/sexton__exec__acp__wire__tests__what_is_sent.snap");

/// The messages by their names. The snapshot begins with a header between two lines of its own.
fn sent() -> Vec<(&'static str, Value)> {
    let body = SENT.splitn(3, "---\n").nth(2).expect("a header");
    let lines = body.lines().map(|line| line.split_once(' ').expect("a name"));
    lines.map(|(name, message)| (name, serde_json::from_str(message).expect("a message"))).collect()
}

/// What such a type keeps of it. The types are lenient: what they do not know or cannot read they leave out.
fn read<T: DeserializeOwned + Serialize>(value: &Value) -> Value {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"));
    serde_json::to_value(read).expect("it can be written")
}

/// Whether everything that one says is said by the other as well. A list of no servers may be left out.
fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            let is_said = |name: &str, value: &Value| match whole.get(name) {
                Some(other) => is_within(value, other),
                None => value.as_array().is_some_and(Vec::is_empty) && name == "mcpServers",
            };
            part.iter().all(|(name, value)| is_said(name, value))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(one, other)| is_within(one, other))
        }
        (part, whole) => part == whole,
    }
}

#[test]
fn what_is_sent_is_known_to_the_official_types() {
    let sent = sent();
    assert_eq!(sent.len(), 17);
    for (name, message) in &sent {
        assert_eq!(message["jsonrpc"], "2.0");
        let params = &message["params"];
        let (part, kept) = match *name {
            "initialize" => (params, read::<InitializeRequest>(params)),
            "session/new" => (params, read::<NewSessionRequest>(params)),
            "session/resume" => (params, read::<ResumeSessionRequest>(params)),
            "session/load" => (params, read::<LoadSessionRequest>(params)),
            "session/set_config_option" => (params, read::<SetSessionConfigOptionRequest>(params)),
            "session/prompt" => (params, read::<PromptRequest>(params)),
            "session/close" => (params, read::<CloseSessionRequest>(params)),
            "session/delete" => (params, read::<DeleteSessionRequest>(params)),
            "session/cancel" => (params, read::<CancelNotification>(params)),
            // The official types do not have it any more; older agents know nothing else.
            "session/set_model" => continue,
            "selected" | "cancelled" => {
                (&message["result"], read::<RequestPermissionResponse>(&message["result"]))
            }
            "accepted" | "declined" | "dismissed" => {
                (&message["result"], read::<CreateElicitationResponse>(&message["result"]))
            }
            "refusal" => (&message["error"], read::<Error>(&message["error"])),
            other => panic!("{other} is not known here"),
        };
        assert!(is_within(part, &kept), "of {name}, {part}, only {kept} is known");
        if message.get("id").is_some() && name.contains('/') {
            assert_eq!(message["method"], *name);
        }
    }
}

#[test]
fn what_is_unknown_to_a_type_is_seen() {
    let odd = serde_json::json!({"cwd": "/", "mcpServers": [], "mcpServer": []});
    assert!(!is_within(&odd, &read::<NewSessionRequest>(&odd)));
    let wrong =
        serde_json::json!({"protocolVersion": 1, "clientCapabilities": {"elicitation": {"forms": {}}}});
    assert!(!is_within(&wrong, &read::<InitializeRequest>(&wrong)));
}
