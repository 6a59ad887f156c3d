//! Answers as they are written: with the members that language clients expect, and no others.

use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::envelope::RequestId;
use super::errors::{Failure, Kind};

const VERSION: &str = "2.0";

/// The answer to a request that was carried out.
pub fn success(id: &RequestId, result: &impl Serialize) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Success<'a, T> {
        jsonrpc: &'static str,
        id: &'a RequestId,
        result: &'a T,
    }
    let answer = to_raw_value(&Success { jsonrpc: VERSION, id, result });
    answer.unwrap_or_else(|error| failure(Some(id), &Failure::new(Kind::Internal, error.to_string())))
}

/// The answer to a request that was not, or to something that was no request.
pub fn failure(id: Option<&RequestId>, failure: &Failure) -> Box<RawValue> {
    error(id, &failure.to_error())
}

/// The same as the handler of a method says it.
pub fn error(id: Option<&RequestId>, error: &ErrorObjectOwned) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Failed<'a> {
        jsonrpc: &'static str,
        id: Option<&'a RequestId>,
        error: &'a ErrorObjectOwned,
    }
    to_raw_value(&Failed { jsonrpc: VERSION, id, error }).unwrap_or_else(|unwritten| {
        tracing::error!(error = %unwritten, "an answer could not be written");
        RawValue::NULL.to_owned()
    })
}

/// Takes the place of an answer that is longer than messages may be.
pub fn too_large(id: Option<&RequestId>, limit: usize) -> Box<RawValue> {
    let why = format!(
        "the answer is over {limit} bytes long; ask for less of it, such as a smaller page, a shorter span or fewer automations, or raise `limits.maxMessageBytes`; if it was a change, it was made all the same: look before you repeat it"
    );
    failure(id, &Failure::new(Kind::ResponseTooLarge, why))
}

/// Text that was put together from JSON, and therefore is JSON; if it were not, nobody could be told.
pub(super) fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer was not valid JSON");
        RawValue::NULL.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_repeats_the_identity_as_it_was_written() {
        let result = RawValue::from_string(r#"{"a": 1}"#.to_owned()).unwrap();
        let text = |id: &RequestId| success(id, &result).get().to_owned();
        assert_eq!(
            text(&RequestId::Text("a\"b".to_owned())),
            r#"{"jsonrpc":"2.0","id":"a\"b","result":{"a": 1}}"#
        );
        for digits in ["0", "-1", "-0", "123456789012345678901234567890"] {
            let told = text(&RequestId::Integer(digits.to_owned()));
            assert_eq!(told, format!(r#"{{"jsonrpc":"2.0","id":{digits},"result":{{"a": 1}}}}"#));
        }
        let told = failure(None, &Failure::new(Kind::InvalidRequest, "why")).get().to_owned();
        assert!(told.starts_with(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"#), "{told}");
    }
}
