//! What can be wrong, field by field.

use serde_json::{Map, Value, json};

use super::samples::{least, resolve, type_of, variants};

/// A request that has to be refused.
pub(super) struct Case {
    pub(super) method: String,
    /// The parameters, as text: what is wrong may be no JSON value.
    pub(super) params: String,
    /// What was done to them.
    pub(super) what: String,
    /// The field that is to be named.
    pub(super) field: String,
    /// What may be said of it.
    pub(super) words: Vec<&'static str>,
}

impl Case {
    /// What is wrong with an edit is told of an automation that there is.
    pub(super) fn of_automation(mut self, id: &Value) -> Case {
        if self.method == "automation/update" {
            self.params = self.params.replace("\"atm_1\"", &id.to_string());
        }
        self
    }
}

/// Stands in the parameters where a text is put that no value can express.
const HERE: &str = "@here@";

/// So many levels below a field: at the top more than any stack could hold, and further down, where the same reader
/// reads on, more than it goes down.
fn deep(path: &[String]) -> usize {
    if path.len() == 1 { 100_000 } else { 500 }
}

/// All cases of all methods.
pub(super) fn all(described: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for method in described["methods"].as_array().expect("methods") {
        let name = method["name"].as_str().expect("a name");
        let schema = resolve(described, &method["x-params"]);
        let examples = method["examples"].as_array().expect("examples");
        for example in examples {
            let params = example["params"].as_array().expect("params");
            let params = params
                .iter()
                .map(|one| (one["name"].as_str().expect("a name").to_owned(), one["value"].clone()));
            let base = Value::Object(params.collect());
            let mut walk = Walk { method: name, base: &base, cases: &mut cases };
            walk.object(schema, &[], &base);
        }
    }
    cases
}

struct Walk<'a> {
    method: &'a str,
    base: &'a Value,
    cases: &'a mut Vec<Case>,
}

