//! Messages: requests, answers, events, and how requests are refused.

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::examples;
use super::methods::{EVERYWHERE, Method};
use crate::domain::clock::{ClockSet, Suspended};
use crate::domain::event::{KINDS, Tombstone};
use crate::domain::fault::Fault;
use crate::domain::later::{AnyAutomation, AnyRun};
use crate::domain::lifecycle::Lifecycle;
use crate::domain::provider::Provider;
use crate::domain::refusal::StorageReason;
use crate::domain::run::Run;
use crate::domain::scheduler::Owner;
use crate::rpc::errors::Kind;

/// Everything that happens, as `events/event` carries it.
pub(super) fn event(generator: &mut SchemaGenerator) -> Value {
    let mut kinds: Vec<Value> = Vec::new();
    for kind in KINDS {
        let carries = match kind {
            "automation.updated" => {
                vec![("automation", generator.subschema_for::<AnyAutomation>().to_value())]
            }
            "automation.deleted" => vec![("tombstone", generator.subschema_for::<Tombstone>().to_value())],
            "run.updated" => vec![("run", generator.subschema_for::<AnyRun>().to_value())],
            "scheduler.owner" => vec![("scheduler", generator.subschema_for::<Owner>().to_value())],
            "scheduler.suspended" => {
                vec![("scheduler", generator.subschema_for::<Suspended>().to_value())]
            }
            "scheduler.clock" => vec![("scheduler", generator.subschema_for::<ClockSet>().to_value())],
            "run.warning" => {
                vec![("run", generator.subschema_for::<Run>().to_value())]
            }
            "lifecycle.completed" | "lifecycle.failed" => {
                vec![("lifecycle", generator.subschema_for::<Lifecycle>().to_value())]
            }
            "provider.updated" => vec![("provider", generator.subschema_for::<Provider>().to_value())],
            unknown => unreachable!("{unknown} carries nothing"),
        };
        kinds.push(event_of(kind, &carries));
    }
    kinds.push(event_of(RESYNC, &[]));
    json!({"description": "Something that happened, in the order of `seq`.", "oneOf": kinds})
}

/// What is told instead of history that is not there.
const RESYNC: &str = "resync";

/// When an event of this kind is told.
fn occasion(kind: &str) -> &'static str {
    match kind {
        "automation.updated" => {
            "An automation was created, edited, paused or resumed, or what follows from its runs and its schedule has changed. The last keeps the revision, and comes directly after the `run.updated` that caused it."
        }
        "automation.deleted" => "An automation was deleted. Nothing but its runs is told of it any more.",
        "run.updated" => {
            "A run has come to another state, waits for something else, was asked to end, or has made progress (at most once a second)."
        }
        "scheduler.owner" => "Another window rings the bell.",
        "scheduler.suspended" => "The machine slept.",
        "scheduler.clock" => "The machine's clock was set.",
        "run.warning" => {
            "Something about a run wants attention: most of its budget is used, its cost is told in another currency than its budget, or not all of its output was kept."
        }
        "lifecycle.completed" => "A close has really happened.",
        "lifecycle.failed" => "A close could not be carried out; the old configuration holds.",
        "provider.updated" => "A provider offers something else, or can or cannot be given work any more.",
        RESYNC => {
            "The history after the place that was named is not there: it was pruned, or the place is another ledger's, or is none yet. List again, and go on from this `seq`."
        }
        unknown => unreachable!("nobody knows when {unknown} is told"),
    }
}

fn event_of(kind: &str, carries: &[(&str, Value)]) -> Value {
    let mut event = json!({"type": "object", "description": occasion(kind), "required": ["seq", "at", "kind", "important"], "properties": {
        "seq": {"type": "integer", "minimum": 0, "description": "Its place in the ledger."},
        "at": {"type": "integer", "description": "When it was written, in milliseconds since the epoch."},
        "kind": {"const": kind},
        "important": {"type": "boolean", "description": "Whether a person should be shown it at once."},
    }});
    if kind != RESYNC {
        let text = "What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly \
                    if the event is important. Of a `run.warning`: what, and what can be done about it.";
        event["properties"]["text"] = json!({"type": "string", "minLength": 1, "description": text});
        event["if"] = json!({"properties": {"important": {"const": true}}});
        event["then"] = json!({"required": ["text"]});
        event["else"] = json!({"not": {"required": ["text"]}});
    }
    for (name, schema) in carries {
        event["properties"][*name] = schema.clone();
        if let Some(required) = event["required"].as_array_mut() {
            required.push(json!(name));
        }
    }
    event["examples"] = json!(examples::of_event(kind));
    event
}

