//! The servers that are compared, and how each is spawned.

use std::io;
use std::process::Command;

use serde_json::{Value, json};

use crate::client::Client;
use crate::place::Place;
use crate::tools::Tools;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Sexton,
    LspCrate,
    Node,
}

impl Server {
    /// Those that this machine can run, ours first.
    pub(crate) fn all(tools: &Tools) -> Vec<Server> {
        let node = tools.node().map(|_| Server::Node);
        [Server::Sexton, Server::LspCrate].into_iter().chain(node).collect()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Server::Sexton => "sexton",
            Server::LspCrate => "`lsp-server` (Rust)",
            Server::Node => "`vscode-jsonrpc` (Node)",
        }
    }

    /// Spawns it and has `initialize` answered. Every server is sent the same.
    pub(crate) fn open(self, tools: &Tools, place: &Place) -> io::Result<Client> {
        let mut command = match self {
            Server::Sexton => {
                let mut command = Command::new(tools.sexton());
                command.arg("--stdio");
                command
            }
            Server::LspCrate => Command::new(tools.lsp_server()),
            Server::Node => {
                let mut command = Command::new("node");
                command.args(tools.node().map(|node| node.join("server.js")));
                command
            }
        };
        open_by(&mut command, place)
    }
}

/// Spawns a server by this command, and has `initialize` answered.
pub(crate) fn open_by(command: &mut Command, place: &Place) -> io::Result<Client> {
    // What whoever measures has set must not change what is measured.
    for name in ["SEXTON_LOG", "SEXTON_RUN_ID"] {
        command.env_remove(name);
    }
    command.env("SEXTON_STATE_DIR", place.state());
    let mut client = Client::spawn(command)?;
    client.ask("initialize", &initialize(place))?;
    Ok(client)
}

fn initialize(place: &Place) -> Value {
    json!({
        "processId": std::process::id(), "clientInfo": {"name": "figures"}, "capabilities": {},
        "initializationOptions": {
            "projectDirectory": place.project(),
            // Slots ten times a second are what lateness is measured with.
            "limits": {"minIntervalMs": 100},
        },
    })
}
