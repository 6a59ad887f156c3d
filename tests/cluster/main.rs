//! Sidecars that come, go and are killed: what is left of their work, and what the next one makes of it.
//!
//! Nothing asks a killed sidecar to tidy up; what counts is which processes live and what commands have logged.

#![cfg(target_os = "linux")]

mod acts;
mod cancelling;
mod chosen;
mod clock;
mod closing;
mod deleting;
mod editing;
#[cfg(debug_assertions)]
mod failpoints;
mod headless;
mod killed;
mod later;
mod ledger_held;
mod listening;
mod missed;
mod observers;
#[path = "../sim/rng.rs"]
mod rng;
mod serving;
mod soak;
mod streams;
mod succession;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each of the tests that share this uses a part of it")]
mod support;
mod torture;
mod unreadable;
mod vigil;
mod windows;
