//! JSON as a client sent it. What is wrong with its text stays in its place, so that whoever reads the field there
//! can name it: a parser that stops at the first such place could not.

mod collect;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::fault::Word;
use collect::{Collected, Items, Member, Members, collect};

/// How many arrays and objects may be inside each other. The contract needs six; what is deeper is a mistake or
/// an attack, and each level is one more pass over what is inside it.
pub const DEPTH_MAX: usize = 16;

/// How many values one message may hold in its lists and objects. No method takes more than a few ten thousand, and
/// each costs tens of bytes here though two in the text are enough for one.
pub const VALUES_MAX: usize = 200_000;

/// The largest integer that every client can write and read exactly: 2^53 - 1.
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// A value that a client sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// `null`.
    Null,
    /// A yes or no.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Sent>),
    /// An object.
    Object(SentObject),
    /// Something whose text cannot be taken for a value.
    Flawed(Flaw),
}

/// Why a text cannot be taken for a value though it is JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its name is there more than once.
    Duplicate,
    /// It has an escape that stands for half a character.
    NotUnicode,
    /// It is nested more deeply than [`DEPTH_MAX`].
    TooDeep,
    /// It is a list or an object with more values than are left of [`VALUES_MAX`]. None of them is kept.
    TooLong,
    /// It is a number that neither a double nor a 64-bit integer can hold.
    OutOfRange,
}

impl Flaw {
    /// The contract's word.
    pub fn word(self) -> Word {
        match self {
            Flaw::Duplicate => Word::DuplicateField,
            Flaw::NotUnicode => Word::NotUnicode,
            Flaw::TooDeep => Word::NestedTooDeep,
            Flaw::TooLong => Word::TooLong,
            Flaw::OutOfRange => Word::OutOfRange,
        }
    }

    /// What to do about it.
    pub fn way_out(self) -> &'static str {
        match self {
            Flaw::Duplicate => "write each field once",
            Flaw::NotUnicode => "an escape stands for half a character; write whole ones",
            Flaw::TooDeep => "nothing of the contract is nested that deeply",
            Flaw::TooLong => "a message holds at most 200000 values",
            Flaw::OutOfRange => "write a number that a double can hold",
        }
    }
}

/// An object that a client sent: each name once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SentObject {
    members: BTreeMap<String, Sent>,
}

impl Sent {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Sent::Text(text) => Some(text),
            Sent::Null
            | Sent::Boolean(_)
            | Sent::Number(_)
            | Sent::List(_)
            | Sent::Object(_)
            | Sent::Flawed(_) => None,
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&SentObject> {
        match self {
            Sent::Object(object) => Some(object),
            Sent::Null
            | Sent::Boolean(_)
            | Sent::Number(_)
            | Sent::Text(_)
            | Sent::List(_)
            | Sent::Flawed(_) => None,
        }
    }

    /// Whether it says the same as this value.
    pub fn is(&self, value: &Value) -> bool {
        *self == Sent::from(value)
    }

    /// The value as others know it.
    fn to_value(&self) -> Result<Value, Flaw> {
        Ok(match self {
            Sent::Null => Value::Null,
            Sent::Boolean(it) => Value::Bool(*it),
            Sent::Number(number) => Value::Number(number.clone()),
            Sent::Text(text) => Value::String(text.clone()),
            Sent::List(items) => Value::Array(items.iter().map(Sent::to_value).collect::<Result<_, _>>()?),
            Sent::Object(object) => Value::Object(object.to_map()?),
            Sent::Flawed(flaw) => return Err(*flaw),
        })
    }

