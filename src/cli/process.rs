//! What every process that serves a project has: a runtime, a log, and signals that ask it to end.

use std::str::FromStr;

use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::sidecar::config::Environment;

/// What the library of the method table calls itself in its log.
const METHOD_TABLE: &str = "jsonrpsee-core";

/// Libraries that log whole messages, requests with the values of an environment among them.
const TELL_MESSAGES: [&str; 2] = ["jsonrpsee", "rmcp"];

/// Does this on a runtime with one thread, which ends with it.
///
/// # Errors
/// What it fails with, or that the runtime cannot be started.
pub(super) fn block_on<T>(work: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    // What still blocks, such as a read of a pipe, ends with the process.
    runtime.shutdown_background();
    done
}

/// A file that would be too long for this user's limit is an error of the write, not the end of the process. A
/// handler, unlike ignoring the signal, does not pass to the commands.
#[cfg(unix)]
pub(super) fn outlive_limits() -> std::io::Result<()> {
    let nobody_asks = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, nobody_asks)?;
    Ok(())
}

/// Elsewhere there is no such limit.
#[cfg(windows)]
pub(super) fn outlive_limits() -> std::io::Result<()> {
    Ok(())
}

/// Resolves when the process is asked to end.
#[cfg(unix)]
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
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
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut control = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        control.recv().await;
    })
}

/// The signals that ask whoever waits for something to give it up, one after the other.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// From now on they do not end this process by themselves.
    pub(super) fn heard() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The number of the next one.
    pub(super) async fn next(&mut self) -> u8 {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let number = tokio::select! {
            _ = self.interrupt.recv() => SIGINT,
            _ = self.terminate.recv() => SIGTERM,
            _ = self.hang_up.recv() => SIGHUP,
        };
        u8::try_from(number).unwrap_or_default()
    }
}

/// The signals that ask whoever waits for something to give it up, one after the other.
#[cfg(windows)]
pub(super) struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    /// From now on they do not end this process by themselves.
    pub(super) fn heard() -> std::io::Result<Signals> {
        Ok(Signals(tokio::signal::windows::ctrl_c()?))
    }

    /// The number of the next one, as others call it.
    pub(super) async fn next(&mut self) -> u8 {
        const SIGINT: u8 = 2;
        self.0.recv().await;
        SIGINT
    }
}

/// Logs to stderr what `SEXTON_LOG` chooses, or this. It waits for whoever reads, as a command may.
pub(super) fn log_to_stderr(environment: &Environment, unless_chosen: &str) {
    log_to(environment, unless_chosen, std::io::stderr);
}

/// Whether nothing of a message can be in such an entry. Logs are sent to others and kept in places that nobody guards, so that
/// whoever asks for everything is not given what a user wrote for a command alone.
fn tells_no_message(entry: &tracing::Metadata<'_>) -> bool {
    let is_of_such = TELL_MESSAGES.iter().any(|library| entry.target().starts_with(library));
    !is_of_such || *entry.level() <= tracing::Level::INFO
}

/// The same to somewhere else.
pub(super) fn log_to<W>(environment: &Environment, unless_chosen: &str, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let wanted = environment.log_filter().unwrap_or_else(|| unless_chosen.to_owned());
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
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    tracing_subscriber::registry().with(lines).with(filter).with(filter_fn(tells_no_message)).init();
    if !understood {
        tracing::warn!(
            "SEXTON_LOG={wanted:?} is not understood; write a level such as `info`, or `target=level`"
        );
    }
}
