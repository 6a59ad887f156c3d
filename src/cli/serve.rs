//! `sexton --stdio`: one sidecar for one window.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::complain;
use crate::domain::scheduler::Limits;
use crate::exec::{self, GuardProgram};
use crate::rpc::service;
use crate::rpc::session::Farewell;
use crate::rpc::transport::{Conversation, read_from, write_to};
use crate::sidecar::SidecarHost;
use crate::sidecar::config::Environment;

/// How long the last answers may take to be written to a client that does not read.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// What the library of the method table calls itself in its log.
const METHOD_TABLE: &str = "jsonrpsee-core";

pub(super) fn run(environment: Environment) -> ExitCode {
    log_to_stderr(&environment);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("the runtime cannot be started: {error}")),
    };
    let served = runtime.block_on(serve(environment));
    // What still blocks, such as a read of a pipe, ends with the process.
    runtime.shutdown_background();
    match served {
        Ok(Farewell::Orderly) => ExitCode::SUCCESS,
        Ok(Farewell::Abrupt) => ExitCode::FAILURE,
        Err(error) => complain(&format!("cannot serve: {error}")),
    }
}

async fn serve(environment: Environment) -> std::io::Result<Farewell> {
    let working_directory = std::env::current_dir()?;
    let host = SidecarHost::new(environment, working_directory, GuardProgram::this_binary()?);
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

/// A file that would be too long for this user's limit is an error of the write, not the end of the process. A
/// handler, unlike ignoring the signal, does not pass to the commands.
#[cfg(unix)]
fn outlive_limits() -> std::io::Result<()> {
    let nobody_asks = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, nobody_asks)?;
    Ok(())
}

/// Elsewhere there is no such limit.
#[cfg(windows)]
fn outlive_limits() -> std::io::Result<()> {
    Ok(())
}

/// Resolves when the process is asked to end.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Resolves when the process is asked to end.
#[cfg(windows)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut control = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        control.recv().await;
    })
}

fn log_to_stderr(environment: &Environment) {
    let wanted = environment.log_filter();
    // A lone word that is no level would be taken for the only target that may log, and all others be silent.
    let sound = |part: &str| part.contains('=') || LevelFilter::from_str(part.trim()).is_ok();
    let filter = Targets::from_str(&wanted).ok().filter(|_| wanted.split(',').all(sound));
    let understood = filter.is_some();
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(tracing::Level::WARN));
    // It reports an answer over the limit as an error of its own; the client is told, and nobody else can do
    // anything about it.
    let filter = match wanted.contains(METHOD_TABLE) {
        true => filter,
        false => filter.with_target(METHOD_TABLE, LevelFilter::OFF),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(lines).with(filter).init();
    if !understood {
        tracing::warn!(
            "SEXTON_LOG={wanted:?} is not understood; write a level such as `info`, or `target=level`"
        );
    }
}
