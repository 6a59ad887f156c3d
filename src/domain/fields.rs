//! Reads the fields of an object that a client sent, and collects every fault instead of stopping at the first.
//!
//! Whoever reads an object names each field it knows; [`Fields::finish`] reports those that nobody asked for.
//! `null` is a value like any other: only a field that may be null accepts it.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::fault::{Fault, Word};
use super::one_line::one_line;
use super::sent::{Flaw, INTEGER_MAX, Sent, SentObject};
use super::time::Timestamp;

/// Collected faults, shared by the readers of one message.
#[derive(Clone, Debug, Default)]
pub struct Faults(Rc<RefCell<Vec<Fault>>>);

impl Faults {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records one more. Beyond a hundred nobody reads on, and an answer has to end somewhere.
    pub fn push(&self, fault: Fault) {
        const MOST: usize = 100;
        let mut faults = self.0.borrow_mut();
        if faults.len() < MOST {
            faults.push(fault);
        }
    }

    /// Everything recorded, in the order it was found.
    pub fn take(&self) -> Vec<Fault> {
        self.0.take()
    }

    /// Whether nothing has been recorded.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// How many characters of a name a fault shows. Those of the contract have half as many.
const NAME_SHOWN: usize = 64;

/// The fields of one object, at its path inside the message.
pub struct Fields<'a> {
    object: &'a SentObject,
    /// What the object was before somebody changed it.
    before: Option<&'a SentObject>,
    path: String,
    known: Vec<&'static str>,
    faults: Faults,
}

impl<'a> Fields<'a> {
    /// Reads the outermost object.
    pub fn root(object: &'a SentObject, faults: &Faults) -> Self {
        Fields { object, before: None, path: String::new(), known: Vec::new(), faults: faults.clone() }
    }

    /// Reads the outermost object, which was another one before somebody changed it.
    pub fn changed_root(before: &'a SentObject, object: &'a SentObject, faults: &Faults) -> Self {
        Fields { before: Some(before), ..Fields::root(object, faults) }
    }

    /// The path of a field of this object, as a fault writes it.
    pub fn path(&self, name: &str) -> String {
        // A client's own name may be of any length; the start of it tells which one is meant.
        let end = name.char_indices().nth(NAME_SHOWN).map_or(name.len(), |(end, _)| end);
        let (name, cut) = (&name[..end], if end < name.len() { "\u{2026}" } else { "" });
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("{}{dot}{name}{cut}", self.path)
    }

    /// Records a fault of one of this object's fields.
    pub fn fault(&self, name: &str, word: Word) {
        self.faults.push(Fault::new(self.path(name), word));
    }

    /// Records a fault of one of this object's fields, with a way out.
    pub fn fault_hint(&self, name: &str, word: Word, hint: impl Into<String>) {
        self.faults.push(Fault::with_hint(self.path(name), word, hint));
    }

    /// Records that the text of one of this object's fields is no value.
    pub fn flawed(&self, name: &str, flaw: Flaw) {
        self.fault_hint(name, flaw.word(), flaw.way_out());
    }

