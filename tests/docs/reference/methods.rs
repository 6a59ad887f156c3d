//! What can be asked: each method with its parameters, its result and how it is refused.

use serde_json::{Map, Value};

use super::cells::{self, code, sentence};
use super::{Contract, pretty, text};

/// The methods that belong together.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Opening and ending", &["initialize", "shutdown", "rpc.discover"]),
    ("Automations", &["automation/"]),
    ("Runs", &["run/list", "run/get", "run/cancel", "run/respond", "run/output", "output/"]),
    ("Events", &["events/"]),
    ("Providers", &["provider/", "run/report"]),
    ("Windows and directories", &["lifecycle/", "directory/", "scheduler/"]),
];

/// Methods that a fresh project can be asked with their examples as they stand here.
const NEED_NOTHING: [&str; 2] = ["automation/create", "automation/preview"];

fn of_group<'a>(contract: &'a Contract, prefixes: &[&str]) -> Vec<&'a Value> {
    let belongs = |method: &&Value| prefixes.iter().any(|prefix| text(method, "name").starts_with(prefix));
    contract.methods().iter().filter(belongs).collect()
}

fn anchor(name: &str) -> String {
    crate::links::anchor(name)
}

/// All methods on one screen.
pub(super) fn contents(contract: &Contract) -> String {
    let mut page = "## Methods\n\n| method | what it does |\n|---|---|\n".to_owned();
    let mut count = 0;
    for (_, prefixes) in GROUPS {
        for method in of_group(contract, prefixes) {
            let name = text(method, "name");
            page +=
                &format!("| [`{name}`](#{}) | {} |\n", anchor(name), cells::line(text(method, "summary")));
            count += 1;
        }
    }
    assert_eq!(count, contract.methods().len(), "each method belongs to one group");
    for one in contract.document["x-client-notifications"].as_array().unwrap() {
        page += &format!(
            "| `{}` (a notification) | {} |\n",
            text(one, "name"),
            cells::line(text(one, "summary"))
        );
    }
    page + "\nFurther down: [notifications](#notifications), [refusals](#refusals), [limits](#limits), [types](#types).\n\n"
}

pub(super) fn all(contract: &Contract) -> String {
    let mut page = String::new();
    for (title, prefixes) in GROUPS {
        page += &format!("### {title}\n\n");
        for method in of_group(contract, prefixes) {
            page += &one(contract, method);
        }
    }
    page
}

fn one(contract: &Contract, method: &Value) -> String {
    let name = text(method, "name");
    let params = contract.named(text(&method["x-params"], "$ref"));
    let mut page = format!("#### `{name}`\n\n{}\n\n", text(method, "summary"));
    let mut rows = Rows::of(contract, name);
    rows.fields("", params);
    if rows.lines.is_empty() {
        page += "No parameters.\n\n";
    } else {
        page += "| parameter | what it is | default | what it is for |\n|---|---|---|---|\n";
        page += &(rows.lines.concat() + "\n");
    }
    page += &format!("Result: {}\n\n", result(contract, method));
    page += &refusals(contract, method);
    page + &examples(name, method)
}

/// What is given, and what it is called where it is told of.
fn result(contract: &Contract, method: &Value) -> String {
    let result = contract.named(text(&method["result"]["schema"], "$ref"));
    if result.get("properties").is_some() {
        return format!("{}.", cells::link(text(&method["result"]["schema"], "$ref")));
    }
    let what = sentence(result);
    let described = cells::of(result);
    if what.is_empty() { format!("{described}.") } else { format!("{described}. {what}") }
}

/// How it is refused, beside what any request may be.
fn refusals(contract: &Contract, method: &Value) -> String {
    let words = |method: &Value| -> Vec<String> {
        let all = method["errors"].as_array().unwrap().iter();
        all.map(|one| text(one, "$ref").rsplit('/').next().unwrap().to_owned()).collect()
    };
    let everywhere = everywhere(contract);
    let own: Vec<String> = words(method)
        .into_iter()
        .filter(|word| !everywhere.contains(word))
        .map(|word| format!("[`{word}`](#{word})"))
        .collect();
    if own.is_empty() { String::new() } else { format!("Refused as {}.\n\n", own.join(", ")) }
}

/// What every request but the first may be refused with.
pub(super) fn everywhere(contract: &Contract) -> Vec<String> {
    let all = contract.document["components"]["errors"].as_object().unwrap().keys();
    let is_everywhere = |word: &&String| {
        let reference = format!("#/components/errors/{word}");
        let early = ["initialize", "shutdown", "rpc.discover"];
        let others = contract.methods().iter().filter(|one| !early.contains(&text(one, "name")));
        let has =
            |one: &Value| one["errors"].as_array().unwrap().iter().any(|error| error["$ref"] == *reference);
        others.into_iter().all(has)
    };
    all.filter(is_everywhere).cloned().collect()
}

