//! Reads the envelope of a message: who asks for what. The parameters stay as they are.

use jsonrpsee::types::Id;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::errors::{Failure, Kind};

/// The most entries of a batch: about twice as many requests as may run and wait together. Two bytes are enough
/// for an entry that needs an answer of a hundred times that length.
pub const ENTRIES: usize = 8192;

/// The longest identity of a request, in bytes as it is written. Every answer repeats it; what clients count or draw
/// has a hundredth of that.
pub const ID_MAX: usize = 4096;

/// A message from the client.
#[derive(Debug)]
pub enum Message {
    /// It stands by itself.
    One(Incoming),
    /// Several, which are answered together.
    Batch(Vec<Incoming>),
}

/// What a message is, or an entry of a batch.
#[derive(Debug)]
pub enum Incoming {
    /// It wants an answer.
    Request(Request),
    /// It wants none.
    Notification(Notification),
    /// It answers a request; this side makes none.
    Response,
    /// It cannot be carried out, and is answered so.
    Invalid {
        /// The identity of the request, as far as it could be read.
        id: Option<RequestId>,
        /// What is wrong with it.
        failure: Failure,
    },
}

impl Incoming {
    /// The identity that its answer carries; none if it gets no answer.
    pub fn answered_as(&self) -> Option<Option<&RequestId>> {
        match self {
            Incoming::Request(request) => Some(Some(&request.id)),
            Incoming::Invalid { id, .. } => Some(id.as_ref()),
            Incoming::Notification(_) | Incoming::Response => None,
        }
    }
}

/// Something that is told without wanting an answer.
#[derive(Debug)]
pub struct Notification {
    /// What it tells.
    pub method: String,
    /// With what, if anything; not looked at yet.
    pub params: Option<Box<RawValue>>,
}

impl Notification {
    /// The request that is to be cancelled, if it is sound and names one.
    pub fn cancelled_request(&self) -> Option<RequestId> {
        #[derive(Deserialize)]
        struct Cancel<'a> {
            #[serde(borrow)]
            id: &'a RawValue,
        }
        let cancel: Cancel<'_> = serde_json::from_str(self.params.as_deref()?.get()).ok()?;
        read_id(cancel.id)
    }
}

/// A request.
#[derive(Debug)]
pub struct Request {
    /// What its answer carries.
    pub id: RequestId,
    /// What is asked for.
    pub method: String,
    /// With what: a JSON object, or nothing.
    pub params: Option<Box<RawValue>>,
}

/// The identity of a request: a string, or an integer of any size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RequestId {
    /// A string.
    Text(String),
    /// An integer, as it was written.
    Integer(String),
}

impl RequestId {
    /// The identity as the method table knows it; integers that it cannot hold get a stand-in.
    pub fn for_table(&self) -> Id<'static> {
        match self {
            RequestId::Text(text) => Id::Str(text.clone().into()),
            RequestId::Integer(digits) => digits.parse().map_or(Id::Null, Id::Number),
        }
    }

    /// Whether [`RequestId::for_table`] is a stand-in.
    pub fn needs_stand_in(&self) -> bool {
        self.for_table() == Id::Null
    }

    /// The identity as JSON.
    pub fn to_json(&self) -> String {
        match self {
            RequestId::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            RequestId::Integer(digits) => digits.clone(),
        }
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            RequestId::Text(text) => serializer.serialize_str(text),
            // As it was written, however long it is.
            RequestId::Integer(digits) => {
                let digits: &RawValue = serde_json::from_str(digits).map_err(serde::ser::Error::custom)?;
                digits.serialize(serializer)
            }
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Tells a member that is null from one that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads a message.
pub fn read(bytes: &[u8]) -> Message {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'[') => read_batch(bytes),
        Some(_) | None => Message::One(read_one(bytes)),
    }
}

fn read_one(bytes: &[u8]) -> Incoming {
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    match serde_json::from_slice::<Envelope<'_>>(bytes) {
        Ok(envelope) if is_object => read_envelope(&envelope),
        // The members in their order, which the reader of the envelope takes for an object.
        Ok(_) => invalid(
            None,
            Failure::new(Kind::InvalidRequest, "a message is an object, and batches are not nested"),
        ),
        Err(error) => invalid(None, unreadable(bytes, &error)),
    }
}

fn read_batch(bytes: &[u8]) -> Message {
    let refuse = |why: String| Message::One(invalid(None, Failure::new(Kind::InvalidRequest, why)));
    match serde_json::from_slice::<Entries<'_>>(bytes) {
        Ok(Entries { first, more: 0 }) if first.is_empty() => {
            refuse("a batch has at least one request".to_owned())
        }
        Ok(Entries { first, more: 0 }) => {
            Message::Batch(first.into_iter().map(|entry| read_one(entry.get().as_bytes())).collect())
        }
        Ok(Entries { more, .. }) => {
            let count = ENTRIES + more;
            refuse(format!("a batch has at most {ENTRIES} entries, not {count}; send several batches"))
        }
        Err(error) => Message::One(invalid(None, unreadable(bytes, &error))),
    }
}