    /// Whether the field was sent at all.
    pub fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some()
    }

    /// Whether the field was sent as null.
    pub fn is_null(&self, name: &str) -> bool {
        self.object.get(name) == Some(&Sent::Null)
    }

    /// Whether the field is what it was before somebody changed the object. Of what nobody changed there was
    /// nothing before.
    pub fn unchanged(&mut self, name: &'static str) -> bool {
        self.known.push(name);
        self.before.is_some_and(|before| before.get(name) == self.object.get(name))
    }

    /// Whether the field is this word.
    pub fn says(&self, name: &str, word: &str) -> bool {
        self.object.get(name).and_then(Sent::as_text) == Some(word)
    }

    /// The field as it was sent. One whose text is no value is a fault, and is not given.
    pub fn any(&mut self, name: &'static str) -> Option<&'a Sent> {
        self.known.push(name);
        let value = self.object.get(name)?;
        if let Sent::Flawed(flaw) = value {
            self.flawed(name, *flaw);
            return None;
        }
        Some(value)
    }

    /// A field that may be null: absent and null are told apart from a value.
    pub fn nullable(&mut self, name: &'static str) -> Option<&'a Sent> {
        self.any(name).filter(|value| **value != Sent::Null)
    }

    /// Records `required` if the field was not sent; to be used with the optional readers.
    pub fn require<T>(&mut self, name: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.has(name) {
            self.fault(name, Word::Required);
        }
        value
    }

    /// Text of any length, without NUL characters.
    pub fn text(&mut self, name: &'static str) -> Option<&'a str> {
        let value = self.any(name)?;
        self.as_text(name, value)
    }

    /// Text of any length with whatever is in it: what a program has written.
    pub fn written(&mut self, name: &'static str) -> Option<&'a str> {
        let text = self.any(name)?.as_text();
        if text.is_none() {
            self.fault_hint(name, Word::WrongType, "write a text");
        }
        text
    }

    /// Text that may also be null.
    pub fn nullable_text(&mut self, name: &'static str) -> Option<&'a str> {
        let value = self.nullable(name)?;
        self.as_text(name, value)
    }

    /// Text that must be there and not blank.
    pub fn required_text(&mut self, name: &'static str) -> Option<&'a str> {
        let text = self.text(name);
        let text = self.require(name, text)?;
        // What nobody would see is as good as nothing, and would leave a sentence without its subject.
        if one_line(text, 1).is_empty() {
            self.fault(name, Word::Required);
            return None;
        }
        Some(text)
    }

    /// Text that must not be blank if it was sent.
    pub fn required_if_sent(&mut self, name: &'static str) -> Option<&'a str> {
        if self.has(name) { self.required_text(name) } else { None }
    }

    /// Text that is not blank and at most so many characters long, if it was sent.
    pub fn short_text(&mut self, name: &'static str, most: usize) -> Option<&'a str> {
        let text = self.required_if_sent(name)?;
        self.at_most(name, text, most)
    }

    /// Text that must be there, not blank, and at most so many characters long.
    pub fn required_short_text(&mut self, name: &'static str, most: usize) -> Option<&'a str> {
        let text = self.required_text(name)?;
        self.at_most(name, text, most)
    }

    /// The text if it is at most so many Unicode scalar values long.
    pub fn at_most(&self, name: &str, text: &'a str, most: usize) -> Option<&'a str> {
        let fits = text.chars().nth(most).is_none();
        if !fits {
            self.fault_hint(name, Word::TooLong, format!("use at most {most} characters"));
        }
        fits.then_some(text)
    }

    /// One of the values of [`Fields::entries`], as text without NUL characters.
    pub fn as_text(&self, name: &str, value: &'a Sent) -> Option<&'a str> {
        if let Sent::Flawed(flaw) = value {
            self.flawed(name, *flaw);
            return None;
        }
        let Some(text) = value.as_text() else {
            self.fault_hint(name, Word::WrongType, "write a text");
            return None;
        };
        if text.contains('\0') {
            self.fault(name, Word::ContainsNul);
            return None;
        }
        Some(text)
    }

    /// A yes or no.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let Sent::Boolean(it) = self.any(name)? else {
            self.fault_hint(name, Word::WrongType, "write true or false");
            return None;
        };
        Some(*it)
    }

    /// A whole number within the range.
    pub fn integer(&mut self, name: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = self.any(name)?;
        self.as_integer(name, value, range)
    }

    /// A whole number within the range, or null.
    pub fn nullable_integer(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<Option<i64>> {
        let value = self.any(name)?;
        if *value == Sent::Null {
            return Some(None);
        }
        self.as_integer(name, value, range).map(Some)
    }

    fn as_integer(&self, name: &str, value: &Sent, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let Sent::Number(number) = value else {
            self.fault_hint(name, Word::WrongType, "write a whole number");
            return None;
        };
        let whole = match number.as_f64() {
            // JSON has one kind of number: what some clients write as 60000.0 is whole all the same.
            Some(float) if number.is_f64() => whole(float),
            Some(_) | None => Some(number.as_i64()),
        };
        let Some(number) = whole else {
            self.fault_hint(name, Word::WrongType, "write a whole number");
            return None;
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            Some(_) | None => {
                let hint = format!("write a whole number from {} to {}", range.start(), range.end());
                self.fault_hint(name, Word::OutOfRange, hint);
                None
            }
        }
    }

    /// A number, whole or not, that is not negative.
    pub fn amount(&mut self, name: &'static str) -> Option<f64> {
        let Sent::Number(number) = self.any(name)? else {
            self.fault_hint(name, Word::WrongType, "write a number");
            return None;
        };
        let amount = number.as_f64().filter(|amount| *amount >= 0.0);
        if amount.is_none() {
            self.fault_hint(name, Word::OutOfRange, "write a number that is not negative");
        }
        amount
    }

    /// An instant from the epoch to the end of the calendar.
    pub fn instant(&mut self, name: &'static str) -> Option<Timestamp> {
        self.integer(name, 0..=Timestamp::MAX.as_millis()).map(Timestamp::from_millis)
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(impl AsRef<str>, T)]) -> Option<T> {
        let text = self.text(name)?;
        let found = choices.iter().find(|(word, _)| word.as_ref() == text);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| word.as_ref()).collect();
            self.fault_hint(name, Word::UnknownValue, format!("write one of: {}", words.join(", ")));
        }
        found.map(|(_, value)| *value)
    }

    /// An object inside this one.
    pub fn object(&mut self, name: &'static str) -> Option<Fields<'a>> {
        let value = self.any(name)?;
        self.as_object(name, value)
    }

    /// An object inside this one that must be there, as it was sent.
    pub fn required_object(&mut self, name: &'static str) -> Option<&'a SentObject> {
        let object = self.object(name);
        self.require(name, object).map(|object| object.object)
    }

    /// An object inside this one, or null.
    pub fn nullable_object(&mut self, name: &'static str) -> Option<Fields<'a>> {
        let value = self.nullable(name)?;
        self.as_object(name, value)
    }

    /// One of the values of [`Fields::entries`], as an object inside this one.
    pub fn as_object(&self, name: &str, value: &'a Sent) -> Option<Fields<'a>> {
        let Some(object) = value.as_object() else {
            self.fault_hint(name, Word::WrongType, "write an object");
            return None;
        };
        let before = self.before.and_then(|before| before.get(name)).and_then(Sent::as_object);
        Some(Fields { before, path: self.path(name), ..Fields::root(object, &self.faults) })
    }

    /// A list of at most so many objects, each of which is to be read and finished by itself.
    pub fn objects(&mut self, name: &'static str, most: usize) -> Option<Vec<Fields<'a>>> {
        let Sent::List(items) = self.any(name)? else {
            self.fault_hint(name, Word::WrongType, "write a list of objects");
            return None;
        };
        if items.len() > most {
            self.fault_hint(name, Word::TooLong, format!("use at most {most}"));
            return None;
        }
        let read = |(index, item): (usize, &'a Sent)| self.as_object(&format!("{name}[{index}]"), item);
        let read: Vec<Option<Fields<'a>>> = items.iter().enumerate().map(read).collect();
        read.into_iter().collect()
    }

    /// An object inside this one that is kept as it is, whatever is in it.
    pub fn kept_object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        let object = self.object(name)?.object;
        match object.to_map() {
            Ok(map) => Some(map),
            Err(flaw) => {
                self.flawed(name, flaw);
                None
            }
        }
    }

    /// A list of texts without NUL characters.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let value = self.any(name)?;
        let Sent::List(items) = value else {
            self.fault_hint(name, Word::WrongType, "write a list of texts");
            return None;
        };
        let read = |(index, item): (usize, &'a Sent)| {
            self.as_text(&format!("{name}[{index}]"), item).map(str::to_owned)
        };
        // Each one is looked at, so that each fault is told.
        let read: Vec<Option<String>> = items.iter().enumerate().map(read).collect();
        read.into_iter().collect()
    }

    /// The names and values of an object whose names are the client's own.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Sent)> + use<'a> {
        self.object.iter()
    }

    /// Records as faults all fields that were sent and that nobody asked for.
    pub fn finish(self, word: Word, hint: impl Fn(&str) -> Option<String>) {
        for (name, _) in self.object.iter() {
            if !self.known.contains(&name) {
                self.faults.push(Fault { field: self.path(name), message: word, hint: hint(name) });
            }
        }
    }
}

/// The whole number that this stands for, none if it has a fraction; and that none if it is too large to be exact.
fn whole(float: f64) -> Option<Option<i64>> {
    if float.fract() != 0.0 {
        return None;
    }
    let exact = float.abs() <= INTEGER_MAX as f64;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within what both can hold")]
    Some(exact.then_some(float as i64))
}
