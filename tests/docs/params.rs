//! Params of methods: they hold by the schema, and are granted.

use serde_json::{Value, json};
use sexton::rpc::schema;

use crate::blocks::Block;
use crate::example::Wish;
use crate::reader::Reader;
use crate::support::contract::type_name;
use crate::window::Window;

/// Sends them to a fresh sidecar.
pub(crate) fn check(block: &Block, method: &str, wish: Wish) -> Result<(), String> {
    let reader = Reader::new();
    let text = reader.at_home(&block.content);
    let mut params: Value = serde_json::from_str(&text).map_err(|error| format!("no JSON: {error}"))?;
    if wish == Wish::Drafted {
        params["dryRun"] = json!(true);
    }
    hold(&type_name(method, "Params"), &params)?;
    let mut window = Window::start(&reader);
    if method == "initialize" {
        return window.ask(method, &params).map(|_| ());
    }
    window.ask("initialize", &json!({"initializationOptions": {"limits": {"minIntervalMs": 1000}}}))?;
    if let Some(offer) = offer(&params["task"]) {
        window.ask("provider/serve", &offer)?;
    }
    window.ask(method, &params).map(|_| ())
}

/// A prompt is for an agent, which an example names and nobody has here: this window offers what is asked for.
fn offer(task: &Value) -> Option<Value> {
    let model = task.get("model")?;
    let variants: Vec<&Value> = task.get("variant").into_iter().collect();
    let models = json!([{"id": model["modelID"], "variants": variants}]);
    Some(json!({"id": model["providerID"], "models": models}))
}

/// Holds the block against a type of the contract's.
pub(crate) fn check_value(block: &Block, type_name: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(&block.content).map_err(|error| format!("no JSON: {error}"))?;
    hold(type_name, &value)
}

/// Holds a value against a type of the published schema.
fn hold(type_name: &str, value: &Value) -> Result<(), String> {
    let mut document = schema::protocol();
    if document["$defs"].get(type_name).is_none() {
        return Err(format!("the schema has no type {type_name}"));
    }
    let wanted = json!({"$ref": format!("#/$defs/{type_name}"), "$defs": document["$defs"].take()});
    let validator = jsonschema::validator_for(&wanted).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("no {type_name}: {}", faults.join("\n"))) }
}
