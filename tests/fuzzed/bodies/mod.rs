//! What is asked of input that nobody has thought of, one module for each kind. Each has a `check`, which panics if a
//! promise is broken; a fuzzer calls it with what it makes up, and the tests with what was kept of that.

pub(crate) mod agent;
pub(crate) mod conversation;
pub(crate) mod damaged;
pub(crate) mod params;
pub(crate) mod schedules;
pub(crate) mod stored;

mod made_up;
mod world;

#[path = "../../support/contract.rs"]
#[allow(dead_code, reason = "each of the tests that share this uses a part of it")]
mod contract;
#[path = "../../support/wire.rs"]
#[allow(dead_code, reason = "each of the tests that share this uses a part of it")]
mod wire;
