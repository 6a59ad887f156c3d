//! The arguments of a tool: one table from which both what a model is told and what is read come.
//!
//! Everything that is wrong is collected, so that a model can correct all of it at once.

use rmcp::model::JsonObject;
use serde_json::{Map, Value, json};

use super::fault::{Fault, list, nearest};
use crate::domain::one_line::one_line;

/// One argument.
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// What a model is told about it.
    pub(super) about: &'static str,
}

/// What an argument holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// A text that is a number and a unit of time.
    Span,
    /// Texts, one for each word. This other argument takes them as one line.
    Words {
        line: &'static str,
    },
    /// A whole number from 1 to this.
    Count(i64),
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// What a tool takes.
pub(super) struct Table {
    pub(super) arguments: &'static [Argument],
    pub(super) required: &'static [&'static str],
    /// Names that others use for the same things: the name, and the argument that is meant.
    pub(super) elsewhere: &'static [(&'static str, &'static str)],
    /// The same for the words of a choice.
    pub(super) words: &'static [(&'static str, &'static str)],
}

/// As much of what was given as an answer repeats.
const REPEATED: usize = 80;

impl Kind {
    fn schema(self) -> Map<String, Value> {
        let schema = match self {
            Kind::Text | Kind::Span => json!({"type": "string"}),
            Kind::Words { line: _ } => json!({"type": "array", "items": {"type": "string"}}),
            Kind::Count(most) => json!({"type": "integer", "minimum": 1, "maximum": most}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Choice(words) => json!({"type": "string", "enum": words}),
        };
        match schema {
            Value::Object(schema) => schema,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Map::new()
            }
        }
    }

    /// Whether this is what hosts send that leave nothing out. Of a flag it is only what stands for nothing: an empty text
    /// may have meant either.
    fn is_left_out(self, value: &Value) -> bool {
        match self {
            Kind::Flag => value.is_null(),
            Kind::Text | Kind::Span | Kind::Words { line: _ } | Kind::Count(_) | Kind::Choice(_) => {
                says_nothing(value)
            }
        }
    }

    fn fits(self, value: &Value) -> bool {
        match self {
            Kind::Text | Kind::Span => value.is_string(),
            Kind::Words { line: _ } => {
                value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string))
            }
            Kind::Count(most) => whole(value).is_some_and(|count| (1..=most).contains(&count)),
            Kind::Flag => value.is_boolean(),
            Kind::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        }
    }

    /// What is wrong with a value that does not fit, and what would be right.
    fn fault(self, argument: &'static str, value: &Value, synonyms: &[(&str, &'static str)]) -> Fault {
        let given = one_line(&value.to_string(), REPEATED);
        match self {
            Kind::Text => match value.is_number() || value.is_boolean() {
                true => Fault::new(argument, "is to be a text", format!("write `\"{value}\"`")),
                false => Fault::new(argument, format!("is to be a text, not {given}"), "write one"),
            },
            Kind::Span => {
                let problem = format!("is to be a text, a number and a unit of time, not {given}");
                let right = match whole(value).filter(|number| *number > 0) {
                    Some(number) => format!("write `\"{number}m\"` for minutes or `\"{number}h\"` for hours"),
                    None => "write one such as `\"20m\"`".to_owned(),
                };
                Fault::new(argument, problem, right)
            }
            Kind::Words { line: other } => match value.as_str() {
                Some(line) if line.contains(|letter| "\"'`|&;<>()$*?~\\\n".contains(letter)) => {
                    let problem = "is to be a list of texts, one for each word, which no shell reads";
                    let line = one_line(&json!(line).to_string(), REPEATED);
                    Fault::new(argument, problem, format!("for a line of the shell write `{other}: {line}`"))
                }
                Some(line) => {
                    let words: Vec<&str> = line.split_whitespace().collect();
                    let words = one_line(&json!(words).to_string(), REPEATED);
                    let right = format!("write `{words}`");
                    Fault::new(argument, "is to be a list of texts, one for each word", right)
                }
                None => Fault::new(
                    argument,
                    format!("is to be a list of texts, not {given}"),
                    "write one such as `[\"npm\", \"test\"]`",
                ),
            },
            Kind::Count(most) => {
                let number = value.as_str().and_then(|text| text.trim().parse::<i64>().ok());
                let right = number.filter(|number| (1..=most).contains(number));
                let problem = format!("is to be a whole number from 1 to {most}, not {given}");
                // Of a number that is none of these nobody knows which one was meant.
                Fault::new(
                    argument,
                    problem,
                    right.map(|right| format!("write `{right}`")).unwrap_or_default(),
                )
            }
            // Which of the two was meant is not guessed: whoever follows a wrong guess does what was not wanted.
            Kind::Flag => Fault::new(
                argument,
                format!("is to be true or false, not {given}"),
                "write `true` or `false`, without quotes",
            ),
            Kind::Choice(words) => {
                let written = value.as_str().unwrap_or_default();
                let meant = meant(written, synonyms).or_else(|| nearest(written, words.iter().copied()));
                let problem = format!("is to be one of {}, not {given}", list(words));
                let right = meant.map(|meant| format!("write `\"{meant}\"` if that is meant"));
                Fault::new(argument, problem, right.unwrap_or_default())
            }
        }
    }
}

