//! Starts the command, or says in a sentence why that was not possible.

use std::fs;
use std::io::{self, PipeReader, PipeWriter};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Pid;

use super::super::{CommandWork, TOKEN_VARIABLE, process};
use super::output::Spool;
use super::watch::{Input, Tree};

/// Starts it. After this, the guard holds none of the command's own ends of the pipes.
pub(super) fn start(work: &CommandWork) -> Result<Tree, String> {
    let spool = Spool::create(&work.output, work.output_limit).map_err(|error| {
        format!(
            "the output file {} cannot be created: {error}; make room there, and check who owns the directory",
            work.output.display()
        )
    })?;
    let (pid, output, input) = spawn(work).map_err(|error| explain(work, &error))?;
    Ok(Tree::new(pid, output, input, spool, &work.token))
}

fn spawn(work: &CommandWork) -> io::Result<(Pid, PipeReader, Option<Input>)> {
    let (output, written) = io::pipe()?;
    rustix::io::ioctl_fionbio(&output, true)?;
    let mut command = Command::new(&work.program);
    command
        .args(&work.args)
        .current_dir(&work.directory)
        .envs(work.environment.iter().map(|(name, value)| (name, value)))
        // Last: whatever the work's environment says, what it starts is found by the token.
        .env(TOKEN_VARIABLE, &work.token)
        .stdout(written.try_clone()?)
        .stderr(written);
    let input = match &work.stdin {
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
    Ok((Pid::from_child(&child), output, input))
}

/// A command that never reads its input must not hold up the guard.
fn nonblocking_input(pipe: PipeWriter, text: &str) -> io::Result<Input> {
    rustix::io::ioctl_fionbio(&pipe, true)?;
    Ok(Input::new(pipe, text.as_bytes().to_vec()))
}

/// The system's error number does not say which path it is about; looking again does.
fn explain(work: &CommandWork, error: &io::Error) -> String {
    let program = &work.program;
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