fn examples(name: &str, method: &Value) -> String {
    let all = method["examples"].as_array().unwrap().iter().map(|example| {
        let params = example["params"].as_array().unwrap().iter();
        let params: Map<String, Value> =
            params.map(|one| (text(one, "name").to_owned(), one["value"].clone())).collect();
        Value::Object(params)
    });
    let all: Vec<Value> = all.filter(|params| params != &Value::Object(Map::new())).collect();
    if NEED_NOTHING.contains(&name) {
        let block =
            |params: &Value| format!("<!-- as: {name} -->\n```json\n{}\n```\n\n", pretty::long(params));
        return all.iter().map(block).collect();
    }
    match all.as_slice() {
        [] => String::new(),
        [one] => format!("Example: {}\n\n", code(one)),
        several => {
            let lines: String = several.iter().map(|one| format!("- {}\n", code(one))).collect();
            format!("Examples:\n\n{lines}\n")
        }
    }
}

/// The rows of a table of parameters. What is inside an object has the path of names that leads to it.
struct Rows<'a> {
    contract: &'a Contract,
    method: &'a str,
    lines: Vec<String>,
}

/// The method whose parameters are told in full where others take them as well.
const IN_FULL: &str = "automation/create";

impl<'a> Rows<'a> {
    fn of(contract: &'a Contract, method: &'a str) -> Rows<'a> {
        Rows { contract, method, lines: Vec::new() }
    }

    fn fields(&mut self, path: &str, schema: &Value) {
        let Some(fields) = schema["properties"].as_object() else { return };
        let is_required =
            |name: &str| schema["required"].as_array().is_some_and(|all| all.contains(&Value::from(name)));
        let (required, others): (Vec<_>, Vec<_>) =
            pretty::in_order(fields).into_iter().partition(|(name, _)| is_required(name));
        // Those that a request needs stand first where nothing else gives them an order.
        let order = if path.is_empty() { [required, others].concat() } else { pretty::in_order(fields) };
        for (name, field) in order {
            self.field(&format!("{path}{name}"), field, is_required(name));
        }
    }

    fn field(&mut self, path: &str, field: &Value, required: bool) {
        let what = sentence(field);
        let is_word = field.get("const").is_some();
        assert!(is_word || !what.is_empty(), "{} does not say what {path} is for", self.method);
        let default = match field.get("default") {
            _ if required && !is_word => "**required**".to_owned(),
            Some(default) if is_short(default) => code(default),
            Some(_) => "as below".to_owned(),
            None => String::new(),
        };
        let elsewhere = self.elsewhere(path, field);
        let variants =
            field["oneOf"].as_array().filter(|all| all.iter().all(|one| one.get("properties").is_some()));
        let is = match (&elsewhere, variants) {
            (Some(link), _) => link.clone(),
            (None, Some(_)) => "one of these objects".to_owned(),
            (None, None) => cells::of(field),
        };
        self.lines.push(format!("| `{path}` | {is} | {default} | {what} |\n"));
        if elsewhere.is_some() {
            return;
        }
        for variant in variants.into_iter().flatten() {
            self.variant(path, variant);
        }
        self.fields(&format!("{path}."), field);
        self.fields(&format!("{path}[]."), &field["items"]);
        self.fields(&format!("{path}.NAME."), &field["additionalProperties"]);
    }

    /// One of several objects: what tells it apart stands first, with what it is.
    fn variant(&mut self, path: &str, variant: &Value) {
        let fields = variant["properties"].as_object().unwrap();
        let (tag, word) = fields.iter().find(|(_, field)| field.get("const").is_some()).unwrap();
        let word = code(&word["const"]);
        self.lines.push(format!("| `{path}.{tag}` | {word} | | {} |\n", sentence(variant)));
        let mut others = variant.clone();
        others["properties"].as_object_mut().unwrap().remove(tag);
        self.fields(&format!("{path}."), &others);
    }

    /// Where the same is told in full.
    fn elsewhere(&self, path: &str, field: &Value) -> Option<String> {
        if self.method == IN_FULL || field.get("properties").is_none() && field.get("oneOf").is_none() {
            return None;
        }
        let create = self.contract.named("AutomationCreateParams")["properties"].as_object().unwrap();
        let link = |what: &str| Some(format!("[{what}](#{})", anchor(IN_FULL)));
        if create.get(path) == Some(field) {
            return link(&format!("as `{path}` of `{IN_FULL}`"));
        }
        let names = field["properties"].as_object()?;
        let is_draft = names.contains_key("task") && names.keys().all(|name| create.contains_key(name));
        match field.get("required") {
            Some(_) if is_draft => link("a draft"),
            None if is_draft => link("parts of a draft"),
            Some(_) | None => None,
        }
    }
}

fn is_short(default: &Value) -> bool {
    match default {
        Value::Object(members) => members.len() <= 1,
        Value::Array(_) | Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => true,
    }
}