/// A refusal of this kind.
pub(super) fn refusal(kind: Kind, generator: &mut SchemaGenerator) -> Value {
    let (code, word) = kind.code_and_word();
    let text = json!({"type": "string"});
    let details = json!({"type": "array", "minItems": 1, "items": generator.subschema_for::<Fault>()});
    let carries: Vec<(&str, Value)> = match kind {
        Kind::InvalidAutomation => vec![("details", details)],
        Kind::NotFound => vec![("what", json!({"enum": ["automation", "run", "provider"]})), ("id", text)],
        Kind::AutomationConflict => {
            vec![("current", generator.subschema_for::<AnyAutomation>().to_value())]
        }
        Kind::ActiveRunStillRunning | Kind::BlockerGone | Kind::InsideRun => vec![("runID", text)],
        Kind::Closing | Kind::CloseFailed => vec![("lifecycleActionID", text)],
        Kind::StorageUnavailable => {
            vec![("reason", generator.subschema_for::<StorageReason>().to_value())]
        }
        Kind::InvalidParams
        | Kind::WriterBusy
        | Kind::Overloaded
        | Kind::NotInitialized
        | Kind::InvalidRequest
        | Kind::MethodNotFound
        | Kind::Internal
        | Kind::ParseError
        | Kind::Cancelled
        | Kind::RequestTooLarge
        | Kind::ResponseTooLarge => Vec::new(),
    };
    let mut data = json!({"type": "object", "required": ["kind"], "properties": {"kind": {"const": word}}});
    for (name, schema) in carries {
        data["properties"][name] = schema;
        if let Some(required) = data["required"].as_array_mut() {
            required.push(json!(name));
        }
    }
    if kind == Kind::WriterBusy {
        // What is ahead is either a run or a hold.
        data["properties"]["runID"] = json!({"type": "string"});
        data["properties"]["holdID"] = json!({"type": "string"});
        data["oneOf"] = json!([{"required": ["runID"]}, {"required": ["holdID"]}]);
    }
    if kind == Kind::InvalidParams {
        // Absent where the parameters were no object.
        data["properties"]["details"] =
            json!({"type": "array", "minItems": 1, "items": generator.subschema_for::<Fault>()});
    }
    json!({"type": "object", "description": kind.advice(), "required": ["code", "message", "data"], "properties": {
        "code": {"const": code}, "message": {"type": "string"}, "data": data}})
}

/// The kinds of refusals that a method may be answered with.
pub(super) fn refusals_of(method: &Method) -> Vec<Kind> {
    /// What may be asked before `initialize`, and so is never refused because of that.
    const AT_ANY_TIME: [&str; 3] = ["initialize", "shutdown", "rpc.discover"];
    let at_any_time = AT_ANY_TIME.contains(&method.name);
    let refusals = EVERYWHERE.iter().chain(method.refusals).copied();
    refusals.filter(|kind| !(at_any_time && *kind == Kind::NotInitialized)).collect()
}

/// What a request for a method looks like.
pub(super) fn request(method: &Method, params: &str) -> Value {
    let mut request = json!({"type": "object", "required": ["jsonrpc", "id", "method"], "properties": {
        "jsonrpc": {"const": "2.0"}, "id": {"$ref": "#/$defs/Id"}, "method": {"const": method.name},
        "params": {"anyOf": [{"$ref": format!("#/$defs/{params}")}, {"type": "null"}, {"type": "array", "items": {"type": "null"}, "maxItems": 1}]},
    }});
    let must_be_there = method.params["required"].as_array().is_some_and(|required| !required.is_empty());
    if must_be_there {
        request["required"] = json!(["jsonrpc", "id", "method", "params"]);
        request["properties"]["params"] = json!({"$ref": format!("#/$defs/{params}")});
    }
    request
}

/// What a notification of the sidecar looks like.
pub(super) fn notification(method: &str, carries: &str) -> Value {
    json!({"type": "object", "required": ["jsonrpc", "method", "params"], "additionalProperties": false, "properties": {
        "jsonrpc": {"const": "2.0"}, "method": {"const": method},
        "params": {"type": "object", "required": ["subscription", "result"], "additionalProperties": false, "properties": {
            "subscription": {"type": "string"}, "result": {"$ref": format!("#/$defs/{carries}")}}}}})
}
