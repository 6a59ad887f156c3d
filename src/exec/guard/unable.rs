//! Says in a sentence why a program could not be started, and whether that passes.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::io::Errno;

use super::super::StartFailure;
use super::super::work::{Kind, Work};
use super::command::{Program, Streams};

/// What is needed to say what was wrong.
pub(super) struct Explain<'a> {
    program: &'a str,
    directory: &'a Path,
    /// Where a user corrects what the program is started with.
    place: &'static str,
    /// Where a user sets its environment.
    environment: &'static str,
}

impl<'a> Explain<'a> {
    pub(super) fn of(work: &'a Work, program: &Program<'a>) -> Self {
        let place = match program.streams {
            Streams::Merged { .. } | Streams::Apart => "the task",
            Streams::Agent(_) => "the provider's configuration",
        };
        let environment = match work.kind {
            Kind::Command { .. } => "the task's environment",
            Kind::Agent { .. } => "the provider's environment",
        };
        Self { program: program.program, directory: &work.directory, place, environment }
    }

    /// The system's error number does not say which path it is about; looking again does.
    pub(super) fn failure(&self, error: &io::Error) -> StartFailure {
        if let Some(failure) = explain_directory(self.directory) {
            return failure;
        }
        match is_lasting(error) {
            true => StartFailure::config(explain_program(self, error)),
            false => StartFailure::transient(format!(
                "the program `{}` could not be started in {}: {error}; {}",
                self.program,
                self.directory.display(),
                advice(error)
            )),
        }
    }
}

/// Whether the program cannot start like this, whenever it is tried. Of an error that is not known to be so it is taken
/// that it passes: one that lasts is seen from the failures that follow.
fn is_lasting(error: &io::Error) -> bool {
    let Some(number) = Errno::from_io_error(error) else {
        // The standard library's own word for a NUL character.
        return error.kind() == io::ErrorKind::InvalidInput;
    };
    matches!(
        number,
        Errno::NOENT
            | Errno::NOTDIR
            | Errno::ISDIR
            | Errno::LOOP
            | Errno::NAMETOOLONG
            | Errno::ACCESS
            | Errno::PERM
            | Errno::NOEXEC
            | Errno::TOOBIG
            | Errno::INVAL
    )
}

/// What helps against an error that passes.
fn advice(error: &io::Error) -> &'static str {
    match Errno::from_io_error(error) {
        Some(Errno::AGAIN) => {
            "end some processes, or raise the limit on them (`ulimit -u`, or that of the container)"
        }
        Some(Errno::NOMEM) => "end some programs, so that there is memory",
        Some(Errno::MFILE | Errno::NFILE) => "raise the limit on open files (`ulimit -n`)",
        Some(Errno::TXTBSY) => "run it again when nobody writes to that file any more",
        Some(Errno::NOSPC | Errno::DQUOT) => "make room there",
        Some(Errno::IO | Errno::STALE | Errno::TIMEDOUT) => {
            "check the disk, or the network mount, on which that is"
        }
        Some(_) | None => "try it in a terminal",
    }
}

fn explain_directory(path: &Path) -> Option<StartFailure> {
    let directory = path.display();
    match fs::metadata(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Some(StartFailure::config(format!(
            "the directory {directory} does not exist; create it, or change the task's directory"
        ))),
        Err(error) if is_lasting(&error) => Some(StartFailure::config(format!(
            "the directory {directory} cannot be entered: {error}; check its permissions"
        ))),
        Err(error) => Some(StartFailure::transient(format!(
            "the directory {directory} cannot be entered: {error}; {}",
            advice(&error)
        ))),
        Ok(found) if !found.is_dir() => {
            Some(StartFailure::config(format!("{directory} is not a directory; change the task's directory")))
        }
        Ok(_) => None,
    }
}

fn explain_program(explain: &Explain<'_>, error: &io::Error) -> String {
    let Explain { program, directory, place, environment } = explain;
    let path = directory.join(program);
    let directory = directory.display();
    let (shown, is_path) = (path.display(), program.contains('/'));
    let kind = error.kind();
    if kind == io::ErrorKind::NotFound && !is_path {
        format!(
            "the program `{program}` was not found in PATH; install it, give its full path, or set PATH in \
             {environment}"
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
            "the arguments and environment of `{program}` are longer than the system allows; shorten them in \
             {place}, and pass long text on standard input or in a file"
        )
    } else if kind == io::ErrorKind::InvalidInput && error.raw_os_error().is_none() {
        format!(
            "the program `{program}`, its arguments or its environment contain a NUL character, which the system \
             does not allow; correct {place}"
        )
    } else {
        format!("the program `{program}` could not be started in {directory}: {error}; try it in a terminal")
    }
}

pub(super) fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_apart_from_what_does_not_and_has_its_own_advice() {
        let of = |number: Errno| io::Error::from(number);
        for passes in [
            Errno::AGAIN,
            Errno::NOMEM,
            Errno::MFILE,
            Errno::NFILE,
            Errno::TXTBSY,
            Errno::NOSPC,
            Errno::DQUOT,
            Errno::IO,
            Errno::STALE,
        ] {
            assert!(!is_lasting(&of(passes)), "{passes}");
            assert_ne!(advice(&of(passes)), advice(&of(Errno::BADF)), "{passes}");
        }
        let lasts = [Errno::NOENT, Errno::ACCESS, Errno::PERM, Errno::NOTDIR, Errno::NOEXEC, Errno::TOOBIG];
        assert!(lasts.into_iter().all(|number| is_lasting(&of(number))));
        assert!(!is_lasting(&of(Errno::BADF)), "of what nobody has thought of it is taken that it passes");
    }
}