impl Table {
    /// What a model is told, as JSON Schema. Alternatives are told in words: several hosts refuse a schema that has them
    /// at its top.
    pub(super) fn schema(&self) -> JsonObject {
        let property = |argument: &Argument| {
            let mut schema = argument.kind.schema();
            schema.insert("description".to_owned(), json!(argument.about));
            (argument.name.to_owned(), Value::Object(schema))
        };
        let properties: Map<String, Value> = self.arguments.iter().map(property).collect();
        let members = [
            ("type", json!("object")),
            ("properties", Value::Object(properties)),
            ("required", json!(self.required)),
            ("additionalProperties", json!(false)),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Reads what a model has sent.
    pub(super) fn read(&self, sent: Option<JsonObject>) -> Given {
        let mut given = Given::default();
        for (name, value) in sent.unwrap_or_default() {
            match self.arguments.iter().find(|argument| argument.name == name) {
                None => given.faults.push(self.unknown(&name)),
                // Many hosts send what a model leaves out in one of these ways.
                Some(argument) if argument.kind.is_left_out(&value) => {}
                Some(argument) => {
                    given.sent.push(argument.name);
                    match argument.kind.fits(&value) {
                        true => given.values.push((argument.name, value)),
                        false => given.faults.push(argument.kind.fault(argument.name, &value, self.words)),
                    }
                }
            }
        }
        for name in self.required {
            if !given.has(name) {
                given.faults.push(self.missing(name));
            }
        }
        given
    }

    fn unknown(&self, name: &str) -> Fault {
        let names: Vec<&str> = self.arguments.iter().map(|argument| argument.name).collect();
        let meant = meant(name, self.elsewhere).or_else(|| nearest(name, names.iter().copied()));
        let name = one_line(name, REPEATED);
        let instead = match meant {
            Some(meant) => format!("write `{meant}` if that is meant"),
            None => format!("there are {}", list(&names)),
        };
        Fault::new(name, "is no argument of this tool", instead)
    }

    fn missing(&self, name: &'static str) -> Fault {
        let about =
            self.arguments.iter().find(|argument| argument.name == name).map(|argument| argument.about);
        let about = about.unwrap_or_default().trim_end_matches('.');
        Fault::new(name, format!("is missing: {}{}", about[..1].to_lowercase(), &about[1..]), "")
    }
}

/// The whole number that it is, `3.0` among them: to JSON Schema that is an integer.
fn whole(value: &Value) -> Option<i64> {
    /// Up to here each whole number has a floating-point number of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let written = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < EXACT);
    // Exactly: it is whole, and not too large.
    value.as_i64().or_else(|| written().and_then(|number| format!("{number:.0}").parse().ok()))
}

/// What is called so elsewhere.
fn meant(written: &str, elsewhere: &[(&str, &'static str)]) -> Option<&'static str> {
    elsewhere.iter().find(|(other, _)| other.eq_ignore_ascii_case(written)).map(|(_, meant)| *meant)
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What a model has given.
#[derive(Default)]
pub(super) struct Given {
    /// What was sent and says something, whether or not it can be used.
    sent: Vec<&'static str>,
    values: Vec<(&'static str, Value)>,
    /// What is wrong so far.
    pub(super) faults: Vec<Fault>,
}

impl Given {
    /// Whether it was sent at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.sent.contains(&name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    pub(super) fn texts(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.value(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }

    pub(super) fn count(&self, name: &str) -> Option<i64> {
        whole(self.value(name)?)
    }

    /// A flag that was not given is down.
    pub(super) fn is_up(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Of these, those that were sent.
    pub(super) fn sent_of(&self, names: &[&'static str]) -> Vec<&'static str> {
        names.iter().copied().filter(|name| self.has(name)).collect()
    }

    /// What was sent, in the order in which it was.
    pub(super) fn sent(&self) -> &[&'static str] {
        &self.sent
    }

    pub(super) fn fault(&mut self, argument: &str, problem: impl Into<String>, instead: impl Into<String>) {
        self.faults.push(Fault::new(argument, problem, instead));
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}
