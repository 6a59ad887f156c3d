//! How a sidecar is spawned, and what it is told at first.

use std::process::Command;

use serde_json::{Map, Value, json};

use super::Place;
use super::client::Client;
use super::wire::Framing;

/// How a sidecar is spawned and what it is told at first.
pub(crate) struct Spawn<'a> {
    place: &'a Place,
    framing: Framing,
    command: Command,
    options: Map<String, Value>,
    ears: Ears,
}

/// Whether a client reads what it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ears {
    Open,
    Closed,
}

impl<'a> Spawn<'a> {
    pub(super) fn at(place: &'a Place) -> Self {
        Spawn::of(place, std::path::Path::new(env!("CARGO_BIN_EXE_sexton")))
    }

    /// Another copy of the binary.
    pub(crate) fn of(place: &'a Place, binary: &std::path::Path) -> Self {
        Spawn::with(place, Command::new(binary))
    }

    /// By way of a script, which finds the command to become in its arguments and has the same process become it.
    pub(crate) fn through(place: &'a Place, wrapper: &[&str], script: &str) -> Self {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).args(["-c", script, "sh", env!("CARGO_BIN_EXE_sexton")]);
        Spawn::with(place, command)
    }

    fn with(place: &'a Place, mut command: Command) -> Self {
        command.arg("--stdio").current_dir(place.beside(""));
        // What the machine of whoever tests has set must not change what is tested.
        for name in
            ["SEXTON_LOG", "SEXTON_RUN_ID", "SEXTON_FAILPOINT", "SEXTON_FAILPOINT_LOG", "XDG_STATE_HOME"]
        {
            command.env_remove(name);
        }
        command.env("SEXTON_STATE_DIR", place.state());
        command.env("XDG_CONFIG_HOME", place.configuration());
        let options = Map::from_iter([("projectDirectory".to_owned(), json!(place.project()))]);
        Spawn { place, framing: Framing::Lines, command, options, ears: Ears::Open }
    }

    pub(crate) fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Where the sidecar is started.
    pub(crate) fn working_directory(mut self, path: &std::path::Path) -> Self {
        self.command.current_dir(path);
        self
    }

    /// One of the `initializationOptions`.
    pub(crate) fn option(mut self, name: &str, value: Value) -> Self {
        self.options.insert(name.to_owned(), value);
        self
    }

    /// A client that does not read until it is told to.
    pub(crate) fn deaf(mut self) -> Self {
        self.ears = Ears::Closed;
        self
    }

    pub(crate) fn spawn(mut self) -> Client {
        let name = self.place.project().display().to_string();
        let mut client = Client::spawn(&mut self.command, self.framing, self.options, name);
        if self.ears == Ears::Open {
            client.listen();
        }
        client
    }

    /// Spawns it, and opens the project.
    pub(crate) fn open(self) -> Client {
        let mut client = self.spawn();
        client.initialize();
        client
    }
}
