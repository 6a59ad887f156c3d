//! Makes values out of the bytes of an input: each byte is a choice, and when there are none left the first one is taken.

use serde_json::Value;

/// The choices that are left.
pub(crate) struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Choices { bytes }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let (first, rest) = self.bytes.split_first().map_or((0, self.bytes), |(first, rest)| (*first, rest));
        self.bytes = rest;
        first
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        match bound {
            0..=256 => usize::from(self.byte()) % bound.max(1),
            _ => (usize::from(self.byte()) << 8 | usize::from(self.byte())) % bound,
        }
    }

    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> Option<&'t T> {
        from.get(self.below(from.len()))
    }

    /// The next few bytes, as they are.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.bytes.len());
        let (taken, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        taken
    }
}

/// JSON as it is written, in which a name may stand twice, and a value may be any text.
#[derive(Clone, Debug)]
pub(crate) enum Written {
    Raw(String),
    List(Vec<Written>),
    Object(Vec<(String, Written)>),
}

impl From<&Value> for Written {
    fn from(value: &Value) -> Self {
        match value {
            Value::Array(items) => Written::List(items.iter().map(Written::from).collect()),
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| (name.clone(), Written::from(value));
                Written::Object(members.iter().map(member).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Written::Raw(value.to_string())
            }
        }
    }
}

impl Written {
    /// As it is sent.
    pub(crate) fn text(&self) -> String {
        match self {
            Written::Raw(text) => text.clone(),
            Written::List(items) => {
                format!("[{}]", items.iter().map(Written::text).collect::<Vec<_>>().join(","))
            }
            Written::Object(members) => {
                let member = |(name, value): &(String, Written)| format!("{}:{}", quoted(name), value.text());
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// How many values are in it, itself included.
    fn count(&self) -> usize {
        1 + match self {
            Written::Raw(_) => 0,
            Written::List(items) => items.iter().map(Written::count).sum(),
            Written::Object(members) => members.iter().map(|(_, value)| value.count()).sum(),
        }
    }

    /// The value at this place among all that are in it, itself first.
    fn at(&mut self, place: usize) -> Option<&mut Written> {
        if place == 0 {
            return Some(self);
        }
        let mut before = 1;
        let inner: Vec<&mut Written> = match self {
            Written::Raw(_) => Vec::new(),
            Written::List(items) => items.iter_mut().collect(),
            Written::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
        };
        for value in inner {
            let count = value.count();
            if place < before + count {
                return value.at(place - before);
            }
            before += count;
        }
        None
    }

    /// Changes one value of it. `names` are those that something there may have.
    pub(crate) fn mutate(&mut self, choices: &mut Choices<'_>, names: &[String], others: &[Value]) {
        let place = choices.below(self.count());
        let Some(value) = self.at(place) else { return };
        match (choices.below(6), value) {
            (0, value) => *value = made_up(choices, others),
            (1, Written::Object(members)) if !members.is_empty() => {
                drop(members.remove(choices.below(members.len())));
            }
            (1, Written::List(items)) if !items.is_empty() => drop(items.remove(choices.below(items.len()))),
            (2, Written::Object(members)) if !members.is_empty() => {
                let twice = members[choices.below(members.len())].clone();
                members.push(twice);
            }
            (2, Written::List(items)) if !items.is_empty() => {
                let again = items[choices.below(items.len())].clone();
                items.push(again);
            }
            (_, Written::Object(members)) => {
                let name = choices.pick(names).cloned().unwrap_or_default();
                members.retain(|(known, _)| *known != name);
                members.push((name, made_up(choices, others)));
            }
            (_, Written::List(items)) => items.push(made_up(choices, others)),
            (_, value) => *value = made_up(choices, others),
        }
    }
}

pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Numbers at which something changes.
const NUMBERS: [&str; 24] = [
    "0",
    "1",
    "-1",
    "2",
    "10",
    "59",
    "60000",
    "1000",
    "86400000",
    "9007199254740991",
    "9007199254740992",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551616",
    "1e400",
    "0.5",
    "1e3",
    "-0",
    "1.0",
    "253402128000000",
    "253402128000001",
    "1800000000000",
    "4000000000000",
];

/// Texts that are hard to deal with.
const TEXTS: [&str; 20] = [
    r#""""#,
    r#"" ""#,
    r#""a""#,
    r#""\u0000""#,
    r#""\ud800""#,
    r#""\ud83d\ude00""#,
    r#""a\nb""#,
    r#""\u001b[31m""#,
    r#""\u202e""#,
    r#""../..""#,
    r#""/""#,
    r#""UTC""#,
    r#""Europe/Berlin""#,
    r#""* * * * *""#,
    r#""@daily""#,
    r#""0 0 29 2 1""#,
    r#""cursor""#,
    r#""atm_1""#,
    r#""run_1""#,
    r#""sub_1""#,
];

/// Other things.
const REST: [&str; 8] =
    ["null", "true", "false", "[]", "{}", "[null]", "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "7"];

/// Lengths around which texts are too long.
const LENGTHS: [usize; 14] = [5, 64, 100, 101, 160, 161, 200, 201, 1000, 1001, 2001, 4097, 20_001, 65_537];

fn made_up(choices: &mut Choices<'_>, others: &[Value]) -> Written {
    let raw = |list: &[&str], choices: &mut Choices<'_>| {
        Written::Raw(choices.pick(list).copied().unwrap_or("null").to_owned())
    };
    match choices.below(8) {
        0 => raw(&NUMBERS, choices),
        1 => raw(&TEXTS, choices),
        2 => raw(&REST, choices),
        3 => {
            let length = choices.pick(&LENGTHS).copied().unwrap_or(1);
            let letter = choices.pick(&["a", "ä", "1", " "]).copied().unwrap_or("a");
            Written::Raw(quoted(&letter.repeat(length)))
        }
        4 => Written::Raw(quoted(&String::from_utf8_lossy(choices.bytes()))),
        5 => {
            // Whatever it is, as long as it is a value.
            let text = String::from_utf8_lossy(choices.bytes()).into_owned();
            let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            Written::Raw(if is_json && !text.contains(['\n', '\r']) { text } else { quoted(&text) })
        }
        _ => choices.pick(others).map_or(Written::Raw("{}".to_owned()), Written::from),
    }
}