    fn of_raw(raw: &RawValue, depth: usize, room: &mut Room) -> Sent {
        let text = raw.get();
        let read = match text.as_bytes().first() {
            Some(b'{' | b'[') if depth >= DEPTH_MAX => return Sent::Flawed(Flaw::TooDeep),
            Some(b'{') => collect::<Members<'_>>(text, room.left).map(|read| match read {
                Collected { beyond: true, .. } => Sent::Flawed(Flaw::TooLong),
                Collected { kept, beyond: false } => Sent::Object(SentObject::of_raw(kept, depth, room)),
            }),
            Some(b'[') => collect::<Items<'_>>(text, room.left).map(|read| match read {
                Collected { beyond: true, .. } => Sent::Flawed(Flaw::TooLong),
                Collected { kept, beyond: false } => {
                    room.take(kept.len());
                    Sent::List(kept.into_iter().map(|item| Sent::of_raw(item, depth + 1, room)).collect())
                }
            }),
            // Escapes of half a character are JSON and no text.
            Some(b'"') => Ok(serde_json::from_str(text).map_or(Sent::Flawed(Flaw::NotUnicode), Sent::Text)),
            Some(b'-' | b'0'..=b'9') => Ok(number(text)),
            Some(_) | None => serde_json::from_str::<Value>(text).map(|value| Sent::from(&value)),
        };
        // The text was read as JSON before, so none of these fails; null is wrong wherever a value is wanted.
        read.unwrap_or(Sent::Null)
    }
}

/// How many more values of a message are kept.
struct Room {
    left: usize,
}

impl Room {
    fn take(&mut self, values: usize) {
        self.left = self.left.saturating_sub(values);
    }
}

/// A number beyond what a double or a 64-bit integer holds is out of every range that there is.
fn number(text: &str) -> Sent {
    let written_whole = !text.contains(['.', 'e', 'E']);
    match serde_json::from_str::<Number>(text) {
        Ok(number) if written_whole && number.is_f64() => Sent::Flawed(Flaw::OutOfRange),
        Ok(number) => Sent::Number(number),
        Err(_) => Sent::Flawed(Flaw::OutOfRange),
    }
}

impl SentObject {
    /// Reads an object level by level, however deep it is.
    ///
    /// # Errors
    /// When the text is not a JSON object.
    pub fn parse(text: &str) -> Result<SentObject, serde_json::Error> {
        let mut room = Room { left: VALUES_MAX };
        // Of what is beyond here nothing need be said: there are no so many names, so that those which are kept have
        // ones that nobody knows, or one of them twice.
        let read = collect::<Members<'_>>(text, room.left)?;
        Ok(SentObject::of_raw(read.kept, 0, &mut room))
    }

    fn of_raw(raw: Vec<Member<'_>>, depth: usize, room: &mut Room) -> SentObject {
        room.take(raw.len());
        let mut object = SentObject::default();
        for (name, value) in raw {
            let value = Sent::of_raw(value, depth + 1, room);
            match serde_json::from_str::<String>(name.get()) {
                Ok(name) => object.add(name, value),
                Err(_) => object.add(char::REPLACEMENT_CHARACTER.to_string(), Sent::Flawed(Flaw::NotUnicode)),
            }
        }
        object
    }

    /// What a name that is there twice means is anybody's guess.
    fn add(&mut self, name: String, value: Sent) {
        match self.members.entry(name) {
            Entry::Occupied(mut known) => {
                known.insert(Sent::Flawed(Flaw::Duplicate));
            }
            Entry::Vacant(free) => {
                free.insert(value);
            }
        }
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Sent> {
        self.members.get(name)
    }

    /// All names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Sent)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The object as others know it.
    ///
    /// # Errors
    /// When something in it is no value.
    pub fn to_map(&self) -> Result<Map<String, Value>, Flaw> {
        self.iter().map(|(name, value)| Ok((name.to_owned(), value.to_value()?))).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Changes the object as a JSON merge patch says (RFC 7396): objects merge, `null` removes, everything else
    /// replaces; but for the exceptions.
    pub fn merge(&mut self, patch: &SentObject, except: &Exceptions<'_>) {
        self.merge_at("", patch, except);
    }

    fn merge_at(&mut self, path: &str, patch: &SentObject, except: &Exceptions<'_>) {
        for (name, value) in patch.iter() {
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if *value == Sent::Null && !except.nullable.contains(&path.as_str()) {
                self.members.remove(name);
                continue;
            }
            match (self.members.get_mut(name), value) {
                (Some(Sent::Object(known)), Sent::Object(patch)) if !except.replaces(&path, known, patch) => {
                    known.merge_at(&path, patch, except);
                }
                (Some(known), value) => *known = without_nulls(value),
                (None, value) => {
                    self.members.insert(name.to_owned(), without_nulls(value));
                }
            }
        }
    }
}

/// Which members of an object a merge patch changes otherwise than its standard says, by their paths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exceptions<'a> {
    /// Objects that are replaced whole when their `kind` changes: what belongs to one kind means nothing for another.
    pub unions: &'a [&'a str],
    /// Members for which `null` is a value.
    pub nullable: &'a [&'a str],
}

