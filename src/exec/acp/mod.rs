//! Speaks with agents: the client's side of the Agent Client Protocol, wire version 1, over an agent's stdin and stdout.
//!
//! ```text
//!   drive                                            agent
//!   initialize, session/new|resume|load ───────────► answers
//!   model, variant ────────────────────────────────► tells its options anew
//!   Started ─► whoever drives writes that down
//!   session/prompt ────────────────────────────────► works
//!   Step, Cost, output ◄───────────────────────────── session/update
//!   Blocked ─► a person ─► answer ─────────────────► session/request_permission, elicitation/create
//!   session/cancel, if it is to end ───────────────► answers the prompt
//!   verdict; stdin is closed
//! ```
//!
//! What an agent says is read leniently: noise, unknown updates and requests, odd error codes and second answers are
//! normal. What is sent is exactly the protocol. **Nothing here waits for somebody who may not come**: each call has a
//! deadline, a prompt is bounded by the limits of its run, and a cancel by [`CANCEL_GRACE`].
//!
//! Nothing here knows processes: whoever drives starts the agent before, and ends it afterwards.

mod bounds;
mod connection;
mod cost;
mod failure;
mod lines;
mod message;
mod needs;
mod offer;
mod outbox;
mod output;
mod permission;
#[cfg(test)]
mod played;
mod probe;
mod question;
mod session;
mod talk;
#[cfg(test)]
mod tests;
mod tools;
mod turn;
mod verdict;
mod wire;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};

use super::OutputSize;
use crate::domain::policy::{Money, Permissions};
use crate::domain::provider::{Choice, OfferedModel};
use crate::domain::run::machine::ErrorCode;
use crate::domain::run::{Asked, Continuity, ErrorClass, Need};
use crate::domain::secrets::Secrets;

/// How long an agent may take to answer a prompt that was cancelled.
pub const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// The model of an agent that lets nobody choose one: whatever it uses.
pub const DEFAULT_MODEL: &str = "default";

/// One prompt to carry out.
pub struct Turn {
    /// Where the agent works: an absolute path, which exists.
    pub directory: String,
    /// In which session.
    pub session: SessionChoice,
    /// With which tools beside the agent's own. An agent that does not take them works without.
    pub tools: Option<ToolServer>,
    /// With which model, as the agent names it.
    pub model: String,
    /// With which variant of it; as the agent likes, if none is named.
    pub variant: Option<String>,
    /// What the agent is told.
    pub prompt: String,
    /// What it is told instead where another session was to be continued and a new one had to be begun: it remembers
    /// nothing then.
    pub prompt_if_new: Option<String>,
    /// Whether a person is asked.
    pub permissions: Permissions,
    /// How long the agent may take to answer a call, but for the prompt.
    pub call_limit: Duration,
    /// The spool: the file that receives what the agent says. Made as the output of a command is.
    pub output: PathBuf,
    /// The most bytes that are spooled. What goes beyond is thrown away.
    pub output_limit: u64,
    /// What the session had cost, in all, before this turn, if that is known.
    pub spent_before: Option<Money>,
    /// What the agent was given and may repeat: it is hidden in all words of the agent, before they are cut.
    pub secrets: Secrets,
}

/// A server of tools that an agent is to start for a session, and to speak with over its stdin and stdout (the Model
/// Context Protocol). It may clear its environment before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolServer {
    /// What the agent calls it. One of the same name that the user has configured gives way to it.
    pub name: &'static str,
    /// The program: an absolute path.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it needs in its environment.
    pub env: Vec<(String, String)>,
}

/// In which session a prompt is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChoice {
    /// In one of its own.
    New,
    /// In this one: resumed if the agent can, else loaded, and in a new one if it can do neither.
    Last(String),
    /// In this one and no other: half of a context is worse than a failure.
    Named(String),
}

/// What whoever drives wishes, in all. A state, not a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Whether the turn is to end.
    pub end: bool,
    /// What was answered to the agent. Numbers rise; one that was taken before is ignored.
    pub answers: Vec<Answer>,
}

/// What a person has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its place among the answers.
    pub number: i64,
    /// To what.
    pub asked: Asked,
    /// With what.
    pub choice: Choice,
}

/// What happens while a prompt is carried out.
#[derive(Debug)]
pub enum Report {
    /// Everything is ready for the prompt.
    Started {
        /// In this session.
        session_id: String,
        /// Whether it is new.
        continuity: Continuity,
        /// The prompt is sent when this was sent, and never if it is dropped.
        written: oneshot::Sender<()>,
    },
    /// The agent took a step. Steps with equal titles did the same with the same input.
    Step {
        /// What it did.
        title: String,
    },
    /// What the run has cost so far, in all.
    Cost(Money),
    /// It needs a person. Until it needs nobody any more, it asks for nothing else.
    Blocked(Need),
    /// It needs nobody any more, though nobody has answered.
    Unblocked,
    /// An answer was taken: the agent has it, or does not want it any more.
    HandedOver {
        /// Which.
        answer: i64,
    },
}

/// What came of a turn.
#[derive(Debug)]
pub struct Verdict {
    /// How it ended.
    pub end: End,
    /// What the spool holds.
    pub output: OutputSize,
    /// The last [`TAIL_BYTES`](super::TAIL_BYTES) bytes of what the agent said.
    pub tail: String,
    /// What the agent's tools said they changed, relative to the directory.
    pub files: BTreeSet<String>,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The agent says that it is done, and there is nothing to show otherwise.
    Finished {
        /// Its last message.
        text: Option<String>,
    },
    /// It could not be done.
    Failed {
        /// The kind of failure.
        code: ErrorCode,
        /// A sentence that says what failed, and what to do.
        message: String,
        /// Whose fault it is.
        class: ErrorClass,
    },
    /// It was to end, and nothing is to be expected any more.
    Cancelled,
    /// The agent went without an answer.
    Lost,
}

/// Why an agent could not be asked what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskFailure {
    /// Whose fault it is.
    pub class: ErrorClass,
    /// A sentence that says what failed, and what to do.
    pub message: String,
}

/// Carries a prompt out, with an agent that was just started: with what it writes and what it reads. When this returns, the
/// agent's stdin is closed and every report was taken, or nobody takes them; what the agent does then is not looked at any
/// more. It may be given up at any time, with which both are closed.
pub async fn drive(
    stdout: impl AsyncRead + Unpin,
    stdin: impl AsyncWrite + Unpin,
    turn: Turn,
    wishes: watch::Receiver<Wishes>,
    reports: mpsc::Sender<Report>,
) -> Verdict {
    turn::carry_out(stdout, stdin, turn, wishes, reports).await
}

/// Asks an agent which models it offers, each with its variants. Those are looked for as long as one call may take, of the
/// model `first` before the others; of those that this does not reach none are named. An agent that lets nobody choose
/// offers [`DEFAULT_MODEL`]. Secrets are hidden in what is told of a failure. The agent's stdin is closed when this returns.
///
/// # Errors
/// When it does not say.
pub async fn ask(
    stdout: impl AsyncRead + Unpin,
    stdin: impl AsyncWrite + Unpin,
    directory: &str,
    first: Option<&str>,
    call_limit: Duration,
    secrets: Secrets,
) -> Result<Vec<OfferedModel>, AskFailure> {
    probe::ask(stdout, stdin, directory, first, call_limit, secrets).await
}