/// The entries of a batch, as they are.
struct Entries<'a> {
    first: Vec<&'a RawValue>,
    /// How many there are beyond what a batch may have.
    more: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an array of messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Entries { first: Vec::new(), more: 0 };
                while entries.first.len() < ENTRIES {
                    match sequence.next_element()? {
                        Some(entry) => entries.first.push(entry),
                        None => return Ok(entries),
                    }
                }
                while sequence.next_element::<IgnoredAny>()?.is_some() {
                    entries.more += 1;
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_seq(Reader)
    }
}

fn unreadable(bytes: &[u8], error: &serde_json::Error) -> Failure {
    // JSON of the wrong shape is a request that is not valid; anything else is no JSON.
    let is_json = error.is_data() && serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    match is_json {
        true => Failure::new(
            Kind::InvalidRequest,
            "a message is a JSON object in which `jsonrpc`, `id`, `method` and `params` stand at most once",
        ),
        false => Failure::new(Kind::ParseError, format!("the message is not JSON: {error}")),
    }
}

fn read_envelope(envelope: &Envelope<'_>) -> Incoming {
    let id = envelope.id.map(read_id);
    let known_id = id.clone().flatten();
    let refuse = |why: &str| invalid(known_id.clone(), Failure::new(Kind::InvalidRequest, why));
    let version = envelope.jsonrpc.map(|version| serde_json::from_str::<String>(version.get()));
    if !matches!(version, Some(Ok(version)) if version == "2.0") {
        return refuse("write \"jsonrpc\": \"2.0\" into every message");
    }
    if id == Some(None) {
        return refuse(&format!("the id of a request is a string or an integer, of at most {ID_MAX} bytes"));
    }
    let Some(method) = envelope.method else {
        return match envelope.result.or(envelope.error) {
            Some(_) => Incoming::Response,
            None => refuse("a request has a `method`"),
        };
    };
    let Ok(method) = serde_json::from_str::<String>(method.get()) else {
        return refuse("the `method` of a request is a string");
    };
    let params = match envelope.params.map(RawValue::get) {
        None | Some("null") => None,
        Some(params) if params.starts_with('{') => envelope.params.map(ToOwned::to_owned),
        Some(params) if params.starts_with('[') => match holds_nothing(params) {
            true => None,
            false if known_id.is_none() => return unknown_to_anybody(method),
            false => {
                let why = "parameters are given by name, in an object";
                return invalid(known_id, Failure::new(Kind::InvalidParams, why));
            }
        },
        Some(_) if known_id.is_none() => return unknown_to_anybody(method),
        Some(_) => return refuse("the `params` of a request are an object"),
    };
    match known_id {
        Some(id) => Incoming::Request(Request { id, method, params }),
        None => Incoming::Notification(Notification { method, params }),
    }
}

/// Whether a list of parameters says that there are none: `vscode-jsonrpc` sends `[null]` for one that is `undefined`.
fn holds_nothing(list: &str) -> bool {
    let within = list.strip_prefix('[').and_then(|list| list.strip_suffix(']'));
    matches!(within.map(str::trim), Some("" | "null"))
}

/// Nobody answers a notification, so that one whose parameters are no object can only be passed over, like
/// every other one that means nothing here.
fn unknown_to_anybody(method: String) -> Incoming {
    Incoming::Notification(Notification { method, params: None })
}

fn invalid(id: Option<RequestId>, failure: Failure) -> Incoming {
    Incoming::Invalid { id, failure }
}

