//! What a sidecar and a guard say to each other: JSON, one message per line, over a socket that the guard finds in the
//! place of its standard error. That leaves its standard input and output to be those of an agent, and what a guard
//! that cannot even begin complains of is read by its sidecar. Both ends are the same binary, so there is no version to
//! negotiate; a message that cannot be read means that the other end is lost.

use serde::{Deserialize, Serialize};

use super::work::Work;
use super::{Exit, OutputSize, PrecheckEnd, ProcessIdentity, StartFailure};

/// The longest line a sidecar reads. The longest there is carries a tail of 4 KiB, six times that when every
/// byte is escaped, and a sentence or two.
pub(super) const LONGEST_FROM_GUARD: usize = 256 * 1024;

/// From the sidecar. The end of what it says means the same as `Kill`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(super) enum ToGuard {
    /// First, and once.
    Work(Box<Work>),
    /// Start the precheck if there is one, and the command or agent.
    Go,
    /// SIGTERM, then SIGKILL after the grace.
    Stop,
    /// SIGKILL now.
    Kill,
}

/// From the guard: `Ready`, then `Started` if it comes to that, then one of the others, which is its last word.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(super) enum FromGuard {
    /// It has its work and waits for `Go`.
    Ready { identity: ProcessIdentity },
    /// The command was executed.
    Started,
    /// It was told to stop before it was told to go.
    Withdrawn,
    /// The command, or the precheck before it, could not be started.
    StartFailed(StartFailure),
    /// The precheck and all it left behind have ended, but for `left`, and the command was not started.
    PrecheckOnly { end: PrecheckEnd, swept: u32, left: u32, tail: String, output: OutputSize },
    /// The command and all it left behind have ended, but for `left` processes that could not be
    /// killed, or are not gone yet.
    Exited { exit: Exit, swept: u32, left: u32, tail: String, output: OutputSize },
    /// The guard itself cannot go on; it has killed what it could.
    Broken { message: String },
}

/// A message as it goes over the socket.
///
/// # Errors
/// When a path in it is not valid UTF-8.
pub(super) fn line(message: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}
