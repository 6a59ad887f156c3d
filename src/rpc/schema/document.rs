//! Puts the parts together: one document of types, one of methods.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value, json};

use super::messages;
use super::methods::{Method, methods};
use crate::domain::diagnosis::DoctorReport;
use crate::domain::provider::ProviderWork;
use crate::domain::run::machine::State;
use crate::domain::sent::VALUES_MAX;
use crate::rpc::api::SUBSCRIPTIONS;
use crate::rpc::api::shapes::ChunkOnTheWire;
use crate::rpc::caller::RESTING;
use crate::rpc::envelope::{ENTRIES, ID_MAX};
use crate::rpc::errors::Kind;
use crate::rpc::initialize::PROTOCOL_VERSION;
use crate::rpc::requests::{RUNNING, WAITING};

/// Notifications of the sidecar, and what they carry.
const NOTIFICATIONS: [(&str, &str, &str); 3] = [
    ("events/event", "Event", "Something happened; for who has asked with `events/subscribe`."),
    ("output/chunk", "Chunk", "A run has written something; for who has asked with `output/subscribe`."),
    (
        "provider/work",
        "ProviderWork",
        "Something is to be done; for who serves a provider (`provider/serve`).",
    ),
];

/// Notifications that a client may send.
const CLIENT_NOTIFICATIONS: [(&str, &str); 2] = [
    ("exit", "Ends the process: exit code 0 after `shutdown`, 1 without it."),
    (
        "$/cancelRequest",
        "Cancels the request with the `id` in its parameters, unless it has begun to commit.",
    ),
];

fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.with_transform(RecursiveTransform(absent_is_not_null)).into_generator()
}

/// A field that may be absent is never null: only absence means absence.
fn absent_is_not_null(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let required: Vec<String> = match object.get("required") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) | None => Vec::new(),
    };
    let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
    for (_, field) in properties.iter_mut().filter(|(name, _)| !required.contains(name)) {
        let Some(field) = field.as_object_mut() else { continue };
        if let Some(Value::Array(types)) = field.get_mut("type") {
            types.retain(|one| one != "null");
        }
        let Some(Value::Array(mut choices)) = field.remove("anyOf") else { continue };
        choices.retain(|one| *one != json!({"type": "null"}));
        match choices.as_slice() {
            [Value::Object(only)] => field.extend(only.clone()),
            _ => drop(field.insert("anyOf".to_owned(), json!(choices))),
        }
    }
}

/// All types by name, and the schema of any message.
fn definitions() -> Map<String, Value> {
    let mut generator = generator();
    let mut own = Map::new();
    let mut messages_of_all = Vec::new();
    for method in methods() {
        let params = method.type_name("Params");
        let request = method.type_name("Request");
        own.insert(request.clone(), messages::request(&method, &params));
        own.insert(params, method.params.clone());
        let result = method.result(&mut generator).to_value();
        own.insert(method.type_name("Result"), result);
        messages_of_all.push(reference(&request));
    }
    for kind in Kind::ALL {
        own.insert(refusal_name(kind), messages::refusal(kind, &mut generator));
    }
    own.insert("Event".to_owned(), messages::event(&mut generator));
    generator.subschema_for::<ChunkOnTheWire>();
    generator.subschema_for::<ProviderWork>();
    for (method, carries, _) in NOTIFICATIONS {
        let name = format!("{carries}Notification");
        own.insert(name.clone(), messages::notification(method, carries));
        messages_of_all.push(reference(&name));
    }
    let id = json!({"description": "The identity of a request; an answer has it with the same type.",
        "type": ["string", "integer"]});
    own.insert("Id".to_owned(), id);
    own.insert("Answer".to_owned(), answer());
    messages_of_all.push(reference("Answer"));
    for (method, summary) in CLIENT_NOTIFICATIONS {
        messages_of_all.push(
            json!({"description": summary, "type": "object", "required": ["jsonrpc", "method"],
            "not": {"required": ["id"]},
            "properties": {"jsonrpc": {"const": "2.0"}, "method": {"const": method}}}),
        );
    }
    own.insert("Message".to_owned(), json!({"anyOf": messages_of_all}));
    let mut types = generator.take_definitions(true);
    if let Some(run) = types.get_mut("Run") {
        run["allOf"] = what_belongs_to_each_state();
    }
    own.extend(types);
    own
}

/// Fields that belong to one state of a run exist only in that state.
fn what_belongs_to_each_state() -> Value {
    let is = |states: &[State]| {
        let words: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        json!({"properties": {"state": {"enum": words}}})
    };
    let there = |name: &str| json!({"properties": {name: {"not": {"type": "null"}}}, "required": [name]});
    let nothing = |name: &str| json!({"properties": {name: {"type": "null"}}});
    let absent = |name: &str| json!({"properties": {name: false}});
    let active: Vec<State> = State::ALL.into_iter().filter(|state| state.is_active()).collect();
    json!([
        {"if": is(&[State::Succeeded]), "then": there("result"), "else": nothing("result")},
        {"if": is(&[State::Failed]), "then": there("error"), "else": nothing("error")},
        {"if": is(&[State::Stopped]), "then": there("stopReason"), "else": absent("stopReason")},
        {"if": is(&[State::AwaitingInput]), "then": there("blocker"), "else": absent("blocker")},
        {"if": is(&[State::Scheduled]), "then": nothing("startedAt"), "else": absent("waiting")},
        {"if": is(&[State::Running, State::AwaitingInput]), "then": there("startedAt")},
        {"if": is(&active), "then": nothing("completedAt"), "else": there("completedAt")},
        {"if": is(&active), "then": nothing("end"), "else": nothing("stopping")},
    ])
}

