//! The ledger by itself: its two threads, its transactions, its rules, and how it is opened.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod disturbances;
mod losing;
mod opening;
mod paging;
mod retention;
mod rules;
mod support;
mod writing;