impl Exceptions<'_> {
    fn replaces(&self, path: &str, known: &SentObject, new: &SentObject) -> bool {
        self.unions.contains(&path) && new.get("kind").is_some_and(|kind| known.get("kind") != Some(kind))
    }
}

/// A patch that meets nothing is itself what there is, but for the nulls, which remove what is not there.
fn without_nulls(value: &Sent) -> Sent {
    match value {
        Sent::Object(object) => {
            let members = object.members.iter().filter(|(_, value)| **value != Sent::Null);
            let members = members.map(|(name, value)| (name.clone(), without_nulls(value))).collect();
            Sent::Object(SentObject { members })
        }
        Sent::Null | Sent::Boolean(_) | Sent::Number(_) | Sent::Text(_) | Sent::List(_) | Sent::Flawed(_) => {
            value.clone()
        }
    }
}

impl From<&Value> for Sent {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Sent::Null,
            Value::Bool(it) => Sent::Boolean(*it),
            Value::Number(number) => Sent::Number(number.clone()),
            Value::String(text) => Sent::Text(text.clone()),
            Value::Array(items) => Sent::List(items.iter().map(Sent::from).collect()),
            Value::Object(map) => {
                let members = map.iter().map(|(name, value)| (name.clone(), Sent::from(value)));
                Sent::Object(SentObject { members: members.collect() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(text: &str) -> SentObject {
        SentObject::parse(text).unwrap()
    }

    fn of(value: &Value) -> SentObject {
        Sent::from(value).as_object().unwrap().clone()
    }

    #[test]
    fn what_is_sound_is_as_any_parser_reads_it() {
        let text =
            r#"{"a":[1,-2.5,null,true,"x\u00e9\ud83d\ude00",{}],"b":{"c":{"d":18446744073709551615}}}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text), of(&value));
        assert_eq!(parse(text).to_map().map(Value::Object), Ok(value));
    }

    #[test]
    fn what_is_flawed_is_so_in_its_place_and_nowhere_else() {
        let sent = parse(
            r#"{"twice":1,"text":"\ud800","big":1e400,"whole":123456789012345678901234567890,
                "in":{"list":["a","\udc00b"],"twice":[],"twice":{}},"twice":1,"\ud800":1,"well":"\u0000"}"#,
        );
        let flawed = |name: &str| match sent.get(name) {
            Some(Sent::Flawed(flaw)) => Some(*flaw),
            Some(_) | None => None,
        };
        assert_eq!(flawed("twice"), Some(Flaw::Duplicate));
        assert_eq!(flawed("text"), Some(Flaw::NotUnicode));
        assert_eq!(flawed("big"), Some(Flaw::OutOfRange));
        assert_eq!(flawed("whole"), Some(Flaw::OutOfRange));
        assert_eq!(flawed("\u{fffd}"), Some(Flaw::NotUnicode));
        assert_eq!(sent.get("well").and_then(Sent::as_text), Some("\0"));
        let inner = sent.get("in").and_then(Sent::as_object).unwrap();
        assert_eq!(inner.to_map(), Err(Flaw::NotUnicode));
        let list = Sent::List(vec![Sent::Text("a".to_owned()), Sent::Flawed(Flaw::NotUnicode)]);
        assert_eq!(inner.get("list"), Some(&list));
        assert_eq!(inner.get("twice"), Some(&Sent::Flawed(Flaw::Duplicate)));
    }

    #[test]
    fn depth_ends_at_a_bound_however_deep_the_text_is() {
        let deep = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        let mut value = parse(&deep(100_000)).get("a").cloned().unwrap();
        for _ in 1..DEPTH_MAX {
            let Sent::List(items) = value else { panic!("{value:?}") };
            value = items.into_iter().next().unwrap();
        }
        assert_eq!(value, Sent::Flawed(Flaw::TooDeep));
        let mut just_fits = parse(&deep(DEPTH_MAX - 1)).get("a").cloned().unwrap();
        while let Sent::List(items) = just_fits {
            just_fits = items.into_iter().next().unwrap_or(Sent::Null);
        }
        assert_eq!(just_fits, Sent::Null);
    }

    #[test]
    fn values_end_at_a_bound_however_many_there_are() {
        let flawed = Some(&Sent::Flawed(Flaw::TooLong));
        let many = |count: usize| vec!["3"; count].join(",");
        let names =
            |count: usize| (0..count).map(|name| format!(r#""{name}":3"#)).collect::<Vec<_>>().join(",");
        // The four members of the object itself count as well.
        let fits = parse(&format!(r#"{{"a":[{}],"b":[],"c":{{}},"d":1}}"#, many(VALUES_MAX - 4)));
        assert!(matches!(fits.get("a"), Some(Sent::List(items)) if items.len() == VALUES_MAX - 4));
        assert_eq!((fits.get("b"), fits.get("d")), (Some(&Sent::List(vec![])), Some(&Sent::from(&json!(1)))));
        for beyond in [format!("[{}]", many(VALUES_MAX - 3)), format!("{{{}}}", names(VALUES_MAX - 3))] {
            let sent = parse(&format!(r#"{{"a":{beyond},"b":[1],"c":{{}},"d":{{"e":[1]}}}}"#));
            assert_eq!(sent.get("a"), flawed);
            // What is not kept takes no room from the others.
            assert_eq!(sent.get("d"), Some(&Sent::from(&json!({"e": [1]}))));
        }
        let sent = parse(&format!(r#"{{"a":[{}],"b":[1]}}"#, many(VALUES_MAX - 2)));
        assert_eq!(sent.get("b"), flawed);
        assert_eq!(parse(&format!("{{{}}}", names(VALUES_MAX + 1))).len(), VALUES_MAX);
        // Half a character beyond the bound is still JSON.
        let half = format!(r#"{{"a":{{{},"\ud800":"\ud800"}}}}"#, names(VALUES_MAX));
        assert_eq!(parse(&half).get("a"), flawed);
    }

    #[test]
    fn a_merge_patch_does_what_its_standard_says() {
        // The cases of RFC 7396, appendix A, whose target and patch are objects.
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (target, patch, expected) in cases {
            let mut merged = of(&target);
            merged.merge(&of(&patch), &Exceptions::default());
            assert_eq!(merged, of(&expected), "{target} {patch}");
        }
    }

    #[test]
    fn a_merge_patch_knows_exceptions() {
        let except = Exceptions { unions: &["r", "p.u"], nullable: &["p.n"] };
        let union = json!({"kind": "a", "x": 1});
        let mut merged = of(&json!({"r": union, "s": union, "p": {"u": union, "n": 1, "m": 1}}));
        let other = json!({"kind": "b", "y": null});
        merged.merge(
            &of(&json!({"r": other, "s": other, "p": {"u": {"x": 2}, "n": null, "m": null}})),
            &except,
        );
        let expected = json!({"r": {"kind": "b"}, "s": {"kind": "b", "x": 1},
            "p": {"u": {"kind": "a", "x": 2}, "n": null}});
        assert_eq!(merged, of(&expected));
    }
}
