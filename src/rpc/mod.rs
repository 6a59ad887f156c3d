//! Bytes in, calls; answers and events out. JSON-RPC 2.0 on stdin and stdout (protocol, sections 1 and 2).
//!
//! [`framing`] cuts the input into messages, [`envelope`] reads them, [`service`] decides what is called and
//! when, [`api`] holds the methods, [`reply`] sees to their answers, [`backend`] is what they need from the rest
//! of the program.

pub mod answer;
pub mod api;
pub mod backend;
pub mod caller;
pub mod cursor;
pub mod envelope;
pub mod errors;
pub mod framing;
pub mod initialize;
pub mod limits;
pub mod output;
pub mod params;
pub mod reply;
mod requests;
pub mod room;
pub mod schema;
pub mod service;
pub mod session;
pub mod transport;
