//! What an agent says, read leniently: only what is needed to tell messages apart has to be right.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The longest identity of a request of an agent, in bytes: it goes back as it came.
const ID_BYTES: usize = 256;

/// What one line says.
#[derive(Debug)]
pub(super) enum Message {
    /// To a call of ours, perhaps.
    Answer { call: i64, answer: Result<Value, AgentError> },
    /// The agent wants something.
    Request { id: Box<RawValue>, method: String, params: Params },
    /// The agent tells something.
    Notification { method: String, params: Params },
}

/// The parameters of a message: an object, if they are any good.
#[derive(Debug)]
pub(super) struct Params(Option<Box<RawValue>>);

/// An agent's refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AgentError {
    pub(super) code: Option<i64>,
    pub(super) message: String,
    /// What it adds, as text.
    pub(super) details: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

impl Message {
    /// What this line says; nothing if it is noise.
    pub(super) fn parse(line: &[u8]) -> Option<Message> {
        let text = std::str::from_utf8(line).ok()?.trim();
        // A struct could be read from an array as well.
        if !text.starts_with('{') {
            return None;
        }
        let Envelope { id, method, params, result, error } = serde_json::from_str(text).ok()?;
        let params = Params(params.map(RawValue::to_owned));
        match (method, id) {
            (Some(method), Some(id)) if is_id(id) => {
                Some(Message::Request { id: id.to_owned(), method: method.into_owned(), params })
            }
            (Some(method), _) => Some(Message::Notification { method: method.into_owned(), params }),
            (None, Some(id)) => {
                let answer = match error {
                    Some(error) => Err(AgentError::read(error)),
                    None => Ok(result.map_or(Value::Null, |result| {
                        serde_json::from_str(result.get()).unwrap_or(Value::Null)
                    })),
                };
                Some(Message::Answer { call: number(id)?, answer })
            }
            (None, None) => None,
        }
    }
}

impl Params {
    /// As they are known to others; null if they are none.
    pub(super) fn to_value(&self) -> Value {
        self.read().unwrap_or(Value::Null)
    }

    /// As something that reads them itself.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        self.0.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok())
    }
}

impl AgentError {
    fn read(raw: &RawValue) -> AgentError {
        let error: Value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
        let code = error.get("code").and_then(whole_number);
        let message = error.get("message").and_then(Value::as_str).or(error.as_str());
        let message = message.map_or_else(|| error.to_string(), str::to_owned);
        let details = error.get("data").filter(|data| !data.is_null()).map(|data| match data.as_str() {
            Some(text) => text.to_owned(),
            None => data.to_string(),
        });
        AgentError { code, message, details }
    }
}

fn is_id(id: &RawValue) -> bool {
    let text = id.get();
    text.len() <= ID_BYTES
        && text.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

/// Some answer with the number as a text.
fn number(id: &RawValue) -> Option<i64> {
    let id: Value = serde_json::from_str(id.get()).ok()?;
    whole_number(&id).or_else(|| id.as_str()?.parse().ok())
}

/// Some write whole numbers with a fraction.
fn whole_number(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a number beyond the bounds is none of ours")]
    value
        .as_i64()
        .or_else(|| value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Option<Message> {
        Message::parse(text.as_bytes())
    }

    #[test]
    fn what_is_no_message_is_noise() {
        for noise in [
            "",
            "Loading…",
            "[1,2]",
            "[null,\"initialize\"]",
            "17",
            "{",
            "{}",
            "{\"id\":null}",
            "{\"id\":[1],\"result\":1}",
            "{\"id\":\"abc\",\"result\":1}",
            "{\"id\":1,\"id\":2,\"result\":1}",
            "\u{1b}[32mready\u{1b}[0m",
        ] {
            assert!(parse(noise).is_none(), "{noise}");
        }
        assert!(Message::parse(b"\xff\xfe{}").is_none());
    }

    #[test]
    fn an_answer_is_found_whatever_its_form() {
        for (text, expected) in [
            (r#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#, Ok(json!({"a": 1}))),
            (r#"{"id":"3","result":null}"#, Ok(Value::Null)),
            (r#"{"id":3.0}"#, Ok(Value::Null)),
            (r#"{"id":3,"error":null,"result":7}"#, Ok(json!(7))),
        ] {
            match parse(text) {
                Some(Message::Answer { call: 3, answer }) => assert_eq!(answer, expected, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_error_is_read_whatever_its_form() {
        let read = |text: &str| match parse(text) {
            Some(Message::Answer { answer: Err(error), .. }) => error,
            other => panic!("{text}: {other:?}"),
        };
        let error = read(r#"{"id":1,"error":{"code":-32000,"message":"log in","data":{"a":1}}}"#);
        assert_eq!((error.code, error.message.as_str()), (Some(-32000), "log in"));
        assert_eq!(error.details.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(read(r#"{"id":1,"error":{"code":429.0,"data":"slow"}}"#).code, Some(429));
        let odd = read(r#"{"id":1,"error":"it broke"}"#);
        assert_eq!((odd.code, odd.message.as_str(), odd.details), (None, "it broke", None));
    }

    #[test]
    fn a_request_keeps_its_identity_as_it_was_written() {
        for id in ["0", "\"a-1\"", "-7", "1.50"] {
            match parse(&format!(r#"{{"id":{id},"method":"m","params":[1]}}"#)) {
                Some(Message::Request { id: read, method, params }) => {
                    assert_eq!((read.get(), method.as_str(), params.to_value()), (id, "m", json!([1])));
                }
                other => panic!("{id}: {other:?}"),
            }
        }
        assert!(matches!(parse(r#"{"id":null,"method":"m"}"#), Some(Message::Notification { .. })));
    }
}
