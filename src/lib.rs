//! `sexton` rings the timers of one project and keeps its ledger.
//!
//! ARCHITECTURE.md tells how the layers fit together; `tests/tidy.rs` holds which may import which.

pub mod cli;
pub mod client;
pub mod domain;
pub mod engine;
pub mod exec;
pub mod failpoint;
pub mod ledger;
pub mod presence;
pub mod rpc;
pub mod sidecar;
