//! Values that a schema allows.

use serde_json::{Map, Value, json};

/// The schema that a reference leads to, or the schema itself.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let found = document.pointer(reference.trim_start_matches('#'));
            resolve(document, found.unwrap_or_else(|| panic!("{reference} leads nowhere")))
        }
        None => schema,
    }
}

/// The schemas that a value may meet, of which `null` is none.
pub(super) fn variants(schema: &Value) -> Vec<&Value> {
    let of = |keyword| schema[keyword].as_array().into_iter().flatten();
    let inner: Vec<&Value> = of("anyOf").chain(of("oneOf")).filter(|one| one["type"] != "null").collect();
    let inner = inner.into_iter().flat_map(variants).collect::<Vec<_>>();
    // What stands beside the properties of a whole object is a condition on them.
    if inner.is_empty() || schema.get("properties").is_some() { vec![schema] } else { inner }
}

pub(super) fn type_of(schema: &Value) -> &str {
    let words_only = schema.get("enum").map(|_| "string");
    let first = schema["type"].get(0).and_then(Value::as_str);
    schema["type"].as_str().or(first).or(words_only).unwrap_or_default()
}

/// A value that is allowed, as small as it can be.
pub(super) fn least(schema: &Value) -> Value {
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    for listed in ["enum", "examples"] {
        if let Some(words) = schema[listed].as_array() {
            return words[0].clone();
        }
    }
    let schema = variants(schema)[0];
    match type_of(schema) {
        "string" => text(schema["minLength"].as_u64().unwrap_or(0)),
        "integer" | "number" => schema["minimum"].clone(),
        "boolean" => json!(false),
        "array" => json!(vec![least(&schema["items"]); if schema["minItems"] == 1 { 1 } else { 0 }]),
        "object" => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            Value::Object(
                required.map(|name| (name.to_owned(), least(&schema["properties"][name]))).collect(),
            )
        }
        "" if schema.get("const").is_some() || schema.get("enum").is_some() => least(schema),
        other => panic!("{other}: {schema}"),
    }
}

fn text(length: u64) -> Value {
    json!("a".repeat(usize::try_from(length).expect("a length")))
}

/// Values at the ends of what is allowed.
fn ends(name: &str, schema: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for schema in variants(schema) {
        if let Some(only) = schema.get("const") {
            all.push(only.clone());
            continue;
        }
        let listed = ["enum", "examples"].into_iter().find_map(|listed| schema[listed].as_array());
        if let Some(words) = listed {
            all.extend(words.iter().cloned());
            continue;
        }
        match (name, type_of(schema)) {
            ("expression", _) => all.extend([json!("* * * * *"), json!("@daily")]),
            ("timezone", _) => all.extend([json!("UTC"), json!("America/New_York")]),
            // It has to lie ahead.
            ("fireAt", _) => all.push(schema["maximum"].clone()),
            (_, "string") => {
                all.push(text(schema["minLength"].as_u64().unwrap_or(0)));
                all.push(text(schema["maxLength"].as_u64().unwrap_or(10)));
            }
            (_, "integer") => all.extend([schema["minimum"].max_with(10, name), schema["maximum"].clone()]),
            (_, "number") => all.extend([schema["minimum"].clone(), json!(0.5), json!(1e300)]),
            (_, "boolean") => all.extend([json!(false), json!(true)]),
            (_, "array") => all.extend([json!([]), json!([least(&schema["items"])])]),
            (_, "object") => all.extend(objects(schema)),
            (_, other) => panic!("{name} is a {other}: {schema}"),
        }
    }
    all
}

trait AtLeast {
    fn max_with(&self, least: i64, name: &str) -> Value;
}

impl AtLeast for Value {
    /// The least interval is a limit of the window.
    fn max_with(&self, least: i64, name: &str) -> Value {
        match name {
            "everyMs" => json!(self.as_i64().expect("a number").max(least)),
            _ => self.clone(),
        }
    }
}

/// Objects with each field at each end, beside what must be there.
fn objects(schema: &Value) -> Vec<Value> {
    let mut base = Map::new();
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        base.insert(name.to_owned(), ends(name, &schema["properties"][name]).remove(0));
    }
    let mut all = vec![Value::Object(base.clone())];
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        for value in ends(name, field) {
            let mut object = base.clone();
            object.insert(name.clone(), value);
            let besides = schema["dependentSchemas"][name]["properties"].as_object().into_iter().flatten();
            object.extend(besides.map(|(beside, schema)| (beside.clone(), least(schema))));
            all.push(Value::Object(object));
        }
    }
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        all.extend(ends("", values).into_iter().map(|value| json!({"NAME": value})));
    }
    all
}

/// Drafts with each field at each end of what is allowed.
pub(super) fn drafts(described: &Value) -> Vec<Value> {
    let schema = &described["components"]["schemas"]["AutomationCreateParams"];
    let field = |name: &str| &schema["properties"][name];
    let task = ends("task", field("task")).remove(0);
    let once = json!({"title": "once", "kind": "oneshot", "fireAt": 4_000_000_000_000_i64, "task": task});
    let mut again = json!({"title": "again", "kind": "recurring", "task": task});
    again["rhythm"] = json!({"kind": "interval", "everyMs": 60_000});
    let mut all = vec![once.clone(), again.clone()];
    for (name, of) in schema["properties"].as_object().expect("fields") {
        let base = if name == "fireAt" { &once } else { &again };
        for value in ends(name, of) {
            if ["kind", "dryRun", "insideRun"].contains(&name.as_str()) {
                continue;
            }
            let mut draft = base.clone();
            draft[name] = value;
            all.push(draft);
        }
    }
    all
}
