//! An agent asks a person to fill in a form. Each of its fields is a question of its own, put one after the other.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use super::bounds::{FIELDS, LABEL, OPTIONS, OPTIONS_READ, SENTENCE, cut};
use super::message::Params;
use super::permission::name_of_answer;
use crate::domain::provider::Choice;
use crate::domain::run::{Need, QuestionOption};

/// A form, and what is filled in already.
#[derive(Clone, Debug)]
pub(super) struct Form {
    message: String,
    /// Those that are still to be asked, the next one first.
    fields: Vec<Field>,
    filled: Map<String, Value>,
    /// What was wrong with the last answer.
    complaint: Option<String>,
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    words: Option<String>,
    kind: Kind,
    presence: Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Required,
    /// No words at all leave it out.
    Optional,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// One of these: the value, and what people read.
    OneOf(Vec<(String, String)>),
    /// Some of these.
    SomeOf(Vec<(String, String)>),
    YesOrNo,
    Whole,
    Number,
}

/// Whether a form can be put to a person.
#[derive(Debug)]
pub(super) enum Asked {
    Form(Form),
    /// It asks for what was not offered.
    Unknown(&'static str),
}

/// What became of an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Filled {
    /// The form has another question, or the same one again.
    GoesOn,
    /// With this content.
    Done(Map<String, Value>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    requested_schema: Option<Schema>,
}

#[derive(Deserialize)]
struct Schema {
    #[serde(default)]
    properties: InOrder,
    #[serde(default)]
    required: Option<Vec<String>>,
}

/// Members of an object in the order in which they were written: questions build on each other.
#[derive(Default)]
struct InOrder(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = InOrder;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
                let mut members = Vec::new();
                while members.len() <= FIELDS {
                    match map.next_entry()? {
                        Some(member) => members.push(member),
                        None => return Ok(InOrder(members)),
                    }
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(InOrder(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl Form {
    pub(super) fn read(params: &Params) -> Asked {
        let Some(Sent { mode, message, requested_schema }) = params.read::<Sent>() else {
            return Asked::Unknown("the form cannot be read");
        };
        if mode.is_some_and(|mode| mode != "form") {
            return Asked::Unknown("only forms can be put to a person here");
        }
        let message = cut(&message.unwrap_or_default(), SENTENCE);
        let Schema { properties, required } =
            requested_schema.unwrap_or(Schema { properties: InOrder::default(), required: None });
        let required = required.unwrap_or_default();
        if properties.0.len() > FIELDS {
            return Asked::Unknown("the form has more fields than a person is asked for");
        }
        let mut fields = Vec::new();
        for (name, schema) in properties.0 {
            let Some(kind) = Kind::read(&schema) else {
                return Asked::Unknown("the form has a field of a kind that is not known here");
            };
            let words = ["title", "description"].iter().filter_map(|part| schema.get(part)?.as_str());
            let words: Vec<&str> = words.filter(|words| !words.trim().is_empty()).collect();
            let words = (!words.is_empty()).then(|| cut(&words.join(": "), SENTENCE));
            let presence = if required.contains(&name) { Presence::Required } else { Presence::Optional };
            fields.push(Field { name, words, kind, presence });
        }
        // A form without fields asks whether to go on.
        Asked::Form(Form { message, fields, filled: Map::new(), complaint: None })
    }

    /// What a person is asked next.
    pub(super) fn need(&self, call_id: String) -> Need {
        let mut prompt = String::new();
        let mut add = |words: &str| {
            if !prompt.is_empty() {
                prompt.push('\n');
            }
            prompt.push_str(words);
        };
        if let Some(complaint) = &self.complaint {
            add(complaint);
        }
        if !self.message.trim().is_empty() {
            add(&self.message);
        }
        let Some(field) = self.fields.first() else {
            let options = vec![choice("yes", "Yes"), choice("no", "No")];
            return Need::Question { call_id, prompt: asked_with(&prompt), options };
        };
        if let Some(words) = &field.words {
            add(words);
        } else if self.fields.len() + self.filled.len() > 1 || self.message.trim().is_empty() {
            add(&field.name);
        }
        let options = match &field.kind {
            Kind::OneOf(values) if values.len() <= OPTIONS => {
                values.iter().map(|(id, label)| choice(id, label)).collect()
            }
            Kind::YesOrNo => vec![choice("true", "Yes"), choice("false", "No")],
            Kind::OneOf(values) => {
                add(&format!("One of: {}", listed(values)));
                Vec::new()
            }
            Kind::SomeOf(values) => {
                add(&format!("Any of these, with commas between them: {}", listed(values)));
                Vec::new()
            }
            Kind::Text | Kind::Whole | Kind::Number => Vec::new(),
        };
        Need::Question { call_id, prompt: asked_with(&prompt), options }
    }

    /// The question in a few words, for a message.
    pub(super) fn title(&self) -> &str {
        let words = self.fields.first().and_then(|field| field.words.as_deref());
        if self.message.trim().is_empty() { words.unwrap_or("a form") } else { &self.message }
    }

    /// Fills in what a person has answered to the question that was put last. None if they say no to all of it.
    pub(super) fn fill(&mut self, choice: &Choice) -> Option<Filled> {
        let text = match choice {
            Choice::Option { option_id } => option_id,
            Choice::Text { text } => text,
        };
        self.complaint = None;
        let Some(field) = self.fields.first() else {
            return (text.trim() != "no").then(|| Filled::Done(std::mem::take(&mut self.filled)));
        };
        let leaves_out = text.trim().is_empty() && field.presence == Presence::Optional;
        match field.kind.parse(text) {
            _ if leaves_out => {
                self.fields.remove(0);
            }
            Ok(value) => {
                let field = self.fields.remove(0);
                self.filled.insert(field.name, value);
            }
            Err(complaint) => self.complaint = Some(complaint),
        }
        Some(match self.fields.is_empty() {
            true => Filled::Done(std::mem::take(&mut self.filled)),
            false => Filled::GoesOn,
        })
    }
}

impl Kind {
    fn read(schema: &Value) -> Option<Kind> {
        let of = |list: Option<&Value>| -> Option<Vec<(String, String)>> {
            let mut values: Vec<(String, String)> = Vec::new();
            for value in list?.as_array()?.iter().filter_map(value).take(OPTIONS_READ) {
                if values.iter().all(|(id, _)| *id != value.0) {
                    values.push(value);
                }
            }
            (!values.is_empty()).then_some(values)
        };
        match schema.get("type").and_then(Value::as_str).unwrap_or("string") {
            "string" => {
                let values = of(schema.get("oneOf")).or_else(|| of(schema.get("enum")));
                Some(values.map_or(Kind::Text, Kind::OneOf))
            }
            "boolean" => Some(Kind::YesOrNo),
            "integer" => Some(Kind::Whole),
            "number" => Some(Kind::Number),
            "array" => {
                let items = schema.get("items")?;
                of(items.get("anyOf"))
                    .or_else(|| of(items.get("oneOf")))
                    .or_else(|| of(items.get("enum")))
                    .map(Kind::SomeOf)
            }
            _ => None,
        }
    }

    fn parse(&self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        match self {
            Kind::Text if trimmed.is_empty() => Err("An answer is needed.".to_owned()),
            Kind::Text => Ok(json!(text)),
            Kind::OneOf(values) => {
                find(values, trimmed).map(|value| json!(value)).ok_or_else(|| not_one_of(trimmed, values))
            }
            Kind::SomeOf(values) => {
                let parts = trimmed.split(',').map(str::trim).filter(|part| !part.is_empty());
                let found = parts.map(|part| find(values, part).ok_or_else(|| not_one_of(part, values)));
                Ok(json!(found.collect::<Result<Vec<_>, _>>()?))
            }
            Kind::YesOrNo => match trimmed.to_lowercase().as_str() {
                "true" | "yes" => Ok(json!(true)),
                "false" | "no" => Ok(json!(false)),
                _ => Err("The answer has to be yes or no.".to_owned()),
            },
            Kind::Whole => trimmed
                .parse::<i64>()
                .map(|number| json!(number))
                .map_err(|_| "The answer has to be a whole number.".to_owned()),
            Kind::Number => match trimmed.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(json!(number)),
                Ok(_) | Err(_) => Err("The answer has to be a number.".to_owned()),
            },
        }
    }
}

fn value(value: &Value) -> Option<(String, String)> {
    let (id, label) = if value.is_string() {
        (name_of_answer(value)?, None)
    } else {
        (name_of_answer(value.get("const")?)?, value.get("title").and_then(Value::as_str))
    };
    let label = label.filter(|label| !label.trim().is_empty());
    Some((id.to_owned(), cut(label.unwrap_or(id), LABEL)))
}

/// The value that is named, or of which people read that name.
fn find<'a>(values: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let by_label = || values.iter().find(|(_, label)| label.eq_ignore_ascii_case(name));
    values.iter().find(|(id, _)| id == name).or_else(by_label).map(|(id, _)| id.as_str())
}

fn not_one_of(text: &str, values: &[(String, String)]) -> String {
    format!("{:?} is none of: {}.", cut(text, LABEL), listed(values))
}

fn listed(values: &[(String, String)]) -> String {
    values.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a person is asked with: something, whatever the agent has said.
fn asked_with(prompt: &str) -> String {
    match prompt.trim() {
        "" => "The agent asks, and does not say what.".to_owned(),
        _ => cut(prompt, SENTENCE),
    }
}

fn choice(id: &str, label: &str) -> QuestionOption {
    QuestionOption { id: id.to_owned(), label: cut(label, LABEL) }
}
