//! Starts the precheck or the command, or says in a sentence why that was not possible.

use std::fs;
use std::io::{self, PipeReader, PipeWriter};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Pid;

use super::super::{CommandWork, PrecheckWork, TOKEN_VARIABLE, process};
use super::output::Spool;
use super::watch::Input;

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
pub(super) fn create_spool(work: &CommandWork) -> Result<Spool, String> {
    Spool::create(&work.output, work.output_limit).map_err(|error| {
        format!(
            "the output file {} cannot be created: {error}; make room there, and check who owns the directory",
            work.output.display()
        )
    })
}

/// What was started, and the guard's ends of its pipes.
pub(super) struct Started {
    pub(super) pid: Pid,
    pub(super) output: PipeReader,
    pub(super) input: Option<Input>,
}

/// Starts it. After this, the guard holds none of its own ends of the pipes.
pub(super) fn start(work: &CommandWork, program: &Program<'_>) -> Result<Started, String> {
    spawn(work, program).map_err(|error| explain(work, program.program, &error))
}

fn spawn(work: &CommandWork, program: &Program<'_>) -> io::Result<Started> {
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
    let child = command.spawn()?;
    Ok(Started { pid: Pid::from_child(&child), output, input })
}

/// A command that never reads its input must not hold up the guard.
fn nonblocking_input(pipe: PipeWriter, text: &str) -> io::Result<Input> {
    rustix::io::ioctl_fionbio(&pipe, true)?;
    Ok(Input::new(pipe, text.as_bytes().to_vec()))
}

/// The system's error number does not say which path it is about; looking again does.
fn explain(work: &CommandWork, program: &str, error: &io::Error) -> String {
    let directory = work.directory.display();
    match fs::metadata(&work.directory) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            return format!(
                "the directory {directory} does not exist; create it, or change the task's directory"
            );
        }
        Err(unknown) => {
            return format!("the directory {directory} cannot be entered: {unknown}; check its permissions");
        }
        Ok(found) if !found.is_dir() => {
            return format!("{directory} is not a directory; change the task's directory");
        }
        Ok(_) => {}
    }
    let path = work.directory.join(program);
    let (shown, is_path) = (path.display(), program.contains('/'));
    let kind = error.kind();
    if kind == io::ErrorKind::NotFound && !is_path {
        format!(
            "the program `{program}` was not found in PATH; install it, give its full path, or set PATH in the \
             task's environment"
        )
    } else if kind == io::ErrorKind::NotFound && path.exists() {
        format!(
            "the program {shown} exists, but not the interpreter that its first line names; correct that line"
        )
    } else if kind == io::ErrorKind::NotFound {
        format!("the program {shown} does not exist; correct the path")
    } else if kind == io::ErrorKind::PermissionDenied && is_path && path.is_dir() {
        format!("the program {shown} is a directory; give the path of a program")
    } else if kind == io::ErrorKind::PermissionDenied && is_path && !is_executable(&path) {
        format!("the program {shown} is not executable; run `chmod +x {shown}`")
    } else if kind == io::ErrorKind::PermissionDenied {
        format!(
            "the program `{program}` may not be executed in {directory}: {error}; check its permissions, those \
             of the directory, and the mount options"
        )
    } else if kind == io::ErrorKind::ArgumentListTooLong {
        format!(
            "the arguments and environment of `{program}` are longer than the system allows; pass the text on \
             standard input or in a file"
        )
    } else if kind == io::ErrorKind::InvalidInput {
        format!(
            "the program `{program}`, its arguments or its environment contain a NUL character, which the system \
             does not allow; correct the task"
        )
    } else {
        format!("the program `{program}` could not be started in {directory}: {error}; try it in a terminal")
    }
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}
