//! One level of a list or an object, as the text that it holds, up to a bound.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A name and its value, not yet looked at.
pub(super) type Member<'a> = (&'a RawValue, &'a RawValue);

/// What a list or an object holds, not yet looked at.
pub(super) struct Collected<T> {
    /// Those that there was room for.
    pub(super) kept: Vec<T>,
    /// Whether there are more.
    pub(super) beyond: bool,
}

/// Reads a list or an object, and keeps no more of it than there is room for.
pub(super) fn collect<'de, C: Collect<'de>>(
    text: &'de str,
    most: usize,
) -> Result<Collected<C::Element>, serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = C::with_room(most).deserialize(&mut parser)?;
    parser.end()?;
    Ok(read)
}

/// A way to read a list or an object so.
pub(super) trait Collect<'de>: DeserializeSeed<'de, Value = Collected<Self::Element>> {
    /// What it holds.
    type Element;

    /// Keeps no more than this.
    fn with_room(most: usize) -> Self;
}

/// The items of a list.
pub(super) struct Items<'a> {
    most: usize,
    kept: Vec<&'a RawValue>,
}

/// The members of an object.
pub(super) struct Members<'a> {
    most: usize,
    kept: Vec<Member<'a>>,
}

impl<'de> Collect<'de> for Items<'de> {
    type Element = &'de RawValue;

    fn with_room(most: usize) -> Self {
        Items { most, kept: Vec::new() }
    }
}

impl<'de> Collect<'de> for Members<'de> {
    type Element = Member<'de>;

    fn with_room(most: usize) -> Self {
        Members { most, kept: Vec::new() }
    }
}

impl<'de> DeserializeSeed<'de> for Items<'de> {
    type Value = Collected<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> DeserializeSeed<'de> for Members<'de> {
    type Value = Collected<Member<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Items<'de> {
    type Value = Collected<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self::Value, A::Error> {
        while self.kept.len() < self.most {
            let Some(item) = list.next_element()? else {
                return Ok(Collected { kept: self.kept, beyond: false });
            };
            self.kept.push(item);
        }
        let mut beyond = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            beyond = true;
        }
        Ok(Collected { kept: self.kept, beyond })
    }
}

impl<'de> Visitor<'de> for Members<'de> {
    type Value = Collected<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        while self.kept.len() < self.most {
            let Some(member) = map.next_entry()? else {
                return Ok(Collected { kept: self.kept, beyond: false });
            };
            self.kept.push(member);
        }
        let mut beyond = false;
        // Names of half characters are JSON too, so that they are skipped as they stand.
        while map.next_entry::<&RawValue, &RawValue>()?.is_some() {
            beyond = true;
        }
        Ok(Collected { kept: self.kept, beyond })
    }
}
