//! The published documents say what the sidecar does: they are fresh, sound, and their examples hold.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use sexton::domain::event::KINDS;
use sexton::rpc::schema::{documents, methods, openrpc, protocol};

#[test]
fn the_documents_in_the_repository_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    for document in documents() {
        let found = std::fs::read_to_string(folder.join(document.file)).unwrap_or_default();
        // Comparing before asserting keeps a failure shorter than the documents.
        let fresh = found == document.text();
        assert!(
            fresh,
            "schema/{} is not what this build says: cargo run -- schema --write schema",
            document.file
        );
    }
}

#[test]
fn the_documents_are_sound_schemas() {
    for document in documents() {
        if document.content.get("$schema").is_some() {
            jsonschema::meta::validate(&document.content).unwrap();
            jsonschema::validator_for(&document.content).unwrap();
        }
    }
}

#[test]
fn every_event_has_an_example_and_every_example_holds() {
    let protocol = protocol();
    let types = jsonschema::validator_map_for(&protocol).unwrap();
    let event = types.get("#/$defs/Event").unwrap();
    let mut shown = BTreeSet::new();
    for kind in protocol["$defs"]["Event"]["oneOf"].as_array().unwrap() {
        for example in kind["examples"].as_array().unwrap() {
            event.validate(example).unwrap();
            shown.insert(example["kind"].as_str().unwrap().to_owned());
        }
    }
    let all: BTreeSet<String> = KINDS.iter().copied().chain(["resync"]).map(str::to_owned).collect();
    assert_eq!(shown, all);
    for method in methods() {
        assert!(!method.examples.is_empty(), "{} has no example", method.name);
        let params = jsonschema::validator_for(&whole(&protocol, &method.params)).unwrap();
        for example in &method.examples {
            params.validate(example).unwrap();
        }
    }
}

/// A part of the document that can be looked at alone.
fn whole(protocol: &Value, part: &Value) -> Value {
    let mut whole = part.clone();
    whole["$defs"] = protocol["$defs"].clone();
    whole
}

#[test]
fn every_reference_leads_somewhere() {
    for document in [openrpc(), protocol()] {
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 100, "{} references", references.len());
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(target) if name == "$ref" => references.push(target.to_owned()),
                    Some(_) | None => collect(member, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_type_is_used() {
    let document = openrpc();
    let mut references = Vec::new();
    collect(&document, &mut references);
    let used: BTreeSet<&str> = references.iter().filter_map(|one| one.rsplit('/').next()).collect();
    let unused: Vec<&String> = document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| !used.contains(name.as_str()) && *name != "Message")
        .collect();
    assert_eq!(unused, Vec::<&String>::new());
}
