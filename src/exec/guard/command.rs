//! Starts the precheck, the command, or the agent.

use std::io::{self, PipeReader, PipeWriter};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Pid;

use super::super::spool::Spool;
use super::super::work::{Kind, Work};
use super::super::{PrecheckWork, StartFailure, TOKEN_VARIABLE, process};
use super::lookup;
use super::pipes::OfAgent;
use super::unable;
use super::watch::Input;
use crate::failpoint::{Failpoint, Failpoints};

/// What is started of a work.
pub(super) struct Program<'a> {
    pub(super) program: &'a str,
    args: &'a [String],
    pub(super) streams: Streams<'a>,
}

/// What a program reads, and where what it writes goes.
pub(super) enum Streams<'a> {
    /// It reads this; both its outputs are one.
    Merged { input: Option<&'a str> },
    /// It reads nothing; its standard output is read beside its standard error.
    Apart,
    /// It speaks with the sidecar; the guard reads its standard error.
    Agent(OfAgent),
}

impl<'a> Program<'a> {
    /// The command or the agent. The pipes of the agent are held from here on.
    pub(super) fn main(work: &'a Work) -> Result<Self, StartFailure> {
        let streams = match &work.kind {
            Kind::Command { stdin } => Streams::Merged { input: stdin.as_deref() },
            Kind::Agent { .. } => Streams::Agent(OfAgent::take().map_err(|error| {
                StartFailure::transient(format!(
                    "the pipes of the agent cannot be handed on: {error}; raise the limit on open files (`ulimit -n`)"
                ))
            })?),
        };
        Ok(Self { program: &work.program, args: &work.args, streams })
    }

    pub(super) fn precheck(work: &Work, precheck: &'a PrecheckWork) -> Self {
        let streams = match work.kind {
            Kind::Command { .. } => Streams::Merged { input: None },
            Kind::Agent { .. } => Streams::Apart,
        };
        Self { program: &precheck.program, args: &precheck.args, streams }
    }
}

/// Creates what receives what is read of that which is started.
pub(super) fn create_spool(path: &Path, limit: u64) -> Result<Spool, StartFailure> {
    // The file is the sidecar's, so nothing about the automation is wrong.
    Spool::create(path, limit).map_err(|error| {
        StartFailure::transient(format!(
            "the output file {} cannot be created: {error}; make room there, and check who owns the directory",
            path.display()
        ))
    })
}

/// What was started, and the guard's ends of its pipes.
pub(super) struct Started {
    pub(super) pid: Pid,
    /// Its standard error at least.
    pub(super) output: PipeReader,
    /// Its standard output, if that is read beside the other.
    pub(super) aside: Option<PipeReader>,
    pub(super) input: Option<Input>,
}

/// Starts it. After this, the guard holds none of its own ends of the pipes.
pub(super) fn start(
    work: &Work,
    program: Program<'_>,
    failpoints: &Failpoints,
) -> Result<Started, StartFailure> {
    let explain = unable::Explain::of(work, &program);
    let path = match program.streams {
        Streams::Agent(_) => lookup::agent(program.program, &work.environment)?,
        Streams::Merged { .. } | Streams::Apart => program.program.into(),
    };
    spawn(work, &path, program, failpoints).map_err(|error| explain.failure(&error))
}

fn spawn(work: &Work, path: &Path, program: Program<'_>, failpoints: &Failpoints) -> io::Result<Started> {
    let Program { program: _, args, streams } = program;
    let mut command = Command::new(path);
    command
        .args(args)
        .current_dir(&work.directory)
        .envs(work.environment.iter().map(|(name, value)| (name, value)))
        // Last: whatever the work's environment says, what it starts is found by the token.
        .env(TOKEN_VARIABLE, &work.token);
    let (output, written) = pipe_to_read()?;
    let (mut aside, mut input) = (None, None);
    match streams {
        Streams::Merged { input: text } => {
            command.stdout(written.try_clone()?);
            input = text.map(|text| feed(&mut command, text)).transpose()?;
            if input.is_none() {
                command.stdin(Stdio::null());
            }
        }
        Streams::Apart => {
            let (read, written) = pipe_to_read()?;
            aside = Some(read);
            command.stdin(Stdio::null()).stdout(written);
        }
        Streams::Agent(OfAgent { input, output }) => {
            command.stdin(input).stdout(output);
        }
    }
    command.stderr(written);
    process::tie_to_guard(&mut command);
    // Not waited for through this handle: the guard reaps every child, this one among them.
    failpoints.reach(Failpoint::GuardBeforeStart)?;
    let child = command.spawn()?;
    Ok(Started { pid: Pid::from_child(&child), output, aside, input })
}

/// A pipe whose reading end never holds up the guard.
fn pipe_to_read() -> io::Result<(PipeReader, PipeWriter)> {
    let (read, written) = io::pipe()?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, written))
}

/// Has the command read this. One that never does must not hold up the guard.
fn feed(command: &mut Command, text: &str) -> io::Result<Input> {
    let (read, pipe) = io::pipe()?;
    rustix::io::ioctl_fionbio(&pipe, true)?;
    command.stdin(read);
    Ok(Input::new(pipe, text.as_bytes().to_vec()))
}
