//! The contract as a client sees it: the real binary over stdio, one module for each part of the protocol.
//!
//! What commands do is counted in logs that they write themselves.

#![cfg(target_os = "linux")]

// The name sorts first, so that what waits for the clock begins first and everything else runs beside it.
mod a_whole_minute;
mod agents;
mod automations;
mod bad_input;
mod derived;
mod doctor;
mod draft_words;
mod editing;
mod events;
mod explain;
mod firing;
mod inside_run;
mod keys;
mod lifecycle;
mod notify;
mod observers;
mod parameters;
mod pausing;
mod preview;
mod providers;
mod retention;
mod runs;
mod secrets;
mod security;
mod served;
mod session;
mod simulate;
mod state_directory;
mod storage;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each of the tests that share this uses a part of it")]
mod support;
mod transport;
