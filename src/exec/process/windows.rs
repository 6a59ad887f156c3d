//! Windows, and every system that is neither Linux nor macOS: commands are refused.
//!
//! A tree of processes can be ended reliably there too (on Windows by a job object that kills on close), but
//! that has to be written where it can be tried. Until then a clear refusal is better than a run whose
//! processes may outlive it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::{Key, Process};
use crate::domain::process::ProcessIdentity;

const MESSAGE: &str = "commands are not carried out on this system yet: sexton can guard them on Linux and \
                       macOS only; run this automation's sidecar there, for example in WSL";

/// Why commands are not carried out on this system.
pub(crate) const REFUSAL: Option<&str> = Some(MESSAGE);

/// The binary of this process.
pub(crate) fn this_binary() -> io::Result<PathBuf> {
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
