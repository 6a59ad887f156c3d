//! The types: what is given and told, each once.

use serde_json::Value;

use super::cells::{self, code, sentence};
use super::{Contract, pretty};

/// All types that something refers to, by name.
pub(super) fn all(contract: &Contract) -> String {
    let schemas = contract.document["components"]["schemas"].as_object().unwrap();
    let told: Vec<(&String, &Value)> = schemas.iter().filter(|(name, _)| is_told(name)).collect();
    let mut page = "## Types\n\nMembers with `?` may be absent. A type that a later version adds members to stays what it is: \
        ignore those that you do not know.\n\n"
        .to_owned();
    page += "### Plain values\n\n| type | what it is | |\n|---|---|---|\n";
    for (name, schema) in &told {
        if shape(schema) == Shape::Plain {
            let (anchor, is) = (name.to_lowercase(), cells::of(schema));
            page += &format!("| <a id=\"{anchor}\"></a>{name} | {is} | {} |\n", sentence(schema));
        }
    }
    page += "\n### Words\n\n";
    for (name, schema) in &told {
        if shape(schema) == Shape::Words {
            page += &format!("#### {name}\n\n{}\n\n| word | what it means |\n|---|---|\n", sentence(schema));
            for word in schema["oneOf"].as_array().unwrap() {
                page += &format!("| {} | {} |\n", code(&word["const"]), sentence(word));
            }
            page.push('\n');
        }
    }
    page += "### Objects\n\n";
    for (name, schema) in &told {
        if shape(schema) == Shape::Object {
            page += &format!("#### {name}\n\n{}\n\n", sentence(schema));
            page += &object(schema);
        }
    }
    page
}

/// Requests, answers and messages are told with their methods, events with what is told unasked.
fn is_told(name: &str) -> bool {
    let ends = ["Params", "Request", "Result", "Notification"];
    let own = ["RunResult", "InitializeResult", "CloseResult"].contains(&name);
    let elsewhere = ["Event", "Message", "Answer", "Id"].contains(&name) || name.starts_with("Refused");
    own || !elsewhere && !ends.iter().any(|end| name.ends_with(end))
}

#[derive(PartialEq, Eq)]
enum Shape {
    /// Told in a line.
    Plain,
    /// One of some words.
    Words,
    Object,
}

fn shape(schema: &Value) -> Shape {
    let variants = schema["oneOf"].as_array();
    let words = variants.is_some_and(|all| all.iter().all(|one| one.get("const").is_some()));
    match schema["properties"].is_object() || schema["anyOf"].is_array() || variants.is_some() {
        _ if words => Shape::Words,
        true => Shape::Object,
        false => Shape::Plain,
    }
}

fn object(schema: &Value) -> String {
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(choice).collect::<String>() + "\n";
    }
    let mut page = "| member | what it is | what it tells |\n|---|---|---|\n".to_owned();
    page += &rows(schema, &[]);
    for variant in schema["oneOf"].as_array().into_iter().flatten() {
        let fields = variant["properties"].as_object().unwrap();
        let tag = fields.iter().find(|(_, field)| field.get("const").is_some());
        let tags: Vec<&str> = tag.iter().map(|(name, _)| name.as_str()).collect();
        if let Some((name, word)) = tag {
            page += &format!("| `{name}` | {} | {} |\n", code(&word["const"]), sentence(variant));
        }
        page += &rows(variant, &tags);
    }
    page + "\n"
}

/// One of several things that something is.
fn choice(schema: &Value) -> String {
    let fields = schema["properties"].as_object();
    let is = match fields {
        None => cells::of(schema),
        Some(fields) => {
            let members: Vec<String> =
                fields.iter().map(|(name, field)| format!("`{name}`: {}", cells::of(field))).collect();
            format!("an object with {}", members.join(", "))
        }
    };
    format!("- {is}: {}\n", sentence(schema))
}

fn rows(schema: &Value, without: &[&str]) -> String {
    let required = schema["required"].as_array();
    let mut rows = String::new();
    let Some(fields) = schema["properties"].as_object() else { return rows };
    for (name, field) in pretty::in_order(fields) {
        if without.contains(&name.as_str()) {
            continue;
        }
        let always = required.is_some_and(|all| all.contains(&Value::from(name.as_str())));
        let mark = if always { "" } else { "?" };
        rows += &format!("| `{name}`{mark} | {} | {} |\n", cells::of(field), sentence(field));
    }
    rows
}
