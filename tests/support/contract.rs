//! Checks every message of every conversation against the published schema.
//!
//! What the sidecar writes may have no member that the schema does not name, which the published document leaves
//! open for the sake of older clients: here its objects are closed.

use std::collections::HashMap;
use std::sync::OnceLock;

use jsonschema::ValidatorMap;
use serde_json::{Value, json};
use sexton::rpc::schema;

/// A request that was sent and not answered yet.
pub(crate) struct Asked {
    method: String,
    /// What the schema says against it.
    faults: Option<String>,
    /// Whether its parameters are a list: what refuses that names none of them.
    by_position: bool,
}

struct Contract {
    types: ValidatorMap,
    /// The refusals that each method documents.
    refusals: HashMap<String, Vec<String>>,
}

fn contract() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(|| {
        let mut document = schema::protocol();
        close(&mut document, Place::Part);
        for (_, definition) in document["$defs"].as_object_mut().expect("types") {
            close(definition, Place::Value);
        }
        let types = jsonschema::validator_map_for(&document).expect("a sound schema");
        let described = schema::openrpc();
        let words = |method: &Value| {
            let errors = method["errors"].as_array().expect("errors").iter();
            errors
                .map(|one| {
                    one["$ref"].as_str().expect("a reference").rsplit('/').next().expect("a word").to_owned()
                })
                .collect()
        };
        let methods = described["methods"].as_array().expect("methods").iter();
        let refusals =
            methods.map(|one| (one["name"].as_str().expect("a name").to_owned(), words(one))).collect();
        Contract { types, refusals }
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A schema that a whole value has to meet.
    Value,
    /// One of several that a value has to meet together.
    Part,
}

/// Lets objects have only the members that a schema names.
fn close(schema: &mut Value, place: Place) {
    let Some(members) = schema.as_object_mut() else { return };
    for (keyword, inner) in members.iter_mut() {
        let each = |inner: &mut Value, place| {
            let parts = inner.as_array_mut().into_iter().flatten();
            parts.for_each(|one| close(one, place));
            let named = inner.as_object_mut().into_iter().flatten();
            named.for_each(|(_, one)| close(one, place));
        };
        match keyword.as_str() {
            "properties" => each(inner, Place::Value),
            "items" | "additionalProperties" => close(inner, Place::Value),
            "oneOf" | "anyOf" | "allOf" => each(inner, Place::Part),
            _ => {}
        }
    }
    let has_members = |schema: &Value| schema.get("properties").is_some();
    let is_object = members.contains_key("properties")
        || members.get("oneOf").and_then(Value::as_array).is_some_and(|parts| parts.iter().all(has_members));
    let open = !members.contains_key("additionalProperties");
    if place == Place::Value && is_object && open {
        members.insert("unevaluatedProperties".to_owned(), json!(false));
    }
}

/// What the schema says against a value of a type.
fn faults(type_name: &str, value: &Value) -> Option<String> {
    let validator = contract().types.get(&format!("#/$defs/{type_name}"));
    let validator = validator.unwrap_or_else(|| panic!("the schema has no type {type_name}"));
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    (!errors.is_empty()).then(|| errors.join("\n"))
}

/// `automation/create` and `Params` make `AutomationCreateParams`.
pub(crate) fn type_name(method: &str, what: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    method.split(['/', '.']).map(capital).collect::<String>() + what
}

/// The requests in a message, by their ids as they are written.
pub(crate) fn requests(message: &str) -> Vec<(String, Asked)> {
    let Ok(message) = serde_json::from_str::<Value>(message) else { return Vec::new() };
    match message.as_array() {
        Some(batch) => batch.iter().filter_map(request).collect(),
        None => request(&message).into_iter().collect(),
    }
}

fn request(message: &Value) -> Option<(String, Asked)> {
    let (id, method) = (message.get("id")?, message.get("method")?.as_str()?);
    let known = contract().refusals.contains_key(method);
    let faults = known.then(|| faults(&type_name(method, "Request"), &envelope(message))).flatten();
    let by_position = message.get("params").is_some_and(Value::is_array);
    Some((id.to_string(), Asked { method: method.to_owned(), faults, by_position }))
}

/// A message without the members that JSON-RPC does not know, which are ignored.
fn envelope(message: &Value) -> Value {
    let named = ["jsonrpc", "id", "method", "params"].map(|name| (name, message.get(name).cloned()));
    named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Holds an answer against what was asked.
pub(crate) fn check_answer(asked: Option<&Asked>, answer: &Value) {
    if let Some(error) = answer.get("error") {
        let word = error["data"]["kind"].as_str().unwrap_or_else(|| panic!("no kind in {answer}"));
        let name = type_name(&word.replace('_', "/"), "");
        assert_sound(&format!("Refused{name}"), error, answer);
        let documented = asked.and_then(|asked| contract().refusals.get(&asked.method));
        if let Some(documented) = documented {
            assert!(documented.iter().any(|one| one == word), "{word} is not documented: {answer}");
        }
        if word == "invalid_params" && error["data"]["details"].is_null() {
            assert!(asked.is_none_or(|asked| asked.by_position), "no field is named: {answer}");
        }
        return;
    }
    let Some(asked) = asked else { return };
    let Asked { method, faults, .. } = asked;
    if let Some(faults) = faults {
        panic!("{method} was granted though the schema does not allow it: {faults}");
    }
    assert_sound(&type_name(method, "Result"), &answer["result"], answer);
}

/// Holds a notification of the sidecar against the schema.
pub(crate) fn check_notification(message: &Value) {
    match message["method"].as_str() {
        Some("events/event") => assert_sound("EventNotification", message, message),
        Some("output/chunk") => assert_sound("ChunkNotification", message, message),
        Some("provider/work") => assert_sound("ProviderWorkNotification", message, message),
        _ => panic!("the schema knows nothing of {message}"),
    }
}

/// Holds a value against a type of the contract.
pub(crate) fn assert_is(type_name: &str, value: &Value) {
    assert_sound(type_name, value, value);
}

fn assert_sound(type_name: &str, value: &Value, whole: &Value) {
    if let Some(faults) = faults(type_name, value) {
        panic!("this is no {type_name}: {faults}\n{whole}");
    }
}