fn answer() -> Value {
    let refusals: Vec<Value> = Kind::ALL.into_iter().map(|kind| reference(&refusal_name(kind))).collect();
    json!({"description": "The answer to a request. What `result` is depends on the method.", "type": "object",
        "required": ["jsonrpc", "id"], "additionalProperties": false,
        "oneOf": [{"required": ["result"]}, {"required": ["error"]}],
        "properties": {"jsonrpc": {"const": "2.0"}, "id": {"anyOf": [reference("Id"), {"type": "null"}]},
            "result": true, "error": {"oneOf": refusals}}})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn refusal_name(kind: Kind) -> String {
    let (_, word) = kind.code_and_word();
    let mut name = String::from("Refused");
    for part in word.split('_') {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

pub(super) fn protocol() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The messages of sexton",
        "description": "Any message of the protocol. `…Params`, `…Result` and `Refused…` are the parts of requests and answers.",
        "version": PROTOCOL_VERSION,
        "anyOf": [reference("Message"), {"type": "array", "minItems": 1, "items": reference("Message")}],
        "$defs": definitions(),
    })
}

/// What `sexton doctor --json` prints. It goes to whoever has started it, not over the protocol.
pub(super) fn doctor() -> Value {
    let mut schema = generator().into_root_schema_for::<DoctorReport>().to_value();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("What `sexton doctor --json` prints");
    schema
}

pub(super) fn openrpc() -> Value {
    let mut errors = Map::new();
    let mut generator = generator();
    for kind in Kind::ALL {
        let (code, word) = kind.code_and_word();
        let data = messages::refusal(kind, &mut generator)["properties"]["data"].take();
        let described = json!({"code": code, "message": word, "data": data, "x-description": kind.advice()});
        errors.insert(word.to_owned(), described);
    }
    let notifications: Vec<Value> = NOTIFICATIONS
        .iter()
        .map(|(method, carries, summary)| {
            let message = reference(&format!("{carries}Notification"));
            json!({"name": method, "summary": summary, "message": message, "result": reference(carries)})
        })
        .collect();
    let client_notifications: Vec<Value> = CLIENT_NOTIFICATIONS
        .iter()
        .map(|(method, summary)| json!({"name": method, "summary": summary}))
        .collect();
    let document = json!({
        "openrpc": "1.3.2",
        "info": {"title": "sexton", "version": PROTOCOL_VERSION.to_string(),
            "description": "JSON-RPC 2.0 on stdin and stdout, in the framing of language servers or one value per line.",
            "license": {"name": env!("CARGO_PKG_LICENSE")}},
        "methods": methods().iter().map(described).collect::<Vec<_>>(),
        "x-limits": limits(),
        "x-notifications": notifications,
        "x-client-notifications": client_notifications,
        "components": {"schemas": definitions(), "errors": errors},
    });
    in_components(document)
}

/// What holds for the conversation as a whole.
fn limits() -> Value {
    json!({
        "requestsRunning": RUNNING, "requestsWaiting": WAITING, "requestsResting": RESTING, "messageValues": VALUES_MAX,
        "batchEntries": ENTRIES,
        "subscriptions": SUBSCRIPTIONS, "idBytes": ID_MAX,
        "integers": "Whole numbers, also where they are written as 60000.0 or 6e4.",
        "batches": "Subscriptions are refused inside a batch; its answers come in the order in which they are ready.",
        "messages": "`limits.maxMessageBytes` holds in both directions.",
    })
}

fn described(method: &Method) -> Value {
    let required = method.params["required"].as_array().cloned().unwrap_or_default();
    let properties = method.params["properties"].as_object().into_iter().flatten();
    let params: Vec<Value> = properties
        .map(|(name, schema)| json!({"name": name, "required": required.contains(&json!(name)), "schema": schema}))
        .collect();
    let errors: Vec<Value> = messages::refusals_of(method)
        .into_iter()
        .map(|kind| json!({"$ref": format!("#/components/errors/{}", kind.code_and_word().1)}))
        .collect();
    let example = |(number, params): (usize, &Value)| {
        let params: Vec<Value> = params
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        json!({"name": format!("{} {}", method.name, number + 1), "params": params})
    };
    json!({
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "by-name",
        "params": params,
        "x-params": reference(&method.type_name("Params")),
        "result": {"name": "result", "schema": reference(&method.type_name("Result"))},
        "errors": errors,
        "examples": method.examples.iter().enumerate().map(example).collect::<Vec<_>>(),
    })
}

/// The same document with its references to where OpenRPC keeps types.
fn in_components(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if let (Value::String(target), "$ref") = (&mut *member, name.as_str()) {
                    *target = target.replace("#/$defs/", "#/components/schemas/");
                } else {
                    *member = in_components(member.take());
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = in_components(item.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}