fn read_id(id: &RawValue) -> Option<RequestId> {
    let text = id.get();
    if text.len() > ID_MAX {
        return None;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(RequestId::Integer(text.to_owned()));
    }
    serde_json::from_str(text).ok().map(RequestId::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &str) -> String {
        match read(message.as_bytes()) {
            Message::One(one) => one_shown(one),
            Message::Batch(entries) => {
                let entries: Vec<String> = entries.into_iter().map(one_shown).collect();
                format!("[{}]", entries.join(", "))
            }
        }
    }

    fn one_shown(incoming: Incoming) -> String {
        match incoming {
            Incoming::Request(request) => {
                let params = request.params.map(|params| params.get().to_owned());
                format!("{} {} {params:?}", request.id.to_json(), request.method)
            }
            Incoming::Notification(notification) => format!("notification {}", notification.method),
            Incoming::Response => "response".to_owned(),
            Incoming::Invalid { id, failure } => {
                format!("{} {}", id.map_or("null".to_owned(), |id| id.to_json()), failure.code())
            }
        }
    }

    #[test]
    fn what_is_a_request_and_what_is_not() {
        let cases = [
            (
                r#"{"jsonrpc":"2.0","id":0,"method":"automation\/get","params":{"id":1}}"#,
                r#"0 automation/get Some("{\"id\":1}")"#,
            ),
            (r#"{"jsonrpc":"2.0","id":-1,"method":"m"}"#, "-1 m None"),
            (
                r#"{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"m"}"#,
                "123456789012345678901234567890 m None",
            ),
            (r#"{"jsonrpc":"2.0","id":"\u0061","method":"m","params":[]}"#, "\"a\" m None"),
            (r#"{"jsonrpc":"2.0","id":"a","method":"m","params":null}"#, "\"a\" m None"),
            (r#"{"jsonrpc":"2.0","method":"m"}"#, "notification m"),
            (r#"{"jsonrpc":"2.0","method":"m","params":[1]}"#, "notification m"),
            (r#"{"jsonrpc":"2.0","method":"m","params":3}"#, "notification m"),
            (r#"[["2.0",1,"m",null,null,null]]"#, "[null -32600]"),
            (r#"[["2.0",null,"m"]]"#, "[null -32600]"),
            (r#"[[{"jsonrpc":"2.0","id":1,"method":"m"}]]"#, "[null -32600]"),
            (r#"{"jsonrpc":"2.0","id":7,"result":null}"#, "response"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"m"}"#, "null -32600"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#, "null -32600"),
            (r#"{"jsonrpc":"2.0","id":true,"method":"m"}"#, "null -32600"),
            (r#"{"jsonrpc":"1.0","id":4,"method":"m"}"#, "4 -32600"),
            (r#"{"id":4,"method":"m"}"#, "4 -32600"),
            (r#"{"jsonrpc":"2.0","id":4,"method":5}"#, "4 -32600"),
            (r#"{"jsonrpc":"2.0","id":4}"#, "4 -32600"),
            (r#"{"jsonrpc":"2.0","id":4,"method":"m","params":"x"}"#, "4 -32600"),
            (r#"{"jsonrpc":"2.0","id":4,"method":"m","params":[ null ]}"#, "4 m None"),
            (r#"{"jsonrpc":"2.0","id":4,"method":"m","params":[null,null]}"#, "4 -32602"),
            (r#"{"jsonrpc":"2.0","id":4,"method":"m","params":[1]}"#, "4 -32602"),
            (r#"{"jsonrpc":"2.0","id":4,"id":5,"method":"m"}"#, "null -32600"),
            ("3", "null -32600"),
            ("[]", "null -32600"),
            (
                r#" [{"jsonrpc":"2.0","id":1,"method":"m"}, {"jsonrpc":"2.0","method":"n"}, 3, [], {"id":2},
                    {"jsonrpc":"2.0","id":3,"result":0}]"#,
                "[1 m None, notification n, null -32600, null -32600, 2 -32600, response]",
            ),
            ("[{]", "null -32700"),
            ("[1] 2", "null -32700"),
            ("{", "null -32700"),
            ("nonsense", "null -32700"),
            ("[1,", "null -32700"),
            ("", "null -32700"),
        ];
        for (message, expected) in cases {
            assert_eq!(shown(message), expected, "{message}");
        }
        let not_unicode = read(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}");
        let code = |message: Message| match message {
            Message::One(Incoming::Invalid { failure, .. }) => Some(failure.code()),
            Message::One(_) | Message::Batch(_) => None,
        };
        assert_eq!(code(not_unicode), Some(-32700));
    }

    #[test]
    fn a_batch_has_a_bound() {
        let batch = |entries: usize| format!("[{}]", vec!["1"; entries].join(","));
        assert!(
            matches!(read(batch(ENTRIES).as_bytes()), Message::Batch(entries) if entries.len() == ENTRIES)
        );
        assert_eq!(shown(&batch(ENTRIES + 1)), "null -32600");
        assert_eq!(shown(&format!("{},", batch(ENTRIES + 1))), "null -32700", "all of it is read");
    }

    #[test]
    fn what_is_to_be_cancelled_is_named_by_a_string_or_an_integer() {
        let named = |params: &str| {
            let text = format!(r#"{{"jsonrpc":"2.0","method":"$/cancelRequest","params":{params}}}"#);
            match read(text.as_bytes()) {
                Message::One(Incoming::Notification(told)) => told.cancelled_request().map(|id| id.to_json()),
                other @ (Message::One(_) | Message::Batch(_)) => panic!("{other:?}"),
            }
        };
        for sound in ["7", "-1", "123456789012345678901234567890", r#""7""#, r#""""#] {
            assert_eq!(named(&format!(r#"{{"id":{sound}}}"#)).as_deref(), Some(sound));
        }
        for unsound in
            ["{}", "null", "[7]", r#"{"id":null}"#, r#"{"id":1.5}"#, r#"{"id":[7]}"#, r#"{"id":7,"id":8}"#]
        {
            assert_eq!(named(unsound), None, "{unsound}");
        }
    }
}
