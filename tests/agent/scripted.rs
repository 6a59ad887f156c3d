//! An agent for tests: it speaks the Agent Client Protocol on its stdin and stdout, and behaves as badly as it is told to.
//! What it can do is what agents have done: it is the specification of those that have to be survived.
//!
//! It is told by its environment:
//!
//! - `SCRIPTED_AGENT`: the script itself, as JSON, see `script.rs`; or
//! - `SCRIPTED_AGENT_FILE`: a file with the script, which is read when the agent starts;
//! - `SCRIPTED_AGENT_LOG`: a file to which each message that it receives is appended, one in a line; the first line of a
//!   process tells where and with which environment it was started;
//! - `SCRIPTED_AGENT_SESSIONS`: a directory in which sessions are kept, so that another process can take them up.
//!
//! Without a script it is a good agent. What it does with a prompt can also stand in the prompt, see `markers.rs`.

#![expect(clippy::unwrap_used, reason = "a scripted agent that cannot go on has failed, as a test does")]

mod agent;
mod inbox;
mod markers;
mod models;
mod script;
mod server;
mod sessions;
mod turn;

use std::process::ExitCode;

fn main() -> ExitCode {
    let script = script::Script::from_environment();
    match agent::Agent::new(script).serve() {
        inbox::Over::Exit(code) => ExitCode::from(code),
        inbox::Over::Signal(signal) => die_by(signal),
    }
}

#[cfg(unix)]
fn die_by(signal: i32) -> ExitCode {
    let signal = rustix::process::Signal::from_named_raw(signal).expect("a signal");
    rustix::process::kill_process(rustix::process::getpid(), signal).unwrap();
    // It is on its way.
    agent::stay()
}

#[cfg(not(unix))]
fn die_by(_: i32) -> ExitCode {
    ExitCode::FAILURE
}
