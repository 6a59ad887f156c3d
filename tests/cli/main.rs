//! What somebody sees who types a command: the real binary, and exactly what it writes. And the client that commands ask
//! through, as programs use it.

#![cfg(target_os = "linux")]

mod adding;
mod carrying;
mod client;
mod completing;
mod editing;
mod hostile;
mod looking;
mod next;
mod resting;
mod running;
mod simulate;
mod standing;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each of the tests that share this uses a part of it")]
mod support;
mod timeline;
mod typing;
mod why;
