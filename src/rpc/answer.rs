//! Answers as they are written: with the members that language clients expect, and no others.

use serde::Serialize;
use serde_json::value::RawValue;

use super::envelope::RequestId;
use super::errors::{Failure, Kind};

/// The answer to a request that was carried out.
pub fn success(id: &RequestId, result: &impl Serialize) -> Box<RawValue> {
    match serde_json::to_string(result) {
        Ok(result) => raw(format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, id.to_json())),
        Err(error) => failure(Some(id), &Failure::new(Kind::Internal, error.to_string())),
    }
}

/// The answer to a request that was not, or to something that was no request.
pub fn failure(id: Option<&RequestId>, failure: &Failure) -> Box<RawValue> {
    let id = id.map_or_else(|| "null".to_owned(), RequestId::to_json);
    let error = serde_json::to_string(&failure.to_error());
    let error = error.unwrap_or_else(|_| format!(r#"{{"code":{},"message":"see the log"}}"#, failure.code()));
    raw(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#))
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
