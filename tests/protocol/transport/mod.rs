//! Section 1: bytes, messages, and how a conversation ends.

mod batches;
mod cancelling;
mod ending;
mod flood;
mod framing;
mod log;
mod messages;
mod parent;
mod sockets;
