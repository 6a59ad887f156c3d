//! The contract as documents: what the types of this build say, with the limits that its readers hold.
//!
//! Answers and events are described by the types that write them. Parameters are read field by field, so they are
//! described beside their readers' limits ([`draft`], [`params`], [`work`]); tests send every one of these limits' violations
//! to the real binary, and check every message of all other tests against the documents.

mod config;
mod document;
mod draft;
mod examples;
mod messages;
mod methods;
mod params;
mod shapes;
mod work;

use serde_json::Value;

pub use methods::{Method, methods};

/// A generated file, and what is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its name in the folder `schema`.
    pub file: &'static str,
    /// Its content.
    pub content: Value,
}

impl Document {
    /// The text of the file.
    pub fn text(&self) -> String {
        // A value of JSON can always be written.
        let mut text = serde_json::to_string_pretty(&self.content).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The methods, as `rpc.discover` answers.
pub fn openrpc() -> Value {
    document::openrpc()
}

/// Every message, parameter, answer and event.
pub fn protocol() -> Value {
    document::protocol()
}

/// All generated files.
pub fn documents() -> [Document; 4] {
    [
        Document { file: "openrpc.json", content: openrpc() },
        Document { file: "protocol.schema.json", content: protocol() },
        Document { file: "config.schema.json", content: config::schema() },
        Document { file: "doctor.schema.json", content: document::doctor() },
    ]
}
