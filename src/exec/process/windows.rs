//! Windows, and every system that is neither Linux nor macOS: commands and agents are refused.
//!
//! A tree of processes can be ended reliably there too (on Windows by a job object that kills on close), but
//! that has to be written where it can be tried. Until then a clear refusal is better than a run whose
//! processes may outlive it.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Key, Process};
use crate::domain::process::ProcessIdentity;

const MESSAGE: &str = "commands and agents are not carried out on this system yet: sexton can guard them on \
                       Linux and macOS only; run this automation's sidecar there, for example in WSL";

/// Why commands and agents are not carried out on this system.
pub(crate) const REFUSAL: Option<&str> = Some(MESSAGE);

/// The binary of this process.
pub(crate) fn this_binary() -> io::Result<PathBuf> {
    own_binary()
}

/// See [`crate::exec::own_binary`].
#[expect(clippy::disallowed_methods, reason = "this is where others are told the path")]
pub(crate) fn own_binary() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// This process, as far as it can be told: instances are told apart by their lock files, which cannot be
/// removed here while they are held.
pub(crate) fn own_identity() -> io::Result<ProcessIdentity> {
    Ok(ProcessIdentity {
        pid: std::process::id(),
        start_time: 0,
        boot_id: boot_id(),
        pid_namespace: pid_namespace(),
    })
}

/// Nothing: a process whose lock file is gone has gone as well.
pub(crate) fn find(_pid: u32) -> Option<Process> {
    None
}

/// A pipe or socket that there never is.
#[derive(Debug)]
pub enum NoPipe {}

/// What a guard says.
pub(crate) type Replies = NoPipe;

/// What a guard is told.
pub(crate) type Control = NoPipe;

/// The sidecar's ends of an agent's standard input and output. There are none.
#[derive(Debug)]
pub struct AgentPipes {
    /// What the agent reads.
    pub stdin: NoPipe,
    /// What the agent writes.
    pub stdout: NoPipe,
}

/// Refuses: no guard is started here.
pub(crate) fn socket_to_guard() -> io::Result<(Replies, Control, Stdio)> {
    Err(io::Error::new(io::ErrorKind::Unsupported, MESSAGE))
}

/// Refuses: no agent is started here.
pub(crate) fn pipes_to_agent() -> io::Result<(AgentPipes, Stdio, Stdio)> {
    Err(io::Error::new(io::ErrorKind::Unsupported, MESSAGE))
}

impl AsyncRead for NoPipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

impl AsyncWrite for NoPipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

/// Nothing to do: no guard is started here.
pub(crate) fn detach(_guard: &mut tokio::process::Command) {}

/// Empty: no identity of this system's is ever compared.
pub(crate) fn boot_id() -> String {
    String::new()
}

/// Which boot the clocks of this process count from; empty if the system does not tell.
pub(crate) fn boot_of_clocks() -> String {
    boot_id()
}

/// Empty: there are no pid namespaces.
pub(crate) fn pid_namespace() -> String {
    String::new()
}

/// Nothing: no process of ours exists here.
pub(crate) fn list() -> Vec<Process> {
    Vec::new()
}

/// Nothing was started here, so nothing carries a token.
pub(crate) fn carries(_pid: u32, _entry: &str) -> bool {
    false
}

/// Never holds a process.
pub(crate) struct Held(std::convert::Infallible);

impl Held {
    pub(crate) fn take(_key: Key) -> Option<Self> {
        None
    }

    pub(crate) fn kill(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn wait(&self, _at_most: Duration) {
        match self.0 {}
    }
}

/// Never watches a process.
pub(crate) struct Watched(std::convert::Infallible);

impl Watched {
    /// Refuses: a handle of the process is what is needed, and nothing here can open one yet.
    pub(crate) fn begin(_pid: u32) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this version watches no processes on this system"))
    }

    pub(crate) async fn ended(&self) {
        match self.0 {}
    }
}

/// Never: the end of the input is only told to who has read what was before it.
pub(crate) async fn stdin_hung_up() {
    std::future::pending().await
}