impl Walk<'_> {
    /// Everything that can be wrong with the fields of an object.
    fn object(&mut self, schema: &Value, path: &[String], present: &Value) {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let condition = condition(schema, present);
        let conditions = condition["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let conditions: Vec<&str> = conditions.collect();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
            let told_apart = schema["properties"].get("kind").is_some();
            if condition["properties"][name] == false && !told_apart {
                // Without a kind it is the other one that does not belong there; `preview` has its own test.
                continue;
            }
            if condition["properties"][name] == false {
                let words =
                    vec!["unsupported_for_oneshot_automation", "unsupported_for_recurring_automation"];
                self.with(&path, least(field), "does not belong there", words);
                continue;
            }
            if required.contains(&name.as_str()) || (told_apart && conditions.contains(&name.as_str())) {
                self.without(&path, "absent", vec!["required"]);
            }
            self.field(field, &path, present.get(name));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            let path: Vec<String> = path.iter().cloned().chain(["NAME".to_owned()]).collect();
            self.field(values, &path, None);
        } else if schema["additionalProperties"] == json!(false) {
            let path: Vec<String> = path.iter().cloned().chain(["surprise".to_owned()]).collect();
            let words = vec!["unsupported_automation_field", "unknown_value"];
            self.with(&path, json!(1), "unknown", words.clone());
            let long = "x".repeat(100_000);
            let beside: Vec<String> = path[..path.len() - 1].iter().cloned().chain([long]).collect();
            let shown: Vec<String> = path[..path.len() - 1]
                .iter()
                .cloned()
                .chain([format!("{}\u{2026}", "x".repeat(64))])
                .collect();
            self.raw_at(&beside, &shown, "1", "unknown and long", words);
        }
    }

    fn field(&mut self, schema: &Value, path: &[String], present: Option<&Value>) {
        let sound = present.cloned().unwrap_or_else(|| least(schema));
        let text = sound.to_string();
        let name = path.last().expect("a field");
        self.raw(path, &format!("{text},{}:{text}", json!(name)), "twice", vec!["duplicate_field"]);
        let refused = vec!["wrong_type", "nested_too_deep"];
        let nested = format!("{}{}", "[".repeat(deep(path)), "]".repeat(deep(path)));
        let kinds = variants(schema);
        let (last, before) = path.split_last().expect("a field");
        let first: Vec<String> = before.iter().cloned().chain([format!("{last}[0]")]).collect();
        let is_list = kinds.iter().any(|kind| type_of(kind) == "array");
        let shown = if is_list { &first } else { path };
        self.raw_at(path, shown, &nested, "a list without end", refused.clone());
        // Where objects are open, or their names are the client's own, what is inside is its own affair or has a
        // path of its own.
        let of_any_name =
            |kind: &&Value| type_of(kind) == "object" && kind["additionalProperties"] != json!(false);
        if !kinds.iter().any(of_any_name) {
            let nested = format!("{}1{}", r#"{"a":"#.repeat(deep(path)), "}".repeat(deep(path)));
            let mut words = refused.clone();
            words.extend(["unsupported_automation_field", "unknown_value", "required", "out_of_range"]);
            let inside: Vec<String> = path.iter().cloned().chain(["a".to_owned()]).collect();
            let is_object = kinds.iter().any(|kind| type_of(kind) == "object");
            let tag = kinds.iter().find_map(|kind| tag_of(kind));
            let shown = match (is_object, tag) {
                (true, None) => inside,
                (true, Some(tag)) => path.iter().cloned().chain([tag.to_owned()]).collect(),
                (false, _) => path.to_vec(),
            };
            self.raw_at(path, &shown, &nested, "an object without end", words);
        }
        let nullable = schema.to_string().contains("\"null\"");
        if !nullable && schema.get("const") != Some(&Value::Null) {
            self.with(path, Value::Null, "null", vec!["wrong_type", "required"]);
        }
        let types: Vec<&str> = kinds.iter().map(|kind| type_of(kind)).collect();
        let others = [
            ("string", json!("\u{1F514}")),
            ("integer", json!(3)),
            ("boolean", json!(true)),
            ("array", json!([1])),
            ("object", json!({"x": 1})),
        ];
        for (type_name, value) in others {
            let constant = kinds.iter().any(|kind| kind.get("const").is_some() && type_of(kind).is_empty());
            // A whole number is a number.
            let whole = type_name == "integer" && types.contains(&"number");
            if !types.contains(&type_name) && !constant && !whole {
                self.with(path, value, type_name, vec!["wrong_type"]);
            }
        }
        for kind in kinds {
            match type_of(kind) {
                "string" => self.text(kind, path),
                "integer" => self.integer(kind, path),
                "number" => self.number(kind, path),
                "object" => self.inner(kind, path, present),
                "array" => self.list(kind, path),
                _ => {}
            }
        }
    }

    fn text(&mut self, schema: &Value, path: &[String]) {
        let unknown = ["unknown_value", "invalid_timezone", "invalid_cron_expression"];
        self.raw(path, r#""a\ud800b""#, "half a character", vec!["not_unicode"]);
        self.raw(path, r#""\udc00""#, "the other half", vec!["not_unicode"]);
        let mut words = vec!["contains_nul"];
        if schema.get("examples").is_some() {
            // A pattern that lets through what only looks like one of the examples.
            self.with(path, json!("surprise"), "not like the examples", unknown.to_vec());
        }
        if schema.get("pattern").is_none() {
            words.extend(unknown);
        }
        if schema.get("pattern").is_some() || schema.get("enum").is_some() {
            self.raw(path, r#""a\u0000b""#, "NUL", words);
        }
        if schema.get("enum").is_some() || schema.get("const").is_some() {
            self.with(path, json!("surprise"), "unknown word", unknown.to_vec());
            self.with(path, json!(""), "no word", unknown.to_vec());
        }
        if schema["minLength"].as_u64().is_some() {
            self.with(path, json!(""), "empty", vec!["required"]);
            self.with(path, json!(" \t\n"), "blank", vec!["required"]);
        }
        if let Some(most) = schema["maxLength"].as_u64() {
            let most = usize::try_from(most).expect("a length");
            let mut words = vec!["too_long", "title_too_long_160", "prompt_too_long_20000"];
            words.extend(unknown);
            self.with(path, json!("a".repeat(most + 1)), "too long", words.clone());
            self.with(
                path,
                json!("\u{1F514}".repeat(most + 1)),
                "too long in characters of four bytes",
                words,
            );
        }
    }

    fn integer(&mut self, schema: &Value, path: &[String]) {
        let beyond = vec!["out_of_range", "interval_below_minimum_30000ms"];
        if let Some(least) = schema["minimum"].as_i64() {
            self.with(path, json!(least - 1), "too small", beyond.clone());
            self.with(path, json!(i64::MIN), "as small as can be", beyond.clone());
        }
        if let Some(most) = schema["maximum"].as_i64() {
            self.with(path, json!(most + 1), "too large", beyond.clone());
        }
        for text in
            ["9007199254740993", "9223372036854775807", "18446744073709551615", "18446744073709551616"]
        {
            self.raw(path, text, "beyond 2^53", beyond.clone());
        }
        for text in ["1e400", "-1e400", &"9".repeat(500)] {
            self.raw(path, text, "beyond a double", beyond.clone());
        }
        for text in ["1.5", "1e-3", "-0.5"] {
            self.raw(path, text, "not whole", vec!["wrong_type"]);
        }
    }

    fn number(&mut self, schema: &Value, path: &[String]) {
        let beyond = vec!["out_of_range"];
        if let Some(least) = schema["minimum"].as_f64() {
            self.with(path, json!(least - 0.5), "too small", beyond.clone());
        }
        for text in ["1e400", "-1e400", &"9".repeat(500)] {
            self.raw(path, text, "beyond a double", beyond.clone());
        }
    }

    fn list(&mut self, schema: &Value, path: &[String]) {
        let (last, before) = path.split_last().expect("a field");
        let shown: Vec<String> = before.iter().cloned().chain([format!("{last}[0]")]).collect();
        self.raw_at(path, &shown, "[1]", "an item of another type", vec!["wrong_type"]);
        if type_of(&schema["items"]) == "string" {
            self.raw_at(
                path,
                &shown,
                r#"["\ud800"]"#,
                "an item that is half a character",
                vec!["not_unicode"],
            );
            self.raw_at(path, &shown, r#"["a\u0000"]"#, "an item with NUL", vec!["contains_nul"]);
        }
        if let Some(most) = schema["maxItems"].as_u64() {
            let most = usize::try_from(most).expect("a length");
            self.with(path, json!(vec![least(&schema["items"]); most + 1]), "too many", vec!["too_long"]);
        }
        if schema["minItems"] == 1 {
            self.with(path, json!([]), "none", vec!["required"]);
        }
    }

    /// An object inside the object: as the example has it, or as small as it can be.
    fn inner(&mut self, schema: &Value, path: &[String], present: Option<&Value>) {
        let of_this_kind = |value: &&Value| {
            let same = |tag: &str| value[tag] == schema["properties"][tag]["const"];
            value.is_object() && tag_of(schema).is_none_or(same)
        };
        // What may be in an object that is of a kind is asked of those that an example shows.
        if present.is_none() && schema.get("oneOf").is_some() {
            return;
        }
        let present = present.filter(of_this_kind).cloned().unwrap_or_else(|| least(schema));
        let base = put(self.base, path, present.clone());
        let mut walk = Walk { method: self.method, base: &base, cases: self.cases };
        walk.object(schema, path, &present);
    }

    fn without(&mut self, path: &[String], what: &str, words: Vec<&'static str>) {
        let mut params = self.base.clone();
        let (last, before) = path.split_last().expect("a field");
        let inner = before.iter().fold(&mut params, |inner, name| &mut inner[name]);
        if let Some(object) = inner.as_object_mut() {
            object.remove(last);
        }
        self.push(params.to_string(), path, what, words);
    }

    fn with(&mut self, path: &[String], value: Value, what: &str, words: Vec<&'static str>) {
        self.push(put(self.base, path, value).to_string(), path, what, words);
    }

    fn raw(&mut self, path: &[String], text: &str, what: &str, words: Vec<&'static str>) {
        self.raw_at(path, path, text, what, words);
    }

    fn raw_at(
        &mut self,
        path: &[String],
        shown: &[String],
        text: &str,
        what: &str,
        words: Vec<&'static str>,
    ) {
        let params = put(self.base, path, json!(HERE)).to_string().replace(&json!(HERE).to_string(), text);
        self.push(params, shown, what, words);
    }

    fn push(&mut self, params: String, path: &[String], what: &str, mut words: Vec<&'static str>) {
        // The path of a fault in a patch is the path inside the draft, and what is patched there may be of another
        // kind than the field is for.
        let shown = match (self.method, path) {
            ("automation/update", [first, rest @ ..]) if first == "patch" && !rest.is_empty() => {
                words.extend(["unsupported_automation_field", "unsupported_for_recurring_automation"]);
                rest
            }
            // So it is in a draft of its own, where its kind tells what may be there.
            ("automation/simulate", [first, rest @ ..]) if first == "draft" && !rest.is_empty() => {
                words.extend(["unsupported_for_oneshot_automation", "unsupported_for_recurring_automation"]);
                rest
            }
            (_, path) => path,
        };
        self.cases.push(Case {
            method: self.method.to_owned(),
            params,
            what: format!("{}: {what}", path.join(".").chars().take(80).collect::<String>()),
            field: shown.join("."),
            words,
        });
    }
}

/// The field that tells this object apart from others that may stand in its place.
fn tag_of(schema: &Value) -> Option<&'static str> {
    ["kind", "type"].into_iter().find(|tag| schema["properties"][tag].get("const").is_some())
}

/// What the schema says of the other fields of an object, depending on those that are there.
fn condition(schema: &Value, present: &Value) -> Value {
    let holds = |one: &&Value| {
        let kind = &one["properties"]["kind"]["const"];
        let mut required = one["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        (kind.is_null() || *kind == present["kind"]) && required.all(|name| present.get(name).is_some())
    };
    schema["oneOf"].as_array().into_iter().flatten().find(holds).cloned().unwrap_or(Value::Null)
}

/// The parameters with a value at a path, with objects on the way.
fn put(base: &Value, path: &[String], value: Value) -> Value {
    let mut params = base.clone();
    let mut inner = &mut params;
    for name in path {
        if !inner.is_object() {
            *inner = Value::Object(Map::new());
        }
        inner = &mut inner[name];
    }
    *inner = value;
    params
}
