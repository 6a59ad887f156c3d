//! `sexton mcp`: the SDK's own client against the real binary, as an agent's host speaks with it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod conversation;
mod correcting;
mod host;
mod inside;
mod making;
mod managing;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each of the tests that share this uses a part of it")]
mod support;
mod upgrading;
