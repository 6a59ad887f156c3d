//! Starts guards.

use std::io;
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::guard_protocol::{self, ToGuard};
use super::work::Work;
use super::{GuardProgram, StartFailure, TOKEN_VARIABLE, process};
use crate::failpoint::{self, Failpoint};

/// What a guard is started with as its standard input and output, to be handed on to an agent.
pub(super) struct Standard {
    pub(super) input: Stdio,
    pub(super) output: Stdio,
}

impl Standard {
    /// What is of no use to a command, whose input and output the guard makes itself.
    pub(super) fn nothing() -> Self {
        Self { input: Stdio::null(), output: Stdio::null() }
    }
}

/// Starts the guard, and prepares the first line for it.
pub(super) fn start_guard(
    program: &GuardProgram,
    work: Work,
    standard: Standard,
    socket: Stdio,
) -> Result<(Child, Vec<u8>), StartFailure> {
    let directory = work.directory.clone();
    let mut command = Command::new(&program.path);
    for name in failpoint::VARIABLES {
        command.env_remove(name);
    }
    command
        .arg("guard")
        .args(program.failpoints.arguments_of_guard())
        .env(TOKEN_VARIABLE, &work.token)
        // None of the sidecar's: a guard must not hold a pipe of the editor's open.
        .stdin(standard.input)
        .stdout(standard.output)
        .stderr(socket);
    process::detach(&mut command);
    let line = guard_protocol::line(&ToGuard::Work(Box::new(work))).map_err(|error| {
        StartFailure::config(format!(
            "the work in {} cannot be passed on: {error}; use paths that are valid UTF-8",
            directory.display()
        ))
    })?;
    let reached = program.failpoints.reach(Failpoint::BeforeGuard).map_err(io::Error::from);
    // Whatever keeps it from starting, it is not the automation.
    let child = reached.and_then(|()| command.spawn()).map_err(|error| {
        StartFailure::transient(format!(
            "the guard {} could not be started: {error}; check that the file is there and executable, and that \
             the limits on processes and open files are not reached",
            program.path.display()
        ))
    })?;
    Ok((child, line))
}
