//! `sexton mcp`: tools for agents, over the Model Context Protocol on stdin and stdout.
//!
//! The protocol is the SDK's. The tools ask a sidecar of their own, through the client that every program in Rust can use,
//! and know of the rest of this crate no more than such a program (`tests/tidy.rs` holds that). What a model writes is
//! turned into the contract's words in [`draft`], and what is wrong with them back into the model's.

mod actions;
mod answer;
mod arguments;
mod automate;
mod draft;
mod fault;
mod manage;
mod models;
mod project;
mod server;
mod shown;
mod spoken;
mod stdin;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use rmcp::transport::stdio_pipes;
use tokio::sync::watch;

use super::process::{block_on, log_to_stderr, stop_signal};
use super::project::Chosen;
use super::{complain, tell};
use crate::client::Opening;
use crate::domain::scheduler::Role;
use crate::exec;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;
use project::Project;
use server::Server;
use stdin::Stdin;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "mcp";

/// What is logged if nobody chooses. The SDK tells every message of the conversation.
const LOGGED: &str = "warn";

#[derive(Args)]
pub(super) struct McpArgs {
    #[command(flatten)]
    chosen: Chosen,
}

/// Serves until stdin ends or a signal asks it to. The exit code is 2 where the arguments are to be changed; that a project
/// cannot be opened is told to whoever calls a tool.
pub(super) fn run(environment: &Environment, args: McpArgs) -> ExitCode {
    log_to_stderr(environment, LOGGED);
    let Chosen { project, state_directory } = &args.chosen;
    for (path, option) in [(project, "--project"), (state_directory, "--state-directory")] {
        // Paths go to the sidecar as JSON.
        if let Some(path) = path.as_ref().filter(|path| path.to_str().is_none()) {
            return complain(&format!("{option} {path:?}: the path is not Unicode text"));
        }
    }
    let served = block_on(async {
        let Chosen { project, state_directory } = args.chosen;
        let opening = Opening {
            project,
            state_directory,
            role: Role::Observer,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..Opening::new(exec::this_binary()?, CLIENT)
        };
        serve(Arc::new(Project::new(opening, environment.run_id()))).await
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("the conversation cannot go on: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(project: Arc<Project>) -> io::Result<()> {
    let stopped = stop_signal()?;
    let (ended, over) = watch::channel(false);
    let (input, output) = stdio_pipes();
    let server = Server::new(project.clone(), || Clock.now(), over);
    let begin = server.serve((Stdin::new(input, ended), output));
    tokio::pin!(stopped);
    let service = tokio::select! {
        begun = begin => match begun {
            Ok(service) => service,
            // The host has gone before it was done with the greeting.
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(io::Error::other(error)),
        },
        () = &mut stopped => return Ok(()),
    };
    let stop = service.cancellation_token();
    let waiting = service.waiting();
    tokio::pin!(waiting);
    let left = tokio::select! {
        left = &mut waiting => left,
        () = &mut stopped => {
            stop.cancel();
            waiting.await
        }
    };
    project.close().await;
    left.map(drop).map_err(io::Error::other)
}
