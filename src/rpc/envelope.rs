//! Reads the envelope of a message: who asks for what. The parameters stay as they are.

use jsonrpsee::types::Id;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::errors::{Failure, Kind};

/// A message from the client.
#[derive(Debug)]
pub enum Incoming {
    /// It wants an answer.
    Request(Request),
    /// It wants none.
    Notification {
        /// What it tells.
        method: String,
    },
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
pub fn read(bytes: &[u8]) -> Incoming {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        return read_batch(bytes);
    }
    match serde_json::from_slice::<Envelope<'_>>(bytes) {
        Ok(envelope) => read_envelope(&envelope),
        Err(error) => invalid(None, unreadable(bytes, &error)),
    }
}

fn read_batch(bytes: &[u8]) -> Incoming {
    match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        Ok(_) => {
            let why = "this version does not do batches yet; send the requests one by one";
            invalid(None, Failure::new(Kind::InvalidRequest, why))
        }
        Err(error) => invalid(None, unreadable(bytes, &error)),
    }
}

fn unreadable(bytes: &[u8], error: &serde_json::Error) -> Failure {
    // JSON of the wrong shape is a request that is not valid; anything else is no JSON.
    let is_json = error.is_data() && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
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
        return refuse("the id of a request is a string or an integer");
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
        Some(params) if params.starts_with('[') => match params[1..].trim_start().starts_with(']') {
            true => None,
            false => {
                let why = "parameters are given by name, in an object";
                return invalid(known_id, Failure::new(Kind::InvalidParams, why));
            }
        },
        Some(_) => return refuse("the `params` of a request are an object"),
    };
    match known_id {
        Some(id) => Incoming::Request(Request { id, method, params }),
        None => Incoming::Notification { method },
    }
}

fn invalid(id: Option<RequestId>, failure: Failure) -> Incoming {
    Incoming::Invalid { id, failure }
}

fn read_id(id: &RawValue) -> Option<RequestId> {
    let text = id.get();
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
            Incoming::Request(request) => {
                let params = request.params.map(|params| params.get().to_owned());
                format!("{} {} {params:?}", request.id.to_json(), request.method)
            }
            Incoming::Notification { method, .. } => format!("notification {method}"),
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
            (r#"{"jsonrpc":"2.0","id":7,"result":null}"#, "response"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"m"}"#, "null -32600"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#, "null -32600"),
            (r#"{"jsonrpc":"2.0","id":true,"method":"m"}"#, "null -32600"),
            (r#"{"jsonrpc":"1.0","id":4,"method":"m"}"#, "4 -32600"),
            (r#"{"id":4,"method":"m"}"#, "4 -32600"),
            (r#"{"jsonrpc":"2.0","id":4,"method":5}"#, "4 -32600"),
            (r#"{"jsonrpc":"2.0","id":4}"#, "4 -32600"),
            (r#"{"jsonrpc":"2.0","id":4,"method":"m","params":"x"}"#, "4 -32600"),
            (r#"{"jsonrpc":"2.0","id":4,"method":"m","params":[1]}"#, "4 -32602"),
            (r#"{"jsonrpc":"2.0","id":4,"id":5,"method":"m"}"#, "null -32600"),
            ("3", "null -32600"),
            ("[]", "null -32600"),
            ("{", "null -32700"),
            ("nonsense", "null -32700"),
            ("[1,", "null -32700"),
            ("", "null -32700"),
        ];
        for (message, expected) in cases {
            assert_eq!(shown(message), expected, "{message}");
        }
        let not_unicode = read(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}");
        assert!(matches!(not_unicode, Incoming::Invalid { failure, .. } if failure.code() == -32700));
    }
}
