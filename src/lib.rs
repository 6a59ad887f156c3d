//! `sexton` rings the timers of one project and keeps its ledger.
//!
//! ARCHITECTURE.md tells how the layers fit together; `tests/tidy.rs` holds which may import which. With the feature
//! `client` alone there are only [`domain`] and [`client`], for programs that embed the sidecar; with `engine` alone only
//! what decides and remembers.

#[cfg(feature = "sidecar")]
pub mod cli;
#[cfg(feature = "client")]
pub mod client;
pub mod domain;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "sidecar")]
pub mod exec;
#[cfg(feature = "engine")]
pub mod failpoint;
#[cfg(feature = "engine")]
pub mod ledger;
#[cfg(feature = "sidecar")]
pub mod presence;
#[cfg(feature = "sidecar")]
pub mod rpc;
#[cfg(feature = "sidecar")]
pub mod sidecar;
