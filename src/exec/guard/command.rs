//! Starts the precheck or the command.

use std::io::{self, PipeReader, PipeWriter};
use std::process::{Command, Stdio};

use rustix::process::Pid;

use super::super::spool::Spool;
use super::super::{CommandWork, PrecheckWork, StartFailure, TOKEN_VARIABLE, process};
use super::unable;
use super::watch::Input;
use crate::failpoint::{Failpoint, Failpoints};

/// What is started of a work.
pub(super) struct Program<'a> {
    program: &'a str,
    args: &'a [String],
    stdin: Option<&'a str>,
}

impl<'a> Program<'a> {
    pub(super) fn command(work: &'a CommandWork) -> Self {
        Self { program: &work.program, args: &work.args, stdin: work.stdin.as_deref() }
    }

    pub(super) fn precheck(work: &'a PrecheckWork) -> Self {
        Self { program: &work.program, args: &work.args, stdin: None }
    }
}

/// Creates what receives the output of everything that is started.
pub(super) fn create_spool(work: &CommandWork) -> Result<Spool, StartFailure> {
    // The file is the sidecar's, so nothing about the automation is wrong.
    Spool::create(&work.output, work.output_limit).map_err(|error| {
        StartFailure::transient(format!(
            "the output file {} cannot be created: {error}; make room there, and check who owns the directory",
            work.output.display()
        ))
    })
}

/// What was started, and the guard's ends of its pipes.
pub(super) struct Started {
    pub(super) pid: Pid,
    pub(super) output: PipeReader,
    pub(super) input: Option<Input>,
}

/// Starts it. After this, the guard holds none of its own ends of the pipes.
pub(super) fn start(
    work: &CommandWork,
    program: &Program<'_>,
    failpoints: &Failpoints,
) -> Result<Started, StartFailure> {
    spawn(work, program, failpoints).map_err(|error| unable::explain(work, program.program, &error))
}

fn spawn(work: &CommandWork, program: &Program<'_>, failpoints: &Failpoints) -> io::Result<Started> {
    let (output, written) = io::pipe()?;
    rustix::io::ioctl_fionbio(&output, true)?;
    let mut command = Command::new(program.program);
    command
        .args(program.args)
        .current_dir(&work.directory)
        .envs(work.environment.iter().map(|(name, value)| (name, value)))
        // Last: whatever the work's environment says, what it starts is found by the token.
        .env(TOKEN_VARIABLE, &work.token)
        .stdout(written.try_clone()?)
        .stderr(written);
    let input = match program.stdin {
        Some(text) => {
            let (read, input) = io::pipe()?;
            command.stdin(read);
            Some(nonblocking_input(input, text)?)
        }
        None => {
            command.stdin(Stdio::null());
            None
        }
    };
    process::tie_to_guard(&mut command);
    // Not waited for through this handle: the guard reaps every child, this one among them.
    failpoints.reach(Failpoint::GuardBeforeStart)?;
    let child = command.spawn()?;
    Ok(Started { pid: Pid::from_child(&child), output, input })
}

/// A command that never reads its input must not hold up the guard.
fn nonblocking_input(pipe: PipeWriter, text: &str) -> io::Result<Input> {
    rustix::io::ioctl_fionbio(&pipe, true)?;
    Ok(Input::new(pipe, text.as_bytes().to_vec()))
}
