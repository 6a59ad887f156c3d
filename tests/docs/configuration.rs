//! The user's configuration: it holds by its schema, and a sidecar takes it up.

use serde_json::{Value, json};
use sexton::rpc::schema::documents;

use crate::blocks::Block;
use crate::reader::Reader;
use crate::window::Window;

/// Has a sidecar take it up without a warning, and know what it configures.
pub(crate) fn check(block: &Block) -> Result<(), String> {
    let content: Value = serde_json::from_str(&block.content).map_err(|error| format!("no JSON: {error}"))?;
    let schemas = documents();
    let schema = schemas.iter().find(|one| one.file == "config.schema.json").unwrap();
    let validator = jsonschema::validator_for(&schema.content).unwrap();
    validator.validate(&content).map_err(|error| format!("{}: {error}", error.instance_path()))?;
    let reader = Reader::new();
    let place = reader.home().join(".config/sexton");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("config.json"), reader.at_home(&block.content)).unwrap();
    let mut window = Window::start(&reader);
    let opened = window.ask("initialize", &json!({}))?;
    if opened["warnings"] != json!([]) {
        return Err(format!("it was taken up with warnings: {}", opened["warnings"]));
    }
    let known = window.ask("provider/list", &json!({}))?;
    let known: Vec<&Value> = known["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    let named = content["providers"].as_object().into_iter().flatten();
    for (name, _) in named {
        if !known.iter().any(|one| **one == *name) {
            return Err(format!("the provider {name} was not taken up; known are {known:?}"));
        }
    }
    Ok(())
}
