//! A program that is told what to do in lines of JSON, and answers in lines of JSON.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::broken;
use crate::clock::now;

/// A program that was spawned. It is killed when nobody has it any more.
pub(crate) struct Script {
    name: String,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Script {
    pub(crate) fn spawn(name: impl Into<String>, command: &mut Command) -> io::Result<Script> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(broken("a script was started without pipes"));
        };
        Ok(Script { name: name.into(), process, input, output: BufReader::new(output) })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills it, as nothing but a crash does. Nobody waits here until it has gone.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.process.kill()
    }

    /// Says a line and waits for the one that answers it.
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, what: &impl Serialize) -> io::Result<T> {
        self.say(what)?;
        self.hear()
    }

    pub(crate) fn say(&mut self, what: &impl Serialize) -> io::Result<()> {
        writeln!(self.input, "{}", serde_json::to_string(what)?)
    }

    /// The next line, however long it takes.
    pub(crate) fn hear<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        let mut answer = String::new();
        match self.output.read_line(&mut answer)? {
            0 => Err(broken(format!("{} has ended; what it says is above", self.name))),
            _ => Ok(serde_json::from_str(&answer)?),
        }
    }

    /// The next line if it begins before the deadline.
    pub(crate) fn hear_until<T: DeserializeOwned>(&mut self, deadline: Instant) -> io::Result<Option<T>> {
        if self.output.buffer().is_empty() {
            let patience = deadline.saturating_duration_since(now());
            let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
            let mut pipe = [PollFd::new(self.output.get_ref(), PollFlags::IN)];
            if poll(&mut pipe, Some(&patience))? == 0 {
                return Ok(None);
            }
        }
        self.hear().map(Some)
    }

    /// What becomes readable when it has said something.
    pub(crate) fn output(&self) -> impl AsFd + '_ {
        self.output.get_ref().as_fd()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It would end by itself when its input is closed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
