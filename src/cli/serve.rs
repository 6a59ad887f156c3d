//! `sexton --stdio`: one sidecar for one window.

use std::process::ExitCode;
use std::time::Duration;

use super::complain;
use super::process::{block_on, outlive_limits, stop_signal};
use super::stderr_log::StderrLog;
use crate::domain::scheduler::Limits;
use crate::exec::{self, GuardProgram};
use crate::rpc::service;
use crate::rpc::session::Farewell;
use crate::rpc::transport::{Conversation, read_from, write_to};
use crate::sidecar::SidecarHost;
use crate::sidecar::config::Environment;

/// How long the last answers may take to be written to a client that does not read.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// What is logged if nobody chooses: an editor's log of its language servers is no place for news.
const LOGGED: &str = "warn";

pub(super) fn run(environment: Environment) -> ExitCode {
    let begun = StderrLog::begin(&environment, LOGGED);
    match begun.and_then(|_log| block_on(serve(environment))) {
        Ok(Farewell::Orderly) => ExitCode::SUCCESS,
        Ok(Farewell::Abrupt) => ExitCode::FAILURE,
        Err(error) => complain(&format!("cannot serve: {error}")),
    }
}

async fn serve(environment: Environment) -> std::io::Result<Farewell> {
    let working_directory = std::env::current_dir()?;
    let host = SidecarHost::new(environment, working_directory, GuardProgram::this_binary()?)
        .map_err(std::io::Error::other)?;
    let limit = usize::try_from(Limits::default().max_message_bytes).unwrap_or(usize::MAX);
    let conversation = Conversation::new(limit);
    outlive_limits()?;
    let stop = stop_signal()?;
    let inbox = read_from(std::io::stdin(), conversation.clone())?;
    let client = conversation.clone();
    tokio::spawn(async move {
        exec::stdin_hung_up().await;
        client.hang_up();
    });
    let (output, mut written) = write_to(std::io::stdout(), conversation.clone())?;
    let mut unheard = written.clone();
    let stop = async move {
        tokio::select! {
            () = stop => {}
            () = unheard.done() => tracing::info!("the client no longer reads; ending"),
        }
    };
    let farewell = service::serve(host, conversation, inbox, output, stop).await;
    if tokio::time::timeout(LAST_WRITES, written.done()).await.is_err() {
        tracing::info!("the client did not read the last answers");
    }
    Ok(farewell)
}
