//! A program of somebody else's that starts the sidecar and speaks with it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::Builder;

use serde_json::Value;

use crate::sent::Recording;
use crate::support::{DEADLINE, Place, eventually, processes_with};

/// Lines that were said and not looked at: more than a conversation has.
const UNREAD: usize = 64;

/// A path in the repository.
pub(crate) fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether a program is here, and does this.
pub(crate) fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).env("PYTHONPATH", python_path());
    let tried = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// Where Python finds packages: first what was put there for these tests.
fn python_path() -> OsString {
    #[expect(clippy::disallowed_methods, reason = "whoever tests may have packages in a place of their own")]
    let known = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let paths = std::iter::once(at("target/python")).chain(std::env::split_paths(&known));
    std::env::join_paths(paths).unwrap()
}

/// The program, and the place in which it works.
pub(crate) struct Editor {
    place: Place,
    name: String,
    command: Command,
}

impl Editor {
    /// It is called by this name in what is recorded of it.
    pub(crate) fn new(program: &str, name: &str) -> Editor {
        let place = Place::new();
        let mut command = Command::new(program);
        for variable in ["SEXTON_LOG", "SEXTON_RUN_ID", "SEXTON_FAILPOINT", "XDG_STATE_HOME"] {
            command.env_remove(variable);
        }
        command.current_dir(place.beside("")).env("PROJECT", place.project());
        command.env("SEXTON_BIN", env!("CARGO_BIN_EXE_sexton")).env("SEXTON_STATE_DIR", place.state());
        command.env("XDG_CONFIG_HOME", place.configuration()).env("XDG_CACHE_HOME", place.beside("cache"));
        command.env("PYTHONPATH", python_path()).env("PYTHONDONTWRITEBYTECODE", "1");
        Editor { place, name: name.to_owned(), command }
    }

    pub(crate) fn arguments(&mut self, arguments: &[&str]) -> &mut Self {
        self.command.args(arguments);
        self
    }

    /// One of the files beside this one.
    pub(crate) fn script(&mut self, file: &str) -> &mut Self {
        self.command.arg(at("tests/real_clients").join(file));
        self
    }

    pub(crate) fn project_as_argument(&mut self) -> &mut Self {
        self.command.arg(self.place.project());
        self
    }

    pub(crate) fn environment(&mut self, name: &str, value: &str) -> &mut Self {
        self.command.env(name, value);
        self
    }

    /// Has it go through its conversation, and gives what it saw. Nothing of it is left afterwards.
    pub(crate) fn converse(mut self) -> Vec<Value> {
        let recording = Recording::if_wanted(&self.place, &mut self.command);
        let errors = self.place.beside("stderr");
        let log = std::fs::File::create(&errors).unwrap();
        let mut running =
            Running(self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap());
        let pid = running.0.id();
        let output = BufReader::new(running.0.stdout.take().unwrap());
        let (sender, lines) = sync_channel(UNREAD);
        let read = move || output.lines().map(Result::unwrap).all(|line| sender.send(line).is_ok());
        Builder::new().name("stdout".to_owned()).spawn(read).unwrap();
        let said = || std::fs::read_to_string(&errors).unwrap();
        let mut seen: Vec<Value> = Vec::new();
        loop {
            match lines.recv_timeout(DEADLINE) {
                Ok(line) => {
                    seen.push(serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}\n{}", said())))
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("nothing after {seen:?}; it said:\n{}", said()),
            }
        }
        let status = eventually("the end of the client", || running.0.try_wait().unwrap());
        assert!(status.success(), "{status} after {seen:?}; it said:\n{}", said());
        let mark = self.place.project().display().to_string();
        eventually("nothing of it is left", || processes_with(&mark).is_empty().then_some(()));
        if let Some(recording) = recording {
            recording.keep(&self.name, &self.place, pid);
        }
        seen
    }
}

/// A process that goes with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
